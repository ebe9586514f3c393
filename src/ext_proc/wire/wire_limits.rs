use crate::limits::{
    DEFAULT_ENVELOPE_BYTES, DEFAULT_SECTION_BYTES, DEFAULT_SECTION_FIELDS, MAX_SECTION_FIELDS,
};

/// What a server takes of one message. A body may have any length: it is handed on as it comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct WireLimits {
    /// The most bytes of one head or trailers, encoded (`HeaderMap`).
    pub section_bytes: u32,
    /// The most fields of one head or trailers, pseudo fields among them. More than
    /// [`MAX_SECTION_FIELDS`] counts as that.
    pub section_fields: usize,
    /// The most bytes that the attributes and the metadata of one message have together, encoded,
    /// and with the size of a handle for each entry of attributes.
    pub envelope_bytes: u32,
}

impl WireLimits {
    /// The defaults of [`limits`](crate::limits).
    #[must_use]
    pub const fn new() -> Self {
        Self {
            section_bytes: DEFAULT_SECTION_BYTES,
            section_fields: DEFAULT_SECTION_FIELDS,
            envelope_bytes: DEFAULT_ENVELOPE_BYTES,
        }
    }

    pub(super) fn most_fields(&self) -> usize {
        self.section_fields.min(MAX_SECTION_FIELDS)
    }
}

impl Default for WireLimits {
    fn default() -> Self {
        Self::new()
    }
}
