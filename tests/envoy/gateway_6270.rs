//! The story of Envoy Gateway 1.4.1 (its issue 6270): full duplex without trailers.
//!
//! The body mode of a policy was FULL_DUPLEX_STREAMED, and its trailer mode was left out. In the
//! main configuration Envoy refuses that; in an override of a route, and in a `mode_override`, it
//! does not, and then loses bodies in silence.

use std::time::Duration;

use tidegate::ext_proc::mode::{
    AllowedMode, DirectionMode, FilterConfig, ModeOverride, ProcessingMode, SendMode,
};

use super::harness::client::{Call, Http};
use super::harness::configuration::Configuration;
use super::harness::envoy::validate;
use super::harness::origin::Plan;
use super::harness::pattern::Source;
use super::harness::raw::{RawProcessor, Wire};
use super::harness::received::End;
use super::harness::rig::{Moment, rig};
use super::harness::sending::Sending;
use super::messages::{self, RequestPart};
use super::raw_echo::{answer, filter_of};

/// What Envoy 1.40.0 says where the trailers of a full duplex direction are not sent.
fn refusal(direction: &str) -> String {
    format!(
        "If the ext_proc filter has the {direction}_body_mode set to FULL_DUPLEX_STREAMED, then \
         the {direction}_trailer_mode has to be set to SEND"
    )
}

const ROUTE: &str = "\
\"@type\": type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExtProcPerRoute
overrides:
  processing_mode:
    request_body_mode: FULL_DUPLEX_STREAMED
    response_body_mode: FULL_DUPLEX_STREAMED
";

pub(crate) fn configurations() -> Vec<Configuration> {
    let plain = |processor| filter_of(processor, "{}");
    vec![
        Configuration::new("route_slow", &plain("late")).with_route(ROUTE),
        Configuration::new("route_end", &plain("at_the_end")).with_route(ROUTE),
        Configuration::new(
            "override_slow",
            &(filter_of("overrides_late", "{}") + "allow_mode_override: true\n"),
        ),
    ]
}

pub(crate) fn processors() -> Vec<RawProcessor> {
    vec![
        RawProcessor { name: "late", script: |wire| Box::pin(slow(wire, None)) },
        RawProcessor {
            name: "overrides_late",
            script: |wire| Box::pin(slow(wire, Some(DUPLEX_WITHOUT_TRAILERS))),
        },
        RawProcessor { name: "at_the_end", script: |wire| Box::pin(at_the_end(wire)) },
    ]
}

/// Both bodies full duplex; the other fields are left to Envoy.
const DUPLEX_WITHOUT_TRAILERS: messages::ProcessingMode = messages::ProcessingMode {
    request_header_mode: 0,
    response_header_mode: 0,
    request_body_mode: 4,
    response_body_mode: 4,
    request_trailer_mode: 0,
    response_trailer_mode: 0,
};

/// Answers each message, but body only when the message has arrived at its receiver, which it does
/// without its body; overrides with the first answer.
async fn slow(mut wire: Wire, mode_override: Option<messages::ProcessingMode>) -> u16 {
    while let Some(message) = wire.next().await {
        let case = wire.case().expect("the head names its case");
        match &message.request {
            Some(RequestPart::RequestBody(_)) => rig().wait_for(case, Moment::RequestEnded).await,
            Some(RequestPart::ResponseBody(_)) => rig().wait_for(case, Moment::Answered).await,
            _ => {}
        }
        let head = matches!(message.request, Some(RequestPart::RequestHeaders(_)));
        if let Some(mut reply) = answer(message, [4, 4]) {
            reply.mode_override = mode_override.filter(|_| head);
            wire.send(reply);
        }
    }
    0
}

/// Answers nothing of a direction before it has seen its end, as a server does that decides by the
/// whole body.
async fn at_the_end(mut wire: Wire) -> u16 {
    let mut held = Vec::new();
    while let Some(message) = wire.next().await {
        let ends = match &message.request {
            Some(RequestPart::RequestHeaders(it) | RequestPart::ResponseHeaders(it)) => {
                it.end_of_stream
            }
            Some(RequestPart::RequestBody(it) | RequestPart::ResponseBody(it)) => it.end_of_stream,
            Some(RequestPart::RequestTrailers(_) | RequestPart::ResponseTrailers(_)) => true,
            None => false,
        };
        held.push(message);
        if ends {
            for reply in held.drain(..).filter_map(|message| answer(message, [4, 4])) {
                wire.send(reply);
            }
        }
    }
    0
}

