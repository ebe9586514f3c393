//! The rows of the pipe benchmarks: chunks from one task to another, through what people use today.
//!
//! Every row is a sending and a receiving future for the same number of chunks. The receiving one
//! counts what arrives. What is unfair to the pipe: the others count items, not bytes, and have no
//! typed end.

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
use http_body::{Body, Frame};
use tidegate::limits::PIPE_ITEM_COST_BYTES;
use tidegate::pipe::{Next, pipe};
use tidegate::watermark::Marks;

/// Bytes of one chunk.
pub(crate) const CHUNK_BYTES: usize = 16 * 1024;

static CHUNK: [u8; CHUNK_BYTES] = [7; CHUNK_BYTES];

type Sending = Pin<Box<dyn Future<Output = ()> + Send>>;
/// Ready with the bytes that came.
type Receiving = Pin<Box<dyn Future<Output = u64> + Send>>;
type LocalSending = Pin<Box<dyn Future<Output = ()>>>;
type LocalReceiving = Pin<Box<dyn Future<Output = u64>>>;

/// A row: its halves for a room (in chunks) and a number of chunks.
pub(crate) type Row = (&'static str, fn(usize, u64) -> (Sending, Receiving));

/// All rows that can be sent to another thread.
pub(crate) const ROWS: [Row; 5] = [
    ("tidegate", through_pipe),
    ("kanal", through_kanal),
    ("flume", through_flume),
    ("tokio_mpsc", through_mpsc),
    ("http_body_channel", through_channel),
];

fn chunk() -> Bytes {
    Bytes::from_static(&CHUNK)
}

/// Marks with room for that many chunks: over with the last, low with none.
fn marks(room: usize) -> Marks {
    let charge = CHUNK_BYTES as u64 + PIPE_ITEM_COST_BYTES;
    Marks::new(0, charge * (room as u64 - 1)).expect("low is 0")
}

fn through_pipe(room: usize, chunks: u64) -> (Sending, Receiving) {
    let (mut sender, mut receiver) = pipe::<Bytes, (), ()>(marks(room));
    let sending = async move {
        for _ in 0..chunks {
            sender.send(chunk()).await.expect("the receiver is there");
        }
        sender.finish(()).expect("the receiver is there");
    };
    let receiving = async move {
        let mut bytes = 0;
        loop {
            match receiver.next().await {
                Next::Item(chunk) => bytes += chunk.len() as u64,
                Next::Finished(()) => return bytes,
                Next::Cut(_) | Next::Over => panic!("not complete"),
            }
        }
    };
    (Box::pin(sending), Box::pin(receiving))
}

fn through_kanal(room: usize, chunks: u64) -> (Sending, Receiving) {
    let (sender, receiver) = kanal::bounded_async::<Bytes>(room);
    let sending = async move {
        for _ in 0..chunks {
            sender.send(chunk()).await.expect("the receiver is there");
        }
    };
    let receiving = async move {
        let mut bytes = 0;
        while let Ok(chunk) = receiver.recv().await {
            bytes += chunk.len() as u64;
        }
        bytes
    };
    (Box::pin(sending), Box::pin(receiving))
}

fn through_flume(room: usize, chunks: u64) -> (Sending, Receiving) {
    let (sender, receiver) = flume::bounded::<Bytes>(room);
    let sending = async move {
        for _ in 0..chunks {
            sender.send_async(chunk()).await.expect("the receiver is there");
        }
    };
    let receiving = async move {
        let mut bytes = 0;
        while let Ok(chunk) = receiver.recv_async().await {
            bytes += chunk.len() as u64;
        }
        bytes
    };
    (Box::pin(sending), Box::pin(receiving))
}

fn through_mpsc(room: usize, chunks: u64) -> (Sending, Receiving) {
    let (sender, mut receiver) = tokio::sync::mpsc::channel::<Bytes>(room);
    let sending = async move {
        for _ in 0..chunks {
            sender.send(chunk()).await.expect("the receiver is there");
        }
    };
    let receiving = async move {
        let mut bytes = 0;
        while let Some(chunk) = receiver.recv().await {
            bytes += chunk.len() as u64;
        }
        bytes
    };
    (Box::pin(sending), Box::pin(receiving))
}

fn through_channel(room: usize, chunks: u64) -> (Sending, Receiving) {
    let (mut sender, mut body) = http_body_util::Channel::<Bytes>::new(room);
    let sending = async move {
        for _ in 0..chunks {
            sender.send(Frame::data(chunk())).await.expect("the receiver is there");
        }
    };
    let receiving = async move {
        let mut bytes = 0;
        while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
            bytes += frame.expect("no error").data_ref().map_or(0, Bytes::len) as u64;
        }
        bytes
    };
    (Box::pin(sending), Box::pin(receiving))
}

/// The floor: a deque and two wakers in a cell, on one thread.
#[derive(Default)]
struct Floor {
    queue: VecDeque<Bytes>,
    sender: Option<Waker>,
    receiver: Option<Waker>,
}

/// The floor's halves.
pub(crate) fn floor(room: usize, chunks: u64) -> (LocalSending, LocalReceiving) {
    let sender = Rc::new(RefCell::new(Floor::default()));
    let receiver = Rc::clone(&sender);
    let sending = async move {
        for _ in 0..chunks {
            poll_fn(|cx| {
                let mut floor = sender.borrow_mut();
                if floor.queue.len() == room {
                    floor.sender = Some(cx.waker().clone());
                    return Poll::Pending;
                }
                floor.queue.push_back(chunk());
                if let Some(waker) = floor.receiver.take() {
                    waker.wake();
                }
                Poll::Ready(())
            })
            .await;
        }
    };
    let receiving = async move {
        let mut bytes = 0;
        for _ in 0..chunks {
            let chunk = poll_fn(|cx| {
                let mut floor = receiver.borrow_mut();
                let Some(chunk) = floor.queue.pop_front() else {
                    floor.receiver = Some(cx.waker().clone());
                    return Poll::Pending;
                };
                if let Some(waker) = floor.sender.take() {
                    waker.wake();
                }
                Poll::Ready(chunk)
            });
            bytes += chunk.await.len() as u64;
        }
        bytes
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

/// Runs both on this thread, each when it was woken. The bytes that arrived.
pub(crate) fn on_one_thread(
    (mut sending, mut receiving): (
        Pin<Box<impl Future<Output = ()> + ?Sized>>,
        Pin<Box<impl Future<Output = u64> + ?Sized>>,
    ),
) -> u64 {
    let flags = [(); 2].map(|()| Arc::new(Flag(AtomicBool::new(true))));
    let wakers = flags.clone().map(Waker::from);
    let mut sent = false;
    loop {
        if !sent && flags[0].0.swap(false, Ordering::Relaxed) {
            sent = sending.as_mut().poll(&mut Context::from_waker(&wakers[0])).is_ready();
        }
        if flags[1].0.swap(false, Ordering::Relaxed)
            && let Poll::Ready(bytes) =
                receiving.as_mut().poll(&mut Context::from_waker(&wakers[1]))
        {
            return bytes;
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

/// Runs each on a thread of its own: the bytes that arrived, the time, and the wakes of both.
pub(crate) fn across_threads((sending, receiving): (Sending, Receiving)) -> (u64, Duration, u64) {
    let wakes = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&wakes);
    let started = Instant::now();
    let sender = thread::spawn(move || block_on(sending, counter));
    let bytes = block_on(receiving, Arc::clone(&wakes));
    sender.join().expect("the sending thread is done");
    (bytes, started.elapsed(), wakes.load(Ordering::Relaxed))
}
