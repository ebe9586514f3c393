//! Bytes at rest: what they cost, and what happens when they go.

use std::future::poll_fn;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use bytes::Bytes;
use http::request;
use tidegate::async_filter::{Input, Output as Sent, async_filter};
use tidegate::pipe::pipe;
use tidegate::{
    BodyBuf, Capability, Chain, Declaration, Error, Interest, Marks, Outcome, Output, Plan,
    Verdict, limits,
};

use crate::support::{Closed, PlanExt, chain, request_head};

type RequestPlan = Plan<request::Parts>;

/// A chain whose head has left.
fn opened(plan: &RequestPlan) -> Chain<request::Parts> {
    let mut chain = chain(plan);
    chain.handle_head(request_head(), false).unwrap();
    while chain.poll_output().is_some() {}
    chain
}

/// Panics when the last of its bytes goes.
struct Payload {
    bytes: Vec<u8>,
    dropped: Arc<AtomicU32>,
}

impl AsRef<[u8]> for Payload {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Payload {
    fn drop(&mut self) {
        self.dropped.fetch_add(1, Ordering::SeqCst);
        panic!("the drop of a payload");
    }
}

fn payload(len: usize, dropped: &Arc<AtomicU32>) -> Bytes {
    Bytes::from_owner(Payload { bytes: vec![b'x'; len], dropped: Arc::clone(dropped) })
}

/// The small rest of a chunk is copied, so the engine lets the chunk go: a panic in its drop left
/// the engine.
#[test]
fn a_payload_that_panics_when_its_rest_is_packed_is_contained() {
    let changes = Declaration::new().interest(Interest::DATA).require(Capability::ChangeLength);
    let plan = RequestPlan::builder()
        .probe("lines", changes, &Closed::default(), || {
            |_, view| {
                if view.input_ended() {
                    return Verdict::PASS;
                }
                if view.new_at() != 0 {
                    view.remove(0..1550).unwrap();
                }
                Verdict::HOLD
            }
        })
        .build()
        .unwrap();
    let mut chain = opened(&plan);
    let dropped = Arc::new(AtomicU32::new(0));
    chain.handle_data(Bytes::from_static(&[b'x'; 600]), false).unwrap();
    chain.handle_data(payload(1000, &dropped), false).unwrap();
    assert_eq!(dropped.load(Ordering::SeqCst), 1, "the rest does not keep it");
    chain.handle_end().unwrap();
    assert!(matches!(chain.poll_output(), Some(Output::Data(rest)) if rest.len() == 50));
    assert!(matches!(chain.poll_output(), Some(Output::End)));
    assert!(matches!(chain.outcome(), Some(Outcome::Complete { .. })), "{:?}", chain.outcome());
}

/// Two payloads that panic when they go, dropped at once: the second panic, while the first was
/// under way, aborted the process.
#[test]
fn payloads_that_panic_are_dropped_one_by_one() {
    let plan = RequestPlan::builder()
        .probe("holds", Declaration::new().interest(Interest::DATA), &Closed::default(), || {
            |_, _| Verdict::HOLD
        })
        .build()
        .unwrap();
    let mut chain = opened(&plan);
    let dropped = Arc::new(AtomicU32::new(0));
    for _ in 0..3 {
        chain.handle_data(payload(1000, &dropped), false).unwrap();
    }
    chain.cancel();
    assert_eq!(dropped.load(Ordering::SeqCst), 3);
    assert_eq!(chain.stats().discarded_bytes, 3000);
    assert!(chain.handle_data(payload(1000, &dropped), false).is_err(), "the message is over");
    assert_eq!(dropped.load(Ordering::SeqCst), 4);
}

/// The same in a pipe whose receiver goes.
#[test]
fn items_of_a_pipe_that_panic_are_dropped_one_by_one() {
    let (mut sender, receiver) = pipe::<Bytes, (), ()>(Marks::from_high(1 << 20));
    let dropped = Arc::new(AtomicU32::new(0));
    for _ in 0..3 {
        sender.try_send(payload(1000, &dropped)).unwrap();
    }
    drop(receiver);
    assert_eq!(dropped.load(Ordering::SeqCst), 3);
    assert_eq!(sender.stats().dropped_items, 3);
}

/// A future that only waits lends its bytes for each poll and gets them back: they were copied
/// again each time.
#[test]
fn a_small_rest_of_an_async_filter_is_copied_once() {
    let wakers: Arc<Mutex<Vec<Waker>>> = Arc::default();
    let given = Arc::clone(&wakers);
    let waits = move |_: Input, _: Sent| {
        let given = Arc::clone(&given);
        async move {
            poll_fn::<(), _>(|cx| {
                given.lock().unwrap().push(cx.waker().clone());
                Poll::Pending
            })
            .await;
            Ok::<(), Error>(())
        }
    };
    let plan = RequestPlan::builder()
        .filter("waits", async_filter(Declaration::new(), waits))
        .build()
        .unwrap();
    let mut chain = opened(&plan);
    chain.handle_data(Bytes::from_static(&[b'x'; 100]), false).unwrap();
    for _ in 0..100 {
        let woken = std::mem::take(&mut *wakers.lock().unwrap());
        woken.into_iter().for_each(Waker::wake);
        chain.handle_resumes();
        assert!(chain.poll_output().is_none());
    }
    assert!(chain.stats().calls > 100, "{} calls", chain.stats().calls);
    assert_eq!(chain.stats().packed_bytes, 100);
}

/// Of 100,000 segments that were replaced by nothing the slots stayed, until the rest was settled.
#[test]
fn what_is_replaced_takes_its_slots_along() {
    let mut buf: BodyBuf = (0..100_000).map(|_| Bytes::from_static(b"x")).collect();
    buf.replace(1..99_999, Bytes::new());
    assert_eq!(buf, b"xx");
    assert!(buf.bookkeeping_bytes() <= limits::BOOKKEEPING_BASE_BYTES, "{buf:?}");
}
