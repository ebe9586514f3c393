//! One case: a plan, and the exchanges that it carries one after the other. Plain data, decoded
//! before anything runs, so that it can be printed and its parts are choices of their own.

use super::choices::{Choices, Swarm};

/// Filters in one direction at most.
const MOST_FILTERS: usize = 4;
/// Exchanges on one plan at most.
const STREAMS: [usize; 8] = [1, 1, 1, 1, 1, 2, 3, 4];
/// Bytes that come in one direction of one exchange, at most.
const MOST_BODY_BYTES: usize = 16 * 1024;

#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) plan: PlanSpec,
    pub(crate) streams: Vec<Stream>,
    pub(crate) executor: ExecutorSpec,
}

#[derive(Debug)]
pub(crate) struct PlanSpec {
    /// From the client to the upstream.
    pub(crate) filters: Vec<FilterSpec>,
    pub(crate) early: Early,
    /// Of the output queues.
    pub(crate) marks: [(u64, u64); 2],
    pub(crate) max_frame_bytes: usize,
    pub(crate) keep_chains: usize,
    /// Everything that can be printed is.
    pub(crate) printed: bool,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Early {
    Forward,
    Stop,
    Drain { max_bytes: u64 },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Request,
    Response,
    Pair,
}

#[derive(Debug, Clone)]
pub(crate) struct FilterSpec {
    pub(crate) place: Place,
    /// An `async fn`, and no callbacks; not for pairs.
    pub(crate) is_async: bool,
    /// One bit each, in the order of [`Interest`](tidegate::Interest).
    pub(crate) interest: u8,
    /// One bit each, in the order of `Capability::ALL`.
    pub(crate) prefers: u8,
    /// What it cannot do without: a number below the count of capabilities.
    pub(crate) requires: Option<usize>,
    pub(crate) marks: (u64, u64),
    pub(crate) recycles: bool,
}

/// One exchange.
#[derive(Debug)]
pub(crate) struct Stream {
    /// One for each filter: of the request, of the response.
    pub(crate) programs: Vec<[Program; 2]>,
    pub(crate) sides: [SideSpec; 2],
    pub(crate) waits: Waits,
    /// No side hears of the other.
    pub(crate) unlinked: bool,
    /// The filter whose maker panics, if there is one.
    pub(crate) unmade: Option<usize>,
    /// What the task does that holds the handles.
    pub(crate) third: Vec<u8>,
    pub(crate) schedule: Vec<u8>,
}

/// What one filter does with one message.
#[derive(Debug, Clone, Default)]
pub(crate) struct Program {
    pub(crate) edit: Edit,
    /// Bytes that it adds at the end of its input.
    pub(crate) suffix_bytes: u8,
    /// In its first, second, … call. Afterwards it passes.
    pub(crate) steps: Vec<Step>,
    pub(crate) panics_in_close: bool,
    pub(crate) drops_informational: bool,
}

/// What is done to every new byte, wherever the pieces are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Edit {
    #[default]
    Keep,
    /// Bytes of this residue modulo 16 are taken out.
    Remove(u8),
    /// They are replaced by the next byte.
    Replace(u8),
    /// A byte that no message has is put behind each.
    Grow(u8),
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    pub(crate) answer: Answer,
    pub(crate) quiet: bool,
    pub(crate) reject: bool,
    pub(crate) again: bool,
    pub(crate) extra: Extra,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Pass,
    /// With a handle for the third task.
    Hold,
    /// Without: it hopes for more input.
    HoldAlone,
    /// Lets so many sixteenths of its view go.
    First(u8),
    End,
    Reply,
    Fail,
    Panic,
}

/// What a filter does besides, before it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extra {
    None,
    /// Adds a trailer.
    Trailer,
    DropData,
    DropTrailers,
    /// Takes all bytes, says that it keeps them, and gives them back in its next call.
    Keep,
    /// Declares this length.
    Declare(u8),
    /// Takes a handle and drops it.
    Handle,
}

