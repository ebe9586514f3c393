//! Whether a flow can be (flow-R1 to R3), and its tables.
//!
//! The order of checks: what stands where and how it is called, in the order of stages and steps;
//! then jumps; then what can be reached.
//!
//! This module never sees a message.

use core::iter;

use super::call::Call;
use super::flow_error::FlowError;
use super::flow_error_kind::FlowErrorKind;
use super::node::{END, Jump};
use super::on_unhandled::OnUnhandled;
use super::pipeline::Pipeline;
use super::place::Place;
use super::program::{Part, Piece, Seat, Then};
use super::stage::Stage;
use super::stage_end::StageEnd;
use super::step::Step;
use crate::filter::Declaration;
use crate::sync::ConstArc as Arc;

/// The pipelines of a flow under construction.
pub(super) struct Draft<'a> {
    /// Those that there are, in the order of their stages.
    pub(super) pipelines: Vec<(Stage, &'a Pipeline)>,
}

impl Draft<'_> {
    /// Checks what needs no filter: kinds, places and names.
    pub(super) fn check_steps(&self) -> Result<(), FlowError> {
        if !self.pipelines.iter().any(|(stage, _)| *stage == Stage::Main) {
            return Err(FlowError::new(Place::stage(Stage::Main), FlowErrorKind::NoMain));
        }
        for &(stage, pipeline) in &self.pipelines {
            for (n, step) in pipeline.steps.iter().enumerate() {
                let wrong = match stage {
                    Stage::Before => wrong_in_before(step),
                    Stage::Main => wrong_in_main(&pipeline.steps, n),
                    Stage::After => wrong_in_after(step),
                };
                let wrong = wrong.or_else(|| self.wrong_name(stage, n, step));
                if let Some(kind) = wrong.or_else(|| wrong_status(step)) {
                    return Err(FlowError::new(Place::step(stage, n, step.name()), kind));
                }
            }
        }
        Ok(())
    }

    fn wrong_name(&self, stage: Stage, n: usize, step: &Step) -> Option<FlowErrorKind> {
        if matches!(step, Step::End) {
            return None;
        }
        match step.name() {
            "" => Some(FlowErrorKind::EmptyName),
            END => Some(FlowErrorKind::ReservedName),
            name => {
                let (first, step) = self.find(name)?;
                let is_other = (first, step) != (stage, n);
                is_other.then_some(FlowErrorKind::DuplicateName { stage: first, step })
            }
        }
    }

    /// The first step called `name`.
    fn find(&self, name: &str) -> Option<(Stage, usize)> {
        self.pipelines.iter().find_map(|(stage, pipeline)| {
            let found = pipeline.steps.iter().position(|step| step.name() == name);
            found.map(|step| (*stage, step))
        })
    }

    /// One bit for each status from 0 on.
    pub(super) fn failure_statuses(&self) -> [u64; 16] {
        let mut bits = [0; 16];
        let steps = self.pipelines.iter().flat_map(|(_, pipeline)| &pipeline.steps);
        for step in steps {
            let Step::Call(call) = step else { continue };
            for &status in &call.failure_statuses {
                // Statuses have three digits: checked.
                bits[usize::from(status) / 64] |= 1 << (status % 64);
            }
        }
        bits
    }

    /// The tables of the pipeline of `stage`. `declared` and `seats` are by step.
    pub(super) fn compile(
        &self,
        stage: Stage,
        pipeline: &Pipeline,
        declared: &[Declaration],
        seats: &[Seat],
    ) -> Result<Part, FlowError> {
        let mut steps = Vec::with_capacity(pipeline.steps.len());
        let mut leads = Vec::with_capacity(pipeline.steps.len());
        for (n, step) in pipeline.steps.iter().enumerate() {
            let results = results_of(step, &declared[n]);
            let at = At { stage, n, steps: &pipeline.steps, results: &results };
            let targets = self.targets(&at, jumps_of(step))?;
            let (on_result, on_reply) = at.tables(&targets, pipeline.on_unhandled);
            leads.push(at.leads(&targets, pipeline.on_unhandled));
            steps.push(Piece {
                name: Arc::from(step.name()),
                seat: seats[n],
                on_result,
                on_reply,
                results,
            });
        }
        let first = then_at(&pipeline.steps, 0);
        let call = pipeline.steps.iter().position(|step| matches!(step, Step::Call(_)));
        match unreachable_step(&leads) {
            None => Ok(Part { steps, first, call }),
            Some(n) => {
                let place = Place::step(stage, n, pipeline.steps[n].name());
                Err(FlowError::new(place, FlowErrorKind::Unreachable))
            }
        }
    }

    /// The target of each result, success first.
    fn targets(&self, at: &At<'_>, jumps: &[Jump]) -> Result<Vec<Option<Then>>, FlowError> {
        let mut targets = vec![None; at.results.len()];
        for Jump { result, target } in jumps {
            let place = || Place::step(at.stage, at.n, at.steps[at.n].name()).result(result);
            let number = at.results.iter().position(|known| **known == **result);
            let Some(number) = number else {
                let declared = at.results.iter().skip(1).map(ToString::to_string).collect();
                let kind = FlowErrorKind::UndeclaredResult { declared };
                return Err(FlowError::new(place().target(target), kind));
            };
            if targets[number].is_some() {
                return Err(FlowError::new(place().target(target), FlowErrorKind::DuplicateJump));
            }
            let found = self.target(at, target);
            targets[number] =
                Some(found.map_err(|kind| FlowError::new(place().target(target), kind))?);
        }
        Ok(targets)
    }

    fn target(&self, at: &At<'_>, target: &str) -> Result<Then, FlowErrorKind> {
        if target == END {
            return Ok(Then::Over(StageEnd::Stopped));
        }
        // A node without a name is an error of its own.
        match self.find(target).filter(|_| !target.is_empty()) {
            None => Err(FlowErrorKind::UnknownTarget),
            Some((stage, step)) if stage != at.stage => {
                Err(FlowErrorKind::ForeignTarget { stage, step })
            }
            Some((_, step)) if step <= at.n => Err(FlowErrorKind::BackwardTarget { step }),
            Some((_, step)) => Ok(Then::Step(step)),
        }
    }
}

