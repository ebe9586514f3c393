//! Scenarios 67 to 69, 71, 74 and 76: local replies, resets and the end of it all.

use http::{StatusCode, response};
use tidegate::chain::InputError;
use tidegate::{LocalReply, Outcome};

use crate::kit::*;

fn denied() -> LocalReply {
    LocalReply::text(StatusCode::FORBIDDEN, "no")
}

/// 67, E: a reply from the head callback replaces the message. Later filters do not see the
/// request; on a response they see the reply. What comes afterwards is dropped.
fn scenario_67_reply_from_the_head_callback<H: Dir>() {
    let a = script("A").head_with(|view| view.reply(denied()));
    let mut run = Run::<H>::new([a, script("B")]);
    run.hold_sink().head(false).wants(false);
    assert!(run.chain.input_stopped());
    if H::REQUEST {
        run.open_sink().expect("A.H(0)", "reply(403,2)");
        assert!(matches!(run.chain.handle_data("late".into(), false), Err(InputError::Ended)));
        run.finish_closing("A", "replaced 403 by A");
    } else {
        run.calls(r#"A.H(0) B.H[403 local](0) B.D("no",1)"#);
        run.data("late");
        assert_eq!(run.stats().discarded_bytes, 4);
        run.open_sink().expect("", r#"H[403](0) D("no") end"#);
        run.finish("replaced 403 by A");
    }
}

/// 68, E: a reply from a data callback. The filter before is not asked again; what it holds is
/// dropped and counted.
fn scenario_68_reply_from_the_data_callback<H: Dir>() {
    let a = script("A").data(first(1)).data(HOLD);
    let b = script("B").head(HOLD).data_with(|view| view.reply(denied()));
    let mut run = Run::<H>::new([a, b, script("C")]);
    run.head(false).expect("A.H(0) B.H(0)", "");
    run.data("123");
    if H::REQUEST {
        run.expect(r#"A.D("123",0) B.D("1",0)"#, "reply(403,2)");
    } else {
        run.expect(
            r#"A.D("123",0) B.D("1",0) C.H[403 local](0) C.D("no",1)"#,
            r#"H[403](0) D("no") end"#,
        );
    }
    run.gone("A").gone("B").expect("", "");
    assert_eq!(run.stats().discarded_bytes, 3);
    let started = if H::REQUEST { "A B" } else { "A B C" };
    run.finish_closing(started, "replaced 403 by B");
}

const fn first(bytes: usize) -> Verdict {
    Verdict::pass_first(bytes)
}

/// 69, E: a reply made later, on resume; the next resume does nothing.
fn scenario_69_reply_on_resume<H: Dir>() {
    let a = script("A").head(HOLD).resume_with(|view| view.reply(denied()));
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).expect("A.H(0)", "");
    run.resume("A");
    if H::REQUEST {
        run.expect(r#"A.resume("",0)"#, "reply(403,2)");
    } else {
        run.expect(r#"A.resume("",0) B.H[403 local](0) B.D("no",1)"#, r#"H[403](0) D("no") end"#);
    }
    run.gone("A").expect("", "");
    let started = if H::REQUEST { "A" } else { "A B" };
    run.finish_closing(started, "replaced 403 by A");
}

/// 71, E: a reply that a response filter holds is sent when it resumes. It is made by a filter of
/// the request chain, which gives it out at once.
#[test]
fn scenario_71_reply_held_by_a_response_filter() {
    let a = script("A").head_with(|view| view.reply(denied()));
    let mut request = Run::<http::request::Parts>::new([a]);
    request.head(false).expect("A.H(0)", "reply(403,2)");
    let reply = request.take_reply();
    request.finish("replaced 403 by A");

    let y = script("Y").head(HOLD).data(BUF);
    let mut run = Run::<response::Parts>::new([script("X"), y]);
    run.reply(reply);
    run.expect(r#"X.H[403 local](0) Y.H[403 local](0) X.D("no",1) Y.D("no",1)"#, "");
    run.resume("Y").expect(r#"Y.resume("no",1)"#, r#"H[403](0) D("no") end"#);
    run.finish("replaced 403");
}

/// 74, E: after a reset of the source no filter is called but to be closed.
fn scenario_74_reset_of_the_source<H: Dir>() {
    let a = script("A").data(PASS).data(HOLD);
    let mut run = Run::<H>::new([a, script("B").data(HOLD)]);
    run.head(false).data("11").data("22");
    run.expect(r#"A.H(0) B.H(0) A.D("11",0) B.D("11",0) A.D("22",0)"#, "H(0)");
    run.reset().expect("", "reset(reset)");
    run.gone("A").gone("B").expect("", "");
    assert!(matches!(run.chain.handle_data("33".into(), false), Err(InputError::Ended)));
    assert!(matches!(run.chain.handle_end(), Err(InputError::Ended)));
    assert!(matches!(run.chain.handle_trailers(http::HeaderMap::new()), Err(InputError::Ended)));
    run.chain.handle_resume(0);
    run.cancel().reset().expect("", "");
    run.finish("reset reset");
}

/// 76, E for each half: one close a filter, in chain order, after the outcome is fixed; and one
/// drop, after all closes.
fn scenario_76_each_half_is_closed_once_in_order<H: Dir>() {
    let halves = || ["A", "B", "C"].map(|name| script::<H>(name).close_with(is_complete));
    let mut run = Run::<H>::new(halves());
    run.head(false).data("1").end();
    run.expect(
        r#"A.H(0) B.H(0) C.H(0) A.D("1",0) B.D("1",0) C.D("1",0) A.D("",1) B.D("",1) C.D("",1)"#,
        r#"H(0) D("1") end"#,
    );
    assert_eq!(run.drops(), "", "closed filters live as long as their chain");
    let log = run.log();
    run.finish("complete");
    assert_eq!(log.lock().drops, ["A", "B", "C"]);
}

fn is_complete(outcome: &Outcome) {
    assert!(outcome.is_complete());
}

/// 76, E: the same where the message does not end well.
fn scenario_76_each_half_is_closed_once_when_cancelled<H: Dir>() {
    let mut run = Run::<H>::new([script("A"), script("B").head(HOLD), script("C")]);
    run.head(false).expect("A.H(0) B.H(0)", "");
    run.cancel().expect("", "");
    // C was never started.
    run.finish_closing("A B", "cancelled");
}

both!(
    scenario_67_reply_from_the_head_callback,
    scenario_68_reply_from_the_data_callback,
    scenario_69_reply_on_resume,
    scenario_74_reset_of_the_source,
    scenario_76_each_half_is_closed_once_in_order,
    scenario_76_each_half_is_closed_once_when_cancelled,
);
