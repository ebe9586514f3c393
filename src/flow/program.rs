//! A flow as its runs need it: every choice that can be made before is a word in a table.
//!
//! This module never sees a message.

use super::stage::Stage;
use super::stage_end::StageEnd;
use super::stages::Stages;
use crate::sync::ConstArc as Arc;

/// The three pipelines, compiled.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) name: Arc<str>,
    pub(super) stages: Stages,
    pub(super) before: Option<Part>,
    pub(super) main: Part,
    pub(super) after: Option<Part>,
    /// How many stations the chains have.
    pub(super) request_stations: usize,
    pub(super) response_stations: usize,
    /// One bit for each status from 0 on that is a `failureCode`.
    pub(super) failure_statuses: [u64; 16],
}

/// One pipeline.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) steps: Vec<Piece>,
    /// Where it begins.
    pub(super) first: Then,
    /// The step of the call.
    pub(super) call: Option<usize>,
}

/// One step.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) name: Arc<str>,
    /// What the results are called: success first.
    pub(super) results: Vec<Arc<str>>,
    pub(super) seat: Seat,
    /// What comes next, by result: success first.
    pub(super) on_result: Vec<Then>,
    /// The same where the filter gave a local reply with that result.
    pub(super) on_reply: Vec<Then>,
}

/// Where a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seat {
    /// At this station of the request chain.
    Request(usize),
    /// Between the chains.
    Call,
    /// In no chain.
    End,
    /// At this station of the response chain.
    Response(usize),
}

/// What comes next in a pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// This step, which is no end.
    Step(usize),
    /// Nothing.
    Over(StageEnd),
}

impl Default for Part {
    /// An empty pipeline.
    fn default() -> Self {
        Self { steps: Vec::new(), first: Then::Over(StageEnd::Through), call: None }
    }
}

impl Piece {
    /// What comes next behind a result of that number; `None` is success.
    pub(super) fn then(&self, result: Option<u8>) -> Then {
        self.on_result[number_of(result)]
    }

    /// The same where the filter gave a local reply.
    pub(super) fn then_reply(&self, result: Option<u8>) -> Then {
        self.on_reply[number_of(result)]
    }

    /// What the result of that number is called.
    pub(super) fn result_name(&self, result: Option<u8>) -> Arc<str> {
        Arc::clone(&self.results[number_of(result)])
    }
}

/// The place of a result in tables by result.
fn number_of(result: Option<u8>) -> usize {
    result.map_or(0, |number| usize::from(number) + 1)
}

impl Program {
    pub(super) fn part(&self, stage: Stage) -> Option<&Part> {
        match stage {
            Stage::Before => self.before.as_ref(),
            Stage::Main => Some(&self.main),
            Stage::After => self.after.as_ref(),
        }
    }

    /// Step `step` of the pipeline of `stage`.
    pub(super) fn piece(&self, stage: Stage, step: usize) -> Option<&Piece> {
        self.part(stage)?.steps.get(step)
    }
}
