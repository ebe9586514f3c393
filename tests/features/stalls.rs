//! Stalls (I8, ruling 13): when nothing can go on, the message fails and names who stands still;
//! and only then.

use bytes::Bytes;
use tidegate::filter::EditErrorKind;
use tidegate::{Interest, View};

use crate::kit::*;

fn forgetful<H: Dir>(name: &'static str) -> Script<H> {
    script(name).no_handle()
}

/// Held with the end shown, and no handle: nobody will ever ask again.
fn stall_of_a_holder_that_has_seen_the_end<H: Dir>() {
    let mut run = Run::<H>::new([forgetful("A").data(HOLD), script("B")]);
    run.head(false).data_end("1");
    run.expect(r#"A.H(0) B.H(0) A.D("1",1)"#, "H(0) reset(A stalled)");
    run.finish("stalled A stalled");

    let mut run = Run::<H>::new([forgetful("A").head(HOLD)]);
    run.head(true).expect("A.H(1)", "reset(A stalled)");
    run.finish("stalled A stalled");

    let mut run = Run::<H>::new([forgetful("A").trailers(HOLD)]);
    run.head(false).trailers("x", "1").expect("A.H(0) A.T(x: 1)", "H(0) reset(A stalled)");
    run.finish("stalled A stalled");

    let mut run = Run::<H>::new([forgetful("A").data(Verdict::pass_first(9))]);
    run.head(false).data_end("1");
    run.expect(r#"A.H(0) A.D("1",1)"#, r#"H(0) D("1") reset(A stalled)"#);
    run.finish("stalled A stalled");
}

/// The same with a live handle is no stall; once the last handle is gone, it is.
fn stall_when_the_last_handle_goes<H: Dir>() {
    let mut run = Run::<H>::new([script("A").data(HOLD), script("B")]);
    run.head(false).data_end("1").expect(r#"A.H(0) B.H(0) A.D("1",1)"#, "H(0)");
    assert!(run.chain.outcome().is_none());
    run.drop_handle("A").expect("", "reset(A stalled)");
    run.finish("stalled A stalled");
}

/// A resume queued before the handle went counts.
fn no_stall_while_a_resume_is_queued<H: Dir>() {
    let mut run = Run::<H>::new([script("A").data(HOLD)]);
    run.head(false).data_end("1").expect(r#"A.H(0) A.D("1",1)"#, "H(0)");
    let handle = run.log().lock().handles.remove("A").expect("a handle");
    assert_eq!(handle.resume(), tidegate::Resumed::Queued);
    drop(handle);
    assert!(run.chain.poll_output().is_none() && run.chain.outcome().is_none());
    run.chain.handle_resumes();
    run.open_sink().expect(r#"A.resume("1",1)"#, r#"D("1") end"#);
    run.finish("complete");
}

/// A holder that is not quiet gets the next bytes: no stall while the source is wanted.
fn no_stall_while_more_input_can_come<H: Dir>() {
    let mut run = Run::<H>::new([forgetful("A").data(HOLD)]);
    run.head(false).data("1").expect(r#"A.H(0) A.D("1",0)"#, "H(0)").wants(true);
    run.data_end("2").expect(r#"A.D("2",1)"#, r#"D("12") end"#);
    run.finish("complete");
}

/// A quiet holder gets none of it.
fn stall_of_a_quiet_holder<H: Dir>() {
    let mut run = Run::<H>::new([forgetful("A").head(SAW), script("B")]);
    run.head(false).expect("A.H(0)", "reset(A stalled)");
    run.finish_closing("A", "stalled A stalled");
}

/// Over its high mark, the holder pauses the source: nothing will reach it.
fn stall_of_a_holder_that_pauses_the_source<H: Dir>() {
    let mut run = Run::<H>::new([forgetful("A").high(4).data(HOLD).data(HOLD)]);
    run.head(false).data("1234").expect(r#"A.H(0) A.D("1234",0)"#, "H(0)").wants(true);
    run.data("5").expect(r#"A.D("5",0)"#, "reset(A stalled)");
    run.finish("stalled A stalled");
}

/// Not only holders: a filter that passes, and keeps what it took, is over just the same.
fn stall_of_an_open_station_that_keeps_bytes<H: Dir>() {
    let keeps = |view: &mut View<'_, H>| {
        drop(view.take().expect("a granted edit"));
        view.set_kept_bytes(5).expect("it was taken");
        PASS
    };
    let a = forgetful("A").high(4).data_with(keeps);
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).data("12345");
    run.expect(r#"A.H(0) B.H(0) A.D("12345",0)"#, "H(0) reset(A stalled)");
    run.finish("stalled A stalled");

    // With a handle somebody may still tell it to give the bytes back.
    let a = script("A").high(4).data_with(keeps).resume_with(|view| {
        view.set_kept_bytes(0).expect("less");
        view.push(Bytes::from_static(b"12345")).expect("it was kept");
        PASS
    });
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).data("12345").expect(r#"A.H(0) B.H(0) A.D("12345",0)"#, "H(0)").wants(false);
    run.resume("A").expect(r#"A.resume("",0) B.D("12345",0)"#, r#"D("12345")"#).wants(true);
    run.end().expect(r#"A.D("",1) B.D("",1)"#, "end");
    run.finish("complete");
}

/// Refused as `Full` of what it added itself: no recall can come of that, since it comes when some
/// of that has left.
fn stall_of_a_station_that_is_full_of_what_it_added<H: Dir>() {
    let a = forgetful("A").high(4).data_with(push_then("++++", HOLD)).trailers_with(|view| {
        let refused = view.push(Bytes::from_static(b"+")).expect_err("it has added four");
        assert_eq!(refused.kind(), EditErrorKind::Full);
        HOLD
    });
    let mut run = Run::<H>::new([a, script("B").head(HOLD)]);
    // Stalls are noticed when output is asked for.
    run.hold_sink().head(false).data("1").trailers("x", "1");
    run.calls(r#"A.H(0) B.H(0) A.D("1",0) A.T(x: 1)"#);
    run.open_sink().sink("reset(A stalled)");
    run.finish("stalled A stalled");
}

/// Refused because a later station is over: the recall will come once that is not.
fn no_stall_while_a_recall_is_due<H: Dir>() {
    let a = forgetful("A").trailers_with(|view| {
        let refused = view.push(Bytes::from_static(b"+")).expect_err("B is over");
        assert_eq!(refused.kind(), EditErrorKind::Full);
        HOLD
    });
    let mut run = Run::<H>::new([a, script("B").high(4).data(HOLD)]);
    run.head(false).data("12345").trailers("x", "1");
    run.expect(r#"A.H(0) B.H(0) A.D("12345",0) B.D("12345",0) A.T(x: 1)"#, "H(0)");
    run.resume("B")
        .expect(r#"B.resume("12345",0) A.resume("",1) B.T(x: 1)"#, r#"D("12345") T(x: 1)"#);
    run.finish("complete");
}

/// A filter that looks at neither data nor trailers and holds the head: nothing will ever be shown
/// to it.
fn stall_of_a_blind_head_holder<H: Dir>() {
    let a = forgetful("A").wants(Interest::HEAD).head(HOLD);
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).expect("A.H(0)", "reset(A stalled)");
    run.finish_closing("A", "stalled A stalled");

    let a = script("A").wants(Interest::HEAD).head(HOLD);
    let mut run = Run::<H>::new([a]);
    run.head(false).data("1").expect("A.H(0)", "");
    run.resume("A").expect(r#"A.resume("",0)"#, r#"H(0) D("1")"#);
    run.cancel();
    run.finish("cancelled");
}

fn waits_for_trailers<H: Dir>() -> Run<H> {
    let a = forgetful("A").wants(Interest::HEAD | Interest::TRAILERS).head(HOLD);
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).expect("A.H(0)", "").wants(true);
    run
}

/// One that looks at trailers can still get those, if no body comes before them.
fn no_stall_of_a_head_holder_that_can_get_trailers<H: Dir>() {
    let mut run = waits_for_trailers::<H>();
    run.trailers("x", "1").expect("A.T(x: 1) B.H(0) B.T(x: 1)", "H(0) T(x: 1)");
    run.finish("complete");
}

/// Bytes that queue before it unseen keep the trailers from it.
fn stall_of_a_head_holder_when_bytes_bar_the_trailers<H: Dir>() {
    let mut run = waits_for_trailers::<H>();
    run.data("1").expect("", "reset(A stalled)");
    run.finish_closing("A", "stalled A stalled");
}

/// A plain end means that there are none.
fn stall_of_a_head_holder_when_no_trailers_come<H: Dir>() {
    let mut run = waits_for_trailers::<H>();
    run.end().expect("", "reset(A stalled)");
    run.finish_closing("A", "stalled A stalled");
}

/// A plain end that still waits at an earlier filter means the same.
fn stall_of_a_head_holder_when_a_plain_end_waits_before_it<H: Dir>() {
    let a = forgetful("A").wants(Interest::HEAD | Interest::TRAILERS).head(HOLD);
    let mut run = Run::<H>::new([script("Z").head(CDE.quiet()), a]);
    run.head(false).expect("Z.H(0) A.H(0)", "").wants(true);
    run.end().expect("", "reset(A stalled)");
    run.finish("stalled A stalled");
}

/// Unless that one may add some.
fn no_stall_of_a_head_holder_behind_one_that_adds_trailers<H: Dir>() {
    let z = script("Z").adds_trailers().head(CDE.quiet());
    let z = z.trailers_with(add_trailer("x-sum", "1", PASS));
    let a = forgetful("A").wants(Interest::HEAD | Interest::TRAILERS).head(HOLD);
    let mut run = Run::<H>::new([z, a]);
    run.head(false).expect("Z.H(0) A.H(0)", "").wants(true);
    run.end().expect("", "");
    run.resume("Z").expect(r#"Z.resume("",0) Z.T() A.T(x-sum: 1)"#, "H(0) T(x-sum: 1)");
    run.finish("complete");
}

/// One that may add some itself is asked at a plain end too.
fn no_stall_of_a_head_holder_that_adds_trailers<H: Dir>() {
    let a = forgetful("A").adds_trailers().wants(Interest::HEAD).head(HOLD);
    let a = a.trailers_with(add_trailer("x-sum", "0", PASS));
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).expect("A.H(0)", "").wants(true);
    run.end().expect("A.T() B.H(0) B.T(x-sum: 0)", "H(0) T(x-sum: 0)");
    run.finish("complete");
}

/// What is let go at once makes nobody over: a filter that keeps less than its mark of each frame
/// and needs no handle for it gets the next one (ruling 5).
fn no_stall_of_a_filter_that_lets_most_of_a_frame_go<H: Dir>() {
    let a = forgetful("A").high(4).data(Verdict::pass_first(3)).data(Verdict::pass_first(6));
    let mut run = Run::<H>::new([a]);
    run.head(false).data("123456").expect(r#"A.H(0) A.D("123456",0)"#, r#"H(0) D("123")"#);
    run.wants(true).holds(3).data("789012").expect(r#"A.D("789012",0)"#, r#"D("456789")"#);
    assert_eq!(run.stats().pauses, 0);
    run.wants(true).end().expect(r#"A.D("",1)"#, r#"D("012") end"#);
    run.finish("complete");
}

/// A slow sink is no stall: what is stuck shows when it has taken what there is.
fn no_stall_while_the_sink_is_slow<H: Dir>() {
    let a = forgetful("A").high(4).data(Verdict::pass_first(5));
    let mut run = Stage::<H>::new([a]).output_high(4).run();
    run.hold_sink().head(false).data("1234567890").take_one();
    run.expect(r#"A.H(0) A.D("1234567890",0)"#, "H(0)").wants(false);
    assert!(run.chain.outcome().is_none());
    // The release was metered: four bytes of room, and one that made the queue over.
    run.take_one().take_one().sink(r#"D("12345")"#);
    assert!(run.chain.outcome().is_none());
    run.open_sink().expect("", "reset(A stalled)");
    run.finish("stalled A stalled");
}

/// A filter that is not stuck is no excuse for one that is.
fn stall_in_spite_of_a_filter_that_can_go_on<H: Dir>() {
    let a = forgetful("A").data(HOLD);
    let mut run = Run::<H>::new([a, script("B").head(HOLD)]);
    run.head(false).expect("A.H(0) B.H(0)", "");
    run.data_end("1").expect(r#"A.D("1",1)"#, "reset(A stalled)");
    run.finish("stalled A stalled");
}

/// A holder before a declared end is over and done with: it is stuck no more.
fn no_stall_of_a_holder_before_a_declared_end<H: Dir>() {
    let a = forgetful("A").data(Verdict::pass_first(1).quiet());
    let mut run = Run::<H>::new([a, script("B").data(END), script("C").data(HOLD)]);
    run.head(false).data("12");
    run.expect(r#"A.H(0) B.H(0) C.H(0) A.D("12",0) B.D("1",0) C.D("1",1)"#, "H(0)");
    run.resume("C").expect(r#"C.resume("1",1)"#, r#"D("1") end"#);
    run.finish("complete -1");

    let a = forgetful("A").wants(Interest::HEAD).head(CDE);
    let mut run = Run::<H>::new([a, script("B").head(END), script("C").head(HOLD)]);
    run.head(false).expect("A.H(0) B.H(0) C.H(1)", "");
    run.resume("C").expect(r#"C.resume("",1)"#, "H(1)");
    run.finish("complete");
}

/// Of several that are stuck, the one nearest the sink is named.
fn stall_names_the_filter_nearest_the_sink<H: Dir>() {
    let mut run = Run::<H>::new([forgetful("A").data(SAW), forgetful("B").head(SAW), script("C")]);
    run.hold_sink().head(false).data("1").calls(r#"A.H(0) B.H(0) A.D("1",0)"#);
    run.open_sink().sink("reset(B stalled)");
    run.finish_closing("A B", "stalled B stalled");
}

both!(
    stall_of_a_holder_that_has_seen_the_end,
    stall_when_the_last_handle_goes,
    no_stall_while_a_resume_is_queued,
    no_stall_while_more_input_can_come,
    stall_of_a_quiet_holder,
    stall_of_a_holder_that_pauses_the_source,
    stall_of_an_open_station_that_keeps_bytes,
    stall_of_a_station_that_is_full_of_what_it_added,
    no_stall_while_a_recall_is_due,
    stall_of_a_blind_head_holder,
    no_stall_of_a_head_holder_that_can_get_trailers,
    stall_of_a_head_holder_when_bytes_bar_the_trailers,
    stall_of_a_head_holder_when_no_trailers_come,
    stall_of_a_head_holder_when_a_plain_end_waits_before_it,
    no_stall_of_a_head_holder_behind_one_that_adds_trailers,
    no_stall_of_a_head_holder_that_adds_trailers,
    no_stall_of_a_filter_that_lets_most_of_a_frame_go,
    no_stall_while_the_sink_is_slow,
    no_stall_of_a_holder_before_a_declared_end,
    stall_in_spite_of_a_filter_that_can_go_on,
    stall_names_the_filter_nearest_the_sink,
);
