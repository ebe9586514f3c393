//! One case: a body, the filters it goes through, and who does what in which order.

use std::sync::Arc;

use bytes::Bytes;

use crate::targets::choices::Choices;

/// The most operations of a case.
const MOST_OPS: usize = 128;

/// The most filters, all kinds together.
const MOST_FILTERS: usize = 4;

/// No body is longer on its way, in bytes.
const MOST_BYTES: usize = 32 * 1024;

/// The largest piece of body that the source gives at once, in bytes.
const MOST_CHUNK_BYTES: usize = 4 * 1024;

#[derive(Debug)]
pub(super) struct Case {
    pub(super) body: Bytes,
    pub(super) stages: Vec<Stage>,
    pub(super) output_marks: (u64, u64),
    pub(super) max_frame_bytes: usize,
    pub(super) declares_length: bool,
    pub(super) trailers: bool,
    pub(super) ops: Vec<Op>,
}

/// One filter.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) low: u64,
    pub(super) high: u64,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    /// Replaces in callbacks. In its first calls it only holds, quietly if its bit is set, so that
    /// there is much to replace in one call.
    Callbacks { rule: Arc<Rule>, lazy_calls: u8, quiet: u8 },
    /// Replaces in an `async fn`, which sleeps after the chunks whose bit is set.
    Future { rule: Arc<Rule>, naps: u8, holds_head: bool },
    /// A neighbour that changes nothing.
    Neighbour { pauses: Vec<Pause> },
}

/// What a neighbour does in one call. When it is done it passes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pause {
    None,
    Hold,
    Quiet,
    First(u16),
}

