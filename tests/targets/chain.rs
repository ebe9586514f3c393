//! `chain`: random chains, verdicts, edits and inputs, compared call by call with the naive model
//! (the cases of `tests/model.rs`).

use std::fmt::Write;

use crate::model;
use crate::model::generate::case_from_bytes;

use super::target::Target;

pub(crate) const TARGET: Target = Target { name: "chain", run, describe, most_choices: 1024 };

fn run(choices: &[u8]) {
    if let Err(mismatch) = model::run(&case_from_bytes(choices), None) {
        panic!("{mismatch}");
    }
}

fn describe(choices: &[u8], text: &mut String) {
    write!(text, "{}", case_from_bytes(choices)).expect("a string takes all");
}
