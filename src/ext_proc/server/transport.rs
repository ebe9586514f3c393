//! The socket of a connection: it is read in large pieces, and written once for each poll.
//!
//! h2 asks its transport for one frame at a time, in both directions. On a socket that is two reads
//! and a write for each 16 KiB, and a write for each small answer, whatever else is there to be
//! written. A copy costs less than a call of the system does, with what it wakes at the other end.
//!
//! This module never waits to write more: what a poll has written goes out at its end.

use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::io::{self, IoSlice};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use crate::limits::{TRANSPORT_READ_BYTES, TRANSPORT_WRITE_BYTES};
use crate::sync::{Arc, Mutex, lock};

/// What a connection reads from and writes to. It writes nothing by itself: whoever polls the
/// connection polls it as [`Flushed`].
pub(super) struct Transport {
    socket: OwnedReadHalf,
    /// Room for a read; none before the first one.
    input: Vec<u8>,
    /// What has been read and not taken.
    unread: core::ops::Range<usize>,
    output: Arc<Slot>,
}

/// Where the output lies while nobody writes. Connection and [`Flushed`] are one task, so that it
/// is always there; the lock is held to move a pointer.
struct Slot(Mutex<Option<Box<Output>>>);

/// What the connection has written, and the socket has not taken.
struct Output {
    socket: OwnedWriteHalf,
    bytes: Vec<u8>,
    /// How many of them the socket has taken.
    taken: usize,
    /// Why the socket takes no more: for the next who writes.
    error: Option<io::Error>,
}

/// A connection on a [`Transport`]: what a poll of it has written goes out at the end of the poll.
pub(super) struct Flushed<C> {
    connection: Pin<Box<C>>,
    output: Arc<Slot>,
}

impl Transport {
    pub(super) fn new(socket: TcpStream) -> Self {
        let (read, write) = socket.into_split();
        let output = Output { socket: write, bytes: Vec::new(), taken: 0, error: None };
        let output = Arc::new(Slot(Mutex::new(Some(Box::new(output)))));
        Self { socket: read, input: Vec::new(), unread: 0..0, output }
    }

    /// What makes a connection, which is then polled together with its output.
    pub(super) fn flushed<C>(self, connect: impl FnOnce(Self) -> C) -> Flushed<C> {
        let output = Arc::clone(&self.output);
        Flushed { connection: Box::pin(connect(self)), output }
    }
}

impl Slot {
    fn poll<T>(
        &self,
        work: impl FnOnce(&mut Output) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let taken = lock(&self.0).take();
        let Some(mut output) = taken else {
            return Poll::Ready(Err(io::ErrorKind::ResourceBusy.into()));
        };
        let result = work(&mut output);
        *lock(&self.0) = Some(output);
        result
    }
}

impl Output {
    /// Gives the socket all there is.
    fn drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(left) = self.bytes.get(self.taken..).filter(|left| !left.is_empty()) {
            match ready!(Pin::new(&mut self.socket).poll_write(cx, left))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                n => self.taken += n,
            }
        }
        self.bytes.clear();
        self.taken = 0;
        Poll::Ready(Ok(()))
    }

    fn write(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        if let Some(error) = self.error.take() {
            return Poll::Ready(Err(error));
        }
        if self.bytes.len() >= TRANSPORT_WRITE_BYTES {
            ready!(self.drain(cx))?;
        }
        let before = self.bytes.len();
        for slice in slices {
            let room = TRANSPORT_WRITE_BYTES - self.bytes.len();
            self.bytes.extend_from_slice(&slice[..slice.len().min(room)]);
        }
        Poll::Ready(Ok(self.bytes.len() - before))
    }
}

