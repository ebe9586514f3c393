//! Reading on for a client that has its answer and is still sending.
//!
//! This module never gives the chain anything.

use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::error::Error as StdError;

use bytes::Bytes;
use http_body::Body;

use super::Driver;
use super::source::poll_source;
use crate::filter::Head;
use crate::limits;

impl<B, H> Driver<B, H>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
    H: Head,
{
    /// Ready when the drain is over and the source was let go.
    #[cold]
    pub(super) fn poll_drain(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        let message = this.message;
        let mut frames = 0;
        while let Some(max_time) = message.side.drain_time() {
            if this.source.is_none() {
                message.side.stop_draining();
                break;
            }
            let timer =
                message.drain_timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(max_time)));
            if timer.as_mut().poll(cx).is_ready() {
                message.side.stop_draining();
                break;
            }
            if frames == limits::MAX_FRAMES_PER_POLL {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            frames += 1;
            ready!(poll_source(this.source.as_mut(), &mut message.side, cx));
        }
        message.drain_timer = None;
        this.source.set(None);
        Poll::Ready(())
    }
}
