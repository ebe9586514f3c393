//! The naive reference: what `docs/architecture.md` says, one step after the other.
//!
//! Written from sections 2 to 6 of that page and from rules I1 to I14, never from the engine. Bytes
//! are `Vec<u8>`, masks are `bool`s, every question is answered by looking at everything again.
//! "R4" in a comment is ruling 4 of section 3; "table" is one of the two tables of section 2.

mod ask;
mod ends;
mod informational;
mod input;
mod levels;
mod mutant;
mod output;
mod replace;
mod travel;
mod verdict;
mod work;

use super::case::{ADD_TRAILERS, CHANGE_LENGTH, Case, HOLD_HEAD, Script};
use super::log::{Ended, Event, Failure, Fields, Given, HeadSeen};

pub(crate) use mutant::Mutant;

/// The engine in the small.
pub(crate) struct Reference {
    request: bool,
    max_frame_bytes: usize,
    scripts: Vec<Script>,
    stations: Vec<Station>,
    /// The output queue: counts as a station (design, section 2).
    queue: Vec<u8>,
    queue_gauge: Gauge,
    head: Option<Head>,
    /// Heads before the final one that the sink has not taken, and how many there were in all.
    interim: Vec<HeadSeen>,
    interims: u32,
    tail: Option<Tail>,
    /// What was taken from the source, or of a reply's body, and has not entered yet.
    entrance: Vec<u8>,
    /// The station that the entrance leads to; a reply enters behind its filter (R22).
    place: usize,
    source: Source,
    exit: Exit,
    facts: Facts,
    handles: Handles,
    /// The outcome that a reply will have once its end has been taken (section 4).
    replaced: Option<Ended>,
    outcome: Option<Ended>,
    /// The last output, where the message did not end well.
    last: Option<Given>,
    counts: Counts,
    drive: Drive,
    pub(crate) log: Vec<Event>,
    mutant: Option<Mutant>,
}

/// Section 2, the table of states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    Open,
    Holding { reject: bool, quiet: bool },
    Ended,
    Panicked,
}

struct Station {
    state: State,
    started: bool,
    /// Saw a head before the final one.
    informed: bool,
    wants_head: bool,
    wants_data: bool,
    wants_trailers: bool,
    /// Without `ADD_TRAILERS` where the message cannot have them: see `Reference::granted`.
    granted: u8,
    /// It set the declared length and keeps the field (section 5).
    declared: bool,
    held: Vec<u8>,
    unseen: Vec<u8>,
    released: Vec<u8>,
    kept: u64,
    gauge: Gauge,
    /// A resume of a handle is to be asked.
    resumed: bool,
    /// It asked to be asked again.
    again: bool,
    /// An edit that grows by that many bytes was refused as `Full`.
    refused: Option<u64>,
    /// What its filter has added and is still here; what leaves counts as added first (R6).
    added: u64,
    calls: usize,
    /// How many bytes its filter has made, for the pattern of the next.
    made: u64,
}

/// Marks and the side of them.
#[derive(Clone, Copy)]
struct Gauge {
    low: u64,
    high: u64,
    over: bool,
}

impl Gauge {
    const fn new((low, high): (u64, u64)) -> Self {
        Self { low, high, over: false }
    }

    /// Hysteresis: over with one byte above high, no longer over at low (design, section 2).
    fn set(&mut self, len: u64, steady: bool) {
        if self.over && steady {
            self.over = len > self.low;
        } else {
            self.over = len > self.high;
        }
    }
}

/// Where the head or the tail stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Entrance,
    At(usize),
    Exit,
}

struct Head {
    place: Place,
    /// A verdict let it go, it has not moved yet.
    let_go: bool,
    seen: HeadSeen,
    /// The sink has taken it.
    given: bool,
}

struct Tail {
    place: Place,
    shown: bool,
    let_go: bool,
    /// `None`: a plain end.
    trailers: Option<Fields>,
}

impl Tail {
    fn is_plain(&self) -> bool {
        self.trailers.is_none()
    }
}

