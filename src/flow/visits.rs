//! Which nodes of one chain have run: what becomes the trace (flow-R8).
//!
//! One allocation a chain, at the first node, and nothing a chunk.

use core::time::Duration;

use super::program::Program;
use super::run::{HalfEnd, Run};
use super::spans::NodeSpan;
use super::trace_entry::TraceEntry;
use super::walk::At;
use crate::chain::Stats;
use crate::frame::Outcome;
use crate::sync::ConstArc as Arc;

/// The nodes of one chain that the head came to, in that order.
#[derive(Default)]
pub(super) struct Visits {
    visits: Vec<Visit>,
}

struct Visit {
    at: At,
    left: Left,
    head_in: Option<Duration>,
    span: NodeSpan,
}

/// Whether the head has left the node.
enum Left {
    NotYet,
    With { result: Option<u8>, at: Option<Duration> },
}

impl Visits {
    /// The head comes to `at`.
    pub(super) fn come(&mut self, run: &Run, at: At, stations: usize) {
        if !run.is_recorded() {
            return;
        }
        if self.visits.is_empty() {
            self.visits.reserve_exact(stations - at.station);
        }
        let name = run.script.program.piece(at.stage, at.step).map(|piece| &*piece.name);
        let span = run.span.node(at.stage, name.unwrap_or_default());
        let head_in = run.now();
        self.visits.push(Visit { at, left: Left::NotYet, head_in, span });
    }

    /// The head leaves the node where it stands, or is replaced there by its filter's reply.
    pub(super) fn leave(&mut self, run: &Run, result: Option<u8>) {
        if let Some(visit) = self.visits.last_mut() {
            visit.left = Left::With { result, at: run.now() };
        }
    }

    /// All is over.
    pub(super) fn end(
        self,
        program: &Program,
        outcome: &Outcome,
        stats: &Stats,
        arrived_bytes: &[u64],
    ) -> HalfEnd {
        let arrived = |station: usize| arrived_bytes.get(station).copied().unwrap_or(0);
        let left_bytes = arrived_bytes.last().copied().unwrap_or(0);
        let mut trace = Vec::with_capacity(self.visits.len());
        let mut visits = self.visits.into_iter().peekable();
        while let Some(visit) = visits.next() {
            let next = visits.peek().map(|next| next.at.station);
            let Some(piece) = program.piece(visit.at.stage, visit.at.step) else { continue };
            let (result, head_out) = match visit.left {
                Left::NotYet => (None, None),
                Left::With { result, at } => (Some(piece.result_name(result)), at),
            };
            let entry = TraceEntry {
                stage: visit.at.stage,
                node: Arc::clone(&piece.name),
                result,
                head_in: visit.head_in,
                head_out,
                bytes_in: arrived(visit.at.station),
                bytes_out: next.map_or(left_bytes, arrived),
            };
            visit.span.finish(&entry);
            trace.push(entry);
        }
        HalfEnd { outcome: outcome.clone(), stats: *stats, trace, left_bytes }
    }
}
