//! An HTTP message as its source sends it.

use std::collections::VecDeque;

/// Fields in their order, pseudo fields among them with their colon.
pub(crate) type Fields = Vec<(String, String)>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) fields: Fields,
    pub(crate) chunks: Vec<Vec<u8>>,
    pub(crate) end: End,
}

/// How a message ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// The head is all there is.
    WithHead,
    WithLastChunk,
    /// After the last chunk, by itself.
    Alone,
    WithTrailers(Fields),
}

/// What a source sends at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    Head { fields: Fields, ends: bool },
    Data { bytes: Vec<u8>, ends: bool },
    Trailers(Fields),
}

impl Message {
    pub(crate) fn parts(&self) -> VecDeque<Part> {
        let mut parts = VecDeque::new();
        let ends = self.end == End::WithHead;
        parts.push_back(Part::Head { fields: self.fields.clone(), ends });
        for (at, chunk) in self.chunks.iter().enumerate() {
            let ends = at + 1 == self.chunks.len() && self.end == End::WithLastChunk;
            parts.push_back(Part::Data { bytes: chunk.clone(), ends });
        }
        match &self.end {
            End::WithHead => {}
            End::WithLastChunk if !self.chunks.is_empty() => {}
            End::WithLastChunk | End::Alone => {
                parts.push_back(Part::Data { bytes: Vec::new(), ends: true });
            }
            End::WithTrailers(fields) => parts.push_back(Part::Trailers(fields.clone())),
        }
        parts
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        self.chunks.concat()
    }

    pub(crate) fn trailers(&self) -> Option<&Fields> {
        match &self.end {
            End::WithTrailers(fields) => Some(fields),
            End::WithHead | End::WithLastChunk | End::Alone => None,
        }
    }
}

pub(crate) fn value<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    fields.iter().find(|(each, _)| each == name).map(|(_, value)| value.as_str())
}
