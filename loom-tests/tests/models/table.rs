//! Models of `table`: the swap against lookups, other swaps and the last drop of a plan, and
//! subscriptions against publishes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll};

use tidegate_loom_tests::kit::{Fuse, Hook, Model, Payload, Task, panics, spawn};
use tidegate_loom_tests::models;
use tidegate_loom_tests::table::{Changes, Entry, Epoch, Pin, Reader, Table, Watch};

pub const MODELS: &[Model] = models!("table";
    lookup_racing_publish: 1900 Exhaustive;
    lookup_racing_two_publishes: 600 Bounded;
    told_epoch_is_there: 2000 Exhaustive;
    two_writers: 18_000 Exhaustive;
    writers_of_one_key: 330 Bounded;
    last_drop_on_two_threads: 72 Exhaustive;
    last_drop_racing_publish: 35 Exhaustive;
    rest_racing_publish: 27 Exhaustive;
    end_tells_of_the_drop: 13 Exhaustive;
    arrival_racing_publish: 4400 Exhaustive;
    subscribe_racing_publish: 49 Exhaustive;
    two_subscribers: 47 Exhaustive;
    unsubscribe_racing_publish: 11 Exhaustive;
    fresh_waker_racing_publish: 24 Exhaustive;
    drop_looks_up_inline: 560 Bounded;
    waker_looks_up_inline: 1200 Bounded;
    panicking_waker: 50 Exhaustive;
);

/// A plan with what its maker writes, which says when it is dropped.
struct Plan {
    payload: Arc<Payload>,
    dropped: Arc<AtomicUsize>,
}

impl Plan {
    /// Written before it is published.
    fn new(value: u64) -> Self {
        let payload = Arc::new(Payload::new());
        payload.write(value);
        Self { payload, dropped: Arc::default() }
    }

    fn value(&self) -> u64 {
        self.payload.read()
    }
}

impl Drop for Plan {
    /// A write: it has to be ordered behind every look at the plan.
    fn drop(&mut self) {
        self.payload.write(0);
        assert_eq!(self.dropped.fetch_add(1, Relaxed), 0, "dropped twice");
    }
}

type Plans = Table<u8, Plan>;

fn set(key: u8, plan: Plan) -> Changes<u8, Plan> {
    let mut changes = Changes::new();
    changes.set(key, Entry::ready(plan));
    changes
}

fn publish(table: &Plans, key: u8, value: u64) -> Epoch {
    table.publish(&set(key, Plan::new(value))).unwrap()
}

/// A table with one key, whose plan has the value 1.
fn table() -> Plans {
    let table = Table::new(0);
    publish(&table, 0, 1);
    table
}

fn value(reader: &mut Reader<u8, Plan>, key: u8) -> (u64, u64) {
    let pin = reader.pin(&key).unwrap();
    (pin.epoch().number, pin.plan().unwrap().value())
}

fn poll(watch: &mut Watch, task: &Task) -> Option<u64> {
    match task.poll(|cx| watch.poll_changed(cx)) {
        Poll::Ready(epoch) => Some(epoch.number),
        Poll::Pending => None,
    }
}

/// A lookup beside a publish sees the table before it or behind it, and never goes back; the plan
/// is whole. Behind the publish it sees that.
fn lookup_racing_publish() {
    let table = table();
    let mut reader = table.reader();
    assert_eq!(value(&mut reader, 0), (1, 1));
    let writer = spawn({
        let table = table.clone();
        move || publish(&table, 0, 2)
    });
    let first = value(&mut reader, 0);
    let second = value(&mut reader, 0);
    assert!(matches!((first, second), ((1, 1), (1, 1) | (2, 2)) | ((2, 2), (2, 2))));
    writer.join().unwrap();
    assert_eq!(value(&mut reader, 0), (2, 2));
}

/// As above, with two publishes, and a reader that has not looked before.
fn lookup_racing_two_publishes() {
    let table = table();
    let mut reader = table.reader();
    let writer = spawn({
        let table = table.clone();
        move || {
            publish(&table, 0, 2);
            publish(&table, 0, 3);
        }
    });
    let first = value(&mut reader, 0);
    let second = value(&mut reader, 0);
    assert!(first.0 == first.1 && second.0 == second.1 && first <= second);
    writer.join().unwrap();
    assert_eq!(value(&mut reader, 0), (3, 3));
}

