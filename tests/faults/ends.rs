//! The two ends of the example proxy, as they are, on the simulated network.

#[path = "../../examples/proxy/failure.rs"]
pub(crate) mod failure;
#[path = "../../examples/proxy/forward.rs"]
pub(crate) mod forward;
#[path = "../../examples/proxy/gate.rs"]
pub(crate) mod gate;
#[path = "../../examples/proxy/hygiene/mod.rs"]
pub(crate) mod hygiene;
#[path = "../../examples/proxy/patient.rs"]
pub(crate) mod patient;
#[path = "../../examples/proxy/pipes.rs"]
pub(crate) mod pipes;
#[path = "../../examples/proxy/server.rs"]
pub(crate) mod server;
#[path = "../../examples/proxy/transport.rs"]
pub(crate) mod transport;
#[path = "../../examples/proxy/turn.rs"]
pub(crate) mod turn;

/// In the place of the file of that name.
pub(crate) use crate::net;

/// Any error, as hyper and tower pass them on.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;
