//! What goes in comes out, and every end is what it seems.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use bytes::Bytes;
use http::{StatusCode, request, response};
use http_body::Body;
use tidegate::body::{Direction, FilteredBody, Observer, Opening};
use tidegate::exchange::{Mail, mailbox};
use tidegate::{Capability, Declaration, Error, ErrorKind, LocalReply, Origin, Plan, Verdict};

use crate::support::{
    Call, Closed, Collected, PlanExt, Source, Step, Task, chain, collect, head_of, no_filters,
    outcome_name, request_head, response_head, with_length,
};

const EDITS: fn() -> Declaration = || Declaration::new().require(Capability::ChangeLength);

fn observed(closed: &Closed) -> Observer {
    let closed = closed.clone();
    Arc::new(move |direction, outcome, _| {
        closed.push(format!("{direction} {}", outcome_name(outcome)));
    })
}

#[test]
fn data_and_trailers_pass() {
    let source =
        Source::new([Step::Data(b"one"), Step::Yield, Step::Data(b"two"), Step::Trailers("ok")]);
    let mut body = FilteredBody::new(chain(&no_filters()), response_head(), source);
    head_of(&mut body);
    let all = collect(&mut body);
    assert_eq!((all.text(), all.frames), ("onetwo", 3));
    assert_eq!(all.trailers.unwrap()["x-check"], "ok");
}

#[test]
fn a_chunk_is_not_copied() {
    let data = Bytes::from(vec![7; 4096]);
    let full = http_body_util::Full::new(data.clone());
    let mut body = FilteredBody::new(chain(&no_filters()), response_head(), full);
    let frame = Task::new().finish(|cx| Pin::new(&mut body).poll_frame(cx));
    assert_eq!(frame.unwrap().unwrap().into_data().unwrap().as_ptr(), data.as_ptr());
}

#[test]
fn the_last_data_comes_with_the_end_in_one_call() {
    let calls = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&calls);
    let plan = Plan::<response::Parts>::builder()
        .probe("counts", Declaration::new(), &Closed::default(), move || {
            let seen = Arc::clone(&seen);
            move |call, view| {
                if call == Call::Data {
                    assert!(view.input_ended() && view.new_bytes() == 3);
                    seen.fetch_add(1, SeqCst);
                }
                Verdict::PASS
            }
        })
        .build()
        .unwrap();
    let mut body = FilteredBody::new(chain(&plan), response_head(), Source::of("one"));
    assert_eq!(collect(&mut body).text(), "one");
    assert_eq!(calls.load(SeqCst), 1);
}

#[test]
fn nothing_comes_after_an_end() {
    let declared = |steps: Vec<Step>| {
        FilteredBody::new(chain(&no_filters()), response_head(), Source::new(steps))
    };
    for steps in [
        vec![],
        vec![Step::Data(b"x")],
        vec![Step::Data(b"x"), Step::Trailers("t")],
        vec![Step::Data(b"x"), Step::Error],
    ] {
        let cut = matches!(steps.last(), Some(Step::Error));
        let mut body = declared(steps);
        assert_eq!(collect(&mut body).error.is_some(), cut);
        for _ in 0..3 {
            let frame = Task::new().finish(|cx| Pin::new(&mut body).poll_frame(cx));
            assert!(frame.is_none());
            assert_eq!(body.is_end_stream(), !cut);
        }
    }
}

#[test]
fn an_error_of_the_source_is_an_error_of_the_peer() {
    for (is_request, origin) in [(true, Origin::Downstream), (false, Origin::Upstream)] {
        let source = Source::new([Step::Data(b"some"), Step::Error]);
        let all = if is_request {
            collect(&mut FilteredBody::new(chain(&no_filters()), request_head(), source))
        } else {
            collect(&mut FilteredBody::new(chain(&no_filters()), response_head(), source))
        };
        let error = all.error.unwrap();
        assert_eq!((error.kind(), error.origin()), (ErrorKind::Reset, origin));
        assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "the source broke");
    }
}

