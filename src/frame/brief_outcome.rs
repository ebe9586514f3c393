use super::Outcome;

/// An outcome that takes little room: most are one of two that say nothing more.
#[derive(Debug)]
pub(crate) enum BriefOutcome {
    /// Complete, and nothing was dropped.
    Whole,
    Cancelled,
    Other(Box<Outcome>),
}

impl BriefOutcome {
    pub(crate) const WHOLE: &'static Outcome =
        &Outcome::Complete { discarded_bytes: 0, unsent_trailers: 0 };
    pub(crate) const CANCELLED: &'static Outcome = &Outcome::Cancelled;

    pub(crate) fn get(&self) -> &Outcome {
        match self {
            Self::Whole => Self::WHOLE,
            Self::Cancelled => Self::CANCELLED,
            Self::Other(outcome) => outcome,
        }
    }
}

impl From<Outcome> for BriefOutcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Complete { discarded_bytes: 0, unsent_trailers: 0 } => Self::Whole,
            Outcome::Cancelled => Self::Cancelled,
            other => Self::Other(Box::new(other)),
        }
    }
}

const _: () = assert!(size_of::<Option<BriefOutcome>>() == 16, "it is to be small");
