//! `chain`: random chains, verdicts, edits and inputs, compared call by call with the naive model
//! of `tests/model`. Up to four messages follow each other on one recycled chain.

use std::fmt::Write;

use crate::model;
use crate::model::case::{Action, Answer, Case, Op};
use crate::model::generate::{self, Dice};
use crate::model::recycled::{Leaves, run_behind};

use super::target::Target;

pub(crate) const TARGET: Target = Target { name: "chain", run, describe, most_choices: 2048 };

const MOST_FILTERS: usize = 4;

/// With up to 28 operations each, a case has less than 128.
const MOST_MESSAGES: usize = 4;

/// The messages of a case, and what each leaves to the next one.
struct Messages {
    before: Vec<Case>,
    last: Case,
    leaves: Leaves,
}

fn run(choices: &[u8]) {
    let Messages { before, last, leaves } = messages(choices);
    let done = if before.is_empty() {
        model::run(&last, None)
    } else {
        run_behind(&before, &last, leaves)
    };
    if let Err(mismatch) = done {
        panic!("{mismatch}");
    }
}

fn describe(choices: &[u8], text: &mut String) {
    let Messages { before, last, leaves } = messages(choices);
    for case in &before {
        writeln!(text, "before, with the filters of the last: {case}").expect("a string takes all");
    }
    write!(text, "{last}{leaves:?}").expect("a string takes all");
}

fn messages(choices: &[u8]) -> Messages {
    let mut dice = Dice::new(choices);
    let messages = if dice.percent(25) { 2 + dice.below(MOST_MESSAGES - 1) } else { 1 };
    let leaves = Leaves { filters: dice.byte().into(), handles: dice.percent(50) };
    let left_out = if dice.percent(50) { LeftOut::draw(&mut dice) } else { LeftOut::default() };
    let filters = dice.below(MOST_FILTERS + 1);
    let mut cases: Vec<Case> = Vec::new();
    while cases.is_empty() || cases.len() < messages && !dice.is_spent() {
        let mut case = generate::case(&mut dice, filters);
        left_out.apply(&mut case);
        cases.push(case);
    }
    let last = cases.remove(0);
    Messages { before: cases, last, leaves }
}

/// What does not happen in a case, one bit each: so that other things happen in a row.
#[derive(Default)]
struct LeftOut {
    ops: u32,
    actions: u32,
    answers: u8,
}

impl LeftOut {
    fn draw(dice: &mut Dice<'_>) -> Self {
        let mut bits = || u32::from_le_bytes([dice.byte(), dice.byte(), dice.byte(), 0]);
        Self { ops: bits(), actions: bits(), answers: dice.byte() }
    }

    fn apply(&self, case: &mut Case) {
        case.ops.retain(|&op| self.ops & 1 << op_kind(op) == 0);
        for script in &mut case.filters {
            for step in &mut script.steps {
                step.actions.retain(|&action| self.actions & 1 << action_kind(action) == 0);
                if self.answers & answer_bit(step.answer) != 0 {
                    step.answer = Answer::Pass;
                }
            }
        }
    }
}

/// The head always comes: nothing happens without.
fn op_kind(op: Op) -> u32 {
    match op {
        Op::Head { .. } | Op::Flood => 31,
        Op::Data { .. } => 0,
        Op::EmptyData => 1,
        Op::Trailers(_) => 2,
        Op::End => 3,
        Op::Resume(_) => 4,
        Op::DropHandle(_) => 5,
        Op::AskDirectly(_) => 6,
        Op::Turn => 7,
        Op::Take(_) => 8,
        Op::PollData => 9,
        Op::TakeBytes(_) => 10,
        Op::Marks { .. } => 11,
        Op::Reply { .. } => 12,
        Op::Reset => 13,
        Op::Timeout => 14,
        Op::Cancel => 15,
        Op::Inform { .. } => 16,
        Op::Abort => 17,
    }
}

fn action_kind(action: Action) -> u32 {
    match action {
        Action::Push(_) => 0,
        Action::Prepend(_) => 1,
        Action::Insert { .. } => 2,
        Action::Replace { .. } => 3,
        Action::Remove { .. } => 4,
        Action::Take => 5,
        Action::TakeFirst(_) => 6,
        Action::Keep(_) => 7,
        Action::TakeAndKeep => 8,
        Action::GiveBack => 9,
        Action::Trailer => 10,
        Action::ClearTrailers => 11,
        Action::SetTrailers(_) => 12,
        Action::Tag => 13,
        Action::Status(_) => 14,
        Action::Declare(_) => 15,
        Action::DropInterest(_) => 16,
        Action::Handle => 17,
        Action::DropHandle => 18,
        Action::Resume(_) => 19,
    }
}

fn answer_bit(answer: Answer) -> u8 {
    match answer {
        Answer::Pass => 0,
        Answer::Hold => 1,
        Answer::First(_) => 2,
        Answer::FirstAll => 4,
        Answer::End => 8,
        Answer::Reply { .. } => 16,
        Answer::Fail => 32,
        Answer::Panic => 64,
    }
}
