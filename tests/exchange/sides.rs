//! The rules between the sides, one by one.

use http::{HeaderValue, StatusCode};
use tidegate::chain::InputError;
use tidegate::exchange::EarlyResponse::Forward;
use tidegate::{Error, LocalReply, Origin, Timeout};

use crate::kit::*;
use crate::stage::{Stage, reset_by};

fn denied() -> LocalReply {
    LocalReply::text(StatusCode::FORBIDDEN, "no")
}

#[test]
fn a_reply_of_a_request_filter_is_seen_by_the_whole_response_chain() {
    let a = script("A").head_with(|view| view.reply(denied()));
    let mut stage = Stage::new(Forward, [a, script("B")], [script("X"), script("Y")]);
    stage.request_head(false).up("reset(reset) .").down("H[403](0) D(no) end .");
    stage.calls(r#"A.H(0) X.H[403 local](0) Y.H[403 local](0) X.D("no",1) Y.D("no",1)"#);
    stage.told("request replaced 403 by A, response replaced 403");
    assert!(matches!(stage.response.handle_head(Dir::plain(), true), Err(InputError::Ended)));
}

#[test]
fn a_reply_meets_a_response_head_where_it_stands() {
    let a = script("A").data_with(|view| view.reply(denied()));
    let x = script("X").head_with(|_| PASS);
    let y = script("Y").head(HOLD);
    let mut stage = Stage::new(Forward, [a], [x, y, script("Z")]);
    stage.request_head(false).up("H(0)");
    stage.response_head(false).down("");
    stage.calls("A.H(0) X.H(0) Y.H(0)");
    stage.request_data("1").up("reset(reset) .").down("H[403](0) D(no) end .");
    // X and Y have had a head: the reply is as from Y.
    stage.calls(r#"A.D("1",0) Z.H[403 local](0) Z.D("no",1)"#);
    stage.told("request replaced 403 by A, response replaced 403");
    assert_eq!(stage.closes().matches("close").count(), 4);
}

#[test]
fn a_reply_after_the_response_head_was_taken_resets_the_response() {
    let a = script("A").data_with(|view| view.reply(denied()));
    let mut stage = Stage::new(Forward, [a], [script("X")]);
    stage.both_heads().request_data("1").up("reset(reset) .");
    stage.down("reset(reply too late) .");
    stage.told("request replaced 403 by A, response failed reply too late");
}

#[test]
fn a_request_that_fails_is_answered_through_the_response_chain() {
    for (origin, status) in [(Origin::Downstream, 400), (Origin::Filter, 500)] {
        let mut stage = Stage::new(Forward, [], [script("X")]);
        stage.request_head(false).up("H(0)");
        stage.request.handle_reset(reset_by(origin));
        stage.up("reset(reset) .").down(&format!("H[{status}](1) ."));
        stage.calls(&format!(r#"X.H[{status} local](1)"#));
        stage.told(&format!("request reset reset, response replaced {status}"));
    }
}

#[test]
fn a_request_over_its_limit_is_answered_413_with_its_own_reply() {
    let a = script("A").high(1).data(BUF);
    let mut stage = Stage::new(Forward, [a], [script("X")]);
    stage.request_head(false).up("H(0)").request_data("12").up("reset(reset) .");
    stage.down("H[413](1) .");
    stage.calls(r#"A.H(0) A.D("12",0) X.H[413 local](1)"#);
}

#[test]
fn a_request_that_fails_behind_a_response_head_is_its_servers_business() {
    let mut stage = Stage::new(Forward, [], [script("X").head(HOLD)]);
    stage.request_head(false).up("H(0)").response_head(false);
    stage.request.handle_reset(reset_by(Origin::Downstream));
    stage.up("reset(reset) .").down("");
    stage.resume("X");
    stage.down("H(0)");
    stage.response.handle_end().unwrap();
    stage.down("end .");
    stage.told("request reset reset, response complete");
}

#[test]
fn a_timeout_of_the_request_is_the_clients_if_it_was_waited_for() {
    for (awaits, status) in [(true, 408), (false, 504)] {
        let mut stage = Stage::new(Forward, [], [script("X")]);
        stage.request_head(false).up("H(0)");
        stage.request.set_awaits_source(awaits);
        stage.request.handle_timeout(Timeout::Idle);
        stage.up("reset(idle timeout) .").down(&format!("H[{status}](1) ."));
    }
}

#[test]
fn a_timeout_before_the_response_head_is_answered_through_the_chain() {
    for (awaits, status) in [(true, 408), (false, 504)] {
        let mut stage = Stage::new(Forward, [], [script("X")]);
        stage.request_head(false).up("H(0)");
        stage.request.set_awaits_source(awaits);
        stage.response.handle_timeout(Timeout::Total);
        stage.down(&format!("H[{status}](1) .")).up("reset(reset) .");
        stage.calls(&format!(r#"X.H[{status} local](1)"#));
        stage.told(&format!("response replaced {status}, request reset reset"));
    }
}

#[test]
fn data_has_a_way_of_its_own_out_of_a_side() {
    let mut stage = Stage::new(Forward, [], []);
    stage.both_heads().request_data("12");
    assert_eq!(stage.request.poll_data().as_deref(), Some(&b"12"[..]));
    assert_eq!(stage.request.poll_data(), None);
}

#[test]
fn a_timeout_behind_the_response_head_resets_the_response() {
    let mut stage = Stage::new(Forward, [], [script("X")]);
    stage.both_heads();
    stage.response.handle_timeout(Timeout::Total);
    stage.down("reset(total timeout) .").up("reset(total timeout) .");
}

#[test]
fn a_side_has_started_once_a_head_or_a_reply_came_and_has_mail_when_the_other_ended() {
    let mut stage = Stage::new(Forward, [], []);
    assert!(!stage.request.is_started() && !stage.response.is_started());
    stage.request_head(false);
    assert!(stage.request.is_started() && !stage.response.is_started());
    stage.response.handle_reply(denied());
    assert!(stage.response.is_started());
    assert!(!stage.request.has_mail() && !stage.response.has_mail());
    stage.down("H[403](0) D(no) end .");
    assert!(stage.request.has_mail() && !stage.response.has_mail());
    stage.up("reset(reset) .");
    assert!(!stage.request.has_mail());
}

#[test]
fn an_upstream_that_breaks_off_before_its_head_is_answered_through_the_chain() {
    let mut stage = Stage::new(Forward, [], [script("X")]);
    stage.request_head(false).up("H(0)");
    stage.response.handle_reset(reset_by(Origin::Upstream));
    stage.down("H[502](1) .").up("reset(reset) .");
    stage.calls(r#"X.H[502 local](1)"#);
}

#[test]
fn a_response_that_fails_before_its_head_was_taken_is_answered_past_its_filters() {
    let y = script("Y").head(HOLD);
    let mut stage = Stage::new(Forward, [], [script("X"), y, script("Z")]);
    stage.request_head(false).up("H(0)").response_head(false).down("");
    stage.response.handle_reset(reset_by(Origin::Upstream));
    stage.down("H[502](1) .").up("reset(reset) .");
    stage.calls("X.H(0) Y.H(0)");
    stage.told("response reset reset, request reset reset");
    assert_eq!(stage.closes(), "X.close(reset reset) Y.close(reset reset)");
}

#[test]
fn a_response_filter_that_fails_at_the_head_is_answered_500() {
    let x = script("X").head_with(|view| view.fail(Error::filter_failed("broken")));
    let mut stage = Stage::new(Forward, [], [x]);
    stage.request_head(false).up("H(0)").response_head(false);
    stage.down("H[500](1) .").up("reset(X filter) .");
}

#[test]
fn a_response_that_fails_after_its_head_resets_both() {
    let mut stage = Stage::new(Forward, [], [script("X")]);
    stage.both_heads();
    stage.response.handle_reset(reset_by(Origin::Upstream));
    stage.down("reset(reset) .").up("reset(reset) .");
    stage.told("response reset reset, request reset reset");
}

#[test]
fn a_client_that_is_gone_resets_the_request_and_its_held_bytes_never_leave() {
    for how in 0..3 {
        let mut stage = Stage::new(Forward, [script("A").data(HOLD)], []);
        stage.both_heads().request_data("held").up("");
        match how {
            0 => stage.response.cancel(),
            1 => stage.response.abort(reset_by(Origin::Downstream)),
            _ => {
                let Stage { mut request, response, told, .. } = stage;
                drop(response);
                assert_eq!(crate::stage::sunk(&mut request), "reset(reset) .");
                assert_eq!(request.chain().stats().discarded_bytes, 4);
                assert_eq!(told.take(), "response cancelled, request reset reset");
                continue;
            }
        }
        stage.up("reset(reset) .");
        assert_eq!(stage.request.chain().stats().discarded_bytes, 4);
    }
}

#[test]
fn an_aborted_response_is_not_answered() {
    let mut stage = Stage::new(Forward, [], [script("X").head(HOLD)]);
    stage.request_head(false).up("H(0)").response_head(false);
    stage.response.abort(reset_by(Origin::Downstream));
    stage.down("reset(reset) .").up("reset(reset) .");
}

#[test]
fn a_request_whose_sink_is_gone_leaves_the_response_alone() {
    let mut stage = Stage::new(Forward, [script("A")], []);
    stage.request_head(false).up("H(0)");
    stage.request.cancel();
    stage.told("request cancelled");
    stage.response_head(true).down("H(1) .");
    stage.told("response complete");
}

#[test]
fn the_outcome_of_each_side_is_told_once_and_filters_are_closed_once() {
    let mut stage = Stage::new(Forward, [script("A")], [script("X")]);
    stage.both_heads();
    stage.request.handle_end().unwrap();
    stage.response.handle_end().unwrap();
    stage.up("end .").up(".").down("end .").down(".");
    stage.response.abort(reset_by(Origin::Downstream));
    stage.request.cancel();
    stage.up(".").down(".");
    stage.told("request complete, response complete");
    assert_eq!(stage.closes(), "A.close(complete) X.close(complete)");
    let (told, log) = (stage.told.clone(), stage.closes());
    drop(stage);
    assert_eq!((told.take(), log), (String::new(), String::new()));
}

#[test]
fn an_observer_that_panics_takes_nothing_with_it() {
    let stage = Stage::new(Forward, [], []);
    let Stage { request, mut response, .. } = stage;
    let mut request = request.on_finish(std::sync::Arc::new(|_, _, _| panic!("observer")));
    request.handle_head(Dir::plain(), true).unwrap();
    assert_eq!(crate::stage::sunk(&mut request), "H(1) .");
    response.handle_head(Dir::plain(), true).unwrap();
    assert_eq!(crate::stage::sunk(&mut response), "H(1) .");
}

#[test]
fn an_unlinked_side_gives_a_reply_and_a_reset_to_its_edge() {
    use tidegate::exchange::Side;
    use tidegate::{Capabilities, MessageTraits, Plan};
    let plan = Plan::<http::request::Parts>::builder().build().unwrap();
    let plan = plan.bind(Capabilities::ALL).unwrap();
    let mut side = Side::new(plan.chain(MessageTraits::new()).unwrap());
    side.handle_head(Dir::plain(), false).unwrap();
    side.handle_reply(denied());
    assert_eq!(crate::stage::sunk(&mut side), "reply(403) .");

    let plan = Plan::<http::response::Parts>::builder().build().unwrap();
    let plan = plan.bind(Capabilities::ALL).unwrap();
    let mut side = Side::new(plan.chain(MessageTraits::new()).unwrap());
    side.handle_reset(reset_by(Origin::Upstream));
    assert_eq!(crate::stage::sunk(&mut side), "reset(reset) .");
}

#[test]
fn informational_heads_come_before_the_answer_to_a_failed_request() {
    let mut stage = Stage::new(Forward, [], [script("X")]);
    stage.request_head(false).up("H(0)");
    let mut early = <http::response::Parts as Dir>::plain();
    early.status = StatusCode::EARLY_HINTS;
    early.headers.insert("link", HeaderValue::from_static("</a>"));
    stage.response.handle_informational(early).unwrap();
    stage.request.handle_reset(reset_by(Origin::Downstream));
    stage.up("reset(reset) .").down("I[103] H[400](1) .");
    stage.calls(r#"X.I[103] X.H[400 local](1)"#);
    assert_eq!(stage.closes(), "X.close(replaced 400)");
}

/// An idle exchange is two sides: what they add to their chains is counted here, in bytes.
#[test]
fn a_side_adds_little_to_its_chain() {
    use http::{request, response};
    use tidegate::Chain;
    use tidegate::exchange::{RequestSide, ResponseSide};
    let request = size_of::<RequestSide>() - size_of::<Chain<request::Parts>>();
    let response = size_of::<ResponseSide>() - size_of::<Chain<response::Parts>>();
    assert!(request.max(response) <= 96, "{request} {response}");
}

/// An informational head is no start of a response, but filters have seen it, and are closed.
#[test]
fn a_response_that_came_to_nothing_but_informational_heads_is_told() {
    let Stage { mut response, told, .. } = Stage::new(Forward, [], [script("X")]);
    let mut early = <http::response::Parts as Dir>::plain();
    early.status = StatusCode::EARLY_HINTS;
    response.handle_informational(early).unwrap();
    drop(response);
    assert_eq!(told.take(), "response cancelled");
}

#[test]
fn nobody_is_told_of_sides_to_which_nothing_came() {
    let Stage { request, response, told, .. } = Stage::new(Forward, [script("A")], []);
    drop((request, response));
    assert_eq!(told.take(), "");
}

/// A waker that panics is the business of the side it belongs to: this one has given out what it
/// had to, and has told everybody, also in its drop.
#[test]
fn a_waker_of_the_other_side_may_panic() {
    struct Panics;
    impl std::task::Wake for Panics {
        fn wake(self: std::sync::Arc<Self>) {
            panic!("a waker's own");
        }
    }
    let waker = std::task::Waker::from(std::sync::Arc::new(Panics));
    let cx = std::task::Context::from_waker(&waker);

    let mut stage = Stage::new(Forward, [script("A")], [script("X")]);
    stage.request_head(false).up("H(0)");
    assert!(stage.response.poll_mail(&cx).is_pending());
    stage.request.handle_reset(reset_by(Origin::Downstream));
    stage.up("reset(reset) .").down("H[400](1) .");
    stage.told("request reset reset, response replaced 400");

    let mut stage = Stage::new(Forward, [], [script("X")]);
    stage.both_heads();
    assert!(stage.request.poll_mail(&cx).is_pending());
    let Stage { mut request, response, told, .. } = stage;
    drop(response);
    assert_eq!(told.take(), "response cancelled");
    assert_eq!(crate::stage::sunk(&mut request), "reset(reset) .");
}
