//! A socket that does not wait for ever for its peer to read.
//!
//! No timeout of a message sees a peer that takes nothing: who writes waits for the socket, and
//! asks no filter and no source meanwhile. hyper has no timeout there either.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use hyper_util::client::legacy::connect::{Connected, Connection};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};

/// How long a peer may take nothing, at least; less than twice that at most. As long as nginx waits
/// between two writes.
const STALL: Duration = Duration::from_secs(60);

/// The socket.
#[derive(Debug)]
pub(crate) struct Patient<S> {
    socket: S,
    /// Runs from the first time that the peer took nothing.
    timer: Option<Pin<Box<Sleep>>>,
    /// Whether it has taken something since the timer was set.
    has_moved: bool,
}

impl<S> Patient<S> {
    pub(crate) fn new(socket: S) -> Self {
        Self { socket, timer: None, has_moved: false }
    }

    /// An answer of the socket to who writes: an error, if nothing has moved for too long.
    fn judge<T>(
        &mut self,
        cx: &mut Context<'_>,
        answer: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if answer.is_ready() {
            self.has_moved = true;
            return answer;
        }
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(STALL)));
        loop {
            ready!(timer.as_mut().poll(cx));
            if !std::mem::take(&mut self.has_moved) {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            timer.as_mut().reset(Instant::now() + STALL);
        }
    }
}

impl<S: Connection> Connection for Patient<S> {
    fn connected(&self) -> Connected {
        self.socket.connected()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let answer = Pin::new(&mut self.socket).poll_write(cx, buf);
        self.judge(cx, answer)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let answer = Pin::new(&mut self.socket).poll_write_vectored(cx, slices);
        self.judge(cx, answer)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_nothing_is_given_up_and_a_slow_one_is_not() {
        let (near, mut far) = duplex(16);
        let mut near = Patient::new(near);
        let writes = tokio::spawn(async move {
            let wrote = near.write_all(&[0; 64]).await;
            (wrote, Instant::now())
        });
        for _ in 0..3 {
            sleep(STALL * 3 / 4).await;
            far.read_exact(&mut [0; 8]).await.unwrap();
        }
        let since = Instant::now();
        let (wrote, then) = writes.await.unwrap();
        assert_eq!(wrote.unwrap_err().kind(), io::ErrorKind::TimedOut);
        let waited = then - since;
        assert!((STALL / 2..2 * STALL).contains(&waited), "{waited:?}");
    }
}
