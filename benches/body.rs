//! A chunk through 8 filters behind the `http_body` face (T4), beside what people use today and
//! beside the floor, in one binary. Compare within one run only.

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

#[path = "rows/body.rs"]
mod rows;

use rows::{CHUNK_BYTES, Channelled, Endless, Floor, boxed, filtered, take};

/// Chunks per measured iteration.
const CHUNKS: u64 = 640;

fn body(c: &mut Criterion) {
    for (name, source) in
        [("static", Endless::fixed as fn() -> Endless), ("shared", Endless::shared)]
    {
        let mut group = c.benchmark_group(format!("body/{name}"));
        group.throughput(Throughput::Bytes(CHUNKS * CHUNK_BYTES as u64));
        for filters in [0, 8] {
            let mut floor = Floor::new(filters, source());
            group.bench_function(BenchmarkId::new("floor", filters), |b| {
                b.iter(|| take(&mut floor, CHUNKS));
            });
            let mut chain = filtered(filters, source());
            group.bench_function(BenchmarkId::new("filtered", filters), |b| {
                b.iter(|| take(&mut chain, CHUNKS));
            });
            let mut layers = boxed(filters, source());
            group.bench_function(BenchmarkId::new("map_frame_boxed", filters), |b| {
                b.iter(|| take(&mut layers, CHUNKS));
            });
        }
        let mut channelled = Channelled::new(8, source());
        group.bench_function(BenchmarkId::new("channel_map_frame_boxed", 8), |b| {
            b.iter(|| channelled.run(CHUNKS));
        });
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = body
}
criterion_main!(benches);
