//! Exchanges on the executor that accounts for every wake: two tasks for the sides and a third one
//! that resumes, with filters, peers and policies as the choices say.
//!
//! A task is polled only if a waker that it was handed has fired, or as a spurious poll. So a wake
//! that is lost is a failure of the run (C6), and so are tasks that only wake one another (C7).
//! What else is looked at stands in [`oracle`].
//!
//! This module never starts a thread, reads a clock, or keeps anything from one case to the next.

mod case;
mod filter;
mod marks;
mod nap;
mod oracle;
mod peer;
mod ran;
mod seen;
mod stage;
mod third;
mod world;

use std::fmt::Write;

use super::choices;
use super::target::Target;

pub(crate) use case::Case;
pub(crate) use ran::Ran;

pub(crate) const TARGET: Target = Target { name: "exchange", run, describe, most_choices: 640 };

/// Runs the case, and checks it.
pub(crate) fn run(choices: &[u8]) {
    drop(play(choices));
}

/// The same. What happened, for those who count it.
pub(crate) fn play(choices: &[u8]) -> Vec<Ran> {
    stage::play(&Case::decode(choices))
}

fn describe(choices: &[u8], text: &mut String) {
    let _ = writeln!(text, "{:#?}", Case::decode(choices));
}
