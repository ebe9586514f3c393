use core::{fmt, mem};
use std::io::IoSlice;

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::buf::BodyBuf;

/// The body of a reply: its segments, as they are.
///
/// A few lie inline, so that making one allocates nothing: what came in one message lies in two
/// frames of HTTP/2 mostly.
pub struct ReplyBody(Segments);

enum Segments {
    /// No body, as most replies have.
    None,
    /// Those that were taken out are empty, and so are those that never were.
    Few {
        segments: [Bytes; FEW],
        len: usize,
    },
    Many(BodyBuf),
}

/// How many segments lie inline: two messages of Envoy's, in two frames each. More would be moved
/// with each reply.
const FEW: usize = 4;

impl ReplyBody {
    /// No body.
    #[must_use]
    pub const fn new() -> Self {
        Self(Segments::None)
    }

    /// Takes the first `bytes` of `from`, which keeps what it has allocated.
    ///
    /// # Panics
    ///
    /// If `from` has less.
    #[must_use]
    #[track_caller]
    pub fn take(from: &mut BodyBuf, bytes: usize) -> Self {
        let mut body = Self::take_few(from, bytes);
        let len = body.len();
        if len == bytes {
            return body;
        }
        let mut all = BodyBuf::new();
        while let Some(segment) = body.pop_front() {
            all.push(segment);
        }
        all.append(&mut from.split_to(bytes - len));
        Self(Segments::Many(all))
    }

    /// Takes up to `max_bytes` of `from`, and no more segments than lie inline: never allocates.
    /// Takes something, if there is something to take.
    #[must_use]
    pub fn take_few(from: &mut BodyBuf, max_bytes: usize) -> Self {
        let mut taken = [const { Bytes::new() }; FEW];
        let mut len = 0;
        for slot in &mut taken {
            let left = max_bytes - len;
            let segment = match from.chunk().len() {
                0 => break,
                bytes if bytes <= left => from.pop_front(),
                _ if left == 0 => break,
                _ => from.split_to(left).pop_front(),
            };
            let Some(segment) = segment else { break };
            len += segment.len();
            *slot = segment;
        }
        Self(Segments::Few { segments: taken, len })
    }

    /// How long it is, in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.0 {
            Segments::None => 0,
            Segments::Few { len, .. } => *len,
            Segments::Many(body) => body.len(),
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its segments, if they are few.
    #[cfg(feature = "ext-proc-server")]
    pub(super) fn few_segments(&self) -> &[Bytes] {
        match &self.0 {
            Segments::Few { segments, .. } => segments,
            Segments::None | Segments::Many(_) => &[],
        }
    }

    /// Takes the first segment out.
    pub fn pop_front(&mut self) -> Option<Bytes> {
        match &mut self.0 {
            Segments::None => None,
            Segments::Few { segments, len } => {
                let front = segments.iter_mut().find(|segment| !segment.is_empty())?;
                let front = mem::take(front);
                *len -= front.len();
                Some(front)
            }
            Segments::Many(body) => body.pop_front(),
        }
    }
}

impl Default for ReplyBody {
    fn default() -> Self {
        Self::new()
    }
}

impl From<BodyBuf> for ReplyBody {
    fn from(mut body: BodyBuf) -> Self {
        if body.segment_count() > FEW {
            return Self(Segments::Many(body));
        }
        let bytes = body.len();
        Self::take(&mut body, bytes)
    }
}

impl From<Bytes> for ReplyBody {
    fn from(segment: Bytes) -> Self {
        let len = segment.len();
        let mut segments = [const { Bytes::new() }; FEW];
        segments[0] = segment;
        Self(Segments::Few { segments, len })
    }
}

impl Buf for ReplyBody {
    #[inline]
    fn remaining(&self) -> usize {
        self.len()
    }

    #[inline]
    fn chunk(&self) -> &[u8] {
        match &self.0 {
            Segments::None => &[],
            Segments::Few { segments, .. } => {
                segments.iter().find(|segment| !segment.is_empty()).map_or(&[], |first| first)
            }
            Segments::Many(body) => body.chunk(),
        }
    }

    fn chunks_vectored<'a>(&'a self, dst: &mut [IoSlice<'a>]) -> usize {
        match &self.0 {
            Segments::None => 0,
            Segments::Few { segments, .. } => {
                let left = segments.iter().filter(|segment| !segment.is_empty());
                let mut n = 0;
                for (slot, segment) in dst.iter_mut().zip(left) {
                    *slot = IoSlice::new(segment);
                    n += 1;
                }
                n
            }
            Segments::Many(body) => body.chunks_vectored(dst),
        }
    }