/// Who is told of an epoch finds it: in a snapshot, and by a reader.
fn told_epoch_is_there() {
    let table = table();
    let (mut reader, mut watch, task) = (table.reader(), table.watch(), Task::new());
    let writer = spawn({
        let table = table.clone();
        move || {
            publish(&table, 0, 2);
        }
    });
    let told = poll(&mut watch, &task).expect("the first answer is immediate");
    assert!(table.snapshot().epoch().number >= told);
    assert!(value(&mut reader, 0).0 >= told);
    writer.join().unwrap();
}

/// Two writers: each publish is an epoch of its own, and none is lost.
fn two_writers() {
    let table = table();
    let writer = spawn({
        let table = table.clone();
        move || publish(&table, 1, 10)
    });
    let own = publish(&table, 2, 20);
    let other = writer.join().unwrap();
    assert_eq!((own.number.min(other.number), own.number.max(other.number)), (2, 3));
    let mut reader = table.reader();
    assert_eq!([0, 1, 2].map(|key| value(&mut reader, key)), [(3, 1), (3, 10), (3, 20)]);
    let snapshot = table.snapshot();
    assert_eq!((snapshot.epoch().number, table.epoch().number), (3, 3));
    assert_eq!(snapshot.version(&1), Some(other.number));
    assert_eq!(snapshot.version(&2), Some(own.number));
}

/// Two writers of one key: the later epoch's plan is there, the other is dropped once.
fn writers_of_one_key() {
    let table = table();
    let plan = Plan::new(10);
    let dropped = Arc::clone(&plan.dropped);
    let writer = spawn({
        let table = table.clone();
        move || table.publish(&set(0, plan)).unwrap()
    });
    let own = publish(&table, 0, 20);
    let other = writer.join().unwrap();
    let expected = if own.follows(other) { 20 } else { 10 };
    assert_eq!(value(&mut table.reader(), 0), (3, expected));
    assert_eq!(dropped.load(Relaxed), usize::from(expected == 20));
}

/// A plan of which two messages hold the last: dropped once, behind what both did with it.
fn last_drop_on_two_threads() {
    let table = table();
    let plan = Plan::new(10);
    let dropped = Arc::clone(&plan.dropped);
    table.publish(&set(0, plan)).unwrap();
    let mut reader = table.reader();
    let pins = [reader.pin(&0).unwrap(), reader.pin(&0).unwrap()];
    publish(&table, 0, 3);
    reader.rest();
    let messages = pins.map(|pin: Pin<u8, Plan>| {
        let dropped = Arc::clone(&dropped);
        spawn(move || {
            assert_eq!(pin.plan().unwrap().value(), 10);
            assert_eq!(dropped.load(Relaxed), 0, "dropped under a message");
        })
    });
    for message in messages {
        message.join().unwrap();
    }
    assert_eq!(dropped.load(Relaxed), 1);
}

/// A message ends while its plan is replaced: the plan goes once, by whoever is later.
fn last_drop_racing_publish() {
    let table = table();
    let plan = Plan::new(10);
    let dropped = Arc::clone(&plan.dropped);
    table.publish(&set(0, plan)).unwrap();
    let mut reader = table.reader();
    let pin = reader.pin(&0).unwrap();
    drop(reader);
    let message = spawn(move || {
        assert_eq!(pin.plan().unwrap().value(), 10);
    });
    publish(&table, 0, 3);
    message.join().unwrap();
    assert_eq!(dropped.load(Relaxed), 1);
}

/// A reader lets its snapshot go while its plan is replaced: the plan goes once.
fn rest_racing_publish() {
    let table = table();
    let plan = Plan::new(10);
    let dropped = Arc::clone(&plan.dropped);
    table.publish(&set(0, plan)).unwrap();
    let mut reader = table.reader();
    drop(reader.pin(&0));
    let idle = spawn(move || {
        reader.rest();
        reader
    });
    publish(&table, 0, 3);
    let mut reader = idle.join().unwrap();
    assert_eq!(dropped.load(Relaxed), 1);
    assert_eq!(value(&mut reader, 0), (3, 3));
}

