//! Length truth at the exit (I12): what the leaving head declares, and what filters made of it.

use bytes::Bytes;
use http::{Response, StatusCode, response};
use tidegate::{Capability, ErrorKind, Origin, Outcome, View};

use crate::kit::*;

#[track_caller]
fn is_a_filters<H: Dir>(run: &Run<H>) {
    let error = run.chain.outcome().and_then(Outcome::error).expect("an error");
    assert_eq!(error.origin(), Origin::Filter);
}

/// A filter that may edit bytes, but not their number.
fn editor<H: Dir>(edit: impl Fn(&mut View<'_, H>) -> Verdict + Send + Sync + 'static) -> Script<H> {
    script("A").without_needs().prefers(Capability::EditBytes).data_with(edit)
}

/// One byte too many: nothing of its piece reaches the sink.
fn a_byte_more_than_declared_fails_before_the_sink<H: Dir>() {
    let mut run = Run::<H>::new([editor(push_then("+", PASS))]);
    run.head_of(H::declaring(2), false).data("12");
    run.expect(r#"A.H(0) A.D("12",0)"#, "H(0) reset(over 2)");
    is_a_filters(&run);
    assert_eq!(run.stats().output_bytes, 0);
    run.finish("failed over 2");
}

/// One byte too few: the end does not reach the sink.
fn a_byte_less_than_declared_fails_before_the_end<H: Dir>() {
    let a = editor(|view: &mut View<'_, H>| {
        drop(view.take_first(1).expect("a granted edit"));
        PASS
    });
    let mut run = Run::<H>::new([a]);
    run.head_of(H::declaring(2), false).data("12");
    run.expect(r#"A.H(0) A.D("12",0)"#, r#"H(0) D("2")"#);
    run.end().expect(r#"A.D("",1)"#, "reset(short 1/2)");
    is_a_filters(&run);
    run.finish("failed short 1/2");
}

/// Edits that keep the number keep the field.
fn edits_of_the_same_length_keep_the_field<H: Dir>() {
    let a = editor(|view: &mut View<'_, H>| {
        view.replace(0..2, Bytes::from_static(b"AB")).expect("room for an edit");
        PASS
    });
    let mut run = Run::<H>::new([a]);
    run.head_of(H::declaring(2), false).data_end("12");
    run.expect(r#"A.H(0) A.D("12",1)"#, r#"H(0) D("AB") end"#);
    assert_eq!(run.sunk_head().get("content-length"), Some("2"));
    run.finish("complete");
}

/// The head that leaves a filter that may change the length, or add trailers, loses the field; and
/// only behind that filter.
fn field_goes_where_the_length_may_change<H: Dir>() {
    for capability in [Capability::ChangeLength, Capability::AddTrailers] {
        let sees = |name, expected: Option<&'static str>| {
            script::<H>(name).without_needs().head_with(move |view| {
                let head = view.head().expect("the head is in the view");
                assert_eq!(head.get("content-length"), expected);
                assert_eq!(view.declared_bytes(), Some(2), "what entered");
                PASS
            })
        };
        let changer = script("B").without_needs().prefers(capability);
        let mut run = Run::<H>::new([sees("A", Some("2")), changer, sees("C", None)]);
        run.head_of(H::declaring(2), false).data("12");
        run.sink(r#"H(0) D("12")"#);
        assert_eq!(run.sunk_head().get("content-length"), None);
        assert_eq!(run.chain.remaining_bytes(), None);
        assert_eq!(run.drop_calls(), 6);
        run.end().sink("end");
        run.drop_calls();
        run.finish("complete");
    }
}

/// A length that the filter declared itself stays, and the exit holds the message to it.
fn declared_by_the_filter_is_held_to<H: Dir>() {
    let declares = |bytes| {
        let a = script::<H>("A").head_with(move |view| {
            assert!(view.set_declared_bytes(bytes));
            PASS
        });
        let mut run = Run::new([a.data_with(push_then("+", PASS)), script("B").without_needs()]);
        run.head_of(H::declaring(2), false).expect("A.H(0) B.H(0)", "H(0)");
        let declared = bytes.to_string();
        assert_eq!(run.sunk_head().get("content-length"), Some(declared.as_str()));
        assert_eq!(run.chain.remaining_bytes(), Some(bytes));
        run.data_end("12").calls(r#"A.D("12",1) B.D("12+",1)"#);
        run
    };
    let mut right = declares(3);
    right.sink(r#"D("12+") end"#);
    right.finish("complete");
    let mut over = declares(2);
    over.sink("reset(over 2)");
    over.finish("failed over 2");
    let mut short = declares(4);
    // What the sink has not taken when the message fails is dropped.
    short.sink("reset(short 3/4)");
    short.finish("failed short 3/4");
}

/// A later filter that may change the length takes the field off again.
fn declared_by_an_earlier_filter_goes<H: Dir>() {
    let a = script::<H>("A").head_with(|view| {
        assert!(view.set_declared_bytes(1));
        PASS
    });
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).data_end("12");
    run.expect(r#"A.H(0) B.H(0) A.D("12",1) B.D("12",1)"#, r#"H(0) D("12") end"#);
    assert_eq!(run.sunk_head().get("content-length"), None);
    run.finish("complete");
}

/// A field that a filter wrote by hand, and wrongly, does not leave.
fn invalid_length_written_by_a_filter<H: Dir>() {
    let a = script::<H>("A").without_needs().head_with(|view| {
        view.head_mut().expect("the head is here").set("content-length", "many");
        PASS
    });
    let mut run = Run::<H>::new([a]);
    run.head(false).expect("A.H(0)", "reset(invalid length)");
    is_a_filters(&run);
    run.finish("failed invalid length");
}

/// An early end is held to the leaving field too.
fn early_end_is_held_to_the_field<H: Dir>() {
    let mut run = Run::<H>::new([script("A").without_needs().data(END)]);
    run.head_of(H::declaring(4), false).data("12");
    run.expect(r#"A.H(0) A.D("12",0)"#, "H(0) reset(short 2/4)");
    is_a_filters(&run);
    run.finish("failed short 2/4");
}

fn turns_into(status: u16) -> Script<response::Parts> {
    script::<response::Parts>("A").without_needs().head_with(move |view| {
        let head = view.head_mut().expect("the head is here");
        head.status = StatusCode::from_u16(status).expect("a status");
        PASS
    })
}

/// A status changed to one without body, with body behind it: fails before the body.
#[test]
fn status_changed_to_bodiless() {
    let mut run = Run::new([turns_into(204)]);
    run.head_of(Response::new(()).into_parts().0, false).expect("A.H(0)", "H[204](0)");
    assert_eq!(run.chain.remaining_bytes(), Some(0));
    run.data("12").expect(r#"A.D("12",0)"#, "reset(body forbidden)");
    is_a_filters(&run);
    let error = run.chain.outcome().and_then(Outcome::error).expect("an error");
    assert_eq!(error.kind(), ErrorKind::BodyForbidden);
    run.finish("failed body forbidden");

    let mut run = Run::new([turns_into(204)]);
    run.head_of(Response::new(()).into_parts().0, true).expect("A.H(1)", "H[204](1)");
    run.finish("complete");
}

/// A 304, which may declare what it does not carry, changed to a 200: held to its field.
#[test]
fn status_changed_from_bodiless() {
    let mut head = Response::new(()).into_parts().0;
    head.status = StatusCode::NOT_MODIFIED;
    head.set("content-length", "5");
    let mut run = Run::new([turns_into(200)]);
    run.head_of(head, true).expect("A.H[304](1)", "reset(short 0/5)");
    is_a_filters(&run);
    run.finish("failed short 0/5");
}

both!(
    a_byte_more_than_declared_fails_before_the_sink,
    a_byte_less_than_declared_fails_before_the_end,
    edits_of_the_same_length_keep_the_field,
    field_goes_where_the_length_may_change,
    declared_by_the_filter_is_held_to,
    declared_by_an_earlier_filter_goes,
    invalid_length_written_by_a_filter,
    early_end_is_held_to_the_field,
);
