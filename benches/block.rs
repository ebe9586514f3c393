//! Fresh memory for every chunk that is read (T8): 16 chunks of 64 KiB queue, as they do before a
//! slow sink. Reading is imitated by writing every byte. Compare within one run only.

use std::collections::VecDeque;
use std::hint::black_box;
use std::num::NonZeroUsize;

use bytes::{BufMut, Bytes, BytesMut};
use criterion::{Criterion, criterion_group, criterion_main};
use tidegate::block::BlockPool;

mod kit;

use kit::Case;

const CHUNK_BYTES: usize = 64 * 1024;
const CHUNKS: usize = 256;

/// Sends `CHUNKS` chunks through a queue of `window`.
fn run(window: usize, queue: &mut VecDeque<Bytes>, mut read: impl FnMut(u8) -> Bytes) {
    for turn in 0..CHUNKS {
        queue.push_back(black_box(read(turn as u8)));
        if queue.len() > window {
            let chunk = queue.pop_front().expect("a full window");
            assert_eq!(black_box(chunk).len(), CHUNK_BYTES);
        }
    }
}

fn fresh(fill: u8) -> Bytes {
    let mut chunk = BytesMut::with_capacity(CHUNK_BYTES);
    chunk.put_bytes(fill, CHUNK_BYTES);
    chunk.freeze()
}

fn vector(fill: u8) -> Bytes {
    let mut chunk = Vec::with_capacity(CHUNK_BYTES);
    chunk.resize(CHUNK_BYTES, fill);
    Bytes::from(chunk)
}

fn block(c: &mut Criterion) {
    for window in [0, 16] {
        let case = Case {
            name: format!("block/queued_{window}/64KiB"),
            units: CHUNKS as u64,
            unit: "chunk",
            bytes: (CHUNKS * CHUNK_BYTES) as u64,
        };
        let note =
            "writing every byte of one place again and again: no memory is got or given back";
        case.row(c, "floor", note, || {
            let mut place = vec![0; CHUNK_BYTES];
            move || (0..CHUNKS).for_each(|fill| black_box(&mut place).fill(fill as u8))
        });
        let note = "blocks of a pool. Reading is imitated by writing every byte";
        case.row(c, "tidegate", note, || {
            let size = NonZeroUsize::new(CHUNK_BYTES).expect("not 0");
            turns(window, pooled(BlockPool::new(size, window + 4)))
        });
        case.row(c, "fresh_bytes_mut", "a new `BytesMut` for each chunk, frozen", || {
            turns(window, fresh)
        });
        case.row(c, "fresh_vec", "a new vector for each chunk, made `Bytes`", || {
            turns(window, vector)
        });
    }
}

fn pooled(pool: BlockPool) -> impl FnMut(u8) -> Bytes {
    move |fill| {
        let mut block = pool.take();
        block.room().put_bytes(fill, CHUNK_BYTES);
        block.split()
    }
}

/// Checked turns through a queue of `window`.
fn turns(window: usize, mut read: impl FnMut(u8) -> Bytes) -> impl FnMut() {
    let mut queue: VecDeque<Bytes> = (0..=window).map(|fill| read(fill as u8)).collect();
    for (fill, chunk) in queue.drain(..).enumerate() {
        assert!(chunk.len() == CHUNK_BYTES && chunk.iter().all(|&byte| byte == fill as u8));
    }
    move || run(window, &mut queue, &mut read)
}

criterion_group! {
    name = benches;
    config = kit::config();
    targets = block
}
criterion_main!(benches);
