//! Local replies by filters: at every point, from each place in the chain (section 4).

use std::sync::{Arc, Mutex};

use http::{StatusCode, response};
use tidegate::chain::MessageTraits;
use tidegate::error::ErrorKind;
use tidegate::{Error, LocalReply, Marks, Origin, Outcome, View};

use crate::kit::*;

const NAMES: [&str; 3] = ["A", "B", "C"];

fn deny<H: Dir>(view: &mut View<'_, H>) -> Verdict {
    view.reply(LocalReply::text(StatusCode::FORBIDDEN, "no"))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Point {
    Head,
    Data,
    Trailers,
    Resume,
}

const POINTS: [Point; 4] = [Point::Head, Point::Data, Point::Trailers, Point::Resume];

/// Three filters, the one at `place` replies at `point`; the message is fed up to there.
fn reply_at<H: Dir>(place: usize, point: Point, sink_open: bool) -> Run<H> {
    let scripts = NAMES.into_iter().enumerate().map(|(k, name)| match point {
        _ if k != place => script(name),
        Point::Head => script(name).head_with(deny),
        Point::Data => script(name).data_with(deny),
        Point::Trailers => script(name).trailers_with(deny),
        Point::Resume => script(name).resume_with(deny),
    });
    let mut run = Run::<H>::new(scripts);
    if !sink_open {
        run.hold_sink();
    }
    run.head(false);
    match point {
        Point::Head => {}
        Point::Data => drop(run.data("11")),
        Point::Trailers => drop(run.trailers("x", "1")),
        Point::Resume => drop(run.resume(NAMES[place])),
    }
    run
}

/// The calls made up to and with the one that replied.
fn calls_before(place: usize, point: Point) -> String {
    let all = |what: &str, to: usize| -> String {
        NAMES[..=to].iter().map(|name| format!("{name}.{what} ")).collect()
    };
    match point {
        Point::Head => all("H(0)", place),
        Point::Data => all("H(0)", 2) + &all(r#"D("11",0)"#, place),
        Point::Trailers => all("H(0)", 2) + &all("T(x: 1)", place),
        Point::Resume => all("H(0)", 2) + &format!(r#"{}.resume("",0)"#, NAMES[place]),
    }
}

/// Where the sink has not taken the head: a request is replaced; a response goes on as the reply,
/// from the replier if the head was there, else straight to the sink.
fn reply_while_the_head_is_in_hand<H: Dir>() {
    for (place, point) in (0..3).flat_map(|place| POINTS.map(|point| (place, point))) {
        let mut run = reply_at::<H>(place, point, false);
        let mut calls = calls_before(place, point);
        let mut started = 3;
        if point == Point::Head {
            started = place + 1;
            if !H::REQUEST {
                let later = &NAMES[place + 1..];
                calls.extend(later.iter().map(|name| format!("{name}.H[403 local](0) ")));
                calls.extend(later.iter().map(|name| format!(r#"{name}.D("no",1) "#)));
                started = 3;
            }
        }
        run.calls(&calls).wants(false);
        assert!(run.chain.input_stopped());
        run.open_sink();
        run.sink(if H::REQUEST { "reply(403,2)" } else { r#"H[403](0) D("no") end"# });
        let discarded_bytes = if point == Point::Data { 2 } else { 0 };
        assert_eq!(run.stats().discarded_bytes, discarded_bytes, "{place} {point:?}");
        run.finish_closing(
            &NAMES[..started].join(" "),
            &format!("replaced 403 by {}", NAMES[place]),
        );
    }
}

/// Where the sink has taken the head: a request is still replaced, a response is cut.
fn reply_after_the_head_has_gone<H: Dir>() {
    let later = POINTS.into_iter().filter(|point| *point != Point::Head);
    for (place, point) in later.flat_map(|point| (0..3).map(move |place| (place, point))) {
        let mut run = reply_at::<H>(place, point, true);
        run.calls(&calls_before(place, point));
        let name = NAMES[place];
        if H::REQUEST {
            run.sink("H(0) reply(403,2)");
            run.finish(&format!("replaced 403 by {name}"));
        } else {
            run.sink(&format!("H(0) reset({name} reply too late)"));
            run.finish(&format!("failed {name} reply too late"));
        }
    }
}

/// What the chain keeps is dropped and counted, wherever it stands; nobody is asked again.
fn reply_drops_what_is_kept<H: Dir>() {
    let marks = Marks::new(3, 3).expect("low is not above high");
    let a = script("A").marks(marks).data(Verdict::pass_first(4)).data(HOLD);
    let b = script("B").data(Verdict::pass_first(2));
    let c = script("C").head(HOLD).data(HOLD).resume_with(deny);
    let mut run = Run::<H>::new([a, b, c, script("D")]);
    run.head(false).data("123456").data("78").data("9");
    run.calls(r#"A.H(0) B.H(0) C.H(0) A.D("123456",0) B.D("1234",0) C.D("12",0) A.D("78",0)"#);
    run.resume("C");
    if H::REQUEST {
        run.expect(r#"C.resume("12",0)"#, "reply(403,2)");
    } else {
        run.expect(r#"C.resume("12",0) D.H[403 local](0) D.D("no",1)"#, r#"H[403](0) D("no") end"#);
    }
    run.gone("A").gone("B").gone("C").expect("", "").holds(0);
    assert_eq!(run.stats().discarded_bytes, 9, "every byte that came in was dropped");
    let started = if H::REQUEST { "A B C" } else { "A B C D" };
    run.finish_closing(started, "replaced 403 by C");
}

/// A reply whose verdict is not returned is dropped: the verdict counts.
fn reply_without_its_verdict_is_dropped<H: Dir>() {
    let a = script("A")
        .head_with(|view| {
            let _ = deny(view);
            PASS
        })
        .data_with(|view| {
            let _ = view.fail(Error::filter_failed("no"));
            HOLD
        });
    let mut run = Run::<H>::new([a, script("B")]);
    run.head(false).data_end("1").expect(r#"A.H(0) B.H(0) A.D("1",1)"#, "H(0)");
    run.resume("A").expect(r#"A.resume("1",1) B.D("1",1)"#, r#"D("1") end"#);
    run.finish("complete");
}

/// Nor does one lie in wait for a later verdict: that one answers nothing, and fails.
fn reply_is_not_kept_for_a_later_verdict<H: Dir>() {
    let kept = Arc::new(Mutex::new(None));
    let later = Arc::clone(&kept);
    let a = script("A")
        .head_with(move |view| {
            *kept.lock().expect("one user") = Some(deny(view));
            PASS
        })
        .data_with(move |_| later.lock().expect("one user").take().expect("a verdict"));
    let mut run = Run::<H>::new([a]);
    run.head(false).data("1").expect(r#"A.H(0) A.D("1",0)"#, "H(0) reset(A filter)");
    run.finish("failed A filter");
}

/// A filter that fails the message: its own error is the source of the typed one.
fn fail_names_the_filter<H: Dir>() {
    let a = script("A").data_with(|view| view.fail(Error::filter_failed("disk full")));
    let mut run = Run::<H>::new([script("<"), a, script(">")]);
    run.head(false).data("1");
    run.expect(r#"<.H(0) A.H(0) >.H(0) <.D("1",0) A.D("1",0)"#, "H(0) reset(A filter)");
    let error = run.chain.outcome().and_then(Outcome::error).expect("an error").clone();
    assert_eq!((error.kind(), error.origin()), (ErrorKind::Filter, Origin::Filter));
    let source = std::error::Error::source(&error).expect("the filter's error");
    assert_eq!(source.to_string(), "disk full");
    run.finish("failed A filter");
}

/// A later filter replies to a reply: the newer one counts.
#[test]
fn reply_to_a_reply() {
    let b = script::<response::Parts>("B").head_with(|view| {
        assert!(view.is_local_reply());
        view.reply(LocalReply::new(StatusCode::BAD_GATEWAY))
    });
    let mut run = Run::new([script("A").head_with(deny), b, script("C")]);
    run.head(false).expect("A.H(0) B.H[403 local](0) C.H[502 local](1)", "H[502](1)");
    run.finish("replaced 502 by B");
}

/// While a later filter holds the reply, those before it are over and done with.
#[test]
fn reply_ends_the_filters_before_it() {
    let b = script::<response::Parts>("B").head(HOLD).data(HOLD);
    let mut run = Run::new([script("A").head_with(deny), b]);
    run.head(false).expect(r#"A.H(0) B.H[403 local](0) B.D("no",1)"#, "");
    run.gone("A").expect("", "");
    run.chain.handle_resume(0);
    run.expect("", "");
    run.resume("B").expect(r#"B.resume("no",1)"#, r#"H[403](0) D("no") end"#);
    run.finish("replaced 403 by A");
}

/// Filters may change a reply like any message.
#[test]
fn reply_is_filtered_like_a_message() {
    let b = script::<response::Parts>("B").head(HOLD).data_with(|view| {
        let head = view.head_mut().expect("the head is here");
        head.status = StatusCode::NOT_FOUND;
        view.push(" way".into()).expect("room for an edit");
        assert!(view.set_declared_bytes(6));
        PASS
    });
    let mut run = Run::new([script("A").head_with(deny), b, script("C").without_needs()]);
    run.head(false).expect(
        r#"A.H(0) B.H[403 local](0) B.D("no",1) C.H[404 local](0) C.D("no way",1)"#,
        r#"H[404](0) D("no way") end"#,
    );
    assert_eq!(run.sunk_head().get("content-length"), Some("6"));
    run.finish("replaced 403 by A");
}

/// The answer to a HEAD request: a reply's body is not sent, its length is.
#[test]
fn reply_on_a_message_without_body() {
    let a = script::<response::Parts>("A").head_with(deny);
    let mut run = Stage::new([a, script("B")]).traits(MessageTraits::new().bodiless()).run();
    run.head(false).expect("A.H(0) B.H[403 local](1)", "H[403](1)");
    assert_eq!(run.sunk_head().get("content-length"), Some("2"));
    run.finish("replaced 403 by A");
}

both!(
    reply_while_the_head_is_in_hand,
    reply_after_the_head_has_gone,
    reply_drops_what_is_kept,
    reply_without_its_verdict_is_dropped,
    reply_is_not_kept_for_a_later_verdict,
    fail_names_the_filter,
);
