use core::fmt;

use crate::error::Origin;
use crate::filter::Head;

/// Which way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the client to the server.
    Request,
    /// From the server to the client.
    Response,
}

impl Direction {
    /// The direction of messages with this kind of head.
    #[must_use]
    pub fn of<H: Head>() -> Self {
        if H::PEER == Origin::Downstream { Self::Request } else { Self::Response }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Request => "request",
            Self::Response => "response",
        })
    }
}
