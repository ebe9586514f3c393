//! The rows of the pipe benchmarks: messages from one task to another.
//!
//! Every row is a sending and a receiving future. What has trailers is a message: where a channel
//! has no end of its own, they come as an item, and an item of `Bytes` or boxed trailers is no
//! larger than one of `Bytes`. What is unfair to the pipe: the others count items, not bytes, and
//! cannot tell an end from a sender that was dropped.
#![allow(dead_code, unused_imports, reason = "each binary uses its part")]

#[path = "source.rs"]
mod source;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::HeaderMap;
use tidegate::limits::PIPE_ITEM_COST_BYTES;
use tidegate::pipe::{Next, pipe};
use tidegate::watermark::Marks;

pub(crate) use source::{CHUNK_BYTES, Message, Script, Source};

pub(crate) type Sending = Pin<Box<dyn Future<Output = ()> + Send>>;
/// Ready with what came.
pub(crate) type Receiving<S> = Pin<Box<dyn Future<Output = S> + Send>>;
type LocalSending = Pin<Box<dyn Future<Output = ()>>>;
type LocalReceiving<S> = Pin<Box<dyn Future<Output = S>>>;

/// One way from a task to another.
pub(crate) struct Way {
    pub(crate) name: &'static str,
    pub(crate) note: &'static str,
    /// Its halves for a room (in chunks) and a message.
    pub(crate) counted: fn(usize, Steady) -> (Sending, Receiving<Counted>),
    /// The same for a message that is kept.
    pub(crate) kept: fn(usize, Script) -> (Sending, Receiving<Message>),
}

/// Ours.
pub(crate) const OURS: Way = Way {
    name: "tidegate",
    note: "a pipe with room in bytes, a typed end that carries the trailers, and a cut that is \
           told from it",
    counted: through_pipe,
    kept: through_pipe,
};

/// A message that is sent.
pub(crate) trait Feed: Send + 'static {
    fn next(&mut self) -> Option<Bytes>;
    fn trailers(&mut self) -> HeaderMap;
}

/// So many chunks of one source, and trailers.
pub(crate) struct Steady {
    pub(crate) source: Source,
    pub(crate) chunks: u64,
}

impl Feed for Steady {
    fn next(&mut self) -> Option<Bytes> {
        self.chunks = self.chunks.checked_sub(1)?;
        Some(self.source.next())
    }

    fn trailers(&mut self) -> HeaderMap {
        let mut trailers = HeaderMap::new();
        trailers.insert("x-digest", http::HeaderValue::from_static("one"));
        trailers
    }
}

impl Feed for Script {
    fn next(&mut self) -> Option<Bytes> {
        (!self.chunks.is_empty()).then(|| self.chunks.remove(0))
    }

    fn trailers(&mut self) -> HeaderMap {
        std::mem::take(&mut self.trailers)
    }
}

/// Where a message arrives.
pub(crate) trait Sink: Default + Send + 'static {
    fn data(&mut self, chunk: Bytes);
    fn end(&mut self, trailers: HeaderMap);
}

/// What has arrived, counted.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) bytes: u64,
    pub(crate) trailers: usize,
}

impl Sink for Counted {
    fn data(&mut self, chunk: Bytes) {
        self.bytes += chunk.len() as u64;
    }

    fn end(&mut self, trailers: HeaderMap) {
        self.trailers += trailers.len();
    }
}

impl Sink for Message {
    fn data(&mut self, chunk: Bytes) {
        Self::data(self, &chunk);
    }

    fn end(&mut self, trailers: HeaderMap) {
        Self::end(self, trailers);
    }
}

/// What goes through a channel that has no end of its own.
#[derive(Debug, Clone)]
pub(crate) enum Item {
    Data(Bytes),
    /// Boxed, so that an item is no larger than `Bytes`.
    Trailers(Box<HeaderMap>),
}

const _: () = assert!(size_of::<Item>() == size_of::<Bytes>());

impl Default for Item {
    fn default() -> Self {
        Self::Data(Bytes::new())
    }
}

impl Item {
    /// The next item of `feed`; `is_over` when that were its trailers.
    pub(crate) fn next(feed: &mut impl Feed, is_over: &mut bool) -> Option<Self> {
        if *is_over {
            return None;
        }
        Some(feed.next().map_or_else(
            || {
                *is_over = true;
                Self::Trailers(Box::new(feed.trailers()))
            },
            Self::Data,
        ))
    }

    pub(crate) fn arrive(self, sink: &mut impl Sink) {
        match self {
            Self::Data(chunk) => sink.data(chunk),
            Self::Trailers(trailers) => sink.end(*trailers),
        }
    }
}

/// Marks with room for that many chunks: over with the last, low with none.
fn marks(room: usize) -> Marks {
    let charge = CHUNK_BYTES as u64 + PIPE_ITEM_COST_BYTES;
    Marks::new(0, charge * (room as u64 - 1)).expect("low is 0")
}

