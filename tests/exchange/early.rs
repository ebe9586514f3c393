//! What becomes of a request whose response is complete first.

use std::time::Duration;

use http::StatusCode;
use tidegate::exchange::EarlyResponse;
use tidegate::{LocalReply, Origin};

use crate::kit::*;
use crate::stage::{Stage, reset_by};

const TIME: Duration = Duration::from_secs(5);

const fn drain(max_bytes: u64) -> EarlyResponse {
    EarlyResponse::Drain { max_bytes, max_time: TIME }
}

/// A request of which "1" has gone and "22" is held, and a response that is complete.
fn answered_early(early: EarlyResponse) -> Stage {
    let mut stage = Stage::new(early, [script("A").data(PASS).data(HOLD)], [script("X")]);
    stage.both_heads().request_data("1").up("D(1)").request_data("22").up("");
    stage.response.handle_end().unwrap();
    stage.down("end .");
    stage
}

#[test]
fn the_default_is_to_go_on() {
    assert_eq!(EarlyResponse::default(), EarlyResponse::Forward);
    let mut stage = answered_early(EarlyResponse::Forward);
    stage.up("");
    assert!(stage.request.wants_input());
    stage.resume("A");
    stage.request.handle_end().unwrap();
    stage.up("D(22) end .").told("response complete, request complete");
}

#[test]
fn stop_drops_what_is_held_and_resets_the_upstream() {
    let mut stage = answered_early(EarlyResponse::Stop);
    stage.up("reset(answered early) .");
    assert!(!stage.request.wants_input());
    assert!(stage.request.input_stopped(), "the source is let go");
    assert_eq!(stage.request.chain().stats().discarded_bytes, 2);
    stage.told("response complete, request reset answered early");
    assert_eq!(stage.closes(), "X.close(complete) A.close(reset answered early)");
    assert!(stage.request.handle_data("late".into(), false).is_err());
}

#[test]
fn a_policy_leaves_a_request_alone_that_has_ended() {
    for early in [EarlyResponse::Stop, drain(100)] {
        let mut stage = Stage::new(early, [script("A")], []);
        stage.both_heads();
        stage.request.handle_end().unwrap();
        stage.up("end .");
        stage.response.handle_end().unwrap();
        stage.down("end .").up(".").told("request complete, response complete");
    }
}

#[test]
fn a_request_of_which_all_declared_was_taken_is_complete() {
    for early in [EarlyResponse::Stop, drain(100)] {
        let mut stage = Stage::new(early, [], []);
        stage.request.handle_head(Dir::declaring(2), false).unwrap();
        stage.request_data("22").up("H(0) D(22)").response_head(true).down("H(1) .");
        stage.up(".").told("response complete, request complete");
        assert_eq!(stage.request.drain_time(), None);
    }
}

#[test]
fn stop_also_ends_a_request_that_came_in_whole_and_is_held() {
    for early in [EarlyResponse::Stop, drain(100)] {
        let mut stage = Stage::new(early, [script("A").data(HOLD)], []);
        stage.both_heads().request_data("held").request.handle_end().unwrap();
        stage.response.handle_end().unwrap();
        stage.down("end .").up("reset(answered early) .");
        // Nothing more can come: there is nothing to drain.
        assert_eq!(stage.request.drained_bytes(), 0);
    }
}

#[test]
fn drain_reads_on_and_forwards_nothing() {
    let mut stage = answered_early(drain(10));
    stage.up("");
    assert_eq!(stage.request.drain_time(), Some(TIME));
    assert!(stage.request.wants_input() && !stage.request.input_stopped());
    // The filters are closed, and what they held is gone, before anything is drained.
    assert_eq!(stage.closes(), "X.close(complete) A.close(reset answered early)");
    stage.request_data("333").request_data("4444").up("");
    assert_eq!(stage.request.drained_bytes(), 7);
    stage.request.handle_end().unwrap();
    stage.up("reset(answered early) .");
    assert!(!stage.request.wants_input() && stage.request.input_stopped());
    assert_eq!(stage.request.drain_time(), None);
    stage.told("response complete, request reset answered early");
}

#[test]
fn drain_ends_beyond_its_bytes() {
    let mut stage = answered_early(drain(7));
    stage.up("").request_data("333").request_data("4444").up("");
    assert!(stage.request.wants_input(), "exactly the limit is within it");
    stage.request_data("5").up("reset(answered early) .");
    assert!(!stage.request.wants_input());
    assert_eq!(stage.request.drained_bytes(), 8);
}

