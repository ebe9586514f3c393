//! Sessions and copies, step by step: who is told what, and when.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use tidegate::limits::MAX_SUBSCRIBED_KEYS;
use tidegate::table::delta::{
    Agreement, Applied, Delta, Lookup, Mark, Receipt, Replica, Scope, Session, SessionId, Value,
};
use tidegate::table::{Changes, Entry, Epoch, Table};

type Key = &'static str;
type Numbers = Table<Key, u32>;

fn set(table: &Numbers, entries: &[(Key, u32)]) -> Epoch {
    let mut changes = Changes::new();
    for &(key, plan) in entries {
        changes.set(key, Entry::ready(plan));
    }
    table.publish(&changes).unwrap()
}

fn remove(table: &Numbers, key: Key) {
    let mut changes = Changes::new();
    changes.remove(key);
    table.publish(&changes).unwrap();
}

/// A consumer that is subscribed to `keys` and has heard nothing.
fn consumer(table: &Numbers, keys: &[Key]) -> (Replica<Key, u32>, Session<Key, u32>) {
    let mut replica = Replica::new(1, Scope::Subscribed);
    for key in keys {
        replica.subscribe(*key);
    }
    let session = Session::open(table, replica.hello()).unwrap();
    (replica, session)
}

/// What the session says reaches the copy, and the answer comes back. Answers what it said.
fn exchange(replica: &mut Replica<Key, u32>, session: &mut Session<Key, u32>) -> String {
    let Some(delta) = session.next_delta() else { return String::new() };
    let (said, receipt) = (said(&delta), delta.receipt);
    assert_eq!(replica.apply(delta), Applied::Applied);
    assert!(session.ack(receipt));
    said
}

/// `from-to: key=plan, key=none`.
fn said(delta: &Delta<Key, u32>) -> String {
    let from = match delta.from {
        None => "any".to_owned(),
        Some(from) => from.number.to_string(),
    };
    let change = |(key, value): &(Key, Value<u32>)| match value {
        Value::Absent => format!(" {key}=none"),
        Value::Present { entry, .. } => format!(" {key}={}", entry.plan().unwrap()),
    };
    let changes: String = delta.changes.iter().map(change).collect();
    format!("{from}-{}:{changes}", delta.to.number)
}

fn holds(replica: &Replica<Key, u32>, key: Key) -> Option<u32> {
    match replica.get(&key) {
        Lookup::Present(entry) => Some(*entry.plan().unwrap()),
        Lookup::Absent => None,
        unknown @ (Lookup::Unanswered | Lookup::NotSubscribed) => panic!("{key}: {unknown:?}"),
    }
}

#[test]
fn g1_a_subscription_is_answered_changed_or_not_there_or_not() {
    let table = Table::new(1);
    set(&table, &[("a", 1)]);
    let (mut replica, mut session) = consumer(&table, &["a", "none"]);
    assert!(matches!(replica.get(&"a"), Lookup::Unanswered));
    assert!(matches!(replica.get(&"b"), Lookup::NotSubscribed));
    assert_eq!(exchange(&mut replica, &mut session), "any-1: a=1 none=none");
    assert_eq!((holds(&replica, "a"), holds(&replica, "none")), (Some(1), None));
    assert_eq!(exchange(&mut replica, &mut session), "");
    // Dropped and asked for again: nothing has changed, and it is answered.
    replica.unsubscribe(&"a");
    assert!(session.unsubscribe(&"a"));
    replica.subscribe("a");
    session.subscribe("a").unwrap();
    assert_eq!(exchange(&mut replica, &mut session), "1-1: a=1");
    // Asked for again without being dropped: answered as well.
    session.subscribe("none").unwrap();
    assert_eq!(exchange(&mut replica, &mut session), "1-1: none=none");
}

