//! Which fields are known, of the messages that are read as they come.

use crate::exchange::Direction;
use crate::ext_proc::wire::Malformed;
use crate::ext_proc::wire::key::{Key, WireType};

/// A message that is read as it comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Message {
    ProcessingRequest,
    Headers,
    Body,
    Trailers,
    Config,
}

impl Message {
    /// The name in the protocol.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::ProcessingRequest => "ProcessingRequest",
            Self::Headers => "HttpHeaders",
            Self::Body => "HttpBody",
            Self::Trailers => "HttpTrailers",
            Self::Config => "ProtocolConfiguration",
        }
    }

    /// What the field is.
    ///
    /// # Errors
    ///
    /// If it is known, and has another wire type.
    #[inline]
    pub(super) fn field(self, key: Key) -> Result<Field, Malformed> {
        use Direction::{Request, Response};
        let field = match (self, key.field) {
            (Self::ProcessingRequest, 2) => Field::Part(Self::Headers, Request),
            (Self::ProcessingRequest, 3) => Field::Part(Self::Headers, Response),
            (Self::ProcessingRequest, 4) => Field::Part(Self::Body, Request),
            (Self::ProcessingRequest, 5) => Field::Part(Self::Body, Response),
            (Self::ProcessingRequest, 6) => Field::Part(Self::Trailers, Request),
            (Self::ProcessingRequest, 7) => Field::Part(Self::Trailers, Response),
            (Self::ProcessingRequest, 8) => Field::Gathered(Gathered::Metadata),
            (Self::ProcessingRequest, 9) => Field::Gathered(Gathered::Attributes),
            (Self::ProcessingRequest, 10) => Field::Number(Number::Observability),
            (Self::ProcessingRequest, 11) => Field::Config,
            (Self::Headers | Self::Trailers, 1) => Field::Gathered(Gathered::Section),
            (Self::Headers, 3) | (Self::Body, 2) => Field::Number(Number::EndOfStream),
            (Self::Body, 1) => Field::Body,
            (Self::Config, 1) => Field::Number(Number::RequestMode),
            (Self::Config, 2) => Field::Number(Number::ResponseMode),
            (Self::Config, 3) => Field::Number(Number::WithoutWaiting),
            // Windows of flow control, which Envoy 1.40.0 does not send; attributes of a head,
            // which are deprecated.
            (Self::ProcessingRequest, 12 | 13) | (Self::Headers, 2) => {
                key.expect(WireType::Bytes)?;
                Field::Other
            }
            // What only the mode GRPC has.
            (Self::Body, 3..=5) => {
                key.expect(WireType::Varint)?;
                Field::Other
            }
            _ => Field::Other,
        };
        match field {
            Field::Part(..) | Field::Config | Field::Body | Field::Gathered(_) => {
                key.expect(WireType::Bytes)?;
            }
            Field::Number(_) => key.expect(WireType::Varint)?,
            Field::Other => {}
        }
        Ok(field)
    }
}

/// What a field is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Field {
    /// One of the oneof.
    Part(Message, Direction),
    Config,
    /// The bytes of a body: handed on.
    Body,
    Gathered(Gathered),
    Number(Number),
    /// Skipped.
    Other,
}

/// A field that is read when it is whole.
#[derive(Debug, Clone, Copy)]
pub(super) enum Gathered {
    Section,
    Metadata,
    /// One entry of them.
    Attributes,
}

/// A field that is a number.
#[derive(Debug, Clone, Copy)]
pub(super) enum Number {
    Observability,
    EndOfStream,
    RequestMode,
    ResponseMode,
    WithoutWaiting,
}
