//! The parts of the page.

use std::net::SocketAddr;

use crate::comparison::Comparison;
use crate::mode::Mode;
use crate::options::Options;
use crate::process::Process;
use crate::{instructions, round};

/// One part: it can be measured alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Times.
    Compared(Comparison),
    /// What the filters of the proxy add, in instructions.
    Filters,
}

impl Part {
    pub(crate) const ALL: [Self; 7] = [
        Self::Compared(Comparison::Proxies),
        Self::Filters,
        Self::Compared(Comparison::Processors(Mode::None)),
        Self::Compared(Comparison::Processors(Mode::Streamed)),
        Self::Compared(Comparison::Processors(Mode::Buffered)),
        Self::Compared(Comparison::Processors(Mode::BufferedPartial)),
        Self::Compared(Comparison::Processors(Mode::FullDuplexStreamed)),
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Compared(comparison) => comparison.name(),
            Self::Filters => "filters",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.name() == name)
    }

    /// Its heading and its tables, as measured now.
    pub(crate) async fn measure(
        self,
        options: &Options,
        address: SocketAddr,
        origin: &Process,
    ) -> String {
        match self {
            Self::Compared(comparison) => {
                let cells = round::run(comparison, options, address, origin).await;
                comparison.section(options, &cells)
            }
            Self::Filters => instructions::section(options, address).await,
        }
    }
}
