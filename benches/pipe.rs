//! A chunk from task to task: on one thread with room for 16 chunks and for 1 (T5), and across
//! threads (T6), beside the channels that people use today and a floor, in one binary. Compare
//! within one run only.

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

#[path = "rows/pipe.rs"]
mod rows;

use rows::{CHUNK_BYTES, ROWS, across_threads, floor, on_one_thread};

/// Chunks per measured iteration on one thread.
const CHUNKS: u64 = 1600;

/// Chunks per measured iteration across threads: enough to make the threads' start small.
const CHUNKS_ACROSS: u64 = 20_000;

fn one_thread(c: &mut Criterion) {
    for room in [16, 1] {
        let mut group = c.benchmark_group(format!("pipe/room_{room}"));
        group.throughput(Throughput::Elements(CHUNKS));
        let expected = CHUNKS * CHUNK_BYTES as u64;
        group.bench_function(BenchmarkId::from_parameter("floor"), |b| {
            b.iter(|| assert_eq!(on_one_thread(floor(room, CHUNKS)), expected));
        });
        for (name, row) in ROWS {
            group.bench_function(BenchmarkId::from_parameter(name), |b| {
                b.iter(|| assert_eq!(on_one_thread(row(room, CHUNKS)), expected));
            });
        }
        group.finish();
    }
}

fn two_threads(c: &mut Criterion) {
    for room in [16, 64] {
        let mut group = c.benchmark_group(format!("pipe/across_threads_room_{room}"));
        group.throughput(Throughput::Elements(CHUNKS_ACROSS)).sample_size(10);
        for (name, row) in ROWS {
            let (mut chunks, mut wakes) = (0, 0);
            group.bench_function(BenchmarkId::from_parameter(name), |b| {
                b.iter_custom(|iterations| {
                    let mut time = Duration::ZERO;
                    for _ in 0..iterations {
                        let (bytes, took, woken) = across_threads(row(room, CHUNKS_ACROSS));
                        assert_eq!(bytes, CHUNKS_ACROSS * CHUNK_BYTES as u64);
                        time += took;
                        chunks += CHUNKS_ACROSS;
                        wakes += woken;
                    }
                    time
                });
            });
            if chunks > 0 {
                println!("{name}: {:.3} wakes per chunk", wakes as f64 / chunks as f64);
            }
        }
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1));
    targets = one_thread, two_threads
}
criterion_main!(benches);
