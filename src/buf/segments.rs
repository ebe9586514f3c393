use core::ops::{Deref, DerefMut};
use std::collections::VecDeque;

use bytes::Bytes;

/// A deque of segments that takes one word while nothing is in it: most buffers hold one segment at
/// a time, and have a place of its own for it.
///
/// Reads as a deque. What can only add makes one; what can only take does not.
#[derive(Debug, Default, Clone)]
#[expect(clippy::box_collection, reason = "one word instead of four is what it is for")]
pub(super) struct Segments(Option<Box<VecDeque<Bytes>>>);

static NONE: VecDeque<Bytes> = VecDeque::new();

impl Segments {
    pub(super) const fn new() -> Self {
        Self(None)
    }

    /// The deque, if there is one.
    #[inline]
    pub(super) fn made(&mut self) -> Option<&mut VecDeque<Bytes>> {
        self.0.as_deref_mut()
    }

    #[inline]
    pub(super) fn pop_front(&mut self) -> Option<Bytes> {
        self.0.as_mut()?.pop_front()
    }

    #[inline]
    pub(super) fn pop_back(&mut self) -> Option<Bytes> {
        self.0.as_mut()?.pop_back()
    }

    #[inline]
    pub(super) fn front_mut(&mut self) -> Option<&mut Bytes> {
        self.0.as_mut()?.front_mut()
    }

    #[inline]
    pub(super) fn back_mut(&mut self) -> Option<&mut Bytes> {
        self.0.as_mut()?.back_mut()
    }

    pub(super) fn clear(&mut self) {
        if let Some(segments) = &mut self.0 {
            segments.clear();
        }
    }

    /// For how many segments it has room.
    #[inline]
    pub(super) fn slots(&self) -> usize {
        self.0.as_ref().map_or(0, |segments| segments.capacity())
    }

    /// What it has allocated, in bytes.
    pub(super) fn heap_bytes(&self) -> usize {
        self.0.as_ref().map_or(0, |segments| {
            size_of::<VecDeque<Bytes>>() + segments.capacity() * size_of::<Bytes>()
        })
    }

    /// All of them, one by one, out of here.
    pub(super) fn drain_all(&mut self) -> impl Iterator<Item = Bytes> {
        self.0.as_mut().map(|segments| segments.drain(..)).into_iter().flatten()
    }
}

impl Deref for Segments {
    type Target = VecDeque<Bytes>;

    #[inline]
    fn deref(&self) -> &VecDeque<Bytes> {
        self.0.as_deref().unwrap_or(&NONE)
    }
}

impl DerefMut for Segments {
    #[inline]
    fn deref_mut(&mut self) -> &mut VecDeque<Bytes> {
        match &mut self.0 {
            Some(segments) => segments,
            none => none.insert(make()),
        }
    }
}

#[cold]
#[inline(never)]
fn make<T: Default>() -> Box<T> {
    Box::default()
}
