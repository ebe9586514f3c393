//! A chunk through a chain, beside the floor in the same binary.
//!
//! Each row says in `rows/chain.rs` what it imitates and where it is unfair. Compare within one
//! run only, as ratios to the floor.

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

#[allow(dead_code, reason = "each binary uses its part")]
#[path = "rows/chain.rs"]
mod rows;

use rows::{CHUNK_BYTES, Carry, Floor, Source};

/// Chunks per measured iteration.
const CHUNKS: u64 = 640;

fn chain(c: &mut Criterion) {
    for (name, source) in [("static", Source::Static), ("shared", Source::shared())] {
        let mut group = c.benchmark_group(format!("chain/{name}"));
        group.throughput(Throughput::Bytes(CHUNKS * CHUNK_BYTES as u64));
        for filters in [0, 1, 8] {
            let mut floor = Floor::new(filters, source.clone());
            group.bench_function(BenchmarkId::new("floor", filters), |b| {
                b.iter(|| floor.run(CHUNKS));
            });
            let mut passing = Carry::passing(filters, source.clone());
            group.bench_function(BenchmarkId::new("pass", filters), |b| {
                b.iter(|| passing.run(CHUNKS));
            });
        }
        let rows = [
            ("uninterested/8", Carry::uninterested(8, source.clone())),
            ("hold_release/alone", Carry::holding(0, 1, source.clone())),
            ("hold_release/among_7", Carry::holding(7, 1, source.clone())),
            ("hold_release_64/alone", Carry::holding(0, 4, source.clone())),
        ];
        for (row, mut carry) in rows {
            group.bench_function(row, |b| b.iter(|| carry.run(CHUNKS)));
        }
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = chain
}
criterion_main!(benches);