#[test]
fn h35_a_source_that_is_short_of_its_length_never_looks_complete() {
    let source = Source::new([Step::Data(b"four")]);
    let head = with_length(response_head(), 5);
    let mut body = FilteredBody::new(chain(&no_filters()), head, source);
    head_of(&mut body);
    let all = collect(&mut body);
    assert_eq!(
        all.error.unwrap().kind(),
        ErrorKind::LengthShort { declared_bytes: 5, actual_bytes: 4 }
    );
    assert!(!body.is_end_stream());
}

#[test]
fn h30_a_body_dropped_at_its_declared_length_is_complete() {
    // As hyper does with HTTP/1: it never asks for the end.
    let (closed, told) = (Closed::default(), Closed::default());
    let plan = Plan::builder()
        .probe("passes", Declaration::new(), &closed, || |_, _| Verdict::PASS)
        .build()
        .unwrap();
    let source = Source::new([Step::Data(b"all of it")]);
    let mut body = FilteredBody::new(chain(&plan), with_length(response_head(), 9), source)
        .on_finish(observed(&told));
    head_of(&mut body);
    let frame = Task::new().finish(|cx| Pin::new(&mut body).poll_frame(cx));
    assert!(frame.is_some_and(|frame| frame.is_ok()));
    assert!(closed.all().is_empty());
    drop(body);
    assert_eq!(closed.all(), ["complete"]);
    assert_eq!(told.all(), ["response complete"]);
}

#[test]
fn a_body_dropped_with_its_end_in_sight_is_complete() {
    let told = Closed::default();
    let mut body = FilteredBody::new(chain(&no_filters()), response_head(), Source::of("all"))
        .on_finish(observed(&told));
    head_of(&mut body);
    let frame = Task::new().finish(|cx| Pin::new(&mut body).poll_frame(cx));
    assert!(frame.is_some_and(|frame| frame.is_ok()) && body.is_end_stream());
    drop(body);
    assert_eq!(told.all(), ["response complete"]);
}

#[test]
fn a_body_dropped_anywhere_else_is_cancelled() {
    for polls in 0..3 {
        let (closed, told) = (Closed::default(), Closed::default());
        let plan = Plan::builder()
            .probe("passes", Declaration::new(), &closed, || |_, _| Verdict::PASS)
            .build()
            .unwrap();
        let steps = [Step::Data(b"a"), Step::Data(b"b"), Step::Data(b"c"), Step::Trailers("t")];
        let source = Source::new(steps);
        let state = source.state();
        let mut body =
            FilteredBody::new(chain(&plan), response_head(), source).on_finish(observed(&told));
        for _ in 0..polls {
            let _ = Task::new().finish(|cx| Pin::new(&mut body).poll_frame(cx));
        }
        drop(body);
        assert_eq!(
            (closed.all(), told.all()),
            (vec!["cancelled".to_owned()], vec!["response cancelled".to_owned()])
        );
        assert!(state.is_dropped());
    }
}

#[test]
fn the_head_waits_until_the_body_has_been_seen() {
    let plan = Plan::<request::Parts>::builder()
        .probe("inspects", EDITS().require(Capability::HoldHead), &Closed::default(), || {
            |call, view| {
                if call == Call::Head || !view.input_ended() {
                    return Verdict::HOLD;
                }
                let bytes = view.body().len();
                view.head_mut().unwrap().headers.insert("x-bytes", bytes.into());
                view.set_declared_bytes(bytes as u64);
                Verdict::PASS
            }
        })
        .build()
        .unwrap();
    let steps = [Step::Data(b"abc"), Step::Yield, Step::Data(b"de")];
    let mut body = FilteredBody::new(chain(&plan), request_head(), Source::new(steps));
    let head = head_of(&mut body);
    assert_eq!(head.headers["x-bytes"], "5");
    assert_eq!(body.size_hint().exact(), Some(5));
    assert_eq!(collect(&mut body).text(), "abcde");
}

#[test]
fn body_can_be_added_to_a_message_that_is_only_a_head() {
    let plan = Plan::<request::Parts>::builder()
        .probe("adds", EDITS(), &Closed::default(), || {
            |call, view| {
                if call == Call::Head {
                    assert!(view.input_ended());
                    view.push(Bytes::from_static(b"added")).unwrap();
                }
                Verdict::PASS
            }
        })
        .build()
        .unwrap();
    let mut body = FilteredBody::new(chain(&plan), request_head(), Source::empty());
    head_of(&mut body);
    assert!(!body.is_end_stream());
    assert_eq!(body.size_hint().exact(), None);
    assert_eq!(collect(&mut body).text(), "added");
}