/// What is done to one side from outside.
#[derive(Debug, Clone)]
pub(crate) struct SideSpec {
    pub(crate) inputs: Vec<Input>,
    /// What the source has to give.
    pub(crate) body_bytes: u64,
    pub(crate) declares: Declares,
    /// The edge knows that there is no body.
    pub(crate) bodiless: bool,
    pub(crate) trailers_unsent: bool,
    /// After the head was given out, no trailers are announced.
    pub(crate) announces_none: bool,
    /// What this message cannot do: a number below the count of capabilities.
    pub(crate) without: Option<usize>,
    /// Gives input before it takes output.
    pub(crate) eager: bool,
    /// Polls chain and mailbox one by one, as an edge with an event loop does.
    pub(crate) by_hand: bool,
    /// One in so many outputs makes the sink wait for the third task; 0 for never.
    pub(crate) sink_waits_one_in: u8,
}

/// The `content-length` of the entering head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Declares {
    Nothing,
    Truth,
    /// So much too many, or too few.
    Wrong(i8),
    Garbage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Input {
    Informational,
    Head {
        status: u16,
        end: bool,
    },
    /// When it is wanted.
    Data {
        bytes: u16,
        end: bool,
    },
    /// Whether it is wanted or not.
    Pushed {
        bytes: u16,
    },
    Trailers,
    End,
    Reset,
    /// In the upper half while the side waits for its source.
    Timeout {
        which: u8,
    },
    Abort,
    Cancel,
    /// A local reply of the edge.
    Reply,
    /// The task goes away.
    Drop,
    /// The source waits for the third task.
    Wait,
    Awaits(bool),
    /// The side is printed.
    Debug,
}

/// What the peers wait for besides their own sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waits {
    Nothing,
    /// The upstream answers when it has seen the request end.
    Upstream,
    /// The client does not end its request: it goes when it has its answer.
    Endless,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct ExecutorSpec {
    pub(crate) spurious_one_in: usize,
    pub(crate) fresh_wakers: bool,
    pub(crate) inline_one_in: usize,
}

impl SideSpec {
    /// Leaves the end out.
    pub(crate) fn make_endless(&mut self) {
        self.inputs.retain(|input| !matches!(input, Input::End | Input::Trailers));
        for input in &mut self.inputs {
            match input {
                Input::Head { end, .. } | Input::Data { end, .. } => *end = false,
                _ => {}
            }
        }
    }
}

impl Input {
    fn bytes(self) -> u64 {
        match self {
            Self::Data { bytes, .. } | Self::Pushed { bytes } => bytes.into(),
            _ => 0,
        }
    }
}

impl Case {
    /// The case that `bytes` describe. Every byte string describes one; zeros are the dullest.
    pub(crate) fn decode(bytes: &[u8]) -> Self {
        let mut choices = Choices::new(bytes);
        let c = &mut choices;
        let executor = ExecutorSpec {
            spurious_one_in: [0, 0, 2, 9][c.below(4)],
            fresh_wakers: c.percent(50),
            inline_one_in: [0, 0, 1, 3][c.below(4)],
        };
        let plan = plan(c);
        let swarm = c.swarm();
        let count = STREAMS[c.below(STREAMS.len())];
        let streams = (0..count).map(|_| stream(c, swarm, &plan.filters)).collect();
        Self { plan, streams, executor }
    }
}

