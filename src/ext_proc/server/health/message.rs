use bytes::Bytes;
use prost::encoding::{DecodeContext, decode_key, skip_field, string};

use super::ServingStatus;
use crate::ext_proc::wire::{GrpcCode, GrpcStatus, ReplyFrame};
use crate::limits::MAX_HEALTH_REQUEST_BYTES;

/// The prefix of a gRPC message: a flag, and the length.
const PREFIX_BYTES: usize = 5;

/// Reads the one message of a request, as its pieces come.
#[derive(Debug, Default)]
pub(super) struct Reader {
    bytes: Vec<u8>,
}

impl Reader {
    /// Keeps a piece, up to the limit.
    pub(super) fn push(&mut self, piece: &[u8]) -> Result<(), GrpcStatus> {
        if self.bytes.len() + piece.len() > PREFIX_BYTES + MAX_HEALTH_REQUEST_BYTES {
            let why = format!("the limit `health request` of {MAX_HEALTH_REQUEST_BYTES} bytes");
            return Err(GrpcStatus::new(GrpcCode::ResourceExhausted, format!("{why} was passed")));
        }
        self.bytes.extend_from_slice(piece);
        Ok(())
    }

    /// The name of the service that is asked about, when the request has ended.
    pub(super) fn finish(self) -> Result<String, GrpcStatus> {
        let invalid = |why: String| GrpcStatus::new(GrpcCode::Internal, why);
        let Some((prefix, message)) = self.bytes.split_first_chunk::<PREFIX_BYTES>() else {
            return Err(invalid("the request has no message".to_owned()));
        };
        let [flag, length @ ..] = *prefix;
        if flag != 0 {
            return Err(GrpcStatus::new(GrpcCode::Unimplemented, "messages cannot be compressed"));
        }
        if usize::try_from(u32::from_be_bytes(length)) != Ok(message.len()) {
            return Err(invalid("the request is not one message".to_owned()));
        }
        service(message).map_err(|error| invalid(error.to_string()))
    }
}

/// Field 1 of a `HealthCheckRequest`; the last one counts.
fn service(mut message: &[u8]) -> Result<String, prost::DecodeError> {
    let mut service = String::new();
    while !message.is_empty() {
        let (tag, wire_type) = decode_key(&mut message)?;
        let context = DecodeContext::default();
        if tag == 1 {
            string::merge(wire_type, &mut service, &mut message, context)?;
        } else {
            skip_field(wire_type, tag, &mut message, context)?;
        }
    }
    Ok(service)
}

/// A `HealthCheckResponse`, with its prefix: field 1 is the number.
pub(super) fn response(status: ServingStatus) -> ReplyFrame {
    ReplyFrame::plain(Bytes::from_static(match status {
        ServingStatus::Serving => &[0, 0, 0, 0, 2, 1 << 3, 1],
        ServingStatus::NotServing => &[0, 0, 0, 0, 2, 1 << 3, 2],
        ServingStatus::ServiceUnknown => &[0, 0, 0, 0, 2, 1 << 3, 3],
    }))
}