#[test]
fn a_message_that_is_only_a_head_ends_with_it() {
    let told = Closed::default();
    let mut body = FilteredBody::new(chain(&no_filters()), request_head(), Source::empty())
        .on_finish(observed(&told));
    head_of(&mut body);
    assert!(body.is_end_stream());
    assert_eq!(body.size_hint().exact(), Some(0));
    assert_eq!(told.all(), ["request complete"]);
}

#[test]
fn a_frame_asked_for_before_the_head_leaves_the_head() {
    let mut body = FilteredBody::new(chain(&no_filters()), request_head(), Source::of("body"));
    assert_eq!(collect(&mut body).text(), "body");
    assert_eq!(head_of(&mut body).uri, "/");
    assert!(body.is_end_stream());
}

#[test]
#[should_panic(expected = "after the head was taken")]
fn a_head_is_taken_once() {
    let mut body = FilteredBody::new(chain(&no_filters()), request_head(), Source::of("body"));
    head_of(&mut body);
    head_of(&mut body);
}

#[test]
fn a_reply_at_the_head_comes_instead_of_it() {
    let told = Closed::default();
    let plan = Plan::<request::Parts>::builder()
        .probe("denies", Declaration::new(), &Closed::default(), || {
            |_, view| view.reply(LocalReply::new(StatusCode::FORBIDDEN))
        })
        .build()
        .unwrap();
    let source = Source::of("never read");
    let state = source.state();
    let mut body =
        FilteredBody::new(chain(&plan), request_head(), source).on_finish(observed(&told));
    let opening = Task::new().finish(|cx| Pin::new(&mut body).poll_head(cx));
    let Ok(Opening::Reply(reply)) = opening else { panic!("{opening:?}") };
    assert_eq!(reply.status(), StatusCode::FORBIDDEN);
    assert!(state.is_dropped() && state.polls() == 0);
    assert_eq!(told.all(), ["request replaced"]);
    assert!(collect(&mut body).error.is_none() && !body.is_end_stream());
}

#[test]
fn a_reply_behind_the_head_is_posted_and_cuts_the_body() {
    let plan = Plan::<request::Parts>::builder()
        .probe("denies", Declaration::new(), &Closed::default(), || {
            |call, view| match call {
                Call::Data => view.reply(LocalReply::new(StatusCode::FORBIDDEN)),
                _ => Verdict::PASS,
            }
        })
        .build()
        .unwrap();
    let (half, mut other) = mailbox();
    let mut body =
        FilteredBody::new(chain(&plan), request_head(), Source::of("denied")).request_half(half);
    head_of(&mut body);
    let all = collect(&mut body);
    assert_eq!(all.error.unwrap().kind(), ErrorKind::Reset);
    let mail = Task::new().finish(|cx| other.poll_mail(cx));
    assert!(matches!(mail, Mail::Reply(reply) if reply.status() == StatusCode::FORBIDDEN));
    assert_eq!(outcome_name(&other.request_outcome().unwrap()), "replaced");
}

