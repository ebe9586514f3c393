use core::fmt;

use bytes::Bytes;

/// Input that the chain did not take. The message is untouched.
pub enum InputError {
    /// The source was told to wait ([`Chain::wants_input`](super::Chain::wants_input)) and one
    /// frame is waiting already. The bytes come back.
    NotWanted(Bytes),
    /// The end of the input came before, or the message is over. (Input behind an end that a filter
    /// declared, or behind a local reply, is no error: it is dropped and counted.)
    Ended,
    /// A second head, or anything before the head; an informational head after the final one.
    OutOfOrder,
    /// A head that is final (101 is) was given as an informational one.
    NotInformational,
}

impl fmt::Debug for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotWanted(bytes) => write!(f, "NotWanted({} bytes)", bytes.len()),
            Self::Ended => f.write_str("Ended"),
            Self::OutOfOrder => f.write_str("OutOfOrder"),
            Self::NotInformational => f.write_str("NotInformational"),
        }
    }
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotWanted(_) => "the chain wants no input now",
            Self::Ended => "the input of this message has ended",
            Self::OutOfOrder => "head, data and trailers must come in this order",
            Self::NotInformational => "this head is a final one",
        })
    }
}

impl std::error::Error for InputError {}
