//! A small message from beginning to end (T3), beside the floor and what people use today, and what
//! an exchange that waits costs in memory (T10). Compare within one run only.

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};

#[path = "rows/lifecycle.rs"]
mod rows;

use rows::{Floor, Messages, boxed_message, header_maps};

const FILTERS: usize = 8;

fn lifecycle(c: &mut Criterion) {
    let mut group = c.benchmark_group("small_message");
    group.bench_function("header_maps", |b| b.iter(header_maps));
    for filters in [0, FILTERS] {
        let mut floor = Floor::new(filters);
        group.bench_function(BenchmarkId::new("floor_reused", filters), |b| {
            b.iter(|| floor.message());
        });
        let recycled = Messages::new(filters, true);
        group.bench_function(BenchmarkId::new("chain_recycled", filters), |b| {
            b.iter(|| recycled.message());
        });
        let fresh = Messages::new(filters, false);
        group.bench_function(BenchmarkId::new("chain_fresh", filters), |b| {
            b.iter(|| fresh.message());
        });
        group.bench_function(BenchmarkId::new("map_frame_boxed", filters), |b| {
            b.iter(|| boxed_message(filters));
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = lifecycle
}
criterion_main!(benches);