#[test]
fn envoy_refuses_full_duplex_without_trailers_in_the_main_configuration() {
    for direction in ["request", "response"] {
        for trailers in ["", "SKIP", "DEFAULT"] {
            let mut mode = format!("{direction}_body_mode: FULL_DUPLEX_STREAMED");
            if !trailers.is_empty() {
                mode += &format!(", {direction}_trailer_mode: {trailers}");
            }
            let listener =
                Configuration::new("main", &filter_of("nobody", &format!("{{ {mode} }}")));
            let bootstrap = super::harness::configuration::bootstrap_alone(&listener);
            let said = validate(&format!("{direction}-{trailers}"), &bootstrap);
            let said = said.expect_err("Envoy takes it");
            assert!(said.contains(&refusal(direction)), "{mode}: {said}");
        }
    }
}

#[test]
fn full_duplex_by_our_constructor_is_taken_by_envoy() {
    let duplex = DirectionMode::full_duplex();
    let off = DirectionMode::OFF;
    for (name, mode) in [
        ("both", ProcessingMode::both(duplex)),
        ("request", ProcessingMode::new(duplex, off)),
        ("response", ProcessingMode::new(off, duplex)),
    ] {
        let config = FilterConfig::new(mode);
        config.validate().expect("a configuration");
        let listener = Configuration::of_entry("main", config.to_yaml("nobody"));
        let bootstrap = super::harness::configuration::bootstrap_alone(&listener);
        validate(&format!("ours-{name}"), &bootstrap).expect("Envoy takes it");
    }
}

/// What Envoy takes from a route and from a `mode_override`, beside it in this file, and loses
/// bodies by.
#[test]
fn full_duplex_without_trailers_cannot_be_said_on_any_path() {
    let duplex = DirectionMode::full_duplex();
    let error = duplex.with_trailers(SendMode::Skip).expect_err("a contradiction").to_string();
    assert!(error.contains("request_trailer_mode") && error.contains("set it to SEND"), "{error}");
    // Text of a route, and an entry of `allowed_override_modes`, by their numbers.
    for numbers in [[0, 0, 4, 0, 0, 0], [1, 1, 0, 4, 1, 2], [1, 1, 4, 4, 2, 1]] {
        ProcessingMode::from_numbers(numbers).expect_err("a contradiction");
        AllowedMode::from_numbers(numbers).expect_err("a contradiction");
    }
    // What is announced where the embedder states that trailers are skipped.
    let skips = DirectionMode::streamed().with_trailers(SendMode::Skip).expect("not duplex");
    let stated = ProcessingMode::both(skips);
    let error = stated.announced(4, 1).expect_err("a contradiction").to_string();
    assert!(error.contains("request_trailer_mode to SEND"), "{error}");
    // An override brings its trailers with it.
    let wanted = ModeOverride::new(stated).request(duplex);
    assert_eq!(wanted.numbers(), [1, 1, 4, 1, 1, 2]);
}

/// A request and a response, both with a body of 30,000 bytes in pieces and with trailers, through
/// `listener`: how many bytes of them arrive, under a status of 200 and with all trailers.
async fn arrive(listener: &str, http: Http) -> (u64, u64) {
    let paced =
        |source| Sending::new(source, 30_000).chunks(&[10_000]).pace(Duration::from_millis(150));
    let call = Call::post(http, paced(Source::Client).with_trailers("up"));
    let plan = Plan::sends(paced(Source::Origin).with_trailers("down"));
    let mut case = rig().case(listener, call.via(http), plan).await;
    case.assert_status(200);
    assert!(!case.answer.broke_off(), "{case}");
    let seen = case.seen().await;
    assert_eq!(seen.body.end, End::Complete, "{case}");
    assert_eq!(seen.body.trailer("x-sum"), Some("up"), "{case}");
    assert_eq!(case.answer.body().trailer("x-sum"), Some("down"), "{case}");
    (seen.body.bytes, case.answer.body().bytes)
}

/// P1: nothing says to the client or to the origin that the other's body is missing.
#[test]
fn trailers_overtake_a_slow_body_where_a_route_switches_full_duplex_on_without_them() {
    rig().run(async {
        for http in Http::BOTH {
            assert_eq!(arrive("route_slow", http).await, (0, 0), "{http:?}");
        }
    });
}

/// P1, P5, scenario 58 `[pr_fds_notr_bufall]`.
#[test]
fn a_server_that_waits_for_the_end_is_passed_by_where_trailers_are_not_sent() {
    rig().run(async {
        for http in Http::BOTH {
            assert_eq!(arrive("route_end", http).await, (0, 0), "{http:?}");
        }
    });
}

/// P1, scenario 77 `[mo_none_to_fds_notr_tr]`.
#[test]
fn trailers_overtake_a_slow_body_where_a_mode_override_forgets_them() {
    rig().run(async {
        for http in Http::BOTH {
            assert_eq!(arrive("override_slow", http).await, (0, 0), "{http:?}");
        }
    });
}
