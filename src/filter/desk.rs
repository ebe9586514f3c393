use core::mem;
use std::borrow::Cow;

use http::HeaderMap;

use super::capability::{Capabilities, Capability};
use super::meter::Meter;
use super::reply::LocalReply;
use super::result_error::ResultError;
use crate::error::{Error, Origin};
use crate::resume::{ResumeHandle, ResumeSet};
use crate::sync::ConstArc;
use crate::unwind::drop_contained;
use crate::watermark::Marks;

/// What all calls of one message share. A view borrows it as one, so that a call that needs none
/// of it pays for one pointer.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    pub(crate) facts: MessageFacts,
    /// What the filters declared: the plan's, the same for all messages.
    /// `None` only when a chain that goes has given its desk away.
    declared: Option<ConstArc<DeclaredByAll>>,
    /// What the edge can do for this message.
    edge: Capabilities,
    /// Callbacks asked for something that the chain has to see to.
    pub(crate) touched: bool,
    /// The station that set the declared length.
    pub(crate) declared_by: Option<u8>,
    /// The station where the head stands, and which of its results its filter has said.
    result: Option<(u8, u8)>,
    /// Stations whose filters have changed the message, or were given something to change.
    pub(super) changed: u64,
    /// The engine has taken the declared length off the head.
    pub(crate) took_length_off: bool,
    /// Made when a filter does more than look at its view, hold and let go.
    book: Option<Box<Book>>,
}

/// What the filters of a plan declared, in the order of stations.
pub(crate) type DeclaredByAll = Box<[Declared]>;

/// What a filter declared, as far as its views and its station need it.
#[derive(Debug, Clone)]
pub(crate) struct Declared {
    pub(crate) capabilities: Capabilities,
    pub(crate) marks: Marks,
    pub(crate) results: Box<[Cow<'static, str>]>,
}

/// Facts of the message that every filter may read.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct MessageFacts {
    pub(crate) local_reply: bool,
    pub(crate) bodiless: bool,
    pub(crate) declared_bytes: Option<u64>,
}

/// Whether the view may grow in this call (rule I7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Growth {
    Open,
    Closed,
}

/// What callbacks asked for besides their verdict: stations, one bit each.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Asked {
    /// Refused with `Full` in this call or wave.
    pub(crate) refused: u64,
    pub(crate) dropped_data: u64,
    pub(crate) dropped_trailers: u64,
    /// Their kept bytes changed.
    pub(crate) kept_changed: u64,
    /// Wait for more input, whatever they hold up to their high marks.
    pub(crate) awaits_more: u64,
    /// Said a result that they did not declare.
    pub(crate) undeclared_result: u64,
    /// Their extension failed, and they were left out from here on.
    pub(crate) opened: u64,
}

#[derive(Debug, Default)]
struct Book {
    asked: Asked,
    /// Stations that have bytes which their filter added.
    ///
    /// Invariant: exactly those whose `added_bytes` is not 0.
    adding: u64,
    /// Of this message.
    resumes: Option<ResumeSet>,
    /// Of the output queue, in place of the plan's.
    out_marks: Option<Marks>,
    /// By which station, and what.
    reply: Option<(u8, Box<LocalReply>)>,
    failure: Option<(u8, Error)>,
    /// Trailers set before any were shown: they count with `END`.
    end_trailers: Option<(u8, Box<HeaderMap>)>,
    /// Empty until the first entry.
    ledgers: Vec<Ledger>,
    /// The set of a message before, or of this one once it is over: for the next, if no handle of
    /// it is left.
    retired: Option<ResumeSet>,
    /// Only where somebody records the steps of the message.
    meter: Option<Box<Meter>>,
    /// That of a message before.
    idle_meter: Option<Box<Meter>>,
}

impl Book {
    fn drop_undelivered(&mut self) {
        drop_contained(self.reply.take());
        drop_contained(self.failure.take());
        drop_contained(self.end_trailers.take());
    }
}

