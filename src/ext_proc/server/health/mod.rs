//! `grpc.health.v1.Health`: whether this server should be sent anything.
//!
//! Rules: <https://github.com/grpc/grpc/blob/master/doc/health-checking.md>.
//!
//! This module never sees a stream of the external processor.

mod call;
#[expect(clippy::module_inception, reason = "the module is the protocol, the type its registry")]
mod health;
mod message;
mod serving_status;

pub(super) use call::HealthCall;
pub use health::Health;
pub use serving_status::ServingStatus;

/// The calls of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    /// One answer.
    Check,
    /// An answer now and for each change.
    Watch,
}

impl Method {
    pub(super) fn of(path: &str) -> Option<Self> {
        match path {
            "/grpc.health.v1.Health/Check" => Some(Self::Check),
            "/grpc.health.v1.Health/Watch" => Some(Self::Watch),
            _ => None,
        }
    }
}
