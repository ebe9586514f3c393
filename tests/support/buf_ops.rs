//! Operations on three buffers, and a model of plain vectors beside them.
//!
//! Uses the public API only, and takes every choice from a byte string: the property test draws
//! one at random, the fuzz target gets one from its engine.

use std::{collections::VecDeque, io::IoSlice, mem};

use bytes::{Buf, Bytes};
use tidegate::{
    buf::BodyBuf,
    limits::{
        BOOKKEEPING_BASE_BYTES, BOOKKEEPING_BYTES_PER_BYTE, BYTES_PER_SEGMENT_AT_REST,
        PACK_BELOW_BYTES, SEGMENTS_AT_REST,
    },
};

/// How many buffers there are.
const BUFS: usize = 3;

/// The model is compared after each operation: this bounds the time of one.
const MAX_LEN_BYTES: usize = 16 * 1024;

/// How many popped segments are kept, so that packing blocks stay shared for a while.
const KEPT: usize = 4;

/// Few different bytes, so that needles match in part and at many places.
static PATTERN: [u8; 2048] = {
    let mut pattern = [0; 2048];
    let mut i = 0;
    let mut x = 1_u32;
    while i < pattern.len() {
        x = x.wrapping_mul(1_103_515_245).wrapping_add(12_345);
        pattern[i] = b'a' + ((x >> 16) & (x >> 17) & 1) as u8;
        i += 1;
    }
    pattern
};

/// A byte string as a source of choices. Exhausted, it always chooses 0.
struct Choices<'a>(&'a [u8]);

impl Choices<'_> {
    /// A number less than `end`, or 0.
    fn below(&mut self, end: usize) -> usize {
        let wide = end > 256 && self.0.len() > 1;
        let drawn = if wide {
            usize::from(self.0.get_u16())
        } else if self.0.is_empty() {
            0
        } else {
            usize::from(self.0.get_u8())
        };
        if end == 0 { 0 } else { drawn % end }
    }

    /// Sizes around the limits of packing more often than others.
    fn size(&mut self) -> usize {
        match self.below(8) {
            0 => self.below(3),
            1..=4 => self.below(24),
            5 => self.below(300),
            6 => PACK_BELOW_BYTES - 2 + self.below(4),
            _ => self.below(1500),
        }
    }
}

/// Where the bytes of a new segment lie.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Source {
    /// An allocation of its own.
    Own,
    /// The program.
    Static,
    /// A slice of a shared allocation.
    Shared,
}

/// One operation. Offsets are drawn when it is applied, from the length it then finds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Op {
    Push(Source),
    Prepend(Source),
    Insert(Source),
    Replace(Source),
    PushAtRest(Source),
    Append,
    AppendAtRest,
    PrependBuf,
    SplitTo,
    MoveTo,
    Remove,
    PopFront,
    Advance,
    Truncate,
    Clear,
    Find,
    Cursor,
    CopyOut,
    Vectored,
    Flatten,
    ToBytes,
    CopyToBytes,
    Segments,
    Compact,
    Settle,
    Clone,
    Take,
}

impl Op {
    fn draw(choices: &mut Choices<'_>) -> Self {
        let source = |choices: &mut Choices<'_>| match choices.below(3) {
            0 => Source::Own,
            1 => Source::Static,
            _ => Source::Shared,
        };
        match choices.below(36) {
            0..=2 => Self::Push(source(choices)),
            3 => Self::Prepend(source(choices)),
            4..=5 => Self::Insert(source(choices)),
            6 => Self::Replace(source(choices)),
            7..=10 => Self::PushAtRest(source(choices)),
            11 => Self::Append,
            12..=13 => Self::AppendAtRest,
            14 => Self::PrependBuf,
            15 => Self::SplitTo,
            16..=17 => Self::MoveTo,
            18 => Self::Remove,
            19..=20 => Self::PopFront,
            21 => Self::Advance,
            22 => Self::Truncate,
            23 => Self::Clear,
            24..=25 => Self::Find,
            26 => Self::Cursor,
            27 => Self::CopyOut,
            28 => Self::Vectored,
            29 => Self::Flatten,
            30 => Self::ToBytes,
            31 => Self::CopyToBytes,
            32 => Self::Segments,
            33 => Self::Compact,
            34 => Self::Settle,
            _ => match choices.below(2) {
                0 => Self::Clone,
                _ => Self::Take,
            },
        }
    }

    /// Whether it may count copied bytes.
    fn may_copy(self) -> bool {
        match self {
            Self::PushAtRest(_)
            | Self::AppendAtRest
            | Self::Flatten
            | Self::ToBytes
            | Self::CopyToBytes
            | Self::Compact
            | Self::Settle => true,
            // The counter goes with the buffer.
            Self::Clone | Self::Take | Self::SplitTo => true,
            Self::Push(_)
            | Self::Prepend(_)
            | Self::Insert(_)
            | Self::Replace(_)
            | Self::Append
            | Self::PrependBuf
            | Self::MoveTo
            | Self::Remove
            | Self::PopFront
            | Self::Advance
            | Self::Truncate
            | Self::Clear
            | Self::Find
            | Self::Cursor
            | Self::CopyOut
            | Self::Vectored
            | Self::Segments => false,
        }
    }

    /// Whether its buffer is at rest afterwards, so that the bounds hold.
    fn settles(self) -> bool {
        matches!(
            self,
            Self::PushAtRest(_) | Self::AppendAtRest | Self::Clear | Self::Settle | Self::Take
        )
    }
}

