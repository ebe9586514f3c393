//! Lookups and publishes of a table, beside what else one might take. Compare within one run only.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use tidegate::exchange::{BoundExchangePlan, ExchangePlan};
use tidegate::table::{Changes, Entry, Table};
use tidegate::{Capabilities, Filter, Head, MessageTraits};

/// Routes of the table that is looked up in.
const ROUTES: usize = 1000;
/// Filters of each direction.
const FILTERS: usize = 4;

struct Pass;

impl<H: Head> Filter<H> for Pass {
    fn recycle(&mut self) -> bool {
        true
    }
}

/// A plan with filters in both directions, whose chains are recycled.
fn plan() -> BoundExchangePlan {
    let builder = (0..FILTERS).fold(ExchangePlan::builder(), |builder, _| {
        builder.request("pass", || Pass).response("pass", || Pass)
    });
    let plan = builder.build().expect("few filters");
    plan.bind(Capabilities::ALL, Capabilities::ALL).expect("no needs")
}

fn key(number: usize) -> String {
    format!("route-{number}")
}

fn table<P>(keys: usize, plan: impl Fn() -> P) -> Table<String, P> {
    let table = Table::new(0);
    let mut changes = Changes::new();
    for number in 0..keys {
        changes.set(key(number), Entry::ready(plan()));
    }
    table.publish(&changes).expect("the first");
    table
}

/// What a message spends to find its plan and hold it.
fn lookup(c: &mut Criterion) {
    let mut group = c.benchmark_group("lookup");
    let plan = plan();
    let key = key(ROUTES / 2);
    let key = key.as_str();

    let one = Arc::new(plan.clone());
    group.bench_function("arc_clone", |b| b.iter(|| drop(black_box(Arc::clone(&one)))));

    let map: HashMap<String, Arc<BoundExchangePlan>> =
        (0..ROUTES).map(|number| (self::key(number), Arc::clone(&one))).collect();
    group.bench_function("hash_map_arc_clone", |b| {
        b.iter(|| drop(black_box(map.get(black_box(key)).cloned())));
    });

    let swapped = ArcSwap::from_pointee(map.clone());
    group.bench_function("arc_swap_hash_map_arc_clone", |b| {
        b.iter(|| drop(black_box(swapped.load().get(black_box(key)).cloned())));
    });
    let mut cached = arc_swap::Cache::new(&swapped);
    group.bench_function("arc_swap_cache_hash_map_arc_clone", |b| {
        b.iter(|| drop(black_box(cached.load().get(black_box(key)).cloned())));
    });

    let locked = RwLock::new(map.clone());
    group.bench_function("rwlock_hash_map_arc_clone", |b| {
        b.iter(|| {
            let map = locked.read().expect("no panic");
            drop(black_box(map.get(black_box(key)).cloned()));
        });
    });
    let locked = Mutex::new(map);
    group.bench_function("mutex_hash_map_arc_clone", |b| {
        b.iter(|| {
            let map = locked.lock().expect("no panic");
            drop(black_box(map.get(black_box(key)).cloned()));
        });
    });

    let table = table(ROUTES, || plan.clone());
    let mut reader = table.reader();
    group.bench_function("table_pin", |b| {
        b.iter(|| drop(black_box(reader.pin(black_box(key)))));
    });
    group.finish();
}

/// The same, and both chains of an exchange started from the plan.
fn chain_start(c: &mut Criterion) {
    let mut group = c.benchmark_group("chain_start");
    let plan = plan();
    let start = |plan: &BoundExchangePlan| {
        black_box(plan.exchange(MessageTraits::new(), MessageTraits::new())).expect("no needs")
    };
    let one = Arc::new(plan.clone());
    group.bench_function("arc_clone", |b| {
        b.iter(|| {
            let plan = Arc::clone(&one);
            drop(start(&plan));
        });
    });
    let table = table(ROUTES, || plan.clone());
    let mut reader = table.reader();
    let key = key(ROUTES / 2);
    group.bench_function("table_pin", |b| {
        b.iter(|| {
            let pin = reader.pin(black_box(key.as_str())).expect("it is there");
            drop(start(pin.plan().expect("it is ready")));
        });
    });
    group.finish();
}

/// One edit of a table of so many keys, and the first lookup behind it.
fn publish(c: &mut Criterion) {
    let mut group = c.benchmark_group("publish");
    for keys in [10, 1000, 100_000] {
        let table = table(keys, || ());
        let edit = || {
            let mut changes = Changes::new();
            changes.set(key(keys / 2), Entry::ready(()));
            changes
        };
        group.bench_function(BenchmarkId::new("table_one_edit", keys), |b| {
            b.iter_batched(edit, |changes| table.publish(&changes), BatchSize::SmallInput);
        });
        let mut reader = table.reader();
        let key = key(keys / 2);
        group.bench_function(BenchmarkId::new("table_one_edit_and_lookup", keys), |b| {
            b.iter_batched(
                edit,
                |changes| {
                    table.publish(&changes).expect("one reader");
                    drop(black_box(reader.pin(key.as_str())));
                },
                BatchSize::SmallInput,
            );
        });
        let swapped = ArcSwap::from_pointee(
            (0..keys).map(|number| (self::key(number), Arc::new(()))).collect::<HashMap<_, _>>(),
        );
        group.bench_function(BenchmarkId::new("hash_map_copy", keys), |b| {
            b.iter(|| {
                let mut map = HashMap::clone(&swapped.load());
                map.insert(key.clone(), Arc::new(()));
                swapped.store(Arc::new(map));
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = lookup, chain_start, publish
}
criterion_main!(benches);
