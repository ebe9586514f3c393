//! Length truth at the entrance (I12): what the source declared, and what came.

use http::{Response, StatusCode, response};
use tidegate::chain::MessageTraits;
use tidegate::filter::EditErrorKind;
use tidegate::{Capability, ErrorKind, Origin, Outcome};

use crate::kit::*;

/// What a peer may declare, and do then.
fn declared_length_is_held_to<H: Dir>() {
    // A filter that may change the length takes the field off: the entrance still counts.
    for may_change in [false, true] {
        let run = |declared: usize| {
            let a = script::<H>("A");
            let a = if may_change { a } else { a.without_needs() };
            let mut run = Run::new([a]);
            run.head_of(H::declaring(declared), false).expect("A.H(0)", "H(0)");
            run
        };
        let mut equal = run(3);
        equal.data("12").expect(r#"A.D("12",0)"#, r#"D("12")"#);
        equal.data_end("3").expect(r#"A.D("3",1)"#, r#"D("3") end"#);
        equal.finish("complete");

        let mut nothing = run(0);
        nothing.end().expect(r#"A.D("",1)"#, "end");
        nothing.finish("complete");

        let mut short = run(3);
        short.data("12").expect(r#"A.D("12",0)"#, r#"D("12")"#);
        short.end().expect("", "reset(short 2/3)");
        is_the_peers::<H>(&short);
        short.finish("failed short 2/3");

        let mut short_with_data = run(3);
        short_with_data.data_end("12").expect("", "reset(short 2/3)");
        short_with_data.finish("failed short 2/3");

        let mut short_with_trailers = run(3);
        short_with_trailers.trailers("x", "1").expect("", "reset(short 0/3)");
        short_with_trailers.finish("failed short 0/3");

        // Not a byte of the frame that lies gets anywhere, and what came before is no message.
        let mut over = run(3);
        over.data("12").expect(r#"A.D("12",0)"#, r#"D("12")"#);
        over.data("34").expect("", "reset(over 3)");
        is_the_peers::<H>(&over);
        over.finish("failed over 3");

        let mut over_at_once = run(3);
        over_at_once.data("1234").expect("", "reset(over 3)");
        is_the_peers::<H>(&over_at_once);
        over_at_once.finish("failed over 3");

        let mut over_at_the_end = run(0);
        over_at_the_end.data_end("1").expect("", "reset(over 0)");
        over_at_the_end.finish("failed over 0");
    }
}

#[track_caller]
fn is_the_peers<H: Dir>(run: &Run<H>) {
    let error = run.chain.outcome().and_then(Outcome::error).expect("an error");
    let peer = if H::REQUEST { Origin::Downstream } else { Origin::Upstream };
    assert_eq!((error.origin(), error.filter()), (peer, None));
}

/// Nothing declared: any length.
fn missing_length_is_any_length<H: Dir>() {
    let mut run = Run::<H>::new([script("A").without_needs()]);
    run.head(false).data("12").end();
    run.expect(r#"A.H(0) A.D("12",0) A.D("",1)"#, r#"H(0) D("12") end"#);
    assert_eq!(run.chain.remaining_bytes(), None);
    run.finish("complete");
}

/// A head that ends the message must not declare a body.
fn head_only_message_that_declares_a_body<H: Dir>() {
    let mut run = Run::<H>::new([script("A")]);
    run.head_of(H::declaring(5), true).expect("", "reset(short 0/5)");
    is_the_peers(&run);
    run.finish_closing("", "failed short 0/5");

    let mut run = Run::<H>::new([script("A").without_needs()]);
    run.head_of(H::declaring(0), true).expect("A.H(1)", "H(1)");
    run.finish("complete");
}

/// Anything but one number (RFC 9110, 8.6) is refused before a filter sees the head.
fn invalid_length_is_refused<H: Dir>() {
    let too_large = "18446744073709551616";
    for bad in ["", "x", "-1", "+1", "0x10", "1 2", "1;2", "5, 6", "5,", ",5", too_large] {
        let mut run = Run::<H>::new([script("A")]);
        run.head_of(H::with("content-length", bad), false).expect("", "reset(invalid length)");
        is_the_peers(&run);
        run.finish_closing("", "failed invalid length");
    }
    let mut two = H::declaring(5);
    two.set("content-length", "6");
    let mut run = Run::<H>::new([script("A")]);
    run.head_of(two, false).expect("", "reset(invalid length)");
    run.finish_closing("", "failed invalid length");
}

/// The same number twice is that number, whichever way it is written.
fn duplicate_length_is_one_length<H: Dir>() {
    let mut twice = H::declaring(2);
    twice.set("content-length", "2");
    for head in [twice, H::with("content-length", "2, 2"), H::with("content-length", "002")] {
        let a = script("A").without_needs().head_with(|view| {
            assert_eq!(view.declared_bytes(), Some(2));
            PASS
        });
        let mut run = Run::<H>::new([a]);
        run.head_of(head, false).expect("A.H(0)", "H(0)");
        assert_eq!(run.chain.remaining_bytes(), Some(2));
        run.data("123").expect("", "reset(over 2)");
        run.finish("failed over 2");
    }
}

/// Responses without a body by definition: the edge says so (HEAD), or the status does.
fn bodiless() -> impl Iterator<Item = (Stage<response::Parts>, response::Parts, &'static str)> {
    let head = |status: u16| {
        let mut head = Response::new(()).into_parts().0;
        head.status = StatusCode::from_u16(status).expect("a status");
        head.set("content-length", "5");
        head
    };
    let a = || {
        script("A").adds_trailers().head_with(|view| {
            assert!(!view.granted(Capability::AddTrailers), "none can follow");
            let refused = view.push("x".into()).expect_err("no body can follow");
            assert_eq!(refused.kind(), EditErrorKind::NoBody);
            PASS
        })
    };
    let to_head = MessageTraits::new().bodiless();
    [
        (Stage::new([a()]).traits(to_head), head(200), ""),
        (Stage::new([a()]), head(204), "[204]"),
        (Stage::new([a()]), head(304), "[304]"),
    ]
    .into_iter()
}

/// Their declared length is passed on and not counted; the end is an ordinary end.
#[test]
fn bodiless_length_passes_unchecked() {
    for (stage, head, shown) in bodiless() {
        let mut run = stage.run();
        run.head_of(head, true).expect(&format!("A.H{shown}(1)"), &format!("H{shown}(1)"));
        assert_eq!(run.sunk_head().get("content-length"), Some("5"));
        run.finish("complete");
    }
    for (stage, head, shown) in bodiless() {
        let mut run = stage.run();
        run.head_of(head, false).expect(&format!("A.H{shown}(0)"), &format!("H{shown}(0)"));
        assert_eq!(run.chain.remaining_bytes(), Some(0));
        run.end().expect(r#"A.D("",1)"#, "end");
        run.finish("complete");
    }
}

/// Data on one of them is an error of the peer, and reaches nobody.
#[test]
fn bodiless_with_a_body_is_refused() {
    for (stage, head, shown) in bodiless() {
        let mut run = stage.run();
        run.head_of(head, false).expect(&format!("A.H{shown}(0)"), &format!("H{shown}(0)"));
        run.data("12345").expect("", "reset(body forbidden)");
        is_the_peers(&run);
        run.finish("failed body forbidden");
    }
    for (stage, head, shown) in bodiless() {
        let mut run = stage.run();
        run.hold_sink().head_of(head, false).calls(&format!("A.H{shown}(0)"));
        run.data_end("12345").open_sink().expect("", "reset(body forbidden)");
        run.finish("failed body forbidden");
    }
}

/// Trailers on one of them pass the filters, and are taken off at the exit.
#[test]
fn bodiless_trailers_are_not_sent() {
    for (stage, head, shown) in bodiless() {
        let mut run = stage.run();
        run.head_of(head, false).trailers("x", "1");
        run.expect(&format!("A.H{shown}(0) A.T(x: 1)"), &format!("H{shown}(0) end"));
        run.finish("complete unsent 1");
    }
}

/// The kinds read well.
#[test]
fn errors_of_length_say_what_was_declared() {
    assert_eq!(
        ErrorKind::LengthShort { declared_bytes: 5, actual_bytes: 2 }.to_string(),
        "body ended after 2 of 5 declared bytes"
    );
    assert_eq!(
        ErrorKind::LengthExceeded { declared_bytes: 5 }.to_string(),
        "body beyond the declared length of 5 bytes"
    );
}

both!(
    declared_length_is_held_to,
    missing_length_is_any_length,
    head_only_message_that_declares_a_body,
    invalid_length_is_refused,
    duplicate_length_is_one_length,
);