/// The buffers and their models.
#[derive(Default)]
pub(crate) struct World {
    bufs: [BodyBuf; BUFS],
    models: [Vec<u8>; BUFS],
    kept: VecDeque<(Bytes, Vec<u8>)>,
    /// Numbers the bytes that are not from the pattern.
    next: u8,
}

/// Applies up to `max_ops` operations drawn from `choices`. Panics where buffer and model differ.
pub(crate) fn run(choices: &[u8], max_ops: usize) {
    let mut choices = Choices(choices);
    let mut world = World::default();
    for _ in 0..max_ops {
        if choices.0.is_empty() {
            break;
        }
        let op = Op::draw(&mut choices);
        let at = choices.below(BUFS);
        world.step(op, at, &mut choices);
    }
}

impl World {
    fn step(&mut self, op: Op, at: usize, choices: &mut Choices<'_>) {
        let copied: Vec<u64> = self.bufs.iter().map(BodyBuf::copied_bytes).collect();
        self.apply(op, at, choices);
        if !op.may_copy() {
            let now: Vec<u64> = self.bufs.iter().map(BodyBuf::copied_bytes).collect();
            assert_eq!(now, copied, "{op:?} copied");
        }
        for i in 0..BUFS {
            if self.models[i].len() > MAX_LEN_BYTES {
                self.bufs[i].truncate(MAX_LEN_BYTES);
                self.models[i].truncate(MAX_LEN_BYTES);
            }
        }
        if op.settles() {
            let buf = &self.bufs[at];
            assert!(
                buf.segment_count() <= SEGMENTS_AT_REST + buf.len() / BYTES_PER_SEGMENT_AT_REST,
                "{buf:?} has too many segments at rest after {op:?}"
            );
            assert!(
                buf.bookkeeping_bytes()
                    <= BOOKKEEPING_BASE_BYTES + buf.len() * BOOKKEEPING_BYTES_PER_BYTE,
                "{buf:?} costs {} after {op:?}",
                buf.bookkeeping_bytes()
            );
        }
        self.check(op);
    }

    fn check(&self, op: Op) {
        for (i, (buf, model)) in self.bufs.iter().zip(&self.models).enumerate() {
            assert_eq!(buf.len(), model.len(), "length of buffer {i} after {op:?}");
            assert_eq!(buf.is_empty(), model.is_empty());
            assert!(*buf == model[..], "bytes of buffer {i} after {op:?}");
            assert_eq!(buf.chunks().len(), buf.segment_count());
            assert_eq!(buf.chunks().count(), buf.segment_count());
            assert!(buf.chunks().all(|chunk| !chunk.is_empty()), "empty segment after {op:?}");
        }
    }

    /// A new segment with its bytes.
    fn segment(&mut self, source: Source, choices: &mut Choices<'_>) -> (Bytes, Vec<u8>) {
        let size = choices.size();
        let segment = match source {
            Source::Own => {
                let bytes: Vec<u8> = (0..size)
                    .map(|_| {
                        self.next = self.next.wrapping_add(1);
                        self.next
                    })
                    .collect();
                Bytes::from(bytes)
            }
            Source::Static => Bytes::from_static(&PATTERN[choices.below(256)..][..size]),
            Source::Shared => {
                Bytes::copy_from_slice(&PATTERN).slice(choices.below(256)..).slice(..size)
            }
        };
        let model = segment.to_vec();
        (segment, model)
    }

    /// A range of buffer `at`.
    fn range(&self, at: usize, choices: &mut Choices<'_>) -> std::ops::Range<usize> {
        let (a, b) = (self.offset(at, choices), self.offset(at, choices));
        a.min(b)..a.max(b)
    }

