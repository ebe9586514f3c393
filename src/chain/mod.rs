//! Plans and chains: the sans-I/O engine.
//!
//! A [`Plan`] says which filters a message of one direction meets; bound to what an edge can do it
//! makes one [`Chain`] per message. A chain is driven by three kinds of method, as in quinn-proto:
//!
//! - `handle_*` gives it input: the head, data, trailers or the end; resumes; a reset, a timeout.
//!   Every one of them does all the work that has become possible before it returns (at most
//!   [`limits::MAX_CALLS_PER_DRIVE`] filter calls).
//! - [`Chain::poll_output`] is called until it answers `None`; each output tells the edge one thing
//!   to do, in order.
//! - Levels: [`Chain::wants_input`] says whether the source should be read, [`Chain::has_work`]
//!   whether the budget ran out and the edge should call again soon without waiting for anything.
//!
//! One loop drives a message: take resumes, drain outputs, give one input while it is wanted. The
//! state table and the rulings behind every choice are in `docs/architecture.md`.
//!
//! | file | what it does |
//! |---|---|
//! | `pass` | a chunk when nobody holds anything |
//! | `enter` | what comes in from the source |
//! | `wave` | head, bytes and tail going from station to station |
//! | `ask` | one filter call: the view, the call, its verdict |
//! | `drive` | which work is next; stalls |
//! | `leave` | the exit: output queue, length truth, `poll_output` |
//! | `informational` | heads before the final one (1xx) |
//! | `give` | filters that are made in pairs, for both directions |
//! | `route` | who decides which stations a head meets |
//! | `finish` | replies, failures, the outcome, close calls |
//! | `stations` | what each station keeps, its state, its watermark |
//! | `lobby` | head, trailers, and the bytes between stations |
//! | `storage` | what goes from one message to the next |
//!
//! This module never wakes, locks, reads a clock or spawns.
//!
//! [`limits::MAX_CALLS_PER_DRIVE`]: crate::limits::MAX_CALLS_PER_DRIVE

mod ask;
mod drive;
mod enter;
mod finish;
mod give;
mod informational;
mod input_error;
mod leave;
mod lobby;
mod output;
mod pass;
mod plan;
mod position;
mod route;
mod stations;
mod stations_slot;
mod stats;
mod storage;
mod traits;
mod wave;

use core::fmt;

pub(crate) use give::made_contained;
pub use input_error::InputError;
pub use output::Output;
pub use plan::{BoundPlan, Plan, PlanBuilder, PlanError, Unmet};
pub(crate) use route::{Entry, Next, Route};
pub use stats::Stats;
pub use traits::MessageTraits;

use crate::buf::BodyBuf;
use crate::error::ErrorKind;
use crate::filter::{Capabilities, Desk, Head, MessageFacts};
use crate::frame::Outcome;
use crate::resume::ResumeSet;
use crate::sync::ConstArc as Arc;
use crate::watermark::{Marks, Side};

use finish::Life;
use lobby::Lobby;
use position::{HeadAt, TailAt, number};
use route::Routing;
use stations_slot::StationsSlot;
use storage::{Filters, Storage, Upkeep};

