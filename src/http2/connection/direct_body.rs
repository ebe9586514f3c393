use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::DirectError;
use super::inbox::{Inbox, Left};
use crate::sync::Arc;

/// The body of a request on the [direct carrier](crate::ext_proc::server::serve_direct): slices of
/// what was read from the socket.
///
/// What has been taken out of it makes room for more to come. Dropped before its end, it stops the
/// client as soon as the response is sent.
///
/// # Cancel safety
///
/// Nothing is lost if it is not polled again.
pub struct DirectBody {
    inbox: Arc<Inbox>,
}

impl DirectBody {
    pub(super) const fn new(inbox: Arc<Inbox>) -> Self {
        Self { inbox }
    }
}

impl Body for DirectBody {
    type Data = Bytes;
    type Error = DirectError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, DirectError>>> {
        self.inbox.poll(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inbox.left() == Left::Nothing
    }

    fn size_hint(&self) -> SizeHint {
        match self.inbox.left() {
            Left::Nothing => SizeHint::with_exact(0),
            Left::Exactly(bytes) => SizeHint::with_exact(bytes),
            Left::AtLeast(bytes) => {
                let mut hint = SizeHint::new();
                hint.set_lower(bytes);
                hint
            }
        }
    }
}

impl Drop for DirectBody {
    fn drop(&mut self) {
        self.inbox.leave();
    }
}

impl fmt::Debug for DirectBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DirectBody").field("left", &self.inbox.left()).finish_non_exhaustive()
    }
}
