//! The socket of a connection. Over HTTP/2 it is read in large pieces, and written in large pieces.
//!
//! h2 asks its transport for one frame at a time, in both directions: two reads and a write for
//! each 16 KiB, and a write for each small answer, whatever else is there to be written. A copy
//! costs less than a call of the system does, with what it wakes at the other end. hyper's HTTP/1
//! reads and writes in large pieces by itself: there everything goes straight to the socket.

use std::{
    io::{self, IoSlice},
    ops::Range,
    pin::Pin,
    task::{Context, Poll, ready},
};

use hyper_util::client::legacy::connect::{Connected, Connection};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::patient::Patient;

/// How much of an HTTP/2 connection is read at once, and how much of it waits to be written.
const PIECE_BYTES: usize = 64 * 1024;

/// The largest HTTP/2 frame to be sent to this proxy. Who sends such frames costs it a quarter of
/// those of 16 KiB, which is what is sent to those who ask for nothing.
pub(crate) const FRAME_BYTES: u32 = 64 * 1024;

/// A read of so much goes straight to the socket: a copy would cost more than it saves.
const DIRECT_BYTES: usize = 32 * 1024;

/// What a client of HTTP/2 begins with (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A socket, and what is known of the protocol.
#[derive(Debug)]
pub(crate) struct Transport<S> {
    socket: Patient<S>,
    protocol: Protocol,
}

#[derive(Debug)]
enum Protocol {
    /// So many bytes of the preface have come.
    Unknown {
        seen: usize,
    },
    Http1,
    Http2(Box<Pieces>),
}

/// What is between h2 and the socket.
#[derive(Debug, Default)]
struct Pieces {
    /// Room for a read; none before the first one.
    input: Vec<u8>,
    /// What has been read and not taken.
    unread: Range<usize>,
    frames: Frames,
    output: Vec<u8>,
    /// How many bytes of the output the socket has taken.
    taken: usize,
    /// Whether h2 may be about to write more.
    flush: Flush,
}

/// What the peer sends: h2 reads the start of a frame, and then asks for all that is left of it.
#[derive(Debug, Default, PartialEq, Eq)]
enum Frames {
    #[default]
    Small,
    Large,
}

/// h2 flushes behind each frame, and again when it has no more.
#[derive(Debug, Default, PartialEq, Eq)]
enum Flush {
    /// Nothing has been written since the last flush: the next one is meant.
    #[default]
    Meant,
    /// Something has: the next one is that behind a frame.
    BehindFrame,
}

impl<S> Transport<S> {
    /// Of a server: the client shows which protocol it speaks.
    pub(crate) fn accepted(socket: S) -> Self {
        Self { socket: Patient::new(socket), protocol: Protocol::Unknown { seen: 0 } }
    }

    /// Of a client.
    pub(crate) fn connected(socket: S, http2: bool) -> Self {
        let protocol = if http2 { Protocol::Http2(Box::default()) } else { Protocol::Http1 };
        Self { socket: Patient::new(socket), protocol }
    }
}

impl Protocol {
    /// What it is, once `bytes` more have come.
    fn learn(&mut self, bytes: &[u8]) {
        let Self::Unknown { seen } = self else { return };
        let expected = &PREFACE[*seen..];
        let n = expected.len().min(bytes.len());
        if expected[..n] != bytes[..n] {
            *self = Self::Http1;
        } else if n == expected.len() {
            *self = Self::Http2(Box::default());
        } else {
            *seen += n;
        }
    }
}

