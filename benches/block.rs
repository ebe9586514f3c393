//! Fresh memory for every chunk that is read (T8): 16 chunks of 64 KiB queue, as they do before a
//! slow sink. Reading is imitated by writing every byte. Compare within one run only.

use std::collections::VecDeque;
use std::hint::black_box;
use std::num::NonZeroUsize;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tidegate::block::BlockPool;

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
        let mut group = c.benchmark_group(format!("block/queued_{window}"));
        group.throughput(Throughput::Elements(CHUNKS as u64));
        let mut queue = VecDeque::new();
        group.bench_function("fresh_bytes_mut", |b| b.iter(|| run(window, &mut queue, fresh)));
        group.bench_function("fresh_vec", |b| b.iter(|| run(window, &mut queue, vector)));
        queue.clear();
        let size = NonZeroUsize::new(CHUNK_BYTES).expect("not 0");
        let pool = BlockPool::new(size, window + 4);
        group.bench_function("pool", |b| {
            b.iter(|| {
                run(window, &mut queue, |fill| {
                    let mut block = pool.take();
                    block.room().put_bytes(fill, CHUNK_BYTES);
                    block.split()
                });
            });
        });
        println!("{:?}", pool.stats());
        let mut place = vec![0; CHUNK_BYTES];
        group.bench_function("floor_write_only", |b| {
            b.iter(|| (0..CHUNKS).for_each(|fill| black_box(&mut place).fill(fill as u8)));
        });
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = block
}
criterion_main!(benches);
