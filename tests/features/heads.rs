//! The head, held and changed.

use tidegate::{Capabilities, Capability};

use crate::kit::*;

/// The head waits while the whole body is inspected, is changed by what was found, and goes first.
fn head_held_changed_by_the_body_and_released<H: Dir>() {
    let a = script::<H>("A").head(HOLD).data(HOLD).data_with(|view| {
        assert!(view.input_ended());
        let found = view.body().find(b"virus", 0).is_some();
        let head = view.head_mut().expect("the head stands here");
        head.set("x-found", if found { "yes" } else { "no" });
        PASS
    });
    let b = script::<H>("B").head_with(|view| {
        let head = view.head().expect("the head is in the view");
        assert_eq!(head.get("x-found"), Some("yes"));
        PASS
    });
    let mut run = Run::<H>::new([a, b]);
    run.head(false).data("a vir").expect(r#"A.H(0) A.D("a vir",0)"#, "");
    run.data_end("us").expect(r#"A.D("us",1) B.H(0) B.D("a virus",1)"#, r#"H(0) D("a virus") end"#);
    assert_eq!(run.sunk_head().get("x-found"), Some("yes"));
    run.finish("complete");
}

/// Every callback can edit the head while it stands there; once it has gone, none can (I2).
fn head_is_in_the_view_until_it_goes<H: Dir>() {
    let mark = |view: &mut tidegate::View<'_, H>, name| {
        view.head_mut().expect("the head stands here").set(name, "1");
        HOLD
    };
    let a = script("A")
        .head_with(move |view| mark(view, "x-head"))
        .data_with(move |view| mark(view, "x-data"))
        .trailers_with(move |view| mark(view, "x-trailers"))
        .resume_with(move |view| mark(view, "x-resume"))
        .resume_with(|view| {
            assert!(view.head().is_some());
            first(0)
        })
        .resume_with(|view| {
            assert!(view.head().is_none() && view.head_mut().is_none());
            assert!(!view.set_declared_bytes(1), "there is nothing to declare it in");
            PASS
        });
    let mut run = Run::<H>::new([a]);
    run.head(false).data("1").trailers("x", "1");
    run.expect(r#"A.H(0) A.D("1",0) A.T(x: 1)"#, "");
    run.resume("A").expect(r#"A.resume("1",1)"#, "");
    run.resume("A").expect(r#"A.resume("1",1)"#, "H(0)");
    for name in ["x-head", "x-data", "x-trailers", "x-resume"] {
        assert_eq!(run.sunk_head().get(name), Some("1"), "{name}");
    }
    run.resume("A").expect(r#"A.resume("1",1)"#, r#"D("1") T(x: 1)"#);
    run.finish("complete");
}

const fn first(bytes: usize) -> Verdict {
    Verdict::pass_first(bytes)
}

/// Several filters hold the head one after the other; the body waits with the first of them.
fn head_held_by_one_filter_after_the_other<H: Dir>() {
    let holds = |name| script(name).head(HOLD).data(HOLD);
    let mut run = Run::<H>::new([holds("A"), holds("B"), holds("C")]);
    run.head(false).data_end("1").expect(r#"A.H(0) A.D("1",1)"#, "");
    run.resume("A").expect(r#"A.resume("1",1) B.H(0) B.D("1",1)"#, "");
    run.resume("B").expect(r#"B.resume("1",1) C.H(0) C.D("1",1)"#, "");
    run.resume("C").expect(r#"C.resume("1",1)"#, r#"H(0) D("1") end"#);
    run.finish("complete");
}

/// A head goes as far as it can before the bytes released with it do (ruling 8).
fn head_goes_before_the_bytes_of_the_same_verdict<H: Dir>() {
    let a = script("A").head(HOLD).data(HOLD);
    let mut run = Run::<H>::new([a, script("B"), script("C").head(HOLD), script("D")]);
    run.head(false).data("1").expect(r#"A.H(0) A.D("1",0)"#, "");
    run.resume("A").expect(
        r#"A.resume("1",0) B.H(0) C.H(0) B.D("1",0) C.D("1",0) D.H(0) D.D("1",0)"#,
        r#"H(0) D("1")"#,
    );
    run.end().expect(r#"A.D("",1) B.D("",1) C.D("",1) D.D("",1)"#, "end");
    run.finish("complete");
}

/// A filter that was not granted it cannot hold the head (ruling 21): it did not declare it, or
/// the edge cannot wait. Quiet holds and holds that reject are holds.
fn hold_of_the_head_needs_the_capability<H: Dir>() {
    for hold in [HOLD, BUF, SAW, SAB] {
        let undeclared = script::<H>("A").without_needs().head(hold);
        let mut run = Run::new([script("<"), undeclared, script(">")]);
        run.head(false).expect("<.H(0) A.H(0)", "reset(A undeclared hold the head for body)");
        run.finish_closing("< A", "failed A undeclared hold the head for body");

        let declared = script::<H>("A").head_with(move |view| {
            assert!(!view.granted(Capability::HoldHead));
            hold
        });
        let edge = Capabilities::ALL.without(Capability::HoldHead);
        let mut run = Stage::new([declared]).edge(edge).run();
        run.head(false).expect("A.H(0)", "reset(A undeclared hold the head for body)");
        run.finish("failed A undeclared hold the head for body");
    }
}

/// Letting the head go and keeping the message open holds no head, so it needs nothing.
fn pass_first_of_nothing_is_no_hold_of_the_head<H: Dir>() {
    let a = script::<H>("A").without_needs().head(CDE).data(PASS);
    let mut run = Run::new([a]);
    run.head(false).expect("A.H(0)", "H(0)");
    run.data_end("1").expect(r#"A.D("1",1)"#, r#"D("1") end"#);
    run.finish("complete");
}

both!(
    head_held_changed_by_the_body_and_released,
    head_is_in_the_view_until_it_goes,
    head_held_by_one_filter_after_the_other,
    head_goes_before_the_bytes_of_the_same_verdict,
    hold_of_the_head_needs_the_capability,
    pass_first_of_nothing_is_no_hold_of_the_head,
);
