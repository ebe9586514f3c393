//! Numbers of protobuf, byte by byte.

use super::Malformed;

/// A number that is being read: it may be cut anywhere.
#[derive(Debug, Clone, Copy)]
pub(super) struct Varint {
    value: u64,
    /// How many bytes have been read.
    bytes: u8,
}

/// The most bytes of a number.
const MOST_BYTES: u8 = 10;

impl Varint {
    pub(super) const FRESH: Self = Self { value: 0, bytes: 0 };

    /// Nothing has been read of it.
    #[inline]
    pub(super) const fn is_fresh(self) -> bool {
        self.bytes == 0
    }

    /// Takes the next byte. Answers the number when that was the last one.
    ///
    /// # Errors
    ///
    /// If it has more than 64 bits. Needless bytes at its end are read: protobuf allows them.
    #[inline]
    pub(super) fn push(&mut self, byte: u8) -> Result<Option<u64>, Malformed> {
        if self.bytes + 1 == MOST_BYTES && byte > 1 {
            return Err(Malformed::Varint);
        }
        self.value |= u64::from(byte & 0x7f) << (7 * self.bytes);
        self.bytes += 1;
        Ok((byte < 0x80).then_some(self.value))
    }

    /// The number at the beginning of `bytes`, which are taken.
    #[inline]
    pub(super) fn take(bytes: &mut &[u8]) -> Result<u64, Malformed> {
        // Keys, and the lengths of nearly everything.
        let low = |byte: u8| u64::from(byte & 0x7f);
        let (value, rest) = match *bytes {
            [a @ 0..0x80, rest @ ..] => (u64::from(*a), rest),
            [a, b @ 0..0x80, rest @ ..] => (low(*a) | low(*b) << 7, rest),
            [a, b, c @ 0..0x80, rest @ ..] => (low(*a) | low(*b) << 7 | low(*c) << 14, rest),
            _ => return Self::take_long(bytes),
        };
        *bytes = rest;
        Ok(value)
    }

    #[inline(never)]
    fn take_long(bytes: &mut &[u8]) -> Result<u64, Malformed> {
        let mut varint = Self::FRESH;
        loop {
            let (&byte, rest) = bytes.split_first().ok_or(Malformed::Cut)?;
            *bytes = rest;
            if let Some(value) = varint.push(byte)? {
                return Ok(value);
            }
        }
    }
}
