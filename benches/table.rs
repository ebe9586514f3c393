//! Lookups and publishes of a table, beside what else one might take. Compare within one run only.
//!
//! No bytes go through a table: what is checked is the plan that is found.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::{Arc, Mutex, RwLock};

use arc_swap::ArcSwap;
use criterion::{Criterion, criterion_group, criterion_main};
use tidegate::exchange::{BoundExchangePlan, ExchangePlan};
use tidegate::table::{Changes, Entry, Table};
use tidegate::{Capabilities, Filter, Head, MessageTraits};

mod kit;

use kit::Case;

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

fn case(name: String, unit: &'static str) -> Case {
    Case { name: format!("table/{name}"), units: 1, unit, bytes: 0 }
}

/// What a message spends to find its plan and hold it.
fn lookup(c: &mut Criterion) {
    let case = case(format!("lookup/{ROUTES}"), "lookup");
    let plan = plan();
    let key = key(ROUTES / 2);
    let key = key.as_str();

    let one = Arc::new(plan.clone());
    let map: HashMap<String, Arc<BoundExchangePlan>> =
        (0..ROUTES).map(|number| (self::key(number), Arc::clone(&one))).collect();
    let note = "one `Arc` cloned: nothing is looked up, nothing can be published";
    case.row(c, "floor", note, || || drop(black_box(Arc::clone(&one))));
    let note = "a `HashMap` of `Arc`s that nobody can change";
    case.row(c, "floor_hash_map", note, || {
        assert!(map.contains_key(key));
        || drop(black_box(map.get(black_box(key)).cloned()))
    });
    let table = table(ROUTES, || plan.clone());
    let mut reader = table.reader();
    let note = "a pin of the plan, which counts its exchanges, so that it can be waited for";
    case.row(c, "tidegate", note, || {
        assert!(reader.pin(key).is_ok_and(|pin| pin.plan().is_ok()));
        move || drop(black_box(reader.pin(black_box(key))))
    });
    others(c, &case, &map, key);
}

/// Maps that can be changed, and count no exchanges.
fn others(
    c: &mut Criterion,
    case: &Case,
    map: &HashMap<String, Arc<BoundExchangePlan>>,
    key: &str,
) {
    let swapped = ArcSwap::from_pointee(map.clone());
    case.row(c, "arc_swap", "a map behind arc-swap; no count of exchanges", || {
        assert!(swapped.load().contains_key(key));
        || drop(black_box(swapped.load().get(black_box(key)).cloned()))
    });
    let mut cached = arc_swap::Cache::new(&swapped);
    case.row(c, "arc_swap_cache", "the same with a cache for each thread", || {
        assert!(cached.load().contains_key(key));
        move || drop(black_box(cached.load().get(black_box(key)).cloned()))
    });
    let locked = RwLock::new(map.clone());
    case.row(c, "rwlock", "a map behind std's `RwLock`, which nobody else takes", || {
        || {
            let map = locked.read().expect("no panic");
            drop(black_box(map.get(black_box(key)).cloned()).expect("it is there"));
        }
    });
    let locked = Mutex::new(map.clone());
    case.row(c, "mutex", "a map behind std's `Mutex`, which nobody else takes", || {
        || {
            let map = locked.lock().expect("no panic");
            drop(black_box(map.get(black_box(key)).cloned()).expect("it is there"));
        }
    });
}

/// The same, and both chains of an exchange started from the plan.
fn chain_start(c: &mut Criterion) {
    let case = case("chain_start".into(), "exchange");
    let plan = plan();
    let start = |plan: &BoundExchangePlan| {
        black_box(plan.exchange(MessageTraits::new(), MessageTraits::new())).expect("no needs")
    };
    let one = Arc::new(plan.clone());
    case.row(c, "floor", "the plan is held through an `Arc`: nothing is looked up", || {
        || {
            let plan = Arc::clone(&one);
            drop(start(&plan));
        }
    });
    let table = table(ROUTES, || plan.clone());
    let mut reader = table.reader();
    let key = key(ROUTES / 2);
    case.row(c, "tidegate", "the plan is looked up and pinned", || {
        move || {
            let pin = reader.pin(black_box(key.as_str())).expect("it is there");
            drop(start(pin.plan().expect("it is ready")));
        }
    });
}

/// One edit of a table of so many keys, made for it, and the first lookup behind it.
fn publish(c: &mut Criterion) {
    for keys in [10, 1000, 100_000] {
        let case = case(format!("publish/{keys}"), "edit");
        let key = key(keys / 2);
        let edit = || {
            let mut changes = Changes::new();
            changes.set(key.clone(), Entry::ready(()));
            changes
        };
        let note = "a `HashMap` that is copied, changed and swapped in: what a table without \
                    shared parts does";
        case.row(c, "floor", note, || {
            let map = (0..keys).map(|number| (self::key(number), Arc::new(())));
            let swapped = ArcSwap::from_pointee(map.collect::<HashMap<_, _>>());
            let key = key.clone();
            move || {
                let mut map = HashMap::clone(&swapped.load());
                map.insert(key.clone(), Arc::new(()));
                swapped.store(Arc::new(map));
            }
        });
        case.row(c, "tidegate", "one edit, published", || {
            let table = table(keys, || ());
            move || table.publish(&edit()).map(drop).expect("no reader")
        });
        case.row(c, "tidegate_and_lookup", "the same, and the first lookup behind it", || {
            let table = table(keys, || ());
            let mut reader = table.reader();
            let key = key.as_str();
            move || {
                table.publish(&edit()).expect("one reader");
                assert!(black_box(reader.pin(key)).is_ok());
            }
        });
    }
}

criterion_group! {
    name = benches;
    config = kit::config();
    targets = lookup, chain_start, publish
}
criterion_main!(benches);
