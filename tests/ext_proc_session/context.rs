//! What comes with messages and goes with answers; modes that are announced, chosen, observed.

use std::sync::{Arc, Mutex};

use http::request;
use prost_types::Value;
use prost_types::value::Kind;
use tidegate::exchange::ExchangePlan;
use tidegate::ext_proc::mode::{BodyMode, DirectionMode, OverrideRefusal, ProcessingMode};
use tidegate::ext_proc::session::{ChosenMode, SessionEnd, SessionSettings};
use tidegate::ext_proc::wire::{Attributes, DynamicMetadata, Metadata};
use tidegate::{Filter, Head, Verdict, View};

use crate::filters::{Deny, KeepAll, Mark, Pass, pair};
use crate::messages::{
    Mutation, metadata, protocol_config, request_body, request_headers, response_body,
    response_headers, struct_of,
};
use crate::support::{Talk, body_of, both, common};

const HEAD: [(&str, &str); 4] =
    [(":method", "POST"), (":path", "/"), (":scheme", "http"), (":authority", "a")];

/// Tells what it was given, and leaves something.
struct Reads(Arc<Mutex<Vec<String>>>);

impl Filter<request::Parts> for Reads {
    fn head(&mut self, view: &mut View<'_, request::Parts>) -> Verdict {
        let head = view.head_mut().expect("it stands here");
        let text = |value: Option<&Value>| match value.and_then(|value| value.kind.clone()) {
            Some(Kind::StringValue(text)) => text,
            other => format!("{other:?}"),
        };
        let mut told = self.0.lock().expect("no panic");
        let attributes = head.extensions.get::<Attributes>().expect("they came");
        let of_envoy = attributes.get("envoy.filters.http.ext_proc").expect("a struct");
        told.push(text(of_envoy.expect("it is there").fields.get("request.id")));
        let metadata = head.extensions.get::<Metadata>().expect("it came");
        let of_space = metadata.get("space").expect("a struct").expect("it is there");
        told.push(text(of_space.fields.get("key")));
        let mut left = DynamicMetadata::new();
        let value = |text: &str| Value { kind: Some(Kind::StringValue(text.to_owned())) };
        left.set("ours", "seen", value("yes"));
        left.set("ours", "by", value("reads"));
        head.extensions.insert(left);
        Verdict::PASS
    }
}

#[test]
fn filters_read_attributes_and_metadata_and_leave_metadata_with_the_answer() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let reads = Arc::clone(&told);
    let plan = ExchangePlan::builder()
        .request("reads", move || Reads(Arc::clone(&reads)))
        .build()
        .expect("a plan");
    let (streamed, duplex) = (BodyMode::Streamed, BodyMode::FullDuplexStreamed);
    for (mode, ends) in
        [(streamed, true), (BodyMode::Buffered, true), (streamed, false), (duplex, false)]
    {
        let mut talk = Talk::new(plan.clone(), both(mode));
        let mut request = request_headers(&HEAD, ends);
        let attributes = struct_of(&[("request.id", "7")]);
        request.attributes.insert("envoy.filters.http.ext_proc".to_owned(), attributes);
        request.metadata_context = Some(metadata("space", &[("key", "value")]));
        let replies = talk.send(request);
        let left = replies[0].dynamic_metadata.clone().expect("left by the filter");
        let Some(Kind::StructValue(ours)) = &left.fields["ours"].kind else { panic!("{left:?}") };
        assert_eq!(ours.fields.len(), 2);
        assert_eq!(told.lock().expect("no panic").drain(..).collect::<Vec<_>>(), ["7", "value"]);
    }
}

#[test]
fn p16_an_announced_body_mode_counts_and_the_difference_is_told() {
    let mut talk = Talk::new(pair(|| Mark), both(BodyMode::Streamed));
    let announced = protocol_config(BodyMode::Buffered.number(), BodyMode::Streamed.number());
    let head: Vec<_> = HEAD.into_iter().chain([("content-length", "3")]).collect();
    talk.send_as_is(request_headers(&head, false).first(announced));
    let disagreements: Vec<_> =
        talk.session.announced().expect("announced").disagreements().collect();
    assert_eq!(disagreements.len(), 1);
    assert_eq!(disagreements[0].announced, BodyMode::Buffered);
    let reply = talk.send(request_body(&b"one"[..], true));
    assert!(common(&reply[0]).header_mutation.is_some(), "the length goes with the body");
}

#[test]
fn an_announced_mode_that_a_filter_cannot_have_fails_the_stream_and_names_it() {
    let mut talk = Talk::new(pair(|| KeepAll), both(BodyMode::FullDuplexStreamed));
    let announced = protocol_config(BodyMode::Streamed.number(), BodyMode::Streamed.number());
    assert!(talk.send_as_is(request_headers(&HEAD, false).first(announced)).is_empty());
    let status = talk.status().expect("refused");
    assert_eq!(status.code.name(), "FAILED_PRECONDITION");
    assert!(status.message.contains("`it`") && status.message.contains("STREAMED"), "{status:?}");
}

