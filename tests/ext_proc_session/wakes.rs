//! Who is woken.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};

use bytes::Bytes;
use tidegate::exchange::{Direction, ExchangePlan};
use tidegate::ext_proc::mode::BodyMode;
use tidegate::ext_proc::session::{SessionEnd, SessionOutput};
use tidegate::ext_proc::wire::{Event, Section};

use crate::filters::Deny;
use crate::messages::{ProcessingRequest, request_headers};
use crate::support::{Talk, both, head_event};

const HEAD: [(&str, &str); 4] =
    [(":method", "POST"), (":path", "/"), (":scheme", "http"), (":authority", "a")];

/// Counts its wakes.
#[derive(Default)]
struct Woken(AtomicU32);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

impl Woken {
    fn count(&self) -> u32 {
        self.0.load(SeqCst)
    }
}

/// Of the next poll of `talk`.
fn denied(talk: &mut Talk) -> bool {
    let polled = talk.session.poll_reply(&Context::from_waker(Waker::noop()));
    let is_reply = matches!(polled, Poll::Ready(SessionOutput::Reply(_)));
    is_reply && matches!(talk.session.end(), Some(SessionEnd::Replied { .. }))
}

/// What the request has in store for the client is read before the head of the response is let go.
#[test]
fn a_reply_that_is_there_comes_before_a_head() {
    let plan = ExchangePlan::builder().request("deny", || Deny).build().expect("a plan");
    for mode in [BodyMode::Streamed, BodyMode::FullDuplexStreamed] {
        let mut talk = Talk::new(plan.clone(), both(mode));
        talk.session.handle(head_event(Direction::Request));
        talk.session.handle(head_event(Direction::Response));
        assert!(denied(&mut talk), "{mode}");
    }
}

/// Nothing has come for the response, and it has an outcome all the same.
#[test]
fn filters_of_a_response_that_cannot_be_made_are_answered_for_before_it_comes() {
    let made = AtomicU32::new(0);
    let deny = move || {
        assert_eq!(made.fetch_add(1, SeqCst), 0, "cannot be made again");
        Deny
    };
    let plan = ExchangePlan::builder().response("deny", deny).build().expect("a plan");
    let mut talk = Talk::new(plan, both(BodyMode::Streamed));
    talk.session.handle(head_event(Direction::Request));
    // The first is the answer to the head of the request.
    assert!(denied(&mut talk) || denied(&mut talk));
}

/// What a response ends in is told to its request, which has been polled by then: where nothing is
/// answered, nobody else asks the session again.
#[test]
fn the_task_that_polled_last_is_woken_by_what_one_direction_says_to_the_other() {
    let plan = ExchangePlan::builder().response("deny", || Deny).build().expect("a plan");
    let mut talk = Talk::new(plan, both(BodyMode::Streamed));
    let head = request_headers(&HEAD, false);
    talk.send(ProcessingRequest { observability_mode: true, ..head });

    let (before, now) = (Arc::new(Woken::default()), Arc::new(Woken::default()));
    for task in [&before, &now] {
        let waker = Waker::from(Arc::clone(task));
        assert!(talk.session.poll_reply(&Context::from_waker(&waker)).is_pending());
    }
    let pseudo = vec![(Bytes::from_static(b"status"), Bytes::from_static(b"200"))];
    let section = Box::new(Section { pseudo, ..Section::default() });
    let direction = Direction::Response;
    let envelope = None;
    talk.session.handle(Event::Headers { direction, section, end_of_stream: true, envelope });
    let waker = Waker::from(Arc::clone(&now));
    assert!(talk.session.poll_reply(&Context::from_waker(&waker)).is_pending());
    assert_eq!((before.count(), now.count()), (0, 1));
}
