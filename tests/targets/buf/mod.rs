//! `buf`: operations on three buffers, and a flat byte model beside each.
//!
//! Uses the public API only. Offsets are drawn when an operation is applied, from the length it
//! then finds.
//!
//! Payload bytes are their position modulo 251, so that loss, doubling and reordering show. Text of
//! that kind never repeats itself within a needle, and a search goes wrong where text does: so one
//! case in four has a text of two letters in place of positions. Needles come from the text itself
//! and from the same source as the payload.

use std::{collections::VecDeque, fmt::Write, io::IoSlice, mem, ops::Range};

use bytes::{Buf, Bytes};
use tidegate::{
    buf::BodyBuf,
    limits::{
        BOOKKEEPING_BASE_BYTES, BOOKKEEPING_BYTES_PER_BYTE, BYTES_PER_SEGMENT_AT_REST,
        PACK_BELOW_BYTES, SEGMENTS_AT_REST,
    },
};

use super::choices::Choices;
use super::target::Target;

mod operation;
mod payload;

use operation::{OPS, Op, Source, WHOLE};
use payload::{LETTERS, MOST_SEGMENT_BYTES, PERIOD, POSITIONS, TEXT_BYTES};

pub(crate) const TARGET: Target = Target { name: "buf", run, describe, most_choices: 768 };

/// The most operations of a case.
const MOST_OPS: usize = 128;

/// How many buffers there are.
const BUFS: usize = 3;

/// The most that a buffer keeps after an operation, in bytes: all of them stay below 64 KiB also
/// while the largest is doubled.
const MOST_BYTES: usize = 16 * 1024;

/// How many popped segments are kept, so that packing blocks stay shared for a while.
const KEPT: usize = 4;

/// The buffers and their models.
struct World {
    bufs: [BodyBuf; BUFS],
    models: [Vec<u8>; BUFS],
    kept: VecDeque<(Bytes, Vec<u8>)>,
    /// What payload is cut from, and where the next segment begins in it.
    text: &'static [u8; TEXT_BYTES],
    position: usize,
    /// The same in an allocation that segments share, made on first use.
    shared: Option<Bytes>,
}

fn run(choices: &[u8]) {
    play(choices, |_, _, _| {});
}

fn describe(choices: &[u8], text: &mut String) {
    play(choices, |op, at, world| {
        let buf = &world.bufs[at];
        let (bytes, segments) = (buf.len(), buf.segment_count());
        let line = writeln!(text, "{op:?} on buffer {at} ({bytes} bytes, {segments} segments)");
        line.expect("a string takes all");
    });
}

/// Applies the operations that `choices` describe; `tell` is called before each.
fn play(choices: &[u8], mut tell: impl FnMut(Op, usize, &World)) {
    let choices = &mut Choices::new(choices);
    let swarm = choices.swarm();
    let text = if choices.percent(25) { &LETTERS } else { &POSITIONS };
    let mut world = World {
        bufs: Default::default(),
        models: Default::default(),
        kept: VecDeque::new(),
        text,
        position: 0,
        shared: None,
    };
    for _ in 0..MOST_OPS {
        if choices.is_empty() {
            break;
        }
        let rare = choices.percent(3);
        let op = if rare { WHOLE[choices.below(WHOLE.len())] } else { swarm.pick(&OPS, choices) };
        let at = choices.below(BUFS);
        tell(op, at, &world);
        world.step(op, at, choices);
    }
    for at in 0..BUFS {
        world.compare(at, "the end");
    }
}

impl World {
    fn step(&mut self, op: Op, at: usize, choices: &mut Choices<'_>) {
        let copied = self.copied_bytes();
        let other = self.apply(op, at, choices);
        if !op.may_copy() {
            assert_eq!(self.copied_bytes(), copied, "{op:?} copied");
        }
        if op.settles() {
            self.check_rest(op, at);
        }
        for i in 0..BUFS {
            assert_eq!(self.bufs[i].len(), self.models[i].len(), "buffer {i} after {op:?}");
            if self.models[i].len() > MOST_BYTES {
                self.bufs[i].truncate(MOST_BYTES);
                self.models[i].truncate(MOST_BYTES);
            }
        }
        // Nothing can have touched the third: it is compared when something does, or at the end.
        self.compare(at, op);
        if let Some(other) = other {
            self.compare(other, op);
        }
    }

    fn copied_bytes(&self) -> [u64; BUFS] {
        self.bufs.each_ref().map(BodyBuf::copied_bytes)
    }

