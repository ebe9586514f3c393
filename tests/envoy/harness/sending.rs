//! A body that is sent in chunks of given sizes, at a given pace, to a given end.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body::{Body, Frame, SizeHint};
use tokio::time::Sleep;

use super::pattern::{Content, Source};

/// What stands behind the last byte.
#[derive(Debug, Clone, PartialEq)]
enum Behind {
    /// The end of the message, in a frame of its own.
    End,
    /// Trailers.
    Trailers(HeaderMap),
    /// The sender breaks off here: HTTP/1.1 loses the connection, HTTP/2 the stream.
    Abort,
    /// Nothing more comes, and no end either.
    Silence,
}

/// What is sent. Also the body itself, see [`Sending::body`].
#[derive(Debug, Clone)]
pub(crate) struct Sending {
    content: What,
    /// Sizes in bytes, over and over.
    chunks: Vec<usize>,
    /// Before each chunk, but the first.
    pace: Duration,
    /// With a content-length.
    length: bool,
    behind: Behind,
    /// Counts what was taken, in bytes.
    taken: Arc<AtomicU64>,
}

#[derive(Debug, Clone, PartialEq)]
enum What {
    Pattern(Content),
    Bytes(Bytes),
}

impl Sending {
    /// `bytes` of a pattern in chunks of 64 KiB, without content-length.
    pub(crate) fn new(source: Source, bytes: u64) -> Self {
        Self::of(What::Pattern(Content::new(source, bytes)))
    }

    /// A given text.
    pub(crate) fn text(text: impl Into<Bytes>) -> Self {
        Self::of(What::Bytes(text.into()))
    }

    fn of(content: What) -> Self {
        let (chunks, taken) = (vec![64 << 10], Arc::default());
        Self { content, chunks, pace: Duration::ZERO, length: false, behind: Behind::End, taken }
    }

    pub(crate) fn chunks(self, sizes: &[usize]) -> Self {
        Self { chunks: sizes.to_vec(), ..self }
    }

    pub(crate) fn pace(self, pace: Duration) -> Self {
        Self { pace, ..self }
    }

    pub(crate) fn with_length(self) -> Self {
        Self { length: true, ..self }
    }

    /// Ends with the trailers `x-sum: <sum>` and `x-more: 1`.
    pub(crate) fn with_trailers(self, sum: &'static str) -> Self {
        let mut trailers = HeaderMap::new();
        trailers.insert(SUM, HeaderValue::from_static(sum));
        trailers.insert("x-more", HeaderValue::from_static("1"));
        Self { behind: Behind::Trailers(trailers), ..self }
    }

    pub(crate) fn then_aborts(self) -> Self {
        Self { behind: Behind::Abort, ..self }
    }

    pub(crate) fn then_is_silent(self) -> Self {
        Self { behind: Behind::Silence, ..self }
    }

    pub(crate) fn has_trailers(&self) -> bool {
        matches!(self.behind, Behind::Trailers(_))
    }

    /// Counts what is taken, in bytes.
    pub(crate) fn taken(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.taken)
    }

    fn bytes(&self) -> u64 {
        match &self.content {
            What::Pattern(content) => content.bytes,
            What::Bytes(bytes) => bytes.len() as u64,
        }
    }

    fn piece(&self, at: u64, len: usize) -> Bytes {
        match &self.content {
            What::Pattern(content) => content.piece(at, len),
            What::Bytes(bytes) => {
                let at = usize::try_from(at).unwrap_or(bytes.len());
                bytes.slice(at..bytes.len().min(at + len))
            }
        }
    }

    /// The body to hand to hyper.
    pub(crate) fn body(self) -> SendingBody {
        SendingBody { sending: Some(self), at: 0, chunk: 0, waits: None }
    }
}

/// A body of a client, of so many bytes.
pub(crate) fn up(bytes: u64) -> Sending {
    Sending::new(Source::Client, bytes)
}

/// A body of an origin, of so many bytes.
pub(crate) fn down(bytes: u64) -> Sending {
    Sending::new(Source::Origin, bytes)
}

/// A trailer that both sides may send.
pub(crate) const SUM: HeaderName = HeaderName::from_static("x-sum");

/// A [`Sending`] that is under way; or no body at all.
#[derive(Debug)]
pub(crate) struct SendingBody {
    /// `None` if there is no body, and after the end.
    sending: Option<Sending>,
    at: u64,
    chunk: usize,
    waits: Option<Pin<Box<Sleep>>>,
}

impl SendingBody {
    /// No body.
    pub(crate) fn none() -> Self {
        Self { sending: None, at: 0, chunk: 0, waits: None }
    }
}

impl Body for SendingBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        let Some(sending) = &this.sending else { return Poll::Ready(None) };
        if let Some(waits) = &mut this.waits {
            ready!(waits.as_mut().poll(cx));
            this.waits = None;
        }
        let size = sending.chunks[this.chunk % sending.chunks.len()];
        let piece = sending.piece(this.at, size);
        if piece.is_empty() {
            return match this.sending.take().map(|sending| sending.behind) {
                None | Some(Behind::End) => Poll::Ready(None),
                Some(Behind::Trailers(trailers)) => {
                    Poll::Ready(Some(Ok(Frame::trailers(trailers))))
                }
                Some(Behind::Abort) => Poll::Ready(Some(Err(io::Error::other("as planned")))),
                Some(Behind::Silence) => {
                    let never = Duration::from_secs(3600);
                    this.sending = Some(Sending::text("").then_is_silent());
                    let mut sleep = Box::pin(tokio::time::sleep(never));
                    let _ = sleep.as_mut().poll(cx);
                    this.waits = Some(sleep);
                    Poll::Pending
                }
            };
        }
        this.at += piece.len() as u64;
        sending.taken.store(this.at, Ordering::Relaxed);
        this.chunk += 1;
        if !sending.pace.is_zero() {
            this.waits = Some(Box::pin(tokio::time::sleep(sending.pace)));
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        match &self.sending {
            None => true,
            // Then the end comes with the last bytes.
            Some(sending) => {
                sending.length && sending.behind == Behind::End && self.at == sending.bytes()
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.sending {
            None => SizeHint::with_exact(0),
            Some(sending) if sending.length => SizeHint::with_exact(sending.bytes() - self.at),
            Some(_) => SizeHint::new(),
        }
    }
}