/// What one filter has added, keeps, and was given for marks.
#[derive(Debug, Clone, Copy, Default)]
struct Ledger {
    /// What the filter has added and its station still has. Bytes that leave count as added first.
    added_bytes: u64,
    /// The growth that was refused as `Full` last.
    wanted_bytes: u64,
    kept_bytes: u64,
    /// In place of the declared ones.
    marks: Option<Marks>,
}

impl Desk {
    pub(crate) fn new(declared: &ConstArc<DeclaredByAll>) -> Self {
        Self { declared: Some(ConstArc::clone(declared)), ..Self::default() }
    }

    fn declared(&self) -> &[Declared] {
        self.declared.as_deref().map_or(&[], |declared| declared)
    }

    /// Begins a message: nothing of the one before is left.
    pub(crate) fn begin(&mut self, facts: MessageFacts, edge: Capabilities) {
        self.facts = facts;
        self.edge = edge;
    }

    /// Forgets a message that is over. Keeps what was allocated for it.
    pub(crate) fn reset(&mut self) {
        self.touched = false;
        self.declared_by = None;
        self.result = None;
        self.changed = 0;
        self.took_length_off = false;
        self.retire_resumes();
        let stations = self.declared().len();
        if let Some(book) = self.book.as_deref_mut() {
            // A handle that is left belongs to the message that is over, and keeps its set.
            if book.retired.as_mut().is_some_and(|set| !set.recycle(stations)) {
                book.retired = None;
            }
            book.asked = Asked::default();
            book.adding = 0;
            book.out_marks = None;
            book.drop_undelivered();
            book.ledgers.clear();
            if let Some(meter) = book.meter.take() {
                book.idle_meter = Some(meter);
            }
        }
    }

    /// The filter of station `k`, where the head stands, says `result`.
    pub(super) fn say_result(&mut self, k: u8, result: &str) -> Result<(), ResultError> {
        if result.is_empty() {
            self.result = None;
            return Ok(());
        }
        let results = &self.declared()[usize::from(k)].results;
        // More than a byte can number are refused when the plan is built.
        let Some(said) = (0u8..).zip(results).find(|(_, name)| **name == *result) else {
            self.ask().undeclared_result |= 1u64 << k;
            return Err(ResultError::Undeclared);
        };
        self.result = Some((k, said.0));
        Ok(())
    }

    /// Whether the filter of station `k` has said a result that it did not declare.
    pub(crate) fn take_undeclared_result(&mut self, k: u8) -> bool {
        let bit = 1u64 << k;
        self.book.as_deref_mut().is_some_and(|book| {
            let said = book.asked.undeclared_result & bit != 0;
            book.asked.undeclared_result &= !bit;
            said
        })
    }

    /// What the filter of station `k` has said, as the number of a result that it declared. Nothing
    /// is success.
    pub(crate) fn take_result(&mut self, k: u8) -> Option<u8> {
        let (by, result) = self.result.take()?;
        (by == k).then_some(result)
    }

    /// From now on it is counted what comes to each station.
    pub(crate) fn start_meter(&mut self) {
        let stations = self.declared().len();
        let book = self.book.get_or_insert_default();
        let mut meter = book.idle_meter.take().unwrap_or_default();
        meter.begin(stations);
        book.meter = Some(meter);
    }

    /// To count what comes to each station, if that is wanted.
    #[inline]
    pub(crate) fn meter_mut(&mut self) -> Option<&mut Meter> {
        self.book.as_deref_mut()?.meter.as_deref_mut()
    }

    /// The message is over: its handles answer `Gone`, and the task's waker is let go.
    pub(crate) fn retire_resumes(&mut self) {
        let stations = self.declared().len();
        let Some(book) = self.book.as_deref_mut() else { return };
        if let Some(mut set) = book.resumes.take() {
            // Closed by that; filters may still have handles, so it is asked again in `reset`.
            let _ = set.recycle(stations);
            book.retired = Some(set);
        }
    }

