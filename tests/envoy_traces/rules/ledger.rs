//! Whose every byte is, by the rules.
//!
//! This module never looks at where Envoy keeps a byte.

use crate::trace::{Direction, Text};

use super::{Rule, Violation};

/// A byte: its index in the ledger.
pub(crate) type ByteId = usize;

/// Where one byte should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// At a station (the peer is the one behind the last), and whether it was handed it yet.
    At { station: usize, shown: bool },
    /// A filter answered that the engine is not to keep it.
    Taken { station: usize },
    /// A filter removed it.
    Drained,
}

#[derive(Clone, Debug)]
struct Byte {
    value: u8,
    state: State,
    /// Its place in the output of the hop before.
    rank: u64,
    /// The filter that added it.
    added_by: Option<usize>,
    /// The step in which it came where it should be.
    since: usize,
}

/// Where the head, or the end with or without trailers, should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    NotSent,
    At { station: usize, shown: bool },
}

impl Mark {
    fn is_shown_at(self, station: usize) -> bool {
        self == Self::At { station, shown: true }
    }

    fn has_been_at(self, station: usize) -> bool {
        match self {
            Self::NotSent => false,
            Self::At { station: at, shown } => at > station || (at == station && shown),
        }
    }
}

/// What is odd about a byte that a station is handed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Oddity {
    HeldHere,
    LetGoBefore { now_at: usize },
    AddedBehind { by: usize },
    HeldBefore { by: usize },
    UnseenBefore { by: usize },
    TakenBy { by: usize },
    Late,
}

/// The ledger of one message.
#[derive(Debug)]
pub(crate) struct Ledger {
    direction: Direction,
    /// The filters in the order in which the message meets them.
    names: Vec<String>,
    /// A filter that this message passes by: it made it.
    pub(crate) passed_by: Option<usize>,
    bytes: Vec<Byte>,
    pub(crate) head: Mark,
    pub(crate) tail: Mark,
    /// Whether the station was ever handed the end.
    end_shown: Vec<bool>,
    next_rank: u64,
    /// The highest rank each hop was handed.
    last_rank: Vec<u64>,
    pub(crate) step: usize,
    pub(crate) violations: Vec<Violation>,
}

impl Ledger {
    pub(crate) fn new(direction: Direction, names: Vec<String>) -> Self {
        let stations = names.len() + 1;
        Self {
            direction,
            names,
            passed_by: None,
            bytes: Vec::new(),
            head: Mark::NotSent,
            tail: Mark::NotSent,
            end_shown: vec![false; stations],
            next_rank: 1,
            last_rank: vec![0; stations],
            step: 0,
            violations: Vec::new(),
        }
    }

    /// The number of filters, which is also the station of the peer.
    pub(crate) fn peer(&self) -> usize {
        self.names.len()
    }

    pub(crate) fn station(&self, filter: &str) -> Option<usize> {
        self.names.iter().position(|name| name == filter)
    }

    pub(crate) fn name(&self, station: usize) -> &str {
        match (self.names.get(station), self.direction) {
            (Some(name), _) => name,
            (None, Direction::Request) => "the origin",
            (None, Direction::Response) => "the client",
        }
    }

    /// The first station at or behind this one that the message does not pass by.
    fn asked(&self, station: usize) -> usize {
        if self.passed_by == Some(station) { station + 1 } else { station }
    }

    pub(crate) fn text(&self, ids: &[ByteId]) -> Vec<u8> {
        ids.iter().map(|&id| self.bytes[id].value).collect()
    }

    pub(crate) fn report(&mut self, rule: Rule, station: usize, what: String) {
        self.report_since(self.step, rule, station, what);
    }

    fn report_since(&mut self, step: usize, rule: Rule, station: usize, what: String) {
        let filter = self.names.get(station).cloned();
        let direction = self.direction;
        self.violations.push(Violation { rule, direction, filter, step, what });
    }

    /// Has this rule already been broken at this station?
    fn is_reported(&self, rule: Rule, station: usize) -> bool {
        let filter = self.names.get(station);
        self.violations.iter().any(|v| v.rule == rule && v.filter.as_ref() == filter)
    }

    fn push(&mut self, value: u8, state: State, added_by: Option<usize>) -> ByteId {
        let rank = self.take_rank();
        self.bytes.push(Byte { value, state, rank, added_by, since: self.step });
        self.bytes.len() - 1
    }

    fn take_rank(&mut self) -> u64 {
        self.next_rank += 1;
        self.next_rank
    }

