//! Specs to plans: what is wanted, which extensions are down, and what a table serves of it.
//!
//! This module never builds with a lock held, and never reads a clock: time is given.

mod build;
mod build_error;
mod built;
mod cause;
mod change;
mod evaluate;
mod exempt_key;
mod extensions;
mod keyed;
mod mode;
mod report;
mod retries;

use core::fmt;
use core::hash::Hash;
use core::mem::replace;
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, btree_map};

pub use build::Build;
pub use build_error::BuildError;
pub use built::Built;
pub use cause::Cause;
pub use change::Change;
pub use exempt_key::ExemptKey;
pub use extensions::Extensions;
pub use mode::Mode;
pub use report::Report;

use super::{Changes, Entry, Fault, PublishError, Table};
use crate::limits;
use crate::sync::ConstArc as Arc;
use crate::unwind::{drop_contained, drop_each_contained};
use evaluate::{Evaluated, evaluate};
use keyed::Keyed;

/// Keeps a [`Table`] as its specs and extensions say.
///
/// Edits ([`set`](Self::set), [`remove`](Self::remove)) and news of extensions
/// ([`extension_down`](Self::extension_down), [`extension_up`](Self::extension_up)) are collected;
/// [`publish`](Self::publish) builds what they concern and swaps the table once. What counts is
/// what is wanted then: an edit that another one follows is never built.
///
/// # What a key serves
///
/// | its last edit | its last good plan | it serves |
/// |---|---|---|
/// | builds, all it uses is up | – | the new plan |
/// | builds without fail-open filters whose extension is down | – | that plan, marked with their names |
/// | uses an extension that is down, fail-closed | any | a failure, until the extension is up: then it is built again, with no edit (G8) |
/// | faulty, or its build panics | uses only what is up | the last good plan, marked stale since the first faulty edit behind it (G3) |
/// | faulty | uses what is down, fail-closed | a failure, until the extension is up; then the last good plan, stale |
/// | faulty | uses what is down, fail-open | its spec built again without those filters, stale and marked |
/// | faulty | none | a failure, until an edit that builds |
///
/// So where a faulty edit and an extension that is down meet, fail-closed wins: a plan that needs a
/// filter never serves without it, however good it was. An edit that needs an extension that is
/// down is not faulty: who asks for a fail-closed filter is not served by the plan before it. And
/// none of this concerns another key (G9), except that an extension is up or down for all.
///
/// When an extension goes down or comes up, the keys that use it are built again. A last good plan
/// is then built anew from its spec; if that fails for a reason of the spec, the old plan goes on
/// as long as all it uses is up.
///
/// # Extensions that only a build finds down
///
/// They are down for all keys, as if told, and are retried: [`retry_at`](Self::retry_at) says when,
/// [`poll`](Self::poll) does it. A retry builds the keys that mention the extension; it changes
/// nothing until none of them finds it down. Waits double from [`limits::FIRST_RETRY_MILLIS`] to
/// [`limits::LONGEST_RETRY_MILLIS`], also across an extension that is up for less than the latter.
/// An extension that was told down stays so until it is told up.
///
/// # Exempt keys
///
/// Keys of the infrastructure (health, readiness, admin) are given finished plans
/// ([`set_exempt`](Self::set_exempt)): there is no build that could fail, and no extension that
/// could take them away (G9).
///
/// [`limits::FIRST_RETRY_MILLIS`]: crate::limits::FIRST_RETRY_MILLIS
/// [`limits::LONGEST_RETRY_MILLIS`]: crate::limits::LONGEST_RETRY_MILLIS
pub struct Controller<K, S, B: Build<K, S>> {
    builder: B,
    table: Table<K, B::Plan>,
    keys: BTreeMap<K, Keyed<S, B::Plan>>,
    exempt: BTreeSet<K>,
    extensions: Extensions,
    /// Since the last publish.
    edits: BTreeMap<K, Edit<S, B::Plan>>,
    /// Extensions that have gone down or come up since the last publish.
    news: BTreeSet<Arc<str>>,
    /// What the table does not have yet.
    outgoing: BTreeMap<K, Outgoing<B::Plan>>,
    /// When to try again what the table has refused.
    republish_at: Option<Duration>,
}