    pub(crate) fn resume_handle(&mut self, k: u8) -> ResumeHandle {
        let stations = self.declared().len();
        let Self { book, touched, .. } = self;
        let Book { resumes, retired, .. } = &mut **book.get_or_insert_default();
        let set = resumes.get_or_insert_with(|| {
            // From now on the end of a station is told to its handles.
            *touched = true;
            retired.take().unwrap_or_else(|| ResumeSet::new(stations))
        });
        set.handle(k)
    }

    /// The resume handles of this message; `None` until a filter has asked for one.
    #[inline]
    pub(crate) fn resumes(&self) -> Option<&ResumeSet> {
        self.book.as_deref()?.resumes.as_ref()
    }

    /// Stations that have bytes which their filter added.
    #[inline]
    pub(crate) fn adding(&self) -> u64 {
        self.book.as_deref().map_or(0, |book| book.adding)
    }

    /// The marks of the output queue, if they are not the plan's.
    #[inline]
    pub(crate) fn out_marks(&self) -> Option<Marks> {
        self.book.as_deref()?.out_marks
    }

    pub(crate) fn set_out_marks(&mut self, marks: Marks) {
        self.book.get_or_insert_default().out_marks = Some(marks);
    }

    /// What the filter of station `k` declared and the edge can do for this message. No trailers
    /// can be added behind no body: the end is an ordinary end then.
    pub(crate) fn granted(&self, k: u8) -> Capabilities {
        let granted = self.declared()[usize::from(k)].capabilities.and(self.edge);
        if self.facts.bodiless { granted.without(Capability::AddTrailers) } else { granted }
    }

    /// Whether the head is as it came in.
    pub(crate) fn head_is_unchanged(&self) -> bool {
        self.changed == 0 && !self.took_length_off
    }

    /// Whether the edge can do it for this message.
    pub(crate) fn edge_has(&self, capability: Capability) -> bool {
        self.edge.has(capability)
    }

    #[inline]
    pub(crate) fn marks(&self, k: u8) -> Marks {
        match self.ledger(k).and_then(|ledger| ledger.marks) {
            Some(marks) => marks,
            None => self.declared()[usize::from(k)].marks,
        }
    }

    pub(crate) fn set_marks(&mut self, k: u8, marks: Marks) {
        self.ledger_mut(k).marks = Some(marks);
    }

    #[inline]
    pub(crate) fn kept(&self, k: u8) -> u64 {
        self.ledger(k).map_or(0, |ledger| ledger.kept_bytes)
    }

    /// Whether anything is noted of what a filter keeps or has added.
    pub(crate) fn keeps_books(&self) -> bool {
        self.book.as_deref().is_some_and(|book| !book.ledgers.is_empty())
    }

    pub(super) fn set_kept(&mut self, k: u8, bytes: u64) {
        self.ledger_mut(k).kept_bytes = bytes;
        self.ask().kept_changed |= 1u64 << k;
    }

    pub(crate) fn added(&self, k: u8) -> u64 {
        self.ledger(k).map_or(0, |ledger| ledger.added_bytes)
    }

    /// Whether the growth of station `k` that was refused last would fit under its own mark.
    pub(crate) fn refused_fits(&self, k: u8) -> bool {
        let wanted_bytes = self.ledger(k).map_or(0, |ledger| ledger.wanted_bytes);
        self.added(k).saturating_add(wanted_bytes) <= self.marks(k).high()
    }

    /// Growth of `bytes` was refused as `Full`.
    pub(super) fn refuse(&mut self, k: u8, bytes: u64) {
        self.ledger_mut(k).wanted_bytes = bytes;
        self.ask().refused |= 1u64 << k;
    }

    /// The filter of station `k` has made what its station has grow or shrink (ruling 6).
    pub(crate) fn account_growth(&mut self, k: u8, grown_bytes: i64) {
        if grown_bytes != 0 {
            let added_bytes = self.added(k);
            self.set_added(k, added_bytes.saturating_add_signed(grown_bytes));
        }
    }

