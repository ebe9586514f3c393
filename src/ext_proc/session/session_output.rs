use crate::ext_proc::wire::{GrpcStatus, Reply};

/// What a session gives out.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "a box would be an allocation for each chunk")]
pub enum SessionOutput {
    /// Send this.
    Reply(Reply),
    /// End the stream with this status. Nothing follows.
    End(GrpcStatus),
}
