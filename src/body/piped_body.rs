use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::error::Error as StdError;

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

use super::Pump;
use crate::error::{Error, ErrorKind, Origin};
use crate::pipe::{Cut, Next, PipeStats, Receiver, pipe};
use crate::watermark::{Marks, Weigh};

/// A body that comes through a pipe from another task: the receiving half of [`pipe_body`].
///
/// It ends as the body that was put in: with its trailers, or its error after the data before it.
/// If the [`Pump`] is dropped before the end, it ends with an error ([`ErrorKind::Reset`]): what
/// was cut short never looks complete (rule I12). Dropping it drops the body at the other end.
pub struct PipedBody {
    receiver: Receiver<Bytes, Option<HeaderMap>, Error>,
    /// What the source said, less what was given out.
    hint: SizeHint,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Flowing,
    /// All was given.
    Complete,
    /// An error was given.
    Cut,
}

/// Puts `body` into a pipe with these marks, in bytes.
///
/// The [`Pump`] is to be polled by a task of its own; then filters and source of `body` run there,
/// and whoever takes the [`PipedBody`] does not wait for them but for bytes. `origin` is who is
/// told to have caused an error of `body`, unless it is an [`Error`] of this crate, which is passed
/// on as it is.
///
/// What is in between is at most the high mark and one frame (see [`pipe`](crate::pipe)), and the
/// trailers. The chain of `body`, if it has one, has given out what is in the pipe: its outcome
/// says what entered the pipe, not what left it.
///
/// # Example
///
/// ```
/// use http_body_util::{BodyExt, Full};
/// use tidegate::{Marks, Origin, body::pipe_body};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let source = Full::new(bytes::Bytes::from("hello"));
/// let (pump, body) = pipe_body(source, Marks::DEFAULT, Origin::Upstream);
/// let pumped = tokio::spawn(pump);
/// assert_eq!(body.collect().await.unwrap().to_bytes(), "hello");
/// assert_eq!(pumped.await.unwrap().items, 1);
/// # }
/// ```
pub fn pipe_body<B>(body: B, marks: Marks, origin: Origin) -> (Pump<B>, PipedBody)
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    let (mut sender, receiver) = pipe(marks);
    let hint = body.size_hint();
    if body.is_end_stream() {
        // So that it can be seen before the pump has run.
        sender.finish(None).expect("both halves are there");
        let piped = PipedBody { receiver, hint: SizeHint::with_exact(0), stage: Stage::Complete };
        return (Pump::new(None, sender, origin), piped);
    }
    let piped = PipedBody { receiver, hint, stage: Stage::Flowing };
    (Pump::new(Some(body), sender, origin), piped)
}

impl PipedBody {
    /// What went through so far.
    #[must_use]
    pub fn stats(&self) -> PipeStats {
        self.receiver.stats()
    }

    fn count(&mut self, data: &Bytes) {
        let bytes = data.weight_bytes();
        let (lower, upper) = (self.hint.lower(), self.hint.upper());
        // A source that gives more than it said has said nothing of the rest.
        let upper = upper.and_then(|upper| upper.checked_sub(bytes));
        self.hint = SizeHint::new();
        if let Some(upper) = upper {
            self.hint.set_upper(upper);
        }
        self.hint.set_lower(lower.saturating_sub(bytes));
    }
}

impl Body for PipedBody {
    type Data = Bytes;
    type Error = Error;

    /// The next frame: data, never empty; or the trailers, and nothing after. `None` after the end
    /// or an error, for ever.
    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if self.stage != Stage::Flowing {
            return Poll::Ready(None);
        }
        let (stage, last) = match ready!(self.receiver.poll_next(cx)) {
            Next::Item(data) => {
                self.count(&data);
                return Poll::Ready(Some(Ok(Frame::data(data))));
            }
            Next::Finished(trailers) => {
                (Stage::Complete, trailers.map(|trailers| Ok(Frame::trailers(trailers))))
            }
            Next::Cut(Cut::Failed(error) | Cut::Aborted(error)) => (Stage::Cut, Some(Err(error))),
            Next::Cut(Cut::Cancelled) => {
                let why = "the task that sends the body is gone";
                let error = Error::with_source(ErrorKind::Reset, Origin::Internal, why);
                (Stage::Cut, Some(Err(error)))
            }
            Next::Over => (Stage::Complete, None),
        };
        self.stage = stage;
        Poll::Ready(last)
    }

    /// True only when nothing can follow: no trailers, and no error.
    fn is_end_stream(&self) -> bool {
        match self.stage {
            Stage::Complete => true,
            Stage::Flowing => matches!(self.receiver.peek_end(), Some(None)),
            Stage::Cut => false,
        }
    }

    /// What the source said when it was put in, less what was given out.
    fn size_hint(&self) -> SizeHint {
        if self.is_end_stream() { SizeHint::with_exact(0) } else { self.hint }
    }
}

impl fmt::Debug for PipedBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PipedBody")
            .field("stage", &self.stage)
            .field("hint", &self.hint)
            .field("receiver", &self.receiver)
            .finish()
    }
}