/// Who finds that every message of an epoch has ended finds what the drops of its plans did; so
/// does who finds that the epoch is gone.
fn end_tells_of_the_drop() {
    let table = table();
    let plan = Plan::new(10);
    let payload = Arc::clone(&plan.payload);
    table.publish(&set(0, plan)).unwrap();
    let mut reader = table.reader();
    let pin = reader.pin(&0).unwrap();
    publish(&table, 0, 3);
    reader.rest();
    let message = spawn(move || drop(pin));
    let epochs = table.epochs();
    if epochs.iter().all(|epoch| epoch.live() == 0) {
        assert_eq!(payload.read(), 0);
    }
    message.join().unwrap();
    assert_eq!(table.epochs().len(), 1);
    drop(reader);
}

/// A reader that comes while an epoch is published: what it pins is in the books, on its epoch,
/// until it is dropped, and counted in all.
fn arrival_racing_publish() {
    let table = table();
    let message = spawn({
        let table = table.clone();
        move || table.reader().pin(&0).unwrap()
    });
    publish(&table, 0, 2);
    let _ = table.epochs();
    let pin = message.join().unwrap();
    let live: Vec<_> =
        table.epochs().iter().map(|epoch| (epoch.epoch.number, epoch.live())).collect();
    let expected = if pin.epoch().number == 1 { vec![(1, 1), (2, 0)] } else { vec![(2, 1)] };
    assert_eq!(live, expected);
    drop(pin);
    assert_eq!(table.epochs().len(), 1);
    assert_eq!(table.counters().served, 1);
}

/// A task that subscribes while an epoch is published is told of it or woken, not both; behind a
/// wake it finds the epoch.
fn subscribe_racing_publish() {
    let table = table();
    let (mut watch, task) = (table.watch(), Task::new());
    let writer = spawn({
        let table = table.clone();
        move || {
            publish(&table, 0, 2);
        }
    });
    let mut told = poll(&mut watch, &task);
    if told == Some(1) {
        told = poll(&mut watch, &task);
    }
    writer.join().unwrap();
    if told.is_none() {
        assert!(task.take_woken(), "the wake was lost");
        told = poll(&mut watch, &task);
    }
    assert_eq!(told, Some(2));
    assert!(task.wakes() <= 1);
    assert_eq!(poll(&mut watch, &task), None, "told twice");
    drop(watch);
    assert_eq!(task.wakers(), 0);
}

/// Two that wait are both woken, each once; who does not come back is not woken again.
fn two_subscribers() {
    let table = table();
    let tasks = [Task::new(), Task::new()];
    let mut first = table.watch();
    assert_eq!(poll(&mut first, &tasks[0]), Some(1));
    assert_eq!(poll(&mut first, &tasks[0]), None);
    let second = spawn({
        let (table, task) = (table.clone(), tasks[1].clone());
        move || {
            let mut watch = table.watch();
            let told = poll(&mut watch, &task);
            (told == Some(2) || poll(&mut watch, &task) == Some(2), watch)
        }
    });
    publish(&table, 0, 2);
    assert_eq!(tasks[0].wakes(), 1);
    let (knows, mut watch) = second.join().unwrap();
    assert!(knows || tasks[1].take_woken(), "the wake was lost");
    assert_eq!(poll(&mut watch, &tasks[1]), if knows { None } else { Some(2) });
    publish(&table, 0, 3);
    assert_eq!(tasks[0].wakes(), 1, "two wakes for one registration");
    assert_eq!(poll(&mut first, &tasks[0]), Some(3));
}

