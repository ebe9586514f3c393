use core::fmt;
use std::io;

use crate::http2::Broken;

/// Why a connection has not ended well.
#[derive(Debug)]
pub(crate) enum ConnectionEnd {
    /// The socket.
    Io(io::Error),
    /// What the peer did.
    Broken(Broken),
    /// The peer has not begun, or not answered when it was asked whether it is there.
    Silent,
}

impl fmt::Display for ConnectionEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "the socket: {error}"),
            Self::Broken(broken) => fmt::Display::fmt(broken, f),
            Self::Silent => f.write_str("the peer says nothing"),
        }
    }
}

impl std::error::Error for ConnectionEnd {}

impl From<Broken> for ConnectionEnd {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

impl From<io::Error> for ConnectionEnd {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<ConnectionEnd> for io::Error {
    fn from(end: ConnectionEnd) -> Self {
        match end {
            ConnectionEnd::Io(error) => error,
            ConnectionEnd::Broken(_) => Self::new(io::ErrorKind::InvalidData, end),
            ConnectionEnd::Silent => Self::new(io::ErrorKind::TimedOut, end),
        }
    }
}
