//! The engine compiled a second time, with a model checker's types behind `crate::sync`.
//!
//! `README.md` says why in this way. Nothing is copied: the modules are the production files.

#[cfg(not(any(feature = "native", feature = "shuttle")))]
#[path = "sync/loom.rs"]
mod sync;

#[cfg(feature = "shuttle")]
#[path = "sync/shuttle.rs"]
mod sync;

#[cfg(all(feature = "native", not(feature = "shuttle")))]
#[allow(unused_imports)]
#[path = "../../src/sync.rs"]
mod sync;

pub mod http2;
pub mod kit;
pub mod transport;

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
    pool = "../../src/pool/mod.rs";
    pipe = "../../src/pipe/mod.rs";
    resume = "../../src/resume/mod.rs";
    table = "../../src/table/mod.rs";
    unwind = "../../src/unwind.rs";
    watermark = "../../src/watermark/mod.rs";
}
