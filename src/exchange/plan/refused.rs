use core::fmt;

use crate::chain::Unmet;
use crate::exchange::{Direction, ResponseSide};

/// An exchange that cannot have what a filter requires.
#[derive(Debug)]
pub enum Refused {
    /// The request cannot. The response side can answer for it: give it a local reply.
    Request {
        /// What is missing.
        unmet: Unmet,
        /// The other side, not started.
        response: Box<ResponseSide>,
    },
    /// The response cannot, so no filter can see an answer.
    Response {
        /// What is missing.
        unmet: Unmet,
    },
}

impl Refused {
    /// What is missing.
    #[must_use]
    pub fn unmet(&self) -> &Unmet {
        match self {
            Self::Request { unmet, .. } | Self::Response { unmet } => unmet,
        }
    }

    /// In which direction.
    #[must_use]
    pub fn direction(&self) -> Direction {
        match self {
            Self::Request { .. } => Direction::Request,
            Self::Response { .. } => Direction::Response,
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.direction(), self.unmet())
    }
}

impl std::error::Error for Refused {}
