//! A chunk from one task to another on one thread (T5): each runs when it was woken.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::hint::black_box;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use bytes::Bytes;
use tidegate::limits::PIPE_ITEM_COST_BYTES;
use tidegate::pipe::{Next, pipe};
use tidegate::watermark::Marks;

use crate::chain::{CHUNK_BYTES, Source};

use super::{Row, Run, row};

pub(super) const ROWS: &[Row] = &[
    row("floor_pipe_16", "floor_pipe_16", "chunk", 6400, || floor(16)),
    row("floor_pipe_1", "floor_pipe_1", "chunk", 6400, || floor(1)),
    row("pipe_16", "floor_pipe_16", "chunk", 6400, || piped(16)),
    row("pipe_1", "floor_pipe_1", "chunk", 6400, || piped(1)),
];

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

/// Two tasks on one thread.
struct Tasks {
    flags: [Arc<Flag>; 2],
    wakers: [Waker; 2],
}

impl Tasks {
    fn new() -> Self {
        let flags = [(); 2].map(|()| Arc::new(Flag::default()));
        Self { wakers: flags.clone().map(Waker::from), flags }
    }

    /// Runs both, each when it was woken, until the second is ready.
    fn run<T>(&self, sending: impl Future<Output = ()>, receiving: impl Future<Output = T>) -> T {
        let (mut sending, mut receiving) = (pin!(sending), pin!(receiving));
        let mut sent = false;
        self.flags.iter().for_each(|flag| flag.0.store(true, Ordering::Relaxed));
        let [mut first, mut second] = [0, 1].map(|task| Context::from_waker(&self.wakers[task]));
        loop {
            if !sent && self.flags[0].0.swap(false, Ordering::Relaxed) {
                sent = sending.as_mut().poll(&mut first).is_ready();
            }
            if self.flags[1].0.swap(false, Ordering::Relaxed)
                && let Poll::Ready(done) = receiving.as_mut().poll(&mut second)
            {
                return done;
            }
        }
    }
}

/// A deque and two wakers in a cell.
#[derive(Default)]
struct Floor {
    queue: VecDeque<Bytes>,
    sender: Option<Waker>,
    receiver: Option<Waker>,
}

impl Floor {
    fn poll_send(&mut self, room: usize, cx: &Context<'_>) -> Poll<()> {
        if self.queue.len() == room {
            self.sender = Some(cx.waker().clone());
            return Poll::Pending;
        }
        self.queue.push_back(black_box(Source::Static.next()));
        if let Some(waker) = self.receiver.take() {
            waker.wake();
        }
        Poll::Ready(())
    }

    fn poll_next(&mut self, cx: &Context<'_>) -> Poll<Bytes> {
        let Some(chunk) = self.queue.pop_front() else {
            self.receiver = Some(cx.waker().clone());
            return Poll::Pending;
        };
        if let Some(waker) = self.sender.take() {
            waker.wake();
        }
        Poll::Ready(chunk)
    }
}

fn floor(room: usize) -> Run {
    let (tasks, floor) = (Tasks::new(), Rc::new(RefCell::new(Floor::default())));
    Box::new(move |chunks| {
        let sending = async {
            for _ in 0..chunks {
                poll_fn(|cx| floor.borrow_mut().poll_send(room, cx)).await;
            }
        };
        let receiving = async {
            let mut bytes = 0;
            for _ in 0..chunks {
                let chunk = poll_fn(|cx| floor.borrow_mut().poll_next(cx)).await;
                bytes += black_box(chunk).len() as u64;
            }
            bytes
        };
        assert_eq!(tasks.run(sending, receiving), chunks * CHUNK_BYTES as u64);
    })
}

fn piped(room: usize) -> Run {
    // Over with the last chunk that has room, low with none.
    let charge = CHUNK_BYTES as u64 + PIPE_ITEM_COST_BYTES;
    let marks = Marks::new(0, charge * (room as u64 - 1)).expect("low is 0");
    let (mut sender, mut receiver) = pipe::<Bytes, (), ()>(marks);
    let tasks = Tasks::new();
    Box::new(move |chunks| {
        let sending = async {
            for _ in 0..chunks {
                let chunk = black_box(Source::Static.next());
                sender.send(chunk).await.expect("the receiver is there");
            }
        };
        let receiving = async {
            let mut bytes = 0;
            for _ in 0..chunks {
                let Next::Item(chunk) = receiver.next().await else { panic!("it goes on") };
                bytes += black_box(chunk).len() as u64;
            }
            bytes
        };
        assert_eq!(tasks.run(sending, receiving), chunks * CHUNK_BYTES as u64);
    })
}
