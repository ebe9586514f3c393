//! Interests: what a filter did not ask for costs it no call, and holds it nothing up.

use tidegate::Interest;

use crate::kit::*;

/// A prefix inspector: it looks at the first bytes and is not called for the others.
fn interest_in_data_dropped_while_open<H: Dir>() {
    let a = script("A").data_with(|view| {
        view.drop_interest(Interest::DATA);
        PASS
    });
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).expect("A.H(0) B.H(0)", "H(0)");
    run.data("1").expect(r#"A.D("1",0) B.D("1",0)"#, r#"D("1")"#);
    let before = run.count();
    for _ in 0..100 {
        run.data("x").expect(r#"B.D("x",0)"#, r#"D("x")"#);
    }
    assert_eq!(run.count() - before, 100, "only B is called");
    run.trailers("x", "1").expect("A.T(x: 1) B.T(x: 1)", "T(x: 1)");
    run.finish("complete");
}

/// The same at a station that is not the first: the others are still called.
fn interest_dropped_behind_another_filter<H: Dir>() {
    let b = script("B").data_with(|view| {
        view.drop_interest(Interest::ALL);
        PASS
    });
    let mut run = Run::<H>::new([script("A"), b, script("C")]);
    run.head(false).data("1");
    run.expect(r#"A.H(0) B.H(0) C.H(0) A.D("1",0) B.D("1",0) C.D("1",0)"#, r#"H(0) D("1")"#);
    run.data("2").expect(r#"A.D("2",0) C.D("2",0)"#, r#"D("2")"#);
    run.trailers("x", "1").expect("A.T(x: 1) C.T(x: 1)", "T(x: 1)");
    run.finish("complete");
}

/// Both dropped: the filter is closed, and that is all.
fn interest_in_everything_dropped<H: Dir>() {
    let a = script("A").head_with(|view| {
        view.drop_interest(Interest::ALL);
        PASS
    });
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).data("1").trailers("x", "1");
    run.expect(r#"A.H(0) B.H(0) B.D("1",0) B.T(x: 1)"#, r#"H(0) D("1") T(x: 1)"#);
    run.finish("complete");
}

/// Dropped while holding: what comes queues unseen under the filter's marks, and passes by without
/// a call when the hold is over (ruling 7).
fn interest_in_data_dropped_while_holding<H: Dir>() {
    let a = script("A").high(4).data_with(|view| {
        view.drop_interest(Interest::DATA);
        HOLD
    });
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).data("1").expect(r#"A.H(0) B.H(0) A.D("1",0)"#, "H(0)");
    run.data("234").expect("", "").wants(true);
    run.data("5").expect("", "").wants(false);
    run.resume("A").expect(r#"A.resume("1",0) B.D("1",0) B.D("2345",0)"#, r#"D("12345")"#);
    run.wants(true).data_end("6").expect(r#"B.D("6",1)"#, r#"D("6") end"#);
    run.finish("complete");
}

/// The same under a rejecting hold of a filter that never looked at data: its own limit counts.
fn what_queues_behind_a_blind_holder_is_limited<H: Dir>() {
    let a = script("A").wants(Interest::HEAD).high(4).head(BUF);
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).data("1234").expect("A.H(0)", "");
    run.data("5");
    if H::REQUEST {
        run.expect("", "reply(413,0)");
        run.finish_closing("A", "limit A limit 4");
    } else {
        run.expect("B.H[500 local](1)", "H[500](1)");
        run.finish("limit A limit 4");
    }
}

/// A filter that wants nothing is started and closed. It may still be resumed, if it has a handle:
/// it cannot get one without a call.
fn interest_in_nothing<H: Dir>() {
    let mut run = Run::<H>::new([script("A").wants(Interest::NONE), script("B")]);
    run.head(false).data("1").trailers("x", "1");
    run.expect(r#"B.H(0) B.D("1",0) B.T(x: 1)"#, r#"H(0) D("1") T(x: 1)"#);
    assert_eq!(run.count(), 3);
    run.finish("complete");
}

/// A resume does nothing before the head has reached the filter, and nothing once its output has
/// ended, whether or not it was asked about the end.
fn resume_before_the_start_and_after_the_end<H: Dir>() {
    let a = script("A").wants(Interest::TRAILERS);
    let mut run = Run::<H>::new([a, script("B").head(HOLD), script("C")]);
    run.head(true).expect("B.H(1)", "");
    run.chain.handle_resume(0);
    run.chain.handle_resume(2);
    run.chain.handle_resume(3);
    run.open_sink().expect("", "");
    run.resume("B").expect(r#"B.resume("",1) C.H(1)"#, "H(1)");
    run.finish("complete");
}

/// A filter that wants only the head: head and end go on together (ruling 3).
fn interest_in_the_head_alone<H: Dir>() {
    let mut run = Run::<H>::new([script("A").wants(Interest::HEAD), script("B")]);
    run.head(true).expect("A.H(1) B.H(1)", "H(1)");
    run.finish("complete");

    let mut run = Run::<H>::new([script("A").wants(Interest::HEAD), script("B")]);
    run.head(false).data_end("1").expect(r#"A.H(0) B.H(0) B.D("1",1)"#, r#"H(0) D("1") end"#);
    run.finish("complete");
}

/// A filter that wants only data: the head passes by alone, the end is shown in a data call.
fn interest_in_data_alone<H: Dir>() {
    let mut run = Run::<H>::new([script("A").wants(Interest::DATA), script("B")]);
    // By the time the sink takes the head, the end stands directly behind it.
    run.head(true).expect(r#"B.H(0) A.D("",1) B.D("",1)"#, "H(1)");
    run.finish("complete");
}

/// A filter that wants only trailers is not asked about a plain end.
fn interest_in_trailers_alone<H: Dir>() {
    let mut run = Run::<H>::new([script("A").wants(Interest::TRAILERS), script("B")]);
    run.head(false).data_end("1").expect(r#"B.H(0) B.D("1",1)"#, r#"H(0) D("1") end"#);
    run.finish("complete");

    let mut run = Run::<H>::new([script("A").wants(Interest::TRAILERS), script("B")]);
    run.head(false).data("1").trailers("x", "1");
    run.expect(r#"B.H(0) B.D("1",0) A.T(x: 1) B.T(x: 1)"#, r#"H(0) D("1") T(x: 1)"#);
    run.finish("complete");
}

both!(
    interest_in_data_dropped_while_open,
    interest_in_everything_dropped,
    interest_dropped_behind_another_filter,
    interest_in_data_dropped_while_holding,
    what_queues_behind_a_blind_holder_is_limited,
    interest_in_nothing,
    resume_before_the_start_and_after_the_end,
    interest_in_the_head_alone,
    interest_in_data_alone,
    interest_in_trailers_alone,
);
