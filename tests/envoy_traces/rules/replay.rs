//! Plays the entries of a trace into lanes and ledgers.
//!
//! This module never keeps bytes.

use crate::trace::entry::{Did, Do, Note, Stated, What};
use crate::trace::wire::{Event, Wire};
use crate::trace::{
    Amount, Callback, Direction, Enter, Entry, Exit, Input, Place, Proto, Protocol, Record, Status,
    Step, Trace, Verb,
};

use super::lane::{Course, Handed, Lane, Piece, Resume, Resumed};
use super::limits::Limits;
use super::{Rule, Violation};

/// A callback under way.
struct Open<'t> {
    filter: &'t str,
    callback: Callback,
    station: usize,
    end: bool,
    /// Of a data callback.
    piece: Option<Piece>,
    /// The filter added to the shared buffer.
    has_appended: bool,
    /// The filter asked to be resumed, in this very callback.
    asked: Asked,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    Nothing,
    /// Envoy did nothing: the filter was not stopped.
    InVain,
    /// Envoy did it at once.
    Done,
}

/// An action under way.
enum Action {
    Resume { direction: Direction, station: usize, resume: Resume, enters: usize },
    Other,
}

pub(super) struct Replay<'t> {
    trace: &'t Trace,
    lanes: [Lane; 2],
    limits: Limits,
    open: Vec<Open<'t>>,
    actions: Vec<Action>,
    /// Callbacks so far.
    enters: usize,
    /// A local reply was made; its callbacks follow.
    replied: bool,
}

impl<'t> Replay<'t> {
    pub(super) fn new(trace: &'t Trace) -> Self {
        Self {
            trace,
            lanes: Direction::BOTH.map(|direction| Lane::new(&trace.script, direction)),
            limits: Limits::new(&trace.script.opts),
            open: Vec::new(),
            actions: Vec::new(),
            enters: 0,
            replied: false,
        }
    }

    fn lane(&mut self, direction: Direction) -> &mut Lane {
        &mut self.lanes[direction as usize]
    }

    /// All that was found, or why the trace cannot be followed.
    pub(super) fn run(mut self) -> Result<Vec<Violation>, String> {
        for record in &self.trace.steps {
            for lane in &mut self.lanes {
                lane.ledger.step = record.step;
            }
            self.record(record).map_err(|error| format!("step {}: {error}", record.step))?;
        }
        Ok(self.lanes.into_iter().flat_map(|lane| lane.ledger.violations).collect())
    }

    fn record(&mut self, record: &'t Record) -> Result<(), String> {
        self.input(&record.did);
        for entry in &record.filters {
            self.entry(entry).map_err(|error| format!("at {entry:?}: {error}"))?;
        }
        self.land_all();
        self.limits.check_step(&mut self.lanes);
        for direction in Direction::BOTH {
            self.arrivals(direction, record.wire(direction))?;
            self.lane(direction).check_moved();
        }
        Ok(())
    }

    fn land_all(&mut self) {
        for lane in &mut self.lanes {
            lane.land(&Stated::Unstated);
        }
    }

    // What the peers do.

    fn input(&mut self, step: &Step) {
        let (direction, input) = match step {
            Step::Batch(steps) => return steps.iter().for_each(|step| self.input(step)),
            Step::Input(direction, input) => (*direction, input),
            Step::Fire(..)
            | Step::Sleep(_)
            | Step::ClientWindow(_)
            | Step::OriginWindow(_)
            | Step::ClientClose => return,
        };
        let is_replied = self.replied;
        // In HTTP/1 the length ends a message that declares one.
        let Proto { down, up } = self.trace.script.proto;
        let is_counted = [down, up][direction as usize] == Protocol::H1;
        let lane = self.lane(direction);
        match input {
            Input::Reset => match direction {
                Direction::Request => self.lanes.iter_mut().for_each(Lane::cut),
                Direction::Response => lane.cut(),
            },
            _ if is_replied => {}
            Input::Headers { end, content_length, .. } => {
                lane.ledger.send_head();
                lane.declared_bytes = content_length.filter(|_| is_counted);
                if *end || lane.declared_bytes == Some(0) {
                    lane.ledger.send_tail();
                }
            }
            Input::Data { data, end } => {
                lane.send(&data.0);
                if *end || lane.declared_bytes == Some(lane.sent_bytes) {
                    lane.ledger.send_tail();
                }
            }
            Input::End | Input::Trailers(_) => lane.ledger.send_tail(),
        }
    }

