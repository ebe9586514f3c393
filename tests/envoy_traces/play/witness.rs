//! Notes what a filter is shown and what it lets go.

use std::marker::PhantomData;

use tidegate::{Verdict, View};

use super::board::{Board, Station};
use super::kind::{Kind, all_fields};

/// The part of every filter of a run that takes notes.
pub(crate) struct Witness<H> {
    pub(crate) name: String,
    pub(crate) board: Board,
    /// How long the view was when the call began, in bytes.
    before: usize,
    kind: PhantomData<fn(H)>,
}

/// What a verdict lets go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Goes {
    All,
    Head,
    Nothing,
}

impl Goes {
    pub(crate) fn by(verdict: Verdict) -> Self {
        if verdict == Verdict::PASS {
            Self::All
        } else if verdict == Verdict::pass_first(0) {
            Self::Head
        } else {
            Self::Nothing
        }
    }
}

/// Whether what arrives is to queue unseen.
pub(crate) fn is_quiet(verdict: Verdict) -> bool {
    [Verdict::HOLD.quiet(), Verdict::HOLD.or_reject().quiet()].contains(&verdict)
}

/// Whether what is over the limit is to be refused.
fn is_rejecting(verdict: Verdict) -> bool {
    [Verdict::HOLD.or_reject(), Verdict::HOLD.or_reject().quiet()].contains(&verdict)
}

impl<H: Kind> Witness<H> {
    pub(crate) fn new(name: String, board: Board) -> Self {
        Self { name, board, before: 0, kind: PhantomData }
    }

    /// Before anything is done.
    pub(crate) fn enter(&mut self, view: &mut View<'_, H>) {
        let handle = view.resume_handle();
        let body = bytes_of(view);
        self.before = body.len();
        let (held, new) = body.split_at(view.new_at());
        let (head, trailers) = (view.head().map(H::shown_fields), view.trailers().map(all_fields));
        self.note(|station| {
            station.started = true;
            station.handle.get_or_insert(handle);
            station.shown.body.0.extend_from_slice(new);
            station.shown.end |= view.input_ended();
            if station.closed > 0 {
                Some("asked behind its close (I9)")
            } else if station.held != held {
                Some("what it held was changed by another (I2)")
            } else if station.held_head.is_some() && station.held_head != head {
                Some("the head that it held was changed by another (I2)")
            } else if station.held_trailers.is_some() && station.held_trailers != trailers {
                Some("the trailers that it held were changed by another (I2)")
            } else {
                None
            }
        });
    }

    /// The head is in the view.
    pub(crate) fn shown_head(&self, view: &View<'_, H>) {
        let fields = view.head().map(H::shown_fields);
        let local = view.is_local_reply();
        self.note(|station| {
            station.local = local;
            let twice = station.shown.head.replace(fields.unwrap_or_default()).is_some();
            twice.then_some("shown a second head (I9)")
        });
    }

    /// The trailers are in the view. An empty map is none.
    pub(crate) fn shown_trailers(&self, view: &View<'_, H>) {
        let map = view.trailers().map(all_fields).filter(|map| !map.is_empty());
        self.note(|station| {
            let twice = std::mem::replace(&mut station.shown.trailers, map).is_some();
            twice.then_some("shown trailers twice (I5)")
        });
    }

    /// After everything is done.
    pub(crate) fn leave(&self, view: &View<'_, H>, verdict: Verdict) -> Verdict {
        let body = bytes_of(view);
        let head = view.head().map(H::shown_fields);
        let trailers = view.trailers().map(all_fields).filter(|map| !map.is_empty());
        let (before, after) = (self.before as i64, body.len() as i64);
        self.note(|station| {
            station.grown_bytes += after - before;
            let goes = Goes::by(verdict);
            station.quiet = is_quiet(verdict);
            station.rejects = is_rejecting(verdict);
            station.held_head = head.clone().filter(|_| goes == Goes::Nothing);
            station.held_trailers = trailers.clone().filter(|_| goes != Goes::All);
            if goes != Goes::Nothing {
                station.given.head = station.given.head.take().or(head);
            }
            if goes == Goes::All {
                station.given.body.0.extend_from_slice(&body);
                station.given.end |= view.input_ended();
                station.given.trailers = station.given.trailers.take().or(trailers);
                station.held.clear();
            } else {
                station.held = body;
            }
            None
        });
        verdict
    }

    pub(crate) fn closed(&self) {
        self.note(|station| {
            station.closed += 1;
            (station.closed > 1).then_some("closed twice (I9)")
        });
    }

    pub(crate) fn note(&self, note: impl FnOnce(&mut Station) -> Option<&'static str>) {
        let mut notes = self.board.lock();
        let fault = note(notes.stations.entry((H::DIRECTION, self.name.clone())).or_default());
        if let Some(fault) = fault {
            let fault = format!("{:?} {}: {fault}", H::DIRECTION, self.name);
            notes.faults.push(fault);
        }
    }
}

fn bytes_of<H: Kind>(view: &View<'_, H>) -> Vec<u8> {
    view.body().chunks().flatten().copied().collect()
}
