//! What has been pushed and not read.

use std::collections::VecDeque;
use std::mem;

use bytes::{Buf, Bytes};

use crate::ext_proc::wire::Malformed;
use crate::ext_proc::wire::varint::Varint;

#[derive(Default)]
pub(super) struct Input {
    current: Bytes,
    /// How much of `current` has been read, in bytes. Invariant: all of it only if nothing is
    /// behind it. A number for each byte, as a slice of `Bytes` costs more.
    read: usize,
    /// Invariant: none is empty.
    behind: VecDeque<Bytes>,
}

impl Input {
    pub(super) fn push(&mut self, bytes: Bytes) {
        if bytes.is_empty() {
            return;
        }
        if self.is_empty() {
            self.current = bytes;
            self.read = 0;
        } else {
            self.behind.push_back(bytes);
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.read == self.current.len()
    }

    pub(super) fn len(&self) -> usize {
        let behind: usize = self.behind.iter().map(Bytes::len).sum();
        self.current.len() - self.read + behind
    }

    /// All of `current` has been read: nothing of it is kept.
    #[inline(never)]
    fn refill(&mut self) {
        self.current = self.behind.pop_front().unwrap_or_default();
        self.read = 0;
    }

    /// The next byte.
    #[inline]
    pub(super) fn byte(&mut self) -> Option<u8> {
        let byte = *self.current.get(self.read)?;
        self.read += 1;
        if self.read == self.current.len() {
            self.refill();
        }
        Some(byte)
    }

    /// What can be looked at in one.
    #[inline]
    pub(super) fn peek(&self) -> &[u8] {
        self.current.get(self.read..).unwrap_or_default()
    }

    /// Passes over so much of what can be looked at.
    #[inline]
    pub(super) fn skip(&mut self, bytes: usize) {
        self.read = self.current.len().min(self.read + bytes);
        if self.read == self.current.len() {
            self.refill();
        }
    }

    /// Passes over `before` bytes, takes `len` as one, and passes over `behind`: all of them lie in
    /// what can be looked at.
    #[inline]
    pub(super) fn cut(&mut self, before: usize, len: usize, behind: usize) -> Bytes {
        let start = self.read + before;
        let cut = if start + len == self.current.len() {
            let mut cut = mem::take(&mut self.current);
            cut.advance(start);
            cut
        } else {
            self.current.slice(start..start + len)
        };
        self.read = start + len + behind;
        if self.read >= self.current.len() {
            self.refill();
        }
        cut
    }

    /// The next `N` bytes, if they lie in one.
    #[inline]
    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let array = *self.peek().first_chunk()?;
        self.skip(N);
        Some(array)
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
            if byte < 0x80 && varint.is_fresh() {
                return Ok(Some(byte.into()));
            }
            if let Some(value) = varint.push(byte)? {
                return Ok(Some(value));
            }
        }
    }

    /// Takes `left` bytes as one, for who keeps them: they hold on to nothing else. `None`: they
    /// do not lie in one.
    pub(super) fn copied(&mut self, left: u32) -> Option<Bytes> {
        let len = usize::try_from(left).ok()?;
        let copied = Bytes::copy_from_slice(self.peek().get(..len)?);
        self.skip(len);
        Some(copied)
    }

    /// Up to `left` bytes that lie in one, counted down; `None` if there are none.
    #[inline]
    pub(super) fn piece(&mut self, left: &mut u32) -> Option<Bytes> {
        let most = usize::try_from(*left).unwrap_or(usize::MAX);
        if most == 0 || self.is_empty() {
            return None;
        }
        self.current.advance(self.read);
        self.read = 0;
        let piece = if self.current.len() <= most {
            let piece = mem::take(&mut self.current);
            self.refill();
            piece
        } else {
            self.current.split_to(most)
        };
        // It is no longer than `left`.
        *left -= u32::try_from(piece.len()).unwrap_or(*left);
        Some(piece)
    }
}
