//! What lookups and publishes allocate.

use tidegate::table::{Changes, Entry, Fault, Table};

use crate::counting::{allocations, live_bytes};

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

/// A table of so many keys.
fn large(keys: u32) -> Table<u32, u32> {
    let table = Table::new(0);
    let mut changes = Changes::new();
    for key in 0..keys {
        changes.set(key, Entry::ready(key));
    }
    table.publish(&changes).unwrap();
    table
}

fn edit(key: u32) -> Changes<u32, u32> {
    let mut changes = Changes::new();
    changes.set(key, Entry::ready(0));
    changes
}

#[test]
fn an_edit_of_a_large_table_allocates_a_few_times() {
    let table = large(100_000);
    let changes = [1, 2, 3].map(edit);
    for changes in &changes {
        let count = allocations(|| _ = table.publish(changes).unwrap());
        // The snapshot, its shards, and of one shard itself and its places.
        assert_eq!(count, 4);
    }
}

#[test]
fn an_edit_of_a_large_table_copies_a_small_part_of_it() {
    let table = large(100_000);
    let changes = [1, 2, 3].map(edit);
    for changes in &changes {
        // What is copied is there twice while somebody holds the table as it was.
        let before = (table.snapshot(), live_bytes());
        table.publish(changes).unwrap();
        let copied_bytes = live_bytes() - before.1;
        // 256 shards, and one of them: 390 keys in 1024 places. All keys would be megabytes.
        assert!((1..64 * 1024).contains(&copied_bytes), "{copied_bytes} bytes");
    }
}

#[test]
fn a_table_that_shrinks_is_made_anew_seldom() {
    // 64 shards from 4096 keys on: they stay as they are until a fourth of these is left.
    let table = large(4096);
    let remove = |keys: std::ops::Range<u32>| {
        let mut changes = Changes::new();
        keys.for_each(|key| _ = changes.remove(key));
        changes
    };
    let steps = [(0..1, false), (1..3072, false), (3072..3073, true), (3073..3074, false)];
    for (keys, is_made_anew) in steps {
        let changes = remove(keys.clone());
        let count = allocations(|| _ = table.publish(&changes).unwrap());
        // Each shard that is touched, itself and its places; all of them, and as many new ones.
        let most_touched = 2 + 2 * keys.len().min(64) as u64;
        assert_eq!(count > most_touched, is_made_anew, "{keys:?}: {count} allocations");
    }
}
