//! Modes that are chosen for each exchange.

use tidegate::ext_proc::mode::BodyMode;
use tidegate::ext_proc::session::{SessionPlan, SessionSettings};

use crate::filters::{Mark, pair};
use crate::messages::{Mutation, request_body, request_headers};
use crate::support::{Talk, body_of, both};

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