    fn arrivals(&mut self, direction: Direction, wires: &[Wire]) -> Result<(), String> {
        let lane = self.lane(direction);
        let peer = lane.ledger.peer();
        for wire in wires {
            let end = match wire {
                Wire::Headers(headers) => {
                    if lane.course == Course::Going {
                        lane.ledger.show_head(peer);
                    }
                    let length = headers.headers.get("content-length");
                    lane.promised_bytes = length.and_then(|text| text.parse().ok());
                    headers.end
                }
                Wire::Data(data) => {
                    let arrived = lane.arrive(&data.data.0);
                    if !lane.is_cut() {
                        arrived?;
                    }
                    data.end
                }
                Wire::Trailers(trailers) => trailers.end,
                Wire::Event(Event::ProtocolError(_)) => {
                    lane.course = Course::Garbled;
                    continue;
                }
                Wire::Event(Event::Reset(_) | Event::Closed(_)) => {
                    lane.cut();
                    continue;
                }
                Wire::Event(Event::SendFailed(_) | Event::StrayBytesAfterMessage(_)) => continue,
            };
            if end && lane.course == Course::Going {
                lane.ledger.show_tail(peer);
                lane.course = Course::Complete;
                lane.ledger.check_complete();
            }
        }
        lane.check_resumed_tail();
        if !lane.is_cut() {
            lane.check_length(lane.course == Course::Complete || lane.ledger.is_all_let_go());
        }
        Ok(())
    }

    // What the filters do.

    fn entry(&mut self, entry: &'t Entry) -> Result<(), String> {
        match entry {
            Entry::Enter(enter) => self.enter(enter),
            Entry::Exit(exit) => self.exit(exit),
            Entry::Do(action) => {
                self.act(action);
                Ok(())
            }
            Entry::Did(did) => self.did(did),
            Entry::Note(note) => {
                self.note(note);
                Ok(())
            }
        }
    }

    fn note(&mut self, note: &Note) {
        match note.what {
            What::StreamComplete | What::Destroy => {
                self.land_all();
                // From here on buffers are no longer told.
                for lane in &mut self.lanes {
                    lane.is_told = false;
                }
            }
            What::DownstreamAboveHighWatermark | What::DownstreamBelowLowWatermark => {}
        }
    }

    fn enter(&mut self, enter: &'t Enter) -> Result<(), String> {
        self.enters += 1;
        let mut open = Open {
            filter: &enter.f,
            callback: enter.cb,
            station: 0,
            end: enter.end == Some(true),
            piece: None,
            has_appended: false,
            asked: Asked::Nothing,
        };
        let Some(direction) = enter.cb.direction() else {
            if enter.cb == Callback::LocalReply {
                self.limits.reply(enter, &mut self.lanes, self.actions.len());
                self.reply(None);
            }
            for (direction, stated) in
                Direction::BOTH.into_iter().zip([&enter.req_buf, &enter.rsp_buf])
            {
                self.lane(direction).land(stated);
                self.lane(direction).check_buffer(stated)?;
            }
            self.open.push(open);
            return Ok(());
        };
        self.lanes[1 - direction as usize].land(&Stated::Unstated);
        self.cut_request(enter);
        let lane = self.lane(direction);
        let station = lane.ledger.station(&enter.f).ok_or("no such filter")?;
        open.station = station;
        match enter.cb {
            Callback::RequestHeaders | Callback::ResponseHeaders => {
                if !lane.keeps_flight(station) {
                    lane.land(&enter.buf);
                }
                lane.check_buffer(&enter.buf)?;
                lane.enter_headers(station, open.end);
            }
            Callback::RequestTrailers | Callback::ResponseTrailers => {
                lane.land(&enter.buf);
                lane.check_buffer(&enter.buf)?;
                lane.ledger.show_tail(station);
                open.end = true;
            }
            _ => {
                let received = enter.recv.as_ref().ok_or("no piece")?;
                let handed = Handed {
                    received: &received.0,
                    alias: enter.alias == Some(true),
                    end: open.end,
                    buffer: &enter.buf,
                };
                open.piece = Some(lane.enter_data(station, handed)?);
            }
        }
        self.open.push(open);
        Ok(())
    }

