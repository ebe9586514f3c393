//! What has been pushed and not read.

use std::collections::VecDeque;
use std::mem;

use bytes::{Buf, Bytes};

use crate::ext_proc::wire::Malformed;
use crate::ext_proc::wire::varint::Varint;

#[derive(Default)]
pub(super) struct Input {
    /// Invariant: empty only if nothing is behind it.
    current: Bytes,
    /// Invariant: none is empty.
    behind: VecDeque<Bytes>,
}

impl Input {
    pub(super) fn push(&mut self, bytes: Bytes) {
        if bytes.is_empty() {
            return;
        }
        if self.current.is_empty() {
            self.current = bytes;
        } else {
            self.behind.push_back(bytes);
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.current.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.current.len() + self.behind.iter().map(Bytes::len).sum::<usize>()
    }

    #[inline]
    fn refill(&mut self) {
        if self.current.is_empty()
            && let Some(next) = self.behind.pop_front()
        {
            self.current = next;
        }
    }

    /// The next byte.
    #[inline]
    pub(super) fn byte(&mut self) -> Option<u8> {
        let byte = *self.current.first()?;
        self.current.advance(1);
        self.refill();
        Some(byte)
    }

    /// Reads on a number that ends within the next `left` bytes, which are counted down. `None`: it
    /// goes on behind the input.
    #[inline]
    pub(super) fn varint(
        &mut self,
        varint: &mut Varint,
        left: &mut u32,
    ) -> Result<Option<u64>, Malformed> {
        loop {
            if *left == 0 {
                return Err(Malformed::Cut);
            }
            let Some(byte) = self.byte() else { return Ok(None) };
            *left -= 1;
            if let Some(value) = varint.push(byte)? {
                return Ok(Some(value));
            }
        }
    }

    /// Up to `left` bytes that lie in one, counted down; `None` if there are none.
    #[inline]
    pub(super) fn piece(&mut self, left: &mut u32) -> Option<Bytes> {
        let most = usize::try_from(*left).unwrap_or(usize::MAX);
        if most == 0 || self.current.is_empty() {
            return None;
        }
        let piece = if self.current.len() <= most {
            mem::take(&mut self.current)
        } else {
            self.current.split_to(most)
        };
        self.refill();
        // It is no longer than `left`.
        *left -= u32::try_from(piece.len()).unwrap_or(*left);
        Some(piece)
    }
}
