//! Whose turn it is while a response head is awaited.
//!
//! A plain timeout over the wait would end a long upload that goes well. The upstream is to blame
//! only while nothing moves and it is not the client that is waited for: so the request body keeps
//! a note of both.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// The note. Both values are hints for a timer, so that no order between them is needed.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    frames: AtomicU64,
    client: AtomicBool,
}

impl Turn {
    /// Ready when the upstream kept everybody waiting for at least `wait` and less than twice that.
    pub(crate) async fn overdue(&self, wait: Duration) {
        loop {
            let before = self.frames.load(Relaxed);
            tokio::time::sleep(wait).await;
            if self.frames.load(Relaxed) == before && !self.client.load(Relaxed) {
                return;
            }
        }
    }
}

/// A request body that notes its progress. It is boxed because hyper's pooled client wants `Unpin`.
#[derive(Debug)]
pub(crate) struct Watched<B> {
    body: Pin<Box<B>>,
    turn: Arc<Turn>,
}

impl<B> Watched<B> {
    /// Watches `body`.
    pub(crate) fn new(body: B, turn: Arc<Turn>) -> Self {
        Self { body: Box::pin(body), turn }
    }
}

impl<B: Body<Data = Bytes>> Body for Watched<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.get_mut();
        let polled = this.body.as_mut().poll_frame(cx);
        this.turn.client.store(polled.is_pending(), Relaxed);
        if polled.is_ready() {
            this.turn.frames.fetch_add(1, Relaxed);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B> Drop for Watched<B> {
    /// A body that is dropped is waited for by nobody.
    fn drop(&mut self) {
        self.turn.client.store(false, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    struct Never;

    impl Body for Never {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
            Poll::Pending
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_upstream_is_not_blamed_for_the_client() {
        let turn = Arc::new(Turn::default());
        let wait = Duration::from_secs(1);
        let mut body = Watched::new(Never, Arc::clone(&turn));
        let polled = Pin::new(&mut body).poll_frame(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
        let long = Duration::from_secs(60);
        assert!(tokio::time::timeout(long, turn.overdue(wait)).await.is_err());
        drop(body);
        assert!(tokio::time::timeout(2 * wait, turn.overdue(wait)).await.is_ok());
    }
}
