//! What the crate's decoder reads, message by message, and the same of prost's messages.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use tidegate::exchange::Direction;
use tidegate::ext_proc::wire::{
    Decoder, Envelope, Event, ProtocolConfig, Section, StructError, WireError, WireLimits,
};

use super::core::{self, Metadata};
use super::request::{ProcessingRequest, RequestPart};

/// A whole message.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Read {
    pub(crate) part: Part,
    pub(crate) observability: bool,
    pub(crate) protocol_config: Option<ProtocolConfig>,
    /// Attributes and metadata, decoded.
    pub(crate) more: Result<(BTreeMap<String, prost_types::Struct>, Metadata), StructError>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Part {
    Headers { direction: Direction, fields: Fields, end_of_stream: bool },
    Body { direction: Direction, bytes: Vec<u8>, end_of_stream: bool },
    Trailers { direction: Direction, fields: Fields },
    None,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Fields {
    pub(crate) pseudo: Vec<(String, Bytes)>,
    pub(crate) others: HeaderMap,
}

impl Fields {
    fn of_section(section: Section) -> Self {
        let text = |name: Bytes| String::from_utf8(name.to_vec()).expect("a name is ASCII");
        let pseudo = section.pseudo.into_iter().map(|(name, value)| (text(name), value)).collect();
        Self { pseudo, others: section.fields }
    }

    /// Of names and values that are some.
    fn of_map(map: Option<&core::HeaderMap>) -> Self {
        let mut fields = Self::default();
        for field in map.iter().flat_map(|map| &map.headers) {
            let raw = &field.raw_value;
            let value = if raw.is_empty() { field.value.as_bytes() } else { raw };
            if let Some(name) = field.key.strip_prefix(':') {
                fields.pseudo.push((name.to_owned(), Bytes::copy_from_slice(value)));
            } else {
                let name = HeaderName::from_bytes(field.key.as_bytes()).expect("a name");
                fields.others.append(name, HeaderValue::from_bytes(value).expect("a value"));
            }
        }
        fields
    }
}

impl Read {
    /// What prost has read.
    pub(crate) fn of_message(message: &ProcessingRequest) -> Self {
        use Direction::{Request, Response};
        let headers = |direction, headers: &super::HttpHeaders| Part::Headers {
            direction,
            fields: Fields::of_map(headers.headers.as_ref()),
            end_of_stream: headers.end_of_stream,
        };
        let body = |direction, body: &super::HttpBody| Part::Body {
            direction,
            bytes: body.body.to_vec(),
            end_of_stream: body.end_of_stream,
        };
        let trailers = |direction, trailers: &super::HttpTrailers| Part::Trailers {
            direction,
            fields: Fields::of_map(trailers.trailers.as_ref()),
        };
        let part = match &message.request {
            Some(RequestPart::RequestHeaders(part)) => headers(Request, part),
            Some(RequestPart::ResponseHeaders(part)) => headers(Response, part),
            Some(RequestPart::RequestBody(part)) => body(Request, part),
            Some(RequestPart::ResponseBody(part)) => body(Response, part),
            Some(RequestPart::RequestTrailers(part)) => trailers(Request, part),
            Some(RequestPart::ResponseTrailers(part)) => trailers(Response, part),
            None => Part::None,
        };
        let protocol_config = message.protocol_config.map(|config| ProtocolConfig {
            request_body_mode: config.request_body_mode,
            response_body_mode: config.response_body_mode,
            send_body_without_waiting: config.send_body_without_waiting_for_header_response,
        });
        Self {
            part,
            observability: message.observability_mode,
            protocol_config,
            more: Ok((
                message.attributes.clone(),
                message.metadata_context.clone().unwrap_or_default(),
            )),
        }
    }

    fn new(part: Part, envelope: &Envelope) -> Self {
        let more = || {
            let filter_metadata = envelope.metadata.decode()?;
            let typed_filter_metadata = envelope.metadata.decode_typed()?;
            let metadata = Metadata { filter_metadata, typed_filter_metadata };
            Ok((envelope.attributes.decode()?, metadata))
        };
        Self {
            part,
            observability: envelope.observability,
            protocol_config: envelope.protocol_config,
            more: more(),
        }
    }
}

/// A decoder, and what it has answered of a body that is not whole.
#[derive(Debug)]
pub(crate) struct Reader {
    pub(crate) decoder: Decoder,
    body: Vec<u8>,
    /// The last bytes: all before them were read.
    pushed: Bytes,
}

impl Reader {
    pub(crate) fn new(limits: WireLimits) -> Self {
        let decoder = Decoder::new(limits);
        Self { decoder, body: Vec::new(), pushed: Bytes::new() }
    }

    /// The bytes of a body message that is not whole.
    pub(crate) fn open_body(&self) -> &[u8] {
        &self.body
    }

    /// Pushes, and takes every whole message. Each piece of a body must lie in what was pushed.
    pub(crate) fn push(&mut self, bytes: Bytes, read: &mut Vec<Read>) -> Result<(), WireError> {
        self.pushed = bytes.clone();
        self.decoder.push(bytes);
        while let Some(event) = self.decoder.next()? {
            read.extend(self.take(event));
        }
        Ok(())
    }

    fn take(&mut self, event: Event) -> Option<Read> {
        let (part, envelope) = match event {
            Event::Headers { direction, section, end_of_stream, envelope } => {
                let fields = Fields::of_section(*section);
                (Part::Headers { direction, fields, end_of_stream }, envelope)
            }
            Event::BodyPiece { bytes, .. } => {
                assert!(!bytes.is_empty(), "a piece is never empty");
                let (piece, all) = (bytes.as_ptr_range(), self.pushed.as_ptr_range());
                let is_slice = all.start <= piece.start && piece.end <= all.end;
                assert!(is_slice, "a piece was copied");
                self.body.extend(bytes);
                return None;
            }
            Event::BodyEnd { direction, body_bytes, end_of_stream, envelope } => {
                let bytes = std::mem::take(&mut self.body);
                assert_eq!(body_bytes, bytes.len() as u64, "what was handed on is counted");
                (Part::Body { direction, bytes, end_of_stream }, envelope)
            }
            Event::Trailers { direction, section, envelope } => {
                let fields = Fields::of_section(*section);
                (Part::Trailers { direction, fields }, envelope)
            }
            Event::Other { envelope } => (Part::None, envelope),
        };
        assert!(self.body.is_empty(), "a body message that did not end");
        Some(Read::new(part, &envelope.unwrap_or_default()))
    }
}
