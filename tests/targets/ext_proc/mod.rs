//! `ext_proc`: hostile orders of messages, for the automaton of what is owed and for a session.
//!
//! The choices make messages that are mostly in order, and sometimes in none; what may come and
//! what may be answered is asked of lists of all that came and went (`oracle`), by the rules of
//! ext-proc.md section 3.

mod ledger;
mod oracle;
mod session;

use super::choices::Choices;
use super::messages;
use super::target::Target;

#[path = "../../ext_proc_model/filter.rs"]
#[allow(dead_code, reason = "the model uses more of it")]
mod filter;
#[path = "../../ext_proc_model/futures.rs"]
mod futures;

use tidegate::exchange::Direction;
use tidegate::ext_proc::mode::{BodyMode, DirectionMode, ProcessingMode, SendMode};

pub(crate) const TARGET: Target = Target { name: "ext_proc", run, describe, most_choices: 240 };

fn run(choices: &[u8]) {
    play(choices, &mut |_| {});
}

fn describe(choices: &[u8], text: &mut String) {
    play(choices, &mut |line| {
        text.push_str(&line());
        text.push('\n');
    });
}

/// Tells what happens, if somebody listens.
type Tell<'a> = &'a mut dyn FnMut(&dyn Fn() -> String);

fn play(choices: &[u8], tell: Tell<'_>) {
    let mut choices = Choices::new(choices);
    let mode = ProcessingMode::new(direction_mode(&mut choices), direction_mode(&mut choices));
    tell(&|| format!("{mode:?}"));
    if choices.percent(40) {
        ledger::play(mode, &mut choices, tell);
    } else {
        session::play(mode, &mut choices, tell);
    }
}

fn direction_mode(choices: &mut Choices<'_>) -> DirectionMode {
    let mode = DirectionMode::new(BodyMode::ALL[choices.below(5)]);
    let mode = if choices.percent(20) { mode.with_headers(SendMode::Skip) } else { mode };
    let skips = choices.percent(25);
    if skips { mode.with_trailers(SendMode::Skip).unwrap_or(mode) } else { mode }
}

fn direction(choices: &mut Choices<'_>) -> Direction {
    if choices.percent(40) { Direction::Response } else { Direction::Request }
}
