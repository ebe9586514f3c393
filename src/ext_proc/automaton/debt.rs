use core::fmt;
use core::num::NonZeroU64;

/// What one direction owes, as error texts say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Debt {
    /// Nothing.
    Nothing,
    /// The answer to the head, and behind it to what came since.
    Headers,
    /// This many answers to body messages.
    Bodies(NonZeroU64),
    /// FULL_DUPLEX_STREAMED: what is kept of the body, and its end.
    End,
    /// The answer to the trailers.
    Trailers,
}

impl fmt::Display for Debt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("nothing"),
            Self::Headers => f.write_str("the answer to the headers"),
            Self::Bodies(NonZeroU64::MIN) => f.write_str("the answer to a body message"),
            Self::Bodies(messages) => write!(f, "the answers to {messages} body messages"),
            Self::End => f.write_str("the end of the body"),
            Self::Trailers => f.write_str("the answer to the trailers"),
        }
    }
}
