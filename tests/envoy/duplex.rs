//! Group E: pieces come, and others go.

use std::time::Duration;

use super::harness::client::{Call, Http};
use super::harness::origin::Plan;
use super::harness::pattern::{client, origin};
use super::harness::received::{End, Reads};
use super::harness::rig::rig;
use super::harness::sending::{Sending, down, up};
use super::served::actor::REPLACEMENT;

/// Scenario 44 `[fds_echo, big_req_6mb_fds]`.
#[test]
fn s44_a_body_of_6_mb_passes_and_ends_with_its_end() {
    rig().run(async {
        for http in Http::BOTH {
            for (bytes, listener) in [(0, "look"), (60, "look"), (6_000_000, "look_quiet")] {
                let call = Call::post(http, up(bytes)).via(http).expects(origin(bytes));
                let plan = Plan::sends(down(bytes)).expects(client(bytes));
                let listener = format!("{listener}_FULL_DUPLEX_STREAMED");
                let mut case = rig().case(&listener, call, plan).await;
                case.assert_response(200, &origin(bytes));
                case.assert_request(&client(bytes)).await;
            }
        }
    });
}

/// Scenario 45 `[bufall_fds_trailers]`, P5: the head waits for the whole body, which ends in
/// trailers or without.
#[test]
fn s45_the_head_is_answered_when_the_whole_body_is_there() {
    rig().run(async {
        for http in Http::BOTH {
            for trailers in [false, true] {
                let (mut sends, mut answers) = (up(300_000), down(200_000));
                if trailers {
                    sends = sends.with_trailers("up");
                    answers = answers.with_trailers("down");
                }
                let call = Call::post(http, sends).via(http);
                let listener = "measure_FULL_DUPLEX_STREAMED";
                let mut case = rig().case(listener, call, Plan::sends(answers)).await;
                case.assert_response(200, &origin(200_000));
                assert_eq!(case.answer.header("x-measured"), Some("200000"), "{case}");
                let seen = case.assert_request(&client(300_000)).await;
                assert_eq!(seen.header("x-measured"), Some("300000"), "{case}");
                assert_eq!(seen.body.trailer("x-sum"), trailers.then_some("up"), "{case}");
                let came = case.answer.body().trailer("x-sum");
                assert_eq!(came, trailers.then_some("down"), "{case}");
            }
        }
    });
}

/// Scenario 46 `[fds_trailers]`: trailers are the end.
#[test]
fn s46_trailers_are_answered_behind_the_body_and_can_be_changed() {
    rig().run(async {
        for http in Http::BOTH {
            let call = Call::post(http, up(70_000).with_trailers("up")).via(http);
            let plan = Plan::sends(down(80_000).with_trailers("down"));
            let mut case = rig().case("trailers_FULL_DUPLEX_STREAMED", call, plan).await;
            case.assert_response(200, &origin(80_000));
            let seen = case.assert_request(&client(70_000)).await;
            for body in [&seen.body, case.answer.body()] {
                assert_eq!(body.trailer("x-set"), Some("new"), "{case}");
                assert_eq!(body.trailer("x-more"), Some("1"), "{case}");
            }
            let said = case.said();
            assert_eq!(said.shown('Q').last().map(String::as_str), Some("T"), "{:?}", said.lines);
            let ends =
                said.lines.iter().filter(|line| line.contains("SR(") && line.contains(",1)"));
            assert_eq!(ends.count(), 0, "{:?}", said.lines);
        }
    });
}

/// Scenario 47 `[fds_1byte]`: one byte a chunk, kept to the end.
#[test]
fn s47_a_body_in_bytes_may_go_out_in_one_piece() {
    rig().run(async {
        for http in Http::BOTH {
            let bytes = |body: Sending| body.chunks(&[1]).pace(Duration::from_millis(2));
            let call = Call::post(http, bytes(up(50))).via(http);
            let plan = Plan::sends(bytes(down(40)));
            let mut case = rig().case("gather_FULL_DUPLEX_STREAMED", call, plan).await;
            case.assert_response(200, &origin(40));
            case.assert_request(&client(50)).await;
            let replies = case.said().replies_in_short();
            let bodies: Vec<_> = replies.iter().filter(|line| line.contains(".Br")).collect();
            assert_eq!(bodies, ["S Q.Br+SR(50,1)", "S P.Br+SR(40,1)"], "{case}");
        }
    });
}