impl AsyncRead for Transport {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.unread.is_empty() {
            this.input.resize(TRANSPORT_READ_BYTES, 0);
            let mut read = ReadBuf::new(&mut this.input);
            ready!(Pin::new(&mut this.socket).poll_read(cx, &mut read))?;
            this.unread = 0..read.filled().len();
        }
        let n = this.unread.len().min(buf.remaining());
        buf.put_slice(&this.input[this.unread.start..this.unread.start + n]);
        this.unread.start += n;
        Poll::Ready(Ok(()))
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

    /// Nothing: h2 flushes behind each frame. [`Flushed`] does it.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.output.poll(|output| {
            ready!(output.drain(cx))?;
            Pin::new(&mut output.socket).poll_shutdown(cx)
        })
    }
}

impl<C: Future> Future for Flushed<C> {
    type Output = C::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<C::Output> {
        let polled = self.connection.as_mut().poll(cx);
        // Pending: the socket wakes this task when it takes more.
        let _ = self.output.poll(|output| {
            if let Poll::Ready(Err(error)) = output.drain(cx) {
                output.bytes.clear();
                output.taken = 0;
                output.error = Some(error);
                // The connection hears of it when it writes next, or from the reading side.
                cx.waker().wake_by_ref();
            }
            Poll::Ready(Ok(()))
        });
        polled
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    async fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("a port");
        let (client, server) = tokio::join!(TcpStream::connect(address), listener.accept());
        (client.expect("a client"), server.expect("a server").0)
    }

    fn pattern(len: usize) -> Vec<u8> {
        (0..len).map(|i| (i % 251) as u8).collect()
    }

    /// More than all buffers take, to somebody who reads late.
    #[tokio::test]
    async fn everything_that_is_written_arrives_in_order() {
        let (mut client, server) = pair().await;
        let all = pattern(16 << 20);
        let sent = all.clone();
        let connection = Transport::new(server).flushed(|mut transport| async move {
            for piece in sent.chunks(10_000) {
                let mut slices = [IoSlice::new(&piece[..9]), IoSlice::new(&piece[9..])];
                let mut slices = &mut slices[..];
                while !slices.is_empty() {
                    let n = transport.write_vectored(slices).await.expect("a socket");
                    IoSlice::advance_slices(&mut slices, n);
                }
                transport.flush().await.expect("nothing to wait for");
            }
            transport.shutdown().await.expect("all is out");
        });
        let connection = tokio::spawn(connection);
        tokio::time::sleep(Duration::from_millis(20)).await;
        let mut came = Vec::new();
        client.read_to_end(&mut came).await.expect("a socket");
        assert!(came == all, "{} of {} bytes", came.len(), all.len());
        connection.await.expect("no panic");
    }

    /// Nobody writes more, and nobody shuts down.
    #[tokio::test]
    async fn what_a_poll_has_written_goes_out_at_its_end() {
        let (mut client, server) = pair().await;
        let connection = Transport::new(server).flushed(|mut transport| async move {
            transport.write_all(b"hello").await.expect("room");
            core::future::pending::<()>().await;
        });
        let connection = tokio::spawn(connection);
        let mut came = [0; 5];
        client.read_exact(&mut came).await.expect("a socket");
        assert_eq!(&came, b"hello");
        connection.abort();
    }

    #[tokio::test]
    async fn everything_that_is_read_comes_in_order_in_pieces_of_any_size() {
        let (mut client, server) = pair().await;
        let all = pattern(1 << 20);
        let sent = all.clone();
        let write = tokio::spawn(async move {
            client.write_all(&sent).await.expect("a socket");
            drop(client);
        });
        let mut transport = Transport::new(server);
        let (mut came, mut most) = (Vec::new(), 1);
        loop {
            let mut piece = vec![0; most];
            let n = transport.read(&mut piece).await.expect("a socket");
            if n == 0 {
                break;
            }
            came.extend_from_slice(&piece[..n]);
            most = most % 70_000 + 997;
        }
        assert!(came == all, "{} of {} bytes", came.len(), all.len());
        write.await.expect("no panic");
    }
}
