//! The end, declared by a filter, by the source, by whoever drops the chain.

use http::{HeaderMap, HeaderValue};
use tidegate::{BodyBuf, Timeout};

use crate::kit::*;

/// What is in the view goes on, then the end; what comes later is dropped and counted, and the
/// source is told to stop.
fn end_declared_with_data<H: Dir>() {
    let mut run = Run::<H>::new([script("A"), script("B").data(END), script("C").data(HOLD)]);
    run.head(false).expect("A.H(0) B.H(0) C.H(0)", "H(0)");
    run.data("11").expect(r#"A.D("11",0) B.D("11",0) C.D("11",1)"#, "").wants(false);
    assert!(run.chain.input_stopped() && run.chain.outcome().is_none());
    run.gone("A").gone("B").data("late").data_end("r").expect("", "");
    assert_eq!(run.stats().discarded_bytes, 5);
    run.resume("C").expect(r#"C.resume("11",1)"#, r#"D("11") end"#);
    run.finish("complete -5");
}

/// Declared with the head: nothing of the body goes on.
fn end_declared_with_the_head<H: Dir>() {
    let mut run = Run::<H>::new([script("A").head(END), script("B")]);
    run.head(false).expect("A.H(0) B.H(1)", "H(1)");
    run.finish("complete");
}

/// What stands before the filter is dropped and counted: held, unseen, at the entrance.
fn end_drops_what_stands_before_it<H: Dir>() {
    let a = script("A").high(2).data(PASS).data(HOLD);
    let mut run = Run::<H>::new([a, script("B").resume(END), script("C")]);
    run.head(false).data("1").data("222").data("4444");
    run.expect(
        r#"A.H(0) B.H(0) C.H(0) A.D("1",0) B.D("1",0) C.D("1",0) A.D("222",0)"#,
        r#"H(0) D("1")"#,
    );
    run.resume("B").expect(r#"B.resume("",0) C.D("",1)"#, "end");
    run.gone("A").expect("", "");
    run.finish("complete -7");
}

/// What queued unseen at the filter itself is dropped too: it was never shown.
fn end_drops_what_was_not_shown<H: Dir>() {
    let a = script("A").data(SAW).resume(END);
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).data("11").data("222");
    run.expect(r#"A.H(0) B.H(0) A.D("11",0)"#, "H(0)");
    run.resume("A").expect(r#"A.resume("11",0) B.D("11",1)"#, r#"D("11") end"#);
    run.finish("complete -3");
}

/// The source's own trailers do not pass an end declared before they came by; the filter may set
/// others.
fn end_declared_with_trailers_of_its_own<H: Dir>() {
    let a = script("A").adds_trailers().data_with(|view| {
        let mut map = HeaderMap::new();
        map.insert("x-cut", HeaderValue::from_static("1"));
        view.set_trailers(map).expect("a granted edit");
        END
    });
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).data("1");
    run.expect(
        r#"A.H(0) B.H(0) A.D("1",0) B.D("1",0) B.T(x-cut: 1)"#,
        r#"H(0) D("1") T(x-cut: 1)"#,
    );
    run.finish("complete");

    let mut run = Run::<H>::new([script("A").head(HOLD).data(SAW).resume(END), script("B")]);
    run.head(false).data("1").trailers("x", "1").expect(r#"A.H(0) A.D("1",0)"#, "");
    run.resume("A").expect(r#"A.resume("1",0) B.H(0) B.D("1",1)"#, r#"H(0) D("1") end"#);
    run.finish("complete");
}

/// Once the end was declared, a reset of the source and a wrong length mean nothing.
fn end_declared_makes_the_source_irrelevant<H: Dir>() {
    let mut run = Run::<H>::new([script("A").data(END), script("B").data(HOLD)]);
    run.head_of(H::declaring(10), false).data("11");
    run.expect(r#"A.H(0) B.H(0) A.D("11",0) B.D("11",1)"#, "H(0)");
    run.reset().end().expect("", "");
    assert!(run.chain.outcome().is_none(), "the message is not over");
    run.resume("B").expect(r#"B.resume("11",1)"#, r#"D("11") end"#);
    run.finish("complete");
}

/// A timeout of the edge still ends it.
fn end_declared_and_timed_out<H: Dir>() {
    let mut run = Run::<H>::new([script("A").data(END), script("B").data(HOLD)]);
    run.head(false).data("11").expect(r#"A.H(0) B.H(0) A.D("11",0) B.D("11",1)"#, "H(0)");
    run.chain.handle_timeout(Timeout::Hold);
    run.open_sink().expect("", "reset(hold timeout)");
    run.finish("timed out hold timeout");
}

/// Nothing can come after the end of the input, or before the head; the message is untouched.
fn input_out_of_order_is_refused<H: Dir>() {
    use tidegate::chain::InputError::{Ended, OutOfOrder};
    let mut run = Run::<H>::new([script("A").data(HOLD)]);
    assert!(matches!(run.chain.handle_data("1".into(), false), Err(OutOfOrder)));
    assert!(matches!(run.chain.handle_end(), Err(OutOfOrder)));
    assert!(matches!(run.chain.handle_trailers(HeaderMap::new()), Err(OutOfOrder)));
    run.wants(false).head(false).wants(true);
    assert!(matches!(run.chain.handle_head(H::plain(), false), Err(OutOfOrder)));
    run.data_end("1").expect(r#"A.H(0) A.D("1",1)"#, "H(0)").wants(false);
    assert!(matches!(run.chain.handle_data("2".into(), false), Err(Ended)));
    assert!(matches!(run.chain.handle_end(), Err(Ended)));
    assert!(matches!(run.chain.handle_trailers(HeaderMap::new()), Err(Ended)));
    run.reset().resume("A").expect(r#"A.resume("1",1)"#, r#"D("1") end"#);
    run.finish("complete");
}

/// A chain dropped after the end was visible, or after the declared length was taken with no
/// trailers in hand, is complete; any other drop cancels (ruling 18).
fn drop_is_complete_only_if_nothing_was_owed<H: Dir>() {
    let run_to = |left_bytes: u64, trailers: bool| {
        let mut run = Run::<H>::new([script("A").without_needs()]);
        run.hold_sink().head_of(H::declaring(2), false).data("12").take_one();
        if trailers {
            run.trailers("x", "1");
        }
        let taken = usize::try_from(2 - left_bytes).expect("two at most");
        let mut body = BodyBuf::new();
        run.chain.take_output(&mut body, taken);
        assert_eq!(body.len(), taken);
        assert_eq!(run.chain.remaining_bytes(), Some(left_bytes));
        run
    };
    assert_eq!(run_to(1, false).abandon(), "A.close(cancelled)", "a byte is owed");
    assert_eq!(run_to(0, false).abandon(), "A.close(complete)", "all that was declared was taken");
    assert_eq!(run_to(0, true).abandon(), "A.close(cancelled)", "trailers are owed");
    let mut run = run_to(0, true);
    run.take_one();
    assert_eq!(run.abandon(), "A.close(complete)");

    let mut run = Run::<H>::new([script("A")]);
    run.hold_sink().head(false).data_end("1").take_one().take_one();
    assert!(run.chain.is_end_stream(), "the end is visible");
    assert_eq!(run.abandon(), "A.close(complete)");
    let mut run = Run::<H>::new([script("A")]);
    run.hold_sink().head(false).data_end("1").take_one();
    assert_eq!(run.abandon(), "A.close(cancelled)", "a byte was owed");
}

both!(
    end_declared_with_data,
    end_declared_with_the_head,
    end_drops_what_stands_before_it,
    end_drops_what_was_not_shown,
    end_declared_with_trailers_of_its_own,
    end_declared_makes_the_source_irrelevant,
    end_declared_and_timed_out,
    input_out_of_order_is_refused,
    drop_is_complete_only_if_nothing_was_owed,
);
