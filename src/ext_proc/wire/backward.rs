//! Writes a message from its end to its beginning: what is inside of a part is written before its
//! length.

use bytes::Bytes;

use super::head::{Head, INLINE_BYTES};

/// A message that is being written. What was written last stands first.
pub(super) struct Backward<'a> {
    all: &'a mut [u8],
    /// Where what is written begins; all behind it is written.
    start: usize,
    /// How many bytes of room there are too few for all that was written.
    missing: usize,
    /// How long the message is so far, with the body behind it, in bytes.
    written: u64,
}

/// Has `write` write a message that has `room` bytes at most; inline, if so many lie inline. If it
/// has more, it is written once more.
#[inline]
pub(super) fn written<E>(
    room: usize,
    write: impl Fn(&mut Backward<'_>) -> Result<(), E>,
) -> Result<Head, E> {
    let mut room = room;
    if room <= INLINE_BYTES {
        let mut bytes = [0; INLINE_BYTES];
        let mut out = Backward::new(&mut bytes);
        write(&mut out)?;
        if out.missing == 0 {
            let start = out.start;
            return Ok(Head::inline(bytes, start));
        }
        room = INLINE_BYTES + out.missing;
    }
    loop {
        let mut bytes = vec![0; room];
        let mut out = Backward::new(&mut bytes);
        write(&mut out)?;
        if out.missing == 0 {
            let start = out.start;
            return Ok(Head::Heap(Bytes::from(bytes).slice(start..)));
        }
        room += out.missing;
    }
}

impl<'a> Backward<'a> {
    fn new(all: &'a mut [u8]) -> Self {
        let start = all.len();
        Self { all, start, missing: 0, written: 0 }
    }

    /// How long the message is so far, with the body behind it, in bytes.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// Where the next `len` bytes go, if there is room.
    #[inline]
    fn room(&mut self, len: usize) -> Option<&mut [u8]> {
        self.written += len as u64;
        let end = self.start;
        let Some(start) = end.checked_sub(len) else {
            self.miss(len);
            return None;
        };
        self.start = start;
        self.all.get_mut(start..end)
    }

    /// Nothing more is written, but its length.
    #[cold]
    fn miss(&mut self, len: usize) {
        self.missing += len - self.start;
        self.start = 0;
    }

    pub(super) fn slice(&mut self, bytes: &[u8]) {
        if let Some(place) = self.room(bytes.len()) {
            place.copy_from_slice(bytes);
        }
    }

    /// As [`slice`](Self::slice): of so few bytes that no loop is worth it.
    #[inline]
    pub(super) fn array<const N: usize>(&mut self, bytes: [u8; N]) {
        if let Some(place) = self.room(N).and_then(|place| place.first_chunk_mut()) {
            *place = bytes;
        }
    }

    #[inline]
    fn varint(&mut self, value: u64) {
        // Nearly everything, in one store each.
        let group = |n: u32| {
            let [low, ..] = (value >> (7 * n)).to_le_bytes();
            low
        };
        match value {
            0..0x80 => self.array([group(0)]),
            0x80..0x4000 => self.array([group(0) | 0x80, group(1)]),
            0x4000..0x20_0000 => self.array([group(0) | 0x80, group(1) | 0x80, group(2)]),
            _ => self.long_varint(value),
        }
    }

    #[inline(never)]
    fn long_varint(&mut self, mut value: u64) {
        let mut bytes = [0; 10];
        let mut len = 0;
        loop {
            let [low, ..] = value.to_le_bytes();
            value >>= 7;
            bytes[len] = if value == 0 { low & 0x7f } else { low | 0x80 };
            len += 1;
            if value == 0 {
                break;
            }
        }
        self.slice(&bytes[..len]);
    }

    /// A field that is a number; none if it is 0, as in all of proto3.
    #[inline]
    pub(super) fn number(&mut self, field: u8, value: u64) {
        if value != 0 {
            self.varint(value);
            self.array([key(field, 0)]);
        }
    }

    /// A field of the type `int32` or an enum. A negative number has ten bytes.
    pub(super) fn int32(&mut self, field: u8, value: i32) {
        self.number(field, i64::from(value).cast_unsigned());
    }

    /// The key and the length of a field whose bytes were written before.
    #[inline(never)]
    fn bytes_key(&mut self, field: u8, len: u64) {
        let key = key(field, 2);
        let [low, high, ..] = len.to_le_bytes();
        match len {
            // Nearly all, in one store each.
            0..0x80 => self.array([key, low]),
            0x80..0x4000 => self.array([key, low | 0x80, high << 1 | low >> 7]),
            _ => {
                self.varint(len);
                self.array([key]);
            }
        }
    }

    /// A field of bytes, also of none.
    pub(super) fn bytes(&mut self, field: u8, bytes: &[u8]) {
        self.slice(bytes);
        self.bytes_key(field, bytes.len() as u64);
    }

    /// A field of bytes that are not written here: they follow the message. Comes first.
    #[inline]
    pub(super) fn body(&mut self, field: u8, len: usize) {
        debug_assert_eq!(self.written(), 0, "a body is the last of its message");
        self.written = len as u64;
        self.bytes_key(field, len as u64);
    }

    /// A field that is a message.
    #[inline]
    pub(super) fn message(&mut self, field: u8, inside: impl FnOnce(&mut Self)) {
        let before = self.written();
        inside(self);
        self.bytes_key(field, self.written() - before);
    }
}

/// The key of a field: one of the first 15, so that it is one byte.
#[inline]
fn key(field: u8, wire_type: u8) -> u8 {
    debug_assert!((1..16).contains(&field), "the key of {field} has more than a byte");
    field << 3 | wire_type
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_has_more_than_was_said_is_written_all_the_same() {
        // The last but one lacks a byte.
        for room in [0, 1, INLINE_BYTES, INLINE_BYTES + 1, 1000, 208, 209] {
            let head = written(room, |out| {
                out.message(1, |out| {
                    out.bytes(2, &[7; 200]);
                    out.number(1, 300);
                });
                Ok::<_, ()>(())
            });
            let head = head.expect("it cannot fail");
            let expected =
                [&[1 << 3 | 2, 206, 1, 1 << 3, 172, 2, 2 << 3 | 2, 200, 1], &[7; 200][..]];
            assert_eq!(head.left(), expected.concat(), "room for {room}");
        }
    }
}
