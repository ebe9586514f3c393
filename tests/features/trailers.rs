//! Trailers added, removed, late, unsent.

use http::{HeaderMap, HeaderValue};
use tidegate::chain::MessageTraits;
use tidegate::filter::EditErrorKind;
use tidegate::{Capabilities, Capability, Filter, Head, Interest, View};

use crate::kit::*;

/// To a message that is only a head.
fn trailers_added_to_a_head_only_message<H: Dir>() {
    let a = script("A").adds_trailers().trailers_with(add_trailer("x-sum", "0", PASS));
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(true).expect("A.H(0) B.H(0) A.T() B.T(x-sum: 0)", "H(0) T(x-sum: 0)");
    run.finish("complete");
}

/// Next to those that came, by two filters.
fn trailers_added_to_those_that_came<H: Dir>() {
    let adds =
        |name, field| script(name).adds_trailers().trailers_with(add_trailer(field, "1", PASS));
    let mut run = Run::<H>::new([adds("A", "x-a"), adds("B", "x-b"), script("C")]);
    run.head(false).trailers("x", "1");
    run.expect(
        "A.H(0) B.H(0) C.H(0) A.T(x: 1) B.T(x: 1, x-a: 1) C.T(x: 1, x-a: 1, x-b: 1)",
        "H(0) T(x: 1, x-a: 1, x-b: 1)",
    );
    run.finish("complete");
}

