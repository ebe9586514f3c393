use core::fmt;
use std::borrow::Cow;

use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::GrpcCode;

const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// How an RPC ends: what its trailers say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrpcStatus {
    /// In `grpc-status`.
    pub code: GrpcCode,
    /// In `grpc-message`; none if it is empty.
    pub message: Cow<'static, str>,
}

impl GrpcStatus {
    /// Nothing went wrong.
    pub const OK: Self = Self { code: GrpcCode::Ok, message: Cow::Borrowed("") };

    /// `code`, with a message for people.
    #[must_use]
    pub fn new(code: GrpcCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into() }
    }

    /// Whether nothing went wrong.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.code == GrpcCode::Ok
    }

    /// The trailers of the RPC: also its head, where nothing else is sent.
    #[must_use]
    pub fn to_trailers(&self) -> HeaderMap {
        let mut trailers = HeaderMap::with_capacity(2);
        let status = match self.code {
            GrpcCode::Ok => HeaderValue::from_static("0"),
            code => HeaderValue::from(u16::from(code.number())),
        };
        trailers.insert(STATUS, status);
        if let Some(message) = self.message_value() {
            trailers.insert(MESSAGE, message);
        }
        trailers
    }

    /// The message as gRPC has it in a field: bytes outside of visible ASCII and space, and `%`,
    /// are percent-encoded (gRPC over HTTP/2, `Status-Message`).
    fn message_value(&self) -> Option<HeaderValue> {
        if self.message.is_empty() {
            return None;
        }
        let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'%';
        let mut value = BytesMut::with_capacity(self.message.len());
        for byte in self.message.bytes() {
            if is_plain(byte) {
                value.put_u8(byte);
            } else {
                let digit = |half: u8| b"0123456789ABCDEF"[usize::from(half)];
                value.put_slice(&[b'%', digit(byte >> 4), digit(byte & 0xf)]);
            }
        }
        // What is left is ASCII without controls: it is a value.
        HeaderValue::from_maybe_shared(Bytes::from(value)).ok()
    }
}

impl fmt::Display for GrpcStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.message.is_empty() {
            return self.code.fmt(f);
        }
        write!(f, "{}: {}", self.code, self.message)
    }
}
