//! Modes that are chosen for each exchange.

use tidegate::async_filter::{Input, Output, async_filter};
use tidegate::exchange::ExchangePlan;
use tidegate::ext_proc::mode::{BodyMode, DirectionMode, ProcessingMode};
use tidegate::ext_proc::session::{SessionPlan, SessionSettings};
use tidegate::{Capability, Declaration, Error};

use crate::filters::{GiveBody, Mark, pair};
use crate::messages::{Mutation, request_body, request_headers, response_body, response_headers};
use crate::support::{Talk, body_of, both, common};

const HEAD: [(&str, &str); 4] =
    [(":method", "POST"), (":path", "/"), (":scheme", "http"), (":authority", "a")];

/// Scenario 73: where the data plane shows heads only, filters that need the body run where the
/// mode that shows it was asked for.
#[test]
fn scenario_73_a_plan_need_not_fit_the_stated_mode_where_another_is_chosen() {
    let stated = both(BodyMode::None);
    assert!(SessionPlan::new(pair(|| Mark), SessionSettings::new(stated)).is_err());
    let settings = SessionSettings::new(stated).choose_mode(|head, _| {
        let wanted = head.uri.path() == "/";
        wanted.then(|| both(BodyMode::Buffered))
    });
    let mut talk = Talk::with(pair(|| Mark), settings.clone());
    let reply = talk.send(request_headers(&HEAD, false));
    assert!(reply[0].mode_override.is_some());
    let reply = talk.send(request_body(&b"one"[..], true));
    assert_eq!(body_of(&reply[0]), Some(Mutation::Body(">one".into())));

    let mut talk = Talk::with(pair(|| Mark), settings);
    let other = HEAD.map(|(name, value)| (name, if name == ":path" { "/other" } else { value }));
    assert!(talk.send(request_headers(&other, false)).is_empty());
    let status = talk.status().expect("the stream has ended");
    assert!(!status.is_ok() && status.message.contains("NONE"), "{status}");
}

/// Envoy takes an override before the rest of its message (2.4): both go at once.
#[test]
fn a_message_that_is_given_a_body_can_have_its_mode_chosen_too() {
    let settings = SessionSettings::new(both(BodyMode::None));
    let settings = settings.choose_mode(|_, _| Some(both(BodyMode::Buffered)));
    let mut talk = Talk::with(pair(|| GiveBody), settings);
    let replies = talk.send(request_headers(&HEAD, true));
    let [reply] = &replies[..] else { panic!("{replies:?}, {:?}", talk.session) };
    assert!(reply.mode_override.is_some(), "{reply:?}");
    let common = common(reply);
    assert_eq!(common.status, 1, "CONTINUE_AND_REPLACE");
    let given = Some(Mutation::Body("given".into()));
    assert_eq!(common.body_mutation.expect("a body").mutation, given);
    // The response is in the mode that was chosen.
    assert_eq!(talk.send(response_headers(&[(":status", "200")], false)).len(), 1);
    assert_eq!(talk.send(response_body(&b"one"[..], true)).len(), 1);
    assert!(talk.status().expect("all was answered").is_ok());
}

/// A reply of the data plane's own can come while a filter holds the request's head, and with it
/// what asks for the mode: the response's filters run in that mode, so it waits.
#[test]
fn a_response_waits_for_the_mode_that_was_chosen_for_it() {
    let go = tokio::sync::watch::Sender::new(false);
    let receiver = go.subscribe();
    let ask = move |_: Input, _: Output| {
        let mut receiver = receiver.clone();
        async move {
            let _ = receiver.wait_for(|go| *go).await;
            Ok::<(), Error>(())
        }
    };
    let holds = Declaration::new().require(Capability::HoldHead);
    let plan = ExchangePlan::builder().request("asks", async_filter(holds, ask));
    let plan = plan.response("marks", || Mark).build().expect("a plan");
    let chosen = ProcessingMode::new(DirectionMode::full_duplex(), DirectionMode::buffered());
    let settings = SessionSettings::new(both(BodyMode::None));
    let mut talk = Talk::with(plan, settings.choose_mode(move |_, _| Some(chosen)));
    assert!(talk.send(request_headers(&HEAD, false)).is_empty(), "it is held");
    let replies = talk.send(response_headers(&[(":status", "408")], false));
    assert!(replies.is_empty(), "its body would pass by: {replies:?}");
    go.send_replace(true);
    let replies = talk.replies();
    assert_eq!(replies.len(), 2, "{replies:?}");
    assert!(replies[0].mode_override.is_some(), "{replies:?}");
    let replies = talk.send(response_body(&b"one"[..], true));
    assert_eq!(body_of(&replies[0]), Some(Mutation::Body(">one".into())));
}