/// The filters of one direction of one message, and all they hold.
///
/// Made by [`BoundPlan::chain`]. Dropping it before the message is over cancels the message: every
/// started filter gets its close call.
///
/// # Examples
///
/// ```
/// use bytes::Bytes;
/// use http::request;
/// use tidegate::{Capabilities, Filter, Head, MessageTraits, Output, Plan, Verdict, View};
///
/// struct HoldAll;
///
/// impl<H: Head> Filter<H> for HoldAll {
///     fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
///         if view.input_ended() { Verdict::PASS } else { Verdict::HOLD }
///     }
/// }
///
/// let plan = Plan::<request::Parts>::builder().filter("hold-all", || HoldAll).build()?;
/// let mut chain = plan.bind(Capabilities::ALL)?.chain(MessageTraits::new())?;
///
/// let (head, ()) = http::Request::new(()).into_parts();
/// chain.handle_head(head, false)?;
/// assert!(matches!(chain.poll_output(), Some(Output::Head { .. })));
/// chain.handle_data(Bytes::from_static(b"held"), false)?;
/// assert!(chain.poll_output().is_none());
/// chain.handle_end()?;
/// assert!(matches!(chain.poll_output(), Some(Output::Data(data)) if data == "held"));
/// assert!(matches!(chain.poll_output(), Some(Output::End)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Chain<H: Head> {
    plan: Arc<plan::Inner<H>>,
    filters: Filters<H>,
    stations: StationsSlot,
    /// What views share: capabilities, effects, resumes, facts of the message.
    desk: Desk,
    life: Life<H>,
    /// Head and trailers, and the bytes that are between stations.
    lobby: Lobby<H>,
    head_at: HeadAt,
    tail_at: TailAt,
    /// The output queue: the last station.
    out: BodyBuf,
    out_side: Side,
    /// The edge said that the message has no body, whatever its head says.
    bodiless_by_edge: bool,
    sight: traits::Sight,
    /// Whether trailers can be sent by the edge.
    trailers_by_edge: traits::Trailers,
    lengths: leave::Lengths,
    /// A filter declared the end, or a local reply took the message's place.
    source: Source,
    /// The filter that is being called, for the case that it panics.
    calling: Option<u8>,
    /// `wants_input` was false for watermarks when last looked at.
    paused: bool,
    /// Bytes taken from the source: of the statistics, what each chunk changes.
    input_bytes: u64,
    /// Filter calls made, other than `close`.
    calls: u64,
    /// The budget ran out before the work did, or the output queue has made room since.
    work: Work,
    /// The next chunk may take the fast path if it is no longer than this, in bytes: then it is one
    /// frame, and puts nothing over. 0 if none may.
    fast_chunk_bytes: usize,
    /// The fast path takes input up to this total, in bytes: beyond it, one of the two declared
    /// lengths is broken. Input and exit count alike on the fast path, so one limit serves both.
    fast_limit_bytes: u64,
    /// How many filters want data.
    data_count: u8,
    /// Who decides where the head goes, if it does not go straight on.
    routing: Option<Box<Routing<H>>>,
    /// Where its storage comes from, and whether that goes back when the message is over.
    upkeep: Upkeep,
}

/// Whether the source still matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Running,
    /// Later input is dropped and counted.
    Stopped,
}

/// Whether a drive would find something to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    Done,
    /// Only for filters that asked for themselves again: input is still wanted.
    Asked,
    /// The budget ran out.
    Left,
}

impl<H: Head> Chain<H> {
    fn new(plan: Arc<plan::Inner<H>>, edge: Capabilities, message: MessageTraits) -> Self {
        let (storage, upkeep) = Storage::of(&plan);
        let Storage { filters, mut stations, mut desk, out, lobby } = storage;
        let late = plan.late & !filters.stations();
        let (filters, unmade) = filters.complete(&plan);
        desk.begin(MessageFacts { bodiless: message.bodiless, ..MessageFacts::default() }, edge);
        stations.begin();
        stations.late = late;
        let mut chain = Self {
            filters,
            data_count: number(plan.masks.data.count_ones() as usize),
            stations,
            desk,
            life: Life::Live,
            lobby,
            head_at: HeadAt::Awaited,
            tail_at: TailAt::Awaited,
            out,
            out_side: Side::Below,
            bodiless_by_edge: message.bodiless,
            sight: message.sight,
            trailers_by_edge: message.trailers,
            lengths: leave::Lengths::default(),
            source: Source::Running,
            calling: None,
            paused: false,
            input_bytes: 0,
            calls: 0,
            work: Work::Done,
            fast_chunk_bytes: 0,
            fast_limit_bytes: 0,
            routing: None,
            upkeep,
            plan,
        };
        chain.grant_trailers();
        if let Some(k) = unmade {
            chain.fail_filter(k, ErrorKind::Panicked);
        }
        chain
    }

