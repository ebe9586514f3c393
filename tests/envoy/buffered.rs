//! Groups B and C: the body comes whole, or up to a limit.

use std::time::Duration;

use super::harness::client::{Call, Http};
use super::harness::origin::Plan;
use super::harness::pattern::{client, origin};
use super::harness::rig::rig;
use super::harness::sending::{down, up};
use super::served::actor::REPLACEMENT;

const MIB: u64 = 1 << 20;

/// Scenario 13 `[buf_post_cl]`.
#[test]
fn s13_a_length_is_kept_where_nothing_is_changed() {
    rig().run(async {
        for http in Http::BOTH {
            let call = Call::post(http, up(30).with_length()).via(http);
            let plan = Plan::sends(down(40).with_length());
            let mut case = rig().case("look_BUFFERED", call, plan).await;
            case.assert_response(200, &origin(40));
            assert_eq!(case.answer.header("content-length"), Some("40"), "{case}");
            let seen = case.assert_request(&client(30)).await;
            assert_eq!(seen.header("content-length"), Some("30"), "{case}");
            let said = case.said();
            assert_eq!(said.shown('Q'), ["H(e=0)", "B(30,1)"], "{case}");
            assert_eq!(said.replies_in_short(), ["S Q.Hr", "S Q.Br", "S P.Hr", "S P.Br"], "{case}");
        }
    });
}

/// Scenario 14 `[buf_post]`.
#[test]
fn s14_a_body_in_chunks_is_one_message() {
    rig().run(async {
        for http in Http::BOTH {
            let chunks = up(30).chunks(&[10]).pace(Duration::from_millis(10));
            let call = Call::post(http, chunks).via(http);
            let mut case = rig().case("look_BUFFERED", call, Plan::sends(down(7))).await;
            case.assert_response(200, &origin(7));
            case.assert_request(&client(30)).await;
            let said = case.said();
            assert_eq!(said.shown('Q'), ["H(e=0)", "B(30,1)"]);
            assert_eq!((said.body_messages('Q'), said.body_messages('P')), (1, 1));
        }
    });
}

/// Scenarios 15, 16 and 17 `[buf_mut_badcl, buf_mut_fixcl_in_body, buf_clear_cl]`, P12: the server
/// says the new length, so that Envoy has nothing to refuse.
#[test]
fn s15_s16_s17_a_changed_body_goes_with_its_new_length() {
    rig().run(async {
        for http in Http::BOTH {
            for (listener, text) in [("replace_BUFFERED", REPLACEMENT), ("clear_BUFFERED", "")] {
                let call = Call::post(http, up(30).with_length()).via(http);
                let plan = Plan::sends(down(50).with_length());
                let mut case = rig().case(listener, call, plan).await;
                case.assert_status(200);
                assert_eq!(case.answer.body().body(), text.as_bytes(), "{case}");
                let length = text.len().to_string();
                assert_eq!(case.answer.header("content-length"), Some(&*length), "{case}");
                let seen = case.seen().await;
                assert_eq!(seen.body.body(), text.as_bytes(), "{case}");
                assert_eq!(seen.header("content-length"), Some(&*length), "{case}");
            }
        }
    });
}

/// Scenario 18 `[buf_trailers]`.
#[test]
fn s18_trailers_behind_a_whole_body_are_shown_and_can_be_changed() {
    rig().run(async {
        for http in Http::BOTH {
            let call = Call::post(http, up(10).with_trailers("up")).via(http);
            let plan = Plan::sends(down(20).with_trailers("down"));
            let mut case = rig().case("trailers_BUFFERED", call, plan).await;
            case.assert_response(200, &origin(20));
            let seen = case.assert_request(&client(10)).await;
            for body in [&seen.body, case.answer.body()] {
                assert_eq!(body.trailer("x-set"), Some("new"), "{case}");
                assert_eq!(body.trailer("x-more"), Some("1"), "{case}");
            }
            let said = case.said();
            assert_eq!(said.shown('Q'), ["H(e=0)", "B(10,0)", "T"], "{case}");
            assert_eq!(said.shown('P'), ["H(e=0)", "B(20,0)", "T"], "{case}");
        }
    });
}