#[test]
fn g1_an_acknowledgement_of_before_the_drop_says_nothing_of_the_key() {
    let table = Table::new(1);
    set(&table, &[("a", 1), ("b", 1)]);
    let (mut replica, mut session) = consumer(&table, &["a", "b"]);
    let delta = session.next_delta().unwrap();
    replica.unsubscribe(&"a");
    session.unsubscribe(&"a");
    replica.subscribe("a");
    session.subscribe("a").unwrap();
    let receipt = delta.receipt;
    assert_eq!(replica.apply(delta), Applied::Applied);
    assert!(session.ack(receipt));
    assert_eq!(exchange(&mut replica, &mut session), "1-1: a=1");
}

#[test]
fn g4_a_slow_consumer_hears_the_newest_of_each_key_once() {
    let table = Table::new(1);
    let (mut replica, mut session) = consumer(&table, &["a", "b", "c"]);
    set(&table, &[("a", 1), ("b", 1)]);
    let first = session.next_delta().unwrap();
    assert_eq!(said(&first), "any-1: a=1 b=1 c=none");
    for plan in 2..100 {
        set(&table, &[("a", plan)]);
    }
    assert!(session.next_delta().is_none(), "one at a time");
    let receipt = first.receipt;
    assert_eq!(replica.apply(first), Applied::Applied);
    assert!(session.ack(receipt));
    assert_eq!(exchange(&mut replica, &mut session), "1-99: a=99");
    assert_eq!(exchange(&mut replica, &mut session), "");
}

#[test]
fn g7_what_comes_twice_or_late_changes_nothing() {
    let table = Table::new(1);
    set(&table, &[("a", 1)]);
    let (mut replica, mut session) = consumer(&table, &["a"]);
    let first = session.next_delta().unwrap();
    set(&table, &[("a", 2)]);
    let second = session.resend().unwrap();
    assert_eq!(said(&second), "any-2: a=2");
    let (late, twice) = (first.clone(), second.clone());
    assert!(!session.ack(first.receipt), "another one was made since");
    assert_eq!(replica.apply(second), Applied::Applied);
    assert_eq!(replica.apply(late), Applied::Duplicate);
    assert_eq!(replica.apply(twice.clone()), Applied::Duplicate);
    assert_eq!(holds(&replica, "a"), Some(2));
    assert!(session.ack(twice.receipt));
    assert!(!session.ack(twice.receipt));
    assert!(session.resend().is_none());
}

#[test]
fn a_delta_fits_a_copy_whose_acknowledgement_was_lost() {
    let table = Table::new(1);
    set(&table, &[("a", 1), ("b", 1)]);
    let (mut replica, mut session) = consumer(&table, &["a", "b"]);
    exchange(&mut replica, &mut session);
    set(&table, &[("b", 2)]);
    assert_eq!(replica.apply(session.next_delta().unwrap()), Applied::Applied);
    // Its acknowledgement is lost, and `b` is back where it was acknowledged: not there.
    remove(&table, "b");
    let delta = session.resend().unwrap();
    assert_eq!(said(&delta), "1-3: b=none");
    let receipt = delta.receipt;
    assert_eq!(replica.apply(delta), Applied::Applied);
    assert!(session.ack(receipt));
    assert_eq!(holds(&replica, "b"), None);
    assert_eq!(session.check(&replica.digest()), Agreement::Same);
}

#[test]
fn what_is_in_doubt_is_said_again_though_it_is_as_acknowledged() {
    let table = Table::new(1);
    set(&table, &[("a", 1)]);
    let (mut replica, mut session) = consumer(&table, &["a", "b"]);
    assert_eq!(exchange(&mut replica, &mut session), "any-1: a=1 b=none");
    set(&table, &[("b", 2)]);
    assert_eq!(replica.apply(session.next_delta().unwrap()), Applied::Applied);
    remove(&table, "b");
    // Absent is what was acknowledged; what came since is not known to have come.
    let again = session.resend().unwrap();
    assert_eq!(said(&again), "1-3: b=none");
    assert_eq!(replica.apply(again), Applied::Applied);
    assert_eq!(holds(&replica, "b"), None);
}

