//! Group A: what is shown of messages of each shape, and that it passes.

use http::Method;

use super::harness::client::{Call, Http};
use super::harness::origin::{Answers, Plan};
use super::harness::pattern::{Content, Source};
use super::harness::received::Reads;
use super::harness::rig::rig;
use super::harness::sending::Sending;

const BODY_MODES: [&str; 4] = ["STREAMED", "BUFFERED", "BUFFERED_PARTIAL", "FULL_DUPLEX_STREAMED"];

fn look(mode: &str) -> String {
    format!("look_{mode}")
}

/// A response with a body of `bytes`.
fn sends(bytes: u64) -> Plan {
    Plan::sends(Sending::new(Source::Origin, bytes))
}

/// Scenario 1 `[noop_get]`.
#[test]
fn s01_a_get_in_none_is_two_heads_and_two_answers() {
    rig().run(async {
        for http in Http::BOTH {
            let call = Call::get(http).via(http);
            let mut case = rig().case(&look("NONE"), call, sends(1000)).await;
            case.assert_response(200, &Content::new(Source::Origin, 1000));
            assert_eq!(case.seen().await.head.method, Method::GET);
            let said = case.said();
            assert_eq!(said.announced(), (0, 0));
            assert_eq!(said.shown('Q'), ["H(e=1)"]);
            assert_eq!(said.shown('P'), ["H(e=0)"]);
            assert_eq!(said.replies_in_short(), ["S Q.Hr", "S P.Hr"]);
        }
    });
}

/// Scenarios 2 and 3 `[buf_get_nobody, str_get, fds_get, buf_cl0]`.
#[test]
fn s02_s03_a_request_without_body_is_one_head_in_every_mode() {
    rig().run(async {
        for (mode, http) in each(&BODY_MODES) {
            let empty = Call::post(http, Sending::new(Source::Client, 0).with_length());
            for call in [Call::get(http), empty] {
                let call = call.via(http);
                let mut case = rig().case(&look(mode), call, sends(70_000)).await;
                case.assert_response(200, &Content::new(Source::Origin, 70_000));
                case.assert_request(&Content::new(Source::Client, 0)).await;
                let said = case.said();
                assert_eq!(said.shown('Q'), ["H(e=1)"], "{case}");
                assert_eq!(said.shown('P'), ["H(e=0)", "B(70000,1)"], "{case}");
            }
        }
    });
}

/// Scenario 4 `[buf_empty_chunked, str_empty_chunked, fds_empty_chunked]`, P30.
#[test]
fn s04_an_empty_body_without_length_is_one_empty_message_that_is_answered() {
    rig().run(async {
        for (mode, http) in each(&BODY_MODES) {
            let call = Call::post(http, Sending::new(Source::Client, 0)).via(http);
            let mut case = rig().case(&look(mode), call, sends(0)).await;
            case.assert_response(200, &Content::new(Source::Origin, 0));
            case.assert_request(&Content::new(Source::Client, 0)).await;
            let said = case.said();
            assert_eq!(said.shown('Q'), ["H(e=0)", "B(0,1)"], "{case}");
            assert_eq!(said.shown('P'), ["H(e=0)", "B(0,1)"], "{case}");
            let replies = said.replies_in_short();
            let bodies = replies.iter().filter(|line| line.contains(".Br")).count();
            assert_eq!(bodies, 2, "{case}: {replies:?}");
        }
    });
}

/// Scenario 5 `[head, r204]`.
#[test]
fn s05_a_response_without_body_by_definition_is_one_head() {
    rig().run(async {
        for (mode, http) in each(&BODY_MODES) {
            let head = Call::get(http).method(Method::HEAD);
            let length = Plan::default().header("content-length", "1234");
            for (call, plan, status) in
                [(head, length, 200), (Call::get(http), Plan::default().status(204), 204)]
            {
                let case = rig().case(&look(mode), call.via(http), plan).await;
                case.assert_response(status, &Content::new(Source::Origin, 0));
                assert_eq!(case.said().shown('P'), ["H(e=1)"], "{case}");
            }
        }
    });
}

/// Scenario 8: the first message, and no other, says the modes.
#[test]
fn s08_the_first_message_announces_the_modes() {
    rig().run(async {
        let modes = ["NONE", "STREAMED", "BUFFERED", "BUFFERED_PARTIAL", "FULL_DUPLEX_STREAMED"];
        for (number, mode) in (0..).zip(modes) {
            for http in Http::BOTH {
                let call = Call::post(http, Sending::new(Source::Client, 10)).via(http);
                let case = rig().case(&look(mode), call, sends(10)).await;
                case.assert_status(200);
                assert_eq!(case.said().announced(), (number, number), "{case}");
            }
        }
    });
}

/// Scenario 10 `[route404]`, P28: the processor sees responses that Envoy makes.
#[test]
fn s10_a_request_without_a_route_shows_the_404() {
    rig().run(async {
        for (mode, http) in each(&BODY_MODES) {
            let call = Call::get(http).path("/nowhere");
            let case = rig().case(&look(mode), call, Plan::default()).await;
            case.assert_response(404, &Content::new(Source::Origin, 0));
            assert!(!case.reached_origin());
            let said = case.said();
            assert_eq!(said.shown('Q'), ["H(e=1)"], "{case}");
            assert_eq!(said.shown('P'), ["H(e=1)"], "{case}");
        }
    });
}

/// Scenario 11 `[up_dead]`.
#[test]
fn s11_an_upstream_that_refuses_shows_the_503_with_its_body() {
    rig().run(async {
        for (mode, http) in each(&BODY_MODES) {
            let call = Call::get(http).path("/refused");
            let case = rig().case(&look(mode), call, Plan::default()).await;
            case.assert_status(503);
            let body = case.answer.body().body();
            assert!(body.starts_with(b"upstream connect error"), "{case}");
            let shown = case.said().shown('P');
            assert_eq!(shown, ["H(e=0)", &format!("B({},1)", body.len())], "{case}");
        }
    });
}

/// Scenario 12 `[early_resp]`, and 62 `[bidi_early]`: the directions do not wait for each other.
#[test]
fn s12_s62_a_response_passes_before_its_request_has_ended() {
    rig().run(async {
        for (mode, http) in each(&["NONE", "STREAMED", "FULL_DUPLEX_STREAMED"]) {
            let up = Sending::new(Source::Client, 100).chunks(&[100]).then_is_silent();
            let call = Call::post(http, up).via(http);
            let plan = sends(50_000).answers(Answers::AtOnce).reads(Reads::Some(100));
            let case = rig().case(&look(mode), call, plan).await;
            case.assert_response(200, &Content::new(Source::Origin, 50_000));
            let shown = case.said().shown('P');
            let body = if mode == "NONE" { None } else { Some("B(50000,1)") };
            assert_eq!(shown, [Some("H(e=0)"), body].into_iter().flatten().collect::<Vec<_>>());
        }
    });
}

/// Every mode with every protocol.
fn each<'a>(modes: &'a [&'a str]) -> impl Iterator<Item = (&'a str, Http)> {
    modes.iter().flat_map(|&mode| Http::BOTH.map(|http| (mode, http)))
}
