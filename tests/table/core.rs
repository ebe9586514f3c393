//! One table: lookups and publishes.

use std::time::Duration;

use tidegate::table::{Absent, Changes, Counters, Entry, Epoch, Fault, PublishError, Ready, Table};

type Numbers = Table<&'static str, u32>;

fn set(key: &'static str, plan: u32) -> Changes<&'static str, u32> {
    let mut changes = Changes::new();
    changes.set(key, Entry::ready(plan));
    changes
}

fn fault(seconds: u64, error: &'static str) -> Fault {
    Fault::new(Duration::from_secs(seconds), error)
}

fn plan(table: &Numbers, key: &str) -> u32 {
    *table.reader().pin(key).unwrap().plan().unwrap()
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
    assert_eq!((*second.key(), *second.plan().unwrap()), ("a", 1));
    assert_eq!(*reader.pin("b").unwrap().plan().unwrap(), 2);
}

#[test]
fn g2_a_failure_is_a_value_under_the_same_key() {
    let table = Table::new(0);
    table.publish(&set("a", 1)).unwrap();
    let mut changes = Changes::<_, u32>::new();
    changes.set("a", Entry::Failed(fault(3, "the extension is down")));
    table.publish(&changes).unwrap();
    let pin = table.reader().pin("a").unwrap();
    let why = pin.plan().unwrap_err();
    assert_eq!(why.to_string(), "the extension is down (since 3s)");
    assert_eq!(pin.entry().fault().unwrap().since(), Duration::from_secs(3));
    // A message that gets a failure is on its epoch like any other.
    assert_eq!(table.epochs().last().unwrap().live(), 1);
    drop(pin);
    table.publish(&set("a", 2)).unwrap();
    assert_eq!(plan(&table, "a"), 2);
}

#[test]
fn g3_an_edit_that_fails_keeps_the_last_good_plan() {
    let good = Ready::new(1);
    let entry = Entry::Ready(good.clone());
    let stale = entry.after_failed_edit(fault(3, "line 7"));
    let Entry::Ready(ready) = &stale else { panic!("the plan is gone") };
    assert!(ready.is_same_plan(&good));
    assert!(!ready.is_same_plan(&Ready::new(1)), "an equal plan is not the same");
    assert_eq!(ready.stale().unwrap().to_string(), "line 7 (since 3s)");
    // Stale since the first of the failures, for the reason of the last.
    let staler = stale.after_failed_edit(fault(5, "line 8"));
    assert_eq!(staler.fault().unwrap().to_string(), "line 8 (since 3s)");
    assert_eq!(staler.plan().unwrap(), &1);
    let Entry::Ready(ready) = staler else { panic!("the plan is gone") };
    assert!(ready.current().stale().is_none());
}

#[test]
fn g3_an_edit_that_fails_where_there_was_no_plan_stays_a_failure() {
    let failed = Entry::<u32>::Failed(fault(3, "line 7"));
    let still = failed.after_failed_edit(fault(5, "line 8"));
    assert_eq!(still.plan().unwrap_err().to_string(), "line 8 (since 3s)");
}

#[test]
fn g3_all_changes_of_a_publish_are_seen_at_once() {
    let table = Table::new(0);
    let mut changes = set("a", 1);
    changes.set("b", Entry::ready(1)).set("gone", Entry::ready(1));
    table.publish(&changes).unwrap();
    let before = table.snapshot();
    let mut changes = set("a", 2);
    changes.remove("gone").set("b", Entry::ready(2)).remove("was never there");
    table.publish(&changes).unwrap();
    let all = |snapshot: tidegate::table::Snapshot<&'static str, u32>| {
        let mut all: Vec<_> =
            snapshot.iter().map(|(key, entry, at)| (*key, *entry.plan().unwrap(), at)).collect();
        all.sort_unstable();
        (snapshot.len(), all)
    };
    assert_eq!(all(before), (3, vec![("a", 1, 1), ("b", 1, 1), ("gone", 1, 1)]));
    assert_eq!(all(table.snapshot()), (2, vec![("a", 2, 2), ("b", 2, 2)]));
}

#[test]
fn of_several_changes_of_one_key_the_last_counts() {
    let table = Table::new(0);
    let mut changes = Changes::new();
    assert!(changes.is_empty());
    changes.set("a", Entry::ready(1));
    changes.remove("b").set("a", Entry::ready(2)).set("b", Entry::ready(3));
    changes.set("c", Entry::ready(4)).remove("c");
    assert_eq!((changes.len(), changes.is_empty()), (6, false));
    table.publish(&changes).unwrap();
    assert_eq!((plan(&table, "a"), plan(&table, "b")), (2, 3));
    assert!(table.snapshot().get("c").is_none());
}

