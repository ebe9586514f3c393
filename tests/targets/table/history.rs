//! One history: edits, faults, failures and recoveries of extensions, consumers with bad wires.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::time::Duration;

use tidegate::limits;
use tidegate::table::delta::{Applied, Scope};
use tidegate::table::{Controller, Entry, Epoch, Fault, Mode, Pin, Reader, Report, Table};

use super::super::choices::{Choices, Swarm};
use super::consumer::Consumer;
use super::model::{Edit, Expected, Model};
use super::ran::Ran;
use super::world::{Builder, EXTENSIONS, Extension, KEYS, Key, Kind, Plan, Spec, Use, name};

/// A history ends behind so many operations.
const MOST_OPERATIONS: usize = 160;

/// Less than any retry waits, so that all that goes by between two waits makes none due.
const STEP: Duration = Duration::from_millis(1);

const CONSUMERS: usize = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    Set,
    SetAgain,
    Remove,
    Exempt,
    RemoveExempt,
    Down,
    Up,
    Away,
    Back,
    Break,
    Publish,
    Wait,
    Restart,
    Pin,
    Unpin,
    Subscribe,
    Unsubscribe,
    Send,
    SendAgain,
    Deliver,
    Reject,
    Double,
    Lose,
    Hear,
    DoubleAnswer,
    LoseAnswer,
    Reconnect,
    Settle,
    Corrupt,
    Resync,
    Exchange,
}

/// What happens more often is in it more often.
const OPS: [Op; 56] = [
    Op::Exchange,
    Op::Exchange,
    Op::Subscribe,
    Op::Exchange,
    Op::Send,
    Op::Deliver,
    Op::Exchange,
    Op::Resync,
    Op::Set,
    Op::Publish,
    Op::Subscribe,
    Op::Send,
    Op::Deliver,
    Op::Hear,
    Op::Set,
    Op::SetAgain,
    Op::Publish,
    Op::Down,
    Op::Up,
    Op::Publish,
    Op::Away,
    Op::Back,
    Op::Wait,
    Op::Remove,
    Op::Publish,
    Op::Send,
    Op::Deliver,
    Op::Hear,
    Op::Unsubscribe,
    Op::Subscribe,
    Op::Send,
    Op::Deliver,
    Op::Hear,
    Op::Set,
    Op::Publish,
    Op::Double,
    Op::Lose,
    Op::Reject,
    Op::SendAgain,
    Op::DoubleAnswer,
    Op::LoseAnswer,
    Op::Reconnect,
    Op::Settle,
    Op::Corrupt,
    Op::Break,
    Op::Exempt,
    Op::RemoveExempt,
    Op::Restart,
    Op::Pin,
    Op::Unpin,
    Op::Send,
    Op::Deliver,
    Op::Hear,
    Op::Publish,
    Op::Set,
    Op::Publish,
];

/// What an entry is, to be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Actual {
    Ready { version: u32, without: Vec<String>, stale: Option<(Duration, String)> },
    Failed(Duration, String),
}

/// What the table was at each epoch: of each key the version and the entry.
#[derive(Default)]
pub(crate) struct Histories {
    epochs: BTreeMap<(u64, u64), BTreeMap<Key, (u64, Actual)>>,
}

impl Histories {
    pub(crate) fn of(entry: &Entry<Plan>) -> Actual {
        let told = |fault: &Fault| (fault.since(), fault.error().to_string());
        match entry {
            Entry::Ready(ready) => {
                let without: Vec<String> = ready.dropped().map(str::to_owned).collect();
                let plan = ready.plan();
                assert!(plan.without.iter().map(|&x| name(x)).eq(without.iter().cloned()));
                Actual::Ready { version: plan.version, without, stale: ready.stale().map(told) }
            }
            Entry::Failed(fault) => {
                let (since, error) = told(fault);
                Actual::Failed(since, error)
            }
        }
    }

    fn keep(&mut self, table: &Table<Key, Plan>) {
        let snapshot = table.snapshot();
        let entries = snapshot.iter().map(|(key, entry, at)| (*key, (at, Self::of(entry))));
        let epoch = snapshot.epoch();
        self.epochs.insert((epoch.nonce, epoch.number), entries.collect());
    }

    pub(crate) fn at(&self, epoch: Epoch) -> &BTreeMap<Key, (u64, Actual)> {
        self.epochs.get(&(epoch.nonce, epoch.number)).expect("an epoch that was published")
    }
}

fn is_as_expected(actual: &Actual, expected: &Expected) -> bool {
    match (actual, expected) {
        (
            Actual::Ready { version, without, stale },
            Expected::Ready { version: v, without: w, stale: s },
        ) => version == v && without.iter().cloned().eq(w.iter().map(|&x| name(x))) && stale == s,
        (Actual::Failed(since, error), Expected::Failed(s, e)) => {
            since == s && error.starts_with(e.as_str())
        }
        _ => false,
    }
}

