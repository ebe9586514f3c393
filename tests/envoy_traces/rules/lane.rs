//! Where Envoy keeps the bytes of one message: unread, in the piece of a callback, in the shared
//! buffer, at the peer.
//!
//! This module never judges: it follows the trace, tells the ledger who was handed what, and
//! fails where the two do not fit.

use std::collections::{BTreeSet, VecDeque};

use crate::trace::entry::Stated;
use crate::trace::{Direction, Script, Status};

use super::Rule;
use super::ledger::{ByteId, Ledger};

/// What a filter's last status means to Envoy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// Never called. Envoy takes a resume of such a filter like one of a stopped filter.
    Fresh,
    Iterating,
    /// Iterating, but a resume is taken (`ContinueAndDontEndStream`).
    OwesEnd,
    Stopped,
    /// Not called for what arrives.
    StoppedAll,
}

/// The bytes a data callback is about.
#[derive(Clone, Debug)]
pub(crate) enum Piece {
    /// The shared buffer itself.
    Shared,
    Own(Vec<ByteId>),
}

/// What goes on to a station next, if nothing stops it.
#[derive(Debug)]
struct Flight {
    to: usize,
    piece: Piece,
}

/// One data callback as it begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Handed<'t> {
    pub(crate) received: &'t [u8],
    pub(crate) alias: bool,
    pub(crate) end: bool,
    pub(crate) buffer: &'t Stated,
}

/// What has become of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Course {
    Going,
    /// The peer was told that it is complete.
    Complete,
    /// The peer was sent what cannot be, and understands no more.
    Garbled,
    /// By a reset, a local reply, or a response that ended first.
    Cut,
}

/// How Envoy takes a resume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resume {
    /// Not at all: the filter has not stopped.
    Dropped,
    Taken {
        held_bytes: bool,
    },
}

/// What became of a resume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resumed {
    /// Envoy moved something, or there was nothing to move.
    Served,
    /// What the filter held is where it was.
    Ignored,
}

#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) ledger: Ledger,
    modes: Vec<Mode>,
    /// Sent by the source, not read by Envoy.
    unread: VecDeque<ByteId>,
    /// How many bytes the source sent, and how many end the message.
    pub(crate) sent_bytes: u64,
    pub(crate) declared_bytes: Option<u64>,
    /// A local reply is the source: what it consists of is not known before it is seen.
    is_reply: bool,
    shared: Option<Vec<ByteId>>,
    flight: Option<Flight>,
    /// Before each station: what a stock filter keeps that stands there, if one does.
    stock: Vec<Option<VecDeque<ByteId>>>,
    /// The stations before which one stands that may hold.
    stock_holds: Vec<bool>,
    /// All that went to the peer.
    sent: Vec<ByteId>,
    /// How much of it the peer has got, in bytes.
    arrived_bytes: usize,
    /// What a filter added in its trailers callback, and Envoy passed on before its answer.
    early: Vec<ByteId>,
    /// The filter that held the end and resumed in this step.
    tail_resumed: Option<usize>,
    /// How much the head promised the peer, in bytes.
    pub(crate) promised_bytes: Option<usize>,
    pub(crate) course: Course,
    /// Whether the trace still says what is in the buffers.
    pub(crate) is_told: bool,
}

impl Lane {
    pub(crate) fn new(script: &Script, direction: Direction) -> Self {
        let mut chain: Vec<_> = script.chain.iter().collect();
        if direction == Direction::Response {
            chain.reverse();
        }
        let mut names = Vec::new();
        let mut stock = vec![None];
        let mut stock_holds = vec![false];
        for filter in chain {
            if let Some(builtin) = &filter.builtin {
                *stock.last_mut().unwrap() = Some(VecDeque::new());
                // The one wasm module there is only adds trailers.
                *stock_holds.last_mut().unwrap() |=
                    !builtin["@type"].to_string().contains(".wasm.");
            } else {
                names.push(filter.name.clone());
                stock.push(None);
                stock_holds.push(false);
            }
        }
        Self {
            modes: vec![Mode::Fresh; names.len()],
            ledger: Ledger::new(direction, names),
            unread: VecDeque::new(),
            sent_bytes: 0,
            declared_bytes: None,
            is_reply: false,
            shared: None,
            flight: None,
            stock,
            stock_holds,
            sent: Vec::new(),
            arrived_bytes: 0,
            early: Vec::new(),
            tail_resumed: None,
            promised_bytes: None,
            course: Course::Going,
            is_told: true,
        }
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        let ids = self.ledger.send(bytes);
        self.sent_bytes += ids.len() as u64;
        self.unread.extend(ids);
    }

