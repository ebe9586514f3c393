//! How work is ordered, bounded and metered (I7, I13; rulings 1, 4 and 14), and how many filters
//! there may be.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tidegate::chain::PlanError;
use tidegate::{Plan, limits};

use crate::kit::*;

/// Three letters are a record. Lets whole records go, and holds the rest under its limit.
fn records<H: Dir>(name: &'static str) -> Script<H> {
    script(name).high(4).data_always(|view| {
        if view.input_ended() {
            return PASS;
        }
        Verdict::pass_first(view.body().len() / 3 * 3).or_reject()
    })
}

/// A rejecting neighbour that could deal with the bytes one by one is never answered 413 because
/// they were released in a larger batch: a release is handed on in pieces that fit its room.
fn releases_into_a_rejecting_neighbour_are_metered<H: Dir>() {
    const BODY: &str = "aaabbbcccdddeeefffggghh";
    for batch in 1..=BODY.len() {
        let a = script("A").data_always(|_| HOLD).resume_always(move |view| {
            let ended = view.input_ended() && view.body().len() <= batch;
            if ended { PASS } else { Verdict::pass_first(batch) }
        });
        let mut run = Run::<H>::new([a, records("B")]);
        run.head(false).data(BODY).end();
        while run.chain.outcome().is_none() {
            run.resume("A");
        }
        run.drop_calls();
        run.sink(&format!(r#"H(0) D("{BODY}") end"#));
        run.finish("complete");
    }
}

/// One that cannot is answered, at whatever batch: five bytes that stay are more than four.
fn a_rejecting_neighbour_over_its_limit_is_answered_at_any_batch<H: Dir>() {
    for batch in 1..=6 {
        let a =
            script("A").data_always(|_| HOLD).resume_always(move |_| Verdict::pass_first(batch));
        let b = script("B").high(4).head(HOLD).data_always(|_| BUF);
        let mut run = Run::<H>::new([a, b]);
        run.head(false).data("123456");
        for _ in 0..5_usize.div_ceil(batch) {
            run.resume("A");
        }
        run.drop_calls();
        run.sink(if H::REQUEST { "reply(413,0)" } else { "H[500](1)" });
        run.finish("limit B limit 4");
    }
}

/// The pieces themselves: as large as the room, and no larger than a frame.
fn release_in_pieces_of_the_room<H: Dir>() {
    let a = script("A").data(HOLD);
    let mut run = Run::<H>::new([a, records("B")]);
    run.head(false).data("aaabbbccc").expect(r#"A.H(0) B.H(0) A.D("aaabbbccc",0)"#, "H(0)");
    run.resume("A").expect(
        r#"A.resume("aaabbbccc",0) B.D("aaab",0) B.D("bbc",0) B.D("cc",0)"#,
        r#"D("aaabbbccc")"#,
    );
    run.end().expect(r#"A.D("",1) B.D("",1)"#, "end");
    run.finish("complete");

    let stage = Stage::<H>::new([script("A").data(HOLD), script("B")]).max_frame(2);
    let mut run = stage.run();
    run.head(false).data("11").expect(r#"A.H(0) B.H(0) A.D("11",0)"#, "H(0)");
    run.resume("A").expect(r#"A.resume("11",0) B.D("11",0)"#, r#"D("11")"#);
    run.data_end("12345").expect(
        r#"A.D("12",0) B.D("12",0) A.D("34",0) B.D("34",0) A.D("5",1) B.D("5",1)"#,
        r#"D("12345") end"#,
    );
    run.finish("complete");
}

/// Work is done nearest the sink first: resumes of three holders that are asked at once.
fn work_is_done_nearest_the_sink_first<H: Dir>() {
    let holds = |name| script(name).data(HOLD).data(HOLD);
    let a = script("A").data(PASS).data(PASS).data(HOLD);
    let b = script("B").data(PASS).data(HOLD).data(PASS);
    let mut run = Run::<H>::new([a, b, holds("C")]);
    run.head(false).data("1").data("2").data("3");
    run.sink("H(0)");
    run.drop_calls();
    let handles: Vec<_> = run.log().lock().handles.values().cloned().collect();
    for handle in &handles {
        handle.resume();
    }
    run.chain.handle_resumes();
    run.open_sink();
    run.expect(
        r#"C.resume("1",0) B.resume("2",0) C.D("2",0) A.resume("3",0) B.D("3",0) C.D("3",0)"#,
        r#"D("123")"#,
    );
    drop(handles);
    run.cancel();
    run.finish("cancelled");
}

/// A filter that asks itself again and again is asked once a drive, after all other work; the rest
/// is reported as more work (I13).
fn again_is_asked_last_and_once_a_drive<H: Dir>() {
    let busy = |_: &mut tidegate::View<'_, H>| HOLD.again();
    let b = script("B").data_always(busy).resume_always(busy);
    let a = script("A").data(SAW);
    let mut run = Run::<H>::new([a, b]);
    run.hold_sink().head(false);
    run.data("1").calls(r#"A.H(0) B.H(0) A.D("1",0)"#);
    run.data("2").calls("");
    // A's bytes go through all there is to go through before B is asked again.
    run.resume("A").calls(r#"A.resume("1",0) B.D("1",0) A.D("2",0) B.D("2",0) B.resume("12",0)"#);
    assert!(run.chain.has_work());
    for _ in 0..10 {
        assert!(run.chain.poll_output().is_none_or(|_| true));
    }
    assert!(run.chain.has_work());
    run.drop_calls();
    run.cancel().sink("");
    assert!(!run.chain.has_work());
    run.finish("cancelled");
}

/// While it does so, what comes from before it is shown to it in its turn: nobody starves.
fn again_does_not_starve_the_filters_before<H: Dir>() {
    let busy = |view: &mut tidegate::View<'_, H>| {
        if view.input_ended() { PASS } else { HOLD.again() }
    };
    let b = script("B").data_always(busy).resume_always(busy);
    let mut run = Run::<H>::new([script("A"), b]);
    run.hold_sink().head(false).calls("A.H(0) B.H(0)");
    run.data("1").calls(r#"A.D("1",0) B.D("1",0) B.resume("1",0)"#);
    run.data("2").calls(r#"A.D("2",0) B.D("2",0) B.resume("12",0)"#);
    run.end().calls(r#"A.D("",1) B.D("",1)"#);
    assert!(!run.chain.has_work());
    run.open_sink().sink(r#"H(0) D("12") end"#);
    run.finish("complete");
}

/// One drive starts nothing more after `MAX_CALLS_PER_DRIVE` calls, and only finishes the wave
/// under way; the rest is more work, and gets done.
fn one_drive_is_bounded<H: Dir>() {
    // A wave has a call for each of the three filters at most.
    const MOST: u64 = limits::MAX_CALLS_PER_DRIVE as u64 + 3 - 1;
    let made = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&made);
    let c = script("C").data_always(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        PASS
    });
    let stage = Stage::<H>::new([script("A").data_always(|_| HOLD), script("B"), c]).max_frame(1);
    let mut run = stage.run();
    run.hold_sink().head(false);
    let body: &'static str = Box::leak("x".repeat(3_000).into_boxed_str());
    // One-byte frames: a call of A for each.
    run.chain.handle_data(body.into(), false).expect("data is taken");
    let mut drives = 0;
    while run.chain.has_work() {
        let before = run.count();
        drop(run.chain.poll_output());
        assert!(run.count() - before <= MOST);
        drives += 1;
        assert!(drives < 100);
    }
    assert!(drives > 1, "three thousand calls are no one drive's");
    let before = run.count();
    let handle = run.log().lock().handles.get("A").cloned().expect("a handle");
    handle.resume();
    run.chain.handle_resumes();
    assert!(run.count() - before <= MOST);
    assert!(run.chain.has_work());
    run.wants(false);
    while run.chain.has_work() {
        let before = run.count();
        drop(run.chain.poll_output());
        assert!(run.count() - before <= MOST);
    }
    assert_eq!(made.load(Ordering::Relaxed), 3_000, "nothing was left undone");
    drop(run.abandon());
}

/// 64 filters are as many as fit; the last one can hold, resume and end like any other.
fn as_many_filters_as_fit<H: Dir>() {
    const NAMES: [&str; 64] = ["f"; 64];
    let last = script("last").head(HOLD).data(HOLD);
    let mut run = Run::<H>::new(NAMES[..63].iter().map(|name| script(name)).chain([last]));
    run.head(false).data_end("1").sink("");
    assert_eq!(run.drop_calls(), 64 + 64);
    run.resume("last").expect(r#"last.resume("1",1)"#, r#"H(0) D("1") end"#);
    run.gone("last").expect("", "");
    run.finish("complete");
}

fn one_filter_more_than_fits<H: Dir>() {
    struct Nothing;
    impl<H: Dir> tidegate::Filter<H> for Nothing {}
    let build = |filters: usize| {
        (0..filters).fold(Plan::<H>::builder(), |plan, _| plan.filter("f", || Nothing)).build()
    };
    assert!(build(limits::MAX_FILTERS).is_ok());
    let error = build(65).expect_err("one too many");
    assert_eq!(error, PlanError::TooManyFilters { filters: 65 });
    assert_eq!(error.to_string(), "65 filters in one chain: limits::MAX_FILTERS is 64");
    let error = Plan::<H>::builder().max_frame_bytes(0).build().expect_err("nothing gets in");
    assert_eq!(error, PlanError::EmptyFrames);
}

/// No filter at all: the chain still carries, bounds and ends.
fn no_filter_at_all<H: Dir>() {
    let mut run = Stage::<H>::new([]).max_frame(2).run();
    run.head(false).data("123").trailers("x", "1");
    run.expect("", r#"H(0) D("123") T(x: 1)"#);
    run.finish("complete");
}

both!(
    releases_into_a_rejecting_neighbour_are_metered,
    a_rejecting_neighbour_over_its_limit_is_answered_at_any_batch,
    release_in_pieces_of_the_room,
    work_is_done_nearest_the_sink_first,
    again_is_asked_last_and_once_a_drive,
    again_does_not_starve_the_filters_before,
    one_drive_is_bounded,
    as_many_filters_as_fit,
    one_filter_more_than_fits,
    no_filter_at_all,
);