#[test]
fn p37_grpc_is_refused_with_its_reason() {
    let mut talk = Talk::new(pair(|| Pass), both(BodyMode::Streamed));
    assert!(talk.send_as_is(request_headers(&HEAD, false).first(protocol_config(5, 0))).is_empty());
    let status = talk.status().expect("refused");
    assert!(status.message.contains("GRPC"), "{status:?}");
}

#[test]
fn p16_a_chosen_mode_fills_all_six_fields_and_counts_from_there_on() {
    let stated = ProcessingMode::new(
        DirectionMode::new(BodyMode::None),
        DirectionMode::new(BodyMode::Buffered),
    );
    let settings = SessionSettings::new(stated).choose_mode(|head, mode| {
        let direction = tidegate::exchange::Direction::Request;
        (head.uri.path() == "/")
            .then(|| mode.with(direction, DirectionMode::new(BodyMode::Buffered)))
    });
    let plan = ExchangePlan::builder().response("mark", || Mark).build().expect("a plan");
    let mut talk = Talk::with(plan, settings);
    let reply = talk.send(request_headers(&HEAD, false));
    let mode = reply[0].mode_override.expect("asked for");
    let numbers = [
        mode.request_header_mode,
        mode.response_header_mode,
        mode.request_body_mode,
        mode.response_body_mode,
        mode.request_trailer_mode,
        mode.response_trailer_mode,
    ];
    assert_eq!(numbers, [1, 1, 2, 2, 1, 1], "the response's body mode is still BUFFERED");
    assert_eq!(talk.send(request_body(&b"one"[..], true)).len(), 1);
    talk.send(response_headers(&[(":status", "200")], false));
    let reply = talk.send(response_body(&b"one"[..], true));
    assert_eq!(body_of(&reply[0]), Some(Mutation::Body(">one".into())));
    assert!(matches!(talk.session.end(), Some(SessionEnd::Complete)) || talk.status().is_some());
}

#[test]
fn under_observability_filters_see_all_and_nothing_is_answered() {
    /// Adds up what it is shown.
    struct Counts(Arc<Mutex<u64>>);
    impl<H: Head> Filter<H> for Counts {
        fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
            *self.0.lock().expect("no panic") += view.new_bytes() as u64;
            Verdict::PASS
        }
    }
    let seen = Arc::new(Mutex::new(0));
    let counts = Arc::clone(&seen);
    let plan = ExchangePlan::builder()
        .pair("counts", move || (Counts(Arc::clone(&counts)), Counts(Arc::clone(&counts))))
        .build()
        .expect("a plan");
    let mut talk = Talk::new(plan, both(BodyMode::Streamed));
    let mut observed = |mut request: crate::messages::ProcessingRequest| {
        request.observability_mode = true;
        assert!(talk.send(request).is_empty());
    };
    observed(request_headers(&HEAD, false));
    observed(request_body(vec![1; 1000], false));
    observed(request_body(vec![1; 500], true));
    observed(response_headers(&[(":status", "200")], false));
    observed(response_body(vec![1; 30], true));
    talk.session.handle_end();
    assert!(matches!(talk.session.end(), Some(SessionEnd::Released)));
    assert_eq!(*seen.lock().expect("no panic"), 1530);

    let mut talk = Talk::new(pair(|| Deny), both(BodyMode::Streamed));
    let mut request = request_headers(&HEAD, true);
    request.observability_mode = true;
    assert!(talk.send(request).is_empty(), "a reply reaches nobody");
}

#[test]
fn the_answer_to_head_keeps_a_length_that_is_not_its_own() {
    let plan = ExchangePlan::builder().build().expect("a plan");
    let mut talk = Talk::new(plan, both(BodyMode::FullDuplexStreamed));
    let mut head = HEAD;
    head[0].1 = "HEAD";
    talk.send(request_headers(&head, true));
    let fields = [(":status", "200"), ("content-length", "30")];
    assert_eq!(talk.send(response_headers(&fields, true)).len(), 1);
    assert!(talk.status().expect("all is answered").is_ok());
}

#[test]
fn a_head_that_is_none_is_answered_400_or_502() {
    let plan = ExchangePlan::builder().build().expect("a plan");
    let mut talk = Talk::new(plan.clone(), both(BodyMode::None));
    let replies = talk.send(request_headers(&[(":method", "G T")], true));
    assert_eq!(crate::replies::immediate(&replies).0, 400);
    let mut talk = Talk::new(plan, both(BodyMode::None));
    talk.send(request_headers(&HEAD, true));
    let replies = talk.send(response_headers(&[("server", "x")], true));
    assert_eq!(crate::replies::immediate(&replies).0, 502);
}

