//! A chunk through async filters, beside callback filters and beside a task and a channel a filter.
//!
//! Compare within one run only.

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

#[path = "rows/chain.rs"]
mod rows;

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