    /// An offset of buffer `at`, the borders of its segments more often than others.
    fn offset(&self, at: usize, choices: &mut Choices<'_>) -> usize {
        let buf = &self.bufs[at];
        if choices.below(3) > 0 {
            return choices.below(buf.len() + 1);
        }
        let segments = choices.below(buf.segment_count() + 1);
        buf.chunks().take(segments).map(<[u8]>::len).sum()
    }

    /// Two different buffers and their models: `at` and another one.
    fn two(&mut self, at: usize, choices: &mut Choices<'_>) -> (Pair<'_>, Pair<'_>) {
        let other = (at + 1 + choices.below(BUFS - 1)) % BUFS;
        let [a, b] = self.bufs.get_disjoint_mut([at, other]).expect("they differ");
        let [ma, mb] = self.models.get_disjoint_mut([at, other]).expect("they differ");
        ((a, ma), (b, mb))
    }

    fn apply(&mut self, op: Op, at: usize, choices: &mut Choices<'_>) {
        match op {
            Op::Push(source) | Op::PushAtRest(source) | Op::Prepend(source) => {
                self.apply_push(op, source, at, choices);
            }
            Op::Insert(source) => {
                let offset = self.offset(at, choices);
                let (segment, model) = self.segment(source, choices);
                self.bufs[at].insert(offset, segment);
                self.models[at].splice(offset..offset, model);
            }
            Op::Replace(source) => {
                let range = self.range(at, choices);
                let (segment, model) = self.segment(source, choices);
                self.bufs[at].replace(range.clone(), segment);
                self.models[at].splice(range, model);
            }
            Op::Append | Op::AppendAtRest | Op::PrependBuf | Op::SplitTo | Op::MoveTo => {
                self.apply_transfer(op, at, choices);
            }
            Op::Remove => {
                let range = self.range(at, choices);
                let removed = self.bufs[at].remove(range.clone());
                let model: Vec<u8> = self.models[at].drain(range).collect();
                assert!(removed == model[..]);
            }
            Op::PopFront => self.apply_pop(at),
            Op::Advance => {
                let n = self.offset(at, choices);
                self.bufs[at].advance(n);
                self.models[at].drain(..n);
            }
            Op::Truncate => {
                let n = self.offset(at, choices) + choices.below(2);
                self.bufs[at].truncate(n);
                self.models[at].truncate(n);
            }
            Op::Clear => {
                self.bufs[at].clear();
                self.models[at].clear();
            }
            Op::Find => self.apply_find(at, choices),
            Op::Cursor => self.apply_cursor(at, choices),
            Op::CopyOut => {
                let range = self.range(at, choices);
                let mut out = vec![0; range.len()];
                self.bufs[at].copy_range_to(range.clone(), &mut out);
                assert_eq!(out, self.models[at][range]);
            }
            Op::Vectored => self.apply_vectored(at, choices),
            Op::Flatten | Op::ToBytes | Op::CopyToBytes | Op::Segments => {
                self.apply_whole(op, at, choices);
            }
            Op::Compact => {
                let before = self.bufs[at].copied_bytes();
                let copied = self.bufs[at].compact();
                assert_eq!(self.bufs[at].copied_bytes(), before + copied as u64);
                let buf = &self.bufs[at];
                assert!(buf.segment_count() <= 2 + buf.len() / 256, "{buf:?} after compaction");
            }
            Op::Settle => {
                self.bufs[at].settle();
            }
            Op::Clone => {
                let clone = self.bufs[at].clone();
                assert!(clone == self.bufs[at]);
                self.bufs[(at + 1) % BUFS] = clone;
                self.models[(at + 1) % BUFS] = self.models[at].clone();
            }
            Op::Take => {
                let taken = mem::take(&mut self.bufs[at]);
                assert!(taken == mem::take(&mut self.models[at])[..]);
            }
        }
    }

    fn apply_push(&mut self, op: Op, source: Source, at: usize, choices: &mut Choices<'_>) {
        let (segment, model) = self.segment(source, choices);
        let buf = &mut self.bufs[at];
        match op {
            Op::Prepend(_) => {
                buf.prepend(segment);
                self.models[at].splice(..0, model);
                return;
            }
            Op::PushAtRest(_) => {
                let before = buf.copied_bytes();
                let copied = buf.push_at_rest(segment);
                assert_eq!(buf.copied_bytes(), before + copied as u64);
                if model.len() < PACK_BELOW_BYTES {
                    assert!(copied >= model.len());
                }
            }
            _ => buf.push(segment),
        }
        self.models[at].extend(model);
    }

