//! Group F: filters that answer themselves, at every point of a message.

use std::time::Duration;

use http::Method;

use super::harness::case::Case;
use super::harness::client::{Call, Http};
use super::harness::origin::{Answers, Plan};
use super::harness::pattern::{client, origin};
use super::harness::received::End;
use super::harness::rig::rig;
use super::harness::sending::{down, up};
use super::served::actor::{DENIED, REPLACEMENT};

const MODES: [&str; 5] =
    ["NONE", "STREAMED", "BUFFERED", "BUFFERED_PARTIAL", "FULL_DUPLEX_STREAMED"];

/// The client has what the filter replied.
fn assert_denied(case: &Case<'_>) {
    case.assert_status(403);
    assert_eq!(case.answer.body().body(), DENIED.as_bytes(), "{case}");
    assert_eq!(case.answer.body().end, End::Complete, "{case}");
    assert_eq!(case.answer.header("x-denied-by"), Some("a filter"), "{case}");
}

/// The response has begun with the origin's head, or nothing of it has come, and broke off.
fn assert_cut(case: &Case<'_>) {
    assert!(matches!(case.answer.status(), None | Some(200)), "{case}");
    assert!(case.answer.broke_off(), "{case}");
}

/// Scenario 64 `[ir_reqhdr]`.
#[test]
fn s64_a_reply_at_the_head_is_all_that_happens() {
    rig().run(async {
        for http in Http::BOTH {
            for mode in MODES {
                for call in [Call::get(http), Call::post(http, up(3000))] {
                    let listener = format!("reply_q_head_{mode}");
                    let case = rig().case(&listener, call.via(http), Plan::default()).await;
                    assert_denied(&case);
                    assert!(!case.reached_origin(), "{case}");
                    let said = case.said();
                    assert_eq!(said.replies_in_short(), ["S immediate 403"], "{case}");
                }
            }
        }
    });
}

/// Scenario 65 `[ir_reqbody_buf]`: the head was not let go.
#[test]
fn s65_a_reply_to_a_body_that_is_held_keeps_the_request_from_the_upstream() {
    rig().run(async {
        for http in Http::BOTH {
            for mode in ["BUFFERED", "BUFFERED_PARTIAL"] {
                for at in ["first", "end"] {
                    if (mode, at) == ("BUFFERED_PARTIAL", "end") {
                        // The end is not shown for sure.
                        continue;
                    }
                    let call = Call::post(http, up(3000)).via(http);
                    let listener = format!("reply_q_{at}_{mode}");
                    let case = rig().case(&listener, call, Plan::default()).await;
                    assert_denied(&case);
                    assert!(!case.reached_origin(), "{case}");
                }
            }
        }
    });
}

/// Scenario 65 `[ir_reqbody_str_fwd, ir_reqbody_fds]`: the client has the reply, the upstream sees
/// that the request broke off.
#[test]
fn s65_a_reply_amid_a_body_that_is_passed_on_aborts_the_upstream_request() {
    rig().run(async {
        for http in Http::BOTH {
            for mode in ["STREAMED", "FULL_DUPLEX_STREAMED"] {
                for at in ["mid", "end"] {
                    let chunks = up(300_000).chunks(&[50_000]).pace(Duration::from_millis(20));
                    let call = Call::post(http, chunks).via(http);
                    let listener = format!("reply_q_{at}_{mode}");
                    let mut case = rig().case(&listener, call, Plan::default()).await;
                    assert_denied(&case);
                    // A reply that is fast enough is there before the upstream is.
                    if !case.reached_origin_so_far() {
                        continue;
                    }
                    let seen = case.seen().await;
                    assert!(matches!(seen.body.end, End::Failed(_)), "{case} {:?}", seen.body);
                    // The end may come behind all bytes, in a message of its own.
                    assert!(at == "end" || seen.body.bytes < 300_000, "{case} {:?}", seen.body);
                }
            }
        }
    });
}

/// Scenario 66 `[ir_resphdr]`.
#[test]
fn s66_a_reply_at_the_response_head_takes_its_place() {
    rig().run(async {
        for http in Http::BOTH {
            for mode in MODES {
                for bytes in [0, 100_000] {
                    let plan = Plan::sends(down(bytes));
                    let call = Call::post(http, up(10)).via(http);
                    let listener = format!("reply_p_head_{mode}");
                    let mut case = rig().case(&listener, call, plan).await;
                    assert_denied(&case);
                    case.assert_request(&client(10)).await;
                }
            }
        }
    });
}