#[test]
fn the_reply_of_the_engine_is_posted_before_the_outcome() {
    // Over its limit, the outcome carries an error: it must not take the place of the reply.
    let plan = Plan::<request::Parts>::builder()
        .probe(
            "rejects",
            Declaration::new().marks(tidegate::Marks::new(1, 2).unwrap()),
            &Closed::default(),
            || |call, _| if call == Call::Head { Verdict::PASS } else { Verdict::HOLD.or_reject() },
        )
        .build()
        .unwrap();
    let (half, mut other) = mailbox();
    let source = Source::new([Step::Data(b"too much"), Step::Gate]);
    let mut body = FilteredBody::new(chain(&plan), request_head(), source).request_half(half);
    head_of(&mut body);
    assert!(collect(&mut body).error.is_some());
    let mail = Task::new().finish(|cx| other.poll_mail(cx));
    let Mail::Reply(reply) = mail else { panic!("{mail:?}") };
    assert_eq!(reply.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

#[test]
fn a_reset_from_the_other_half_cuts_the_request() {
    for taken in [false, true] {
        let (half, other) = mailbox();
        let told = Closed::default();
        let source = Source::new([Step::Data(b"some"), Step::Gate]);
        let state = source.state();
        let mut body = FilteredBody::new(chain(&no_filters()), request_head(), source)
            .request_half(half)
            .on_finish(observed(&told));
        head_of(&mut body);
        let task = Task::new();
        let mut all = Collected::default();
        if taken {
            assert!(task.run(|cx| all.poll(&mut body, cx)).is_pending());
            assert!(!task.is_woken());
        }
        drop(other);
        assert_eq!(task.is_woken(), taken);
        let mut after = Collected::default();
        task.finish(|cx| after.poll(&mut body, cx));
        assert_eq!(after.error.unwrap().kind(), ErrorKind::Reset);
        assert!(state.is_dropped());
        assert_eq!(told.all(), ["request reset"]);
    }
}

#[test]
fn a_lost_handle_is_an_error_not_a_hang() {
    let plan = Plan::<request::Parts>::builder()
        .probe("loses", Declaration::new(), &Closed::default(), || {
            |call, view| {
                if call == Call::Head {
                    return Verdict::PASS;
                }
                drop(view.resume_handle());
                Verdict::HOLD.quiet()
            }
        })
        .build()
        .unwrap();
    let mut body = FilteredBody::new(chain(&plan), request_head(), Source::of("held"));
    let error = collect(&mut body).error.unwrap();
    assert_eq!((error.kind(), error.filter()), (ErrorKind::Stalled, Some("loses")));
}

#[test]
fn a_declared_end_lets_the_source_go() {
    let told = Closed::default();
    let plan = Plan::<response::Parts>::builder()
        .probe("ends", EDITS(), &Closed::default(), || {
            |call, _| if call == Call::Data { Verdict::END } else { Verdict::PASS }
        })
        .build()
        .unwrap();
    let source = Source::new([Step::Data(b"first"), Step::Data(b"never"), Step::Error]);
    let state = source.state();
    let mut body =
        FilteredBody::new(chain(&plan), response_head(), source).on_finish(observed(&told));
    let all = collect(&mut body);
    assert_eq!((all.text(), all.error.is_none()), ("first", true));
    assert_eq!(state.polls(), 1);
    assert!(state.is_dropped());
    assert_eq!(told.all(), ["response complete"]);
}

#[test]
fn a_panicking_filter_is_an_error_and_a_panicking_observer_is_nothing() {
    let closed = Closed::default();
    let plan = Plan::<request::Parts>::builder()
        .probe("panics", Declaration::new(), &Closed::default(), || {
            |call, _| if call == Call::Data { panic!("as planned") } else { Verdict::PASS }
        })
        .probe("other", Declaration::new(), &closed, || |_, _| Verdict::PASS)
        .build()
        .unwrap();
    let mut body = FilteredBody::new(chain(&plan), request_head(), Source::of("data"))
        .on_finish(Arc::new(|_, _, _| panic!("as planned")));
    let error = collect(&mut body).error.unwrap();
    assert_eq!((error.kind(), error.filter()), (ErrorKind::Panicked, Some("panics")));
    assert_eq!(closed.all(), ["failed"]);
}

#[test]
fn the_observer_is_told_once_with_the_numbers() {
    let told = Closed::default();
    let also = told.clone();
    let source = Source::new([Step::Data(b"12345"), Step::Data(b"678")]);
    let mut body = FilteredBody::new(chain(&no_filters()), response_head(), source).on_finish(
        Arc::new(move |direction, outcome, stats| {
            assert_eq!(direction, Direction::Response);
            assert!(outcome.is_complete());
            also.push(format!("{} in, {} out", stats.input_bytes, stats.output_bytes));
        }),
    );
    collect(&mut body);
    collect(&mut body);
    drop(body);
    assert_eq!(told.all(), ["8 in, 8 out"]);
}

#[test]
fn bodies_can_be_sent_and_moved() {
    fn check<T: Send + Unpin>() {}
    check::<FilteredBody<Source, request::Parts>>();
    check::<FilteredBody<Source, response::Parts>>();
    check::<FilteredBody<hyper::body::Incoming, response::Parts>>();
    fn is_error<T: std::error::Error + Send + Sync + 'static>() {}
    is_error::<Error>();
}
