//! One table: lookups, publishes, pins, epochs.

use std::time::Duration;

use tidegate::table::{Absent, Changes, Counters, Entry, Epoch, Fault, Ready, Table};

fn set(key: &'static str, plan: u32) -> Changes<&'static str, u32> {
    let mut changes = Changes::new();
    changes.set(key, Entry::ready(plan));
    changes
}

#[test]
fn a_reader_sees_the_publish_that_happened_before() {
    let table = Table::new(7);
    let mut reader = table.reader();
    let at = |number| Epoch { nonce: 7, number };
    assert_eq!(reader.pin("a").unwrap_err(), Absent { epoch: at(0) });
    assert_eq!(table.publish(&set("a", 1)).unwrap(), at(1));
    let first = reader.pin("a").unwrap();
    assert_eq!(table.publish(&set("b", 2)).unwrap(), at(2));
    let second = reader.pin("a").unwrap();
    assert_eq!((first.epoch(), first.version()), (at(1), at(1)));
    assert_eq!((second.epoch(), second.version()), (at(2), at(1)));
    assert_eq!(*reader.pin("b").unwrap().plan().unwrap(), 2);
}

#[test]
fn g11_lookups_are_counted_by_how_they_were_served() {
    let table = Table::new(0);
    let fault = || Fault::new(Duration::from_secs(3), "a broken edit");
    let mut changes = set("whole", 1);
    changes.set("stale", Entry::Ready(Ready::new(2).stale_by(fault())));
    changes.set("degraded", Entry::Ready(Ready::new(3).without(["auth"])));
    changes.set("failed", Entry::Failed(fault()));
    table.publish(&changes).unwrap();
    let mut reader = table.reader();
    for key in ["whole", "stale", "degraded", "failed", "absent"] {
        let _ = reader.pin(key);
    }
    let expected = Counters { served: 3, stale: 1, degraded: 1, failed: 1, absent: 1 };
    assert_eq!(table.counters(), expected);
    table.publish(&Changes::new()).unwrap();
    reader.rest();
    assert_eq!(table.counters(), expected, "an epoch that is gone is still counted");
}