    #[track_caller]
    fn advance(&mut self, n: usize) {
        let all = self.len();
        assert!(n <= all, "{n} bytes of {all}");
        match &mut self.0 {
            _ if n == all => self.0 = Segments::None,
            Segments::None => {}
            Segments::Few { segments, len } => {
                *len -= n;
                let mut left = n;
                for segment in segments {
                    let bytes = left.min(segment.len());
                    if bytes == segment.len() {
                        *segment = Bytes::new();
                    } else {
                        segment.advance(bytes);
                    }
                    left -= bytes;
                }
            }
            Segments::Many(body) => Buf::advance(body, n),
        }
    }

    /// The first `n` bytes as one segment: without copying if they lie in one.
    #[track_caller]
    fn copy_to_bytes(&mut self, n: usize) -> Bytes {
        if let Segments::Many(body) = &mut self.0 {
            return body.copy_to_bytes(n);
        }
        if let Segments::Few { segments, len } = &mut self.0
            && let Some(first) = segments.iter_mut().find(|segment| !segment.is_empty())
            && n <= first.len()
        {
            *len -= n;
            return first.split_to(n);
        }
        assert!(n <= self.len(), "{n} bytes of {}", self.len());
        let mut out = BytesMut::with_capacity(n);
        out.put(self.take_buf(n));
        out.freeze()
    }
}

impl ReplyBody {
    fn take_buf(&mut self, n: usize) -> bytes::buf::Take<&mut Self> {
        Buf::take(self, n)
    }
}

impl fmt::Debug for ReplyBody {
    /// Shows counts, never bytes: they are somebody's data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let segments = match &self.0 {
            Segments::None => 0,
            Segments::Few { segments, .. } => {
                segments.iter().filter(|segment| !segment.is_empty()).count()
            }
            Segments::Many(body) => body.segment_count(),
        };
        f.debug_struct("ReplyBody")
            .field("bytes", &self.len())
            .field("segments", &segments)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body_of(pieces: &[&'static str]) -> BodyBuf {
        let mut body = BodyBuf::new();
        pieces.iter().for_each(|piece| body.push(Bytes::from_static(piece.as_bytes())));
        body
    }

    #[test]
    fn few_and_many_segments_read_alike() {
        let all = ["ab", "c", "defg", "h", "ijk", "l", "m", "no", "p", "qr"];
        for count in 0..=all.len() {
            let text: String = all[..count].concat();
            for take in 0..=text.len() {
                let mut from = body_of(&all[..count]);
                let mut body = ReplyBody::take(&mut from, take);
                assert_eq!((body.len(), from.len()), (take, text.len() - take));
                let mut slices = [IoSlice::new(&[]); 16];
                let n = body.chunks_vectored(&mut slices);
                let seen: Vec<u8> = slices[..n].iter().flat_map(|slice| slice.to_vec()).collect();
                assert_eq!(seen, text.as_bytes()[..take]);
                for skip in 0..=take {
                    let mut body = ReplyBody::from(body_of(&all[..count]));
                    body.advance(skip);
                    let rest = body.copy_to_bytes(take - skip);
                    assert_eq!(rest, text.as_bytes()[skip..take]);
                    assert_eq!(body.remaining(), text.len() - take);
                }
                let mut popped = String::new();
                while let Some(segment) = body.pop_front() {
                    popped.push_str(core::str::from_utf8(&segment).expect("text"));
                    assert_eq!(body.len(), take - popped.len());
                }
                assert_eq!(popped, text[..take]);
            }
        }
    }
    /// So that most bodies cost no allocation.
    #[test]
    fn up_to_four_segments_lie_inline() {
        let all = ["ab", "c", "defg", "h", "ijk"];
        for count in 0..=all.len() {
            let body = ReplyBody::from(body_of(&all[..count]));
            assert_eq!(matches!(body.0, Segments::Few { .. }), count <= 4, "{count}");
        }
    }

    #[test]
    fn bytes_that_lie_in_one_segment_are_handed_on_as_they_are() {
        let segment = Bytes::from_static(b"abc");
        let mut body = ReplyBody::from(segment.clone());
        assert_eq!((body.len(), body.chunk()), (3, &b"abc"[..]));
        let taken = body.copy_to_bytes(2);
        assert_eq!((taken.as_ptr(), body.chunk()), (segment.as_ptr(), &b"c"[..]));
    }

    #[test]
    fn what_is_shown_is_how_much_there_is() {
        let many = ["ab", "c", "defg", "h", "ijk"];
        let shown = |count: usize| format!("{:?}", ReplyBody::from(body_of(&many[..count])));
        assert_eq!(shown(0), "ReplyBody { bytes: 0, segments: 0 }");
        assert_eq!(shown(2), "ReplyBody { bytes: 3, segments: 2 }");
        assert_eq!(shown(5), "ReplyBody { bytes: 11, segments: 5 }");
    }
}