    /// Bytes go on from station `k`: what was added counts as leaving first.
    pub(crate) fn leaves(&mut self, k: u8, bytes: usize) {
        if self.adding() & (1u64 << k) != 0 {
            let added_bytes = self.added(k);
            self.set_added(k, added_bytes.saturating_sub(bytes as u64));
        }
    }

    fn set_added(&mut self, k: u8, added_bytes: u64) {
        let bit = 1u64 << k;
        if added_bytes == 0 {
            if self.adding() & bit == 0 {
                return;
            }
            self.book.get_or_insert_default().adding &= !bit;
        } else {
            self.book.get_or_insert_default().adding |= bit;
            // The fast path looks at this alone.
            self.touched = true;
        }
        self.ledger_mut(k).added_bytes = added_bytes;
    }

    /// To note what a callback asks for.
    pub(super) fn ask(&mut self) -> &mut Asked {
        self.touched = true;
        &mut self.book.get_or_insert_default().asked
    }

    /// What callbacks asked for since the last time.
    pub(crate) fn take_asked(&mut self) -> Asked {
        self.touched = false;
        self.book.as_deref_mut().map_or_else(Asked::default, |book| mem::take(&mut book.asked))
    }

    /// The filter of station `k` holds, and goes on only with more input.
    pub(super) fn await_more(&mut self, k: u8) {
        self.ask().awaits_more |= 1u64 << k;
    }

    pub(super) fn put_reply(&mut self, k: u8, reply: LocalReply) {
        self.touched = true;
        self.book.get_or_insert_default().reply = Some((k, Box::new(reply)));
    }

    /// The reply that a filter gave last, and its station.
    pub(crate) fn take_reply(&mut self) -> Option<(u8, LocalReply)> {
        let (k, reply) = self.book.as_deref_mut()?.reply.take()?;
        Some((k, *reply))
    }

    pub(super) fn put_failure(&mut self, k: u8, error: Error) {
        self.touched = true;
        self.book.get_or_insert_default().failure = Some((k, error));
    }

    /// Who caused the failure that station `k` has stated.
    pub(super) fn failure_origin(&self, k: u8) -> Option<Origin> {
        let (by, error) = self.book.as_deref()?.failure.as_ref()?;
        (*by == k).then(|| error.origin())
    }

    /// The filter of station `k` is left out from here on.
    pub(super) fn note_open(&mut self, k: u8) {
        self.ask().opened |= 1u64 << k;
    }

    pub(crate) fn take_failure(&mut self) -> Option<(u8, Error)> {
        self.book.as_deref_mut()?.failure.take()
    }

    pub(super) fn put_end_trailers(&mut self, k: u8, trailers: HeaderMap) {
        self.touched = true;
        self.book.get_or_insert_default().end_trailers = Some((k, Box::new(trailers)));
    }

    pub(crate) fn take_end_trailers(&mut self) -> Option<(u8, HeaderMap)> {
        let (k, trailers) = self.book.as_deref_mut()?.end_trailers.take()?;
        Some((k, *trailers))
    }

    /// A reply, an error or trailers whose verdict was not returned are dropped.
    pub(crate) fn drop_undelivered(&mut self) {
        if let Some(book) = self.book.as_deref_mut() {
            book.drop_undelivered();
        }
    }

    #[inline]
    fn ledger(&self, k: u8) -> Option<&Ledger> {
        self.book.as_deref()?.ledgers.get(usize::from(k))
    }

    fn ledger_mut(&mut self, k: u8) -> &mut Ledger {
        let stations = self.declared().len();
        let ledgers = &mut self.book.get_or_insert_default().ledgers;
        if ledgers.is_empty() {
            ledgers.resize(stations, Ledger::default());
        }
        &mut ledgers[usize::from(k)]
    }
}