/// Scenario 19 `[buf_trailers_skip]`.
#[test]
fn s19_trailers_that_are_skipped_pass_by() {
    rig().run(async {
        for http in Http::BOTH {
            let call = Call::post(http, up(10).with_trailers("up")).via(http);
            let plan = Plan::sends(down(20).with_trailers("down"));
            let mut case = rig().case("skip_trailers_BUFFERED", call, plan).await;
            case.assert_response(200, &origin(20).flipped());
            let seen = case.assert_request(&client(10).flipped()).await;
            assert_eq!(seen.body.trailer("x-sum"), Some("up"), "{case}");
            assert_eq!(case.answer.body().trailer("x-sum"), Some("down"), "{case}");
            let said = case.said();
            assert_eq!(said.shown('Q'), ["H(e=0)", "B(10,0)"], "{case}");
            assert_eq!(said.shown('P'), ["H(e=0)", "B(20,0)"], "{case}");
        }
    });
}

/// Scenario 20 `[buf_over_limit]`: with Envoy's defaults. The processor sees the 413.
#[test]
fn s20_a_request_over_the_default_limit_is_answered_413() {
    rig().run(async {
        for (http, bytes) in [(Http::One, 2 * MIB), (Http::Two, 20 * MIB)] {
            let call = Call::post(http, up(bytes)).via(http);
            let case = rig().case("look_BUFFERED", call, Plan::default()).await;
            case.assert_status(413);
            assert!(!case.reached_origin(), "{case}");
            let said = case.said();
            assert_eq!(said.shown('Q'), ["H(e=0)"], "{case}");
            assert_eq!(said.shown('P').first().map(String::as_str), Some("H(e=0)"), "{case}");
        }
    });
}

/// Scenario 20, the other direction.
#[test]
fn s20_a_response_over_the_default_limit_is_a_500() {
    rig().run(async {
        for (http, bytes) in [(Http::One, 2 * MIB), (Http::Two, 20 * MIB)] {
            let call = Call::get(http).via(http);
            let case = rig().case("look_BUFFERED", call, Plan::sends(down(bytes))).await;
            case.assert_status(500);
        }
    });
}

