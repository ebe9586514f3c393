//! Bodies added, emptied, replaced.

use bytes::Bytes;

use crate::kit::*;

/// Two filters add body to a message that is only a head: in chain order, one end.
fn two_filters_add_body_to_a_head_only_message<H: Dir>() {
    let a = script("A").head_with(push_then("a", PASS));
    let b = script("B").head(HOLD).data_with(push_then("b", PASS));
    let mut run = Run::<H>::new([a, b, script("C")]);
    run.head(true).expect(r#"A.H(1) B.H(0) B.D("a",1) C.H(0) C.D("ab",1)"#, r#"H(0) D("ab") end"#);
    run.finish("complete");
}

/// A body added in several resumes to a message that was only a head.
fn body_added_bit_by_bit_to_a_head_only_message<H: Dir>() {
    let a = script("A")
        .head(CDE)
        .resume_with(push_then("one ", Verdict::pass_first(4)))
        .resume_with(push_then("two ", Verdict::pass_first(4)))
        .resume_with(push_then("three", PASS));
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(true).expect("A.H(1) B.H(0)", "H(0)");
    run.resume("A").expect(r#"A.resume("",1) B.D("one ",0)"#, r#"D("one ")"#);
    run.resume("A").expect(r#"A.resume("",1) B.D("two ",0)"#, r#"D("two ")"#);
    run.resume("A").expect(r#"A.resume("",1) B.D("three",1)"#, r#"D("three") end"#);
    run.finish("complete");
}

/// A filter that takes everything and passes: the next one gets no empty call, and the end once.
fn body_emptied_on_the_way<H: Dir>() {
    let a = script("A").data_always(|view| {
        view.take().expect("a granted edit");
        PASS
    });
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).expect("A.H(0) B.H(0)", "H(0)");
    run.data("11").expect(r#"A.D("11",0)"#, "");
    run.data_end("22").expect(r#"A.D("22",1) B.D("",1)"#, "end");
    run.finish("complete");
}

/// The same with the head held to the end: what is left is only a head.
fn body_emptied_behind_a_held_head<H: Dir>() {
    let a = script("A").head(HOLD).data(HOLD).data_with(take_then(PASS));
    let mut run = Run::<H>::new([a, script("B")]);
    run.head_of(H::declaring(4), false).data("11").data_end("22");
    run.expect(r#"A.H(0) A.D("11",0) A.D("22",1) B.H(1)"#, "H(1)");
    assert_eq!(run.sunk_head().get("content-length"), None);
    run.finish("complete");
}

/// Emptied, with trailers behind it: they go on alone.
fn body_emptied_before_trailers<H: Dir>() {
    let a = script("A").data_with(take_then(PASS));
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).data("11").trailers("x", "1");
    run.expect(r#"A.H(0) B.H(0) A.D("11",0) A.T(x: 1) B.T(x: 1)"#, "H(0) T(x: 1)");
    run.finish("complete");
}

/// The whole body replaced, and its new length declared with the head that waited for it.
fn body_replaced_and_its_length_declared<H: Dir>() {
    let a = script("A").head(HOLD).data_with(|view| {
        let len = view.body().len();
        view.replace(0..len, Bytes::from_static(b"another body")).expect("room for an edit");
        assert!(view.set_declared_bytes(12), "the head is here");
        PASS
    });
    let mut run = Run::<H>::new([a, script("B").without_needs()]);
    run.head_of(H::declaring(3), false).data_end("old");
    run.expect(
        r#"A.H(0) A.D("old",1) B.H(0) B.D("another body",1)"#,
        r#"H(0) D("another body") end"#,
    );
    assert_eq!(run.sunk_head().get("content-length"), Some("12"));
    run.finish("complete");
}

/// Edits in the middle of what is held: inserted, removed, replaced, taken from the front.
fn body_edited_in_the_middle<H: Dir>() {
    let a = script("A").shows_all().data(HOLD).data_with(|view| {
        let bytes = Bytes::from_static;
        assert_eq!(view.new_at(), 6);
        view.insert(3, bytes(b"-")).expect("room for an edit");
        assert_eq!(view.new_at(), 7, "old bytes came in before the new ones");
        let removed = view.remove(8..10).expect("a granted edit");
        assert_eq!(removed, b"hi");
        view.replace(0..1, bytes(b"AA")).expect("room for an edit");
        view.prepend(bytes(b"<")).expect("room for an edit");
        view.push(bytes(b">")).expect("room for an edit");
        assert_eq!(*view.body(), b"<AAbc-defgjk>");
        PASS
    });
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).data("abcdef").data("ghijk");
    run.expect(
        r#"A.H(0) B.H(0) A.D("abcdef",0) A.D("abcdef"+"ghijk",0) B.D("<AAbc-defgjk>",0)"#,
        r#"H(0) D("<AAbc-defgjk>")"#,
    );
    run.end().expect(r#"A.D("",1) B.D("",1)"#, "end");
    run.finish("complete");
}

/// A hold that never ends on its own account keeps every byte in order, however it was cut.
fn whole_body_held_in_many_pieces<H: Dir>() {
    let a = script("A").data_always(|view| if view.input_ended() { PASS } else { HOLD });
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).expect("A.H(0) B.H(0)", "H(0)");
    for _ in 0..100 {
        run.data("0123456789");
    }
    assert_eq!(run.drop_calls(), 100);
    run.holds(1000).end();
    let body = "0123456789".repeat(100);
    run.expect(&format!(r#"A.D("",1) B.D("{body}",1)"#), &format!(r#"D("{body}") end"#));
    run.finish("complete");
}

both!(
    two_filters_add_body_to_a_head_only_message,
    body_added_bit_by_bit_to_a_head_only_message,
    body_emptied_on_the_way,
    body_emptied_behind_a_held_head,
    body_emptied_before_trailers,
    body_replaced_and_its_length_declared,
    body_edited_in_the_middle,
    whole_body_held_in_many_pieces,
);