#[test]
fn g4_who_is_not_where_a_delta_begins_needs_all_of_it() {
    let table = Table::new(1);
    set(&table, &[("a", 1)]);
    let (mut replica, mut session) = consumer(&table, &["a"]);
    let lost = session.next_delta().unwrap();
    assert!(session.ack(lost.receipt), "said to be applied, and it was not");
    set(&table, &[("a", 2)]);
    let delta = session.next_delta().unwrap();
    assert_eq!(replica.apply(delta), Applied::NeedsResync);
    assert!(matches!(replica.get(&"a"), Lookup::Unanswered));
    session.resync();
    assert_eq!(exchange(&mut replica, &mut session), "any-2: a=2");
}

#[test]
fn g4_a_delta_from_a_later_epoch_of_the_same_instance_does_not_fit() {
    let table = Table::new(1);
    set(&table, &[("a", 1), ("b", 1)]);
    let (mut replica, mut session) = consumer(&table, &["a", "b"]);
    exchange(&mut replica, &mut session);
    set(&table, &[("a", 2)]);
    let lost = session.next_delta().unwrap();
    assert!(session.ack(lost.receipt), "said to be applied, and it was not");
    set(&table, &[("b", 2)]);
    let delta = session.next_delta().unwrap();
    assert_eq!(said(&delta), "2-3: b=2");
    assert_eq!(replica.apply(delta), Applied::NeedsResync);
    assert_eq!((holds(&replica, "a"), holds(&replica, "b")), (Some(1), Some(1)));
}

#[test]
fn g4_a_delta_from_one_table_to_another_fits_nowhere() {
    // No session makes one; what comes off a wire may be anything.
    let table = Table::new(1);
    set(&table, &[("a", 1)]);
    let (mut replica, mut session) = consumer(&table, &["a"]);
    let epoch = |nonce| Epoch { nonce, number: 1 };
    exchange(&mut replica, &mut session);
    let pairs = [(epoch(1), epoch(2)), (epoch(2), epoch(1)), (epoch(2), epoch(2))];
    for (number, (from, to)) in (2..).zip(pairs) {
        let receipt = Receipt { session: SessionId { instance: 1, number: 1 }, number };
        let changes = vec![("a", Value::Absent)];
        let delta = Delta { receipt, from: Some(from), to, changes };
        assert_eq!(replica.apply(delta), Applied::NeedsResync, "{from} to {to}");
        assert_eq!((holds(&replica, "a"), replica.at()), (Some(1), Some(epoch(1))));
    }
}

#[test]
fn a_copy_says_whether_a_subscription_or_its_end_is_news() {
    let mut replica: Replica<Key, u32> = Replica::new(1, Scope::Subscribed);
    assert!(replica.subscribe("a"));
    assert!(!replica.subscribe("a"));
    assert!(replica.unsubscribe(&"a"));
    assert!(!replica.unsubscribe(&"a"));
}

#[test]
fn g7_what_a_full_delta_does_not_speak_of_is_forgotten() {
    let table = Table::new(1);
    set(&table, &[("a", 1), ("b", 1)]);
    for scope in [Scope::Subscribed, Scope::All] {
        let mut replica = Replica::new(1, scope);
        replica.subscribe("a");
        replica.subscribe("b");
        let mut session = Session::open(&table, replica.hello()).unwrap();
        exchange(&mut replica, &mut session);
        // The session does not get to know of one key, and the table is another one.
        let mut hello = replica.hello();
        hello.keys.retain(|(key, _)| *key != "b");
        let restarted = Table::new(2);
        set(&restarted, &[("a", 7)]);
        let mut session = Session::open(&restarted, hello).unwrap();
        assert_eq!(exchange(&mut replica, &mut session), "any-1: a=7");
        match (scope, replica.get(&"b")) {
            (Scope::Subscribed, Lookup::Unanswered) | (Scope::All, Lookup::Absent) => {}
            (_, held) => panic!("{scope:?}: {held:?}"),
        }
    }
}