    /// What holds after an operation at rest.
    fn check_rest(&self, op: Op, at: usize) {
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

    /// What always holds: the bytes are those of the model, no segment is empty, the handles of all
    /// segments but the inline one are charged.
    fn compare(&self, at: usize, op: impl std::fmt::Debug) {
        let (buf, mut model) = (&self.bufs[at], &self.models[at][..]);
        assert_eq!(buf.len(), model.len(), "length of buffer {at} after {op:?}");
        assert_eq!(buf.is_empty(), model.is_empty());
        let segments = buf.segment_count();
        assert_eq!(buf.chunks().len(), segments);
        let mut chunks = 0;
        for chunk in buf.chunks() {
            assert!(!chunk.is_empty(), "empty segment in buffer {at} after {op:?}");
            assert!(model.starts_with(chunk), "bytes of buffer {at} after {op:?}");
            model = &model[chunk.len()..];
            chunks += 1;
        }
        assert_eq!(chunks, segments);
        assert!(model.is_empty(), "bytes are missing in buffer {at} after {op:?}");
        let handles = segments.saturating_sub(2) * size_of::<Bytes>();
        assert!(buf.bookkeeping_bytes() >= handles, "{segments} segments cost nothing: {buf:?}");
    }

    /// A new segment with its bytes.
    fn segment(&mut self, source: Source, choices: &mut Choices<'_>) -> (Bytes, &'static [u8]) {
        let size = size(choices);
        let start = self.position % PERIOD;
        self.position += size;
        let model = &self.text[start..start + size];
        let segment = match source {
            Source::Own => Bytes::from(model.to_vec()),
            Source::Roomy => {
                let mut bytes = Vec::with_capacity(size + 16);
                bytes.extend_from_slice(model);
                Bytes::from(bytes)
            }
            Source::Static => Bytes::from_static(model),
            Source::Shared => {
                let shared = self.shared.get_or_insert_with(|| Bytes::copy_from_slice(self.text));
                shared.slice(start..start + size)
            }
        };
        (segment, model)
    }

    /// A range of buffer `at`.
    fn range(&self, at: usize, choices: &mut Choices<'_>) -> Range<usize> {
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

    /// Answers which other buffer was touched.
    fn apply(&mut self, op: Op, at: usize, choices: &mut Choices<'_>) -> Option<usize> {
        match op {
            Op::Push(source) | Op::PushAtRest(source) | Op::Prepend(source) => {
                self.apply_push(op, source, at, choices);
            }
            Op::Insert(source) => {
                let offset = self.offset(at, choices);
                let (segment, model) = self.segment(source, choices);
                self.bufs[at].insert(offset, segment);
                splice(&mut self.models[at], offset..offset, model);
            }
            Op::Replace(source) => {
                let range = self.range(at, choices);
                let (segment, model) = self.segment(source, choices);
                self.bufs[at].replace(range.clone(), segment);
                splice(&mut self.models[at], range, model);
            }
            Op::Append | Op::AppendAtRest | Op::PrependBuf | Op::SplitTo | Op::MoveTo => {
                return Some(self.apply_transfer(op, at, choices));
            }
            Op::Remove => {
                let range = self.range(at, choices);
                let removed = self.bufs[at].remove(range.clone());
                assert!(removed == self.models[at][range.clone()]);
                self.models[at].drain(range);
            }
            Op::Extend => self.apply_extend(at, choices),
            Op::PopFront => self.apply_pop(at),
            Op::Advance => {
                let n = self.offset(at, choices);
                Buf::advance(&mut self.bufs[at], n);
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
            Op::Equal => self.apply_equal(at, choices),
            Op::Clone | Op::Take | Op::Collect => return self.apply_exchange(op, at),
        }
        None
    }

    fn apply_extend(&mut self, at: usize, choices: &mut Choices<'_>) {
        let most = if choices.below(4) == 0 { 700 } else { 40 };
        let (segments, size) = (choices.below(most), 1 + choices.below(3));
        let start = self.position % PERIOD;
        let bytes = &self.text[start..start + segments * size];
        self.position += bytes.len();
        self.bufs[at].extend(bytes.chunks(size).map(Bytes::from_static));
        self.models[at].extend_from_slice(bytes);
    }

    /// Against the other buffers, and against one that differs in one byte.
    fn apply_equal(&self, at: usize, choices: &mut Choices<'_>) {
        for (buf, model) in self.bufs.iter().zip(&self.models) {
            assert_eq!(*buf == self.bufs[at], *model == self.models[at]);
        }
        let (model, place) = (&self.models[at], self.offset(at, choices));
        let mut changed = model.clone();
        let Some(byte) = changed.get_mut(place) else { return };
        *byte ^= 1;
        assert!(self.bufs[at] != changed[..], "byte {place} differs");
        assert!(self.bufs[at] != BodyBuf::from(changed), "byte {place} differs");
    }

    /// Answers which other buffer was touched.
    fn apply_exchange(&mut self, op: Op, at: usize) -> Option<usize> {
        if let Op::Clone = op {
            let (clone, other) = (self.bufs[at].clone(), (at + 1) % BUFS);
            assert!(clone == self.bufs[at]);
            self.bufs[other] = clone;
            self.models[other] = self.models[at].clone();
            return Some(other);
        }
        let mut taken = mem::take(&mut self.bufs[at]);
        assert!(taken == self.models[at][..]);
        if let Op::Collect = op {
            self.bufs[at] = std::iter::from_fn(|| taken.pop_front()).collect();
        } else {
            self.models[at] = Vec::new();
        }
        None
    }

    fn apply_push(&mut self, op: Op, source: Source, at: usize, choices: &mut Choices<'_>) {
        let (segment, model) = self.segment(source, choices);
        let buf = &mut self.bufs[at];
        match op {
            Op::Prepend(_) => {
                buf.prepend(segment);
                splice(&mut self.models[at], 0..0, model);
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
        self.models[at].extend_from_slice(model);
    }

    /// Answers which other buffer took part.
    fn apply_transfer(&mut self, op: Op, at: usize, choices: &mut Choices<'_>) -> usize {
        let n = self.offset(at, choices);
        let with = (at + 1 + choices.below(BUFS - 1)) % BUFS;
        let [buf, other] = self.bufs.get_disjoint_mut([at, with]).expect("they differ");
        let [model, other_model] = self.models.get_disjoint_mut([at, with]).expect("they differ");
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
                other_model.append(model);
                mem::swap(model, other_model);
            }
            Op::SplitTo => {
                *other = buf.split_to(n);
                other_model.clear();
                other_model.extend_from_slice(&model[..n]);
                model.drain(..n);
            }
            _ => {
                buf.move_to(other, n);
                other_model.extend_from_slice(&model[..n]);
                model.drain(..n);
            }
        }
        with
    }

    fn apply_pop(&mut self, at: usize) {
        let Some(segment) = self.bufs[at].pop_front() else {
            assert!(self.models[at].is_empty());
            return;
        };
        let model = self.models[at][..segment.len()].to_vec();
        self.models[at].drain(..segment.len());
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
            &self.text[choices.below(256)..][..choices.below(100)]
        } else {
            let start = choices.below(model.len() + 1);
            let end = (start + choices.below(100)).min(model.len());
            &model[start..end]
        };
        let expected = if needle.is_empty() {
            Some(from)
        } else {
            model[from..].windows(needle.len()).position(|w| w == needle).map(|i| from + i)
        };
        assert_eq!(self.bufs[at].find(needle, from), expected, "{} bytes", needle.len());
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
        let mut model = &self.models[at][..];
        for slice in &slices[..n] {
            assert!(model.starts_with(slice));
            model = &model[slice.len()..];
        }
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
                assert_eq!(out, model[..n]);
                model.drain(..n);
                let copied = if free { 0 } else { n };
                assert_eq!(buf.copied_bytes(), before + copied as u64);
            }
            _ => {
                let mut at = model.len();
                for segment in buf.segments().rev() {
                    assert!(model[..at].ends_with(segment));
                    at -= segment.len();
                }
                let n = buf.segments().len();
                assert_eq!((at, n), (0, buf.segment_count()));
            }
        }
    }
}

/// Sizes around the limits of packing more often than others.
fn size(choices: &mut Choices<'_>) -> usize {
    match choices.below(16) {
        0 | 1 => choices.below(3),
        2..=9 => choices.below(24),
        10 | 11 => choices.below(300),
        12 | 13 => PACK_BELOW_BYTES - 2 + choices.below(4),
        14 => choices.below(1500),
        _ => choices.below(MOST_SEGMENT_BYTES + 1),
    }
}

fn splice(model: &mut Vec<u8>, range: Range<usize>, bytes: &[u8]) {
    drop(model.splice(range, bytes.iter().copied()));
}
