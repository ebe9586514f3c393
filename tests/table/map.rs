//! The map behind a table, against the one of std.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};

use tidegate::table::{Changes, Entry, Snapshot, Table};

use crate::rng::Rng;

/// A key whose hash says as little as `kinds` values can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key {
    number: usize,
    kinds: usize,
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.number % self.kinds).hash(state);
    }
}

/// What the table should have: plan and version by key.
type Model = HashMap<Key, (u64, u64)>;

fn assert_same(snapshot: &Snapshot<Key, u64>, model: &Model, what: &str) {
    assert_eq!(snapshot.len(), model.len(), "{what}");
    let mut seen = 0;
    for (key, entry, version) in snapshot.iter() {
        let plan = *entry.plan().unwrap();
        assert_eq!(model.get(key), Some(&(plan, version)), "{what}: {key:?}");
        seen += 1;
    }
    assert_eq!(seen, model.len(), "{what}: a key is there twice");
    for (key, &(plan, version)) in model {
        let found = snapshot.get(key).map(|entry| *entry.plan().unwrap());
        assert_eq!((found, snapshot.version(key)), (Some(plan), Some(version)), "{what}: {key:?}");
    }
}

/// A history of publishes of up to `edits` changes each over `keys` keys.
fn history(seed: u64, publishes: usize, edits: usize, keys: usize, kinds: usize) {
    let what = format!("seed {seed}, {keys} keys with {kinds} hashes");
    let mut rng = Rng::new(seed);
    let (table, mut model) = (Table::new(0), Model::new());
    for number in 1..=publishes as u64 {
        let before = (table.snapshot(), model.clone());
        let is_whole = rng.below(40) == 0;
        let mut changes = if is_whole { Changes::whole() } else { Changes::new() };
        if is_whole {
            model.clear();
        }
        // Grows for a while, then shrinks.
        let sets = if (number / 20) % 2 == 0 { 8 } else { 2 };
        for _ in 0..rng.below(edits) {
            let key = Key { number: rng.below(keys), kinds };
            if rng.below(10) < sets {
                let plan = rng.word();
                changes.set(key, Entry::ready(plan));
                model.insert(key, (plan, number));
            } else {
                changes.remove(key);
                model.remove(&key);
            }
        }
        table.publish(&changes).unwrap();
        assert_same(&table.snapshot(), &model, &what);
        assert_same(&before.0, &before.1, &format!("{what}: the snapshot before"));
    }
}

#[test]
fn any_history_gives_what_a_plain_map_would_have() {
    for seed in 0..6 {
        history(seed, 60, 40, 60, usize::MAX);
    }
    for seed in 0..2 {
        history(seed, 60, 400, 3000, usize::MAX);
    }
}

#[test]
fn keys_that_collide_are_told_apart() {
    for seed in 0..6 {
        history(seed, 60, 20, 40, 1);
        history(seed, 60, 40, 200, 7);
    }
}