/// What becomes of a key: an entry, or none.
struct Outgoing<P> {
    cause: Cause,
    entry: Option<Entry<P>>,
}

/// How long what the table has refused waits.
const REPUBLISH_AFTER: Duration = Duration::from_millis(limits::FIRST_RETRY_MILLIS);

/// What is to become of a key.
enum Edit<S, P> {
    Set(S),
    Exempt(P),
    Remove,
}

/// What one publish has still to build, and why, and what it has found.
struct Round<K, S, P> {
    to_build: BTreeMap<K, Cause>,
    /// What was known of those that were built already, before. Who is built a second time starts
    /// from there: what nobody has seen served is no last good plan.
    before: BTreeMap<K, Keyed<S, P>>,
    faults: BTreeMap<K, Fault>,
}

impl<K: Clone + Ord + Hash, S: PartialEq, B: Build<K, S>> Controller<K, S, B> {
    /// A controller of `table`, which should be empty: what is in it stays until its key is set.
    #[must_use]
    pub fn new(table: Table<K, B::Plan>, builder: B) -> Self {
        Self {
            builder,
            table,
            keys: BTreeMap::new(),
            exempt: BTreeSet::new(),
            extensions: Extensions::default(),
            edits: BTreeMap::new(),
            news: BTreeSet::new(),
            outgoing: BTreeMap::new(),
            republish_at: None,
        }
    }

    /// Wants `key` to be as `spec` says, from the next publish on. The same spec again builds
    /// nothing, unless the last build of it has failed.
    ///
    /// # Errors
    ///
    /// [`ExemptKey`], if the key is exempt.
    pub fn set(&mut self, key: K, spec: S) -> Result<(), ExemptKey> {
        self.edit(key, Edit::Set(spec))
    }

    /// Wants no entry under `key`, from the next publish on. Its last good plan is forgotten then.
    ///
    /// # Errors
    ///
    /// [`ExemptKey`], if the key is exempt.
    pub fn remove(&mut self, key: K) -> Result<(), ExemptKey> {
        self.edit(key, Edit::Remove)
    }

    fn edit(&mut self, key: K, edit: Edit<S, B::Plan>) -> Result<(), ExemptKey> {
        if self.exempt.contains(&key) {
            drop_contained((key, edit));
            return Err(ExemptKey);
        }
        drop_contained(self.edits.insert(key, edit));
        Ok(())
    }

    /// Puts `plan` under `key` from the next publish on, and makes the key exempt now: it has no
    /// spec and uses no extension, and specs for it are refused. An entry that it has by a spec is
    /// replaced.
    pub fn set_exempt(&mut self, key: K, plan: B::Plan) {
        self.exempt.insert(key.clone());
        drop_contained(self.edits.insert(key, Edit::Exempt(plan)));
    }

    /// Wants no entry under `key` any more, from the next publish on, if it is exempt; it may be
    /// set again. Answers whether it was.
    pub fn remove_exempt(&mut self, key: &K) -> bool {
        let Some(key) = self.exempt.take(key) else { return false };
        drop_contained(self.edits.insert(key, Edit::Remove));
        true
    }

    /// Takes the extension called `name` for down from the next publish on, until it is told up.
    pub fn extension_down(&mut self, name: impl Into<Arc<str>>, error: impl Into<Arc<str>>) {
        let name = name.into();
        if self.extensions.tell_down(Arc::clone(&name), error.into()) {
            self.news.insert(name);
        }
    }

