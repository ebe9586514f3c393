//! The fuzz targets: each is one function on a string of choices.
//!
//! Every byte string is a valid case, so that libFuzzer (`fuzz/fuzz_targets`), the seeded simulator
//! (`fuzz/sim`) and the replay of the corpora (`tests/corpora.rs`) share cases and formats. A run
//! panics where the engine and its oracle part.

pub(crate) mod buf;
pub(crate) mod chain;
pub(crate) mod choices;
pub(crate) mod config;
pub(crate) mod corpus;
pub(crate) mod exchange;
pub(crate) mod ext_proc;
pub(crate) mod ext_proc_wire;
pub(crate) mod http2_connection;
pub(crate) mod http2_hpack;
#[path = "../kit/ext_proc/mod.rs"]
pub(crate) mod messages;
pub(crate) mod pipe;
pub(crate) mod replace;
pub(crate) mod table;
pub(crate) mod target;

pub(crate) use target::Target;

/// Every target, in the order of the layers.
pub(crate) const ALL: [Target; 11] = [
    buf::TARGET,
    pipe::TARGET,
    chain::TARGET,
    replace::TARGET,
    exchange::TARGET,
    config::TARGET,
    table::TARGET,
    http2_hpack::TARGET,
    http2_connection::TARGET,
    ext_proc_wire::TARGET,
    ext_proc::TARGET,
];
