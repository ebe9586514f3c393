//! Where the chunks of the rows come from, and whole messages to check the rows with.
#![allow(dead_code, reason = "each binary uses its part")]

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};

/// Bytes of the usual chunk: a DATA frame of HTTP/2.
pub(crate) const CHUNK_BYTES: usize = 16 * 1024;

/// Bytes of the largest chunk.
const MOST_BYTES: usize = 64 * 1024;

/// How many different chunks there are: each begins one byte further on.
const DIFFERENT: usize = 64;

/// Letters without a period that matters, so that chunks in a wrong order are found.
static BODY: [u8; MOST_BYTES + DIFFERENT] = {
    let mut body = [0; MOST_BYTES + DIFFERENT];
    let mut i = 0;
    let mut x = 1_u32;
    while i < body.len() {
        x = x.wrapping_mul(1_103_515_245).wrapping_add(12_345);
        body[i] = b'a' + ((x >> 16) % 26) as u8;
        i += 1;
    }
    body
};

/// Bytes of chunks, as cases call them.
pub(crate) const SIZES: [(&str, usize); 4] =
    [("64B", 64), ("1KiB", 1 << 10), ("16KiB", CHUNK_BYTES), ("64KiB", MOST_BYTES)];

/// Makes a source of chunks of so many bytes.
pub(crate) type MakeSource = fn(usize) -> Source;

/// Where chunks come from, as cases call it.
pub(crate) const SOURCES: [(&str, MakeSource); 3] =
    [("static", Source::fixed), ("shared", Source::shared_of), ("fresh", Source::fresh)];

/// Where the chunks come from.
#[derive(Clone)]
pub(crate) enum Source {
    /// Static memory, of the usual size: no reference count is touched.
    Static,
    /// The same of another size.
    Slice(&'static [u8]),
    /// One shared buffer: cloning and dropping touch a reference count.
    Shared(Bytes),
    /// New memory for each chunk, filled with these bytes: what reading costs is in the row.
    Fresh(&'static [u8]),
}

impl Source {
    /// Chunks of static memory.
    pub(crate) fn fixed(bytes: usize) -> Self {
        Self::Slice(&BODY[..bytes])
    }

    /// A source of shared chunks.
    pub(crate) fn shared() -> Self {
        Self::shared_of(CHUNK_BYTES)
    }

    /// Chunks that share one buffer.
    pub(crate) fn shared_of(bytes: usize) -> Self {
        Self::Shared(Bytes::copy_from_slice(&BODY[..bytes]))
    }

    /// Chunks that are allocated one by one.
    pub(crate) fn fresh(bytes: usize) -> Self {
        Self::Fresh(&BODY[..bytes])
    }

    pub(crate) fn next(&self) -> Bytes {
        match self {
            Self::Static => Bytes::from_static(&BODY[..CHUNK_BYTES]),
            Self::Slice(chunk) => Bytes::from_static(chunk),
            Self::Shared(chunk) => chunk.clone(),
            Self::Fresh(chunk) => Bytes::copy_from_slice(chunk),
        }
    }

    /// Bytes of one chunk.
    pub(crate) fn chunk_bytes(&self) -> usize {
        match self {
            Self::Static => CHUNK_BYTES,
            Self::Slice(chunk) | Self::Fresh(chunk) => chunk.len(),
            Self::Shared(chunk) => chunk.len(),
        }
    }
}

/// So many letters, in which a search meets the bytes of its needle now and then, as in text.
pub(crate) fn letters(bytes: usize) -> &'static [u8] {
    &BODY[..bytes]
}

/// Chunk `n` of the usual size: no two are alike.
pub(crate) fn different(n: usize) -> Bytes {
    Bytes::from_static(&BODY[n..n + CHUNK_BYTES])
}

/// A message with an end. A row carries it once before it is measured.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    /// No two of them are alike.
    pub(crate) chunks: Vec<Bytes>,
    pub(crate) trailers: HeaderMap,
}

impl Script {
    /// So many chunks of that many bytes, and two trailers.
    pub(crate) fn new(chunks: usize, chunk_bytes: usize) -> Self {
        assert!(chunks <= DIFFERENT);
        let chunks = (0..chunks).map(|n| Bytes::copy_from_slice(&BODY[n..n + chunk_bytes]));
        let mut trailers = HeaderMap::new();
        trailers.append("x-digest", HeaderValue::from_static("one"));
        trailers.append("x-digest", HeaderValue::from_static("two"));
        Self { chunks: chunks.collect(), trailers }
    }

    /// Fails unless `message` is this one.
    #[track_caller]
    pub(crate) fn expect(&self, message: &Message) {
        assert!(message.bytes == self.chunks.concat(), "the bytes arrive as they were sent");
        assert_eq!(message.trailers.as_ref(), Some(&self.trailers), "the trailers arrive");
    }
}

/// A message that has arrived.
#[derive(Debug, Default)]
pub(crate) struct Message {
    pub(crate) bytes: Vec<u8>,
    pub(crate) trailers: Option<HeaderMap>,
}

impl Message {
    /// A piece has arrived.
    pub(crate) fn data(&mut self, chunk: &[u8]) {
        assert!(self.trailers.is_none(), "no data behind the trailers");
        self.bytes.extend_from_slice(chunk);
    }

    /// The end has arrived.
    pub(crate) fn end(&mut self, trailers: HeaderMap) {
        assert!(self.trailers.replace(trailers).is_none(), "one end");
    }
}
