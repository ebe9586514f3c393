//! Who is woken.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::task::{Context, Wake, Waker};

use bytes::Bytes;
use tidegate::exchange::{Direction, ExchangePlan};
use tidegate::ext_proc::mode::BodyMode;
use tidegate::ext_proc::wire::{Event, Section};

use crate::filters::Deny;
use crate::messages::{ProcessingRequest, request_headers};
use crate::support::{Talk, both};

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