#[test]
fn g4_epochs_of_another_instance_do_not_count() {
    let table = Table::new(1);
    set(&table, &[("a", 1), ("b", 1)]);
    let (mut replica, mut session) = consumer(&table, &["a", "b"]);
    exchange(&mut replica, &mut session);
    // A restart: the same numbers, and other values.
    let restarted = Table::new(2);
    set(&restarted, &[("a", 7)]);
    let late = {
        set(&table, &[("b", 2)]);
        session.next_delta().unwrap()
    };
    let mut session = Session::open(&restarted, replica.hello()).unwrap();
    assert_eq!(holds(&replica, "b"), Some(1), "what is held stays until it is replaced");
    assert_eq!(replica.apply(late), Applied::Duplicate);
    assert_eq!(exchange(&mut replica, &mut session), "any-1: a=7 b=none");
    assert_eq!(replica.at(), Some(restarted.epoch()));
}

#[test]
fn a_new_session_goes_on_where_the_copy_is() {
    let table = Table::new(1);
    set(&table, &[("a", 1), ("b", 1)]);
    let (mut replica, mut session) = consumer(&table, &["a", "b"]);
    exchange(&mut replica, &mut session);
    set(&table, &[("b", 2)]);
    replica.subscribe("c");
    let hello = replica.hello();
    assert_eq!(hello.at, Some(Epoch { nonce: 1, number: 1 }));
    let entered = Some(Mark::Entered(1));
    assert_eq!(hello.keys, [("a", entered), ("b", entered), ("c", None)]);
    let mut session = Session::open(&table, hello).unwrap();
    assert_eq!(exchange(&mut replica, &mut session), "1-2: b=2 c=none");
    // What it says of an epoch that never was does not count.
    let mut hello = replica.hello();
    hello.at = Some(Epoch { nonce: 1, number: 9 });
    let mut session = Session::open(&table, hello).unwrap();
    assert_eq!(exchange(&mut replica, &mut session), "any-2: a=1 b=2 c=none");
}

#[test]
fn g10_what_was_rejected_is_said_again_only_with_something_new() {
    let table = Table::new(1);
    set(&table, &[("a", 1), ("b", 1)]);
    let (mut replica, mut session) = consumer(&table, &["a", "b"]);
    let (mut other, mut other_session) = consumer(&table, &["a", "b", "x"]);
    exchange(&mut replica, &mut session);
    exchange(&mut other, &mut other_session);
    let rejected = set(&table, &[("b", 2)]);
    let delta = session.next_delta().unwrap();
    assert!(session.nack(delta.receipt, "b is bad"));
    let rejection = session.rejection().unwrap();
    assert_eq!((rejection.epoch, &*rejection.reason), (rejected, "b is bad"));
    assert_eq!(session.check(&replica.digest()), Agreement::Unsettled);
    // It keeps what it has, and hears nothing of keys that are not its own; the other one does.
    set(&table, &[("x", 1)]);
    assert!(session.next_delta().is_none() && session.resend().is_none());
    assert_eq!((holds(&replica, "b"), session.at().unwrap().number), (Some(1), 1));
    assert_eq!(exchange(&mut other, &mut other_session), "1-3: b=2 x=1");
    set(&table, &[("a", 3)]);
    assert_eq!(exchange(&mut replica, &mut session), "1-4: a=3 b=2");
    assert!(session.rejection().is_none());
}

#[test]
fn g10_a_rejection_of_an_earlier_delta_is_ignored() {
    let table = Table::new(1);
    set(&table, &[("a", 1)]);
    let (mut replica, mut session) = consumer(&table, &["a"]);
    let earlier = session.next_delta().unwrap();
    let delta = session.resend().unwrap();
    assert!(!session.nack(earlier.receipt, "too slow"));
    assert!(session.rejection().is_none());
    let receipt = delta.receipt;
    assert_eq!(replica.apply(delta), Applied::Applied);
    assert!(session.ack(receipt));
    assert_eq!(session.check(&replica.digest()), Agreement::Same);
}

#[test]
fn g10_a_key_that_is_dropped_takes_its_rejection_along() {
    let table = Table::new(1);
    set(&table, &[("a", 1), ("b", 1)]);
    let (mut replica, mut session) = consumer(&table, &["a", "b"]);
    let delta = session.next_delta().unwrap();
    assert!(session.nack(delta.receipt, "b is bad"));
    assert!(!session.nack(delta.receipt, "twice"));
    replica.unsubscribe(&"b");
    session.unsubscribe(&"b");
    assert_eq!(exchange(&mut replica, &mut session), "any-1: a=1");
}