/// Section 10, `[split, merge, append, grow_body, replace_body, drop_*]`.
#[test]
fn bodies_may_grow_shrink_and_go() {
    rig().run(async {
        for http in Http::BOTH {
            for trailers in [false, true] {
                let ends = |body: Sending| if trailers { body.with_trailers("t") } else { body };
                let call = Call::post(http, ends(up(300_000))).via(http);
                let plan = Plan::sends(ends(down(200_000)));
                let mut case =
                    rig().case("double_FULL_DUPLEX_STREAMED", call.clone(), plan.clone()).await;
                case.assert_response(200, &origin(200_000).doubled());
                case.assert_request(&client(300_000).doubled()).await;
                for (listener, text) in [("replace", REPLACEMENT), ("clear", "")] {
                    let listener = format!("{listener}_FULL_DUPLEX_STREAMED");
                    let mut case = rig().case(&listener, call.clone(), plan.clone()).await;
                    case.assert_status(200);
                    assert_eq!(case.answer.body().body(), text.as_bytes(), "{case}");
                    let seen = case.seen().await;
                    assert_eq!(seen.body.body(), text.as_bytes(), "{case}");
                    assert_eq!(seen.body.end, End::Complete, "{case}");
                    assert_eq!(seen.body.trailer("x-sum"), trailers.then_some("t"), "{case}");
                }
            }
        }
    });
}

/// Scenario 53 `[fds_early_eos]`: a filter ends the request; what the client sends behind that is
/// thrown away.
#[test]
fn s53_a_filter_may_end_the_body_before_its_sender_does() {
    rig().run(async {
        for http in Http::BOTH {
            let chunks = up(300).chunks(&[100]).pace(Duration::from_millis(100));
            let call = Call::post(http, chunks).via(http);
            let plan = Plan::sends(down(5));
            let mut case = rig().case("end_q_FULL_DUPLEX_STREAMED", call, plan).await;
            case.assert_response(200, &origin(5));
            let seen = case.seen().await;
            assert_eq!(seen.body.body(), &client(300).to_vec()[..150], "{case}");
            assert_eq!(seen.body.end, End::Complete, "{case}");
        }
    });
}

/// Scenario 54 `[fds_never, fds_never_eos]`: Envoy's idle timeout ends what a filter holds for
/// good, and the processor is shown the answer that Envoy makes.
#[test]
fn s54_a_request_that_is_held_for_good_ends_with_envoys_idle_timeout() {
    rig().run(async {
        for http in Http::BOTH {
            let call = Call::post(http, up(100)).via(http);
            let case = rig().case("hold_q_FULL_DUPLEX_STREAMED", call, Plan::default()).await;
            case.assert_status(504);
            assert!(!case.reached_origin(), "{case}");
            let shown = case.said().shown('P');
            assert_eq!(shown.first().map(String::as_str), Some("H(e=0)"), "{shown:?}");
        }
    });
}

/// Scenario 63 `[cli_abort]`.
#[test]
fn s63_a_client_that_gives_up_ends_the_stream_and_the_upstream_request() {
    rig().run(async {
        for http in Http::BOTH {
            for mode in ["STREAMED", "FULL_DUPLEX_STREAMED"] {
                let chunks = up(300).chunks(&[100]).pace(Duration::from_millis(200));
                let call = Call::post(http, chunks.then_aborts()).via(http);
                let mut case = rig().case(&format!("look_{mode}"), call, Plan::default()).await;
                assert!(case.answer.broke_off(), "{case}");
                let seen = case.seen().await;
                assert!(matches!(seen.body.end, End::Failed(_)), "{case} {:?}", seen.body);
            }
        }
    });
}

/// Scenario 63, the other side: a client that stops reading and leaves.
#[test]
fn s63_a_client_that_leaves_amid_the_response_ends_the_stream() {
    rig().run(async {
        for http in Http::BOTH {
            let call = Call::get(http).via(http).reads(Reads::Some(100_000));
            let chunks = down(300_000).chunks(&[50_000]).pace(Duration::from_millis(20));
            let listener = "look_FULL_DUPLEX_STREAMED";
            let case = rig().case(listener, call, Plan::sends(chunks)).await;
            case.assert_status(200);
            assert_eq!(case.answer.body().end, End::Left, "{case}");
            super::served::serve::wait_until_idle("look_FULL_DUPLEX_STREAMED").await;
        }
    });
}

/// Scenario 58 `[pr_fds_notr]`: full duplex on a route, by our constructor, with trailers.
#[test]
fn s58_full_duplex_by_a_route_carries_trailers_behind_the_body() {
    rig().run(async {
        for http in Http::BOTH {
            let paced = |body: Sending| body.chunks(&[10_000]).pace(Duration::from_millis(30));
            let call = Call::post(http, paced(up(30_000)).with_trailers("up")).via(http);
            let plan = Plan::sends(paced(down(30_000)).with_trailers("down"));
            let mut case = rig().case("route_FULL_DUPLEX_STREAMED", call, plan).await;
            case.assert_response(200, &origin(30_000));
            let seen = case.assert_request(&client(30_000)).await;
            assert_eq!(seen.body.trailer("x-sum"), Some("up"), "{case}");
            assert_eq!(case.answer.body().trailer("x-sum"), Some("down"), "{case}");
            assert_eq!(case.said().announced(), (4, 4), "{case}");
        }
    });
}