    /// A local reply takes the place of this message, from the first filter on; it passes by the
    /// filter that made it.
    pub(crate) fn replace_by_reply(&mut self, maker: Option<usize>) {
        self.unread.clear();
        self.flight = None;
        self.shared = None;
        self.is_reply = true;
        self.course = Course::Going;
        self.ledger.passed_by = maker;
        self.ledger.send_head();
        self.ledger.send_tail();
    }

    pub(crate) fn cut(&mut self) {
        self.course = Course::Cut;
        self.flight = None;
    }

    pub(crate) fn is_cut(&self) -> bool {
        self.course == Course::Cut
    }

    // What the trace says of the shared buffer.

    /// Compares the shared buffer with what the trace says is in it.
    pub(crate) fn check_buffer(&mut self, stated: &Stated) -> Result<(), String> {
        if self.is_cut() || !self.is_told || *stated == Stated::Unstated {
            return Ok(());
        }
        let bytes = stated.bytes();
        let known = self.ledger.text(self.shared.as_deref().unwrap_or_default());
        let Some(more) = bytes.strip_prefix(&*known) else {
            return Err(format!("the shared buffer is {stated:?} and not {known:?}"));
        };
        let more = self.find_unseen(more).ok_or_else(|| {
            format!("the shared buffer is {stated:?}, and nobody put all of it there: {known:?}")
        })?;
        match stated {
            Stated::Unstated | Stated::Missing => self.shared = None,
            Stated::Bytes(_) => self.shared.get_or_insert_default().extend(more),
        }
        Ok(())
    }

    /// Bytes that reached the shared buffer without a callback: the first filter is stopped for
    /// all, or a stock filter put them there.
    fn find_unseen(&mut self, bytes: &[u8]) -> Option<Vec<ByteId>> {
        if bytes.is_empty() {
            return Some(Vec::new());
        }
        if self.modes.first() == Some(&Mode::StoppedAll)
            && let Some(ids) = split_front(&self.ledger, &mut self.unread, bytes)
        {
            return Some(ids);
        }
        self.split_stock(self.stock.len() - 1, bytes)
    }

    fn split_stock(&mut self, up_to: usize, bytes: &[u8]) -> Option<Vec<ByteId>> {
        let queues = self.stock[..=up_to].iter_mut().rev().flatten();
        let ledger = &self.ledger;
        queues.into_iter().find_map(|queue| split_front(ledger, queue, bytes))
    }

    // Passing on.

    /// Ends a pass that did not reach another callback. `stated` is the shared buffer after it.
    pub(crate) fn land(&mut self, stated: &Stated) {
        let Some(Flight { to, piece }) = self.flight.take() else { return };
        let to = if self.ledger.passed_by == Some(to) { to + 1 } else { to };
        let kept = self
            .shared
            .as_ref()
            .is_some_and(|shared| !shared.is_empty() && self.ledger.text(shared) == stated.bytes());
        if self.is_cut() || (matches!(piece, Piece::Shared) && kept) {
            return;
        }
        if let Some(queue) = &mut self.stock[to] {
            match piece {
                Piece::Own(ids) => queue.extend(ids),
                Piece::Shared if *stated == Stated::Unstated => {}
                Piece::Shared => queue.extend(self.shared.iter_mut().flat_map(|all| all.drain(..))),
            }
        } else if to == self.ledger.peer() {
            let ids = match piece {
                Piece::Own(ids) => ids,
                Piece::Shared => self.shared.as_mut().map(std::mem::take).unwrap_or_default(),
            };
            self.deliver(ids);
        } else if self.modes[to] == Mode::StoppedAll
            && let Piece::Own(ids) = piece
        {
            self.shared.get_or_insert_default().extend(ids);
        }
    }