impl Pieces {
    fn read<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        socket: &mut S,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.flush == Flush::Meant {
            // What an earlier poll has left. Pending: the socket wakes this task.
            if let Poll::Ready(Err(error)) = self.drain(socket, cx) {
                return Poll::Ready(Err(error));
            }
        }
        if self.unread.is_empty() {
            let is_large = buf.remaining() >= DIRECT_BYTES;
            let frames = if is_large { Frames::Large } else { Frames::Small };
            let before = std::mem::replace(&mut self.frames, frames);
            if is_large || before == Frames::Large {
                return Pin::new(socket).poll_read(cx, buf);
            }
            self.input.resize(PIECE_BYTES, 0);
            let mut read = ReadBuf::new(&mut self.input);
            ready!(Pin::new(socket).poll_read(cx, &mut read))?;
            self.unread = 0..read.filled().len();
        }
        let n = self.unread.len().min(buf.remaining());
        buf.put_slice(&self.input[self.unread.start..self.unread.start + n]);
        self.unread.start += n;
        Poll::Ready(Ok(()))
    }

    fn write<S: AsyncWrite + Unpin>(
        &mut self,
        socket: &mut S,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.output.len() >= PIECE_BYTES {
            ready!(self.drain(socket, cx))?;
        }
        self.flush = Flush::BehindFrame;
        let before = self.output.len();
        for slice in slices {
            let room = PIECE_BYTES - self.output.len();
            self.output.extend_from_slice(&slice[..slice.len().min(room)]);
        }
        Poll::Ready(Ok(self.output.len() - before))
    }

    fn flush<S: AsyncWrite + Unpin>(
        &mut self,
        socket: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        match self.flush {
            Flush::Meant => self.drain(socket, cx),
            Flush::BehindFrame => {
                self.flush = Flush::Meant;
                // Should h2 not flush again in this poll, it reads or flushes in the next one.
                cx.waker().wake_by_ref();
                Poll::Ready(Ok(()))
            }
        }
    }

    /// Gives the socket all there is.
    fn drain<S: AsyncWrite + Unpin>(
        &mut self,
        socket: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while let Some(left) = self.output.get(self.taken..).filter(|left| !left.is_empty()) {
            match ready!(Pin::new(&mut *socket).poll_write(cx, left))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                n => self.taken += n,
            }
        }
        self.output.clear();
        self.taken = 0;
        Poll::Ready(Ok(()))
    }
}

