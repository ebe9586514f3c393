//! What is told of a configuration: each text names the field, and why.

use std::error::Error;

use tidegate::exchange::Direction;
use tidegate::ext_proc::mode::{
    BodyMode, Caution, ConfigError, DirectionMode, Need, OverrideRefusal, ProcessingMode, SendMode,
    Terms,
};
use tidegate::{Declaration, Interest};

const REQUEST: Direction = Direction::Request;
const RESPONSE: Direction = Direction::Response;

#[test]
fn a_caution_names_the_field_it_is_about() {
    let mode = BodyMode::Streamed;
    let because = "nobody reads it";
    for (caution, named) in [
        (Caution::FailOpenEndsWithBody { direction: RESPONSE }, "for response_body_mode FULL_D"),
        (Caution::ObserverFailsRequests, "observability_mode without failure_mode_allow"),
        (
            Caution::EndUnseen { direction: REQUEST },
            "request_body_mode is STREAMED and request_trailer_mode is not SEND",
        ),
        (
            Caution::LengthKept { direction: REQUEST, mode },
            "allow_content_length_header with request_body_mode STREAMED",
        ),
        (Caution::OnlyShortened, "max_message_timeout is below message_timeout"),
        (Caution::NothingShown, "all headers and trailers are SKIP, all bodies NONE"),
        (Caution::LocalRepliesFail, "disable_immediate_response: "),
        (Caution::Reroutes, "route_cache_action is CLEAR"),
        (
            Caution::NoEffect { field: "message_timeout", because },
            "message_timeout has no effect: nobody reads it",
        ),
    ] {
        let text = caution.to_string();
        assert!(text.contains(named), "{text}");
    }
}

#[test]
fn a_refused_override_says_why_it_is_not_sent() {
    let cause = ConfigError::Metadata { name: "X".to_owned() };
    let told = cause.to_string();
    for (refusal, why) in [
        (OverrideRefusal::NotAllowed, "allow_mode_override is not set"),
        (OverrideRefusal::Observed, "answers are ignored with observability_mode"),
        (OverrideRefusal::SentWithoutWaiting, "send_body_without_waiting_for_header_response"),
        (
            OverrideRefusal::Duplex { direction: RESPONSE },
            "response_body_mode is FULL_DUPLEX_STREAMED",
        ),
        (OverrideRefusal::TooLate, "until a head has been answered"),
        (OverrideRefusal::HeadersSkipped { direction: REQUEST }, "request_header_mode is SKIP"),
        (OverrideRefusal::RequestUnderWay, "the request's body may be under way"),
        (OverrideRefusal::NotListed, "allowed_override_modes does not have this mode"),
        (OverrideRefusal::StandAloneUnknown, "set stand_alone_override"),
        (OverrideRefusal::StandAloneNotDuplex, "can become FULL_DUPLEX_STREAMED only"),
        (OverrideRefusal::Invalid(cause.clone()), told.as_str()),
    ] {
        let text = refusal.to_string();
        assert!(text.starts_with("mode_override is not sent: ") && text.contains(why), "{text}");
        let source = refusal.source().map(ToString::to_string);
        let is_invalid = matches!(refusal, OverrideRefusal::Invalid(_));
        assert_eq!(source, is_invalid.then(|| told.clone()), "{text}");
    }
}

#[test]
fn a_disagreement_says_which_mode_counts() {
    let stated = ProcessingMode::both(DirectionMode::streamed());
    let announced = stated.announced(1, 2).expect("a mode");
    let texts: Vec<String> = announced.disagreements().map(|each| each.to_string()).collect();
    let expected = "response_body_mode is announced as BUFFERED and stated as STREAMED; the \
                    announced one counts";
    assert_eq!(texts, [expected]);
}

#[test]
fn a_filter_that_cannot_run_is_told_with_the_mode_it_met() {
    let mode = DirectionMode::streamed().with_headers(SendMode::Skip);
    let wants_head = Declaration::new().interest(Interest::HEAD);
    let unmet = Terms::new(mode).grant(RESPONSE, [("auth", &wants_head)]).expect_err("SKIP");
    assert_eq!((unmet.filter(), unmet.direction(), unmet.need()), ("auth", RESPONSE, Need::Head));
    assert_eq!(unmet.mode(), mode);
}