    fn deliver(&mut self, ids: Vec<ByteId>) {
        self.ledger.show(self.ledger.peer(), &ids);
        self.sent.extend(ids);
    }

    /// The peer got these bytes.
    pub(crate) fn arrive(&mut self, bytes: &[u8]) -> Result<(), String> {
        let end = self.arrived_bytes + bytes.len();
        if end > self.sent.len()
            && let missing = &bytes[self.sent.len().saturating_sub(self.arrived_bytes)..]
            && let Some(ids) = self.split_stock(self.stock.len() - 1, missing)
        {
            self.deliver(ids);
        }
        if self.ledger.peer() == 0
            && let Some(ids) = split_front(&self.ledger, &mut self.unread, bytes)
        {
            self.deliver(ids);
        }
        let sent = self.sent.get(self.arrived_bytes..end).unwrap_or_default();
        let sent = self.ledger.text(sent);
        self.arrived_bytes = end;
        if sent == bytes {
            Ok(())
        } else {
            Err(format!("the peer got {bytes:?}, and was sent {sent:?}"))
        }
    }

    // Callbacks.

    pub(crate) fn enter_headers(&mut self, station: usize, end: bool) {
        self.ledger.show_head(station);
        if end {
            self.ledger.show_tail(station);
        }
    }

    /// A pass of data may be waiting for one of heads.
    pub(crate) fn keeps_flight(&self, headers_at: usize) -> bool {
        self.flight.as_ref().is_some_and(|flight| flight.to <= headers_at)
    }

    pub(crate) fn exit_headers(&mut self, station: usize, status: Status, promotes: bool) {
        if self.is_cut() {
            return;
        }
        let held = self.shared.clone().unwrap_or_default();
        match status {
            Status::ContinueAndDontEndStream => {
                self.ledger.let_go(station, &held, false);
                self.modes[station] = Mode::OwesEnd;
            }
            Status::StopIteration => self.modes[station] = Mode::Stopped,
            Status::StopAllIterationAndBuffer | Status::StopAllIterationAndWatermark => {
                self.modes[station] = Mode::StoppedAll;
            }
            Status::Continue
            | Status::StopIterationAndBuffer
            | Status::StopIterationAndWatermark
            | Status::StopIterationNoBuffer
            | Status::ContinueAndResetStream
            | Status::Nothing => {
                self.ledger.let_go(station, &held, true);
                self.modes[station] = Mode::Iterating;
                // Headers that end the message, and a body that a filter added to them.
                if promotes && self.flight.is_none() && !held.is_empty() {
                    self.flight = Some(Flight { to: station + 1, piece: Piece::Shared });
                }
            }
        }
    }

    pub(crate) fn enter_data(
        &mut self,
        station: usize,
        handed: Handed<'_>,
    ) -> Result<Piece, String> {
        let piece = if handed.alias {
            match &self.flight {
                Some(Flight { to, piece: Piece::Shared }) if *to <= station => self.flight = None,
                Some(_) | None => self.land(&Stated::Unstated),
            }
            Piece::Shared
        } else {
            Piece::Own(self.enter_own(station, handed)?)
        };
        self.check_buffer(handed.buffer)?;
        let ids = self.ids(&piece);
        self.ledger.show(station, &ids);
        if handed.end {
            self.ledger.show_tail(station);
        }
        self.check_piece(&piece, handed.received)?;
        Ok(piece)
    }

    /// The bytes of a piece that is not the shared buffer.
    fn enter_own(&mut self, station: usize, handed: Handed<'_>) -> Result<Vec<ByteId>, String> {
        let bytes = handed.received;
        if let Some(Flight { to, piece: Piece::Own(ids) }) = &mut self.flight
            && *to <= station
        {
            let mut ids = std::mem::take(ids);
            // A filter moved its whole piece to the shared buffer: Envoy moves that back.
            let moved_back = ids.is_empty() && !bytes.is_empty();
            if moved_back && let Some(shared) = &mut self.shared {
                ids = std::mem::take(shared);
            }
            if self.ledger.text(&ids) == bytes {
                self.flight = None;
                return Ok(ids);
            }
            if let Some(Flight { piece, .. }) = &mut self.flight {
                *piece = Piece::Own(ids);
            }
        }
        self.land(handed.buffer);
        if let Some(ids) = self.split_stock(station, bytes) {
            return Ok(ids);
        }
        if self.is_reply {
            return Ok(self.ledger.send(bytes));
        }
        split_front(&self.ledger, &mut self.unread, bytes)
            .ok_or_else(|| format!("nobody sent {bytes:?}"))
    }