    /// Takes the extension called `name` for up from the next publish on.
    pub fn extension_up(&mut self, name: &str) {
        if self.extensions.tell_up(name) {
            self.news.insert(name.into());
        }
    }

    /// Which extensions are down.
    #[must_use]
    pub const fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// What is published.
    #[must_use]
    pub const fn table(&self) -> &Table<K, B::Plan> {
        &self.table
    }

    /// When [`poll`](Self::poll) has something to do: the first retry of an extension that a build
    /// has found down, or of a publish that the table has refused.
    #[must_use]
    pub fn retry_at(&self) -> Option<Duration> {
        self.extensions.retry_at().into_iter().chain(self.republish_at).min()
    }

    /// Publishes, if a retry is due: also what was edited since the last publish.
    pub fn poll(&mut self, now: Duration) -> Option<Report<K>> {
        (self.retry_at()? <= now).then(|| self.publish(now))
    }

    /// Builds what edits and extensions concern, and swaps the table once, if something has
    /// changed. `now` is a time since any start, always the same one; retries that are due are
    /// made.
    ///
    /// Takes as long as the builds take; readers go on meanwhile. A key that cannot be built stops
    /// no other.
    pub fn publish(&mut self, now: Duration) -> Report<K> {
        let mut round =
            Round { to_build: BTreeMap::new(), before: BTreeMap::new(), faults: BTreeMap::new() };
        self.take_edits(&mut round);
        for name in core::mem::take(&mut self.news) {
            self.outdate(&name, &mut round);
        }
        self.retry(&mut round, now);
        while let Some((key, cause)) = round.to_build.pop_first() {
            let Some(known) = self.keys.get(&key) else { continue };
            let keyed = round.before.get(&key).unwrap_or(known);
            let evaluated = evaluate(&mut self.builder, &self.extensions, &key, keyed, now);
            self.commit(key, cause, evaluated, &mut round, now);
        }
        let (changes, refused) = self.swap();
        self.republish_at = refused.map(|_| now.saturating_add(REPUBLISH_AFTER));
        drop_each_contained(round.before.into_values());
        let faults = round.faults.into_iter().collect();
        Report { epoch: self.table.epoch(), changes, faults, refused }
    }

    /// Gives the table what it does not have.
    fn swap(&mut self) -> (Vec<Change<K>>, Option<PublishError>) {
        let snapshot = self.table.snapshot();
        self.outgoing
            .retain(|key, outgoing| !same_entry(snapshot.get(key), outgoing.entry.as_ref()));
        drop(snapshot);
        if self.outgoing.is_empty() {
            return (Vec::new(), None);
        }
        let mut changes = Changes::new();
        for (key, outgoing) in &self.outgoing {
            match &outgoing.entry {
                Some(entry) => changes.set(key.clone(), entry.clone()),
                None => changes.remove(key.clone()),
            };
        }
        if let Err(refused) = self.table.publish(&changes) {
            return (Vec::new(), Some(refused));
        }
        let told = core::mem::take(&mut self.outgoing).into_iter().map(|(key, outgoing)| {
            let mode = mode(outgoing.entry.as_ref());
            Change { key, cause: outgoing.cause, mode }
        });
        (told.collect(), None)
    }

    /// Takes what was edited.
    fn take_edits(&mut self, round: &mut Round<K, S, B::Plan>) {
        for (key, edit) in core::mem::take(&mut self.edits) {
            let entry = match edit {
                Edit::Set(spec) => {
                    if let Some(key) = self.want(key, spec) {
                        round.to_build.insert(key, Cause::Edit);
                    }
                    continue;
                }
                Edit::Exempt(plan) => Some(Entry::ready(plan)),
                Edit::Remove => None,
            };
            drop_contained(self.keys.remove(&key));
            self.outgoing.insert(key, Outgoing { cause: Cause::Edit, entry });
        }
    }