    /// The source sent these.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> Vec<ByteId> {
        let state = State::At { station: self.asked(0), shown: false };
        bytes.iter().map(|&value| self.push(value, state, None)).collect()
    }

    pub(crate) fn send_head(&mut self) {
        self.head = Mark::At { station: self.asked(0), shown: false };
    }

    pub(crate) fn send_tail(&mut self) {
        if self.tail == Mark::NotSent {
            self.tail = Mark::At { station: self.asked(0), shown: false };
        }
    }

    /// A filter adds these to what it holds or was handed.
    pub(crate) fn add(&mut self, station: usize, bytes: &[u8]) -> Vec<ByteId> {
        let state = State::At { station, shown: true };
        bytes.iter().map(|&value| self.push(value, state, Some(station))).collect()
    }

    /// A filter removes these.
    pub(crate) fn drain(&mut self, station: usize, ids: &[ByteId]) {
        let mut foreign: Vec<(usize, ByteId)> = Vec::new();
        for &id in ids {
            match self.bytes[id].state {
                State::At { station: at, .. } if at != station => foreign.push((at, id)),
                State::Taken { station: by } if by != station => foreign.push((by, id)),
                State::At { .. } | State::Taken { .. } | State::Drained => {}
            }
            self.bytes[id].state = State::Drained;
        }
        if let Some(&(owner, _)) = foreign.first() {
            let ids: Vec<_> = foreign.iter().map(|&(_, id)| id).collect();
            let what = format!(
                "{} removes {} from the shared buffer, which {}",
                self.name(station),
                self.quote(&ids),
                self.whose(owner),
            );
            self.report(Rule::I2, station, what);
        }
    }

    fn whose(&self, owner: usize) -> String {
        if owner == self.peer() {
            format!("was on its way to {}", self.name(owner))
        } else {
            format!("{} holds or is yet to see", self.name(owner))
        }
    }

    /// A filter says the engine is not to keep these.
    pub(crate) fn take(&mut self, station: usize, ids: &[ByteId]) {
        for &id in ids {
            if self.bytes[id].state == (State::At { station, shown: true }) {
                self.bytes[id].state = State::Taken { station };
            }
        }
    }

    /// A filter lets go what it was shown and holds: its bytes among `ids`, in their order, and
    /// the head; the end only on request.
    pub(crate) fn let_go(&mut self, station: usize, ids: &[ByteId], with_tail: bool) {
        let next = self.asked(station + 1);
        for &id in ids {
            if self.bytes[id].state == (State::At { station, shown: true }) {
                self.bytes[id].state = State::At { station: next, shown: false };
                self.bytes[id].rank = self.take_rank();
                self.bytes[id].since = self.step;
            }
        }
        if self.head.is_shown_at(station) {
            self.head = Mark::At { station: next, shown: false };
        }
        if with_tail && self.tail.is_shown_at(station) {
            self.tail = Mark::At { station: next, shown: false };
        }
    }

    pub(crate) fn holds_bytes(&self, station: usize, ids: &[ByteId]) -> bool {
        ids.iter().any(|&id| self.bytes[id].state == (State::At { station, shown: true }))
    }

    pub(crate) fn holds_tail(&self, station: usize) -> bool {
        self.tail.is_shown_at(station)
    }

    /// The end is on its way from the last filter to the peer.
    pub(crate) fn is_all_let_go(&self) -> bool {
        matches!(self.tail, Mark::At { station, .. } if station == self.peer())
    }

    /// No filter was handed a head.
    pub(crate) fn has_no_head(&self) -> bool {
        match self.head {
            Mark::NotSent => true,
            Mark::At { station, shown } => station == self.asked(0) && !shown,
        }
    }

    /// Bytes at one station, shown or not.
    pub(crate) fn bytes_at(&self, at: usize) -> usize {
        self.bytes
            .iter()
            .filter(|byte| matches!(byte.state, State::At { station, .. } if station == at))
            .count()
    }

    /// A station is handed the head.
    pub(crate) fn show_head(&mut self, station: usize) {
        match self.head {
            Mark::At { station: at, .. } if at == station => {
                if self.head.is_shown_at(station) && station < self.peer() {
                    self.head_again(station);
                }
                self.head = Mark::At { station, shown: true };
            }
            Mark::At { station: at, shown } if at < station => {
                let holds = if shown { "still holds" } else { "has not seen" };
                let what = format!(
                    "{} is handed the head that {} {holds}",
                    self.name(station),
                    self.name(at),
                );
                self.report(Rule::I4, at, what);
                self.head = Mark::At { station, shown: true };
            }
            Mark::At { .. } => self.head_again(station),
            Mark::NotSent => {
                let what = format!("{} is handed a head nobody sent", self.name(station));
                self.report(Rule::I3, station, what);
            }
        }
    }

    fn head_again(&mut self, station: usize) {
        let what = format!("{} is handed the head a second time", self.name(station));
        self.report(Rule::I1, station, what);
    }

    /// A station is handed the end or the trailers.
    pub(crate) fn show_tail(&mut self, station: usize) {
        let again = std::mem::replace(&mut self.end_shown[station], true);
        match self.tail {
            Mark::At { station: at, .. } if at == station => {
                self.tail = Mark::At { station, shown: true };
            }
            Mark::At { station: at, shown } if at < station => {
                if self.is_reported(Rule::I5, at) && again {
                    return;
                }
                let holds = if shown { "has not let go of it" } else { "has not been shown it" };
                let what = format!(
                    "{} is handed the end of the message while {} {holds}",
                    self.name(station),
                    self.name(at),
                );
                self.report(Rule::I5, at, what);
            }
            Mark::At { .. } if again => {
                let what = format!("{} is handed the end a second time", self.name(station));
                self.report(Rule::I5, station, what);
            }
            Mark::At { .. } => {}
            Mark::NotSent => {
                let what = format!(
                    "{} is handed an end although the message has not ended",
                    self.name(station)
                );
                self.report(Rule::I5, station, what);
            }
        }
    }

    /// A station is handed bytes.
    pub(crate) fn show(&mut self, station: usize, ids: &[ByteId]) {
        let is_filter = station < self.peer();
        if is_filter && !ids.is_empty() && !self.head.has_been_at(station) {
            let what = format!("{} is handed body before the head", self.name(station));
            self.report(Rule::I3, station, what);
        }
        let mut odd: Vec<(Oddity, Vec<ByteId>)> = Vec::new();
        for &id in ids {
            let Some(oddity) = self.show_byte(station, id) else { continue };
            match odd.iter_mut().find(|(same, _)| *same == oddity) {
                Some((_, ids)) => ids.push(id),
                None => odd.push((oddity, vec![id])),
            }
        }
        for (oddity, ids) in odd {
            self.report_oddity(station, oddity, &ids);
        }
    }

    fn show_byte(&mut self, station: usize, id: ByteId) -> Option<Oddity> {
        let byte = &self.bytes[id];
        let rank = byte.rank;
        let added_by = byte.added_by;
        let oddity = match byte.state {
            State::At { station: at, shown: false } if at == station => {
                let late = rank < self.last_rank[station];
                self.last_rank[station] = rank.max(self.last_rank[station]);
                late.then_some(Oddity::Late)
            }
            State::At { station: at, .. } if at == station => Some(Oddity::HeldHere),
            State::At { station: at, .. } if at > station => Some(match added_by {
                Some(by) if by > station => Oddity::AddedBehind { by },
                Some(_) | None => Oddity::LetGoBefore { now_at: at },
            }),
            State::At { station: by, shown: true } => Some(Oddity::HeldBefore { by }),
            State::At { station: by, shown: false } => Some(Oddity::UnseenBefore { by }),
            State::Taken { station: by } => Some(Oddity::TakenBy { by }),
            State::Drained => None,
        };
        // What was let go before stays where it should be: this is a second sight of it.
        if !matches!(oddity, Some(Oddity::LetGoBefore { .. } | Oddity::AddedBehind { .. })) {
            self.bytes[id].state = State::At { station, shown: true };
        }
        oddity
    }

    fn report_oddity(&mut self, station: usize, oddity: Oddity, ids: &[ByteId]) {
        let (here, bytes) = (self.name(station), self.quote(ids));
        let (rule, at, what) = match oddity {
            Oddity::HeldHere => (
                Rule::I1,
                station,
                format!("{here} is handed {bytes} again, which it holds already"),
            ),
            Oddity::LetGoBefore { now_at } => (
                Rule::I1,
                station,
                format!(
                    "{here} is handed {bytes} again, which it let go before: {} has it now",
                    self.name(now_at)
                ),
            ),
            Oddity::AddedBehind { by } => (
                Rule::I2,
                station,
                format!("{here} is handed {bytes}, which {} behind it added", self.name(by)),
            ),
            Oddity::HeldBefore { by } => (
                Rule::I4,
                by,
                format!("{bytes} reaches {here} although {} still holds it", self.name(by)),
            ),
            Oddity::UnseenBefore { by } => (
                Rule::I4,
                by,
                format!("{bytes} reaches {here} past {}, which never saw it", self.name(by)),
            ),
            Oddity::TakenBy { by } => (
                Rule::I1,
                by,
                format!(
                    "{bytes} reaches {here} although {} took it (StopIterationNoBuffer): it had \
                     been handed the shared buffer itself, where bytes stay",
                    self.name(by)
                ),
            ),
            Oddity::Late => (
                Rule::I3,
                station,
                format!("{here} is handed {bytes} after bytes that had left behind it"),
            ),
        };
        self.report(rule, at, what);
    }

    /// What is said when a filter holds, and what it added in that call has gone on.
    pub(crate) fn check_early(&mut self, station: usize, ids: &[ByteId]) {
        if !ids.is_empty() {
            let what = format!(
                "{} adds {} in its trailers callback and then holds: Envoy has passed it on before \
                 the answer",
                self.name(station),
                self.quote(ids)
            );
            self.report(Rule::I4, station, what);
        }
    }

    /// What is said at the end of a message whose peer was told that it is complete.
    pub(crate) fn check_complete(&mut self) {
        let mut lost: Vec<(usize, Vec<ByteId>)> = Vec::new();
        for (id, byte) in self.bytes.iter().enumerate() {
            let State::At { station, shown } = byte.state else { continue };
            if shown && (station == self.peer() || self.tail.is_shown_at(station)) {
                continue;
            }
            match lost.iter_mut().find(|(at, _)| *at == station) {
                Some((_, ids)) => ids.push(id),
                None => lost.push((station, vec![id])),
            }
        }
        for (station, ids) in lost {
            let what = format!(
                "{} never reaches {}, though the message is complete",
                self.quote(&ids),
                self.name(if self.holds_bytes(station, &ids) { station + 1 } else { station }),
            );
            let since = ids.iter().map(|&id| self.bytes[id].since).min().unwrap_or(self.step);
            // That it did not move is said by this.
            let filter = self.names.get(station).cloned();
            self.violations.retain(|v| v.rule != Rule::I8 || v.filter != filter || v.step < since);
            self.report_since(since, Rule::I1, station, what);
        }
    }

    /// What is said at the end of a step about what all before let go, and what has not moved on.
    /// `waits` tells which bytes and stations have a reason to wait.
    pub(crate) fn check_moved(&mut self, waits: impl Fn(usize, Option<ByteId>) -> bool) {
        let mut stuck: Vec<(usize, Vec<ByteId>)> = Vec::new();
        for (id, byte) in self.bytes.iter().enumerate() {
            let State::At { station, shown: false } = byte.state else { continue };
            if waits(station, Some(id)) {
                continue;
            }
            match stuck.iter_mut().find(|(at, _)| *at == station) {
                Some((_, ids)) => ids.push(id),
                None => stuck.push((station, vec![id])),
            }
        }
        if let Mark::At { station, shown: false } = self.tail
            && station > self.asked(0)
            && !waits(station, None)
            && stuck.iter().all(|&(at, _)| at != station)
        {
            stuck.push((station, Vec::new()));
        }
        for (station, ids) in stuck {
            // A peer that waits for what it was promised is another fault.
            if [Rule::I8, Rule::I12].iter().any(|&rule| self.is_reported(rule, station)) {
                continue;
            }
            let what = if ids.is_empty() { "the end".to_owned() } else { self.quote(&ids) };
            let what = format!(
                "{what} was let go by every filter before {}, and nothing brings it there: Envoy \
                 keeps it until some filter that has stopped resumes",
                self.name(station)
            );
            self.report(Rule::I8, station, what);
        }
    }

    /// What is said when a filter resumed and the end, which it held, has not gone on.
    pub(crate) fn check_tail_moved(&mut self, station: usize) {
        let next = self.asked(station + 1);
        if self.tail == (Mark::At { station: next, shown: false }) {
            let what = format!(
                "{} resumes, and the end that it held does not reach {}: of one stop Envoy's \
                 module wrapper takes one resume",
                self.name(station),
                self.name(next)
            );
            self.report(Rule::I6, station, what);
        }
    }

    /// The bytes as a trace writes them, shortened.
    fn quote(&self, ids: &[ByteId]) -> String {
        const SHOWN_CHARS: usize = 40;
        let text = Text(self.text(ids)).to_string();
        if text.chars().count() <= SHOWN_CHARS {
            return format!("`{text}`");
        }
        let shown: String = text.chars().take(SHOWN_CHARS).collect();
        format!("`{shown}`... ({} bytes)", ids.len())
    }
}
