//! What models are written with: threads, a payload, a task, and the search itself.

mod backend;
mod fuse;
mod hook;
mod payload;
mod runner;
mod task;

pub use backend::{JoinHandle, spawn, yield_now};
pub use fuse::{Fuse, panics};
pub use hook::Hook;
pub use payload::Payload;
pub use runner::main;
pub use task::Task;

/// One model: a small program of at most three threads, run in every order that matters.
#[derive(Debug, Clone, Copy)]
pub struct Model {
    /// Domain and property, as the domain's file names it: `resume::racing_poll`.
    pub name: &'static str,
    /// How many executions the search has to make at least. A model that no longer races, because
    /// something before the race has changed, has few, and fails.
    pub min_executions: usize,
    /// How far to search.
    pub search: Search,
    /// The program. Loom allows no state outside it.
    pub run: fn(),
}

/// How far a model is searched. No other limit is set: a search that ends before its time would
/// pass for a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Search {
    /// Every interleaving.
    Exhaustive,
    /// Every interleaving with at most `n` switches away from a thread that could go on; `n` is
    /// `MODEL_PREEMPTIONS`, or 3.
    Bounded,
}

/// A table of models; the name of each is its function's, behind that of the domain.
///
/// `models!("resume"; racing_poll: 500 Exhaustive; racing_drop: 100 Bounded;)`
#[macro_export]
macro_rules! models {
    ($domain:literal; $($name:ident: $min:literal $search:ident;)*) => {
        &[$($crate::kit::Model {
            name: concat!($domain, "::", stringify!($name)),
            min_executions: $min,
            search: $crate::kit::Search::$search,
            run: $name,
        }),*]
    };
}
