//! What of a message has come, wherever it ends.

use bytes::{Buf, Bytes};
use http::HeaderMap;
use http_body::Body;
use http_body_util::BodyExt;
use std::error::Error as _;
use std::fmt;
use std::pin::pin;
use std::time::{Duration, Instant};

use super::pattern::Content;

/// Up to here a body is kept as it came, in bytes.
const KEPT_BYTES: usize = 1 << 20;

/// How a body ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// As its framing says.
    Complete,
    /// Before that: a reset, a connection closed, an error in the framing.
    Failed(String),
    /// The reader had enough, as it was told to.
    Left,
}

/// A body, its trailers, and how it ended.
#[derive(Clone)]
pub(crate) struct Received {
    pub(crate) bytes: u64,
    /// The body, up to [`KEPT_BYTES`].
    kept: Vec<u8>,
    /// Against what longer ones are checked.
    expected: Option<Content>,
    /// The first byte that differs from `expected`.
    different_at: Option<u64>,
    pub(crate) trailers: Option<HeaderMap>,
    pub(crate) end: End,
}

impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Received")
            .field("bytes", &self.bytes)
            .field("begins", &self.kept[..self.kept.len().min(60)].escape_ascii().to_string())
            .field("different_at", &self.different_at)
            .field("trailers", &self.trailers)
            .field("end", &self.end)
            .finish()
    }
}

/// How a body is read.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum Reads {
    #[default]
    All,
    /// At most so many bytes a second.
    Slowly(u64),
    /// Not before so much time has passed.
    After(Duration),
    /// At most so many bytes a second, and so many in all.
    SlowlySome(u64, u64),
    /// Nothing; after this time the body is dropped.
    Nothing(Duration),
    /// This many bytes, or a few more, then it is dropped.
    Some(u64),
}

impl Received {
    fn new(expected: Option<Content>) -> Self {
        Self {
            bytes: 0,
            kept: Vec::new(),
            expected,
            different_at: None,
            trailers: None,
            end: End::Complete,
        }
    }

    /// Reads `body` to its end.
    pub(crate) async fn read<B>(body: B, reads: Reads, expected: Option<Content>) -> Self
    where
        B: Body<Data = Bytes, Error = hyper::Error>,
    {
        let mut body = pin!(body);
        let mut this = Self::new(expected);
        let started = Instant::now();
        match reads {
            Reads::After(time) => tokio::time::sleep(time).await,
            Reads::Nothing(time) => {
                tokio::time::sleep(time).await;
                this.end = End::Left;
                return this;
            }
            _ => {}
        }
        loop {
            match reads {
                Reads::SlowlySome(_, bytes) if this.bytes >= bytes => {
                    this.end = End::Left;
                    return this;
                }
                Reads::Slowly(rate) | Reads::SlowlySome(rate, _) => {
                    let due = Duration::from_micros(this.bytes * 1_000_000 / rate);
                    tokio::time::sleep_until((started + due).into()).await;
                }
                Reads::Some(bytes) if this.bytes >= bytes => {
                    this.end = End::Left;
                    return this;
                }
                Reads::All | Reads::Nothing(_) | Reads::After(_) | Reads::Some(_) => {}
            }
            match body.frame().await {
                None => return this,
                Some(Err(error)) => {
                    this.end = End::Failed(text(&error));
                    return this;
                }
                Some(Ok(frame)) => this.frame(frame),
            }
        }
    }

    fn frame(&mut self, frame: http_body::Frame<Bytes>) {
        match frame.into_data() {
            Ok(data) => self.push(&data),
            Err(frame) => self.trailers = frame.into_trailers().ok(),
        }
    }

    fn push(&mut self, data: &[u8]) {
        let room = KEPT_BYTES - self.kept.len();
        self.kept.extend_from_slice(&data[..room.min(data.len())]);
        if let (Some(expected), None) = (&self.expected, self.different_at) {
            self.different_at = expected.difference(self.bytes, data);
        }
        self.bytes += data.remaining() as u64;
    }

    /// The body, if it is a small one.
    pub(crate) fn body(&self) -> &[u8] {
        assert!(self.bytes <= KEPT_BYTES as u64, "{} bytes are not kept", self.bytes);
        &self.kept
    }

    /// The first byte that differs from what was expected.
    pub(crate) fn different_at(&self) -> Option<u64> {
        self.different_at
    }

    /// What is wrong if `content` should have come, and whole.
    pub(crate) fn fault(&self, content: &Content) -> Option<String> {
        if self.end != End::Complete {
            return Some(format!("after {} bytes of {content:?}: {:?}", self.bytes, self.end));
        }
        let different_at = if self.expected == Some(*content) {
            self.different_at
        } else {
            content.difference(0, self.body())
        };
        match different_at {
            Some(at) => Some(format!("{content:?} differs at {at}, {} bytes came", self.bytes)),
            None if self.bytes == content.bytes => None,
            None => Some(format!("{} bytes of {content:?} came", self.bytes)),
        }
    }

    /// The value of a trailer.
    pub(crate) fn trailer(&self, name: &str) -> Option<&str> {
        self.trailers.as_ref()?.get(name)?.to_str().ok()
    }
}

/// An error with its causes.
pub(crate) fn text(error: &hyper::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}
