//! Memory for what is read, while 16 chunks wait (T8): a block of a pool, beside a fresh one.
//!
//! Reading is imitated by writing a word. What a pool saves most, page faults, is no instruction.

use std::collections::VecDeque;
use std::hint::black_box;
use std::num::NonZeroUsize;

use bytes::{BufMut, Bytes, BytesMut};
use tidegate::block::BlockPool;

use super::{Row, Run, row};

pub(super) const ROWS: &[Row] = &[
    row("floor_block", "floor_block", "chunk", 6400, fresh),
    row("block", "floor_block", "chunk", 6400, pooled),
];

const BLOCK_BYTES: NonZeroUsize = NonZeroUsize::new(64 * 1024).unwrap();
const WINDOW: usize = 16;

fn queued(mut read: impl FnMut(u64) -> Bytes + 'static) -> Run {
    let mut queue = VecDeque::with_capacity(WINDOW + 1);
    Box::new(move |chunks| {
        for turn in 0..chunks {
            queue.push_back(black_box(read(turn)));
            if queue.len() > WINDOW {
                let chunk = queue.pop_front().expect("a full window");
                assert_eq!(black_box(chunk).len(), size_of::<u64>());
            }
        }
    })
}

fn fresh() -> Run {
    queued(|turn| {
        let mut chunk = BytesMut::with_capacity(BLOCK_BYTES.get());
        chunk.put_u64(turn);
        chunk.freeze()
    })
}

fn pooled() -> Run {
    let pool = BlockPool::new(BLOCK_BYTES, WINDOW + 4);
    queued(move |turn| {
        let mut block = pool.take();
        block.room().put_u64(turn);
        block.split()
    })
}