    /// A response whose end enters its first filter ends the request with it.
    fn cut_request(&mut self, enter: &Enter) {
        let [request, response] = &mut self.lanes;
        let is_end = match enter.cb {
            Callback::ResponseHeaders | Callback::ResponseData => enter.end == Some(true),
            Callback::ResponseTrailers => true,
            _ => false,
        };
        let first = response.ledger.station(&enter.f) == Some(0);
        if is_end && first && request.course == Course::Going {
            request.cut();
        }
    }

    fn exit(&mut self, exit: &Exit) -> Result<(), String> {
        let open = self.open.pop().ok_or("no callback is under way")?;
        let Some(direction) = open.callback.direction() else {
            for (direction, stated) in
                Direction::BOTH.into_iter().zip([&exit.req_buf, &exit.rsp_buf])
            {
                self.lane(direction).land(stated);
                self.lane(direction).check_buffer(stated)?;
            }
            return Ok(());
        };
        let lane = self.lane(direction);
        lane.check_buffer(&exit.buf)?;
        match open.callback {
            Callback::RequestHeaders | Callback::ResponseHeaders => {
                lane.exit_headers(open.station, exit.ret, open.end && open.has_appended);
            }
            Callback::RequestTrailers | Callback::ResponseTrailers => {
                lane.exit_trailers(open.station, exit.ret);
            }
            _ => {
                let piece = open.piece.ok_or("no piece")?;
                let received = exit.recv.as_ref().ok_or("no piece")?;
                lane.check_piece(&piece, &received.0)?;
                report_resume_inside(lane, open.station, open.asked, &piece, exit.ret);
                lane.exit_data(open.station, piece, exit.ret);
                if exit.ret == Status::StopIterationAndBuffer && !lane.is_cut() {
                    self.limits.holds(direction, open.station);
                }
            }
        }
        Ok(())
    }

    fn act(&mut self, action: &'t Do) {
        let action = self.verb(&action.f, &action.verb);
        self.actions.push(action);
    }

    fn verb(&mut self, filter: &str, verb: &'t Verb) -> Action {
        match verb {
            Verb::On(other, verb) => return self.verb(other, verb),
            Verb::Resume(direction) => return self.resume(filter, *direction),
            Verb::Append(direction, place, text) => {
                self.append(filter, *direction, *place, &text.0);
            }
            Verb::Drain(direction, place, amount) => {
                self.drain(filter, *direction, *place, *amount);
            }
            Verb::LocalReply { .. } => self.reply(Some(filter)),
            Verb::SetBufferLimit(bytes) => self.limits.set(*bytes),
            Verb::ResetStream => self.lanes.iter_mut().for_each(Lane::cut),
            Verb::SetHeader(..)
            | Verb::SetTrailer(..)
            | Verb::SendResponseHeaders { .. }
            | Verb::SendResponseData { .. }
            | Verb::SendResponseTrailers(..)
            | Verb::Schedule(_)
            | Verb::Peek => {}
        }
        Action::Other
    }

    fn resume(&mut self, filter: &str, direction: Direction) -> Action {
        let lane = self.lane(direction);
        let Some(station) = lane.ledger.station(filter) else { return Action::Other };
        let resume = lane.resume(station);
        Action::Resume { direction, station, resume, enters: self.enters }
    }

    fn append(&mut self, filter: &str, direction: Direction, place: Place, bytes: &[u8]) {
        let lane = &mut self.lanes[direction as usize];
        let Some(station) = lane.ledger.station(filter) else { return };
        let own = own_callback(&mut self.open, filter, direction);
        match (place, own) {
            (Place::Received, Some(Open { piece: Some(piece), .. })) => {
                lane.append_received(station, piece, bytes);
            }
            (Place::Received, _) => {}
            (Place::Buffered, Some(open)) => {
                open.has_appended = true;
                let in_trailers =
                    matches!(open.callback, Callback::RequestTrailers | Callback::ResponseTrailers);
                lane.append_buffered(station, bytes, in_trailers);
            }
            (Place::Buffered, None) => {
                lane.append_buffered(station, bytes, false);
                lane.let_go_added(station);
            }
        }
    }

