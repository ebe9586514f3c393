use crate::http2::window::{ReceiveWindow, SendWindow};

/// A stream, as both ends see it.
#[derive(Debug)]
pub(super) struct Stream {
    /// Its number.
    pub(super) id: u32,
    pub(super) remote: Remote,
    pub(super) local: Local,
    pub(super) receive: ReceiveWindow,
    pub(super) send: SendWindow,
}

/// What the peer has sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Remote {
    /// More may come. `left`: so many bytes more will, if the head has said so.
    Open {
        left: Option<u64>,
    },
    Ended,
}

/// What we have sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Local {
    /// Nothing.
    Waiting,
    /// The head, and perhaps more.
    Begun,
}
