//! Real threads: publishes while readers look up and messages run.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;

use tidegate::table::{Changes, Counters, Entry};

use crate::plans::{Alive, Plans};

const KEYS: [&str; 3] = ["a", "b", "c"];
const EPOCHS: u32 = 2000;
const READERS: usize = 2;

/// Publishes [`EPOCHS`] tables whose plans all have the number of their epoch.
fn write(table: &Plans, alive: &Alive) {
    for number in 1..=EPOCHS {
        let mut changes = Changes::new();
        for key in KEYS {
            changes.set(key, Entry::ready(alive.plan(number)));
        }
        let epoch = table.publish(&changes).unwrap();
        assert_eq!(epoch.number, u64::from(number));
    }
}

#[test]
fn g6_every_message_sees_one_plan_and_all_are_freed() {
    let (table, alive) = (Plans::new(0), Alive::default());
    let is_over = AtomicBool::new(false);
    let looked_up = thread::scope(|scope| {
        let writer = scope.spawn(|| write(&table, &alive));
        let readers: Vec<_> = (0..READERS)
            .map(|_| {
                // Messages end on a thread of their own, two behind each other.
                let (start, messages) = mpsc::sync_channel(2);
                scope.spawn(move || {
                    for pin in messages {
                        let pin: tidegate::table::Pin<&str, crate::plans::Plan> = pin;
                        let plan = pin.plan().unwrap_or_else(|_| panic!("no plan"));
                        assert_eq!(u64::from(plan.value), pin.epoch().number);
                    }
                });
                scope.spawn(|| {
                    let start = start;
                    let (mut reader, mut last, mut count) =
                        (table.reader(), 0, Counters::default());
                    while !is_over.load(Ordering::Acquire) || count.served == 0 {
                        for key in KEYS {
                            let Ok(pin) = reader.pin(key) else {
                                count.absent += 1;
                                continue;
                            };
                            assert!(pin.epoch().number >= last, "it went back");
                            last = pin.epoch().number;
                            assert_eq!(pin.version(), pin.epoch(), "two tables in one");
                            count.served += 1;
                            start.send(pin).unwrap();
                        }
                    }
                    count
                })
            })
            .collect();
        writer.join().unwrap();
        is_over.store(true, Ordering::Release);
        let mut all = Counters::default();
        for reader in readers {
            all += reader.join().unwrap();
        }
        all
    });
    assert_eq!(table.counters(), looked_up);
    let [last] = table.epochs()[..] else { panic!("only the last epoch is alive") };
    assert_eq!((last.epoch.number, last.live(), last.readers), (u64::from(EPOCHS), 0, 0));
    assert_eq!(alive.count(), KEYS.len());
    drop(table);
    assert_eq!(alive.count(), 0);
}

#[test]
fn publishes_of_several_threads_are_all_there() {
    let table = tidegate::table::Table::new(0);
    thread::scope(|scope| {
        for writer in 0..3_u32 {
            let table = &table;
            scope.spawn(move || {
                for number in 0..300 {
                    let mut changes = Changes::new();
                    changes.set((writer, number), Entry::ready(number));
                    table.publish(&changes).unwrap();
                }
            });
        }
    });
    let snapshot = table.snapshot();
    assert_eq!((snapshot.len(), snapshot.epoch().number), (900, 900));
    let mut versions: Vec<u64> = snapshot.iter().map(|(.., version)| version).collect();
    versions.sort_unstable();
    assert!(versions.into_iter().eq(1..=900), "each publish is an epoch of its own");
}