type Ctrl = Controller<Key, Spec, Builder>;

struct World<'a> {
    controller: Ctrl,
    reader: Reader<Key, Plan>,
    builder: Builder,
    model: Model,
    exempt: BTreeSet<Key>,
    wanted: BTreeMap<Key, Spec>,
    now: Duration,
    version: u32,
    consumers: Vec<Consumer>,
    pins: Vec<(Pin<Key, Plan>, Actual)>,
    histories: Histories,
    most_epochs: usize,
    /// Keys whose new entries the table has refused.
    waiting: BTreeSet<Key>,
    ran: Ran,
    text: Option<&'a mut String>,
}

/// Plays the history that the choices describe. Panics where something is not as it should be.
pub(crate) fn play(choices: &[u8], text: Option<&mut String>) -> Ran {
    let mut choices = Choices::new(choices);
    let swarm = choices.swarm();
    let most_epochs = if choices.percent(20) { 3 } else { 1000 };
    let builder = Builder::default();
    let table = Table::with_max_live_epochs(1, most_epochs);
    let scopes = [Scope::Subscribed, Scope::Subscribed, Scope::All];
    let consumers = (0..CONSUMERS).map(|i| Consumer::new(&table, 100 + i as u64, scopes[i]));
    let mut world = World {
        consumers: consumers.collect(),
        reader: table.reader(),
        controller: Controller::new(table, builder.clone()),
        builder,
        model: Model::default(),
        exempt: BTreeSet::new(),
        wanted: BTreeMap::new(),
        now: Duration::from_secs(1),
        version: 0,
        pins: Vec::new(),
        histories: Histories::default(),
        most_epochs,
        waiting: BTreeSet::new(),
        ran: Ran::default(),
        text,
    };
    world.histories.keep(world.controller.table());
    for _ in 0..MOST_OPERATIONS {
        if choices.is_empty() {
            break;
        }
        world.step(swarm, &mut choices);
    }
    world.end();
    world.ran
}