    /// Compares the bytes of a callback with what the trace says they are.
    pub(crate) fn check_piece(&self, piece: &Piece, stated: &[u8]) -> Result<(), String> {
        let known = self.ledger.text(&self.ids(piece));
        if self.is_cut() || known == stated {
            Ok(())
        } else {
            Err(format!("the piece is {stated:?} and not {known:?}"))
        }
    }

    fn ids(&self, piece: &Piece) -> Vec<ByteId> {
        match piece {
            Piece::Shared => self.shared.clone().unwrap_or_default(),
            Piece::Own(ids) => ids.clone(),
        }
    }

    pub(crate) fn exit_data(&mut self, station: usize, piece: Piece, status: Status) {
        if self.is_cut() {
            return;
        }
        let keeps = match status {
            Status::StopIterationNoBuffer => {
                self.ledger.take(station, &self.ids(&piece));
                self.modes[station] = Mode::Stopped;
                return;
            }
            Status::StopIterationAndBuffer | Status::StopIterationAndWatermark => true,
            _ => false,
        };
        let stopped = self.modes[station] == Mode::Stopped;
        let piece = match piece {
            Piece::Own(ids) if keeps || stopped => {
                self.shared.get_or_insert_default().extend(ids);
                Piece::Shared
            }
            piece @ (Piece::Own(_) | Piece::Shared) => piece,
        };
        if keeps {
            self.modes[station] = Mode::Stopped;
            return;
        }
        let mut held = self.shared.clone().unwrap_or_default();
        if let Piece::Own(ids) = &piece {
            held.extend(ids);
        }
        self.modes[station] = Mode::Iterating;
        self.ledger.let_go(station, &held, true);
        self.flight = Some(Flight { to: station + 1, piece });
    }

    pub(crate) fn exit_trailers(&mut self, station: usize, status: Status) {
        if self.is_cut() {
            return;
        }
        let early = std::mem::take(&mut self.early);
        if status == Status::StopIteration {
            self.modes[station] = Mode::Stopped;
            self.ledger.check_early(station, &early);
            return;
        }
        let was_stopped =
            std::mem::replace(&mut self.modes[station], Mode::Iterating) == Mode::Stopped;
        let held = self.shared.clone().unwrap_or_default();
        self.ledger.let_go(station, &held, true);
        if was_stopped && self.shared.is_some() {
            self.flight = Some(Flight { to: station + 1, piece: Piece::Shared });
        }
    }

    // Verbs.

    /// A filter resumes.
    pub(crate) fn resume(&mut self, station: usize) -> Resume {
        if self.is_cut() || self.modes[station] == Mode::Iterating {
            return Resume::Dropped;
        }
        let mode = std::mem::replace(&mut self.modes[station], Mode::Iterating);
        let held = self.shared.clone().unwrap_or_default();
        let held_bytes = self.ledger.holds_bytes(station, &held);
        if self.ledger.holds_tail(station) {
            self.tail_resumed = Some(station);
        }
        self.ledger.let_go(station, &held, true);
        if self.shared.is_some() {
            let to = if mode == Mode::StoppedAll { station } else { station + 1 };
            self.flight = Some(Flight { to, piece: Piece::Shared });
        }
        Resume::Taken { held_bytes }
    }

    /// The resume is over. `stated` is the shared buffer after it.
    pub(crate) fn resumed(&mut self, stated: &Stated) -> Resumed {
        let quiet = |to: usize| self.modes.get(to) == Some(&Mode::StoppedAll);
        let waits = self.flight.as_ref().is_some_and(|flight| !quiet(flight.to));
        self.land(stated);
        let kept = self.shared.as_ref().is_some_and(|shared| !shared.is_empty());
        if waits && kept { Resumed::Ignored } else { Resumed::Served }
    }