#[test]
fn p17_a_chosen_mode_that_the_configuration_does_not_take_is_not_asked_for_and_told() {
    use tidegate::ext_proc::mode::FilterConfig;

    for allows in [false, true] {
        let mut config = FilterConfig::new(both(BodyMode::None));
        config.allow_mode_override = allows;
        let settings = SessionSettings::of(&config).choose_mode(|_, mode| {
            let direction = tidegate::exchange::Direction::Request;
            Some(mode.with(direction, DirectionMode::new(BodyMode::Buffered)))
        });
        let plan = ExchangePlan::builder().build().expect("a plan");
        let mut talk = Talk::with(plan, settings);
        let reply = talk.send(request_headers(&HEAD, false));
        assert_eq!(reply[0].mode_override.is_some(), allows);
        let chosen = talk.session.chosen_mode().expect("one was chosen");
        if !allows {
            assert!(matches!(chosen, ChosenMode::Refused(_)), "{chosen:?}");
            continue;
        }
        assert_eq!(chosen, ChosenMode::Unconfirmed);
        talk.send(request_body(&b"one"[..], true));
        assert_eq!(talk.session.chosen_mode(), Some(ChosenMode::Confirmed));
    }
}

/// One that is ignored from NONE has no message that would not fit: the body passes by.
#[test]
fn p17_a_chosen_mode_of_which_nothing_was_seen_is_told_at_the_end() {
    let settings = SessionSettings::new(both(BodyMode::None));
    let settings = settings.choose_mode(|_, _| Some(both(BodyMode::Buffered)));
    let plan = || ExchangePlan::builder().build().expect("a plan");
    let mut talk = Talk::with(plan(), settings.clone());
    assert!(talk.send(request_headers(&HEAD, false))[0].mode_override.is_some());
    talk.session.handle_end();
    assert_eq!(talk.session.chosen_mode(), Some(ChosenMode::Unconfirmed));

    let mut talk = Talk::with(pair(|| Deny), settings);
    assert_eq!(crate::replies::immediate(&talk.send(request_headers(&HEAD, false))).0, 403);
    assert_eq!(talk.session.chosen_mode(), Some(ChosenMode::Unasked));
}

/// Its announcement says so, whatever is stated of its configuration, or not.
#[test]
fn p17_a_chosen_mode_that_no_configuration_takes_is_not_asked_for() {
    let plan = || ExchangePlan::builder().build().expect("a plan");
    let duplex = SessionSettings::new(both(BodyMode::FullDuplexStreamed));
    let mut talk = Talk::with(plan(), duplex.choose_mode(|_, _| Some(both(BodyMode::Buffered))));
    let reply = talk.send(request_headers(&HEAD, false));
    assert!(reply[0].mode_override.is_none(), "{reply:?}");
    let chosen = talk.session.chosen_mode();
    assert!(matches!(chosen, Some(ChosenMode::Refused(OverrideRefusal::Duplex { .. }))));

    let streamed = SessionSettings::new(both(BodyMode::Streamed));
    let mut talk = Talk::with(plan(), streamed.choose_mode(|_, _| Some(both(BodyMode::Buffered))));
    let mut announced = protocol_config(1, 1);
    announced.send_body_without_waiting_for_header_response = true;
    let reply = talk.send_as_is(request_headers(&HEAD, false).first(announced));
    assert!(reply[0].mode_override.is_none(), "{reply:?}");
    let chosen = talk.session.chosen_mode();
    assert_eq!(chosen, Some(ChosenMode::Refused(OverrideRefusal::SentWithoutWaiting)));
}

#[test]
fn p33_the_route_is_chosen_anew_where_the_head_was_changed_and_it_is_asked_for() {
    use crate::filters::GiveBody;

    let mark = || pair(|| Mark);
    let settings = |mode| SessionSettings::new(mode).reroute();
    let asks = |plan, settings, head| {
        let mut talk = Talk::with(plan, settings);
        common(&talk.send(head)[0]).clear_route_cache
    };
    let streamed = both(BodyMode::Streamed);
    assert!(asks(mark(), settings(streamed), request_headers(&HEAD, false)));
    assert!(!asks(mark(), SessionSettings::new(streamed), request_headers(&HEAD, false)));
    assert!(!asks(pair(|| Pass), settings(streamed), request_headers(&HEAD, false)), "no change");
    // With an override, and with a body that is given, too.
    let chooses = settings(both(BodyMode::Buffered)).choose_mode(move |_, _| Some(streamed));
    assert!(asks(mark(), chooses, request_headers(&HEAD, false)));
    let given = ExchangePlan::builder()
        .request("give", || GiveBody)
        .request("mark", || Mark)
        .build()
        .expect("a plan");
    assert!(asks(given, settings(streamed), request_headers(&HEAD, true)));
}