#[test]
fn drain_ends_when_its_time_is_over_or_its_source_fails() {
    let ends: [fn(&mut Stage); 6] = [
        |stage| stage.request.stop_draining(),
        |stage| stage.request.handle_reset(reset_by(Origin::Downstream)),
        |stage| stage.request.handle_trailers(http::HeaderMap::new()).unwrap(),
        |stage| stage.request.handle_data("last".into(), true).unwrap(),
        |stage| stage.request.cancel(),
        |stage| stage.request.abort(reset_by(Origin::Upstream)),
    ];
    for end in ends {
        let mut stage = answered_early(drain(10));
        stage.up("");
        end(&mut stage);
        stage.up("reset(answered early) .").told("response complete, request reset answered early");
    }
}

#[test]
fn an_answer_that_is_not_the_upstreams_is_drained_for_as_well() {
    // By a response filter.
    let x = script("X").head_with(|view| view.reply(LocalReply::new(StatusCode::FORBIDDEN)));
    let mut stage = Stage::new(drain(10), [], [x]);
    stage.request_head(false).up("H(0)").response_head(false).down("H[403](1) .").up("");
    assert_eq!(stage.request.drain_time(), Some(TIME));
    stage.request.handle_end().unwrap();
    stage.up("reset(reset) .");

    // By the engine, for a response filter that holds too much.
    let x = script("X").head(HOLD).high(1).data(BUF);
    let mut stage = Stage::new(drain(10), [], [x]);
    stage.request_head(false).up("H(0)").response_head(false);
    stage.response.handle_data("22".into(), false).unwrap();
    stage.down("H[500](1) .").up("");
    assert_eq!(stage.request.drain_time(), Some(TIME));
    stage.request.handle_end().unwrap();
    stage.up("reset(X limit 1) .");

    // Past the filters.
    let mut stage = Stage::new(drain(10), [], [script("X").head(HOLD)]);
    stage.request_head(false).up("H(0)").response_head(false);
    stage.response.handle_reset(reset_by(Origin::Upstream));
    stage.down("H[502](1) .").up("");
    assert_eq!(stage.request.drain_time(), Some(TIME));
    stage.request.stop_draining();
    stage.up("reset(reset) .");
}

#[test]
fn nothing_is_drained_for_a_client_without_an_answer() {
    let ends: [fn(&mut Stage); 3] = [
        |stage| stage.response.cancel(),
        |stage| stage.response.abort(reset_by(Origin::Downstream)),
        |stage| stage.response.handle_reset(reset_by(Origin::Upstream)),
    ];
    for end in ends {
        let mut stage = Stage::new(drain(10), [], []);
        stage.both_heads();
        end(&mut stage);
        drop(crate::stage::sunk(&mut stage.response));
        stage.up("reset(reset) .");
        assert!(stage.request.input_stopped());
    }
}

#[test]
fn without_an_upstream_there_is_nothing_to_forward() {
    let x = script("X").head_with(|view| view.reply(LocalReply::new(StatusCode::FORBIDDEN)));
    let mut stage = Stage::new(EarlyResponse::Forward, [], [x]);
    stage.request_head(false).up("H(0)").response_head(false).down("H[403](1) .");
    stage.up("reset(reset) .");
}

/// The end of a request that a filter declared is as good as one that came in, and no better: what
/// the upstream has not taken is not sent.
#[test]
fn stop_also_ends_a_request_whose_end_was_declared() {
    for early in [EarlyResponse::Stop, drain(100)] {
        let mut stage = Stage::new(early, [script("A").data(END)], []);
        stage.both_heads().request_data("12").response.handle_end().unwrap();
        stage.down("end .").up("reset(answered early) .");
        assert_eq!(stage.request.drained_bytes(), 0);
    }
}

/// A request that was cut owes what it has declared: nobody can take it for one without a body.
#[test]
fn a_request_that_was_cut_does_not_look_like_an_empty_one() {
    let mut stage = Stage::new(EarlyResponse::Stop, [], []);
    stage.request.handle_head(Dir::declaring(10), false).unwrap();
    stage.up("H(0)").request_data("0123456789").response_head(true).down("H(1) .");
    let cx = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(stage.request.poll_mail(&cx).is_ready());
    assert_eq!(stage.request.chain().remaining_bytes(), Some(10));
    assert!(!stage.request.chain().is_end_stream());
    stage.up("reset(answered early) .");
}
