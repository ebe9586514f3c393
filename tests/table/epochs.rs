//! What messages and readers hold of old epochs.

use std::sync::Arc;

use tidegate::limits;
use tidegate::table::{Changes, Entry, Fault, PublishError, Table};

use crate::counting::live_bytes;
use crate::plans::{Alive, Plans, publish};

/// Number, started, ended and readers of each epoch that is alive.
fn epochs(table: &Plans) -> Vec<(u64, u64, u64, u64)> {
    let stats = table.epochs().into_iter();
    stats.map(|epoch| (epoch.epoch.number, epoch.started, epoch.ended, epoch.readers)).collect()
}

#[test]
fn g6_a_message_keeps_its_plan_until_it_ends() {
    let (table, alive) = (Plans::new(0), Alive::default());
    publish(&table, "a", alive.plan(1));
    let mut reader = table.reader();
    let (old, other) = (reader.pin("a").unwrap(), reader.pin("a").unwrap());
    publish(&table, "a", alive.plan(2));
    let new = reader.pin("a").unwrap();
    assert_eq!(old.plan().unwrap_or_else(|_| panic!()).value, 1);
    assert_eq!(new.plan().unwrap_or_else(|_| panic!()).value, 2);
    assert_eq!((old.epoch().number, new.epoch().number), (1, 2));
    drop(other);
    assert_eq!(alive.count(), 2, "one message is left on it");
    assert_eq!(epochs(&table), [(1, 2, 1, 0), (2, 1, 0, 1)]);
    drop(old);
    assert_eq!(alive.count(), 1, "the last message of the old epoch is over");
    assert_eq!(epochs(&table), [(2, 1, 0, 1)]);
    drop(new);
    drop(reader);
    drop(table);
    assert_eq!(alive.count(), 0);
}

#[test]
fn g6_a_message_keeps_its_own_plan_only() {
    let (table, alive) = (Plans::new(0), Alive::default());
    publish(&table, "a", alive.plan(1));
    publish(&table, "b", alive.plan(1));
    let pin = table.reader().pin("a").unwrap();
    publish(&table, "b", alive.plan(2));
    assert_eq!(alive.count(), 2, "the other key's old plan is freed under the message");
    drop(pin);
}

#[test]
fn g6_a_message_outlives_its_table() {
    let (table, alive) = (Plans::new(0), Alive::default());
    publish(&table, "a", alive.plan(1));
    publish(&table, "b", alive.plan(1));
    let pin = table.reader().pin("a").unwrap();
    drop(table);
    assert_eq!(alive.count(), 1);
    assert_eq!(pin.plan().unwrap_or_else(|_| panic!()).value, 1);
    drop(pin);
    assert_eq!(alive.count(), 0);
}

#[test]
fn g6_both_directions_share_one_pin() {
    let (table, alive) = (Plans::new(0), Alive::default());
    publish(&table, "a", alive.plan(1));
    let request = Arc::new(table.reader().pin("a").unwrap());
    let response = Arc::clone(&request);
    publish(&table, "a", alive.plan(2));
    drop(request);
    assert_eq!(epochs(&table), [(1, 1, 0, 0), (2, 0, 0, 0)]);
    drop(response);
    assert_eq!(epochs(&table), [(2, 0, 0, 0)]);
    assert_eq!(alive.count(), 1);
}

#[test]
fn an_idle_reader_keeps_its_epoch_until_it_rests() {
    let (table, alive) = (Plans::new(0), Alive::default());
    publish(&table, "a", alive.plan(1));
    let mut reader = table.reader();
    drop(reader.pin("a"));
    publish(&table, "a", alive.plan(2));
    assert_eq!((alive.count(), epochs(&table)), (2, vec![(1, 1, 1, 1), (2, 0, 0, 0)]));
    reader.rest();
    assert_eq!((alive.count(), epochs(&table)), (1, vec![(2, 0, 0, 0)]));
    assert_eq!(reader.pin("a").unwrap().epoch().number, 2);
    // A lookup lets go, too.
    publish(&table, "a", alive.plan(3));
    assert_eq!(alive.count(), 2);
    drop(reader.pin("a"));
    assert_eq!(alive.count(), 1);
}

#[test]
fn g6_more_live_epochs_than_allowed_are_refused_until_messages_end() {
    let alive = Alive::default();
    let table = Plans::with_max_live_epochs(0, 3);
    let mut pins = Vec::new();
    for number in 1..=3 {
        publish(&table, "a", alive.plan(number));
        pins.push(table.reader().pin("a").unwrap());
    }
    let mut changes = Changes::new();
    changes.set("a", Entry::ready(alive.plan(4)));
    let refused = table.publish(&changes).unwrap_err();
    assert_eq!(refused, PublishError::TooManyEpochs { live: 4, limit: 3 });
    let served = table.reader().pin("a").unwrap();
    assert_eq!(served.plan().unwrap_or_else(|_| panic!()).value, 3, "the last good table serves");
    drop(pins.remove(1));
    assert_eq!(table.publish(&changes).unwrap().number, 4);
    assert_eq!(epochs(&table).len(), 3);
    drop((changes, pins, served, table));
    assert_eq!(alive.count(), 0);
}

#[test]
fn the_default_bound_on_live_epochs_is_the_limit() {
    let (table, alive) = (Plans::new(0), Alive::default());
    publish(&table, "a", alive.plan(0));
    let mut pins = Vec::new();
    for _ in 1..limits::MAX_LIVE_EPOCHS {
        pins.push(table.reader().pin("a").unwrap());
        publish(&table, "a", alive.plan(0));
    }
    pins.push(table.reader().pin("a").unwrap());
    let refused = table.publish(&Changes::new()).unwrap_err();
    let limit = limits::MAX_LIVE_EPOCHS;
    assert_eq!(refused, PublishError::TooManyEpochs { live: limit + 1, limit });
}

#[test]
fn counts_of_readers_that_are_gone_do_not_pile_up() {
    let table = Table::<u8, u8>::new(0);
    let mut changes = Changes::new();
    changes.set(0, Entry::ready(1)).set(1, Entry::Failed(Fault::new(Default::default(), "no")));
    table.publish(&changes).unwrap();
    let visit = |readers: u64| {
        for _ in 0..readers {
            let mut reader = table.reader();
            let _pins = (reader.pin(&0), reader.pin(&1), reader.pin(&2));
        }
    };
    visit(1000);
    let before = live_bytes();
    visit(10_000);
    let more_bytes = live_bytes() - before;
    assert!(more_bytes < 16 * 1024, "{more_bytes} bytes more");
    let counters = table.counters();
    assert_eq!((counters.served, counters.failed, counters.absent), (11_000, 11_000, 11_000));
    let [epoch] = table.epochs()[..] else { panic!("one epoch is alive") };
    assert_eq!((epoch.started, epoch.ended, epoch.readers), (22_000, 22_000, 0));
}

#[test]
fn what_a_table_costs_is_freed() {
    let before = live_bytes();
    let (table, alive) = (Plans::new(0), Alive::default());
    let mut reader = table.reader();
    for _ in 0..100 {
        publish(&table, "a", alive.plan(1));
        drop(reader.pin("a"));
    }
    drop((reader, table));
    assert_eq!(alive.count(), 0);
    drop(alive);
    assert_eq!(live_bytes(), before);
}
