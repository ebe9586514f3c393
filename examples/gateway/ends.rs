//! The two ends of the example `proxy`: what is between hyper and the plans on both sides.

#[path = "../proxy/failure.rs"]
pub(crate) mod failure;
#[path = "../proxy/forward.rs"]
pub(crate) mod forward;
#[path = "../proxy/gate.rs"]
pub(crate) mod gate;
#[path = "../proxy/hygiene/mod.rs"]
pub(crate) mod hygiene;
#[path = "../proxy/net.rs"]
pub(crate) mod net;
#[path = "../proxy/patient.rs"]
pub(crate) mod patient;
#[path = "../proxy/pipes.rs"]
pub(crate) mod pipes;
#[path = "../proxy/server.rs"]
pub(crate) mod server;
#[path = "../proxy/transport.rs"]
pub(crate) mod transport;
#[path = "../proxy/turn.rs"]
pub(crate) mod turn;

/// Any error, as hyper and tower pass them on.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;