fn through_pipe<F: Feed, S: Sink>(room: usize, mut feed: F) -> (Sending, Receiving<S>) {
    let (mut sender, mut receiver) = pipe::<Bytes, HeaderMap, ()>(marks(room));
    let sending = async move {
        while let Some(chunk) = feed.next() {
            sender.send(chunk).await.expect("the receiver is there");
        }
        sender.finish(feed.trailers()).expect("the receiver is there");
    };
    let receiving = async move {
        let mut sink = S::default();
        loop {
            match receiver.next().await {
                Next::Item(chunk) => sink.data(chunk),
                Next::Finished(trailers) => {
                    sink.end(trailers);
                    return sink;
                }
                Next::Cut(_) | Next::Over => panic!("not complete"),
            }
        }
    };
    (Box::pin(sending), Box::pin(receiving))
}

/// The floor: a deque and two wakers in a cell, on one thread.
#[derive(Default)]
struct Floor {
    queue: VecDeque<Item>,
    sender: Option<Waker>,
    receiver: Option<Waker>,
}

/// What the floor imitates.
pub(crate) const FLOOR_NOTE: &str = "a deque and two wakers in a cell, on one thread: \
     no lock, no bytes counted, no end when a half \
     is dropped";

/// The floor's halves.
pub(crate) fn floor<F: Feed, S: Sink>(
    room: usize,
    mut feed: F,
) -> (LocalSending, LocalReceiving<S>) {
    let sender = Rc::new(RefCell::new(Floor::default()));
    let receiver = Rc::clone(&sender);
    let sending = async move {
        let mut is_over = false;
        while let Some(item) = Item::next(&mut feed, &mut is_over) {
            let mut item = Some(item);
            poll_fn(|cx| {
                let mut floor = sender.borrow_mut();
                if floor.queue.len() == room {
                    floor.sender = Some(cx.waker().clone());
                    return Poll::Pending;
                }
                floor.queue.extend(item.take());
                if let Some(waker) = floor.receiver.take() {
                    waker.wake();
                }
                Poll::Ready(())
            })
            .await;
        }
    };
    let receiving = async move {
        let mut sink = S::default();
        loop {
            let item = poll_fn(|cx| {
                let mut floor = receiver.borrow_mut();
                let Some(item) = floor.queue.pop_front() else {
                    floor.receiver = Some(cx.waker().clone());
                    return Poll::Pending;
                };
                if let Some(waker) = floor.sender.take() {
                    waker.wake();
                }
                Poll::Ready(item)
            });
            let item = item.await;
            let is_over = matches!(item, Item::Trailers(_));
            item.arrive(&mut sink);
            if is_over {
                return sink;
            }
        }
    };
    (Box::pin(sending), Box::pin(receiving))
}

#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs both on this thread, each when it was woken. What arrived.
pub(crate) fn on_one_thread<S>(
    (mut sending, mut receiving): (
        Pin<Box<impl Future<Output = ()> + ?Sized>>,
        Pin<Box<impl Future<Output = S> + ?Sized>>,
    ),
) -> S {
    let flags = [(); 2].map(|()| Arc::new(Flag(AtomicBool::new(true))));
    let wakers = flags.clone().map(Waker::from);
    let mut sent = false;
    loop {
        if !sent && flags[0].0.swap(false, Ordering::Relaxed) {
            sent = sending.as_mut().poll(&mut Context::from_waker(&wakers[0])).is_ready();
        }
        if flags[1].0.swap(false, Ordering::Relaxed)
            && let Poll::Ready(sink) = receiving.as_mut().poll(&mut Context::from_waker(&wakers[1]))
        {
            return sink;
        }
    }
}

struct Unpark {
    thread: Thread,
    wakes: Arc<AtomicU64>,
}

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.wakes.fetch_add(1, Ordering::Relaxed);
        self.thread.unpark();
    }
}

fn block_on<T>(mut future: Pin<Box<impl Future<Output = T> + ?Sized>>, wakes: Arc<AtomicU64>) -> T {
    let waker = Waker::from(Arc::new(Unpark { thread: thread::current(), wakes }));
    let mut cx = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut cx) {
            return done;
        }
        thread::park();
    }
}

/// Runs each on a thread of its own: what arrived, the time, and the wakes of both.
pub(crate) fn across_threads<S>(
    (sending, receiving): (Sending, Receiving<S>),
) -> (S, Duration, u64) {
    let wakes = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&wakes);
    let started = Instant::now();
    let sender = thread::spawn(move || block_on(sending, counter));
    let sink = block_on(receiving, Arc::clone(&wakes));
    sender.join().expect("the sending thread is done");
    (sink, started.elapsed(), wakes.load(Ordering::Relaxed))
}
