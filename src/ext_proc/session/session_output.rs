use crate::ext_proc::wire::{GrpcStatus, Reply};

/// What a session gives out.
#[derive(Debug)]
pub enum SessionOutput {
    /// Send this.
    Reply(Reply),
    /// End the stream with this status. Nothing follows.
    End(GrpcStatus),
}
