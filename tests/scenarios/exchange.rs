//! Scenarios 31, 63, 64, 70, 72, 73, 75, 77 and 78: between the directions of an exchange, and what
//! Envoy has that tidegate does not. Where a scenario does not apply, `docs/architecture.md`
//! (section 11) says why, and the test is of what a user sees in its place.

use std::sync::{Arc, Mutex};

use http::{StatusCode, response};
use tidegate::chain::InputError;
use tidegate::exchange::{EarlyResponse, ExchangePlan};
use tidegate::filter::Interim;
use tidegate::{Error, LocalReply, ResumeHandle};

use crate::kit::script::Log;
use crate::kit::*;
use crate::stage::Stage;

fn denied() -> LocalReply {
    LocalReply::text(StatusCode::FORBIDDEN, "no")
}

/// 31, R: what is to be added to the other direction is added in a callback of that direction. A
/// view lives as long as its call, so there is no other way to write it; the message is intact.
#[test]
fn scenario_31_adding_from_the_other_direction_goes_through_a_resume() {
    let log = Log::default();
    let other: Arc<Mutex<Option<ResumeHandle>>> = Arc::default();
    let (leaves, takes) = (Arc::clone(&other), other);
    let x = script("X").head_with(move |view| {
        *leaves.lock().unwrap() = Some(view.resume_handle());
        CDE
    });
    let a = script("A").data_with(move |_| {
        takes.lock().unwrap().take().expect("the response is there").resume();
        PASS
    });
    let x = x.resume_with(push_then("added", PASS));
    let plan = ExchangePlan::builder()
        .request("A", a.into_factory(&log))
        .response("X", x.into_factory(&log))
        .build()
        .unwrap();
    let mut stage = Stage::of(plan, EarlyResponse::Forward, log);
    stage.both_heads().calls("A.H(0) X.H(0)");
    stage.request_data("1").up("D(1)").calls(r#"A.D("1",0)"#);
    stage.down("D(added)").calls(r#"X.resume("",0)"#);
    stage.response.handle_end().unwrap();
    stage.down("end .");
    stage.request.handle_end().unwrap();
    stage.up("end .").told("response complete, request complete");
}

/// 63, D: the pause is a level and not a sum of events: who looks late sees what is, once, however
/// many stations are over.
fn scenario_63_a_late_reader_sees_one_pause<H: Dir>() {
    // A pauses for itself; B went over before, with the same frame.
    let a = script("A").data(first(2)).high(3);
    let mut run = Run::<H>::new([a, script("B").data(HOLD).data(HOLD).high(1)]);
    run.head(false).data("123456").wants(false);
    assert_eq!(run.stats().pauses, 1, "two stations are over, the source is paused once");
    run.calls(r#"A.H(0) B.H(0) A.D("123456",0) B.D("1",0) B.D("2",0)"#);
    run.resume("B").wants(false);
    run.resume("A").wants(true);
    assert_eq!(run.stats().resumes, 1);
    run.expect(
        r#"B.resume("12",0) A.resume("3456",0) B.D("3",0) B.D("4",0) B.D("5",0) B.D("6",0)"#,
        r#"H(0) D("123456")"#,
    );
    run.cancel();
    run.finish("cancelled");
}

const fn first(bytes: usize) -> Verdict {
    Verdict::pass_first(bytes)
}

/// 64, D: a pause that is over before anybody looked is no news to anybody.
fn scenario_64_a_pause_that_is_over_is_no_news<H: Dir>() {
    let mut run = Run::<H>::new([script("A").data(HOLD).high(1)]);
    run.head(false).data("12");
    run.resume("A").wants(true);
    run.expect(r#"A.H(0) A.D("12",0) A.resume("12",0)"#, r#"H(0) D("12")"#);
    assert_eq!((run.stats().pauses, run.stats().resumes), (1, 1));
    run.data_end("3").expect(r#"A.D("3",1)"#, r#"D("3") end"#);
    run.finish("complete");
}

/// 70, D: a reply of a response filter at its head is seen by the filters after it; once the sink
/// has the head, the message is reset.
#[test]
fn scenario_70_reply_of_a_response_filter() {
    let x = script("X").head_with(|view| view.reply(denied()));
    let mut stage = Stage::new(EarlyResponse::Forward, [], [script("W"), x, script("Y")]);
    stage.request_head(false).up("H(0)").response_head(false);
    stage.down("H[403](0) D(no) end .").up("reset(reset) .");
    stage.calls(r#"W.H(0) X.H(0) Y.H[403 local](0) Y.D("no",1)"#);
    stage.told("response replaced 403 by X, request reset reset");

    let x = script("X").data_with(|view| view.reply(denied()));
    let mut stage = Stage::new(EarlyResponse::Forward, [], [x, script("Y")]);
    stage.both_heads();
    stage.response.handle_data("1".into(), false).unwrap();
    stage.down("reset(X reply too late) .").up("reset(X reply too late) .");
    stage.calls(r#"X.H(0) Y.H(0) X.D("1",0)"#);
}

/// 72, D: nobody is asked before a reply; every started filter is told of it when it is closed, in
/// chain order, also where a response filter refuses to pass the reply on.
#[test]
fn scenario_72_everybody_is_told_of_a_reply() {
    let b = script("B").head_with(|view| view.reply(denied()));
    let y = script("Y").head_with(|view| view.fail(Error::filter_failed("not that one")));
    let requests = [script("A"), b, script("C")];
    let mut stage = Stage::new(EarlyResponse::Forward, requests, [script("X"), y, script("Z")]);
    stage.request_head(false).up("reset(reset) .");
    assert_eq!(stage.closes(), "A.close(replaced 403 by B) B.close(replaced 403 by B)");
    stage.down("H[500](1) .");
    stage.calls("A.H(0) B.H(0) X.H[403 local](0) Y.H[403 local](0)");
    assert_eq!(stage.closes(), "X.close(failed Y filter) Y.close(failed Y filter)");
}

/// 73, E where the policy is to stop: later data is refused, and what is held is never forwarded.
#[test]
fn scenario_73_response_end_before_request_end() {
    let mut stage = Stage::new(EarlyResponse::Stop, [script("A").data(HOLD)], []);
    stage.both_heads().request_data("held").up("");
    stage.response.handle_end().unwrap();
    stage.down("end .").up("reset(answered early) .");
    assert!(matches!(stage.request.handle_data("late".into(), false), Err(InputError::Ended)));
    stage.up(".").calls(r#"A.H(0) A.D("held",0)"#);
    assert_eq!(stage.request.chain().stats().discarded_bytes, 4);
    assert_eq!(stage.request.chain().stats().output_bytes, 0);
}

/// 73, D where the policy is to forward, which is the default: the request goes on.
#[test]
fn scenario_73_response_end_before_request_end_forwarded() {
    let mut stage = Stage::new(EarlyResponse::default(), [script("A").data(HOLD)], []);
    stage.both_heads().request_data("held").up("");
    stage.response.handle_end().unwrap();
    stage.down("end .").up("");
    stage.resume("A");
    stage.request_data("more").up("D(heldmore)");
    stage.request.handle_end().unwrap();
    stage.up("end .").told("response complete, request complete");
}

/// 75, D: a request is not recreated; who wants to send it again makes a new exchange of what it
/// kept. A request that is over its marks goes without a crash, and the new one has new filters,
/// which see all of it once.
#[test]
fn scenario_75_a_new_exchange_sees_all_once() {
    let log = Log::default();
    let a = || script("A").high(2).data(HOLD);
    let plan = ExchangePlan::builder().request("A", a().into_factory(&log)).build().unwrap();
    let mut old = Stage::of(plan.clone(), EarlyResponse::Forward, log.clone());
    old.request_head(false).request_data("kept").up("H(0)");
    assert!(!old.request.wants_input(), "over its mark");
    old.calls(r#"A.H(0) A.D("kept",0)"#);
    drop(old);
    assert_eq!(std::mem::take(&mut log.lock().closes), ["A.close(cancelled)"]);

    let mut new = Stage::of(plan, EarlyResponse::Forward, log.clone());
    new.request_head(false);
    new.request.handle_data("kept".into(), true).unwrap();
    new.up("H(0)").calls(r#"A.H(0) A.D("kept",1)"#);
    new.resume("A");
    new.up("D(kept) end .").told("request complete");
}

/// 77, D: there is no metadata; what queued behind a held head follows it, in order.
fn scenario_77_what_queued_behind_a_head_follows_it<H: Dir>() {
    let mut run = Run::<H>::new([script("A").head(SAW), script("B")]);
    run.head(false).data("1").trailers("x-t", "1");
    run.expect("A.H(0)", "");
    run.resume("A").expect(
        r#"A.resume("",0) B.H(0) A.D("1",0) B.D("1",0) A.T(x-t: 1) B.T(x-t: 1)"#,
        r#"H(0) D("1") T(x-t: 1)"#,
    );
    run.finish("complete");
}

fn informational(status: StatusCode) -> response::Parts {
    let mut head = <response::Parts as Dir>::plain();
    head.status = status;
    head
}

/// 78, R: a 1xx cannot be held, so it is with the client when the final head still waits; the order
/// is that in which they came.
#[test]
fn scenario_78_informational_heads_leave_in_order() {
    let a = script("A").informational(|_| Interim::Pass).head(HOLD);
    let mut stage = Stage::new(EarlyResponse::Forward, [], [a, script("B")]);
    stage.request_head(false).up("H(0)");
    stage.response.handle_informational(informational(StatusCode::PROCESSING)).unwrap();
    stage.response.handle_informational(informational(StatusCode::EARLY_HINTS)).unwrap();
    stage.response_head(false).down("I[102] I[103]");
    stage.calls("A.I[102] B.I[102] A.I[103] B.I[103] A.H(0)");
    stage.resume("A");
    stage.down("H(0)");
    stage.response.handle_end().unwrap();
    stage.down("end .");
}

/// 78, R: 101 is a final head, without a body.
#[test]
fn scenario_78_switching_protocols_is_final() {
    let mut stage = Stage::new(EarlyResponse::Forward, [], [script("A").head(HOLD)]);
    let head = informational(StatusCode::SWITCHING_PROTOCOLS);
    let refused = stage.response.handle_informational(head.clone());
    assert!(matches!(refused, Err(InputError::NotInformational)));
    stage.response.handle_head(head, true).unwrap();
    stage.down("");
    stage.resume("A");
    stage.down("H[101](1) .").told("response complete");
}

both!(
    scenario_63_a_late_reader_sees_one_pause,
    scenario_64_a_pause_that_is_over_is_no_news,
    scenario_77_what_queued_behind_a_head_follows_it,
);