#[test]
fn g8_a_digest_finds_what_nobody_noticed() {
    let table = Table::new(1);
    set(&table, &[("a", 1), ("b", 1)]);
    let (mut replica, mut session) = consumer(&table, &["a", "b"]);
    assert_eq!(session.check(&replica.digest()), Agreement::Unsettled);
    exchange(&mut replica, &mut session);
    assert_eq!(session.check(&replica.digest()), Agreement::Same);
    // A forged delta takes a key away.
    let at = replica.at().unwrap();
    let session_id = replica.hello().session;
    let mut session = Session::open(&table, replica.hello()).unwrap();
    let session_id = SessionId { number: session_id.number + 1, ..session_id };
    let receipt = Receipt { session: session_id, number: 1 };
    let forged =
        Delta { receipt, from: Some(at), to: at, changes: vec![("a", Value::<u32>::Absent)] };
    assert_eq!(replica.apply(forged), Applied::Applied);
    assert!(session.next_delta().is_none());
    assert_eq!(session.check(&replica.digest()), Agreement::Diverged);
    let mut session = Session::open(&table, replica.hello_anew()).unwrap();
    assert_eq!(exchange(&mut replica, &mut session), "any-1: a=1 b=1");
    assert_eq!(session.check(&replica.digest()), Agreement::Same);
    // A subscription that got lost on its way is found, too.
    replica.subscribe("c");
    assert_eq!(session.check(&replica.digest()), Agreement::Diverged);
}

#[test]
fn a_comparison_says_nothing_while_a_delta_is_under_way() {
    let table = Table::new(1);
    set(&table, &[("a", 1)]);
    let (mut replica, mut session) = consumer(&table, &["a"]);
    exchange(&mut replica, &mut session);
    let before = replica.digest();
    assert_eq!(session.check(&before), Agreement::Same);
    set(&table, &[("a", 2)]);
    let delta = session.next_delta().unwrap();
    assert_eq!(session.check(&before), Agreement::Unsettled);
    let receipt = delta.receipt;
    assert_eq!(replica.apply(delta), Applied::Applied);
    assert_eq!(session.check(&replica.digest()), Agreement::Unsettled);
    assert!(session.ack(receipt));
    assert_eq!(session.check(&replica.digest()), Agreement::Same);
}

#[test]
fn g1_what_is_held_from_ahead_of_its_own_epoch_is_answered_anew() {
    let table = Table::new(1);
    set(&table, &[("a", 1)]);
    set(&table, &[("b", 1)]);
    let (mut replica, _) = consumer(&table, &["a"]);
    let mut hello = replica.hello();
    // It says that it is at epoch 1, and holds what came in with epoch 2.
    hello.at = Some(Epoch { nonce: 1, number: 1 });
    hello.keys = vec![("b", Some(Mark::Entered(2)))];
    let mut session = Session::open(&table, hello).unwrap();
    assert_eq!(said(&session.next_delta().unwrap()), "1-2: b=1");
}

#[test]
fn a_digest_is_the_same_on_every_machine() {
    let table: Table<(u64, String), u32> = Table::new(1);
    let mut replica: Replica<(u64, String), u32> = Replica::new(1, Scope::Subscribed);
    replica.subscribe((7, "route".to_owned()));
    let mut session = Session::open(&table, replica.hello()).unwrap();
    let delta = session.next_delta().unwrap();
    assert_eq!(replica.apply(delta), Applied::Applied);
    let digest = replica.digest();
    assert_eq!((digest.keys, digest.hash), (1, DIGEST));
}

/// FNV-1a of `7`, `route`, 0xff, the instance 1, the kind 1 (absent) and 0: each number of 64 bits,
/// but the kind.
const DIGEST: u64 = 15_389_408_524_723_302_364;

