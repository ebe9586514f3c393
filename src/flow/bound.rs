//! How much the stations of one run can hold at most: the dearest path, not all of them.
//!
//! A station that is skipped is never started, so it holds nothing: those on a path are a chain of
//! their own, and section 6 of the architecture page holds for it.
//!
//! This module never sees a message.

use super::program::{Part, Program, Seat, Then};
use super::stage::Stage;
use super::stage_end::StageEnd;

/// The highest sum of high marks, in bytes, on any path through the stations of one chain.
/// `high_bytes` says it for each step that has a station there.
pub(super) fn dearest_path(program: &Program, high_bytes: impl Fn(Seat) -> u64) -> u64 {
    let mut costs = Costs { program, before: Vec::new(), main: Vec::new(), after: Vec::new() };
    // From the last pipeline to the first, as jumps go forward.
    for stage in [Stage::After, Stage::Main, Stage::Before] {
        let part = program.part(stage);
        for n in (0..part.map_or(0, |part| part.steps.len())).rev() {
            let cost = part.map_or(0, |part| costs.of_step(stage, part, n, &high_bytes));
            costs.of_mut(stage)[n] = cost;
        }
    }
    let first = program.first_stage();
    let path = program.part(first).map_or(0, |part| costs.behind(first, part.first));
    // A reply of the edge to a request that has not come goes there, wherever main leads.
    let after = program.after.as_ref().map_or(0, |after| costs.behind(Stage::After, after.first));
    path.max(after)
}

/// What the dearest path costs from each step on, in bytes.
struct Costs<'a> {
    program: &'a Program,
    before: Vec<u64>,
    main: Vec<u64>,
    after: Vec<u64>,
}

impl Costs<'_> {
    fn of_mut(&mut self, stage: Stage) -> &mut Vec<u64> {
        let steps = self.program.part(stage).map_or(0, |part| part.steps.len());
        let costs = match stage {
            Stage::Before => &mut self.before,
            Stage::Main => &mut self.main,
            Stage::After => &mut self.after,
        };
        costs.resize(steps, 0);
        costs
    }

    fn of_step(
        &self,
        stage: Stage,
        part: &Part,
        n: usize,
        high_bytes: impl Fn(Seat) -> u64,
    ) -> u64 {
        let piece = &part.steps[n];
        let behind = piece.on_result.iter().map(|&then| self.behind(stage, then));
        let own = high_bytes(piece.seat).saturating_add(behind.max().unwrap_or(0));
        // Where a reply or a failure takes the place of the message, what was held is gone.
        let replies = piece.on_reply.iter().map(|&then| self.behind(stage, then));
        let cut = [StageEnd::Stopped, StageEnd::Failed].map(|end| self.past(stage, end));
        replies.chain(cut).fold(own, u64::max)
    }

    fn behind(&self, stage: Stage, then: Then) -> u64 {
        match (then, stage) {
            (Then::Step(n), Stage::Before) => self.before.get(n).copied().unwrap_or(0),
            (Then::Step(n), Stage::Main) => self.main.get(n).copied().unwrap_or(0),
            (Then::Step(n), Stage::After) => self.after.get(n).copied().unwrap_or(0),
            (Then::Over(end), Stage::Before) if self.program.stages.main_runs(Some(end)) => {
                self.behind(Stage::Main, self.program.main.first)
            }
            (Then::Over(end), _) => self.past(stage, end),
        }
    }

    /// Behind a pipeline that ended so, with main left out.
    fn past(&self, stage: Stage, end: StageEnd) -> u64 {
        let (stages, after) = (self.program.stages, &self.program.after);
        let runs = match stage {
            Stage::Before => stages.after_runs(Some(end), None),
            Stage::Main => stages.after_runs(None, Some(end)),
            Stage::After => false,
        };
        match after {
            Some(after) if runs => self.behind(Stage::After, after.first),
            Some(_) | None => 0,
        }
    }
}
