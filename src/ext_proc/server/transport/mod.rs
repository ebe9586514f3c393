//! The socket of a connection, and the task that runs the connection with its streams.
//!
//! h2 asks its transport for one frame at a time, in both directions. On a socket that is two reads
//! and a write for each 16 KiB, and a write for each small answer, whatever else is there to be
//! written. So the socket is read in large pieces (`input`), and written once for each poll, body
//! segments as they are (`output`, `lent`). The streams of a connection run in the task of the
//! connection (`tasks`): what they answer to one read is written at once.
//!
//! This module never waits to write more: what a poll has written goes out at its end.

mod input;
mod lent;
mod output;
mod tasks;

use core::future::poll_fn;
use core::hint::black_box;
use core::pin::{Pin, pin};
use core::task::{Context, Poll};
use std::io::{self, IoSlice};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::task::coop;

use self::input::Input;
pub(super) use self::lent::Lent;
use self::output::Output;
pub(super) use self::tasks::Spawner;
use self::tasks::Tasks;
use crate::limits::{KEPT_HEAP_BYTES, MAX_JOINED_FRAME_BYTES, MAX_ROUNDS_PER_POLL};
use crate::sync::{Arc, Mutex, lock};

/// What a connection reads from and writes to. It writes nothing by itself: whoever polls the
/// connection polls it as [`Connected`].
pub(super) struct Transport {
    input: Input<OwnedReadHalf>,
    output: Arc<Slot>,
}

/// Where the output lies while nobody writes. Connection and [`Connected`] are one task, so that it
/// is always there; the lock is held to move a pointer.
struct Slot(Mutex<Option<Box<Output<OwnedWriteHalf>>>>);

/// A connection on a [`Transport`], with its streams: what a poll of it has written goes out at the
/// end of the poll.
pub(super) struct Connected<C> {
    connection: Pin<Box<C>>,
    tasks: Tasks,
    lent: Lent,
    output: Arc<Slot>,
}

impl<C> Connected<C> {
    /// What makes the connection of the transport that is on `socket` and of the executor that
    /// runs its streams. A frame that is read is never made longer than `max_frame_bytes`.
    pub(super) fn new(
        socket: TcpStream,
        max_frame_bytes: usize,
        connect: impl FnOnce(Transport, Spawner) -> C,
    ) -> Self {
        let (read, write) = socket.into_split();
        let (spawner, lent) = (Spawner::default(), Lent::default());
        let output = Box::new(Output::new(write, lent.clone()));
        let output = Arc::new(Slot(Mutex::new(Some(output))));
        let input = Input::new(read, max_frame_bytes.min(MAX_JOINED_FRAME_BYTES));
        let transport = Transport { input, output: Arc::clone(&output) };
        let tasks = Tasks::new(spawner.clone());
        let connection = Box::pin(connect(transport, spawner));
        Self { connection, tasks, lent, output }
    }
}

/// Sees to it that memory which was read into is there for what is read next.
///
/// glibc gives the top of the heap back to the kernel as soon as more than 128 KiB of it are free,
/// and what a connection reads and frees is as much: it came back as fresh pages. Once a piece was
/// freed that had been too large for the heap, it keeps twice as much as that: mallopt(3),
/// `M_MMAP_THRESHOLD`, "dynamically adjusted". To other allocators it is an allocation like others.
pub(super) fn keep_memory() {
    drop(black_box(Vec::<u8>::with_capacity(KEPT_HEAP_BYTES / 2)));
}

impl Slot {
    fn with<T>(&self, work: impl FnOnce(&mut Output<OwnedWriteHalf>) -> T) -> Option<T> {
        let mut output = lock(&self.0).take()?;
        let result = work(&mut output);
        *lock(&self.0) = Some(output);
        Some(result)
    }

    fn poll<T>(
        &self,
        work: impl FnOnce(&mut Output<OwnedWriteHalf>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        self.with(work).unwrap_or_else(|| Poll::Ready(Err(io::ErrorKind::ResourceBusy.into())))
    }
}

impl AsyncRead for Transport {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.input.poll_read(cx, buf)
    }
}

impl AsyncWrite for Transport {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.output.poll(|output| output.write(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// Nothing: h2 flushes behind each frame. [`Connected`] does it.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.output.poll(|output| output.shutdown(cx))
    }
}

impl<C: Future> Connected<C> {
    /// Goes round until nothing is woken: the connection reads, its streams answer, the connection
    /// writes. Bounded, so that what is written does not wait for what keeps coming.
    fn poll_rounds(&mut self) -> Poll<C::Output> {
        let waker = self.tasks.connection_waker().clone();
        for _ in 0..MAX_ROUNDS_PER_POLL {
            if !self.tasks.begin_round() {
                break;
            }
            if self.tasks.has_connection()
                && let Poll::Ready(output) =
                    self.connection.as_mut().poll(&mut Context::from_waker(&waker))
            {
                return Poll::Ready(output);
            }
            if !self.tasks.poll_round() {
                break;
            }
        }
        Poll::Pending
    }

    /// What has been written goes out, also if the streams have used up what tokio lets a task do.
    fn flush(&self) {
        let waker = self.tasks.connection_waker();
        let flushed = coop::unconstrained(poll_fn(|cx| {
            Poll::Ready(self.output.with(|output| output.flush(cx)))
        }));
        let polled = pin!(flushed).poll(&mut Context::from_waker(waker));
        // The connection hears of an error when it writes next, or from the reading side.
        if polled == Poll::Ready(Some(true)) {
            waker.wake_by_ref();
        }
    }
}

impl<C: Future> Future for Connected<C> {
    type Output = C::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<C::Output> {
        let this = &mut *self;
        this.tasks.begin_poll();
        let lent = this.lent.clone();
        let polled = lent.scope(|| this.poll_rounds());
        if this.tasks.is_empty() {
            this.lent.clear();
        }
        this.flush();
        this.tasks.end_poll(cx.waker());
        polled
    }
}

#[cfg(test)]
mod tests;
