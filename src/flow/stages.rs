use super::fall_through::FallThrough;
use super::stage_end::StageEnd;

/// Which of the three pipelines run: the truth table of before, main and after, as one function.
///
/// There are three borders, and a switch for each. The third one is what Easegress does not have:
/// its switch of main also decides what happens where main did not run (the dagger in its table).
///
/// | before | `to_main` | main | border to after | switch |
/// |---|---|---|---|---|
/// | absent, or through | – | runs | main to after | `to_after`, by how main ended |
/// | stopped or failed | lets it | runs | main to after | `to_after`, by how main ended |
/// | stopped or failed | does not | skipped | before to after | `past_main`, by how before ended |
///
/// A pipeline that ran off its end always lets the next one run. How main ended replaces how
/// before ended.
///
/// The default fails closed and hides nothing: main runs only behind a before-pipeline that ran off
/// its end; after runs always, so that an access log there sees every exchange (Easegress #1213).
///
/// A request that a reply or a failure of the before-pipeline has taken cannot be carried on: main
/// is skipped then, whatever `to_main` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stages {
    /// Whether main runs, by how before ended.
    pub to_main: FallThrough,
    /// Whether after runs, by how main ended.
    pub to_after: FallThrough,
    /// Whether after runs where main was skipped, by how before ended.
    pub past_main: FallThrough,
}

impl Stages {
    /// Easegress's table bit for bit: its switches `fallthrough.beforePipeline` and
    /// `fallthrough.pipeline`.
    #[must_use]
    pub const fn easegress(before: bool, main: bool) -> Self {
        let (before, main) = (FallThrough::both(before), FallThrough::both(main));
        Self { to_main: before, to_after: main, past_main: main }
    }

    /// Whether main runs. `before`: how that pipeline ended; `None` if there is none.
    #[must_use]
    pub const fn main_runs(self, before: Option<StageEnd>) -> bool {
        match before {
            None => true,
            Some(end) => self.to_main.lets(end),
        }
    }

    /// Whether after runs, if there is one. `main`: how that pipeline ended; `None` if it was
    /// skipped.
    #[must_use]
    pub const fn after_runs(self, before: Option<StageEnd>, main: Option<StageEnd>) -> bool {
        match (before, main) {
            (_, Some(end)) => self.to_after.lets(end),
            (Some(end), None) => self.past_main.lets(end),
            // Nothing ran: the exchange was answered before its flow began.
            (None, None) => true,
        }
    }
}

impl Default for Stages {
    fn default() -> Self {
        Self {
            to_main: FallThrough::NEVER,
            to_after: FallThrough::ALWAYS,
            past_main: FallThrough::ALWAYS,
        }
    }
}
