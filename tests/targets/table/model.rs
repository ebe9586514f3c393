//! The naive model of a controller: what each key is to serve, worked out from its edits and from
//! what is known of extensions. It shares no code with the controller, and keeps no plan.
//!
//! A publish looks at the keys that were edited, and at those that mention an extension which has
//! gone down or come up since. What their builds find out may concern more keys, and so on. When
//! nothing more is found out, each of them is worked out once, from where it was before.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::world::{Extension, Key, Kind, PANICKED, Spec, Truth, Use, faulty, name};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expected {
    Ready {
        version: u32,
        without: BTreeSet<Extension>,
        stale: Option<(Duration, String)>,
    },
    /// With how the error begins.
    Failed(Duration, String),
}

#[derive(Debug, Clone)]
pub(crate) enum Edit {
    Set(Spec),
    Exempt(u32),
    Remove,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Down {
    Told,
    /// By a build; with whether its retry is due.
    Found {
        due: bool,
    },
}

#[derive(Debug, Clone)]
struct One {
    wanted: Spec,
    good: Option<Good>,
    faulty_since: Option<Duration>,
    waits_for: BTreeSet<Extension>,
    expected: Option<Expected>,
}

#[derive(Debug, Clone)]
struct Good {
    spec: Spec,
    uses: BTreeSet<Extension>,
    without: BTreeSet<Extension>,
    is_outdated: bool,
}

#[derive(Debug, Default, Clone)]
pub(crate) struct Model {
    keys: BTreeMap<Key, One>,
    exempt: BTreeMap<Key, u32>,
    down: BTreeMap<Extension, Down>,
    edits: BTreeMap<Key, Edit>,
    news: BTreeSet<Extension>,
}

enum Attempt {
    Built(Good),
    /// With the extensions that it depends on.
    Blocked(BTreeSet<Extension>, String),
    Faulty(String),
}

impl Good {
    fn mentions(&self, x: Extension) -> bool {
        self.uses.contains(&x) || self.without.contains(&x)
    }
}

impl One {
    fn mentions(&self, x: Extension) -> bool {
        self.waits_for.contains(&x) || self.good.as_ref().is_some_and(|good| good.mentions(x))
    }

    fn mentions_any(&self, extensions: &BTreeSet<Extension>) -> bool {
        extensions.iter().any(|&x| self.mentions(x))
    }
}

impl Model {
    /// False: the key is exempt.
    pub(crate) fn edit(&mut self, key: Key, edit: Edit, exempt: &mut BTreeSet<Key>) -> bool {
        match edit {
            Edit::Exempt(_) => _ = exempt.insert(key),
            Edit::Set(_) | Edit::Remove if exempt.contains(&key) => return false,
            Edit::Set(_) | Edit::Remove => {}
        }
        self.edits.insert(key, edit);
        true
    }

    pub(crate) fn tell_down(&mut self, x: Extension) {
        if self.down.insert(x, Down::Told).is_none() {
            self.news.insert(x);
        }
    }

    pub(crate) fn tell_up(&mut self, x: Extension) {
        if self.down.remove(&x).is_some() {
            self.news.insert(x);
        }
    }

    /// So much time goes by that all retries are due.
    pub(crate) fn wait(&mut self) {
        for down in self.down.values_mut() {
            if let Down::Found { due } = down {
                *due = true;
            }
        }
    }

    pub(crate) fn has_retries(&self) -> bool {
        self.down.values().any(|down| *down != Down::Told)
    }

    /// What the table is to have.
    pub(crate) fn table(&self) -> BTreeMap<Key, Expected> {
        let ready = |version| Expected::Ready { version, without: BTreeSet::new(), stale: None };
        let exempt = self.exempt.iter().map(|(&key, &version)| (key, ready(version)));
        let keys = self.keys.iter();
        keys.filter_map(|(&key, one)| Some((key, one.expected.clone()?))).chain(exempt).collect()
    }

