//! Who is compared with each other: their turns alternate.

use crate::contender::{Chain, Contender};
use crate::load::Load;
use crate::mode::Mode;
use crate::options::Options;

/// One comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    /// Proxies.
    Proxies,
    /// External processors in one mode.
    Processors(Mode),
}

impl Comparison {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Proxies => "proxies",
            Self::Processors(mode) => mode.name(),
        }
    }

    /// How many rounds. Processors differ by more than proxies do, and take longer.
    pub(crate) const fn rounds(self, options: &Options) -> usize {
        match self {
            Self::Proxies => options.rounds,
            Self::Processors(_) => options.rounds.div_ceil(2),
        }
    }

    /// How many exchanges in a turn.
    pub(crate) const fn count(self, load: Load, options: &Options) -> usize {
        match (self, load) {
            (Self::Proxies, Load::Upload | Load::Download) => options.bodies,
            (Self::Processors(_), Load::Upload | Load::Download) => options.bodies.div_ceil(4),
            (Self::Proxies, Load::Small) => options.requests,
            (Self::Processors(_), Load::Small) => options.requests.div_ceil(2),
        }
    }

    /// Who is compared.
    pub(crate) fn contenders(self) -> Vec<Contender> {
        match self {
            Self::Proxies => vec![
                Contender::Envoy,
                Contender::Hyper,
                Contender::Proxy(Chain::Empty),
                Contender::Proxy(Chain::Passing),
                Contender::Proxy(Chain::Uninterested),
            ],
            Self::Processors(mode) => {
                vec![Contender::Envoy, Contender::Tonic(mode), Contender::Tidegate(mode)]
            }
        }
    }
}
