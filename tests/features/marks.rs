//! Watermarks changed while a message is under way.

use crate::kit::*;

/// Lowered: the source is paused at once. Raised: wanted again.
fn marks_changed_under_a_holder<H: Dir>() {
    let mut run = Run::<H>::new([script("A").high(10).data(HOLD)]);
    run.head(false).data("12345").expect(r#"A.H(0) A.D("12345",0)"#, "H(0)").wants(true);
    run.set_high("A", 4).wants(false);
    run.set_high("A", 10).wants(true);
    assert_eq!((run.stats().pauses, run.stats().resumes), (1, 1));
    run.end().expect(r#"A.D("",1)"#, r#"D("12345") end"#);
    run.finish("complete");
}

/// Lowered under a rejecting holder: it may be over now, and is answered so.
fn marks_lowered_under_a_rejecting_holder<H: Dir>() {
    let mut run = Run::<H>::new([script("A").high(10).head(HOLD).data(BUF)]);
    run.head(false).data("12345").expect(r#"A.H(0) A.D("12345",0)"#, "");
    run.set_high("A", 5).expect("", "").wants(true);
    run.set_high("A", 4);
    run.expect("", if H::REQUEST { "reply(413,0)" } else { "H[500](1)" });
    run.finish("limit A limit 4");
}

/// Raised: what waits at the entrance goes in, and a release that waited goes on.
fn marks_raised_let_what_waits_go_on<H: Dir>() {
    let b = script("B").high(2).data(HOLD).data(HOLD);
    let mut run = Run::<H>::new([script("A").data(HOLD), b]);
    run.head(false).data("11111").expect(r#"A.H(0) B.H(0) A.D("11111",0)"#, "H(0)");
    run.resume("A").expect(r#"A.resume("11111",0) B.D("11",0) B.D("111",0)"#, "");
    run.wants(false).data("2").expect("", "");
    run.set_high("B", 10).expect(r#"A.D("2",0) B.D("2",0)"#, r#"D("111112")"#);
    run.end().expect(r#"A.D("",1) B.D("",1)"#, "end");
    run.finish("complete");
}

/// The output queue is the last station.
fn marks_of_the_output_queue<H: Dir>() {
    let mut run = Run::<H>::new([script("A")]);
    let output = run.chain.len();
    run.hold_sink().head(false).data("12345").wants(true);
    run.chain.set_marks(output, tidegate::Marks::from_high(4));
    run.wants(false);
    run.chain.set_marks(output, tidegate::Marks::from_high(10));
    run.wants(true);
    run.data_end("6").open_sink();
    run.expect(r#"A.H(0) A.D("12345",0) A.D("6",1)"#, r#"H(0) D("123456") end"#);
    run.finish("complete");
}

/// The new high mark is also what an edit may add, and what a refusal tells.
fn marks_count_for_edits<H: Dir>() {
    let a = script("A").high(1).resume_with(push_then("12345", PASS));
    let mut run = Run::<H>::new([a]);
    run.head(false).set_high("A", 5).resume("A");
    run.expect(r#"A.H(0) A.resume("",0)"#, r#"H(0) D("12345")"#);
    run.end().expect(r#"A.D("",1)"#, "end");
    run.finish("complete");
}

both!(
    marks_changed_under_a_holder,
    marks_lowered_under_a_rejecting_holder,
    marks_raised_let_what_waits_go_on,
    marks_of_the_output_queue,
    marks_count_for_edits,
);
