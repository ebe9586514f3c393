//! Cases from bytes: of a seeded generator, or of a fuzzer.

use super::case::{
    ADD_TRAILERS, ALL_CAPABILITIES, Action, Answer, CHANGE_LENGTH, Case, EDIT_BYTES, Finish,
    HOLD_HEAD, HeadSpec, Informs, Length, Op, Script, Step, WANTS_DATA, WANTS_HEAD, WANTS_TRAILERS,
};

/// How many random bytes a case is made from.
const BYTES_PER_CASE: usize = 1024;

/// The case with that number.
pub(crate) fn random_case(seed: u64) -> Case {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d;
    let bytes: Vec<u8> =
        (0..BYTES_PER_CASE / 8).flat_map(|_| splitmix(&mut state).to_le_bytes()).collect();
    case_from_bytes(&bytes)
}

fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The case that `bytes` describe. Every byte string describes one; zeros are the dullest.
pub(crate) fn case_from_bytes(bytes: &[u8]) -> Case {
    let mut dice = Dice::new(bytes);
    let filters = 1 + dice.below(6);
    case(&mut dice, filters)
}

/// A case with that many filters.
pub(crate) fn case(dice: &mut Dice<'_>, filters: usize) -> Case {
    let request = dice.percent(50);
    let floods = dice.percent(2);
    let body_bytes = match () {
        // At one byte a frame, more calls than one drive may make.
        () if floods => 1030 + dice.below(120),
        () if dice.percent(12) => 0,
        () => dice.below(121),
    };
    let edge = capabilities(dice, 85);
    let message = capabilities(dice, 90);
    let (low, high) = marks(dice, 60);
    let narrow = !floods && dice.percent(50);
    let output_marks = if narrow { (low, high) } else { (1000, 2000) };
    let max_frame_bytes = if floods { 1 } else { [1000, 16, 7, 5][dice.below(4)] };
    let head = head(dice, request);
    let bodiless = !request && dice.percent(4);
    let no_trailers = dice.percent(8);
    let announced = dice.percent(10).then(|| match dice.below(4) {
        0 => vec![],
        1 => vec!["t-0", "t-1", "t-10", "t-11"],
        2 => vec!["t-100"],
        _ => vec!["t-101", "t-2"],
    });
    let filters = (0..filters).map(|_| script(dice)).collect();
    let mut ops = ops(dice);
    if floods && let Some(head) = ops.iter().position(|op| matches!(op, Op::Head { .. })) {
        ops.insert(head + 1, Op::Flood);
    }
    let finish = match dice.below(10) {
        0..=6 => Finish::Drain,
        7 | 8 => Finish::Drop,
        _ => Finish::Cancel,
    };
    Case {
        request,
        bodiless,
        edge,
        message,
        no_trailers,
        announced,
        output_marks,
        max_frame_bytes,
        head,
        body_bytes,
        filters,
        ops,
        finish,
    }
}

/// Choices from bytes; zeros when they have run out.
pub(crate) struct Dice<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Dice<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// They have run out.
    pub(crate) const fn is_spent(&self) -> bool {
        self.at >= self.bytes.len()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        let byte = self.bytes.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        byte
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        usize::from(self.byte()) % n
    }

    /// True in that share of cases; false for a zero.
    pub(crate) fn percent(&mut self, share: usize) -> bool {
        usize::from(self.byte()) * 100 / 256 >= 100 - share
    }

    fn small(&mut self, n: usize) -> u8 {
        self.below(n) as u8
    }
}

fn capabilities(dice: &mut Dice<'_>, all_percent: usize) -> u8 {
    if dice.percent(100 - all_percent) { dice.byte() & ALL_CAPABILITIES } else { ALL_CAPABILITIES }
}

fn marks(dice: &mut Dice<'_>, most: usize) -> (u64, u64) {
    let high = dice.below(most + 1);
    let low = if dice.percent(50) { dice.below(high + 1) } else { high / 2 };
    (low as u64, high as u64)
}

fn head(dice: &mut Dice<'_>, request: bool) -> HeadSpec {
    let status = match dice.below(24) {
        0 if !request => 204,
        1 if !request => 304,
        2 if !request => [101, 103, 200, 200][dice.below(4)],
        _ => 200,
    };
    let length = match dice.below(32) {
        0..=17 => Length::Absent,
        18..=28 => Length::Off(0),
        29 => Length::Off(-1 - dice.below(4) as i8),
        30 => Length::Off(1 + dice.below(4) as i8),
        _ => [Length::Garbage, Length::Torn][dice.below(2)],
    };
    HeadSpec { status, length }
}

