//! The body buffer beside a `VecDeque<Bytes>` (T7): 64 chunks wait and leave, whole or cut.

use std::collections::VecDeque;
use std::hint::black_box;

use bytes::Bytes;
use tidegate::BodyBuf;

use crate::chain::{CHUNK_BYTES, Source};

use super::{Row, Run, row};

pub(super) const ROWS: &[Row] = &[
    row("floor_deque", "floor_deque", "segment", 6400, floor_drain),
    row("floor_deque_cut", "floor_deque_cut", "record", 2090, floor_cut),
    row("floor_bytes_split", "floor_bytes_split", "part", 3260, floor_split),
    row("buf", "floor_deque", "segment", 6400, drain),
    row("buf_cut", "floor_deque_cut", "record", 2090, cut),
    row("buf_split", "floor_bytes_split", "part", 3260, split),
];

/// Segments that wait at a time.
const WINDOW: u64 = 64;
/// Records that end where no segment does, and how many there are in a window.
const RECORD_BYTES: usize = 5_001;
const RECORDS: u64 = WINDOW * CHUNK_BYTES as u64 / RECORD_BYTES as u64;
/// A part of one segment, and how many there are.
const PART_BYTES: usize = 100;
const PARTS: u64 = (CHUNK_BYTES / PART_BYTES) as u64;

fn floor_drain() -> Run {
    let mut deque = VecDeque::new();
    Box::new(move |segments| {
        for _ in 0..segments / WINDOW {
            (0..WINDOW).for_each(|_| deque.push_back(black_box(Source::Static.next())));
            while let Some(segment) = deque.pop_front() {
                black_box(segment);
            }
        }
    })
}

fn drain() -> Run {
    let mut buf = BodyBuf::new();
    Box::new(move |segments| {
        for _ in 0..segments / WINDOW {
            (0..WINDOW).for_each(|_| buf.push(black_box(Source::Static.next())));
            while let Some(segment) = buf.pop_front() {
                black_box(segment);
            }
        }
    })
}

/// What `move_to` does, by hand.
fn move_by_hand(from: &mut VecDeque<Bytes>, to: &mut VecDeque<Bytes>, bytes: usize) {
    let mut left = bytes;
    while left > 0 {
        let Some(front) = from.front_mut() else { return };
        if front.len() > left {
            to.push_back(front.split_to(left));
            return;
        }
        left -= front.len();
        to.extend(from.pop_front());
    }
}

fn floor_cut() -> Run {
    let (source, mut deque, mut record) = (Source::shared(), VecDeque::new(), VecDeque::new());
    Box::new(move |records| {
        for _ in 0..records / RECORDS {
            deque.extend((0..WINDOW).map(|_| source.next()));
            for _ in 0..RECORDS {
                move_by_hand(&mut deque, &mut record, RECORD_BYTES);
                black_box(&record);
                record.clear();
            }
            deque.clear();
        }
    })
}

fn cut() -> Run {
    let (source, mut buf, mut record) = (Source::shared(), BodyBuf::new(), BodyBuf::new());
    Box::new(move |records| {
        for _ in 0..records / RECORDS {
            buf.extend((0..WINDOW).map(|_| source.next()));
            for _ in 0..RECORDS {
                buf.move_to(&mut record, RECORD_BYTES);
                assert_eq!(black_box(&record).len(), RECORD_BYTES);
                record.clear();
            }
            buf.clear();
        }
    })
}

fn floor_split() -> Run {
    let source = Source::shared();
    Box::new(move |parts| {
        for _ in 0..parts / PARTS {
            let mut whole = black_box(source.next());
            (0..PARTS).for_each(|_| drop(black_box(whole.split_to(PART_BYTES))));
        }
    })
}

fn split() -> Run {
    let source = Source::shared();
    Box::new(move |parts| {
        for _ in 0..parts / PARTS {
            let mut whole = BodyBuf::from(black_box(source.next()));
            (0..PARTS).for_each(|_| drop(black_box(whole.split_to(PART_BYTES))));
        }
    })
}
