//! What a message spends to find its plan, and to hold it, in a table of a thousand.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;

use tidegate::table::{Changes, Entry, Table};

use super::{Row, Run, row};

pub(super) const ROWS: &[Row] = &[
    row("floor_lookup", "floor_lookup", "lookup", 6400, floor),
    row("lookup", "floor_lookup", "lookup", 6400, lookup),
];

const KEYS: usize = 1000;

/// A map, and a clone of what is found.
fn floor() -> Run {
    let map: HashMap<String, Arc<usize>> =
        (0..KEYS).map(|number| (format!("route-{number}"), Arc::new(number))).collect();
    Box::new(move |lookups| {
        for _ in 0..lookups {
            let found = map.get(black_box("route-500")).cloned();
            assert_eq!(black_box(found).as_deref(), Some(&500));
        }
    })
}

fn lookup() -> Run {
    let table = Table::new(0);
    let mut changes = Changes::new();
    for number in 0..KEYS {
        changes.set(format!("route-{number}"), Entry::ready(number));
    }
    table.publish(&changes).expect("the first");
    let mut reader = table.reader();
    Box::new(move |lookups| {
        for _ in 0..lookups {
            let pin = reader.pin(black_box("route-500")).expect("it is there");
            assert!(matches!(black_box(&pin).plan(), Ok(500)));
        }
    })
}
