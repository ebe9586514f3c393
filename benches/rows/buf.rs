//! The rows of the buffer benchmarks: chains of segments. A buffer knows no trailers.
#![allow(dead_code, unused_imports, reason = "each binary uses its part")]

#[path = "source.rs"]
mod source;

use std::collections::VecDeque;
use std::hint::black_box;

use bytes::Bytes;
use tidegate::buf::BodyBuf;

pub(crate) use source::{CHUNK_BYTES, SIZES, SOURCES, Script, Source, letters};

/// A chain of segments.
pub(crate) trait Chained: Default + 'static {
    /// What is cut off.
    type Part: Part;

    fn push(&mut self, segment: Bytes);
    /// The first segment.
    fn pop(&mut self) -> Option<Self::Part>;
    /// The first `n` bytes into another chain, which is kept.
    fn move_to(&mut self, to: &mut Self, n: usize);
    /// The first `n` bytes, which lie in one segment.
    fn split(&mut self, n: usize) -> Self::Part;
    /// All of another, which is kept.
    fn append(&mut self, other: &mut Self);
    fn clear(&mut self);
}

/// Bytes of a chain.
pub(crate) trait Part {
    fn add_to(self, out: &mut Vec<u8>);
}

impl Part for Bytes {
    fn add_to(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self);
    }
}

impl Part for BodyBuf {
    fn add_to(mut self, out: &mut Vec<u8>) {
        while let Some(segment) = self.pop_front() {
            out.extend_from_slice(&segment);
        }
    }
}

/// The floor: no length, and nothing that keeps the segments in order.
impl Chained for VecDeque<Bytes> {
    type Part = Bytes;

    fn push(&mut self, segment: Bytes) {
        self.push_back(segment);
    }

    fn pop(&mut self) -> Option<Bytes> {
        self.pop_front()
    }

    fn move_to(&mut self, to: &mut Self, n: usize) {
        let mut left = n;
        while left > 0 {
            let Some(front) = self.front_mut() else { return };
            if front.len() > left {
                to.push_back(front.split_to(left));
                return;
            }
            left -= front.len();
            to.extend(self.pop_front());
        }
    }

    fn split(&mut self, n: usize) -> Bytes {
        self.front_mut().expect("a segment").split_to(n)
    }

    fn append(&mut self, other: &mut Self) {
        Self::append(self, other);
    }

    fn clear(&mut self) {
        Self::clear(self);
    }
}

/// Ours.
#[derive(Default)]
pub(crate) struct Ours(BodyBuf);

/// What is split off is a buffer; what is popped a segment.
pub(crate) enum OurPart {
    Segment(Bytes),
    Buf(BodyBuf),
}

impl Part for OurPart {
    fn add_to(self, out: &mut Vec<u8>) {
        match self {
            Self::Segment(segment) => segment.add_to(out),
            Self::Buf(buf) => buf.add_to(out),
        }
    }
}

impl Chained for Ours {
    type Part = OurPart;

    fn push(&mut self, segment: Bytes) {
        self.0.push(segment);
    }

    fn pop(&mut self) -> Option<OurPart> {
        self.0.pop_front().map(OurPart::Segment)
    }

    fn move_to(&mut self, to: &mut Self, n: usize) {
        self.0.move_to(&mut to.0, n);
    }

    fn split(&mut self, n: usize) -> OurPart {
        OurPart::Buf(self.0.split_to(n))
    }

    fn append(&mut self, other: &mut Self) {
        self.0.append(&mut other.0);
    }

    fn clear(&mut self) {
        self.0.clear();
    }
}

/// What is done with a chain.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Work {
    /// So many chunks wait, then leave one by one: a holder that releases.
    Drain(usize),
    /// So many chunks wait, are handed to the next holder, and leave there: a release into an empty
    /// station.
    HandOver(usize),
    /// So many chunks wait, and are cut into records of that many bytes, which end where no segment
    /// does.
    Records { chunks: usize, bytes: usize },
    /// One chunk is cut into frames of that many bytes: a peer's small windows.
    Frames { bytes: usize },
}

/// A chain, and the one behind it.
pub(crate) struct Chains<C> {
    first: C,
    next: C,
}

impl<C: Chained> Chains<C> {
    pub(crate) fn new() -> Self {
        Self { first: C::default(), next: C::default() }
    }

    /// Does it once.
    pub(crate) fn turn(&mut self, work: Work, source: &Source) {
        let next = || black_box(source.next());
        let Self { first, next: behind } = self;
        match work {
            Work::Drain(chunks) => {
                (0..chunks).for_each(|_| first.push(next()));
                while let Some(part) = first.pop() {
                    black_box(part);
                }
            }
            Work::HandOver(chunks) => {
                (0..chunks).for_each(|_| first.push(next()));
                behind.append(first);
                while let Some(part) = behind.pop() {
                    black_box(part);
                }
            }
            Work::Records { chunks, bytes } => {
                (0..chunks).for_each(|_| first.push(next()));
                for _ in 0..chunks * source.chunk_bytes() / bytes {
                    first.move_to(behind, bytes);
                    black_box(&behind);
                    behind.clear();
                }
                first.clear();
            }
            Work::Frames { bytes } => {
                first.push(next());
                for _ in 0..source.chunk_bytes() / bytes {
                    black_box(first.split(bytes));
                }
                first.clear();
            }
        }
    }

    /// Does it with a message, and answers all that comes out.
    pub(crate) fn whole(&mut self, work: Work, script: Script) -> Vec<u8> {
        let mut out = Vec::new();
        let Self { first, next } = self;
        let total: usize = script.chunks.iter().map(Bytes::len).sum();
        let chunk_bytes = script.chunks[0].len();
        script.chunks.into_iter().for_each(|chunk| first.push(chunk));
        match work {
            Work::Drain(_) => {}
            Work::HandOver(_) => next.append(first),
            Work::Records { bytes, .. } => {
                for _ in 0..total / bytes {
                    first.move_to(next, bytes);
                    while let Some(part) = next.pop() {
                        part.add_to(&mut out);
                    }
                }
            }
            Work::Frames { bytes } => {
                for _ in 0..chunk_bytes / bytes {
                    first.split(bytes).add_to(&mut out);
                }
            }
        }
        while let Some(part) = next.pop().or_else(|| first.pop()) {
            part.add_to(&mut out);
        }
        out
    }
}
