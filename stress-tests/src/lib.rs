//! Threads of the machine on what runs across threads: `tests/stress.rs`, and `.ci/tsan`.
//!
//! The engine is compiled a second time, by path, as in `loom-tests`: so `crate::sync` can be
//! another one. std is not compiled again, and ThreadSanitizer does not see what std's `Mutex` does
//! when two threads want it; it would report every access behind such a lock. The `Mutex` of the
//! `tsan` feature spins, on atomics that it sees.

#[cfg(not(feature = "tsan"))]
#[allow(unused_imports)]
#[path = "../../src/sync.rs"]
mod sync;

#[cfg(feature = "tsan")]
#[path = "spin.rs"]
mod sync;

/// What the tests hand jobs over with.
pub mod queue;

/// Declares modules of the engine by their files.
macro_rules! engine {
    ($($module:ident = $path:literal;)*) => {$(
        #[allow(dead_code, unused_imports, clippy::all)]
        #[path = $path]
        pub mod $module;
    )*};
}

engine! {
    buf = "../../src/buf/mod.rs";
    chain = "../../src/chain/mod.rs";
    error = "../../src/error.rs";
    exchange = "../../src/exchange/mod.rs";
    filter = "../../src/filter/mod.rs";
    frame = "../../src/frame/mod.rs";
    limits = "../../src/limits.rs";
    pipe = "../../src/pipe/mod.rs";
    pool = "../../src/pool/mod.rs";
    resume = "../../src/resume/mod.rs";
    table = "../../src/table/mod.rs";
    unwind = "../../src/unwind.rs";
    watermark = "../../src/watermark/mod.rs";
}
