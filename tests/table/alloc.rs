//! What lookups and publishes allocate.

use tidegate::table::{Changes, Entry, Fault, Table};

use crate::counting::allocations;

#[test]
fn a_lookup_on_the_current_epoch_allocates_nothing() {
    let table = Table::new(0);
    let mut changes = Changes::new();
    changes.set("a".to_owned(), Entry::ready(1));
    changes.set("failed".to_owned(), Entry::Failed(Fault::new(Default::default(), "down")));
    table.publish(&changes).unwrap();
    let mut reader = table.reader();
    drop(reader.pin("a"));
    let lookups = || {
        for _ in 0..1000 {
            let pins = (reader.pin("a").unwrap(), reader.pin("failed").unwrap());
            assert!(pins.0.plan().is_ok() && pins.1.plan().is_err());
            assert!(reader.pin("absent").is_err());
        }
    };
    assert_eq!(allocations(lookups), 0);
}

#[test]
fn a_lookup_behind_a_publish_allocates_what_it_counts_in() {
    let table = Table::<u8, u8>::new(0);
    let mut reader = table.reader();
    for _ in 0..3 {
        let _ = reader.pin(&0);
        table.publish(&Changes::new()).unwrap();
    }
    // The list of those that came, and the counts.
    assert_eq!(allocations(|| drop(reader.pin(&0))), 2);
}

#[test]
fn an_edit_of_a_large_table_allocates_a_few_times() {
    let table = Table::new(0);
    let mut changes = Changes::new();
    for key in 0..100_000_u32 {
        changes.set(key, Entry::ready(key));
    }
    table.publish(&changes).unwrap();
    let edit = |key| {
        let mut changes = Changes::new();
        changes.set(key, Entry::ready(0));
        changes
    };
    let changes = [1, 2, 3].map(edit);
    for changes in &changes {
        let count = allocations(|| _ = table.publish(changes).unwrap());
        // The snapshot, its shards, and of one shard itself and its places.
        assert_eq!(count, 4);
    }
}
