//! A chunk through async filters, beside callback filters and beside a task and a channel a filter.
//!
//! Compare within one run only.

use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::{Receiver, Sender, channel};

#[allow(dead_code, reason = "each binary uses its part")]
#[path = "rows/chain.rs"]
mod rows;

/// What one does without async filters: a task a filter, each behind a channel of 16 chunks, on one
/// thread. Unfair to it in nothing but that a message costs it nothing here: its tasks live on.
struct Tasks {
    runtime: Runtime,
    first: Sender<Bytes>,
    last: Receiver<Bytes>,
    source: rows::Source,
}

impl Tasks {
    fn new(filters: usize, source: rows::Source) -> Self {
        let runtime = Builder::new_current_thread().build().expect("a runtime");
        let (first, mut last) = channel::<Bytes>(16);
        for _ in 0..filters {
            let (sender, receiver) = channel(16);
            let mut input = std::mem::replace(&mut last, receiver);
            runtime.spawn(async move {
                while let Some(chunk) = input.recv().await {
                    if sender.send(chunk).await.is_err() {
                        return;
                    }
                }
            });
        }
        Self { runtime, first, last, source }
    }

    fn run(&mut self, chunks: u64) {
        let Self { runtime, first, last, source } = self;
        let feed = async {
            for _ in 0..chunks {
                first.send(black_box(source.next())).await.expect("the tasks live on");
            }
        };
        let drain = async {
            let mut out_bytes = 0;
            for _ in 0..chunks {
                out_bytes += black_box(last.recv().await).map_or(0, |chunk| chunk.len() as u64);
            }
            out_bytes
        };
        let ((), out_bytes) = runtime.block_on(async { tokio::join!(feed, drain) });
        assert_eq!(out_bytes, chunks * rows::CHUNK_BYTES as u64);
    }
}

/// Chunks per measured iteration.
const CHUNKS: u64 = 640;

fn async_filters(c: &mut Criterion) {
    for (name, source) in [("static", rows::Source::Static), ("shared", rows::Source::shared())] {
        let mut group = c.benchmark_group(format!("async_filter/{name}"));
        group.throughput(Throughput::Elements(CHUNKS));
        for filters in [0, 1, 8] {
            let mut callbacks = rows::Carry::passing(filters, source.clone());
            group.bench_function(BenchmarkId::new("callbacks", filters), |b| {
                b.iter(|| callbacks.run(CHUNKS));
            });
            let mut tasks = Tasks::new(filters, source.clone());
            group.bench_function(BenchmarkId::new("tasks", filters), |b| {
                b.iter(|| tasks.run(CHUNKS));
            });
            let mut asyncs = rows::Carry::asynchronous(filters, source.clone());
            group.bench_function(BenchmarkId::new("async", filters), |b| {
                b.iter(|| asyncs.run(CHUNKS));
            });
        }
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = async_filters
}
criterion_main!(benches);
