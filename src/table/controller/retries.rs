//! Retries of extensions that a build has found down.
//!
//! This module never lets readers see a retry that has failed.

use core::hash::Hash;
use core::time::Duration;

use super::evaluate::evaluate;
use super::{Build, Cause, Controller, Round};
use crate::sync::ConstArc as Arc;
use crate::unwind::drop_contained;

impl<K: Clone + Ord + Hash, S: PartialEq, B: Build<K, S>> Controller<K, S, B> {
    /// Builds who mentions an extension whose retry is due, as if it were up. Where one of them
    /// finds it down again, it was a failed retry, and what was built is dropped; the rest of the
    /// extensions is then tried without it. So at most one round an extension that is due.
    pub(super) fn retry(&mut self, round: &mut Round<K, S, B::Plan>, now: Duration) {
        let mut due = self.extensions.due(now);
        while !due.is_empty() {
            let mut trial = self.extensions.clone();
            for name in &due {
                trial.set_back(name, now);
            }
            let mut built = Vec::new();
            let mut refuted = None;
            for (key, keyed) in &self.keys {
                let mut mentioned = due.iter().filter(|name| keyed.mentions(name)).peekable();
                let Some(&first) = mentioned.peek() else { continue };
                let cause = Cause::Extension(Arc::clone(first));
                let mut keyed = keyed.clone();
                mentioned.for_each(|name| keyed.outdate(name));
                let evaluated = evaluate(&mut self.builder, &trial, key, &keyed, now);
                let found = evaluated.found_down.iter().find(|(name, _)| due.contains(name));
                refuted = found.cloned();
                built.push((key.clone(), cause, evaluated));
                if refuted.is_some() {
                    break;
                }
            }
            if let Some((name, error)) = refuted {
                drop_contained(built);
                due.remove(&name);
                self.extensions.find_down(name, error, now);
                continue;
            }
            for name in due {
                self.extensions.set_back(&name, now);
                for keyed in self.keys.values_mut() {
                    keyed.outdate(&name);
                }
            }
            // Before any of them is taken: what one has found out may queue another again.
            for (key, cause, _) in &mut built {
                *cause = round.to_build.remove(key).unwrap_or_else(|| cause.clone());
            }
            for (key, cause, evaluated) in built {
                self.commit(key, cause, evaluated, round, now);
            }
            return;
        }
    }
}
