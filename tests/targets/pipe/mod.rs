//! A pipe beside a model of one queue: as two tasks on the executor that accounts for wakes, or
//! call by call with wakers made by hand.
//!
//! This module never starts a thread, reads a clock, or keeps anything from one case to the next.

mod calls;
mod dice;
mod halves;
mod model;
mod script;
mod wakers;

use std::fmt::Write;

#[allow(unused_imports, reason = "the drivers need no more than the target")]
pub(crate) use model::Item;
#[allow(unused_imports, reason = "the drivers need no more than the target")]
pub(crate) use script::{Drops, Script};

use super::choices::{self, Choices};
use super::target::Target;
use calls::Calls;

pub(crate) const TARGET: Target = Target { name: "pipe", run, describe, most_choices: 320 };

/// One case.
#[derive(Debug)]
enum Case {
    Tasks(Script),
    Calls(Calls),
}

fn decode(choices: &[u8]) -> Case {
    let mut choices = Choices::new(choices);
    if choices.percent(60) {
        Case::Calls(Calls::decode(&mut choices))
    } else {
        Case::Tasks(Script::decode(&mut choices))
    }
}

fn run(choices: &[u8]) {
    match decode(choices) {
        Case::Tasks(script) => drop(script.play()),
        Case::Calls(calls) => calls.play(),
    }
}

fn describe(choices: &[u8], text: &mut String) {
    let _ = writeln!(text, "{:#?}", decode(choices));
}
