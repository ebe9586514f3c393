use core::fmt;
use std::error::Error;

use super::bounded::cut;
use super::{ConfigPlace, KindUse};
use crate::flow::FlowError;

/// How much of a reason of serde's is kept, in bytes: it quotes what it has read.
const REASON_BYTES: usize = 512;

/// What is wrong with a configuration.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConfigErrorKind {
    /// It has the wrong shape: an unknown or missing field, a wrong type.
    Shape {
        /// What serde says of it.
        reason: String,
    },
    /// There is more of something than a configuration may have.
    Limit {
        /// The limit, in [`limits`](crate::limits).
        limit: &'static str,
        /// What it allows, in its own unit.
        most: usize,
    },
    /// A key of the settings is there twice.
    RepeatedKey,
    /// A number of the settings is infinite, or none.
    NotFinite,
    /// No kind is called so.
    UnknownKind {
        /// The name.
        kind: String,
        /// The kinds there are.
        known: Vec<String>,
    },
    /// The settings have not the shape that the kind reads.
    Settings {
        /// The kind.
        kind: String,
        /// What serde says of them.
        reason: String,
    },
    /// The kind does not take these settings.
    Refused {
        /// The kind.
        kind: String,
        /// Why.
        reason: Box<dyn Error + Send + Sync>,
    },
    /// Making a filter of the kind panicked.
    Panicked {
        /// The kind.
        kind: String,
    },
    /// A filter without a name.
    EmptyName,
    /// A filter called `END`.
    ReservedName {
        /// The name.
        name: String,
    },
    /// Two definitions have one name.
    DuplicateName {
        /// The name.
        name: String,
        /// Where the other one is.
        first: ConfigPlace,
    },
    /// No filter is defined under this name.
    UnknownFilter {
        /// The name.
        filter: String,
    },
    /// A filter is used for what its kind is not for.
    WrongUse {
        /// The filter.
        filter: String,
        /// Its kind.
        kind: String,
        /// What the kind is for.
        is_for: KindUse,
    },
    /// An `END` with a name of its own: nothing can jump there, as `END` is what jumps name.
    NamedEnd {
        /// The name.
        name: String,
    },
    /// An `END` with jumps: nothing is left there to jump over.
    JumpsOfEnd,
    /// A pipeline other than main without a `flow`.
    NoFlow,
    /// A filter that no node and no finalizer names.
    UnusedFilter {
        /// The filter.
        filter: String,
    },
    /// A finalizer is named twice: it would run twice.
    RepeatedFinalizer {
        /// The filter.
        filter: String,
    },
    /// Both `fall_through` and `easegress`: they say the same thing in two ways.
    TwoModes,
    /// Frames of 0 bytes would let nothing in.
    EmptyFrames,
    /// A low mark above its high mark.
    Marks {
        /// The low mark, in bytes.
        low_bytes: u64,
        /// The high mark, in bytes.
        high_bytes: u64,
    },
    /// The nodes make no flow.
    Flow(FlowError),
}

impl ConfigErrorKind {
    pub(super) fn shape(reason: &str) -> Self {
        Self::Shape { reason: cut(reason, REASON_BYTES).to_owned() }
    }

    pub(super) fn settings(kind: &str, reason: &str) -> Self {
        let reason = cut(reason, REASON_BYTES).to_owned();
        Self::Settings { kind: kind.to_owned(), reason }
    }

    pub(super) fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Refused { reason, .. } => Some(&**reason),
            Self::Flow(error) => Some(error),
            _ => None,
        }
    }
}

impl fmt::Display for ConfigErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape { reason } => f.write_str(reason),
            Self::Limit { limit, most } => write!(f, "limits::{limit} is {most}"),
            Self::RepeatedKey => f.write_str("the key is there twice"),
            Self::NotFinite => f.write_str("the number is not finite"),
            Self::UnknownKind { kind, known } if known.is_empty() => {
                write!(f, "no kind is called `{kind}`: there are none")
            }
            Self::UnknownKind { kind, known } => {
                write!(f, "no kind is called `{kind}`: there are `{}`", known.join("`, `"))
            }
            Self::Settings { kind, reason } => write!(f, "settings of kind `{kind}`: {reason}"),
            Self::Refused { kind, reason } => write!(f, "kind `{kind}` refuses: {reason}"),
            Self::Panicked { kind } => write!(f, "making a filter of kind `{kind}` panicked"),
            Self::EmptyName => f.write_str("a filter without a name"),
            Self::ReservedName { name } => write!(f, "the name `{name}` is reserved"),
            Self::DuplicateName { name, first } => {
                write!(f, "the name `{name}` is that of {first}")
            }
            Self::UnknownFilter { filter } if filter.eq_ignore_ascii_case("END") => {
                write!(f, "no filter is called `{filter}`: the end of a pipeline is `END`")
            }
            Self::UnknownFilter { filter } => write!(f, "no filter is called `{filter}`"),
            Self::WrongUse { filter, kind, is_for } => {
                write!(f, "the filter `{filter}` is of kind `{kind}`, which is for {is_for}")
            }
            Self::NamedEnd { name } => {
                write!(f, "an END has no name of its own, so it cannot be called `{name}`")
            }
            Self::JumpsOfEnd => f.write_str("an END has no jumps: its pipeline ends there"),
            Self::NoFlow => f.write_str("no `flow`: only main can be without"),
            Self::UnusedFilter { filter } => {
                write!(f, "no node and no finalizer names the filter `{filter}`")
            }
            Self::RepeatedFinalizer { filter } => {
                write!(f, "the finalizer `{filter}` is there twice")
            }
            Self::TwoModes => f.write_str("there is `fall_through` already: take one of the two"),
            Self::EmptyFrames => f.write_str("frames of 0 bytes would let nothing in"),
            Self::Marks { low_bytes, high_bytes } => {
                write!(f, "the low mark of {low_bytes} bytes is above the high one of {high_bytes}")
            }
            Self::Flow(error) => error.fmt(f),
        }
    }
}
