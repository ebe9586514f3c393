//! Whether the crate's decoder reads what prost does: of any bytes, cut anywhere.

use bytes::Bytes;
use prost::Message as _;
use tidegate::ext_proc::wire::{Malformed, StructError, WireError, WireLimits};

use super::frame::PREFIX_BYTES;
use super::read::{Read, Reader};
use super::request::{HttpHeaders, ProcessingRequest, RequestPart};

/// A `ProcessingRequest` in which everything that the crate skips, or reads later, is bytes.
#[derive(Clone, PartialEq, Eq, prost::Message)]
struct Shallow {
    #[prost(oneof = "ShallowPart", tags = "2, 3, 4, 5, 6, 7")]
    part: Option<ShallowPart>,
    #[prost(bytes = "bytes", tag = "8")]
    metadata_context: Bytes,
    #[prost(bytes = "bytes", repeated, tag = "9")]
    attributes: Vec<Bytes>,
    #[prost(bool, tag = "10")]
    observability_mode: bool,
    #[prost(message, optional, tag = "11")]
    protocol_config: Option<super::ProtocolConfiguration>,
    #[prost(bytes = "bytes", tag = "12")]
    flow_control_init: Bytes,
    #[prost(bytes = "bytes", tag = "13")]
    client_window_update: Bytes,
}

#[derive(Clone, PartialEq, Eq, prost::Oneof)]
enum ShallowPart {
    #[prost(message, tag = "2")]
    RequestHeaders(ShallowHeaders),
    #[prost(message, tag = "3")]
    ResponseHeaders(ShallowHeaders),
    #[prost(message, tag = "4")]
    RequestBody(super::HttpBody),
    #[prost(message, tag = "5")]
    ResponseBody(super::HttpBody),
    #[prost(message, tag = "6")]
    RequestTrailers(super::HttpTrailers),
    #[prost(message, tag = "7")]
    ResponseTrailers(super::HttpTrailers),
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct ShallowHeaders {
    #[prost(message, optional, tag = "1")]
    headers: Option<super::HeaderMap>,
    #[prost(bytes = "bytes", repeated, tag = "2")]
    attributes: Vec<Bytes>,
    #[prost(bool, tag = "3")]
    end_of_stream: bool,
}

impl From<ShallowHeaders> for HttpHeaders {
    fn from(shallow: ShallowHeaders) -> Self {
        let ShallowHeaders { headers, end_of_stream, .. } = shallow;
        Self { headers, end_of_stream, ..Self::default() }
    }
}

impl From<Shallow> for ProcessingRequest {
    fn from(shallow: Shallow) -> Self {
        let part = shallow.part.map(|part| match part {
            ShallowPart::RequestHeaders(part) => RequestPart::RequestHeaders(part.into()),
            ShallowPart::ResponseHeaders(part) => RequestPart::ResponseHeaders(part.into()),
            ShallowPart::RequestBody(part) => RequestPart::RequestBody(part),
            ShallowPart::ResponseBody(part) => RequestPart::ResponseBody(part),
            ShallowPart::RequestTrailers(part) => RequestPart::RequestTrailers(part),
            ShallowPart::ResponseTrailers(part) => RequestPart::ResponseTrailers(part),
        });
        Self {
            request: part,
            observability_mode: shallow.observability_mode,
            protocol_config: shallow.protocol_config,
            ..Self::default()
        }
    }
}

/// What the decoder made of some bytes.
#[derive(Debug, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) read: Vec<Read>,
    /// Of a message that is not whole.
    pub(crate) open_body: Vec<u8>,
    pub(crate) error: Option<WireError>,
    pub(crate) finish: Result<(), WireError>,
}

/// Decodes `bytes` in pieces: `cut` answers the length of the next one, given what is left.
pub(crate) fn decode(
    bytes: &[u8],
    limits: WireLimits,
    mut cut: impl FnMut(usize) -> usize,
) -> Outcome {
    let mut reader = Reader::new(limits);
    let mut bytes = Bytes::copy_from_slice(bytes);
    let (mut read, mut error) = (Vec::new(), None);
    while !bytes.is_empty() && error.is_none() {
        let piece = bytes.split_to(cut(bytes.len()).clamp(1, bytes.len()));
        error = reader.push(piece, &mut read).err();
    }
    let open_body = reader.open_body().to_vec();
    Outcome { read, open_body, error, finish: reader.decoder.finish() }
}

/// What the crate refuses, and prost does not.
fn is_stricter(error: &WireError) -> bool {
    match error {
        WireError::Malformed { fault, .. } => is_stricter_fault(fault),
        WireError::FieldName { .. }
        | WireError::FieldValue { .. }
        | WireError::RepeatedPseudo { .. }
        | WireError::Limit { .. } => true,
        _ => false,
    }
}

const fn is_stricter_fault(fault: &Malformed) -> bool {
    matches!(fault, Malformed::Repeated { .. } | Malformed::Group { .. })
}

/// Decodes `bytes`, cut and in one piece, and compares both with each other and with prost.
///
/// # Panics
///
/// If they part.
pub(crate) fn check(bytes: &[u8], limits: WireLimits, cut: impl FnMut(usize) -> usize) -> Outcome {
    let whole = decode(bytes, limits, |left| left);
    let pieces = decode(bytes, limits, cut);
    assert_eq!(pieces, whole, "it depends on the cuts");
    let mut left = bytes;
    let mut refused = false;
    let mut reads = whole.read.iter();
    while let Some((prefix, rest)) = left.split_first_chunk::<PREFIX_BYTES>() {
        let [flag, a, b, c, d] = *prefix;
        if flag != 0 {
            let expected = if flag == 1 { WireError::Compressed } else { WireError::Flag { flag } };
            assert_eq!(whole.error, Some(expected));
            refused = true;
            break;
        }
        let len = u32::from_be_bytes([a, b, c, d]) as usize;
        let Some((message, rest)) = rest.split_at_checked(len) else { break };
        left = rest;
        let Some(read) = reads.next() else {
            let error = whole.error.as_ref().expect("a whole message is read or refused");
            let prost = Shallow::decode(message);
            assert!(prost.is_err() || is_stricter(error), "{error} is fine: {prost:?}");
            refused = true;
            break;
        };
        compare(read, message);
    }
    assert!(reads.next().is_none(), "more messages than there are");
    match &whole.error {
        Some(error) => assert_eq!(whole.finish.as_ref(), Err(error)),
        None => {
            assert!(!refused);
            let expected = if left.is_empty() { Ok(()) } else { Err(WireError::Ended) };
            assert_eq!(whole.finish, expected, "{} bytes left", left.len());
        }
    }
    whole
}

/// Compares what was read of one message with prost.
fn compare(read: &Read, message: &[u8]) {
    let shallow = Shallow::decode(message).expect("prost refuses what was read");
    let shallow = Read::of_message(&shallow.into());
    let Read { part, observability, protocol_config, more } = read;
    assert_eq!(*part, shallow.part);
    assert_eq!(
        (*observability, *protocol_config),
        (shallow.observability, shallow.protocol_config)
    );
    match more {
        Err(StructError::TooDeep) => return,
        Err(StructError::Malformed(fault)) if is_stricter_fault(fault) => return,
        Ok(_) | Err(_) => {}
    }
    // What prost reads at once, and not when it is asked for: also in places nobody asks for.
    if let Ok(deep) = ProcessingRequest::decode(message) {
        assert_eq!(*more, Read::of_message(&deep).more);
    }
}
