//! The external processor as a gRPC service over HTTP/2.
//!
//! - [`ExternalProcessor`] is the service, for hyper and tower; [`BytesProcessor`] the same for
//!   axum and tonic.
//! - [`ProcessBody`] is one stream: the answers, driven by whoever polls them.
//! - [`StreamSettings`] say how long a stream may take; [`StreamReport`] says how it ended.
//! - [`Drain`] and [`Health`] tell others whether to send anything.
//! - [`serve()`] runs it all on a socket.
//!
//! # How it polls
//!
//! hyper polls the body of the response, and that is all there is: no task, no channel, no lock
//! that is waited for. A poll asks the session for a reply, then gives it what has been decoded,
//! then reads the request, as long as the session wants input. What it does not read fills the
//! client's window: that is the back-pressure. Before it answers `Pending` there is a waker at
//! the client, at the filters and at the clock. One poll takes a bounded number of frames.
//!
//! hyper asks for a frame before it has room for it, and does not poll again until it has. So
//! what a stream has made and not sent is one reply and hyper's own buffer; and a client that
//! does not read is not read either, as both directions of its request go through this one
//! stream. If it never reads again, nobody in there sees the time go by: a watchdog does
//! ([`StreamSettings::stall`]).
//!
//! # Ends
//!
//! An Envoy ends its streams in many ways: a half-close, a reset with any code, a lost
//! connection. Whether that is normal depends on what was owed, and on nothing else (P20). What
//! cannot be read ends its stream with the status that gRPC has for it, and no other stream. A
//! panic does too, and never ends a stream well (P7).
//!
//! This module never knows what is owed.

mod accept;
mod bytes_body;
mod bytes_processor;
mod carrier;
#[cfg(feature = "ext-proc-direct")]
mod departure;
mod drain;
mod drain_phase;
mod external_processor;
mod grpc;
mod health;
mod process_body;
mod serve;
#[cfg(feature = "ext-proc-direct")]
mod serve_direct;
#[cfg(feature = "ext-proc-direct")]
mod serve_direct_connection;
mod serve_settings;
mod served;
mod shared;
mod slot;
mod stream;
mod stream_error;
mod stream_report;
mod stream_settings;
mod transport;
mod watchdog;

pub use bytes_body::BytesBody;
pub use bytes_processor::BytesProcessor;
pub use carrier::Carrier;
pub use drain::Drain;
pub use drain_phase::DrainPhase;
pub use external_processor::{ExternalProcessor, PROCESS_PATH, SERVICE_NAME};
pub use health::{Health, ServingStatus};
pub use process_body::ProcessBody;
pub use serve::serve;
#[cfg(feature = "ext-proc-direct")]
pub use serve_direct::serve_direct;
#[cfg(feature = "ext-proc-direct")]
pub use serve_direct_connection::serve_direct_connection;
pub use serve_settings::ServeSettings;
pub use served::Served;
pub use stream_error::StreamError;
pub use stream_report::StreamReport;
pub use stream_settings::StreamSettings;

#[cfg(feature = "ext-proc-direct")]
pub use crate::http2::{DirectBody, DirectError};
