//! What histories are about: specs, plans, and a builder that finds out what is true.

use std::collections::BTreeSet;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tidegate::table::{Build, BuildError, Built, Extensions};

pub(crate) type Key = u8;
pub(crate) type Extension = u8;

pub(crate) const KEYS: u8 = 6;
pub(crate) const EXTENSIONS: u8 = 3;

/// What is wanted under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spec {
    /// Of the edit: no other has the same.
    pub(crate) version: u32,
    /// In the order of the chain.
    pub(crate) uses: Vec<Use>,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    Open(Extension),
    Closed(Extension),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Fine,
    /// Found faulty before any extension is looked at.
    FaultyFirst,
    /// Found faulty when all its extensions are there.
    FaultyLast,
    Panics,
    /// Its build does not look whether fail-closed extensions are up.
    Careless,
}

/// What an exchange would be run by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) version: u32,
    pub(crate) without: BTreeSet<Extension>,
}

/// What builds find out and nobody tells.
#[derive(Debug, Default, Clone)]
pub(crate) struct Truth {
    /// Extensions that do not answer.
    pub(crate) away: BTreeSet<Extension>,
    /// Edits that build no more, whatever they did before.
    pub(crate) broken: BTreeSet<u32>,
}

#[derive(Debug, Default, Clone)]
pub(crate) struct Builder(pub(crate) Arc<Mutex<Truth>>);

impl Builder {
    pub(crate) fn truth(&self) -> MutexGuard<'_, Truth> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn name(extension: Extension) -> String {
    format!("x{extension}")
}

pub(crate) fn away(extension: Extension) -> BuildError {
    BuildError::extension(name(extension), format_args!("{extension} is away"))
}

pub(crate) fn faulty(version: u32) -> BuildError {
    BuildError::spec(format_args!("edit {version} is faulty"))
}

/// How a panic with this text is told.
pub(crate) const PANICKED: &str = "the build panicked: boom";

impl Build<Key, Spec> for Builder {
    type Plan = Plan;

    fn build(
        &mut self,
        _key: &Key,
        spec: &Spec,
        extensions: &Extensions,
    ) -> Result<Built<Plan>, BuildError> {
        let truth = self.truth().clone();
        match spec.kind {
            Kind::FaultyFirst => return Err(faulty(spec.version)),
            // Without the panic hook: nobody is to be told.
            Kind::Panics => resume_unwind(Box::new("boom")),
            Kind::Fine | Kind::FaultyLast | Kind::Careless => {}
        }
        let is_up = |x: Extension| extensions.is_up(&name(x)) && !truth.away.contains(&x);
        let mut plan = Plan { version: spec.version, without: BTreeSet::new() };
        let mut used = Vec::new();
        for each in &spec.uses {
            match *each {
                Use::Open(x) if is_up(x) => used.push(x),
                Use::Open(x) => _ = plan.without.insert(x),
                Use::Closed(x) if spec.kind == Kind::Careless || is_up(x) => used.push(x),
                Use::Closed(x) => return Err(away(x)),
            }
        }
        if spec.kind == Kind::FaultyLast || truth.broken.contains(&spec.version) {
            return Err(faulty(spec.version));
        }
        let without = plan.without.clone();
        let built = used.into_iter().fold(Built::new(plan), |built, x| built.uses(name(x)));
        Ok(without.into_iter().fold(built, |built, x| built.without(name(x))))
    }
}
