//! One opaque error: what happened, who caused it, and the cause beneath.
//!
//! This module never holds body bytes.

use std::error::Error as StdError;
use std::fmt;

use crate::sync::ConstArc as Arc;

/// Why a message failed.
///
/// Cheap to clone: the same error is told to every filter and to the edge. It names the filter
/// concerned, if any, and never carries body bytes.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

struct Inner {
    kind: ErrorKind,
    origin: Origin,
    filter: Option<Arc<str>>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of `kind`, caused by `origin`.
    #[cold]
    #[must_use]
    pub fn new(kind: ErrorKind, origin: Origin) -> Self {
        Self(Arc::new(Inner { kind, origin, filter: None, source: None }))
    }

    /// An error of `kind`, caused by `origin`, with the error beneath it.
    #[cold]
    #[must_use]
    pub fn with_source(
        kind: ErrorKind,
        origin: Origin,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self(Arc::new(Inner { kind, origin, filter: None, source: Some(source.into()) }))
    }

    /// An error that a filter raises itself: [`ErrorKind::Filter`], [`Origin::Filter`].
    #[must_use]
    pub fn filter_failed(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::with_source(ErrorKind::Filter, Origin::Filter, source)
    }

    /// The same error, naming the filter it concerns. A name already given stays.
    #[must_use]
    pub(crate) fn named(self, filter: &Arc<str>) -> Self {
        if self.0.filter.is_some() {
            return self;
        }
        let name = Some(Arc::clone(filter));
        match Arc::try_unwrap(self.0) {
            Ok(inner) => Self(Arc::new(Inner { filter: name, ..inner })),
            // Shared already: the first name wins, and an unnamed shared error keeps its identity
            // as the source of the named one.
            Err(shared) => Self(Arc::new(Inner {
                kind: shared.kind,
                origin: shared.origin,
                filter: name,
                source: Some(Box::new(Self(shared))),
            })),
        }
    }

    /// What happened.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Who caused it.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.0.origin
    }

    /// The name of the filter concerned, as given to the plan.
    #[must_use]
    pub fn filter(&self) -> Option<&str> {
        self.0.filter.as_deref()
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("origin", &self.0.origin)
            .field("filter", &self.0.filter)
            .field("source", &self.0.source)
            .finish()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.filter {
            Some(name) => write!(f, "{} (filter `{name}`, {})", self.0.kind, self.0.origin),
            None => write!(f, "{} ({})", self.0.kind, self.0.origin),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

/// What happened to the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The peer named by the origin ended the message abnormally.
    Reset,
    /// A limit was passed: its name, and its value in bytes.
    Limit {
        /// The limit, as its setter is called (`high mark`, `reply body`, …).
        limit: &'static str,
        /// The value of the limit, in bytes.
        limit_bytes: u64,
    },
    /// More body came than `content-length` declared (rule I12).
    LengthExceeded {
        /// The declared length, in bytes.
        declared_bytes: u64,
    },
    /// The body ended short of what `content-length` declared (rule I12).
    LengthShort {
        /// The declared length, in bytes.
        declared_bytes: u64,
        /// What came, in bytes.
        actual_bytes: u64,
    },
    /// `content-length` is not a number, or several values disagree (RFC 9110, section 8.6).
    LengthInvalid,
    /// Body came on a message that has none by definition (RFC 9110: HEAD, 204, 304).
    BodyForbidden,
    /// Nothing can go on: a filter holds, and nobody is left to resume it (rule I8).
    Stalled,
    /// A timeout of the edge passed.
    TimedOut(Timeout),
    /// A filter panicked.
    Panicked,
    /// A filter did what it had not declared, or what the edge did not grant: the capability.
    Undeclared {
        /// The capability that was missing.
        capability: &'static str,
    },
    /// A filter failed the message itself; its error is the source.
    Filter,
    /// A local reply was made after the response head had been sent.
    ReplyTooLate,
    /// The input or output of an async filter was used outside the polls of its own future.
    OutsidePoll,
    /// The head was asked for after it had gone on.
    HeadGone,
    /// An informational head (1xx, but 101) in the place of the final one.
    NotFinal,
    /// The response was complete before its request, which was therefore given up.
    AnsweredEarly,
    /// A filter whose extension failed could not be left out, as it had changed the message; the
    /// extension's error is the source.
    FailOpenRefused,
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reset => f.write_str("the message was reset"),
            Self::Limit { limit, limit_bytes } => {
                write!(f, "the limit `{limit}` of {limit_bytes} bytes was passed")
            }
            Self::LengthExceeded { declared_bytes } => {
                write!(f, "body beyond the declared length of {declared_bytes} bytes")
            }
            Self::LengthShort { declared_bytes, actual_bytes } => {
                write!(f, "body ended after {actual_bytes} of {declared_bytes} declared bytes")
            }
            Self::LengthInvalid => f.write_str("invalid content-length"),
            Self::BodyForbidden => f.write_str("body on a message that cannot have one"),
            Self::Stalled => f.write_str("stalled: a filter holds and nobody can resume it"),
            Self::TimedOut(timeout) => write!(f, "{timeout} timeout"),
            Self::Panicked => f.write_str("a filter panicked"),
            Self::Undeclared { capability } => {
                write!(f, "`{capability}` was used but not declared by the filter or not granted")
            }
            Self::Filter => f.write_str("a filter failed the message"),
            Self::ReplyTooLate => f.write_str("local reply after the response head was sent"),
            Self::OutsidePoll => {
                f.write_str("an async filter's input or output was used outside its own poll")
            }
            Self::HeadGone => f.write_str("the head has gone on"),
            Self::NotFinal => f.write_str("an informational head in the place of the final one"),
            Self::FailOpenRefused => {
                f.write_str("an extension failed behind a change that it had made to the message")
            }
            Self::AnsweredEarly => f.write_str("the response was complete before the request"),
        }
    }
}

/// Which clock of the edge ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timeout {
    /// Nothing moved for too long.
    Idle,
    /// The message as a whole took too long.
    Total,
    /// A filter held for too long.
    Hold,
}

impl fmt::Display for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Idle => "idle",
            Self::Total => "total",
            Self::Hold => "hold",
        })
    }
}

/// Who caused an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// The client side.
    Downstream,
    /// The server side.
    Upstream,
    /// A filter.
    Filter,
    /// An external processor.
    Processor,
    /// The engine or its embedder.
    Internal,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Downstream => "downstream",
            Self::Upstream => "upstream",
            Self::Filter => "filter",
            Self::Processor => "processor",
            Self::Internal => "internal",
        })
    }
}
