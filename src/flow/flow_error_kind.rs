use core::fmt;

use super::stage::Stage;
use crate::chain::PlanError;
use crate::exchange::Direction;

/// What is wrong with a flow.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FlowErrorKind {
    /// There is no main pipeline.
    NoMain,
    /// A node without a name.
    EmptyName,
    /// A node called END.
    ReservedName,
    /// Two nodes of the flow have one name.
    DuplicateName {
        /// Where the other one is.
        stage: Stage,
        /// Its step there.
        step: usize,
    },
    /// A call in a before- or after-pipeline.
    CallOutsideMain,
    /// A second call.
    SecondCall {
        /// The step of the first one.
        first: usize,
    },
    /// A filter for responses in a before-pipeline.
    ResponseInBefore,
    /// A filter for requests in an after-pipeline.
    RequestInAfter,
    /// A filter for requests behind the call, or behind a filter for responses.
    RequestTooLate {
        /// The step that it stands behind.
        behind: usize,
    },
    /// A filter for responses before the call.
    ResponseTooEarly {
        /// The step of the call.
        call: usize,
    },
    /// A failure status that is none.
    InvalidStatus {
        /// What was given.
        status: u16,
    },
    /// Two jumps of one node on the same result.
    DuplicateJump,
    /// A jump on a result that the node does not declare.
    UndeclaredResult {
        /// What it declares.
        declared: Vec<String>,
    },
    /// No node is called so.
    UnknownTarget,
    /// The target is the node itself, or stands before it.
    BackwardTarget {
        /// Its step.
        step: usize,
    },
    /// The target is in another pipeline.
    ForeignTarget {
        /// In this one.
        stage: Stage,
        /// Its step there.
        step: usize,
    },
    /// No result of any node before leads to this one.
    Unreachable,
    /// A chain of the flow cannot be.
    Plan {
        /// Which chain.
        direction: Direction,
        /// Why.
        error: PlanError,
    },
}

impl fmt::Display for FlowErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoMain => f.write_str("there is no main pipeline"),
            Self::EmptyName => f.write_str("a node without a name"),
            Self::ReservedName => f.write_str("the name is reserved"),
            Self::DuplicateName { stage, step } => {
                write!(f, "the name is that of node {step} of the {stage} pipeline")
            }
            Self::CallOutsideMain => f.write_str("a call outside the main pipeline"),
            Self::SecondCall { first } => write!(f, "a second call: the first is node {first}"),
            Self::ResponseInBefore => f.write_str("a filter for responses in the before pipeline"),
            Self::RequestInAfter => f.write_str("a filter for requests in the after pipeline"),
            Self::RequestTooLate { behind } => {
                write!(f, "a filter for requests behind node {behind}, where there is a response")
            }
            Self::ResponseTooEarly { call } => {
                write!(f, "a filter for responses before the call, which is node {call}")
            }
            Self::InvalidStatus { status } => write!(f, "{status} is no status"),
            Self::DuplicateJump => f.write_str("two jumps on one result"),
            Self::UndeclaredResult { declared } if declared.is_empty() => {
                f.write_str("the result is not declared: the node declares none")
            }
            Self::UndeclaredResult { declared } => {
                write!(
                    f,
                    "the result is not declared: the node declares `{}`",
                    declared.join("`, `")
                )
            }
            Self::UnknownTarget => f.write_str("no node is called so"),
            Self::BackwardTarget { step } => {
                write!(f, "jumps go forward, and the target is node {step}")
            }
            Self::ForeignTarget { stage, step } => {
                write!(
                    f,
                    "jumps stay in their pipeline: this is node {step} of the {stage} pipeline"
                )
            }
            Self::Unreachable => f.write_str("no result of a node before leads here"),
            Self::Plan { direction, error } => write!(f, "{direction} chain: {error}"),
        }
    }
}
