//! What a case is compared by: every call with its whole view, every close, every level.

use std::collections::BTreeMap;

use tidegate::chain::Stats;
use tidegate::{Error, ErrorKind, Outcome, Resumed};

pub(crate) type Fields = BTreeMap<String, String>;

/// One callback of one filter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Event {
    Call(Box<Call>),
    Inform { station: usize, head: HeadSeen },
    Close { station: usize, outcome: Ended },
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    pub(crate) station: usize,
    pub(crate) callback: Callback,
    pub(crate) head: Option<HeadSeen>,
    pub(crate) body: Vec<u8>,
    pub(crate) new_at: usize,
    pub(crate) input_ended: bool,
    pub(crate) trailers: Option<Fields>,
    /// Bits in the order of `Capability::ALL`.
    pub(crate) granted: u8,
    pub(crate) local_reply: bool,
    pub(crate) declared_bytes: Option<u64>,
    /// What came of each action.
    pub(crate) results: Vec<Done>,
    /// The view when the callback returned.
    pub(crate) body_after: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Callback {
    Head,
    Data,
    Trailers,
    Resume,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HeadSeen {
    /// 0 for requests.
    pub(crate) status: u16,
    pub(crate) length: Option<String>,
    /// The filters that marked it.
    pub(crate) tags: Vec<u8>,
}

/// What came of one action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Done {
    Yes,
    No,
    Full,
    TooLarge(u64),
    NoBody,
    Undeclared(&'static str),
    Taken(Vec<u8>),
    Resumed(Resumed),
    /// What was to be added did not come back whole.
    Mangled,
}

/// An outcome, in what is specified of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Ended {
    Complete { discarded_bytes: u64, unsent_trailers: u64 },
    Reset(Failure),
    Cancelled,
    Limit(Failure),
    Stalled(Failure),
    TimedOut(Failure),
    Failed(Failure),
    Replaced { by: Option<String>, status: u16 },
    Unknown,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Failure {
    pub(crate) kind: ErrorKind,
    pub(crate) filter: Option<String>,
}

impl Failure {
    pub(crate) fn of(error: &Error) -> Self {
        Self { kind: error.kind(), filter: error.filter().map(str::to_owned) }
    }
}

impl Ended {
    pub(crate) fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Complete { discarded_bytes, unsent_trailers } => Self::Complete {
                discarded_bytes: *discarded_bytes,
                unsent_trailers: *unsent_trailers,
            },
            Outcome::Reset(error) => Self::Reset(Failure::of(error)),
            Outcome::Cancelled => Self::Cancelled,
            Outcome::Limit(error) => Self::Limit(Failure::of(error)),
            Outcome::Stalled(error) => Self::Stalled(Failure::of(error)),
            Outcome::TimedOut(error) => Self::TimedOut(Failure::of(error)),
            Outcome::Failed(error) => Self::Failed(Failure::of(error)),
            Outcome::Replaced { by, status } => {
                Self::Replaced { by: by.as_deref().map(str::to_owned), status: status.as_u16() }
            }
            _ => Self::Unknown,
        }
    }
}

/// What the sink was given.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Given {
    Informational(HeadSeen),
    Head { head: HeadSeen, end_of_stream: bool },
    Data(Vec<u8>),
    Trailers(Fields),
    End,
    Reply { status: u16, body: Vec<u8> },
    Reset(Failure),
}

/// What became of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Taken {
    Yes,
    NotWanted(Vec<u8>),
    Ended,
    OutOfOrder,
    NotInformational,
}

/// The levels and counters that anybody can ask for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Levels {
    pub(crate) wants_input: bool,
    pub(crate) has_work: bool,
    pub(crate) input_stopped: bool,
    pub(crate) is_holding: bool,
    pub(crate) is_end_stream: bool,
    pub(crate) remaining_bytes: Option<u64>,
    pub(crate) held_bytes: u64,
    pub(crate) input_bytes: u64,
    pub(crate) output_bytes: u64,
    pub(crate) discarded_bytes: u64,
    pub(crate) unsent_trailers: u64,
    pub(crate) dropped_informational: u64,
    pub(crate) outcome: Option<Ended>,
}

impl Levels {
    /// Fills in the counters of `stats`.
    pub(crate) fn count(&mut self, stats: Stats) {
        self.input_bytes = stats.input_bytes;
        self.output_bytes = stats.output_bytes;
        self.discarded_bytes = stats.discarded_bytes;
        self.unsent_trailers = stats.unsent_trailers;
        self.dropped_informational = stats.dropped_informational;
    }
}
