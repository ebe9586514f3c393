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
    /// What becomes of the wish for another mode, if there is one.
    pub(crate) wish: Option<Wish>,
}

/// Of an exchange whose mode the server chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    /// The data plane does as it is asked.
    Taken,
    /// It does so also in a message of its own, and the server was told.
    TakenAlone,
    /// It does not, and the server was not told that it would not (P17).
    Ignored,
    /// The server was told that it would not.
    Refused,
}

#[derive(Debug, Clone)]
pub(crate) struct Direction {
    pub(crate) mode: DirectionMode,
    /// The one that the server chooses; `mode`, if it does not.
    pub(crate) chosen: DirectionMode,
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

/// `mode` as the data plane has it.
pub(crate) fn plane_mode(mode: DirectionMode) -> Mode {
    Mode {
        sends_headers: mode.headers() == SendMode::Send,
        body: match mode.body() {
            BodyMode::None => Body::None,
            BodyMode::Streamed => Body::Streamed,
            BodyMode::Buffered => Body::Buffered,
            BodyMode::BufferedPartial => Body::Partial,
            BodyMode::FullDuplexStreamed => Body::Duplex,
        },
        sends_trailers: mode.trailers() == SendMode::Send,
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
        let mut case = Self { seed, request, response, start, habits, settings, fault, wish: None };
        case.choose(rng);
        case
    }

    /// One exchange in four is to be in another mode than the data plane is configured with.
    fn choose(&mut self, rng: &mut Rng) {
        if rng.below(4) != 0 {
            return;
        }
        self.wish =
            Some([Wish::Taken, Wish::TakenAlone, Wish::Ignored, Wish::Refused][rng.below(4)]);
        if rng.below(3) == 0 {
            self.request.mode = DirectionMode::heads_only();
        }
        for direction in [&mut self.request, &mut self.response] {
            if rng.below(3) != 0 {
                direction.chosen = mode(rng);
            }
        }
        // Nobody can choose whether the request's head is shown by what it says.
        self.request.mode = self.request.mode.with_headers(SendMode::Send);
        self.request.chosen = self.request.chosen.with_headers(SendMode::Send);
    }

    /// What the data plane is configured with.
    pub(crate) fn mode(&self) -> ProcessingMode {
        ProcessingMode::new(self.request.mode, self.response.mode)
    }

    /// The mode that the server wants.
    pub(crate) fn chosen(&self) -> ProcessingMode {
        match self.wish {
            Some(_) => ProcessingMode::new(self.request.chosen, self.response.chosen),
            None => self.mode(),
        }
    }

    /// The mode that filters run in.
    pub(crate) fn served(&self) -> ProcessingMode {
        let announced = self.mode();
        // Whoever reads the announcement knows that these ignore it.
        let is_fixed = self.habits.without_waiting
            || [announced.request, announced.response]
                .iter()
                .any(|each| each.body() == BodyMode::FullDuplexStreamed);
        match self.wish {
            Some(Wish::Taken | Wish::TakenAlone | Wish::Ignored) if !is_fixed => self.chosen(),
            Some(_) | None => announced,
        }
    }

    /// The same without a wish.
    pub(crate) fn in_mode(mut self) -> Self {
        self.wish = None;
        self
    }
}

fn direction(rng: &mut Rng, is_request: bool, is_head: bool) -> Direction {
    let mode = mode(rng);
    let message = message(rng, is_request, is_head);
    let mut filters: Vec<Kind> = (0..rng.below(4)).map(|_| kind(rng)).collect();
    // The answer to HEAD cannot be given a body.
    filters.retain(|kind| is_request || !is_head || *kind != Kind::Give);
    let promised = message.trailers().is_none() && rng.below(2) == 0;
    let promise = if promised { Promise::NoTrailers } else { Promise::Nothing };
    Direction { mode, chosen: mode, message, filters, promise }
}

pub(crate) fn mode(rng: &mut Rng) -> DirectionMode {
    let mode = DirectionMode::new(BodyMode::ALL[rng.below(5)]);
    let mode = if rng.below(5) == 0 { mode.with_headers(SendMode::Skip) } else { mode };
    let skips = rng.below(4) == 0;
    if skips { mode.with_trailers(SendMode::Skip).unwrap_or(mode) } else { mode }
}

fn kind(rng: &mut Rng) -> Kind {
    match rng.below(35) {
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
        24 | 25 => Kind::Ask,
        26 => Kind::AskUpper,
        27 => Kind::AskWrap,
        28 => Kind::AskGather,
        29 => Kind::AskCutAt(rng.below(30)),
        30 => Kind::AskHead,
        31 => Kind::AskReply(rng.below(3)),
        32 => Kind::AskFail,
        33 => Kind::Give,
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