/// FNV-1a.
fn fnv(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

#[test]
fn a_digest_takes_numbers_of_every_width_with_the_low_byte_first() {
    type Wide = (u8, u16, u32, u64, u128, usize);
    let key: Wide = (0x01, 0x0102, 0x0102_0304, 5, 0x0102_0304_0506, 0x0708);
    let mut replica: Replica<Wide, u32> = Replica::new(1, Scope::Subscribed);
    replica.subscribe(key);
    let mut bytes = vec![1, 2, 1, 4, 3, 2, 1];
    bytes.extend(5_u64.to_le_bytes());
    bytes.extend(0x0102_0304_0506_u128.to_le_bytes());
    // As 64 bits, so that a machine of 32 agrees.
    bytes.extend(0x0708_u64.to_le_bytes());
    // Of no instance, not answered, nothing entered.
    bytes.extend([0; 8 + 1 + 8]);
    assert_eq!((replica.digest().keys, replica.digest().hash), (1, fnv(&bytes)));
}

#[test]
fn who_wants_all_hears_of_all_and_of_nothing() {
    let table = Table::new(1);
    let mut replica = Replica::new(1, Scope::All);
    let mut session = Session::open(&table, replica.hello()).unwrap();
    assert!(matches!(replica.get(&"a"), Lookup::Unanswered));
    assert_eq!(exchange(&mut replica, &mut session), "any-0:");
    assert_eq!(holds(&replica, "a"), None);
    set(&table, &[("a", 1), ("b", 1)]);
    assert_eq!(exchange(&mut replica, &mut session), "0-1: a=1 b=1");
    remove(&table, "a");
    set(&table, &[("c", 1)]);
    assert_eq!(exchange(&mut replica, &mut session), "1-3: a=none c=1");
    assert_eq!((holds(&replica, "a"), holds(&replica, "c")), (None, Some(1)));
    assert_eq!(session.check(&replica.digest()), Agreement::Same);
    assert_eq!(replica.iter().count(), 2);
    // What went while it was away.
    remove(&table, "b");
    let mut session = Session::open(&table, replica.hello()).unwrap();
    assert_eq!(exchange(&mut replica, &mut session), "3-4: b=none");
}

#[test]
fn a_session_has_room_for_so_many_keys() {
    let table: Table<usize, u32> = Table::new(1);
    let mut replica: Replica<usize, u32> = Replica::new(1, Scope::Subscribed);
    let mut session = Session::open(&table, replica.hello()).unwrap();
    for key in 0..MAX_SUBSCRIBED_KEYS {
        session.subscribe(key).unwrap();
        replica.subscribe(key);
    }
    assert!(session.subscribe(MAX_SUBSCRIBED_KEYS).is_err());
    session.subscribe(0).unwrap();
    assert!(Session::open(&table, replica.hello()).is_ok());
    replica.subscribe(MAX_SUBSCRIBED_KEYS);
    assert!(Session::open(&table, replica.hello()).is_err());
}

struct Wakes(AtomicU32);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_session_that_waits_is_woken_by_the_next_publish() {
    let table = Table::new(1);
    let (mut replica, mut session) = consumer(&table, &["a"]);
    exchange(&mut replica, &mut session);
    let wakes = Arc::new(Wakes(AtomicU32::new(0)));
    let waker = Waker::from(Arc::clone(&wakes));
    let mut cx = Context::from_waker(&waker);
    assert!(session.poll_delta(&mut cx).is_pending());
    // Of a key that does not concern it: woken, and it waits on.
    set(&table, &[("b", 1)]);
    assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
    assert!(session.poll_delta(&mut cx).is_pending());
    set(&table, &[("a", 1)]);
    assert_eq!(wakes.0.load(Ordering::Relaxed), 2);
    let Poll::Ready(delta) = session.poll_delta(&mut cx) else { panic!("nothing to say") };
    assert_eq!(said(&delta), "0-2: a=1");
    // Nothing more until it is answered; then what came meanwhile, without another wake.
    set(&table, &[("a", 2)]);
    assert!(session.poll_delta(&mut cx).is_pending());
    assert!(session.ack(delta.receipt));
    let Poll::Ready(delta) = session.poll_delta(&mut cx) else { panic!("nothing to say") };
    assert_eq!(said(&delta), "2-3: a=2");
}