    fn drain(&mut self, filter: &str, direction: Direction, place: Place, amount: Amount) {
        let lane = &mut self.lanes[direction as usize];
        let Some(station) = lane.ledger.station(filter) else { return };
        let bytes = match amount {
            Amount::All => usize::MAX,
            Amount::Bytes(bytes) => bytes,
        };
        match (place, own_callback(&mut self.open, filter, direction)) {
            (Place::Received, Some(Open { piece: Some(piece), .. })) => {
                lane.drain_received(station, piece, bytes);
            }
            (Place::Received, _) => {}
            (Place::Buffered, _) => lane.drain_buffered(station, bytes),
        }
    }

    fn did(&mut self, did: &Did) -> Result<(), String> {
        let action = self.actions.pop().ok_or("no action is under way")?;
        let around = self.open.last().and_then(|open| open.callback.direction());
        let stated = |direction: Direction| match around {
            None => [&did.req_buf, &did.rsp_buf][direction as usize],
            Some(around) if around == direction => &did.buf,
            Some(_) => &Stated::Unstated,
        };
        if let Action::Resume { direction, station, resume, enters } = action {
            let resumed = self.lane(direction).resumed(stated(direction));
            let ignored = resumed == Resumed::Ignored && enters == self.enters;
            self.resumed(&did.f, direction, station, resume, ignored);
        }
        for direction in Direction::BOTH {
            let lane = self.lane(direction);
            lane.land(stated(direction));
            lane.check_buffer(stated(direction))?;
        }
        if let (Some(open), Some(received)) = (self.open.last(), &did.recv)
            && let (Some(direction), Some(piece)) = (open.callback.direction(), &open.piece)
        {
            self.lanes[direction as usize].check_piece(piece, &received.0)?;
        }
        Ok(())
    }

    fn resumed(
        &mut self,
        filter: &str,
        direction: Direction,
        station: usize,
        resume: Resume,
        ignored: bool,
    ) {
        let lane = &mut self.lanes[direction as usize];
        let is_own = lane.ledger.station(filter) == Some(station);
        if let Some(open) = own_callback(&mut self.open, filter, direction).filter(|_| is_own) {
            open.asked = match resume {
                Resume::Dropped => Asked::InVain,
                Resume::Taken { .. } => Asked::Done,
            };
        } else if ignored && resume == (Resume::Taken { held_bytes: true }) {
            let what = format!(
                "{filter} resumes and what it holds stays where it is: of one stop Envoy's module \
                 wrapper takes one resume"
            );
            lane.ledger.report(Rule::I6, station, what);
        }
    }

    /// A local reply ends the request and, if no head of a response was seen, becomes the
    /// response.
    fn reply(&mut self, maker: Option<&str>) {
        if std::mem::replace(&mut self.replied, true) {
            return;
        }
        let [request, response] = &mut self.lanes;
        request.cut();
        let maker = maker.and_then(|filter| response.ledger.station(filter));
        if response.ledger.has_no_head() {
            response.replace_by_reply(maker);
        } else {
            response.cut();
        }
    }
}

/// The innermost callback of this filter in this direction that is under way.
fn own_callback<'a, 't>(
    open: &'a mut [Open<'t>],
    filter: &str,
    direction: Direction,
) -> Option<&'a mut Open<'t>> {
    let is_own = |open: &&mut Open<'t>| {
        open.filter == filter && open.callback.direction() == Some(direction)
    };
    open.iter_mut().rev().find(is_own)
}

/// A filter asked to be resumed while its answer was still open, and then held.
fn report_resume_inside(
    lane: &mut Lane,
    station: usize,
    asked: Asked,
    piece: &Piece,
    status: Status,
) {
    let holds =
        matches!(status, Status::StopIterationAndBuffer | Status::StopIterationAndWatermark);
    if !holds || lane.is_cut() || lane.check_piece(piece, b"").is_ok() {
        return;
    }
    let name = lane.ledger.name(station).to_owned();
    match asked {
        Asked::Nothing => {}
        Asked::InVain => {
            let what = format!(
                "{name} resumes inside its callback and then holds: Envoy drops the resume, as \
                 {name} has not stopped yet"
            );
            lane.ledger.report(Rule::I6, station, what);
        }
        Asked::Done => {
            let what = format!(
                "{name} resumes inside its callback and then holds: Envoy resumes before it \
                 knows the answer, so the hold stays"
            );
            lane.ledger.report(Rule::I10, station, what);
        }
    }
}