impl World<'_> {
    fn note(&mut self, what: std::fmt::Arguments<'_>) {
        if let Some(text) = &mut self.text {
            writeln!(text, "{what}").expect("a string takes all");
        }
    }

    fn step(&mut self, swarm: Swarm, choices: &mut Choices<'_>) {
        let op = swarm.pick(&OPS, choices);
        let key = choices.below(KEYS.into()) as Key;
        let consumer = choices.below(CONSUMERS);
        self.note(format_args!("{op:?} key {key} consumer {consumer}"));
        match op {
            Op::Set | Op::SetAgain | Op::Remove | Op::Exempt | Op::RemoveExempt | Op::Break => {
                self.edit(op, key, choices);
            }
            Op::Down | Op::Up | Op::Away | Op::Back => {
                self.extension(op, key % EXTENSIONS);
            }
            Op::Publish => self.publish(false),
            Op::Wait => self.wait(),
            Op::Restart if choices.percent(25) => self.restart(),
            Op::Restart => {}
            Op::Pin => self.pin(key),
            Op::Unpin => drop(self.pins.pop()),
            Op::Subscribe
            | Op::Unsubscribe
            | Op::Send
            | Op::SendAgain
            | Op::Deliver
            | Op::Reject
            | Op::Double
            | Op::Lose
            | Op::Hear
            | Op::DoubleAnswer
            | Op::LoseAnswer
            | Op::Reconnect
            | Op::Settle
            | Op::Corrupt
            | Op::Resync
            | Op::Exchange => self.consume(op, key, consumer, choices),
        }
        for (pin, actual) in &self.pins {
            assert_eq!(&Histories::of(pin.entry()), actual, "a message sees another plan (G6)");
        }
    }

    fn spec(&mut self, choices: &mut Choices<'_>) -> Spec {
        self.version += 1;
        let uses = (0..choices.below(4)).map(|_| {
            let x = choices.below(EXTENSIONS.into()) as Extension;
            if choices.percent(40) { Use::Open(x) } else { Use::Closed(x) }
        });
        let uses = uses.collect();
        let kind = match choices.below(12) {
            0 | 1 => Kind::FaultyFirst,
            2 => Kind::FaultyLast,
            3 => Kind::Panics,
            4 => Kind::Careless,
            _ => Kind::Fine,
        };
        Spec { version: self.version, uses, kind }
    }

    fn edit(&mut self, op: Op, key: Key, choices: &mut Choices<'_>) {
        let spec = match (op, self.wanted.get(&key)) {
            (Op::Break, _) => {
                // What has built so far does no more.
                if let Some(spec) = self.wanted.get(&key) {
                    let version = spec.version;
                    self.builder.truth().broken.insert(version);
                }
                return;
            }
            (Op::SetAgain, Some(spec)) => spec.clone(),
            (Op::Set | Op::SetAgain, _) => self.spec(choices),
            (Op::Exempt, _) => {
                self.version += 1;
                let plan = Plan { version: self.version, without: BTreeSet::new() };
                self.model.edit(key, Edit::Exempt(self.version), &mut self.exempt);
                self.controller.set_exempt(key, plan);
                self.wanted.remove(&key);
                return;
            }
            (Op::RemoveExempt, _) => {
                let was_exempt = self.exempt.remove(&key);
                assert_eq!(self.controller.remove_exempt(&key), was_exempt);
                if was_exempt {
                    assert!(self.model.edit(key, Edit::Remove, &mut self.exempt));
                }
                return;
            }
            _ => {
                let taken = self.model.edit(key, Edit::Remove, &mut self.exempt);
                assert_eq!(self.controller.remove(key).is_ok(), taken);
                if taken {
                    self.wanted.remove(&key);
                }
                return;
            }
        };
        self.note(format_args!("  {spec:?}"));
        let taken = self.model.edit(key, Edit::Set(spec.clone()), &mut self.exempt);
        assert_eq!(self.controller.set(key, spec.clone()).is_ok(), taken);
        self.ran.refused_edits += u32::from(!taken);
        if taken {
            self.wanted.insert(key, spec);
        }
    }

    fn extension(&mut self, op: Op, x: Extension) {
        match op {
            Op::Down => {
                self.model.tell_down(x);
                self.controller.extension_down(name(x), "told");
            }
            Op::Up => {
                self.model.tell_up(x);
                self.controller.extension_up(&name(x));
            }
            Op::Away => _ = self.builder.truth().away.insert(x),
            _ => _ = self.builder.truth().away.remove(&x),
        }
    }

    /// So long that every retry is due.
    fn wait(&mut self) {
        self.now += Duration::from_millis(limits::LONGEST_RETRY_MILLIS);
        self.model.wait();
        let is_due = self.controller.retry_at().is_some_and(|at| at <= self.now);
        let has_retries = self.model.has_retries() || !self.waiting.is_empty();
        assert_eq!(is_due, has_retries, "a retry is forgotten, or made up");
        if is_due {
            self.ran.retried += 1;
            self.publish(true);
        }
    }

    fn publish(&mut self, by_poll: bool) {
        self.now += STEP;
        let truth = self.builder.truth().clone();
        let before = self.controller.table().snapshot();
        let evaluated = self.model.publish(self.now, &truth);
        let report = if by_poll {
            self.controller.poll(self.now).expect("a retry is due")
        } else {
            self.controller.publish(self.now)
        };
        self.note(format_args!("  {:?} {:?}", report.epoch, report.changes));
        self.waiting.extend(evaluated);
        let table = self.controller.table();
        let after = table.snapshot();
        assert_eq!(report.epoch, after.epoch());
        if report.refused.is_some() {
            assert!(self.most_epochs < 1000, "room for all epochs");
            assert_eq!(before.epoch(), after.epoch(), "refused, and an epoch");
            assert!(self.controller.retry_at().is_some(), "refused, and not tried again");
            self.ran.refused_publishes += 1;
            return;
        }
        let is_new = after.epoch() != before.epoch();
        assert_eq!(is_new, !report.changes.is_empty(), "an epoch exactly if something changes");
        assert!(!is_new || after.epoch().number == before.epoch().number + 1);
        if is_new {
            self.histories.keep(table);
        }
        self.compare(&report);
        let waiting = std::mem::take(&mut self.waiting);
        for change in &report.changes {
            assert!(waiting.contains(&change.key), "nothing concerns key {}", change.key);
            self.ran.count(change.mode);
        }
        self.ran.epochs += u32::from(is_new);
        for key in 0..KEYS {
            let told = report.changes.iter().any(|change| change.key == key);
            let changed = after.version(&key) != before.version(&key);
            assert_eq!(changed, told, "key {key}: the report and the table differ");
        }
    }

    /// The model and the table agree.
    fn compare(&self, report: &Report<Key>) {
        let expected = self.model.table();
        let snapshot = self.controller.table().snapshot();
        for key in 0..KEYS {
            let actual = snapshot.get(&key).map(Histories::of);
            let agree = match (&actual, expected.get(&key)) {
                (None, None) => true,
                (Some(actual), Some(expected)) => is_as_expected(actual, expected),
                (None, Some(_)) | (Some(_), None) => false,
            };
            assert!(agree, "key {key} is {actual:?}, not {:?}", expected.get(&key));
        }
        for change in &report.changes {
            let mode = match snapshot.get(&change.key).map(Histories::of) {
                None => Mode::Removed,
                Some(Actual::Failed(..)) => Mode::Failed,
                Some(Actual::Ready { stale: Some(_), .. }) => Mode::Stale,
                Some(Actual::Ready { without, .. }) if !without.is_empty() => Mode::Degraded,
                Some(Actual::Ready { .. }) => Mode::Current,
            };
            assert_eq!(change.mode, mode);
        }
    }

    /// The producer is started again: another instance, which is told all that is wanted. Nobody
    /// tells it which extensions are down.
    fn restart(&mut self) {
        let nonce = self.controller.table().epoch().nonce + 1;
        let table = Table::with_max_live_epochs(nonce, self.most_epochs);
        self.pins.clear();
        self.reader = table.reader();
        self.controller = Controller::new(table, self.builder.clone());
        self.model = Model::default();
        self.waiting.clear();
        self.exempt.clear();
        self.histories.keep(self.controller.table());
        for (key, spec) in self.wanted.clone() {
            assert!(self.model.edit(key, Edit::Set(spec.clone()), &mut self.exempt));
            self.controller.set(key, spec).expect("no key is exempt");
        }
        self.publish(false);
        for consumer in &mut self.consumers {
            consumer.reconnect(self.controller.table(), false);
        }
        self.ran.restarts += 1;
    }

    fn pin(&mut self, key: Key) {
        let snapshot = self.controller.table().snapshot();
        match (self.reader.pin(&key), snapshot.get(&key)) {
            (Ok(pin), Some(entry)) => self.pins.push((pin, Histories::of(entry))),
            (Err(_), None) => {}
            (pin, entry) => panic!("a reader sees {pin:?}, not {entry:?}"),
        }
    }

    fn consume(&mut self, op: Op, key: Key, consumer: usize, choices: &mut Choices<'_>) {
        let table = self.controller.table();
        let consumer = &mut self.consumers[consumer];
        let ran = &mut self.ran;
        let delta = choices.below(consumer.deltas.len());
        let answer = choices.below(consumer.answers.len());
        let (has_delta, has_answer) = (!consumer.deltas.is_empty(), !consumer.answers.is_empty());
        match op {
            Op::Subscribe => consumer.subscribe(key),
            Op::Unsubscribe => consumer.unsubscribe(key),
            Op::Send => _ = consumer.send(table),
            Op::SendAgain => _ = consumer.send_again(table),
            Op::Deliver if has_delta => match consumer.deliver(delta) {
                Applied::Applied => ran.applied += 1,
                Applied::Duplicate => ran.duplicates += 1,
                Applied::NeedsResync => ran.resyncs += 1,
            },
            Op::Reject if has_delta => consumer.reject(delta),
            Op::Double if has_delta => consumer.deltas.push(consumer.deltas[delta].clone()),
            Op::Lose if has_delta => drop(consumer.deltas.remove(delta)),
            Op::Hear if has_answer => {
                let is_heard = consumer.hear(answer);
                ran.ignored_answers += u32::from(!is_heard);
                ran.rejected += u32::from(is_heard && consumer.session.rejection().is_some());
            }
            Op::DoubleAnswer if has_answer => {
                consumer.answers.push(consumer.answers[answer].clone());
            }
            Op::LoseAnswer if has_answer => drop(consumer.answers.remove(answer)),
            Op::Reconnect => consumer.reconnect(table, key == 0),
            Op::Settle => consumer.settle(table),
            Op::Corrupt => ran.corrupted += u32::from(consumer.corrupt(key)),
            Op::Resync => consumer.resync(),
            Op::Exchange if consumer.send(table) => {
                let applied = consumer.deliver(consumer.deltas.len() - 1);
                ran.applied += u32::from(applied == Applied::Applied);
                ran.exchanged += u32::from(consumer.hear(consumer.answers.len() - 1));
            }
            _ => {}
        }
        consumer.look(&self.histories);
    }

    /// The faults are over and nothing is edited any more (G8): messages end, extensions answer,
    /// the wires are good.
    fn end(&mut self) {
        self.pins.clear();
        self.reader.rest();
        self.builder.truth().away.clear();
        for x in 0..EXTENSIONS {
            self.extension(Op::Up, x);
        }
        self.note(format_args!("end"));
        self.publish(false);
        self.wait();
        assert_eq!(self.controller.retry_at(), None, "still retrying");
        assert_eq!(self.controller.extensions().all_down().count(), 0);
        for consumer in &mut self.consumers {
            consumer.look(&self.histories);
            consumer.settle(self.controller.table());
            consumer.look(&self.histories);
        }
    }
}
