//! Bodies whose every byte says where it belongs, and who looks at them.

use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body::{Body, Frame};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;

/// The trailer behind each body: its length in bytes.
pub(crate) const END: HeaderName = HeaderName::from_static("x-end");

/// How much a sender gives its connection at once, in bytes.
const CHUNK_BYTES: usize = 64 * 1024;

/// The pattern repeats after so many bytes: a prime, so that a chunk that is lost, doubled or moved
/// shows.
const PERIOD_BYTES: usize = 65_521;

/// The pattern, and as much of it again as a chunk needs that begins at its end.
static PATTERN: LazyLock<Bytes> = LazyLock::new(|| {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut pattern = Vec::with_capacity(PERIOD_BYTES + CHUNK_BYTES);
    for _ in 0..PERIOD_BYTES {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        pattern.push(state.to_le_bytes()[3]);
    }
    while pattern.len() < PERIOD_BYTES + CHUNK_BYTES {
        let again = pattern[pattern.len() - PERIOD_BYTES];
        pattern.push(again);
    }
    pattern.into()
});

/// A place in the pattern.
#[derive(Debug, Clone, Copy)]
struct Place(usize);

impl Place {
    fn new(start: u64) -> Self {
        Self(usize::try_from(start).expect("64 bits") % PERIOD_BYTES)
    }

    /// The next `len` bytes, at most a chunk.
    fn take(&mut self, len: usize) -> std::ops::Range<usize> {
        let from = self.0;
        self.0 = (from + len) % PERIOD_BYTES;
        from..from + len
    }
}

/// The pattern from a place on, then the trailer. It does not say its length in advance: over
/// HTTP/1.1 it is chunked, as it has to be with a trailer.
#[derive(Debug)]
pub(crate) struct Sent {
    place: Place,
    len: u64,
    left: u64,
    has_trailers: bool,
}

impl Sent {
    pub(crate) fn new(start: u64, len: u64) -> Self {
        Self { place: Place::new(start), len, left: len, has_trailers: true }
    }
}

impl Body for Sent {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let len = usize::try_from(self.left).map_or(CHUNK_BYTES, |left| left.min(CHUNK_BYTES));
        if len > 0 {
            self.left -= len as u64;
            let chunk = PATTERN.slice(self.place.take(len));
            return Poll::Ready(Some(Ok(Frame::data(chunk))));
        }
        let trailers = std::mem::take(&mut self.has_trailers).then(|| {
            let trailers = HeaderMap::from_iter([(END, HeaderValue::from(self.len))]);
            Ok(Frame::trailers(trailers))
        });
        Poll::Ready(trailers)
    }
}

/// Reads `body` to its end: it has to be the pattern from `start` on, `len` bytes of it, and then
/// the trailer.
pub(crate) async fn check(mut body: Incoming, start: u64, len: u64) -> Result<(), String> {
    let (mut place, mut came, mut end) = (Place::new(start), 0, None);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| format!("after {came} of {len} bytes: {error}"))?;
        match frame.into_data() {
            Ok(data) => {
                for piece in data.chunks(CHUNK_BYTES) {
                    if piece != &PATTERN[place.take(piece.len())] {
                        return Err(format!("other bytes, behind {came} of {len}"));
                    }
                    came += piece.len() as u64;
                }
            }
            Err(frame) => end = frame.into_trailers().ok(),
        }
    }
    let end = end.as_ref().and_then(|trailers| trailers.get(END));
    if came != len || end != Some(&HeaderValue::from(len)) {
        return Err(format!("{came} bytes instead of {len}, and {END}: {end:?}"));
    }
    Ok(())
}
