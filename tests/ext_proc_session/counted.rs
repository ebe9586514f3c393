//! `STREAMED` with filters that promise to keep nothing: what passes is counted, and gone.

use bytes::Bytes;
use tidegate::exchange::ExchangePlan;
use tidegate::ext_proc::mode::BodyMode;
use tidegate::ext_proc::session::{SessionEnd, SessionPlan, SessionSettings};
use tidegate::ext_proc::wire::GrpcCode;
use tidegate::{Declaration, Filter, Head, Interest, Verdict, View};

use crate::filters::{EverySecond, Mark, Pass};
use crate::messages::{Mutation, request_body, request_headers, request_trailers};
use crate::replies::immediate;
use crate::support::{Talk, body_of, both};

const HEAD: [(&str, &str); 4] =
    [(":method", "POST"), (":path", "/"), (":scheme", "http"), (":authority", "a")];

/// Another filter, with the promise.
pub(crate) struct Promised<F>(pub(crate) F);

impl<H: Head, F: Filter<H>> Filter<H> for Promised<F> {
    fn declare(&self) -> Declaration {
        self.0.declare().keeps_nothing()
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.0.head(view)
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.0.data(view)
    }
}

/// Ends the message with the head, or behind so many bytes.
struct EndsBehind(u64);

impl<H: Head> Filter<H> for EndsBehind {
    fn head(&mut self, _: &mut View<'_, H>) -> Verdict {
        if self.0 == 0 { Verdict::END } else { Verdict::PASS }
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.0 = self.0.saturating_sub(view.new_bytes() as u64);
        if self.0 == 0 { Verdict::END } else { Verdict::PASS }
    }
}

fn plan<F: Filter<http::request::Parts> + 'static>(
    make: impl Fn() -> F + Send + Sync + 'static,
) -> ExchangePlan {
    ExchangePlan::builder().request("filter", make).build().expect("a plan")
}

fn talk<F: Filter<http::request::Parts> + 'static>(
    make: impl Fn() -> F + Send + Sync + 'static,
) -> Talk {
    let mut talk = Talk::new(plan(make), both(BodyMode::Streamed));
    talk.send(request_headers(&HEAD, false));
    talk
}

/// The error that ended the stream.
fn failure(talk: &mut Talk) -> String {
    let status = talk.status().expect("an end");
    assert_eq!(status.code, GrpcCode::Internal, "{status:?}");
    match talk.session.end() {
        Some(SessionEnd::Failed(error)) => error.to_string(),
        end => panic!("{end:?}"),
    }
}

#[test]
fn what_passes_is_let_go_before_its_message_is_whole() {
    use tidegate::exchange::Direction::Request;
    use tidegate::ext_proc::wire::Event;
    for (promises, kept) in [(true, 0), (false, 30_000)] {
        let mut talk = if promises { talk(|| Promised(Pass)) } else { talk(|| Pass) };
        let pieces: Vec<Bytes> = (0..3).map(|n| Bytes::from(vec![n; 10_000])).collect();
        for piece in &pieces {
            talk.session.handle(Event::BodyPiece { direction: Request, bytes: piece.clone() });
            assert!(talk.replies().is_empty(), "the message is not whole");
        }
        assert_eq!(talk.session.held_bytes(), kept, "promises: {promises}");
        assert_eq!(pieces.iter().all(Bytes::is_unique), promises);
    }
}

#[test]
fn messages_that_pass_are_answered_by_nothing_each() {
    let mut talk = talk(|| Promised(Pass));
    for body in [&b"one"[..], b"", b"three"] {
        let replies = talk.send(request_body(body, false));
        let [reply] = &replies[..] else { panic!("{replies:?}") };
        assert_eq!(body_of(reply), None, "as it came");
    }
    assert_eq!(talk.send(request_trailers(&[("x-sum", "1")])).len(), 1);
    assert!(talk.session.is_settled());
}

#[test]
fn a_body_that_is_dropped_whole_is_answered_by_none() {
    let mut talk = talk(|| Promised(EndsBehind(0)));
    let replies = talk.send(request_body(&b"one"[..], false));
    let [reply] = &replies[..] else { panic!("{replies:?}") };
    assert!(matches!(body_of(reply), Some(Mutation::ClearBody(true))), "{reply:?}");
}

#[test]
fn p07_a_promise_that_is_broken_by_holding_fails_the_stream() {
    // Would hold the first message, and let it go with the second, which is as long.
    let mut talk = talk(|| Promised(EverySecond::default()));
    let replies = talk.send(request_body(&b"same"[..], false));
    assert_eq!(immediate(&replies).0, 500);
}

#[test]
fn p07_a_promise_that_is_broken_by_an_early_end_fails_the_stream() {
    use tidegate::exchange::Direction::Request;
    use tidegate::ext_proc::wire::Event;
    let mut talk = talk(|| Promised(EndsBehind(3)));
    talk.session.handle(Event::BodyPiece { direction: Request, bytes: "one".into() });
    assert!(talk.replies().is_empty(), "the message is not whole");
    assert!(talk.send(request_body(&b"two"[..], false)).is_empty());
    assert!(failure(&mut talk).contains("`keep bytes`"));
}

/// A filter that is not shown bytes cannot keep them, and an edit needs its grant: but one filter
/// that may do either is enough to keep the body.
#[test]
fn a_plan_counts_only_if_no_filter_may_need_the_bytes() {
    struct HeadOnly;
    impl<H: Head> Filter<H> for HeadOnly {
        fn declare(&self) -> Declaration {
            Declaration::new().interest(Interest::HEAD)
        }
    }
    let bound = |plan: ExchangePlan| {
        let settings = SessionSettings::new(both(BodyMode::Streamed)).max_whole_bytes(1 << 40);
        SessionPlan::new(plan, settings).expect("it fits").held_bound_bytes() >> 40
    };
    let builder = || ExchangePlan::builder().response("heads", || HeadOnly);
    let with = |plan: tidegate::exchange::ExchangePlanBuilder| bound(plan.build().expect("a plan"));
    assert_eq!(with(builder().request("counts", || Promised(Pass))), 0);
    assert_eq!(with(builder().request("may keep", || Pass)), 1);
    assert_eq!(with(builder().request("edits", || Promised(Mark))), 1);
}
