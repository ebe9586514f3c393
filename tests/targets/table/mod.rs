//! `table`: histories of a controller, its table and its consumers, compared with the naive model
//! after each publish, and each copy with the table of its epoch after each operation.

mod consumer;
mod history;
mod model;
mod ran;
mod world;

use super::target::Target;

pub(crate) use history::play;
#[allow(unused_imports, reason = "only the property test counts")]
pub(crate) use ran::Ran;

pub(crate) const TARGET: Target = Target { name: "table", run, describe, most_choices: 1024 };

fn run(choices: &[u8]) {
    play(choices, None);
}

fn describe(choices: &[u8], text: &mut String) {
    play(choices, Some(text));
}