fn script(dice: &mut Dice<'_>) -> Script {
    let interest = match dice.below(16) {
        0..=6 => WANTS_HEAD | WANTS_DATA | WANTS_TRAILERS,
        7..=9 => WANTS_DATA,
        10 => WANTS_HEAD,
        11 => WANTS_TRAILERS,
        _ => dice.byte() & (WANTS_HEAD | WANTS_DATA | WANTS_TRAILERS),
    };
    let mut prefers = EDIT_BYTES | HOLD_HEAD;
    if dice.percent(30) {
        prefers |= ADD_TRAILERS;
    }
    if dice.percent(60) {
        prefers |= CHANGE_LENGTH;
    }
    if dice.percent(10) {
        prefers = dice.byte() & ALL_CAPABILITIES;
    }
    let (low, high) = if dice.percent(15) { (500, 1000) } else { marks(dice, 40) };
    // A filter without steps is the plain passer; most have a few.
    let steps = if dice.percent(20) { 0 } else { 1 + dice.below(6) };
    Script {
        interest,
        blind: dice.percent(25),
        prefers,
        low,
        high,
        steps: (0..steps).map(|index| step(dice, index == 0)).collect(),
        informs: match dice.below(32) {
            0..=23 => Informs::Pass,
            24..=28 => Informs::Tag,
            29 | 30 => Informs::Drop,
            _ => [Informs::Final, Informs::Panic][dice.below(2)],
        },
        panics_in_close: dice.percent(2),
        panics_in_drop: dice.percent(2),
    }
}

fn step(dice: &mut Dice<'_>, first: bool) -> Step {
    let mut actions = Vec::new();
    // Most holders know how to go on: without a handle most cases would end as stalls.
    if first && dice.percent(75) {
        actions.push(Action::Handle);
    }
    for _ in 0..[0, 0, 0, 1, 1, 1, 2, 3][dice.below(8)] {
        actions.push(action(dice));
    }
    let answer = match dice.below(64) {
        0..=27 => Answer::Pass,
        28..=43 => Answer::Hold,
        44..=52 => Answer::First(dice.small(48)),
        53..=58 => Answer::FirstAll,
        59 | 60 => Answer::End,
        61 => Answer::Reply {
            status: [403, 200, 503, 204][dice.below(4)],
            body: if dice.percent(60) { dice.small(60) } else { 0 },
        },
        62 => [Answer::Fail, Answer::Pass][dice.below(2)],
        _ => [Answer::Panic, Answer::Pass][dice.below(2)],
    };
    Step {
        actions,
        answer,
        reject: dice.percent(12),
        quiet: dice.percent(25),
        again: dice.percent(12),
    }
}

fn action(dice: &mut Dice<'_>) -> Action {
    let n = dice.small(46);
    let at = dice.byte();
    match dice.below(32) {
        0..=4 => Action::Push(n),
        5 | 6 => Action::Prepend(n),
        7 | 8 => Action::Insert { at, n },
        9 | 10 => Action::Replace { at, len: dice.small(20), n },
        11 | 12 => Action::Remove { at, len: dice.small(20) },
        13 => Action::Take,
        14 => Action::TakeFirst(at),
        15 => Action::Keep(n),
        16 | 17 => Action::TakeAndKeep,
        18 | 19 => Action::GiveBack,
        20 => Action::Trailer,
        21 => Action::ClearTrailers,
        22 => Action::SetTrailers(n % 3),
        23 => Action::Tag,
        24 => Action::Status([200, 204, 304, 500, 103][dice.below(5)]),
        25 => Action::Declare(at % 128),
        26 => Action::DropInterest(at & (WANTS_HEAD | WANTS_DATA | WANTS_TRAILERS)),
        27 | 28 => Action::Handle,
        29 => Action::DropHandle,
        _ => Action::Resume(at % 6),
    }
}

fn ops(dice: &mut Dice<'_>) -> Vec<Op> {
    let mut ops = Vec::new();
    if dice.percent(3) {
        ops.push(op(dice));
    }
    if dice.percent(15) {
        let status = [103, 103, 100, 102, 101, 200][dice.below(6)];
        let times = [1, 2, 3, 70][dice.below(4)];
        ops.push(Op::Inform { status, times });
        if dice.percent(40) {
            ops.push(op(dice));
        }
    }
    ops.push(Op::Head { end: dice.percent(60) });
    for _ in 0..dice.below(28) {
        ops.push(op(dice));
    }
    ops
}

fn op(dice: &mut Dice<'_>) -> Op {
    let k = dice.small(6);
    match dice.below(64) {
        0..=24 => {
            let most = [60, 12, 3][dice.below(3)];
            Op::Data { n: 1 + dice.small(most), end: dice.percent(50), force: dice.percent(20) }
        }
        25..=34 => Op::Take([1, 1, 2, 3, 200][dice.below(5)]),
        35 => Op::PollData,
        36 => Op::TakeBytes(dice.small(40)),
        37..=44 => Op::Resume(k),
        45..=49 => Op::Turn,
        50 | 51 => Op::AskDirectly(k),
        52 => Op::DropHandle(k),
        53 | 54 => Op::Trailers(dice.small(3)),
        55 => [Op::End, Op::Turn, Op::Turn, Op::Turn][dice.below(4)],
        56 => Op::EmptyData,
        57 | 58 => {
            let high = dice.small(60);
            Op::Marks { station: dice.small(7), low: dice.small(usize::from(high) + 1), high }
        }
        59 => match dice.below(8) {
            0 => Op::Reset,
            1 => Op::Timeout,
            2 => [Op::Cancel, Op::Abort][dice.below(2)],
            3 => [Op::Head { end: false }, Op::Inform { status: 103, times: 1 }][dice.below(2)],
            4 | 5 => Op::Reply {
                status: [500, 204, 200][dice.below(3)],
                body: if dice.percent(50) { dice.small(50) } else { 0 },
            },
            _ => Op::Turn,
        },
        _ => Op::Data { n: 1 + dice.small(20), end: dice.percent(50), force: false },
    }
}
