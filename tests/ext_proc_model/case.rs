//! A case: an exchange, the modes, the filters, and what goes wrong. Made from a seed.

use tidegate::Timeout;
use tidegate::ext_proc::mode::{BodyMode, DirectionMode, ProcessingMode, Promise, SendMode};

use crate::data_plane::{Body, Habits, Mode};
use crate::filter::Kind;
use crate::message::{End, Fields, Message};
use crate::rng::Rng;

#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) seed: u64,
    pub(crate) request: Direction,
    pub(crate) response: Direction,
    pub(crate) start: Start,
    pub(crate) habits: Habits,
    pub(crate) settings: Settings,
    pub(crate) fault: Option<Fault>,
}

#[derive(Debug, Clone)]
pub(crate) struct Direction {
    pub(crate) mode: DirectionMode,
    pub(crate) message: Message,
    /// From the source to the other end.
    pub(crate) filters: Vec<Kind>,
    pub(crate) promise: Promise,
}

/// When the response begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// Behind the whole request.
    Late,
    /// Behind its head.
    Early,
    /// It is a reply of the data plane's own, at any time; the request goes nowhere.
    Local,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) queue_high_bytes: u64,
    pub(crate) piece_bytes: usize,
    pub(crate) marks_bytes: u64,
    /// The most that the wire gives at once.
    pub(crate) cut_bytes: usize,
}

/// What goes wrong, at this step of the schedule.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    Timeout {
        at: usize,
        timeout: Timeout,
    },
    /// The client or the origin is gone.
    Gone {
        at: usize,
    },
}

impl Direction {
    pub(crate) fn plane_mode(&self) -> Mode {
        Mode {
            sends_headers: self.mode.headers() == SendMode::Send,
            body: match self.mode.body() {
                BodyMode::None => Body::None,
                BodyMode::Streamed => Body::Streamed,
                BodyMode::Buffered => Body::Buffered,
                BodyMode::BufferedPartial => Body::Partial,
                BodyMode::FullDuplexStreamed => Body::Duplex,
            },
            sends_trailers: self.mode.trailers() == SendMode::Send,
        }
    }
}

impl Case {
    pub(crate) fn new(seed: u64) -> Self {
        let rng = &mut Rng::new(seed);
        let is_head = rng.below(12) == 0;
        let request = direction(rng, true, is_head);
        let response = direction(rng, false, is_head);
        let start = match rng.below(8) {
            0 => Start::Local,
            1 | 2 => Start::Early,
            _ => Start::Late,
        };
        let habits = Habits {
            without_waiting: rng.below(4) == 0,
            limit_bytes: 8 + rng.below(24),
            asks_about_empty: rng.below(2) == 0,
        };
        let settings = Settings {
            queue_high_bytes: [0, 1, 16, 1 << 16][rng.below(4)],
            piece_bytes: [1, 3, 7, 62_000][rng.below(4)],
            marks_bytes: [1, 8, 64, 1 << 16][rng.below(4)],
            cut_bytes: [1, 5, 40, 4096][rng.below(4)],
        };
        let timeout = [Timeout::Idle, Timeout::Total, Timeout::Hold][rng.below(3)];
        let fault = match rng.below(6) {
            0 => Some(Fault::Timeout { at: rng.below(120), timeout }),
            1 => Some(Fault::Gone { at: rng.below(120) }),
            _ => None,
        };
        Self { seed, request, response, start, habits, settings, fault }
    }

    pub(crate) fn mode(&self) -> ProcessingMode {
        ProcessingMode::new(self.request.mode, self.response.mode)
    }
}

fn direction(rng: &mut Rng, is_request: bool, is_head: bool) -> Direction {
    let mode = mode(rng);
    let message = message(rng, is_request, is_head);
    let filters = (0..rng.below(4)).map(|_| kind(rng)).collect();
    let promised = message.trailers().is_none() && rng.below(2) == 0;
    let promise = if promised { Promise::NoTrailers } else { Promise::Nothing };
    Direction { mode, message, filters, promise }
}

pub(crate) fn mode(rng: &mut Rng) -> DirectionMode {
    let mode = DirectionMode::new(BodyMode::ALL[rng.below(5)]);
    let mode = if rng.below(5) == 0 { mode.with_headers(SendMode::Skip) } else { mode };
    let skips = rng.below(4) == 0;
    if skips { mode.with_trailers(SendMode::Skip).unwrap_or(mode) } else { mode }
}

fn kind(rng: &mut Rng) -> Kind {
    match rng.below(25) {
        0 => Kind::MarkHead,
        1 => Kind::LaterHead,
        2 | 3 => Kind::Count,
        4 | 5 => Kind::Upper,
        6 | 7 => Kind::Double,
        8 => Kind::Strip,
        9 | 10 => Kind::Wrap,
        11 => Kind::Gather(1 + rng.below(40)),
        12 => Kind::Keep,
        13 => Kind::Take,
        14 | 15 => Kind::Later,
        16 | 17 => Kind::MarkTrailers,
        18 => Kind::CutAt(rng.below(30)),
        19 => Kind::Reply(rng.below(6)),
        20 => Kind::Fail(rng.below(6)),
        21 => Kind::Panic(rng.below(6)),
        22 => Kind::Rude,
        23 => Kind::Stop,
        _ => Kind::Pass,
    }
}

fn message(rng: &mut Rng, is_request: bool, is_head: bool) -> Message {
    let mut fields: Fields = if is_request {
        let method = if is_head { "HEAD" } else { "POST" };
        let pairs = [(":method", method), (":path", "/"), (":scheme", "http"), (":authority", "a")];
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
    } else {
        vec![(":status".to_owned(), "200".to_owned())]
    };
    let chunks: Vec<Vec<u8>> = (0..rng.below(6)).map(|_| chunk(rng)).collect();
    let bytes = chunks.concat().len();
    let end = match rng.below(6) {
        _ if is_head => End::WithHead,
        0 => End::WithHead,
        1 | 2 => End::WithLastChunk,
        3 => End::Alone,
        _ => End::WithTrailers(vec![("x-sum".to_owned(), "7".to_owned())]),
    };
    let chunks = if end == End::WithHead { Vec::new() } else { chunks };
    let declares = rng.below(2) == 0;
    if is_head && !is_request {
        fields.push(("content-length".to_owned(), "10".to_owned()));
    } else if declares && end != End::WithHead && bytes > 0 {
        fields.push(("content-length".to_owned(), bytes.to_string()));
    }
    Message { fields, chunks, end }
}

fn chunk(rng: &mut Rng) -> Vec<u8> {
    let bytes = [0, 1, 2, 7, 30][rng.below(5)];
    (0..bytes).map(|_| b"abcdefgh"[rng.below(8)]).collect()
}