/// Late: the end is held, the trailers are added when the sum is known.
fn trailers_added_on_resume<H: Dir>() {
    let a = script("A").adds_trailers().trailers(HOLD).resume_with(add_trailer("x-sum", "1", PASS));
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).data_end("1");
    run.expect(r#"A.H(0) B.H(0) A.D("1",0) B.D("1",0) A.T()"#, r#"H(0) D("1")"#);
    run.resume("A").expect(r#"A.resume("",1) B.T(x-sum: 1)"#, "T(x-sum: 1)");
    run.finish("complete");
}

/// Behind a body that the adder holds, and one that a later filter holds.
fn trailers_added_behind_held_bodies<H: Dir>() {
    let a = script("A").adds_trailers().data(HOLD).trailers_with(add_trailer("x-sum", "1", HOLD));
    let b = script("B").data(HOLD).trailers(HOLD);
    let mut run = Run::<H>::new([a, b]);
    run.head(false).data_end("1").expect(r#"A.H(0) B.H(0) A.D("1",0) A.T()"#, "H(0)");
    run.resume("A").expect(r#"A.resume("1",1) B.D("1",0) B.T(x-sum: 1)"#, "");
    run.resume("B").expect(r#"B.resume("1",1)"#, r#"D("1") T(x-sum: 1)"#);
    run.finish("complete");
}

/// `set_trailers` puts a map in the place of what is there.
fn trailers_replaced<H: Dir>() {
    let a = script("A").adds_trailers().trailers_with(|view| {
        view.set_trailers(HeaderMap::from_iter([(
            "x-new".parse().expect("a name"),
            HeaderValue::from_static("1"),
        )]))
        .expect("a granted edit");
        PASS
    });
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).trailers("x", "1");
    run.expect("A.H(0) B.H(0) A.T(x: 1) B.T(x-new: 1)", "H(0) T(x-new: 1)");
    run.finish("complete");
}

/// Trailers emptied by a filter, or left empty by one that might have added, are a plain end.
fn empty_trailers_are_a_plain_end<H: Dir>() {
    let a = script("A").trailers_with(|view| {
        view.trailers_mut().expect("trailers were shown").clear();
        PASS
    });
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).trailers("x", "1");
    run.expect(r#"A.H(0) B.H(0) A.T(x: 1) B.D("",1)"#, "H(0) end");
    run.finish("complete");

    let mut run = Run::<H>::new([script("A").adds_trailers(), script("B")]);
    run.head(false).data_end("1");
    run.expect(r#"A.H(0) B.H(0) A.D("1",0) B.D("1",0) A.T() B.D("",1)"#, r#"H(0) D("1") end"#);
    run.finish("complete");

    let mut run = Run::<H>::new([script("A")]);
    run.head(false).calls("A.H(0)");
    run.chain.handle_trailers(HeaderMap::new()).expect("trailers are taken");
    run.open_sink().expect(r#"A.D("",1)"#, "H(0) end");
    run.finish("complete");
}

/// Emptied while the head waits for them: the end is a plain one that stands directly behind it.
fn trailers_emptied_behind_a_held_head<H: Dir>() {
    let a = script("A").head(HOLD).trailers_with(|view| {
        view.trailers_mut().expect("trailers were shown").clear();
        PASS
    });
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).trailers("x", "1").expect("A.H(0) A.T(x: 1) B.H(1)", "H(1)");
    run.finish("complete");
}

/// Trailers set before any were shown count with the END of that call; otherwise they are dropped.
fn trailers_set_without_the_end_are_dropped<H: Dir>() {
    let a = script("A")
        .adds_trailers()
        .data_with(|view| {
            let mut map = HeaderMap::new();
            map.insert("x-early", HeaderValue::from_static("1"));
            view.set_trailers(map).expect("a granted edit");
            PASS
        })
        .data(END);
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).data("1").data("2");
    run.expect(
        r#"A.H(0) B.H(0) A.D("1",0) B.D("1",0) A.D("2",0) B.D("2",1)"#,
        r#"H(0) D("12") end"#,
    );
    run.finish("complete");
}

/// Where the edge cannot send trailers at all, they pass the chain and are counted at the exit
/// (ruling 16); and a filter that would add some is not asked to.
fn trailers_the_edge_cannot_send_are_counted<H: Dir>() {
    let a = script("A").adds_trailers().data_with(|view| {
        assert!(!view.granted(Capability::AddTrailers));
        let refused = view.set_trailers(HeaderMap::new()).expect_err("not granted");
        assert_eq!(refused.kind(), EditErrorKind::Undeclared(Capability::AddTrailers));
        PASS
    });
    let traits = MessageTraits::new().without_trailers();
    let mut run = Stage::<H>::new([a, script("B")]).traits(traits).run();
    run.head(false).data("1").trailers("x", "1");
    run.expect(r#"A.H(0) B.H(0) A.D("1",0) B.D("1",0) A.T(x: 1) B.T(x: 1)"#, r#"H(0) D("1") end"#);
    run.finish("complete unsent 1");
}

/// Without *add trailers* a filter is asked only about trailers that came, and sees a plain end in
/// its data call.
fn an_edge_that_adds_none_asks_for_none<H: Dir>() {
    let edge = Capabilities::ALL.without(Capability::AddTrailers);
    let mut run = Stage::<H>::new([script("A").adds_trailers()]).edge(edge).run();
    run.head(false).data_end("1").expect(r#"A.H(0) A.D("1",1)"#, r#"H(0) D("1") end"#);
    run.finish("complete");
}

/// A whole-body accumulator whose author never heard of trailers: the default of the trailers
/// callback asks its data callback with the end, so it neither loses them nor waits (I5).
struct Accumulator;

impl<H: Head> Filter<H> for Accumulator {
    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        if view.input_ended() { PASS } else { HOLD }
    }
}

fn trailers_reach_a_filter_that_does_not_know_them<H: Dir>() {
    let mut run = Stage::<H>::new([]).raw("acc", || Accumulator).script(script("B")).run();
    run.head(false).data("1").expect("B.H(0)", "H(0)");
    run.trailers("x", "1").expect(r#"B.D("1",0) B.T(x: 1)"#, r#"D("1") T(x: 1)"#);
    run.finish("complete");
}

/// Interest in data alone includes the end however it comes.
fn trailers_are_the_end_for_interest_in_data<H: Dir>() {
    let a = script("A").wants(Interest::DATA).data(HOLD);
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).data("1").expect(r#"B.H(0) A.D("1",0)"#, "H(0)");
    run.trailers("x", "1");
    run.expect(r#"A.D("",1) B.D("1",0) B.T(x: 1)"#, r#"D("1") T(x: 1)"#);
    run.finish("complete");
}

/// Trailers pass by a filter that wants neither data nor trailers, and wait while it holds.
fn trailers_wait_behind_a_holder_that_does_not_look<H: Dir>() {
    let a = script("A").wants(Interest::HEAD).head(HOLD);
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).data("1").trailers("x", "1").expect("A.H(0)", "");
    run.resume("A")
        .expect(r#"A.resume("",0) B.H(0) B.D("1",0) B.T(x: 1)"#, r#"H(0) D("1") T(x: 1)"#);
    run.finish("complete");
}

/// A slow sink: trailers come out behind all body, and the outcome is fixed with them.
fn trailers_wait_for_a_slow_sink<H: Dir>() {
    let mut run = Run::<H>::new([script("A")]);
    run.hold_sink().head(false).data("1").trailers("x", "1");
    run.calls(r#"A.H(0) A.D("1",0) A.T(x: 1)"#).sink("");
    run.take_one().take_one();
    assert!(run.chain.outcome().is_none() && !run.chain.is_end_stream());
    run.take_one().sink(r#"H(0) D("1") T(x: 1)"#);
    run.finish("complete");
}

both!(
    trailers_added_to_a_head_only_message,
    trailers_added_to_those_that_came,
    trailers_added_on_resume,
    trailers_added_behind_held_bodies,
    trailers_replaced,
    empty_trailers_are_a_plain_end,
    trailers_emptied_behind_a_held_head,
    trailers_set_without_the_end_are_dropped,
    trailers_the_edge_cannot_send_are_counted,
    an_edge_that_adds_none_asks_for_none,
    trailers_reach_a_filter_that_does_not_know_them,
    trailers_are_the_end_for_interest_in_data,
    trailers_wait_behind_a_holder_that_does_not_look,
    trailers_wait_for_a_slow_sink,
);