fn plan(c: &mut Choices<'_>) -> PlanSpec {
    let mut filters = Vec::new();
    let (mut requests, mut responses) = (0, 0);
    for _ in 0..[2, 1, 0, 2, 3, 4, 5, 6][c.below(8)] {
        let place = match c.below(3) {
            0 => Place::Request,
            1 => Place::Response,
            _ => Place::Pair,
        };
        requests += usize::from(place != Place::Response);
        responses += usize::from(place != Place::Request);
        if requests > MOST_FILTERS || responses > MOST_FILTERS {
            break;
        }
        filters.push(filter(c, place));
    }
    let early = match c.below(3) {
        0 => Early::Forward,
        1 => Early::Stop,
        _ => Early::Drain { max_bytes: c.below(64) as u64 },
    };
    PlanSpec {
        filters,
        early,
        marks: [marks(c), marks(c)],
        max_frame_bytes: [65536, 1000, 7, 33][c.below(4)],
        keep_chains: [2, 0, 1, 4][c.below(4)],
        printed: c.percent(2),
    }
}

fn filter(c: &mut Choices<'_>, place: Place) -> FilterSpec {
    FilterSpec {
        place,
        is_async: c.percent(15) && place != Place::Pair,
        interest: [7, 7, 7, 2, 3, 6, 1, 4][c.below(8)],
        prefers: match c.below(4) {
            0 => 0b11_1111,
            1 => 0b11_1110,
            2 => 0b00_1010,
            _ => c.byte() & 0b11_1111,
        },
        requires: c.percent(8).then(|| c.below(6)),
        marks: marks(c),
        recycles: !c.percent(30),
    }
}

fn marks(c: &mut Choices<'_>) -> (u64, u64) {
    let high = [1000, 100, 20, 3, 0, 5000, 400, 60][c.below(8)];
    let low = [high / 2, high, 0, high.min(7)][c.below(4)];
    (low, high)
}

fn stream(c: &mut Choices<'_>, swarm: Swarm, filters: &[FilterSpec]) -> Stream {
    let mut programs = Vec::new();
    for filter in filters {
        let mut half = |other: Place| {
            if filter.place == other { Program::default() } else { program(c, swarm) }
        };
        programs.push([half(Place::Response), half(Place::Request)]);
    }
    // Halves of a pair are made for both at once.
    let unlinked = c.percent(6) && filters.iter().all(|filter| filter.place != Place::Pair);
    let waits = match c.below(3) {
        1 if !unlinked => Waits::Upstream,
        2 if !unlinked => Waits::Endless,
        _ => Waits::Nothing,
    };
    let sides = [side(c, true), side(c, false)];
    let unmade = (c.percent(2) && !filters.is_empty()).then(|| c.below(filters.len()));
    let third = bytes(c, 12);
    let schedule = bytes(c, 48);
    Stream { programs, sides, waits, unlinked, unmade, third, schedule }
}

fn bytes(c: &mut Choices<'_>, most: usize) -> Vec<u8> {
    (0..most).map_while(|_| (!c.is_empty()).then(|| c.byte())).collect()
}

fn program(c: &mut Choices<'_>, swarm: Swarm) -> Program {
    let edit = match c.below(8) {
        5 => Edit::Remove(c.byte() % 16),
        6 => Edit::Replace(c.byte() % 16),
        7 => Edit::Grow(c.byte() % 16),
        _ => Edit::Keep,
    };
    Program {
        edit,
        suffix_bytes: if c.percent(15) { c.byte() % 24 } else { 0 },
        steps: (0..[0, 1, 2, 3, 4, 6][c.below(6)]).map(|_| step(c, swarm)).collect(),
        panics_in_close: c.percent(3),
        drops_informational: c.percent(25),
    }
}

const ANSWERS: [Answer; 24] = [
    Answer::Pass,
    Answer::Hold,
    Answer::Hold,
    Answer::Hold,
    Answer::Hold,
    Answer::HoldAlone,
    Answer::First(0),
    Answer::First(8),
    Answer::First(16),
    Answer::End,
    Answer::Reply,
    Answer::Fail,
    Answer::Panic,
    Answer::Pass,
    Answer::Pass,
    Answer::Pass,
    Answer::Pass,
    Answer::Pass,
    Answer::Hold,
    Answer::HoldAlone,
    Answer::First(4),
    Answer::First(12),
    Answer::Pass,
    Answer::Pass,
];

