//! One key: what its spec comes to, as things are.
//!
//! This module never changes what is known of a key; it answers what is to be known.

use core::mem::replace;
use core::time::Duration;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::built::{Built, Names};
use super::keyed::{Freshness, Good, Keyed, Standing};
use super::{Build, BuildError, Extensions};
use crate::sync::ConstArc as Arc;
use crate::table::Fault;
use crate::unwind::drop_contained;

/// What is wrong with an extension that a build has left out: it does not say more.
const LEFT_OUT: &str = "a build left it out";

/// What came of a key.
pub(super) struct Evaluated<S, P> {
    pub(super) keyed: Keyed<S, P>,
    /// Extensions that its builds have found down, though they were taken for up, and what is wrong
    /// with them.
    pub(super) found_down: Vec<(Arc<str>, Arc<str>)>,
    /// What is wrong with the edit.
    pub(super) fault: Option<Fault>,
}

/// What came of one build.
enum Attempt<P> {
    Built(Built<P>),
    Faulty(BuildError),
    /// It uses an extension that is down, and is fail-closed. With those that it depends on.
    Blocked(Names, BuildError),
}

pub(super) fn evaluate<K, S, B: Build<K, S>>(
    builder: &mut B,
    extensions: &Extensions,
    key: &K,
    before: &Keyed<S, B::Plan>,
    now: Duration,
) -> Evaluated<S, B::Plan> {
    let mut found_down = Vec::new();
    let mut keyed = before.clone();
    let mut fault = None;
    match attempt(builder, extensions, key, &before.wanted, &mut found_down) {
        Attempt::Built(built) => {
            keyed.good = Some(Good::new(Arc::clone(&before.wanted), built));
            keyed.standing = Standing::Wanted;
        }
        Attempt::Blocked(names, error) => {
            let faulty_since = before.standing.faulty_since();
            keyed.standing = before.standing.fail(now, error, names, faulty_since);
        }
        Attempt::Faulty(error) => {
            let since = before.standing.faulty_since().unwrap_or(now);
            let faulty = Fault::new(since, error.clone());
            fault = Some(faulty.clone());
            let mut good = keyed.good.take();
            let mut attempt = |spec: &S| attempt(builder, extensions, key, spec, &mut found_down);
            keyed.standing = match &mut good {
                None => before.standing.fail(now, error, Names::new(), Some(since)),
                Some(good) => {
                    fall_back(&before.standing, good, faulty, now, extensions, &mut attempt)
                }
            };
            keyed.good = good;
        }
    }
    Evaluated { keyed, found_down, fault }
}

/// The last good plan serves if everything it uses is up. Where an extension of it has gone down or
/// come up since it was built, it is built anew.
fn fall_back<S, P>(
    before: &Standing,
    good: &mut Good<S, P>,
    fault: Fault,
    now: Duration,
    extensions: &Extensions,
    attempt: &mut impl FnMut(&S) -> Attempt<P>,
) -> Standing {
    let all_up = good.uses.iter().all(|name| extensions.is_up(name));
    match good.freshness {
        Freshness::Current if all_up => return Standing::Stale { fault },
        Freshness::Current | Freshness::Outdated => {}
    }
    match attempt(&good.spec) {
        Attempt::Built(built) => {
            let spec = Arc::clone(&good.spec);
            drop_contained(replace(good, Good::new(spec, built)));
            Standing::Stale { fault }
        }
        Attempt::Blocked(names, error) => before.fail(now, error, names, Some(fault.since())),
        // It was good once: it is still, unless it uses what is down.
        Attempt::Faulty(_) if all_up => Standing::Stale { fault },
        Attempt::Faulty(error) => before.fail(now, error, Names::new(), Some(fault.since())),
    }
}

/// Builds once. A panic of the builder is a faulty spec.
fn attempt<K, S, B: Build<K, S>>(
    builder: &mut B,
    extensions: &Extensions,
    key: &K,
    spec: &S,
    found_down: &mut Vec<(Arc<str>, Arc<str>)>,
) -> Attempt<B::Plan> {
    let built = match catch_unwind(AssertUnwindSafe(|| builder.build(key, spec, extensions))) {
        Ok(built) => built,
        Err(payload) => {
            let text = payload.downcast_ref::<&str>().copied();
            let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
            let error = format!("the build panicked: {}", text.unwrap_or("with a value"));
            drop_contained(payload);
            return Attempt::Faulty(BuildError::spec(error));
        }
    };
    match built {
        Ok(built) => {
            for name in built.without.iter().filter(|name| extensions.is_up(name)) {
                found_down.push((Arc::clone(name), LEFT_OUT.into()));
            }
            let down = |name: &Arc<str>| {
                let error = match extensions.down(name) {
                    Some(error) => Arc::clone(error),
                    None => built.without.contains(name).then(|| LEFT_OUT.into())?,
                };
                Some((Arc::clone(name), error))
            };
            match built.uses.iter().find_map(down) {
                Some((name, error)) => {
                    let Built { plan, mut uses, mut without } = built;
                    drop_contained(plan);
                    uses.append(&mut without);
                    Attempt::Blocked(uses, BuildError::extension(name, error))
                }
                None => Attempt::Built(built),
            }
        }
        Err(BuildError::Extension { name, error }) => {
            if extensions.is_up(&name) {
                found_down.push((Arc::clone(&name), Arc::clone(&error)));
            }
            Attempt::Blocked(
                Names::from([Arc::clone(&name)]),
                BuildError::Extension { name, error },
            )
        }
        Err(error @ BuildError::Spec { .. }) => Attempt::Faulty(error),
    }
}
