//! Group D: the body comes in pieces, each answered by one answer.

use std::time::Duration;

use super::bodies::all;
use super::harness::client::{Call, Http};
use super::harness::origin::Plan;
use super::harness::pattern::{client, origin};
use super::harness::received::End;
use super::harness::rig::rig;
use super::harness::sending::{Sending, down, up};
use super::served::actor::REPLACEMENT;

/// Scenario 31 `[str_chunks]`: as many answers as messages, and no length.
#[test]
fn s31_each_piece_is_answered_and_the_length_is_gone() {
    rig().run(async {
        for http in Http::BOTH {
            let chunks = up(30).chunks(&[10]).pace(Duration::from_millis(20)).with_length();
            let call = Call::post(http, chunks).via(http);
            let plan = Plan::sends(down(30).chunks(&[10]).pace(Duration::from_millis(20)));
            let mut case = rig().case("look_STREAMED", call, plan).await;
            case.assert_response(200, &origin(30));
            let seen = case.assert_request(&client(30)).await;
            assert_eq!(seen.header("content-length"), None, "{case}");
            let said = case.said();
            assert!(said.body_messages('Q') >= 3, "{:?}", said.lines);
            for side in ['Q', 'P'] {
                let answer = format!("S {side}.Br");
                let answers = said.lines.iter().filter(|line| **line == answer).count();
                assert_eq!(answers, said.body_messages(side), "{:?}", said.lines);
            }
        }
    });
}

/// Scenario 32 `[str_big_cl]`: a message need not be small.
#[test]
fn s32_a_body_of_200_000_bytes_passes_and_can_be_changed() {
    rig().run(async {
        for http in Http::BOTH {
            let call = Call::post(http, up(200_000).with_length()).via(http);
            let plan = Plan::sends(down(200_000).with_length());
            let mut case = rig().case("flip_STREAMED", call, plan).await;
            case.assert_response(200, &origin(200_000).flipped());
            case.assert_request(&client(200_000).flipped()).await;
        }
    });
}

/// Scenario 33 `[str_trailers, str_trailers_skip]`.
#[test]
fn s33_trailers_end_a_body_in_pieces_whether_they_are_shown_or_not() {
    rig().run(async {
        for http in Http::BOTH {
            for (listener, end) in [("flip_STREAMED", Some("T")), ("skip_trailers_STREAMED", None)]
            {
                let call = Call::post(http, up(30).chunks(&[15]).with_trailers("up"));
                let plan = Plan::sends(down(40).with_trailers("down"));
                let mut case = rig().case(listener, call.via(http), plan).await;
                case.assert_response(200, &origin(40).flipped());
                let seen = case.assert_request(&client(30).flipped()).await;
                assert_eq!(seen.body.trailer("x-sum"), Some("up"), "{case}");
                assert_eq!(case.answer.body().trailer("x-sum"), Some("down"), "{case}");
                let said = case.said();
                let shown = |body| [Some("H(e=0)"), Some(body), end].into_iter().flatten();
                assert!(said.shown('Q').into_iter().eq(shown("B(30,0)")), "{:?}", said.lines);
                assert!(said.shown('P').into_iter().eq(shown("B(40,0)")), "{:?}", said.lines);
            }
        }
    });
}

/// Scenario 33 with trailers that a filter changes.
#[test]
fn s33_trailers_behind_a_body_in_pieces_can_be_changed() {
    rig().run(async {
        for http in Http::BOTH {
            let call = Call::post(http, up(30).with_trailers("up")).via(http);
            let plan = Plan::sends(down(40).with_trailers("down"));
            let mut case = rig().case("trailers_STREAMED", call, plan).await;
            case.assert_response(200, &origin(40));
            let seen = case.assert_request(&client(30)).await;
            for body in [&seen.body, case.answer.body()] {
                assert_eq!(body.trailer("x-set"), Some("new"), "{case}");
                assert_eq!(body.trailer("x-more"), Some("1"), "{case}");
            }
        }
    });
}

/// Scenario 34 `[str_nowait]`: body messages before the head was answered.
#[test]
fn s34_body_may_come_before_the_head_is_answered() {
    rig().run(async {
        for http in Http::BOTH {
            let call = Call::post(http, up(50_000).chunks(&[1000])).via(http);
            let plan = Plan::sends(down(50_000).chunks(&[1000]));
            let mut case = rig().case("nowait_STREAMED", call, plan).await;
            case.assert_response(200, &origin(50_000).flipped());
            case.assert_request(&client(50_000).flipped()).await;
        }
    });
}

/// Scenario 35 `[str_clear_replace]`.
#[test]
fn s35_pieces_are_cleared_and_the_last_one_is_replaced() {
    rig().run(async {
        for http in Http::BOTH {
            let chunks = |body: Sending| body.chunks(&[10]).pace(Duration::from_millis(20));
            let call = Call::post(http, chunks(up(30))).via(http);
            let plan = Plan::sends(chunks(down(40)));
            let mut case = rig().case("replace_STREAMED", call, plan).await;
            case.assert_status(200);
            assert_eq!(case.answer.body().body(), REPLACEMENT.as_bytes(), "{case}");
            assert_eq!(case.seen().await.body.body(), REPLACEMENT.as_bytes(), "{case}");
            let replies = case.said().replies_in_short();
            assert!(replies.iter().any(|line| line == "S Q.Br+clear"), "{replies:?}");
            assert!(replies.iter().any(|line| line == "S P.Br+clear"), "{replies:?}");
        }
    });
}

/// Scenario 35 with a body that grows.
#[test]
fn s35_pieces_may_grow() {
    rig().run(async {
        for http in Http::BOTH {
            let call = Call::post(http, up(300_000)).via(http);
            let plan = Plan::sends(down(300_000));
            let mut case = rig().case("double_STREAMED", call, plan).await;
            case.assert_response(200, &origin(300_000).doubled());
            case.assert_request(&client(300_000).doubled()).await;
        }
    });
}

/// Scenario 36 `[str_server_buffers_all, .._timeout]`: with the promise that no trailers come. The
/// whole takes longer than the message timeout, which is 1 second.
#[test]
fn s36_a_body_that_is_kept_goes_out_with_the_last_answer() {
    rig().run(all(Http::BOTH.into_iter().map(|http| async move {
        let chunks = |body: Sending| body.chunks(&[10_000]).pace(Duration::from_millis(300));
        let call = Call::post(http, chunks(up(60_000))).via(http);
        let plan = Plan::sends(chunks(down(50_000)));
        let mut case = rig().case("gather_STREAMED", call, plan).await;
        case.assert_response(200, &origin(50_000));
        case.assert_request(&client(60_000)).await;
        let replies = case.said().replies_in_short();
        assert!(replies.iter().any(|line| line == "S Q.Br+clear"), "{replies:?}");
        assert!(replies.iter().any(|line| line == "S Q.Br+body(60000)"), "{replies:?}");
    })));
}

/// P7: trailers where the promise was that none come. What was kept has no message to go with.
#[test]
fn s36_a_broken_promise_fails_the_request_and_loses_nothing_in_silence() {
    rig().run(async {
        for http in Http::BOTH {
            let call = Call::post(http, up(60_000).with_trailers("up")).via(http);
            let mut case = rig().case("gather_STREAMED", call, Plan::default()).await;
            case.assert_status(500);
            if case.reached_origin_so_far() {
                let seen = case.seen().await;
                assert!(matches!(seen.body.end, End::Failed(_)), "{case} {:?}", seen.body);
            }
        }
    });
}