    /// How many filters the chain has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.stations.len()
    }

    /// Whether the chain has no filter: it still bounds, counts and checks lengths.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the source should be read: the message is alive, the head is there, the input has
    /// neither ended nor been stopped, nothing is over its high mark, nothing waits (ruling 12).
    ///
    /// A level, not an edge: look at it after every input and every output.
    #[inline]
    #[must_use]
    pub fn wants_input(&self) -> bool {
        self.is_fast() || self.wants_input_slow()
    }

    /// Whether nothing stands in the way of a chunk but what filters will say of it.
    #[inline]
    const fn is_fast(&self) -> bool {
        self.fast_chunk_bytes != 0
    }

    #[inline(never)]
    fn wants_input_slow(&self) -> bool {
        self.life.is_live()
            && self.head_at != HeadAt::Awaited
            && self.tail_at == TailAt::Awaited
            && self.source == Source::Running
            && !self.is_over()
            && self.lobby.entrance_len() == 0
            && self.work != Work::Left
    }

    /// Whether more can be done without waiting for anything: the call budget ran out. The edge
    /// calls [`poll_output`](Self::poll_output) again soon, after letting others run.
    #[must_use]
    pub fn has_work(&self) -> bool {
        self.work != Work::Done
    }

    /// Whether nothing more will be taken from the source: the message is over, a filter declared
    /// its end, or a local reply took its place. The edge stops reading.
    #[must_use]
    pub fn input_stopped(&self) -> bool {
        self.source == Source::Stopped || !self.life.is_live()
    }

    /// Whether a filter holds something back.
    #[must_use]
    pub fn is_holding(&self) -> bool {
        self.stations.holding != 0
    }

    /// How many bytes are at rest in stations and output queue. Never above
    /// [`Plan::held_bound_bytes`].
    #[must_use]
    pub fn held_bytes(&self) -> u64 {
        self.stations.held_bytes() + self.out.len() as u64
    }

    /// The driver's end of the resume handles; `None` until a filter has asked for a handle.
    #[must_use]
    pub fn resume_set(&self) -> Option<&ResumeSet> {
        self.desk.resumes()
    }

    /// What has been counted so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let mut stats = self.stations.stats;
        stats.input_bytes = self.input_bytes;
        stats.calls = self.calls;
        if self.life.is_live() {
            stats.output_bytes = self.given_bytes();
        }
        stats
    }

    /// How the message ended, once it has.
    #[must_use]
    pub fn outcome(&self) -> Option<&Outcome> {
        self.life.outcome()
    }

    /// Changes the watermarks of a station while the message is under way; `station == len()` is
    /// the output queue. Raising and lowering fire the right edge at once: the source may be
    /// wanted again, or a rejecting holder may now be over its limit.
    ///
    /// The memory bound stated by the plan is that of the marks it was built with.
    ///
    /// # Panics
    ///
    /// If `station` is over [`len`](Self::len).
    pub fn set_marks(&mut self, station: usize, marks: Marks) {
        assert!(station <= self.len(), "station {station} of a chain of {}", self.len());
        if station == self.len() {
            self.desk.set_out_marks(marks);
            self.update_out();
        } else {
            self.desk.set_marks(number(station), marks);
            self.recharge(station);
        }
        self.guarded(|chain| {
            if station < chain.len() {
                chain.check_limit(station);
            }
            chain.drive();
        });
    }

    /// Whether the message is a local reply: of a filter, of the engine, or from outside.
    #[must_use]
    pub fn is_local_reply(&self) -> bool {
        self.desk.facts.local_reply
    }

    /// States that the message has no body, whatever its head says, for an edge that learns it with
    /// the head only: the response to a HEAD request of which it has not been shown the method.
    /// Without effect once the head has come.
    pub fn set_bodiless(&mut self) {
        if self.head_at == HeadAt::Awaited {
            self.bodiless_by_edge = true;
            self.desk.facts.bodiless = true;
            self.grant_trailers();
        }
    }

    /// Whether no filter has changed the head, or was given it to change.
    #[cfg(feature = "ext-proc")]
    pub(crate) fn head_is_unchanged(&self) -> bool {
        self.desk.head_is_unchanged()
    }

    /// Whether any head, or a local reply, has come.
    pub(crate) fn has_begun(&self) -> bool {
        self.head_at != HeadAt::Awaited || self.lobby.informational().is_some()
    }

    /// Something is over its high mark: a station or the output queue.
    fn is_over(&self) -> bool {
        self.stations.over != 0 || self.out_side == Side::Above
    }

    /// Whether something behind station `k` (or behind the entrance before it, for `k - 1`) is
    /// over.
    fn is_over_from(&self, k: usize) -> bool {
        self.out_side == Side::Above || self.stations.over & stations::from(k) != 0
    }

    /// Brings what depends on the bytes of station `k` up to date.
    fn recharge(&mut self, k: usize) {
        if self.stations.are_bare() && !self.desk.keeps_books() {
            return;
        }
        let (marks, kept_bytes) = (self.desk.marks(number(k)), self.desk.kept(number(k)));
        let queued_bytes = self.out.len() as u64;
        // Looked up once: this is done after every call.
        let stations = &mut *self.stations;
        let blocked = self.out_side == Side::Above || stations.over & stations::from(k + 1) != 0;
        stations.recharge(k, marks, kept_bytes, blocked);
        let held_bytes = stations.held_bytes() + queued_bytes;
        stations.stats.peak_held_bytes = stations.stats.peak_held_bytes.max(held_bytes);
    }

    /// The marks of the output queue.
    #[inline]
    fn out_marks(&self) -> Marks {
        self.desk.out_marks().unwrap_or(self.plan.output_marks)
    }

    fn note_peak(&mut self) {
        let held_bytes = self.held_bytes();
        if held_bytes > self.stations.stats.peak_held_bytes {
            self.stations.stats.peak_held_bytes = held_bytes;
        }
    }

    /// Decides, at the end of every entry into the engine, whether the next chunk can take the
    /// fast path: the head has been taken, nothing waits, nobody keeps anything.
    fn refresh(&mut self) {
        let fast = self.life.is_live()
            && self.head_at == HeadAt::Taken
            && self.tail_at == TailAt::Awaited
            && self.source == Source::Running
            && self.out_side == Side::Below
            && self.lobby.entrance_len() == 0
            && self.stations.all_clear()
            && self.desk.adding() == 0
            && self.work == Work::Done;
        self.fast_chunk_bytes = 0;
        if fast {
            self.open_fast_path();
        }
        let paused = self.is_over();
        let flows = self.source == Source::Running && self.tail_at == TailAt::Awaited;
        if paused != self.paused && flows && self.life.is_live() {
            self.paused = paused;
            let counter = if paused {
                &mut self.stations.stats.pauses
            } else {
                &mut self.stations.stats.resumes
            };
            *counter += 1;
        }
        #[cfg(debug_assertions)]
        self.invariants();
    }

    /// The longest chunk that is one frame, and puts nothing over, in bytes.
    fn chunk_limit_bytes(&self) -> usize {
        let high_bytes = usize::try_from(self.out_marks().high()).unwrap_or(usize::MAX);
        self.plan.max_frame_bytes.min(high_bytes)
    }

    /// The next chunk can take the fast path.
    fn open_fast_path(&mut self) {
        self.fast_chunk_bytes = self.chunk_limit_bytes();
        let exit_room = self.lengths.exit_room_bytes();
        self.fast_limit_bytes =
            self.input_limit_bytes().min(self.input_bytes.saturating_add(exit_room));
    }

    #[cfg(debug_assertions)]
    fn invariants(&self) {
        self.stations.invariants();
        debug_assert!(self.lobby.transit_len() == 0, "no wave is under way between entries");
        debug_assert_eq!(self.calling, None, "no filter is being called between entries");
        debug_assert_eq!(
            self.lobby.head().is_some(),
            !matches!(self.head_at, HeadAt::Awaited | HeadAt::Taken) && self.life.is_live(),
            "the head slot is full exactly while the head stands somewhere"
        );
    }
}

impl<H: Head> fmt::Debug for Chain<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chain")
            .field("filters", &self.plan.stations.iter().map(|s| &*s.name).collect::<Vec<_>>())
            .field("outcome", &self.life.outcome())
            .field("head_at", &self.head_at)
            .field("tail_at", &self.tail_at)
            .field("held_bytes", &self.held_bytes())
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
