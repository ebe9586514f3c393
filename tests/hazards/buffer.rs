//! H38, H46: the order of bytes in a buffer whatever is done to it, and what it costs to let go of
//! very many segments.

use std::collections::VecDeque;

use bytes::{Buf, Bytes};
use http::request;
use tidegate::pipe::pipe;
use tidegate::{
    BodyBuf, Capabilities, Capability, Chain, Declaration, Filter, Marks, MessageTraits, Outcome,
    Output, Plan, Verdict, View,
};

use crate::kit::{Dir, Rng, render};

/// Something that is done to a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    Push,
    PushAtRest,
    /// A segment that is too long to be copied.
    PushLong,
    Prepend,
    Peek,
    AdvanceOne,
    AdvanceMost,
    /// The front goes out, and comes back behind.
    SplitToBack,
    /// The front goes out, and comes back in front.
    SplitAndPrepend,
    PopFront,
    InsertInMiddle,
    RemoveMiddle,
    Truncate,
    Flatten,
    Settle,
    CopyToBytes,
}

const OPS: [Op; 16] = [
    Op::Push,
    Op::PushAtRest,
    Op::PushLong,
    Op::Prepend,
    Op::Peek,
    Op::AdvanceOne,
    Op::AdvanceMost,
    Op::SplitToBack,
    Op::SplitAndPrepend,
    Op::PopFront,
    Op::InsertInMiddle,
    Op::RemoveMiddle,
    Op::Truncate,
    Op::Flatten,
    Op::Settle,
    Op::CopyToBytes,
];

/// A buffer, and the bytes that should be in it.
#[derive(Default)]
struct Pair {
    buf: BodyBuf,
    bytes: VecDeque<u8>,
    next: u8,
}

impl Pair {
    /// So many bytes that were not there before.
    fn fresh(&mut self, count: usize) -> Bytes {
        let bytes: Vec<u8> = (0..count)
            .map(|_| {
                self.next = (self.next + 1) % 251;
                self.next
            })
            .collect();
        Bytes::from(bytes)
    }

    /// Takes the first bytes out of both.
    fn split(&mut self, count: usize) -> (BodyBuf, Vec<u8>) {
        (self.buf.split_to(count), self.bytes.drain(..count).collect())
    }

    fn apply(&mut self, op: Op) {
        let len = self.bytes.len();
        match op {
            Op::Push | Op::PushAtRest | Op::PushLong => {
                let new = self.fresh(if op == Op::PushLong { 600 } else { 3 });
                self.bytes.extend(&new);
                if op == Op::PushAtRest {
                    self.buf.push_at_rest(new);
                } else {
                    self.buf.push(new);
                }
            }
            Op::Prepend => {
                let new = self.fresh(2);
                new.iter().rev().for_each(|&byte| self.bytes.push_front(byte));
                self.buf.prepend(new);
            }
            Op::Peek => self.peek(),
            Op::AdvanceOne | Op::AdvanceMost => {
                let count = if op == Op::AdvanceOne { len.min(1) } else { len.saturating_sub(2) };
                self.buf.advance(count);
                self.bytes.drain(..count);
            }
            Op::SplitToBack => {
                let (mut front, bytes) = self.split(len / 2);
                self.buf.append(&mut front);
                self.bytes.extend(bytes);
            }
            Op::SplitAndPrepend => {
                let (mut front, bytes) = self.split(len - len / 3);
                self.buf.prepend_buf(&mut front);
                bytes.into_iter().rev().for_each(|byte| self.bytes.push_front(byte));
            }
            Op::PopFront => {
                let segment = self.buf.pop_front().unwrap_or_default();
                let expected: Vec<u8> = self.bytes.drain(..segment.len()).collect();
                assert_eq!(segment, expected, "the front segment");
            }
            Op::InsertInMiddle => {
                let new = self.fresh(2);
                let behind = self.bytes.split_off(len / 2);
                self.bytes.extend(new.iter().copied().chain(behind));
                self.buf.insert(len / 2, new);
            }
            Op::RemoveMiddle => {
                let range = len / 3..len - len / 3;
                let removed = self.buf.remove(range.clone());
                let expected: Vec<u8> = self.bytes.drain(range).collect();
                assert_eq!(render::bytes(&removed), expected, "what was removed");
            }
            Op::Truncate => {
                self.buf.truncate(len / 2);
                self.bytes.truncate(len / 2);
            }
            Op::Flatten => assert_eq!(self.buf.flatten(), self.bytes.make_contiguous()),
            Op::Settle => _ = self.buf.settle(),
            Op::CopyToBytes => {
                let copied = self.buf.copy_to_bytes(len / 2);
                let expected: Vec<u8> = self.bytes.drain(..len / 2).collect();
                assert_eq!(copied, expected, "what was copied out");
            }
        }
    }