/// A step while its tables are made.
struct At<'a> {
    stage: Stage,
    n: usize,
    steps: &'a [Step],
    results: &'a [Arc<str>],
}

impl At<'_> {
    /// What comes next by result, when the head goes and when the filter replies.
    fn tables(
        &self,
        targets: &[Option<Then>],
        on_unhandled: OnUnhandled,
    ) -> (Vec<Then>, Vec<Then>) {
        let following = then_at(self.steps, self.n + 1);
        let each = targets.iter().enumerate().map(|(number, target)| {
            let is_success = number == 0;
            match (target, on_unhandled) {
                (Some(target), _) => (*target, self.reply_target(*target)),
                (None, OnUnhandled::End) if !is_success => {
                    (Then::Over(StageEnd::Failed), Then::Over(StageEnd::Failed))
                }
                (None, _) => (following, Then::Over(StageEnd::Stopped)),
            }
        });
        each.unzip()
    }

    /// The steps that can be next, ends included.
    fn leads(&self, targets: &[Option<Then>], on_unhandled: OnUnhandled) -> Vec<usize> {
        if matches!(self.steps[self.n], Step::End) {
            return Vec::new();
        }
        let each = targets.iter().enumerate().filter_map(|(number, target)| match target {
            Some(Then::Step(step)) => Some(*step),
            Some(Then::Over(_)) => None,
            None if number == 0 || on_unhandled == OnUnhandled::Continue => Some(self.n + 1),
            None => None,
        });
        each.collect()
    }

    /// A reply cannot go where a request is wanted: to go there is to stop.
    fn reply_target(&self, target: Then) -> Then {
        match target {
            Then::Step(n) if !matches!(self.steps[n], Step::Response(_)) => {
                Then::Over(StageEnd::Stopped)
            }
            target => target,
        }
    }
}

/// What is at `n` of `steps`, for one who comes there.
fn then_at(steps: &[Step], n: usize) -> Then {
    match steps.get(n) {
        None => Then::Over(StageEnd::Through),
        Some(Step::End) => Then::Over(StageEnd::Stopped),
        Some(Step::Request(_) | Step::Call(_) | Step::Response(_)) => Then::Step(n),
    }
}

fn jumps_of(step: &Step) -> &[Jump] {
    match step {
        Step::Request(node) => &node.jumps,
        Step::Call(call) => &call.jumps,
        Step::End => &[],
        Step::Response(node) => &node.jumps,
    }
}

/// What the results of a step are called: success first.
fn results_of(step: &Step, declared: &Declaration) -> Vec<Arc<str>> {
    let success = iter::once(Arc::from(""));
    match step {
        Step::Call(_) => success.chain(Call::RESULTS.into_iter().map(Arc::from)).collect(),
        Step::Request(_) | Step::Response(_) => {
            success.chain(declared.results.iter().map(|name| Arc::from(&**name))).collect()
        }
        Step::End => Vec::new(),
    }
}

fn wrong_in_before(step: &Step) -> Option<FlowErrorKind> {
    match step {
        Step::Request(_) | Step::End => None,
        Step::Call(_) => Some(FlowErrorKind::CallOutsideMain),
        Step::Response(_) => Some(FlowErrorKind::ResponseInBefore),
    }
}

fn wrong_in_after(step: &Step) -> Option<FlowErrorKind> {
    match step {
        Step::Response(_) | Step::End => None,
        Step::Call(_) => Some(FlowErrorKind::CallOutsideMain),
        Step::Request(_) => Some(FlowErrorKind::RequestInAfter),
    }
}

/// Requests before the call, responses behind it; without a call, behind the requests.
fn wrong_in_main(steps: &[Step], n: usize) -> Option<FlowErrorKind> {
    let (before, here) = (&steps[..n], &steps[n]);
    let is_call = |step: &Step| matches!(step, Step::Call(_));
    match here {
        Step::Call(_) => {
            let first = before.iter().position(is_call)?;
            Some(FlowErrorKind::SecondCall { first })
        }
        Step::Request(_) => {
            let late = |step: &Step| matches!(step, Step::Call(_) | Step::Response(_));
            let behind = before.iter().position(late)?;
            Some(FlowErrorKind::RequestTooLate { behind })
        }
        Step::Response(_) => {
            let call = steps.iter().position(is_call).filter(|&call| call > n)?;
            Some(FlowErrorKind::ResponseTooEarly { call })
        }
        Step::End => None,
    }
}

fn wrong_status(step: &Step) -> Option<FlowErrorKind> {
    let Step::Call(call) = step else { return None };
    let is_wrong = |status: &&u16| !(100..=999).contains(*status);
    let status = *call.failure_statuses.iter().find(is_wrong)?;
    Some(FlowErrorKind::InvalidStatus { status })
}

/// The first step where nothing leads. `leads`: where each step leads, if anything leads there.
fn unreachable_step(leads: &[Vec<usize>]) -> Option<usize> {
    let mut reached = vec![false; leads.len()];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    for (n, targets) in leads.iter().enumerate() {
        if !reached[n] {
            return Some(n);
        }
        for &target in targets {
            // One behind the last step is the end of the pipeline.
            if let Some(reached) = reached.get_mut(target) {
                *reached = true;
            }
        }
    }
    None
}