#[test]
fn a_whole_table_takes_out_what_it_does_not_name() {
    let table = Table::new(0);
    table.publish(&set("a", 1)).unwrap();
    table.publish(&set("b", 1)).unwrap();
    let mut whole = Changes::whole();
    whole.set("b", Entry::ready(2));
    table.publish(&whole).unwrap();
    assert_eq!((table.snapshot().len(), table.snapshot().is_empty()), (1, false));
    assert_eq!(plan(&table, "b"), 2);
    table.publish(&Changes::whole()).unwrap();
    assert!(table.snapshot().is_empty());
}

#[test]
fn g4_epochs_grow_and_those_of_two_tables_have_no_order() {
    let table = Numbers::new(1);
    let mut last = table.epoch();
    assert_eq!(last, Epoch { nonce: 1, number: 0 });
    for _ in 0..5 {
        // No change is an epoch, too.
        let next = table.publish(&Changes::new()).unwrap();
        assert!(next.follows(last) && !last.follows(next) && !next.follows(next));
        assert_eq!(table.epoch(), next);
        last = next;
    }
    let restarted = Numbers::new(2);
    assert!(!last.follows(restarted.epoch()) && !restarted.epoch().follows(last));
    assert_eq!(last.to_string(), "1.5");
}

#[test]
fn g4_an_epoch_that_was_refused_has_no_number() {
    let table = Numbers::with_max_live_epochs(0, 1);
    let mut reader = table.reader();
    let before = reader.epoch();
    let changes = set("a", 1);
    let refused = table.publish(&changes).unwrap_err();
    assert_eq!(refused, PublishError::TooManyEpochs { live: 2, limit: 1 });
    assert_eq!(refused.to_string(), "2 epochs would be alive, 1 may be");
    assert_eq!((table.epoch(), reader.epoch()), (before, before));
    reader.rest();
    // The changes are still there to be made.
    assert_eq!(table.publish(&changes).unwrap().number, 1);
}

#[test]
fn changes_can_be_published_again() {
    let table = Table::new(0);
    let changes = set("a", 1);
    table.publish(&changes).unwrap();
    table.publish(&set("a", 2)).unwrap();
    table.publish(&changes).unwrap();
    let pin = table.reader().pin("a").unwrap();
    assert_eq!((*pin.plan().unwrap(), pin.version().number), (1, 3));
}

#[test]
fn g11_lookups_are_counted_by_how_they_were_served() {
    let table = Table::new(0);
    let mut changes = set("whole", 1);
    changes.set("stale", Entry::Ready(Ready::new(2).stale_by(fault(1, "a broken edit"))));
    changes.set("degraded", Entry::Ready(Ready::new(3).without(["auth", "log"])));
    changes.set("failed", Entry::Failed(fault(1, "down")));
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
    let Entry::Ready(ready) = table.snapshot().get("degraded").unwrap().clone() else { panic!() };
    assert_eq!(ready.dropped().collect::<Vec<_>>(), ["auth", "log"]);
}

/// A plan that nobody can print, as it may hold what is not to be seen.
struct Secret;

#[test]
fn a_table_shows_epochs_and_counts_and_no_plans() {
    let table = Table::new(10);
    let mut changes = Changes::new();
    changes.set("a", Entry::Ready(Ready::new(Secret).without(["auth"])));
    changes.set("b", Entry::Failed(fault(3, "down")));
    assert_eq!(format!("{changes:?}"), "Changes { base: Current, changes: 2 }");
    table.publish(&changes).unwrap();
    let epoch = "Epoch { nonce: 10, number: 1 }";
    assert_eq!(format!("{table:?}"), format!("Table {{ epoch: {epoch}, .. }}"));
    assert_eq!(
        format!("{:?}", table.snapshot()),
        format!("Snapshot {{ epoch: {epoch}, keys: 2 }}")
    );
    let mut reader = table.reader();
    assert_eq!(format!("{reader:?}"), "Reader { looked_at: None, .. }");
    let [ready, failed] = ["a", "b"].map(|key| format!("{:?}", reader.pin(key).unwrap()));
    let shown = "Ready { stale: None, dropped: [\"auth\"], .. }";
    assert_eq!(ready, format!("Pin {{ epoch: {epoch}, key: \"a\", entry: {shown} }}"));
    let shown = "Failed(Fault { since: 3s, error: \"down\" })";
    assert_eq!(failed, format!("Pin {{ epoch: {epoch}, key: \"b\", entry: {shown} }}"));
    assert_eq!(format!("{reader:?}"), format!("Reader {{ looked_at: Some({epoch}), .. }}"));
    assert_eq!(format!("{:?}", table.watch()), "Watch { nonce: 10, seen: None }");
    let absent = reader.pin("c").unwrap_err().to_string();
    assert_eq!(absent, "the key is not in the table of epoch a.1");
}