fn step(c: &mut Choices<'_>, swarm: Swarm) -> Step {
    let answer = swarm.pick(&ANSWERS, c);
    let extra = match c.below(16) {
        8 => Extra::Trailer,
        9 => Extra::DropData,
        10 => Extra::DropTrailers,
        11 | 12 => Extra::Keep,
        13 => Extra::Declare(c.byte()),
        14 => Extra::Handle,
        _ => Extra::None,
    };
    let flags = c.byte();
    Step {
        answer,
        quiet: flags & 0x70 == 0x70,
        reject: flags & 0x88 == 0x88,
        again: flags & 7 == 7,
        extra,
    }
}

fn side(c: &mut Choices<'_>, request: bool) -> SideSpec {
    let inputs = inputs(c, request);
    let body_bytes = inputs.iter().map(|input| input.bytes()).sum();
    SideSpec {
        inputs,
        body_bytes,
        declares: match c.below(8) {
            5 => Declares::Truth,
            6 => Declares::Wrong(c.byte().cast_signed()),
            7 if c.percent(20) => Declares::Garbage,
            7 => Declares::Truth,
            _ => Declares::Nothing,
        },
        bodiless: !request && c.percent(4),
        trailers_unsent: c.percent(6),
        announces_none: c.percent(6),
        without: c.percent(10).then(|| c.below(6)),
        eager: c.percent(30),
        by_hand: c.percent(30),
        sink_waits_one_in: [0, 0, 0, 1, 2, 3, 5, 8][c.below(8)],
    }
}

fn inputs(c: &mut Choices<'_>, request: bool) -> Vec<Input> {
    let mut inputs = Vec::new();
    if !request && c.percent(30) {
        inputs.extend((0..c.below(4)).map(|_| Input::Informational));
        if c.percent(2) {
            inputs.extend([Input::Informational; 70]);
        }
    }
    let status = if request { 200 } else { [200, 200, 200, 204, 304, 200, 200, 200][c.below(8)] };
    let head_ends = c.percent(8);
    inputs.push(Input::Head { status, end: head_ends });
    if !head_ends {
        body(c, &mut inputs);
    }
    for _ in 0..c.below(5) {
        let at = c.below(inputs.len() + 1);
        inputs.insert(at, Input::Wait);
    }
    if c.percent(35) {
        let at = c.below(inputs.len() + 1);
        let odd = odd(c);
        inputs.insert(at, odd);
        // A source that has failed has no more to say.
        if odd == Input::Reset {
            inputs.truncate(at + 1);
        }
    }
    inputs
}

fn body(c: &mut Choices<'_>, inputs: &mut Vec<Input>) {
    let pieces = [1, 2, 3, 4, 0, 5, 8, 12][c.below(8)];
    let mut total = 0;
    let mut ended = false;
    for piece in 0..pieces {
        let bytes = match c.below(16) {
            0..=8 => c.below(32),
            9..=11 => c.below(250),
            12 => 0,
            13 => 510 + c.below(4),
            14 => c.below(1500),
            _ => c.below(4096),
        };
        total += bytes;
        if total > MOST_BODY_BYTES {
            break;
        }
        let bytes = bytes as u16;
        ended = piece + 1 == pieces && c.percent(25);
        inputs.push(if c.percent(10) && !ended {
            Input::Pushed { bytes }
        } else {
            Input::Data { bytes, end: ended }
        });
    }
    if !ended {
        inputs.push(if c.percent(30) { Input::Trailers } else { Input::End });
    }
}

fn odd(c: &mut Choices<'_>) -> Input {
    match c.below(16) {
        0..=3 => Input::Reset,
        4 | 5 => Input::Timeout { which: c.byte() },
        6 | 7 => Input::Abort,
        8 | 9 => Input::Cancel,
        10 | 11 => Input::Drop,
        12 => Input::Reply,
        13 => Input::Awaits(true),
        14 => Input::Awaits(false),
        _ => Input::Debug,
    }
}
