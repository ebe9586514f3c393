//! Code of the user that panics where the table runs it: it takes nobody else with it.

use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use tidegate::table::{BuildError, Built, Changes, Controller, Entry, Extensions, Fault, Table};

/// Counts its drop, and panics in it.
struct Bomb(Arc<AtomicUsize>);

impl Drop for Bomb {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
        assert!(std::thread::panicking(), "the drop panics");
    }
}

fn one(key: u8, bomb: Bomb) -> Changes<u8, Bomb> {
    let mut changes = Changes::new();
    changes.set(key, Entry::ready(bomb));
    changes
}

fn unwinds(work: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(work)).is_err()
}

#[test]
fn plans_that_panic_when_dropped_break_neither_publish_nor_message() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let bomb = || Bomb(Arc::clone(&dropped));
    let table = Table::new(0);
    for key in 0..10 {
        table.publish(&one(key, bomb())).unwrap();
    }
    let pin = table.reader().pin(&0).unwrap();
    // Nine in one drop.
    table.publish(&Changes::whole()).unwrap();
    assert_eq!(dropped.load(Ordering::SeqCst), 9);
    drop(pin);
    assert_eq!(dropped.load(Ordering::SeqCst), 10);
    assert!(table.epochs().iter().all(|epoch| epoch.live() == 0));
    assert_eq!(table.publish(&Changes::new()).unwrap().number, 12);
}

#[test]
fn errors_and_keys_that_panic_when_dropped_break_nothing() {
    struct Grim {
        _bomb: Bomb,
    }
    impl PartialEq for Grim {
        fn eq(&self, _: &Self) -> bool {
            true
        }
    }
    impl Eq for Grim {}
    impl Hash for Grim {
        fn hash<H: Hasher>(&self, _: &mut H) {}
    }
    impl std::fmt::Debug for Grim {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("Grim")
        }
    }
    impl std::fmt::Display for Grim {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("Grim")
        }
    }
    impl std::error::Error for Grim {}
    let dropped = Arc::new(AtomicUsize::new(0));
    let grim = || Grim { _bomb: Bomb(Arc::clone(&dropped)) };
    let table = Table::<Grim, u8>::new(0);
    let mut changes = Changes::new();
    changes.set(grim(), Entry::Failed(Fault::new(Duration::ZERO, grim())));
    table.publish(&changes).unwrap();
    drop(changes);
    assert_eq!(dropped.load(Ordering::SeqCst), 0);
    let mut changes = Changes::new();
    changes.remove(grim());
    table.publish(&changes).unwrap();
    // The old key and its error; the key of the removal stays with the changes.
    assert_eq!(dropped.load(Ordering::SeqCst), 2);
    drop(changes);
    assert_eq!(dropped.load(Ordering::SeqCst), 3);
    assert!(table.snapshot().is_empty());
}

#[test]
fn a_waker_that_panics_does_not_keep_the_others_asleep() {
    #[derive(Default)]
    struct Wakes(AtomicUsize);
    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            assert_ne!(self.0.fetch_add(1, Ordering::SeqCst), 0, "the first wake panics");
        }
    }
    let table = Table::<u8, u8>::new(0);
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(Arc::clone(&wakes));
    let mut watches = [table.watch(), table.watch(), table.watch()];
    for watch in &mut watches {
        assert!(watch.poll_changed(&mut Context::from_waker(&waker)).is_ready());
        assert!(watch.poll_changed(&mut Context::from_waker(&waker)).is_pending());
    }
    assert_eq!(table.publish(&Changes::new()).unwrap().number, 1);
    assert_eq!(wakes.0.load(Ordering::SeqCst), 3);
}

/// A key whose hash panics while it is told to.
#[derive(Debug)]
struct Moody(u8, Arc<AtomicBool>);

impl PartialEq for Moody {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for Moody {}

impl Hash for Moody {
    fn hash<H: Hasher>(&self, state: &mut H) {
        assert!(!self.1.load(Ordering::SeqCst), "the hash panics");
        self.0.hash(state);
    }
}

#[test]
fn a_key_that_panics_leaves_the_table_as_it_was() {
    let mood = Arc::new(AtomicBool::new(false));
    let key = |number| Moody(number, Arc::clone(&mood));
    let table = Table::new(0);
    let mut changes = Changes::new();
    changes.set(key(0), Entry::ready(1));
    table.publish(&changes).unwrap();
    let mut reader = table.reader();
    let mut changes = Changes::new();
    changes.set(key(0), Entry::ready(2)).set(key(1), Entry::ready(2));
    mood.store(true, Ordering::SeqCst);
    assert!(unwinds(|| _ = table.publish(&changes)));
    assert!(unwinds(|| _ = reader.pin(&key(0))));
    mood.store(false, Ordering::SeqCst);
    assert_eq!((table.epoch().number, table.snapshot().len()), (1, 1));
    assert_eq!(*reader.pin(&key(0)).unwrap().plan().unwrap(), 1);
    assert_eq!(table.publish(&changes).unwrap().number, 2);
    assert_eq!(*reader.pin(&key(1)).unwrap().plan().unwrap(), 2);
    assert_eq!(table.counters().served, 2);
}

#[test]
fn g9_a_spec_that_panics_when_compared_takes_no_other_edit_along() {
    struct Odd(u32);
    impl PartialEq for Odd {
        fn eq(&self, other: &Self) -> bool {
            assert!(self.0 < 10 && other.0 < 10, "specs from 10 on cannot be compared");
            self.0 == other.0
        }
    }
    let build = |_: &u8, spec: &Odd, _: &Extensions| Ok::<_, BuildError>(Built::new(spec.0));
    let mut controller = Controller::new(Table::new(0), build);
    for key in 0..3 {
        controller.set(key, Odd(1)).unwrap();
    }
    let _ = controller.publish(Duration::ZERO);
    for (key, spec) in [(0, 10), (1, 2), (2, 3)] {
        controller.set(key, Odd(spec)).unwrap();
    }
    assert!(!unwinds(|| _ = controller.publish(Duration::ZERO)));
    let table = controller.table().snapshot();
    let plan = |key| *table.get(&key).unwrap().plan().unwrap();
    assert_eq!([0, 1, 2].map(plan), [10, 2, 3]);
}
