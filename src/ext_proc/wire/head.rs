//! The bytes of a frame before its body.

use bytes::{Buf, Bytes};

/// As many as the longest reply has without header mutations and metadata, of which 55 can be used,
/// in bytes.
pub(super) const INLINE_BYTES: usize = 64;

pub(super) enum Head {
    Inline {
        bytes: [u8; INLINE_BYTES],
        /// Where what is left begins.
        start: u8,
    },
    Heap(Bytes),
}

const _: () = assert!(INLINE_BYTES <= u8::MAX as usize, "a place in it is one byte");

impl Head {
    /// What is in `bytes` from `start` on.
    pub(super) fn inline(bytes: [u8; INLINE_BYTES], start: usize) -> Self {
        match u8::try_from(start) {
            Ok(start) => Self::Inline { bytes, start },
            Err(_) => Self::Heap(Bytes::new()),
        }
    }

    #[inline]
    pub(super) fn left(&self) -> &[u8] {
        match self {
            Self::Inline { bytes, start } => &bytes[usize::from(*start)..],
            Self::Heap(bytes) => bytes,
        }
    }

    /// Takes up to `most` bytes away. Answers how many.
    pub(super) fn advance(&mut self, most: usize) -> usize {
        let taken = most.min(self.left().len());
        match self {
            // No more than there are, which one byte can count.
            Self::Inline { start, .. } => *start += u8::try_from(taken).unwrap_or_default(),
            Self::Heap(bytes) => bytes.advance(taken),
        }
        taken
    }

    /// Takes all, as one segment: copied if it lies inline.
    pub(super) fn take(&mut self) -> Option<Bytes> {
        let left = match self {
            Self::Inline { .. } => Bytes::copy_from_slice(self.left()),
            Self::Heap(bytes) => core::mem::take(bytes),
        };
        self.advance(left.len());
        (!left.is_empty()).then_some(left)
    }
}