    /// Answers the keys that may have changed.
    pub(crate) fn publish(&mut self, now: Duration, truth: &Truth) -> BTreeSet<Key> {
        let mut changed = self.take_edits();
        let mut moved = std::mem::take(&mut self.news);
        let tried = self.due();
        // They may be built in vain.
        let ones = self.keys.iter().filter(|(_, one)| one.mentions_any(&tried));
        let mut may_change: BTreeSet<Key> = ones.map(|(key, _)| *key).collect();
        moved.extend(self.retry(&moved, truth));
        loop {
            for (&key, one) in &self.keys {
                if one.mentions_any(&moved) {
                    changed.insert(key);
                }
            }
            let found: BTreeSet<Extension> = changed
                .iter()
                .filter_map(|key| self.keys.get(key))
                .flat_map(|one| self.finds(one, &moved, truth))
                .filter(|x| !self.down.contains_key(x))
                .collect();
            if found.is_empty() {
                break;
            }
            self.down.extend(found.iter().map(|&x| (x, Down::Found { due: false })));
            moved.extend(found);
        }
        for one in self.keys.values_mut() {
            outdate(one, &moved);
        }
        for key in &changed {
            if let Some(one) = self.keys.get(key) {
                let worked_out = self.work_out(one, now, truth);
                self.keys.insert(*key, worked_out);
            }
        }
        may_change.extend(changed);
        may_change
    }

    /// Extensions whose retry is due.
    fn due(&self) -> BTreeSet<Extension> {
        let due = |down: &Down| *down == Down::Found { due: true };
        self.down.iter().filter(|(_, down)| due(down)).map(|(x, _)| *x).collect()
    }

    /// Answers the keys that are to be built, or have gone.
    fn take_edits(&mut self) -> BTreeSet<Key> {
        let mut changed = BTreeSet::new();
        for (key, edit) in std::mem::take(&mut self.edits) {
            let spec = match edit {
                Edit::Set(spec) => spec,
                Edit::Exempt(version) => {
                    self.keys.remove(&key);
                    self.exempt.insert(key, version);
                    changed.insert(key);
                    continue;
                }
                Edit::Remove => {
                    self.keys.remove(&key);
                    self.exempt.remove(&key);
                    changed.insert(key);
                    continue;
                }
            };
            self.exempt.remove(&key);
            let old = self.keys.remove(&key);
            let serves = |one: &One| {
                let fresh = matches!(one.expected, Some(Expected::Ready { stale: None, .. }));
                fresh && one.wanted == spec
            };
            if !old.as_ref().is_some_and(serves) {
                changed.insert(key);
            }
            let one = match old {
                Some(old) => One { wanted: spec, ..old },
                None => One {
                    wanted: spec,
                    good: None,
                    faulty_since: None,
                    waits_for: BTreeSet::new(),
                    expected: None,
                },
            };
            self.keys.insert(key, one);
        }
        changed
    }

    /// Answers which extensions are up again: of those whose retry is due, the ones that nobody
    /// who mentions one finds down.
    fn retry(&mut self, moved: &BTreeSet<Extension>, truth: &Truth) -> BTreeSet<Extension> {
        let mut back = self.due();
        while !back.is_empty() {
            let mut trial = self.clone();
            trial.down.retain(|x, _| !back.contains(x));
            let all_moved = moved.union(&back).copied().collect();
            let refuted = trial
                .keys
                .values()
                .filter(|one| one.mentions_any(&back))
                .flat_map(|one| trial.finds(one, &all_moved, truth))
                .find(|x| back.contains(x));
            // One at a time: who is tried next may not be tried by the same keys.
            let Some(x) = refuted else { break };
            back.remove(&x);
            self.down.insert(x, Down::Found { due: false });
        }
        self.down.retain(|x, _| !back.contains(x));
        back
    }

    /// Which extensions the builds of a key find down.
    fn finds(&self, one: &One, moved: &BTreeSet<Extension>, truth: &Truth) -> BTreeSet<Extension> {
        let mut found = BTreeSet::new();
        let attempt = self.attempt(&one.wanted, truth, &mut found);
        let mut outdated = one.clone();
        outdate(&mut outdated, moved);
        if let (Attempt::Faulty(_), Some(good)) = (attempt, &outdated.good)
            && (good.is_outdated || !self.all_up(good))
        {
            self.attempt(&good.spec, truth, &mut found);
        }
        found
    }

