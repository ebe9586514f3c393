//! Panics: they end the message, name the filter, and leave everybody else closed (I9).

use std::panic::panic_any;

use tidegate::{ErrorKind, Outcome, View};

use crate::kit::*;

const NAMES: [&str; 3] = ["A", "B", "C"];

fn panics<H: Dir>(_: &mut View<'_, H>) -> Verdict {
    panic!("a filter's bug")
}

/// A chain of three in which the filter at `place` is `broken`.
fn chain_with<H: Dir>(
    place: usize,
    broken: impl Fn(Script<H>) -> Script<H>,
) -> impl Iterator<Item = Script<H>> {
    NAMES.into_iter().enumerate().map(move |(k, name)| {
        let each = script(name);
        if k == place { broken(each) } else { each }
    })
}

fn but(place: usize, started: usize) -> String {
    let names: Vec<&str> = (0..started).filter(|k| *k != place).map(|k| NAMES[k]).collect();
    names.join(" ")
}

#[track_caller]
fn failed_by_panic<H: Dir>(run: &mut Run<H>, place: usize) -> String {
    let outcome = run.chain.outcome().expect("the message is over");
    assert!(matches!(outcome, Outcome::Failed(_)), "{outcome:?}");
    let error = outcome.error().expect("an error");
    assert_eq!((error.kind(), error.filter()), (ErrorKind::Panicked, Some(NAMES[place])));
    run.wants(false).gone("A");
    assert!(run.chain.input_stopped());
    format!("failed {} panicked", NAMES[place])
}

/// In the head callback: filters after it were never started, and are not closed.
fn panic_in_head<H: Dir>() {
    for (place, name) in NAMES.into_iter().enumerate() {
        let mut run = Run::<H>::new(chain_with(place, |each| each.head_with(panics)));
        run.head(false).sink(&format!("reset({name} panicked)"));
        assert_eq!(run.drop_calls(), place + 1);
        let outcome = failed_by_panic(&mut run, place);
        run.finish_closing(&but(place, place + 1), &outcome);
    }
}