    fn apply_transfer(&mut self, op: Op, at: usize, choices: &mut Choices<'_>) {
        let n = self.offset(at, choices);
        let ((buf, model), (other, other_model)) = self.two(at, choices);
        match op {
            Op::Append => {
                buf.append(other);
                model.append(other_model);
            }
            Op::AppendAtRest => {
                let before = buf.copied_bytes();
                let copied = buf.append_at_rest(other);
                assert_eq!(buf.copied_bytes(), before + copied as u64);
                model.append(other_model);
            }
            Op::PrependBuf => {
                buf.prepend_buf(other);
                model.splice(..0, other_model.drain(..));
            }
            Op::SplitTo => {
                *other = buf.split_to(n);
                *other_model = model.drain(..n).collect();
            }
            _ => {
                buf.move_to(other, n);
                other_model.extend(model.drain(..n));
            }
        }
    }

    fn apply_pop(&mut self, at: usize) {
        let Some(segment) = self.bufs[at].pop_front() else {
            assert!(self.models[at].is_empty());
            return;
        };
        let model: Vec<u8> = self.models[at].drain(..segment.len()).collect();
        self.kept.push_back((segment, model));
        if self.kept.len() > KEPT {
            let (segment, model) = self.kept.pop_front().expect("there are more than none");
            assert_eq!(segment, model, "a segment changed after it had left");
        }
    }

    fn apply_find(&mut self, at: usize, choices: &mut Choices<'_>) {
        let from = self.offset(at, choices);
        let model = &self.models[at];
        let needle = if choices.below(4) == 0 {
            PATTERN[choices.below(256)..][..choices.below(100)].to_vec()
        } else {
            let start = choices.below(model.len() + 1);
            let end = (start + choices.below(100)).min(model.len());
            model[start..end].to_vec()
        };
        let expected = if needle.is_empty() {
            Some(from)
        } else {
            model[from..].windows(needle.len()).position(|w| w == needle).map(|i| from + i)
        };
        assert_eq!(self.bufs[at].find(&needle, from), expected, "{} bytes", needle.len());
    }

    fn apply_cursor(&mut self, at: usize, choices: &mut Choices<'_>) {
        let (a, b) = (self.offset(at, choices), self.offset(at, choices));
        let (buf, model) = (&self.bufs[at], &self.models[at]);
        let mut cursor = buf.cursor();
        for position in [a, b] {
            cursor.seek(position);
            assert_eq!(cursor.position(), position);
            assert_eq!(cursor.remaining(), model.len() - position);
            assert_eq!(cursor.peek_byte(), model.get(position).copied());
            assert!(model[position..].starts_with(cursor.slice()));
            let mut ahead = [0; 9];
            let n = cursor.read(&mut ahead);
            assert_eq!(ahead[..n], model[position..(position + 9).min(model.len())]);
            assert_eq!(cursor.read_byte(), model.get(position + n).copied());
        }
    }

    fn apply_vectored(&mut self, at: usize, choices: &mut Choices<'_>) {
        let buf = &self.bufs[at];
        let mut slices = [IoSlice::new(&[]); 8];
        let end = choices.below(slices.len() + 1);
        let n = buf.chunks_vectored(&mut slices[..end]);
        assert_eq!(n, buf.segment_count().min(end));
        let joined: Vec<u8> = slices[..n].iter().flat_map(|s| s.iter().copied()).collect();
        assert!(self.models[at].starts_with(&joined));
        assert_eq!(buf.remaining(), buf.len());
        assert!(self.models[at].starts_with(buf.chunk()));
    }

    fn apply_whole(&mut self, op: Op, at: usize, choices: &mut Choices<'_>) {
        let n = self.offset(at, choices);
        let (buf, model) = (&mut self.bufs[at], &mut self.models[at]);
        let copied = if buf.segment_count() > 1 { buf.len() } else { 0 };
        let before = buf.copied_bytes();
        match op {
            Op::Flatten => {
                assert_eq!(buf.flatten(), *model);
                assert_eq!(buf.copied_bytes(), before + copied as u64);
            }
            Op::ToBytes => {
                assert_eq!(buf.to_bytes(), *model);
                assert_eq!(buf.copied_bytes(), before + copied as u64);
            }
            Op::CopyToBytes => {
                let free = n <= buf.chunk().len();
                let out = buf.copy_to_bytes(n);
                assert_eq!(out, model.drain(..n).collect::<Vec<u8>>());
                let copied = if free { 0 } else { n };
                assert_eq!(buf.copied_bytes(), before + copied as u64);
            }
            _ => {
                let joined: Vec<u8> = buf.segments().flatten().copied().collect();
                assert_eq!(joined, *model);
                let n = buf.segments().len();
                assert_eq!(n, buf.segment_count());
            }
        }
    }
}

/// A buffer with its model.
type Pair<'a> = (&'a mut BodyBuf, &'a mut Vec<u8>);