#[derive(Default)]
struct Source {
    head_given: bool,
    ended: bool,
    /// A declared end or a reply: nothing more is taken (R11).
    stopped: bool,
    declared: Option<u64>,
    taken: u64,
}

#[derive(Default)]
struct Exit {
    declared: Option<u64>,
    bodiless: bool,
    arrived: u64,
    given: u64,
}

struct Facts {
    edge_bodiless: bool,
    bodiless: bool,
    /// Trailers can be sent by this edge (R16).
    sends_trailers: bool,
    /// If there is a list, only these.
    announced: Option<Vec<String>>,
    local_reply: bool,
    declared: Option<u64>,
}

/// What all resume handles share.
#[derive(Default)]
struct Handles {
    made: bool,
    pending: Vec<bool>,
    alive: Vec<usize>,
}

#[derive(Default)]
struct Counts {
    input: u64,
    output: u64,
    discarded: u64,
    unsent: u64,
    dropped_interims: u64,
}

/// What one drive may do only once or so often (R1, R14).
#[derive(Default)]
struct Drive {
    calls: u32,
    asked_itself: Vec<bool>,
}

impl Reference {
    pub(crate) fn new(case: &Case, mutant: Option<Mutant>) -> Self {
        let n = case.filters.len();
        let stations = (0..n).map(|k| Station::new(&case.filters[k], case.granted(k))).collect();
        Self {
            request: case.request,
            max_frame_bytes: case.max_frame_bytes,
            scripts: case.filters.clone(),
            stations,
            queue: Vec::new(),
            queue_gauge: Gauge::new(case.output_marks),
            head: None,
            interim: Vec::new(),
            interims: 0,
            tail: None,
            entrance: Vec::new(),
            place: 0,
            source: Source::default(),
            exit: Exit::default(),
            facts: Facts {
                edge_bodiless: case.bodiless,
                bodiless: case.bodiless,
                sends_trailers: !case.no_trailers,
                announced: None,
                local_reply: false,
                declared: None,
            },
            handles: Handles { made: false, pending: vec![false; n], alive: vec![0; n] },
            replaced: None,
            outcome: None,
            last: None,
            counts: Counts::default(),
            drive: Drive::default(),
            log: Vec::new(),
            mutant,
        }
    }

    fn len(&self) -> usize {
        self.stations.len()
    }

    /// The place behind station `k`.
    fn behind(&self, k: usize) -> Place {
        if k + 1 == self.len() { Place::Exit } else { Place::At(k + 1) }
    }

    /// The place that the entrance leads to.
    fn first_place(&self) -> Place {
        if self.place == self.len() { Place::Exit } else { Place::At(self.place) }
    }

    /// What filter `k` can do for this message: nobody adds trailers to what has no body (section
    /// 5).
    fn granted(&self, k: usize) -> u8 {
        let granted = self.stations[k].granted;
        if self.facts.bodiless { granted & !ADD_TRAILERS } else { granted }
    }

    /// Whether `trailers` is asked of `k` in any case (table, "this row before the others").
    fn is_adder(&self, k: usize) -> bool {
        self.granted(k) & ADD_TRAILERS != 0
    }

    fn may_hold_head(&self, k: usize) -> bool {
        self.granted(k) & HOLD_HEAD != 0
    }

    /// Whether the head loses its length behind `k` (section 5).
    fn strips_length(&self, k: usize) -> bool {
        !self.facts.bodiless
            && !self.stations[k].declared
            && self.granted(k) & (CHANGE_LENGTH | ADD_TRAILERS) != 0
    }

    /// Whether something behind station `k` is over, the output queue included (I7).
    fn over_behind(&self, k: usize) -> bool {
        self.stations[k + 1..].iter().any(|station| station.gauge.over) || self.queue_gauge.over
    }

    fn anything_over(&self) -> bool {
        self.stations.iter().any(|station| station.gauge.over) || self.queue_gauge.over
    }