/// A subscription that ends while an epoch is published: woken once at most, by no later publish,
/// and its waker is let go; the one beside it is woken.
fn unsubscribe_racing_publish() {
    let table = table();
    let tasks = [Task::new(), Task::new()];
    let mut watches = [table.watch(), table.watch()];
    for (watch, task) in watches.iter_mut().zip(&tasks) {
        assert_eq!(poll(watch, task), Some(1));
        assert_eq!(poll(watch, task), None);
    }
    let [leaver, mut stayer] = watches;
    let writer = spawn({
        let table = table.clone();
        move || {
            publish(&table, 0, 2);
        }
    });
    drop(leaver);
    writer.join().unwrap();
    let woken = tasks[0].wakes();
    assert!(woken <= 1);
    assert_eq!(tasks[0].wakers(), 0);
    assert_eq!(tasks[1].wakes(), 1);
    assert_eq!(poll(&mut stayer, &tasks[1]), Some(2));
    publish(&table, 0, 3);
    assert_eq!(tasks[0].wakes(), woken, "a wake for who has gone");
}

/// A task that comes back with another waker while an epoch is published: the newest waker is
/// woken, or the epoch is told.
fn fresh_waker_racing_publish() {
    let table = table();
    let (old, new) = (Task::new(), Task::new());
    let mut watch = table.watch();
    assert_eq!(poll(&mut watch, &old), Some(1));
    assert_eq!(poll(&mut watch, &old), None);
    let writer = spawn({
        let table = table.clone();
        move || {
            publish(&table, 0, 2);
        }
    });
    let told = poll(&mut watch, &new);
    writer.join().unwrap();
    assert!(told == Some(2) || new.take_woken(), "the wake was lost");
    assert!(old.wakes() + new.wakes() <= 2);
    drop(watch);
    assert_eq!((old.wakers(), new.wakers()), (0, 0));
}

/// A plan whose drop asks the table that it was in.
struct Asks(Option<Table<u8, Asks>>);

impl Drop for Asks {
    fn drop(&mut self) {
        if let Some(table) = self.0.take() {
            let _ = (table.snapshot(), table.epochs(), table.reader().pin(&0));
        }
    }
}

/// Plans that ask the table when they are dropped: by a publish, by a reader that moves on, by the
/// end of a message. No lock is held.
fn drop_looks_up_inline() {
    let table = Table::new(0);
    let publish = |table: &Table<u8, Asks>, asks| {
        let mut changes = Changes::new();
        changes.set(0, Entry::ready(Asks(asks)));
        table.publish(&changes).unwrap();
    };
    publish(&table, Some(table.clone()));
    let mut reader = table.reader();
    drop(reader.pin(&0));
    let message = spawn(move || drop(reader.pin(&0)));
    publish(&table, None);
    message.join().unwrap();
}

/// A waker that looks up and subscribes where it is called: no lock is held.
fn waker_looks_up_inline() {
    let table = table();
    let mut watch = table.watch();
    let seen = Arc::new(AtomicUsize::new(0));
    assert!(Hook::new(|| ()).poll(|cx| watch.poll_changed(cx)).is_ready());
    let hook = Hook::new({
        let (table, seen) = (table.clone(), Arc::clone(&seen));
        move || {
            let pin = table.reader().pin(&0).unwrap();
            seen.fetch_max(pin.epoch().number as usize, Relaxed);
            let _ = (table.epochs(), table.watch(), table.snapshot());
        }
    });
    assert!(hook.poll(|cx| watch.poll_changed(cx)).is_pending());
    let writer = spawn({
        let table = table.clone();
        move || {
            publish(&table, 0, 2);
        }
    });
    drop(watch);
    writer.join().unwrap();
    // Called when it is woken, and when it is dropped.
    assert!(seen.load(Relaxed) >= 1);
}

/// A waker that panics takes neither the publish nor the other wake with it.
fn panicking_waker() {
    let table = table();
    let task = Task::new();
    let [mut first, mut second] = [table.watch(), table.watch()];
    for _ in 0..2 {
        let _ = Fuse::Wake.lend(|waker| first.poll_changed(&mut Context::from_waker(waker)));
    }
    let writer = spawn({
        let table = table.clone();
        move || {
            assert!(!panics(|| {
                publish(&table, 0, 2);
            }));
        }
    });
    let told = [poll(&mut second, &task), poll(&mut second, &task)];
    writer.join().unwrap();
    let is_told = told.contains(&Some(2));
    assert!(is_told || task.take_woken(), "the wake was lost");
    assert_eq!(poll(&mut second, &task), if is_told { None } else { Some(2) });
}
