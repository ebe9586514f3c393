//! Writes a message from its end to its beginning: what is inside of a part is written before its
//! length.

use bytes::Bytes;

use super::head::{Head, INLINE_BYTES};

/// A message that is being written. What was written last stands first.
pub(super) struct Backward {
    store: Store,
    /// Where what is written begins; all behind it is written.
    start: usize,
    /// How many bytes of body follow what is written.
    behind: u64,
}

enum Store {
    Inline([u8; INLINE_BYTES]),
    Heap(Vec<u8>),
}

impl Backward {
    /// With room for `bytes`. Allocates if that is more than fits inline.
    pub(super) fn with_room(bytes: usize) -> Self {
        let (store, start) = if bytes <= INLINE_BYTES {
            (Store::Inline([0; INLINE_BYTES]), INLINE_BYTES)
        } else {
            (Store::Heap(vec![0; bytes]), bytes)
        };
        Self { store, start, behind: 0 }
    }

    fn all(&mut self) -> &mut [u8] {
        match &mut self.store {
            Store::Inline(bytes) => bytes,
            Store::Heap(bytes) => bytes,
        }
    }

    fn all_bytes(&self) -> usize {
        match &self.store {
            Store::Inline(bytes) => bytes.len(),
            Store::Heap(bytes) => bytes.len(),
        }
    }

    /// How long the message is so far, with the body behind it, in bytes.
    pub(super) fn written(&self) -> u64 {
        self.behind + (self.all_bytes() - self.start) as u64
    }

    /// Room before what is written, of `len` bytes.
    #[cold]
    fn grow(&mut self, len: usize) {
        let (start, all) = (self.start, self.all_bytes());
        let more = len.max(all);
        let mut bytes = vec![0; all + more];
        bytes[more + start..].copy_from_slice(&self.all()[start..]);
        self.store = Store::Heap(bytes);
        self.start += more;
    }

    #[inline]
    pub(super) fn slice(&mut self, bytes: &[u8]) {
        if bytes.len() > self.start {
            self.grow(bytes.len());
        }
        let end = self.start;
        self.start -= bytes.len();
        let start = self.start;
        self.all()[start..end].copy_from_slice(bytes);
    }

    /// As [`slice`](Self::slice): of so few bytes that no loop is worth it.
    #[inline]
    pub(super) fn array<const N: usize>(&mut self, bytes: [u8; N]) {
        if N > self.start {
            self.grow(N);
        }
        self.start -= N;
        let start = self.start;
        if let Some(place) = self.all().get_mut(start..).and_then(|left| left.first_chunk_mut()) {
            *place = bytes;
        }
    }

    #[inline]
    fn varint(&mut self, value: u64) {
        // Keys, and the lengths of nearly everything, in one store each.
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
    pub(super) fn number(&mut self, field: u32, value: u64) {
        if value != 0 {
            self.varint(value);
            self.varint(u64::from(field << 3));
        }
    }

    /// A field of the type `int32` or an enum. A negative number has ten bytes.
    pub(super) fn int32(&mut self, field: u32, value: i32) {
        self.number(field, i64::from(value).cast_unsigned());
    }

    /// The key and the length of a field whose bytes were written before.
    #[inline]
    fn bytes_key(&mut self, field: u32, len: u64) {
        self.varint(len);
        self.varint(u64::from(field << 3 | 2));
    }

    /// A field of bytes, also of none.
    pub(super) fn bytes(&mut self, field: u32, bytes: &[u8]) {
        self.slice(bytes);
        self.bytes_key(field, bytes.len() as u64);
    }

    /// A field of bytes that are not written here: they follow the message. Comes first.
    #[inline]
    pub(super) fn body(&mut self, field: u32, len: usize) {
        debug_assert_eq!(self.written(), 0, "a body is the last of its message");
        self.behind = len as u64;
        self.bytes_key(field, len as u64);
    }

    /// A field that is a message.
    #[inline]
    pub(super) fn message(&mut self, field: u32, inside: impl FnOnce(&mut Self)) {
        let before = self.written();
        inside(self);
        self.bytes_key(field, self.written() - before);
    }

    /// What was written, without what follows it.
    pub(super) fn into_head(self) -> Head {
        match self.store {
            Store::Inline(bytes) => Head::inline(bytes, self.start),
            Store::Heap(bytes) => Head::Heap(Bytes::from(bytes).slice(self.start..)),
        }
    }
}