    /// R4: the next station behind `k` that looks at data or holds, or the output queue; its high
    /// mark less what it is charged.
    fn room_behind(&self, k: usize) -> u64 {
        let next = self.stations[k + 1..].iter().find(|station| {
            let asks = matches!(station.state, State::Open | State::Waiting) && station.wants_data;
            asks || matches!(station.state, State::Holding { .. })
        });
        match next {
            Some(station) => station.gauge.high.saturating_sub(station.charge()),
            None => self.queue_gauge.high.saturating_sub(self.queue.len() as u64),
        }
    }

    /// The watermarks follow every change of what is charged. R5: what a station released makes no
    /// edge while it is free to move, that is, while nothing behind it is over.
    fn update_mark(&mut self, k: usize) {
        let steady = !self.is(Mutant::NoHysteresis);
        let blocked = self.over_behind(k);
        let station = &mut self.stations[k];
        let free = if blocked { 0 } else { station.released.len() as u64 };
        station.gauge.set(station.charge() - free, steady);
    }

    fn update_queue_mark(&mut self) {
        let steady = !self.is(Mutant::NoHysteresis);
        self.queue_gauge.set(self.queue.len() as u64, steady);
    }

    fn head_stands_at(&self, k: usize) -> bool {
        self.head.as_ref().is_some_and(|head| head.place == Place::At(k) && !head.let_go)
    }

    fn tail_stands_at(&self, k: usize) -> Option<&Tail> {
        self.tail.as_ref().filter(|tail| tail.place == Place::At(k) && !tail.let_go)
    }

    /// The tail was shown to `k` and stands there.
    fn tail_shown_at(&self, k: usize) -> bool {
        self.tail_stands_at(k).is_some_and(|tail| tail.shown)
    }

    /// The tail stands right behind what has just left `place`, and may leave with it (R3).
    fn tail_follows(&self, place: Place) -> bool {
        self.tail
            .as_ref()
            .is_some_and(|tail| tail.place == place && (tail.let_go || place == Place::Entrance))
    }

    fn is_tail_plain(&self) -> bool {
        self.tail.as_ref().is_some_and(Tail::is_plain)
    }

    fn name(k: usize) -> String {
        format!("f{k}")
    }

    fn failure(kind: tidegate::ErrorKind, k: Option<usize>) -> Failure {
        Failure { kind, filter: k.map(Self::name) }
    }

    fn is(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }
}

impl Station {
    fn new(script: &Script, granted: u8) -> Self {
        use super::case::{WANTS_DATA, WANTS_HEAD, WANTS_TRAILERS};
        Self {
            state: State::Waiting,
            started: false,
            informed: false,
            wants_head: script.interest & WANTS_HEAD != 0,
            wants_data: script.interest & WANTS_DATA != 0,
            wants_trailers: script.interest & WANTS_TRAILERS != 0,
            granted,
            declared: false,
            held: Vec::new(),
            unseen: Vec::new(),
            released: Vec::new(),
            kept: 0,
            gauge: Gauge::new((script.low, script.high)),
            resumed: false,
            again: false,
            refused: None,
            added: 0,
            calls: 0,
            made: 0,
        }
    }

    /// R5.
    fn charge(&self) -> u64 {
        let released = self.released.len() as u64;
        match self.state {
            State::Ended => released,
            _ => released + self.keeps(),
        }
    }

    /// How much more may be added (R6).
    fn room_to_add(&self) -> u64 {
        self.gauge.high.saturating_sub(self.added)
    }

    /// `n` bytes have left, or were taken by the filter.
    fn lost(&mut self, n: usize) {
        self.added = self.added.saturating_sub(n as u64);
    }

    /// What *reject* looks at (R5).
    fn keeps(&self) -> u64 {
        self.held.len() as u64 + self.unseen.len() as u64 + self.kept
    }

    fn is_quiet(&self) -> bool {
        matches!(self.state, State::Holding { quiet: true, .. })
    }

    fn is_holding(&self) -> bool {
        matches!(self.state, State::Holding { .. })
    }

    /// Can be asked: started, its output has not ended, it has not panicked.
    fn is_alive(&self) -> bool {
        matches!(self.state, State::Open | State::Holding { .. })
    }
}
