//! Envoy's external processing protocol: a server that runs the same filters as a proxy.
//!
//! This module never does I/O outside `server`.

pub mod automaton;
pub mod mode;
#[cfg(feature = "ext-proc-server")]
pub mod server;
pub mod session;
pub mod wire;