/// Scenario 66, `[ir_respbody_buf]` (26): the head was not let go.
#[test]
fn s26_s66_a_reply_to_a_response_body_that_is_held_takes_its_place() {
    rig().run(async {
        for http in Http::BOTH {
            for listener in [
                "reply_p_first_BUFFERED",
                "reply_p_end_BUFFERED",
                "reply_p_first_BUFFERED_PARTIAL",
                "reply_held_p_FULL_DUPLEX_STREAMED",
            ] {
                let plan = Plan::sends(down(100_000));
                let call = Call::get(http).via(http);
                let case = rig().case(listener, call, plan).await;
                assert_denied(&case);
            }
        }
    });
}

/// Scenario 66 `[ir_respbody_str_first/_sent]`, P8: the head is with the client. The response
/// breaks off; it is not complete and short.
#[test]
fn s66_a_reply_behind_the_response_head_breaks_the_response_off() {
    rig().run(async {
        for http in Http::BOTH {
            for mode in ["STREAMED", "FULL_DUPLEX_STREAMED"] {
                for at in ["first", "mid", "end"] {
                    let chunks = down(300_000).chunks(&[50_000]).pace(Duration::from_millis(20));
                    let call = Call::get(http).via(http);
                    let listener = format!("reply_p_{at}_{mode}");
                    let case = rig().case(&listener, call, Plan::sends(chunks)).await;
                    assert_cut(&case);
                    // Its end may come behind all its bytes.
                    assert!(at == "end" || case.answer.bytes() < 300_000, "{case}");
                }
            }
        }
    });
}

/// Scenario 67 `[ir_disabled, ir_disabled_fo]`.
#[test]
fn s67_a_reply_that_envoy_does_not_take_fails_the_request_or_is_passed_over() {
    rig().run(async {
        for http in Http::BOTH {
            let call = Call::post(http, up(100)).via(http);
            let case = rig().case("no_replies", call.clone(), Plan::default()).await;
            case.assert_status(500);
            assert!(!case.reached_origin(), "{case}");
            let mut case = rig().case("no_replies_open", call, Plan::sends(down(5))).await;
            case.assert_response(200, &origin(5));
            case.assert_request(&client(100)).await;
        }
    });
}

/// A reply while the response is under way: the request's reply comes too late (P8).
#[test]
fn a_reply_to_the_request_behind_the_response_head_breaks_the_response_off() {
    rig().run(async {
        for http in Http::BOTH {
            for mode in ["STREAMED", "FULL_DUPLEX_STREAMED"] {
                let chunks = up(300_000).chunks(&[50_000]).pace(Duration::from_millis(50));
                let answer = down(300_000).chunks(&[20_000]).pace(Duration::from_millis(40));
                let call = Call::post(http, chunks).via(http);
                let plan = Plan::sends(answer).answers(Answers::AtOnce);
                let case = rig().case(&format!("reply_q_end_{mode}"), call, plan).await;
                assert_cut(&case);
            }
        }
    });
}

/// Scenario 71 `[car_get_to_post]`.
#[test]
fn s71_a_get_becomes_a_post_with_a_body() {
    rig().run(async {
        for http in Http::BOTH {
            for mode in ["STREAMED", "BUFFERED", "FULL_DUPLEX_STREAMED"] {
                let call = Call::get(http).via(http);
                let listener = format!("add_body_q_{mode}");
                let mut case = rig().case(&listener, call, Plan::sends(down(9))).await;
                case.assert_response(200, &origin(9));
                let seen = case.seen().await;
                assert_eq!(seen.head.method, Method::POST, "{case}");
                assert_eq!(seen.body.body(), REPLACEMENT.as_bytes(), "{case}");
                let replies = case.said().replies_in_short();
                assert!(replies[0].ends_with("+replace"), "{replies:?}");
            }
        }
    });
}

/// Scenario 71 `[car_resp]`.
#[test]
fn s71_a_response_without_body_gets_one() {
    rig().run(async {
        for http in Http::BOTH {
            for mode in ["STREAMED", "BUFFERED", "FULL_DUPLEX_STREAMED"] {
                let call = Call::get(http).via(http);
                let listener = format!("add_body_p_{mode}");
                let case = rig().case(&listener, call, Plan::default()).await;
                case.assert_status(200);
                assert_eq!(case.answer.body().body(), REPLACEMENT.as_bytes(), "{case}");
                assert_eq!(case.answer.body().end, End::Complete, "{case}");
            }
        }
    });
}
