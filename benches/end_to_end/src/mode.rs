//! The body modes of external processing, each for both directions.

use tidegate::ext_proc::mode::{DirectionMode, ProcessingMode};

use crate::scenario::Scenario;

/// A body mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    None,
    Streamed,
    Buffered,
    BufferedPartial,
    FullDuplexStreamed,
}

impl Mode {
    pub(crate) const ALL: [Self; 5] = [
        Self::None,
        Self::Streamed,
        Self::Buffered,
        Self::BufferedPartial,
        Self::FullDuplexStreamed,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Streamed => "STREAMED",
            Self::Buffered => "BUFFERED",
            Self::BufferedPartial => "BUFFERED_PARTIAL",
            Self::FullDuplexStreamed => "FULL_DUPLEX_STREAMED",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }

    /// What Envoy is configured with, and the processor too.
    pub(crate) const fn processing(self) -> ProcessingMode {
        ProcessingMode::both(match self {
            Self::None => DirectionMode::heads_only(),
            Self::Streamed => DirectionMode::streamed(),
            Self::Buffered => DirectionMode::buffered(),
            Self::BufferedPartial => DirectionMode::buffered_partial(),
            Self::FullDuplexStreamed => DirectionMode::full_duplex(),
        })
    }

    /// How the other processor answers: with the bytes where it has to, and else with "no change".
    pub(crate) const fn of_naive(self) -> Scenario {
        match self {
            Self::FullDuplexStreamed => Scenario::Duplex,
            Self::None | Self::Streamed | Self::Buffered | Self::BufferedPartial => {
                Scenario::Streamed
            }
        }
    }
}
