//! Two messages of one plan, one after the other: the second has what the first has left.

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

/// What the first message leaves alive.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Leaves {
    /// The filters that stay, one bit each.
    pub(crate) filters: u64,
    /// Somebody still has the handles of the first message.
    pub(crate) handles: bool,
}

/// Runs `first` with the filters of `case`, and then `case` on what that has left. Both are held
/// to the reference, which knows nothing of the other.
///
/// # Errors
///
/// The first difference, of either.
pub(crate) fn run_behind(first: &Case, case: &Case, leaves: Leaves) -> Result<Recording, Mismatch> {
    let first = Case {
        request: case.request,
        // A binding is the edge's, for all messages; a status means something on responses only.
        edge: case.edge,
        bodiless: first.bodiless && !case.request,
        output_marks: case.output_marks,
        max_frame_bytes: case.max_frame_bytes,
        filters: case.filters.clone(),
        ..first.clone()
    };
    caught(|at| {
        if case.request {
            both::<request::Parts>(&first, case, leaves, at)
        } else {
            both::<response::Parts>(&first, case, leaves, at)
        }
    })
}

fn both<H: TestHead>(
    first: &Case,
    case: &Case,
    leaves: Leaves,
    at: &Cell<Option<usize>>,
) -> Result<Recording, String> {
    let world = Arc::new(World::new(case.filters.len()));
    world.recycling.store(leaves.filters, Relaxed);
    let plan = engine::plan::<H>(case, &world);
    Harness::of_plan(first, None, &plan, Arc::clone(&world), &[])
        .run(at)
        .map_err(|what| format!("{what}\nin the message before:\n{first}"))?;
    let stale = if leaves.handles { mem::take(&mut *locked(&world.handles)) } else { Vec::new() };
    let stale = stale.into_iter().flatten().collect::<Vec<_>>();
    let recording = Harness::of_plan(case, None, &plan, Arc::clone(&world), &stale).run(at)?;
    let counted = plan.recycling();
    if (counted.missed, counted.reused, counted.kept) != (1, 1, 1) {
        return Err(format!("one chain serves both messages: {counted:?}"));
    }
    drop(plan);
    match world.alive.load(Relaxed) {
        0 => Ok(recording),
        alive => Err(format!("{alive} filters outlive their plan")),
    }
}