/// Scenario 21 `[buf_mut_fixcl_in_body]`: the head waits for the body.
#[test]
fn s21_a_head_that_is_held_is_changed_by_what_the_body_says() {
    rig().run(async {
        for http in Http::BOTH {
            for trailers in [false, true] {
                let (mut sends, mut answers) = (up(300_000), down(200_000));
                if trailers {
                    sends = sends.with_trailers("up");
                    answers = answers.with_trailers("down");
                }
                let call = Call::post(http, sends).via(http);
                let mut case = rig().case("measure_BUFFERED", call, Plan::sends(answers)).await;
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

/// A body that is empty and ends in trailers has no message in any mode: what a filter makes of the
/// head goes with the answer to the head.
#[test]
fn a_head_before_trailers_alone_is_changed_in_every_mode() {
    rig().run(async {
        for http in Http::BOTH {
            for mode in ["STREAMED", "BUFFERED", "BUFFERED_PARTIAL", "FULL_DUPLEX_STREAMED"] {
                let call = Call::post(http, up(0).with_trailers("up")).via(http);
                let plan = Plan::sends(down(0).with_trailers("down"));
                let mut case = rig().case(&format!("edit_head_{mode}"), call, plan).await;
                case.assert_response(200, &origin(0));
                assert_eq!(case.answer.header("x-set"), Some("new"), "{case}");
                assert_eq!(case.answer.body().trailer("x-sum"), Some("down"), "{case}");
                let seen = case.assert_request(&client(0)).await;
                assert_eq!(seen.header("x-set"), Some("new"), "{case}");
                assert_eq!(seen.body.trailer("x-sum"), Some("up"), "{case}");
                let said = case.said();
                assert_eq!((said.shown('Q'), said.shown('P')), (shown(), shown()), "{case}");
            }
        }
    });

    fn shown() -> Vec<String> {
        ["H(e=0)", "T"].map(str::to_owned).to_vec()
    }
}

/// Scenario 23 `[big_req_6mb]`, P14: gRPC's usual limit of 4 MiB a message is not ours.
#[test]
fn s23_a_message_of_more_than_4_mib_is_taken() {
    rig().run(async {
        for http in Http::BOTH {
            let (sent, answered) = (client(6_000_000), origin(6_000_000));
            let call = Call::post(http, up(6_000_000)).via(http);
            let plan = Plan::sends(down(6_000_000)).expects(sent.flipped());
            let call = call.expects(answered.flipped());
            let mut case = rig().case("flip_BUFFERED_large", call, plan).await;
            case.assert_response(200, &answered.flipped());
            case.assert_request(&sent.flipped()).await;
        }
    });
}

/// Scenario 24 `[big_reply_6mb]`.
#[test]
fn s24_a_body_that_a_filter_makes_too_large_is_answered_413() {
    rig().run(async {
        let call = Call::post(Http::One, up(900_000)).via(Http::One);
        let case = rig().case("double_BUFFERED", call, Plan::default()).await;
        case.assert_status(413);
    });
}

/// Scenario 27 `[part_small]`.
#[test]
fn s27_a_small_body_is_whole_in_partial_mode() {
    rig().run(async {
        for http in Http::BOTH {
            let call = Call::post(http, up(100)).via(http);
            let plan = Plan::sends(down(100));
            let mut case = rig().case("flip_BUFFERED_PARTIAL", call, plan).await;
            case.assert_response(200, &origin(100).flipped());
            case.assert_request(&client(100).flipped()).await;
            assert_eq!(case.said().shown('Q'), ["H(e=0)", "B(100,1)"], "{case}");
        }
    });
}

/// Scenario 28 `[part_over_limit]`: what is over the limit passes by, behind the part that was
/// shown and changed.
#[test]
fn s28_what_is_over_the_limit_passes_by_unchanged() {
    rig().run(async {
        let call = Call::post(Http::One, up(100_000).with_length());
        let mut case = rig().case("flip_BUFFERED_PARTIAL_32k", call, Plan::sends(down(9))).await;
        case.assert_response(200, &origin(9).flipped());
        let seen = case.seen().await;
        let said = case.said();
        assert_eq!(said.body_messages('Q'), 1, "{:?}", said.lines);
        let shown = said.bytes_of('Q');
        assert!((32_768..100_000).contains(&shown), "{:?}", said.lines);
        let body = seen.body.body();
        assert_eq!(body.len(), 100_000, "{case}");
        assert!(body[..shown] == client(100_000).flipped().to_vec()[..shown], "{case}");
        assert!(body[shown..] == client(100_000).to_vec()[shown..], "{case}");
    });
}

/// Scenario 29 `[part_trailers]`.
#[test]
fn s29_trailers_are_shown_in_partial_mode() {
    rig().run(async {
        for http in Http::BOTH {
            let call = Call::post(http, up(10).with_trailers("up")).via(http);
            let plan = Plan::sends(down(20).with_trailers("down"));
            let mut case = rig().case("trailers_BUFFERED_PARTIAL", call, plan).await;
            case.assert_response(200, &origin(20));
            let seen = case.assert_request(&client(10)).await;
            assert_eq!(seen.body.trailer("x-set"), Some("new"), "{case}");
            assert_eq!(case.answer.body().trailer("x-set"), Some("new"), "{case}");
            assert_eq!(case.said().shown('Q'), ["H(e=0)", "B(10,0)", "T"], "{case}");
        }
    });
}

/// Scenario 30 `[hm_body_partial_hdr]`.
#[test]
fn s30_a_head_that_is_held_is_changed_in_partial_mode() {
    rig().run(async {
        for http in Http::BOTH {
            let call = Call::post(http, up(1234)).via(http);
            let plan = Plan::sends(down(4321));
            let mut case = rig().case("peek_BUFFERED_PARTIAL", call, plan).await;
            case.assert_response(200, &origin(4321));
            assert_eq!(case.answer.header("x-measured"), Some("4321"), "{case}");
            let seen = case.assert_request(&client(1234)).await;
            assert_eq!(seen.header("x-measured"), Some("1234"), "{case}");
        }
    });
}
