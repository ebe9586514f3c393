use std::{collections::vec_deque, fmt, iter::FusedIterator, option};

use bytes::Bytes;

use super::BodyBuf;

/// The bytes of a [`BodyBuf`], one slice a segment. Made by [`BodyBuf::chunks`].
#[derive(Clone)]
pub struct Chunks<'a> {
    first: option::Iter<'a, Bytes>,
    rest: vec_deque::Iter<'a, Bytes>,
    /// The open packing block; empty once it was given out.
    open: &'a [u8],
}

impl<'a> Chunks<'a> {
    pub(super) fn new(buf: &'a BodyBuf) -> Self {
        Self { first: buf.first.iter(), rest: buf.rest.iter(), open: buf.open_bytes() }
    }
}

impl<'a> Iterator for Chunks<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        if let Some(segment) = self.first.next().or_else(|| self.rest.next()) {
            return Some(segment);
        }
        let open = std::mem::take(&mut self.open);
        (!open.is_empty()).then_some(open)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let n = self.first.len() + self.rest.len() + usize::from(!self.open.is_empty());
        (n, Some(n))
    }
}

impl ExactSizeIterator for Chunks<'_> {}
impl FusedIterator for Chunks<'_> {}

impl fmt::Debug for Chunks<'_> {
    /// Shows how many are left, never body bytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chunks").field("left", &self.len()).finish()
    }
}
