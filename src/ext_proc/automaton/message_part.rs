use core::fmt;

/// What a message on the stream is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessagePart {
    /// A head.
    Headers,
    /// A body, or some of it.
    Body,
    /// Trailers.
    Trailers,
}

impl fmt::Display for MessagePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Headers => "headers",
            Self::Body => "body",
            Self::Trailers => "trailers",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::MessagePart::{Body, Headers, Trailers};
    use crate::ext_proc::automaton::{Breach, Debt};

    #[test]
    fn a_breach_names_the_part_of_the_message() {
        let text = |part| Breach::AfterEnd { part }.to_string();
        let rest = "came after the end of the message";
        assert_eq!(text(Headers), format!("headers {rest}"));
        assert_eq!(text(Body), format!("body {rest}"));
        assert_eq!(text(Trailers), format!("trailers {rest}"));
        let unowed = Breach::NotOwed { answer: Trailers, debt: Debt::End };
        let expected = "an answer to trailers was written, and what is owed is the end of the body";
        assert_eq!(unowed.to_string(), format!("{expected} (Envoy: spurious_message)"));
    }
}