    /// Looks at all of it, in three ways, twice.
    fn peek(&mut self) {
        let bytes = self.bytes.make_contiguous();
        for _ in 0..2 {
            assert_eq!(render::bytes(&self.buf), bytes);
            let mut cursor = self.buf.cursor();
            cursor.seek(bytes.len() / 2);
            let mut back = Vec::new();
            while let Some(byte) = cursor.read_byte() {
                back.push(byte);
            }
            assert_eq!(back, bytes[bytes.len() / 2..]);
            let mut range = vec![0; bytes.len() - bytes.len() / 3];
            self.buf.copy_range_to(bytes.len() / 3..bytes.len(), &mut range);
            assert_eq!(range, bytes[bytes.len() / 3..]);
        }
    }
}

/// pingora ("out-of-order data return after multiple peek calls", "multipart range filter state"):
/// all series of three operations behind some bytes at rest and some that pass, and random series
/// of sixteen, against a plain queue of bytes.
#[test]
fn h38_bytes_come_in_order_whatever_was_looked_at_before() {
    let base = OPS.len();
    let all =
        (0..base.pow(3)).map(|code| (0..3).map(|at| OPS[code / base.pow(at) % base]).collect());
    let random = (0..4_000).map(|seed| {
        let mut rng = Rng::new(seed);
        (0..16).map(|_| OPS[rng.below(base)]).collect()
    });
    for ops in all.chain(random) {
        let ops: Vec<Op> = ops;
        let mut pair = Pair::default();
        pair.apply(Op::PushAtRest);
        pair.apply(Op::Push);
        for &op in &ops {
            pair.apply(op);
            assert_eq!(pair.buf.len(), pair.bytes.len(), "{ops:?}: the length after {op:?}");
        }
        assert_eq!(render::bytes(&pair.buf), pair.bytes.make_contiguous(), "{ops:?}");
        pair.peek();
    }
}

const MANY: usize = 200_000;

/// Runs it where a drop that calls itself for each of so many would be a crash.
fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(128 * 1024).spawn(work);
    thread.expect("a thread").join().expect("no panic");
}

/// Envoy CVE-2026-48042 (a destructor overflowed the stack): 200,000 segments in a buffer, on a
/// stack of 128 KiB, let go in each way there is.
#[test]
fn h46_letting_go_of_very_many_segments_takes_no_stack() {
    let fill = || {
        let mut buf = BodyBuf::new();
        (0..MANY).for_each(|_| buf.push(Bytes::from_static(b"x")));
        buf
    };
    on_a_small_stack(move || drop(fill()));
    on_a_small_stack(move || fill().clear());
    on_a_small_stack(move || fill().advance(MANY));
    on_a_small_stack(move || fill().truncate(0));
    on_a_small_stack(move || assert_eq!(fill().settle(), MANY));
    on_a_small_stack(move || assert_eq!(fill().to_bytes().len(), MANY));
    on_a_small_stack(move || drop(fill().remove(1..MANY - 1)));
}

/// Keeps everything, in pieces that are not copied.
struct KeepsAll;

impl<H: Dir> Filter<H> for KeepsAll {
    fn declare(&self) -> Declaration {
        Declaration::new().require(Capability::KeepToEnd).marks(Marks::from_high(u64::MAX))
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        if view.input_ended() { Verdict::PASS } else { Verdict::HOLD }
    }
}

fn keeps_all() -> Chain<request::Parts> {
    let plan = Plan::builder().filter("keeps all", || KeepsAll).build().expect("a plan");
    let bound = plan.bind(Capabilities::ALL).expect("an edge");
    bound.chain(MessageTraits::new()).expect("a chain")
}

/// The same where segments wait: held by a filter, in the queue of a pipe, fetched from it.
#[test]
fn h46_a_message_of_many_segments_ends_without_recursion() {
    for whole in [false, true] {
        on_a_small_stack(move || {
            let mut chain = keeps_all();
            chain.handle_head(request::Parts::plain(), false).expect("the head is taken");
            let piece = Bytes::from(vec![b'x'; 600]);
            for _ in 0..MANY / 4 {
                chain.handle_data(piece.clone(), false).expect("data is taken");
            }
            if whole {
                chain.handle_end().expect("the end is taken");
                let mut bytes = 0;
                while let Some(output) = chain.poll_output() {
                    if let Output::Data(data) = output {
                        bytes += data.len();
                    }
                }
                assert_eq!(bytes, 150 * MANY);
                assert!(chain.outcome().is_some_and(Outcome::is_complete));
            }
        });
    }
    for fetched in [false, true] {
        on_a_small_stack(move || {
            let marks = Marks::from_high(1 << 50);
            let (mut sender, mut receiver) = pipe::<Bytes, (), ()>(marks);
            for _ in 0..MANY {
                sender.try_send(Bytes::from_static(b"x")).expect("room");
            }
            if fetched {
                let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
                assert!(receiver.poll_next(&mut cx).is_ready());
            }
            drop(receiver);
            drop(sender);
        });
    }
}