#[derive(Debug)]
pub(super) struct Rule {
    pub(super) needle: Bytes,
    pub(super) with: Bytes,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Op {
    /// The source gives up to that many bytes, if they are wanted. `end`: the last bytes say so.
    Give {
        bytes: usize,
        end: bool,
    },
    /// The source has no more, if so.
    Finish,
    /// The sink takes up to that many outputs.
    Take(usize),
    TakeBytes(usize),
    PollData,
    /// Somebody resumes a filter that has said how.
    Resume(usize),
    /// Wakes a future from its nap.
    Wake(usize),
    /// `Chain::handle_resume`.
    Ask(usize),
    /// A poll that nobody asked for.
    Turn,
}

const OPS: [Op; 20] = [
    Op::Give { bytes: 24, end: true },
    Op::Give { bytes: 24, end: false },
    Op::Give { bytes: 3, end: true },
    Op::Give { bytes: 3, end: false },
    Op::Give { bytes: 300, end: true },
    Op::Give { bytes: 300, end: false },
    Op::Give { bytes: MOST_CHUNK_BYTES, end: false },
    Op::Finish,
    Op::Take(1),
    Op::Take(3),
    Op::Take(64),
    Op::TakeBytes(2),
    Op::TakeBytes(20),
    Op::TakeBytes(600),
    Op::PollData,
    Op::Resume(0),
    Op::Resume(0),
    Op::Wake(0),
    Op::Ask(0),
    Op::Turn,
];

/// The case that `choices` describe.
pub(super) fn case(choices: &mut Choices<'_>) -> Case {
    let swarm = choices.swarm();
    let letters = choices.percent(60);
    let mut body = text(choices, letters);
    let mut stages: Vec<Stage> = Vec::new();
    let replacers = if choices.percent(25) { 2 } else { 1 };
    for _ in 0..replacers {
        neighbours(choices, &mut stages);
        let rule = Arc::new(rule(choices, letters, &body));
        body = fitting(body, &stages, &rule);
        stages.push(replacer(choices, rule));
    }
    neighbours(choices, &mut stages);
    let output_marks = marks(choices, 0);
    let max_frame_bytes = [64 * 1024, 64, 16, 5][choices.below(4)];
    let (declares_length, trailers) = (choices.percent(30), choices.percent(30));
    let filters = stages.len();
    let mut ops = Vec::new();
    while ops.len() < MOST_OPS && !choices.is_empty() {
        let n = |choices: &mut Choices<'_>, most| choices.below(most);
        ops.push(match swarm.pick(&OPS, choices) {
            Op::Give { bytes, end } => Op::Give { bytes: 1 + n(choices, bytes), end },
            Op::Take(most) => Op::Take(1 + n(choices, most)),
            Op::TakeBytes(most) => Op::TakeBytes(n(choices, most)),
            Op::Resume(_) => Op::Resume(n(choices, filters)),
            Op::Wake(_) => Op::Wake(n(choices, filters)),
            Op::Ask(_) => Op::Ask(n(choices, filters)),
            op @ (Op::Finish | Op::PollData | Op::Turn) => op,
        });
    }
    Case { body, stages, output_marks, max_frame_bytes, declares_length, trailers, ops }
}

/// A body: positions modulo 251, so that loss, doubling and reordering show; or few letters, so
/// that needles match in part, and overlap.
fn text(choices: &mut Choices<'_>, letters: bool) -> Bytes {
    let most = [40, 300, 300, 2000, MOST_BYTES / 2][choices.below(5)];
    let len = choices.below(most);
    if !letters {
        return (0..len).map(|i| (i % 251) as u8).collect();
    }
    let mut x = u32::from(choices.word()) | 1;
    let letters = [2, 2, 3, 1][choices.below(4)];
    let mut next = || {
        x = x.wrapping_mul(1_103_515_245).wrapping_add(12_345);
        b'a' + ((x >> 16) % letters) as u8
    };
    (0..len).map(|_| next()).collect()
}

fn rule(choices: &mut Choices<'_>, letters: bool, body: &Bytes) -> Rule {
    let most = [4, 8, 8, 64][choices.below(4)];
    let len = 1 + choices.below(most);
    let needle = if body.len() >= len && choices.percent(85) {
        let at = choices.below(body.len() - len + 1);
        body.slice(at..at + len)
    } else if letters {
        (0..len).map(|_| b'a' + choices.below(2) as u8).collect()
    } else {
        let first = choices.below(251);
        (first..first + len).map(|i| (i % 251) as u8).collect()
    };
    let with = match choices.below(8) {
        0 => Bytes::new(),
        1 => needle.slice(..len / 2),
        2 => Bytes::from(vec![253; len]),
        // It contains the needle, or makes one with what follows: neither is replaced again.
        3 => [&needle[..], &needle[..]].concat().into(),
        4 => [&needle[1..], &needle[..1]].concat().into(),
        5 => Bytes::from(vec![254; 600]),
        _ => Bytes::from(vec![252; 1 + choices.below(40)]),
    };
    Rule { needle, with }
}

/// As much of `body` as stays short with `rule` behind `stages`.
fn fitting(mut body: Bytes, stages: &[Stage], rule: &Rule) -> Bytes {
    loop {
        let before = replaced(&body, stages);
        if rule.apply(&before).len() <= MOST_BYTES {
            return body;
        }
        body.truncate(body.len() / 4);
    }
}

fn replacer(choices: &mut Choices<'_>, rule: Arc<Rule>) -> Stage {
    // Less could never add what one match adds. And a filter that always keeps the beginning of a
    // needle must be able to keep it below its low mark: over, it is given nothing more.
    let least = rule.needle.len().max(rule.with.len()) as u64;
    let (low, high) = marks(choices, least);
    let low = low.max(rule.needle.len() as u64 - 1);
    let kind = if choices.percent(60) {
        let lazy_calls = if choices.percent(40) { choices.below(4) as u8 } else { 0 };
        Kind::Callbacks { rule, lazy_calls, quiet: choices.byte() }
    } else {
        let naps = if choices.percent(50) { choices.byte() } else { 0 };
        Kind::Future { rule, naps, holds_head: choices.percent(30) }
    };
    Stage { low, high, kind }
}

fn neighbours(choices: &mut Choices<'_>, stages: &mut Vec<Stage>) {
    // A second replacer comes after this one: there is room for it.
    while stages.len() + 2 < MOST_FILTERS && choices.percent(40) {
        let (low, high) = marks(choices, 0);
        let pauses = (0..choices.below(8)).map(|_| pause(choices)).collect();
        stages.push(Stage { low, high, kind: Kind::Neighbour { pauses } });
    }
}

fn pause(choices: &mut Choices<'_>) -> Pause {
    match choices.below(8) {
        0..=2 => Pause::None,
        3 | 4 => Pause::Hold,
        5 => Pause::Quiet,
        _ => Pause::First(choices.below(200) as u16),
    }
}

fn marks(choices: &mut Choices<'_>, least: u64) -> (u64, u64) {
    let more = [40, 200, 2000, 60_000][choices.below(4)];
    let high = least + choices.below(more) as u64;
    let low = [high / 2, 0, high, high / 3][choices.below(4)];
    (low, high)
}

/// What comes out behind `stages`: each filter as a function of the whole body.
pub(super) fn replaced(body: &[u8], stages: &[Stage]) -> Vec<u8> {
    let rules = stages.iter().filter_map(|stage| match &stage.kind {
        Kind::Callbacks { rule, .. } | Kind::Future { rule, .. } => Some(rule),
        Kind::Neighbour { .. } => None,
    });
    rules.fold(body.to_vec(), |body, rule| rule.apply(&body))
}

impl Rule {
    /// Replaces from the left; matches do not overlap.
    fn apply(&self, mut body: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(body.len());
        while let Some(&first) = body.first() {
            if let Some(rest) = body.strip_prefix(&self.needle[..]) {
                out.extend_from_slice(&self.with);
                body = rest;
            } else {
                out.push(first);
                body = &body[1..];
            }
        }
        out
    }
}