    /// Answers the key, if there is something to build.
    fn want(&mut self, key: K, spec: S) -> Option<K> {
        match self.keys.get_mut(&key) {
            Some(keyed) if keyed.serves(&spec) => {
                drop_contained(spec);
                return None;
            }
            Some(keyed) => drop_contained(replace(&mut keyed.wanted, Arc::new(spec))),
            None => _ = self.keys.insert(key.clone(), Keyed::new(Arc::new(spec))),
        }
        Some(key)
    }

    /// An extension has gone down or come up: who uses it is to be built.
    fn outdate(&mut self, name: &Arc<str>, round: &mut Round<K, S, B::Plan>) {
        for (key, keyed) in &mut self.keys {
            if keyed.mentions(name) {
                keyed.outdate(name);
                let cause = || Cause::Extension(Arc::clone(name));
                round.to_build.entry(key.clone()).or_insert_with(cause);
            }
        }
        for keyed in round.before.values_mut() {
            keyed.outdate(name);
        }
    }

    /// Takes what came of a key, and whom its builds have found down.
    fn commit(
        &mut self,
        key: K,
        cause: Cause,
        evaluated: Evaluated<S, B::Plan>,
        round: &mut Round<K, S, B::Plan>,
        now: Duration,
    ) {
        let Evaluated { mut keyed, found_down, fault } = evaluated;
        // What others find out is news to this key; what it has found out itself is not.
        let queued = round.to_build.remove(&key);
        for (name, error) in found_down {
            if self.extensions.is_up(&name) {
                self.extensions.find_down(Arc::clone(&name), error, now);
                self.outdate(&name, round);
                keyed.outdate_unless_built(&name);
            }
        }
        round.to_build.remove(&key);
        round.to_build.extend(queued.map(|cause| (key.clone(), cause)));
        match fault {
            Some(error) => _ = round.faults.insert(key.clone(), error),
            None => _ = round.faults.remove(&key),
        }
        let entry = keyed.entry();
        match self.outgoing.get_mut(&key) {
            // The first cause counts.
            Some(outgoing) => outgoing.entry = entry,
            None => _ = self.outgoing.insert(key.clone(), Outgoing { cause, entry }),
        }
        if let Some(known) = self.keys.insert(key.clone(), keyed) {
            match round.before.entry(key) {
                btree_map::Entry::Vacant(place) => _ = place.insert(known),
                btree_map::Entry::Occupied(_) => drop_contained(known),
            }
        }
    }
}

fn mode<P>(entry: Option<&Entry<P>>) -> Mode {
    match entry {
        None => Mode::Removed,
        Some(Entry::Failed(_)) => Mode::Failed,
        Some(Entry::Ready(ready)) if ready.stale().is_some() => Mode::Stale,
        Some(Entry::Ready(ready)) if ready.is_degraded() => Mode::Degraded,
        Some(Entry::Ready(_)) => Mode::Current,
    }
}

fn same_entry<P>(a: Option<&Entry<P>>, b: Option<&Entry<P>>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(Entry::Failed(a)), Some(Entry::Failed(b))) => same_fault(Some(a), Some(b)),
        (Some(Entry::Ready(a)), Some(Entry::Ready(b))) => {
            let same_faults = same_fault(a.stale(), b.stale());
            a.is_same_plan(b) && same_faults && a.dropped().eq(b.dropped())
        }
        _ => false,
    }
}

/// All faults here are errors of this module, which say all that they are.
fn same_fault(a: Option<&Fault>, b: Option<&Fault>) -> bool {
    let told = |fault: &Fault| (fault.since(), fault.error().to_string());
    a.map(told) == b.map(told)
}

impl<K: fmt::Debug, S, B: Build<K, S>> fmt::Debug for Controller<K, S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Controller")
            .field("keys", &self.keys.keys())
            .field("exempt", &self.exempt)
            .field("edits", &self.edits.keys())
            .field("extensions", &self.extensions)
            .finish_non_exhaustive()
    }
}
