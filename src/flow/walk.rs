//! The rules of a run, without any message: where a head goes next, from stage to stage.
//!
//! This module never waits, locks or keeps time.

use super::program::{Program, Seat, Then};
use super::stage::Stage;
use super::stage_end::StageEnd;

/// How the pipelines of a run have ended so far; `None`: not yet, or skipped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Ends {
    pub(super) before: Option<StageEnd>,
    pub(super) main: Option<StageEnd>,
    pub(super) after: Option<StageEnd>,
}

/// Where a head goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Go {
    /// To this node of the request chain.
    Request(At),
    /// To the upstream.
    Call,
    /// To this node of the response chain: of a request, an answer goes there.
    Response(At),
    /// Out of the flow.
    Out,
}

/// A node at a station.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct At {
    pub(super) stage: Stage,
    pub(super) step: usize,
    pub(super) station: usize,
}

/// Whether there is a request to be carried on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Message {
    Whole,
    /// A reply or a failure took its place: nothing before the call can run.
    Replaced,
}

impl Ends {
    /// Where a run begins.
    pub(super) fn begin(&mut self, program: &Program) -> Go {
        match &program.before {
            Some(before) => self.go(program, Stage::Before, before.first, Message::Whole),
            None => self.go(program, Stage::Main, program.main.first, Message::Whole),
        }
    }

    /// Follows `then` in the pipeline of `stage`, and on into those behind it.
    pub(super) fn go(
        &mut self,
        program: &Program,
        stage: Stage,
        then: Then,
        message: Message,
    ) -> Go {
        match then {
            Then::Step(step) => program.go_to(stage, step),
            Then::Over(end) => match stage {
                Stage::Before => {
                    self.before = Some(end);
                    if message == Message::Whole && program.stages.main_runs(self.before) {
                        self.go(program, Stage::Main, program.main.first, message)
                    } else {
                        self.go_after(program)
                    }
                }
                Stage::Main => {
                    self.main = Some(end);
                    self.go_after(program)
                }
                Stage::After => {
                    self.after = Some(end);
                    Go::Out
                }
            },
        }
    }

    /// Main has ended or is skipped.
    pub(super) fn go_after(&mut self, program: &Program) -> Go {
        match &program.after {
            Some(after) if program.stages.after_runs(self.before, self.main) => {
                self.go(program, Stage::After, after.first, Message::Replaced)
            }
            Some(_) | None => Go::Out,
        }
    }
}

impl Program {
    fn go_to(&self, stage: Stage, step: usize) -> Go {
        match self.piece(stage, step).map(|piece| piece.seat) {
            Some(Seat::Request(station)) => Go::Request(At { stage, step, station }),
            Some(Seat::Call) => Go::Call,
            Some(Seat::Response(station)) => Go::Response(At { stage, step, station }),
            // No table leads to an end.
            Some(Seat::End) | None => Go::Out,
        }
    }

    /// The pipeline with which a run begins.
    pub(super) fn first_stage(&self) -> Stage {
        if self.before.is_some() { Stage::Before } else { Stage::Main }
    }
}
