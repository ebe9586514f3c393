//! Messages of one plan, one after the other: each has what the one before has left.

use std::cell::Cell;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use http::{request, response};

use super::case::Case;
use super::engine;
use super::filter::{World, locked};
use super::harness::{Harness, caught};
use super::parts::TestHead;
use super::recording::{Mismatch, Recording};

/// What a message leaves alive.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Leaves {
    /// The filters that stay, one bit each.
    pub(crate) filters: u64,
    /// Somebody still has the handles of the messages before.
    pub(crate) handles: bool,
}

/// Runs each of `before` with the filters of `case`, and then `case` on what they have left. All
/// are held to the reference, which knows nothing of the others.
///
/// # Errors
///
/// The first difference, of any.
pub(crate) fn run_behind(
    before: &[Case],
    case: &Case,
    leaves: Leaves,
) -> Result<Recording, Mismatch> {
    let before: Vec<Case> = before.iter().map(|first| with_plan_of(first, case)).collect();
    caught(|at| {
        if case.request {
            in_turn::<request::Parts>(&before, case, leaves, at)
        } else {
            in_turn::<response::Parts>(&before, case, leaves, at)
        }
    })
}

/// `first` as a message of the plan of `case`.
fn with_plan_of(first: &Case, case: &Case) -> Case {
    Case {
        request: case.request,
        // A binding is the edge's, for all messages; a status means something on responses only.
        edge: case.edge,
        bodiless: first.bodiless && !case.request,
        output_marks: case.output_marks,
        max_frame_bytes: case.max_frame_bytes,
        filters: case.filters.clone(),
        ..first.clone()
    }
}

fn in_turn<H: TestHead>(
    before: &[Case],
    case: &Case,
    leaves: Leaves,
    at: &Cell<Option<usize>>,
) -> Result<Recording, String> {
    let world = Arc::new(World::new(case.filters.len()));
    world.recycling.store(leaves.filters, Relaxed);
    let plan = engine::plan::<H>(case, &world);
    let mut stale = Vec::new();
    for first in before {
        Harness::of_plan(first, None, &plan, Arc::clone(&world), &stale)
            .run(at)
            .map_err(|what| format!("{what}\nin a message before:\n{first}"))?;
        let handles = mem::take(&mut *locked(&world.handles));
        if leaves.handles {
            stale.extend(handles.into_iter().flatten());
        }
    }
    let recording = Harness::of_plan(case, None, &plan, Arc::clone(&world), &stale).run(at)?;
    let counted = plan.recycling();
    if (counted.missed, counted.reused, counted.kept) != (1, before.len() as u64, 1) {
        return Err(format!("one chain serves all messages: {counted:?}"));
    }
    drop(plan);
    match world.alive.load(Relaxed) {
        0 => Ok(recording),
        alive => Err(format!("{alive} filters outlive their plan")),
    }
}
