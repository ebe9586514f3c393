//! Which of the rules I1 to I14 a recorded message broke, found from its trace alone.
//!
//! Every byte gets an identity when it first appears. A [`lane::Lane`] follows where Envoy keeps it
//! (the piece in flight, the shared buffer, the peer), and stops with an error where the trace
//! says otherwise; a [`ledger::Ledger`] keeps whose it should be by the rules: a byte is at one
//! filter until that filter has been shown it and has let it go.
//!
//! This module never asks what tidegate would do, and never guesses which of two equal bytes
//! it sees.

mod closes;
mod counter;
mod lane;
mod ledger;
mod limits;
mod replay;

#[cfg(test)]
mod tests;

use std::fmt;

use crate::trace::{Direction, Trace};

/// The rules a trace can show to be broken. What the others ask for leaves no mark in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Rule {
    I1,
    I2,
    I3,
    I4,
    I5,
    I6,
    I7,
    I8,
    I9,
    I10,
    I12,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// One rule that was broken, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    pub(crate) rule: Rule,
    /// Of the message it happened to.
    pub(crate) direction: Direction,
    /// Who was wronged, or did wrong; none: the peer.
    pub(crate) filter: Option<String>,
    /// The step in which it showed.
    pub(crate) step: usize,
    /// One sentence.
    pub(crate) what: String,
}

/// All that was broken, in the order in which it showed.
///
/// # Panics
///
/// If the trace contradicts what is known of Envoy's buffers: nothing could be said about it.
pub(crate) fn violations(trace: &Trace) -> Vec<Violation> {
    follow(trace).unwrap_or_else(|error| panic!("{}: cannot be followed: {error}", trace.name))
}

/// The same, or why the trace contradicts what is known.
pub(crate) fn follow(trace: &Trace) -> Result<Vec<Violation>, String> {
    let mut found = replay::Replay::new(trace).run().map_err(|error| error.to_string())?;
    found.extend(closes::violations(trace));
    found.extend(counter::violation(trace));
    found.sort_by_key(|violation| violation.step);
    Ok(found)
}