impl<S: Connection> Connection for Transport<S> {
    fn connected(&self) -> Connected {
        self.socket.connected()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Transport<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { socket, protocol } = &mut *self;
        match protocol {
            Protocol::Http1 => Pin::new(socket).poll_read(cx, buf),
            Protocol::Http2(pieces) => pieces.read(socket, cx, buf),
            Protocol::Unknown { .. } => {
                let before = buf.filled().len();
                ready!(Pin::new(socket).poll_read(cx, buf))?;
                protocol.learn(&buf.filled()[before..]);
                Poll::Ready(Ok(()))
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Transport<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let Self { socket, protocol } = &mut *self;
        match protocol {
            Protocol::Http2(pieces) => pieces.write(socket, cx, slices),
            Protocol::Http1 | Protocol::Unknown { .. } => {
                Pin::new(socket).poll_write_vectored(cx, slices)
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { socket, protocol } = &mut *self;
        match protocol {
            Protocol::Http2(pieces) => pieces.flush(socket, cx),
            Protocol::Http1 | Protocol::Unknown { .. } => Pin::new(socket).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { socket, protocol } = &mut *self;
        if let Protocol::Http2(pieces) = protocol {
            ready!(pieces.drain(socket, cx))?;
        }
        Pin::new(socket).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpStream},
    };

    async fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (client, server) = tokio::join!(TcpStream::connect(address), listener.accept());
        (client.unwrap(), server.unwrap().0)
    }

    fn pattern(len: usize) -> Vec<u8> {
        (0..len).map(|i| (i % 251) as u8).collect()
    }

    #[test]
    fn a_protocol_is_known_by_its_first_bytes_however_they_are_cut() {
        for cut in 0..=PREFACE.len() {
            let mut protocol = Protocol::Unknown { seen: 0 };
            protocol.learn(&PREFACE[..cut]);
            assert_eq!(matches!(protocol, Protocol::Http2(_)), cut == PREFACE.len());
            protocol.learn(&PREFACE[cut..]);
            assert!(matches!(protocol, Protocol::Http2(_)), "{cut}");

            let mut protocol = Protocol::Unknown { seen: 0 };
            protocol.learn(&PREFACE[..cut.min(3)]);
            protocol.learn(b"OPFIND / HTTP/1.1");
            assert!(matches!(protocol, Protocol::Http1), "{cut}");
        }
    }

    #[tokio::test]
    async fn what_is_read_comes_in_order_in_pieces_of_any_size() {
        let (mut client, server) = pair().await;
        let all = pattern(2 << 20);
        let sent = all.clone();
        let write = tokio::spawn(async move {
            client.write_all(&sent).await.unwrap();
        });
        let mut transport = Transport::connected(server, true);
        let (mut came, mut most) = (Vec::new(), 1);
        loop {
            let mut piece = vec![0; most];
            let n = transport.read(&mut piece).await.unwrap();
            if n == 0 {
                break;
            }
            came.extend_from_slice(&piece[..n]);
            most = most * 3 % 70_001;
        }
        assert!(came == all, "{} of {} bytes", came.len(), all.len());
        write.await.unwrap();
    }

    /// More than all buffers take, to somebody who reads late, with a flush behind each frame.
    #[tokio::test]
    async fn what_is_written_arrives_in_order() {
        let (mut client, server) = pair().await;
        let all = pattern(16 << 20);
        let sent = all.clone();
        let mut transport = Transport::connected(server, true);
        let write = tokio::spawn(async move {
            for frame in sent.chunks(16_393) {
                let mut slices = [IoSlice::new(&frame[..9]), IoSlice::new(&frame[9..])];
                let mut slices = &mut slices[..];
                while !slices.is_empty() {
                    let n = transport.write_vectored(slices).await.unwrap();
                    IoSlice::advance_slices(&mut slices, n);
                }
                transport.flush().await.unwrap();
            }
            transport.shutdown().await.unwrap();
        });
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        let mut came = Vec::new();
        client.read_to_end(&mut came).await.unwrap();
        assert!(came == all, "{} of {} bytes", came.len(), all.len());
        write.await.unwrap();
    }

    /// The second flush is that of a connection which has no more to write.
    #[tokio::test]
    async fn a_flush_without_a_write_before_it_is_meant() {
        let (mut client, server) = pair().await;
        let mut transport = Transport::connected(server, true);
        let waits = |transport: &Transport<_>| match &transport.protocol {
            Protocol::Http2(pieces) => pieces.output.len(),
            Protocol::Http1 | Protocol::Unknown { .. } => unreachable!(),
        };
        transport.write_all(b"frame").await.unwrap();
        transport.flush().await.unwrap();
        assert_eq!(waits(&transport), 5, "more may follow");
        transport.flush().await.unwrap();
        assert_eq!(waits(&transport), 0);
        let mut came = [0; 5];
        client.read_exact(&mut came).await.unwrap();
        assert_eq!(&came, b"frame");
    }

    /// A connection that flushes once is polled again, and then reads.
    #[tokio::test]
    async fn what_one_flush_has_left_goes_out_in_the_next_poll() {
        let (mut client, server) = pair().await;
        let mut transport = Transport::connected(server, true);
        let mut is_written = false;
        let connection = std::future::poll_fn(move |cx| {
            let mut transport = Pin::new(&mut transport);
            if !std::mem::replace(&mut is_written, true) {
                assert!(transport.as_mut().poll_write(cx, b"frame").is_ready());
                assert!(transport.as_mut().poll_flush(cx).is_ready());
                return Poll::Pending;
            }
            transport.poll_read(cx, &mut ReadBuf::new(&mut [0; 16]))
        });
        let connection = tokio::spawn(connection);
        let mut came = [0; 5];
        client.read_exact(&mut came).await.unwrap();
        assert_eq!(&came, b"frame");
        connection.abort();
    }
}