    pub(crate) fn append_received(&mut self, station: usize, piece: &mut Piece, bytes: &[u8]) {
        let ids = self.ledger.add(station, bytes);
        match piece {
            Piece::Shared => self.shared.get_or_insert_default().extend(ids),
            Piece::Own(own) => own.extend(ids),
        }
    }

    /// In a trailers callback, before there is a shared buffer, the bytes go on at once.
    pub(crate) fn append_buffered(&mut self, station: usize, bytes: &[u8], in_trailers: bool) {
        let ids = self.ledger.add(station, bytes);
        if in_trailers && self.shared.is_none() && self.is_open(station) {
            self.ledger.let_go(station, &ids, false);
            self.early.extend(&ids);
            self.flight = Some(Flight { to: station + 1, piece: Piece::Own(ids) });
        } else {
            self.shared.get_or_insert_default().extend(ids);
        }
    }

    /// Outside its callbacks a filter that holds nothing lets go what it adds.
    pub(crate) fn let_go_added(&mut self, station: usize) {
        if self.is_open(station) {
            let held = self.shared.clone().unwrap_or_default();
            self.ledger.let_go(station, &held, false);
        }
    }

    fn is_open(&self, station: usize) -> bool {
        match self.modes[station] {
            Mode::Fresh | Mode::Iterating => true,
            Mode::OwesEnd | Mode::Stopped | Mode::StoppedAll => false,
        }
    }

    pub(crate) fn drain_received(&mut self, station: usize, piece: &mut Piece, bytes: usize) {
        let ids: Vec<_> = match piece {
            Piece::Shared => return self.drain_buffered(station, bytes),
            Piece::Own(own) => own.drain(..bytes.min(own.len())).collect(),
        };
        self.ledger.drain(station, &ids);
    }

    pub(crate) fn drain_buffered(&mut self, station: usize, bytes: usize) {
        let Some(shared) = &mut self.shared else { return };
        let ids: Vec<_> = shared.drain(..bytes.min(shared.len())).collect();
        self.ledger.drain(station, &ids);
    }

    // The end.

    /// At the end of a step: has the end gone on from the filter that resumed with it? It waits
    /// behind bytes that the peer has no room for, and for a filter that asked for no calls.
    pub(crate) fn check_resumed_tail(&mut self) {
        let Some(station) = self.tail_resumed.take() else { return };
        let waits = self.modes.get(station + 1) == Some(&Mode::StoppedAll)
            || self.sent.len() > self.arrived_bytes;
        if self.course == Course::Going && !waits {
            self.ledger.check_tail_moved(station);
        }
    }

    /// Compares what was sent with what the head said.
    pub(crate) fn check_length(&mut self, is_over: bool) {
        let Some(promised) = self.promised_bytes else { return };
        let sent = self.sent.len();
        if sent > promised || (is_over && sent < promised) {
            self.promised_bytes = None;
            let peer = self.ledger.peer();
            let what = format!(
                "{} is told a content-length of {promised} bytes and is sent {sent}",
                self.ledger.name(peer)
            );
            self.ledger.report(Rule::I12, peer, what);
        }
    }

    /// At the end of a step: has all that was let go gone on? It may wait for Envoy to read it, in
    /// a stock filter, for a filter that asked for no calls, and for room at the peer.
    pub(crate) fn check_moved(&mut self) {
        if self.course != Course::Going {
            return;
        }
        let unread: BTreeSet<_> = self.unread.iter().copied().collect();
        let no_room = self.sent.len() > self.arrived_bytes;
        let peer = self.ledger.peer();
        let (modes, stock_holds) = (&self.modes, &self.stock_holds);
        self.ledger.check_moved(|station, byte| {
            modes.get(station) == Some(&Mode::StoppedAll)
                || stock_holds[station]
                || byte.is_some_and(|id| unread.contains(&id))
                || (byte.is_none() && station == peer && no_room)
        });
    }
}

/// Takes these bytes from the front of a queue, if they are there.
fn split_front(ledger: &Ledger, queue: &mut VecDeque<ByteId>, bytes: &[u8]) -> Option<Vec<ByteId>> {
    let front: Vec<_> = queue.iter().take(bytes.len()).copied().collect();
    if ledger.text(&front) != bytes {
        return None;
    }
    queue.drain(..bytes.len());
    Some(front)
}