/// In the data callback, when nobody holds anything (the fast path), and when somebody does.
fn panic_in_data<H: Dir>() {
    for (place, name) in NAMES.into_iter().enumerate() {
        for held in [false, true] {
            let broken = |each: Script<H>| {
                if held {
                    each.data(HOLD).data_with(panics)
                } else {
                    each.data(PASS).data_with(panics)
                }
            };
            let mut run = Run::<H>::new(chain_with(place, broken));
            run.head(false).data("1");
            run.sink(if held { "H(0)" } else { r#"H(0) D("1")"# });
            run.data("2").sink(&format!("reset({name} panicked)"));
            let calls = run.drop_calls();
            assert_eq!(calls, 3 + if held { place + 1 } else { 3 } + place + 1);
            let discarded_bytes = if held { 2 } else { 1 };
            assert_eq!(run.stats().discarded_bytes, discarded_bytes);
            let outcome = failed_by_panic(&mut run, place);
            run.finish_closing(&but(place, 3), &outcome);
        }
    }
}

/// In the trailers callback, and with the end in the data callback.
fn panic_at_the_end<H: Dir>() {
    for (place, name) in NAMES.into_iter().enumerate() {
        let mut run = Run::<H>::new(chain_with(place, |each| each.trailers_with(panics)));
        run.head(false).trailers("x", "1").sink(&format!("H(0) reset({name} panicked)"));
        assert_eq!(run.drop_calls(), 3 + place + 1);
        let outcome = failed_by_panic(&mut run, place);
        run.finish_closing(&but(place, 3), &outcome);

        let mut run = Run::<H>::new(chain_with(place, |each| each.data_with(panics)));
        run.head(false).end().sink(&format!("H(0) reset({name} panicked)"));
        assert_eq!(run.drop_calls(), 3 + place + 1);
        let outcome = failed_by_panic(&mut run, place);
        run.finish_closing(&but(place, 3), &outcome);
    }
}

/// In the resume callback.
fn panic_in_resume<H: Dir>() {
    for (place, name) in NAMES.into_iter().enumerate() {
        let mut run = Run::<H>::new(chain_with(place, |each| each.resume_with(panics)));
        run.head(false).resume(name);
        run.sink(&format!("H(0) reset({name} panicked)"));
        assert_eq!(run.drop_calls(), 4);
        let outcome = failed_by_panic(&mut run, place);
        run.finish_closing(&but(place, 3), &outcome);
    }
}

/// What a filter left behind in its view before it panicked goes nowhere.
fn panic_after_an_edit<H: Dir>() {
    let broken = |each: Script<H>| {
        each.data_with(|view| {
            view.push("more".into()).expect("room for an edit");
            let _ = view.reply(tidegate::LocalReply::new(http::StatusCode::FORBIDDEN)).quiet();
            panics(view)
        })
    };
    let mut run = Run::<H>::new(chain_with(1, broken));
    run.head(false).data("1").sink("H(0) reset(B panicked)");
    assert_eq!(run.drop_calls(), 5);
    let outcome = failed_by_panic(&mut run, 1);
    run.finish_closing("A C", &outcome);
}

/// In close: the outcome stands, and all others are closed.
fn panic_in_close<H: Dir>() {
    for place in 0..3 {
        let broken = |each: Script<H>| each.close_with(|_| panic!("a filter's bug"));
        let mut run = Run::<H>::new(chain_with(place, broken));
        run.head(true).expect("A.H(1) B.H(1) C.H(1)", "H(1)");
        run.finish("complete");
    }
}

/// In drop: contained as well, and all others are dropped.
fn panic_in_drop<H: Dir>() {
    for place in 0..3 {
        let broken = |each: Script<H>| each.drop_with(|| panic!("a filter's bug"));
        let mut run = Run::<H>::new(chain_with(place, broken));
        run.head(true).expect("A.H(1) B.H(1) C.H(1)", "H(1)");
        let log = run.log();
        run.finish("complete");
        assert_eq!(log.lock().drops, NAMES);
    }
}

/// A filter that panicked is only dropped, and may panic in that drop too.
fn panic_in_a_call_and_in_drop<H: Dir>() {
    for (place, name) in NAMES.into_iter().enumerate() {
        let broken = |each: Script<H>| each.head_with(panics).drop_with(|| panic!("another bug"));
        let mut run = Run::<H>::new(chain_with(place, broken));
        run.head(false).sink(&format!("reset({name} panicked)"));
        run.drop_calls();
        let outcome = failed_by_panic(&mut run, place);
        let log = run.log();
        run.finish_closing(&but(place, place + 1), &outcome);
        assert_eq!(log.lock().drops, NAMES[..=place]);
    }
}

/// A payload whose own drop panics, with a payload of the same kind, is contained.
fn panic_with_a_payload_that_panics<H: Dir>() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic_any(Self);
        }
    }
    let broken =
        |each: Script<H>| each.data_with(|_| panic_any(Bomb)).close_with(|_| panic_any(Bomb));
    let mut run = Run::<H>::new(chain_with(1, broken));
    run.head(false).data("1").sink("H(0) reset(B panicked)");
    run.drop_calls();
    run.finish_closing("A C", "failed B panicked");

    let broken = |each: Script<H>| each.close_with(|_| panic_any(Bomb));
    let mut run = Run::<H>::new(chain_with(1, broken));
    run.head(true).expect("A.H(1) B.H(1) C.H(1)", "H(1)");
    run.finish("complete");
}

/// A chain dropped half-way closes all, also around one that panics in close.
fn panic_in_close_of_a_dropped_chain<H: Dir>() {
    let broken = |each: Script<H>| each.close_with(|_| panic!("a filter's bug"));
    let mut run = Run::<H>::new(chain_with(0, broken));
    run.head(false).expect("A.H(0) B.H(0) C.H(0)", "H(0)");
    assert_eq!(run.abandon(), "A.close(cancelled) B.close(cancelled) C.close(cancelled)");
}

both!(
    panic_in_head,
    panic_in_data,
    panic_at_the_end,
    panic_in_resume,
    panic_after_an_edit,
    panic_in_close,
    panic_in_drop,
    panic_in_a_call_and_in_drop,
    panic_with_a_payload_that_panics,
    panic_in_close_of_a_dropped_chain,
);