    fn all_up(&self, good: &Good) -> bool {
        good.uses.iter().all(|x| !self.down.contains_key(x))
    }

    fn work_out(&self, one: &One, now: Duration, truth: &Truth) -> One {
        let mut one = one.clone();
        let failed = |text: String| {
            let since = match one.expected {
                Some(Expected::Failed(since, _)) => since,
                Some(Expected::Ready { .. }) | None => now,
            };
            Some(Expected::Failed(since, text))
        };
        let found = &mut BTreeSet::new();
        let ready = |good: &Good, stale| Expected::Ready {
            version: good.spec.version,
            without: good.without.clone(),
            stale,
        };
        let (expected, waits_for) = match self.attempt(&one.wanted, truth, found) {
            Attempt::Built(good) => {
                one.faulty_since = None;
                let expected = Some(ready(&good, None));
                one.good = Some(good);
                (expected, BTreeSet::new())
            }
            Attempt::Blocked(waits, text) => (failed(text), waits),
            Attempt::Faulty(text) => {
                let since = *one.faulty_since.get_or_insert(now);
                let stale = Some((since, text.clone()));
                match one.good.take() {
                    None => (failed(text), BTreeSet::new()),
                    Some(good) if !good.is_outdated && self.all_up(&good) => {
                        let expected = Some(ready(&good, stale));
                        one.good = Some(good);
                        (expected, BTreeSet::new())
                    }
                    Some(good) => {
                        let all_up = self.all_up(&good);
                        let (kept, outcome) = match self.attempt(&good.spec, truth, found) {
                            Attempt::Built(good) => {
                                let expected = Some(ready(&good, stale));
                                (good, (expected, BTreeSet::new()))
                            }
                            Attempt::Blocked(waits, text) => (good, (failed(text), waits)),
                            Attempt::Faulty(_) if all_up => {
                                let expected = Some(ready(&good, stale));
                                (good, (expected, BTreeSet::new()))
                            }
                            Attempt::Faulty(text) => (good, (failed(text), BTreeSet::new())),
                        };
                        one.good = Some(kept);
                        outcome
                    }
                }
            }
        };
        One { expected, waits_for, ..one }
    }

    fn attempt(&self, spec: &Spec, truth: &Truth, found: &mut BTreeSet<Extension>) -> Attempt {
        match spec.kind {
            Kind::FaultyFirst => return Attempt::Faulty(faulty(spec.version).to_string()),
            Kind::Panics => return Attempt::Faulty(PANICKED.to_owned()),
            Kind::Fine | Kind::FaultyLast | Kind::Careless => {}
        }
        let (mut uses, mut without) = (BTreeSet::new(), BTreeSet::new());
        let mut left_out = BTreeSet::new();
        for each in &spec.uses {
            let (Use::Open(x) | Use::Closed(x)) = *each;
            let is_known = self.down.contains_key(&x);
            let is_away = is_known || truth.away.contains(&x);
            match each {
                Use::Closed(_) if spec.kind == Kind::Careless => _ = uses.insert(x),
                Use::Closed(_) if is_away => {
                    found.insert(x);
                    let text = format!("extension {} is down: {x} is away", name(x));
                    return Attempt::Blocked([x].into(), text);
                }
                Use::Open(_) if is_away => {
                    without.insert(x);
                    left_out.insert(x);
                }
                Use::Closed(_) | Use::Open(_) => _ = uses.insert(x),
            }
        }
        if spec.kind == Kind::FaultyLast || truth.broken.contains(&spec.version) {
            return Attempt::Faulty(faulty(spec.version).to_string());
        }
        found.extend(left_out);
        if let Some(&x) = uses.iter().find(|x| self.down.contains_key(x)) {
            let text = format!("extension {} is down", name(x));
            return Attempt::Blocked(uses.union(&without).copied().collect(), text);
        }
        Attempt::Built(Good { spec: spec.clone(), uses, without, is_outdated: false })
    }
}

fn outdate(one: &mut One, moved: &BTreeSet<Extension>) {
    if let Some(good) = &mut one.good {
        good.is_outdated |= moved.iter().any(|&x| good.mentions(x));
    }
}
