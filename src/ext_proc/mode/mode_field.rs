use core::fmt;

use crate::exchange::Direction;

/// One of the six fields of a `ProcessingMode`, in the order of their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ModeField {
    /// `request_header_mode`.
    RequestHeaders,
    /// `response_header_mode`.
    ResponseHeaders,
    /// `request_body_mode`.
    RequestBody,
    /// `response_body_mode`.
    ResponseBody,
    /// `request_trailer_mode`.
    RequestTrailers,
    /// `response_trailer_mode`.
    ResponseTrailers,
}

impl ModeField {
    /// Every field, in the order of their numbers.
    pub const ALL: [Self; 6] = [
        Self::RequestHeaders,
        Self::ResponseHeaders,
        Self::RequestBody,
        Self::ResponseBody,
        Self::RequestTrailers,
        Self::ResponseTrailers,
    ];

    /// The name in the protocol and in Envoy's configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RequestHeaders => "request_header_mode",
            Self::ResponseHeaders => "response_header_mode",
            Self::RequestBody => "request_body_mode",
            Self::ResponseBody => "response_body_mode",
            Self::RequestTrailers => "request_trailer_mode",
            Self::ResponseTrailers => "response_trailer_mode",
        }
    }

    /// The header mode of `direction`.
    #[must_use]
    pub const fn headers(direction: Direction) -> Self {
        match direction {
            Direction::Request => Self::RequestHeaders,
            Direction::Response => Self::ResponseHeaders,
        }
    }

    /// The body mode of `direction`.
    #[must_use]
    pub const fn body(direction: Direction) -> Self {
        match direction {
            Direction::Request => Self::RequestBody,
            Direction::Response => Self::ResponseBody,
        }
    }

    /// The trailer mode of `direction`.
    #[must_use]
    pub const fn trailers(direction: Direction) -> Self {
        match direction {
            Direction::Request => Self::RequestTrailers,
            Direction::Response => Self::ResponseTrailers,
        }
    }

    /// Whether it is one of the two body modes.
    #[must_use]
    pub const fn is_body(self) -> bool {
        matches!(self, Self::RequestBody | Self::ResponseBody)
    }

    pub(super) const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for ModeField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
