//! The socket that an edge has.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::{Connected, Connection};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::lane::{Lane, Step};
use super::plug::Plug;

/// Both directions of a connection.
#[derive(Debug)]
pub(crate) struct Cable {
    /// What the edge reads.
    pub(crate) to_edge: Lane,
    /// What the edge writes.
    pub(crate) from_edge: Lane,
}

impl Cable {
    pub(crate) fn reset(&mut self) {
        self.to_edge.reset();
        self.from_edge.reset();
    }
}

thread_local! {
    static OPEN: Cell<usize> = const { Cell::new(0) };
}

pub(crate) fn open() -> usize {
    OPEN.get()
}

/// The end of a connection that an edge has.
#[derive(Debug)]
pub(crate) struct TcpStream(Arc<Mutex<Cable>>);

/// Both ends of a new connection.
pub(crate) fn pair() -> (Plug, TcpStream) {
    let cable = Cable { to_edge: Lane::new(), from_edge: Lane::new() };
    let cable = Arc::new(Mutex::new(cable));
    OPEN.set(OPEN.get() + 1);
    (Plug::new(Arc::clone(&cable)), TcpStream(cable))
}

impl TcpStream {
    #[allow(clippy::unused_self, reason = "as that of tokio")]
    pub(crate) fn set_nodelay(&self, _: bool) -> io::Result<()> {
        Ok(())
    }
}

impl Connection for TcpStream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for TcpStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let lane = &mut self.0.lock().unwrap().to_edge;
        match lane.read(buf.remaining(), |bytes| buf.put_slice(bytes)) {
            Step::Done(_) => Poll::Ready(Ok(())),
            Step::Failed(kind) => Poll::Ready(Err(kind.into())),
            Step::Wait => {
                lane.wake_reader(cx.waker());
                Poll::Pending
            }
        }
    }
}

impl AsyncWrite for TcpStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let cable = &mut *self.0.lock().unwrap();
        let written = cable.from_edge.write(bytes);
        if cable.from_edge.is_reset() {
            cable.to_edge.reset();
        }
        match written {
            Step::Done(n) => Poll::Ready(Ok(n)),
            Step::Failed(kind) => Poll::Ready(Err(kind.into())),
            Step::Wait => {
                cable.from_edge.wake_writer(cx.waker());
                Poll::Pending
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.lock().unwrap().from_edge.end();
        Poll::Ready(Ok(()))
    }
}

impl Drop for TcpStream {
    fn drop(&mut self) {
        OPEN.set(OPEN.get() - 1);
        let cable = &mut *self.0.lock().unwrap();
        if cable.to_edge.leave_unread() {
            // As Linux does: who closes with something unread resets.
            cable.reset();
        } else {
            cable.from_edge.end();
        }
    }
}
