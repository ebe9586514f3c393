//! What a message spends to find its plan, and to hold it, in a table of a thousand.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;

use tidegate::table::{Changes, Entry, Table};

use super::{Row, Run, row};

pub(super) const ROWS: &[Row] = &[
    row("floor_lookup", "floor_lookup", "lookup", 10_000, floor),
    row("lookup", "floor_lookup", "lookup", 10_000, lookup),
];

const KEYS: usize = 1000;

/// All keys, one after the other: maps hash with another seed in each process, and what one key
/// costs depends on it.
fn keys() -> Vec<String> {
    (0..KEYS).map(|number| format!("route-{number}")).collect()
}

/// A map, and a clone of what is found.
fn floor() -> Run {
    let keys = keys();
    let map: HashMap<String, Arc<usize>> =
        keys.iter().cloned().zip((0..KEYS).map(Arc::new)).collect();
    Box::new(move |lookups| {
        for (key, number) in keys.iter().zip(0..KEYS).cycle().take(lookups as usize) {
            let found = map.get(black_box(key.as_str())).cloned();
            assert_eq!(black_box(found).as_deref(), Some(&number));
        }
    })
}

fn lookup() -> Run {
    let table = Table::new(0);
    let mut changes = Changes::new();
    let keys = keys();
    for (key, number) in keys.iter().zip(0..KEYS) {
        changes.set(key.clone(), Entry::ready(number));
    }
    table.publish(&changes).expect("the first");
    let mut reader = table.reader();
    Box::new(move |lookups| {
        for (key, number) in keys.iter().zip(0..KEYS).cycle().take(lookups as usize) {
            let pin = reader.pin(black_box(key.as_str())).expect("it is there");
            assert_eq!(black_box(&pin).plan().ok(), Some(&number));
        }
    })
}
