use core::fmt;

/// A limit on what is read. There is none on the length of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WireLimit {
    /// The bytes of one head or trailers, encoded:
    /// [`WireLimits::section_bytes`](super::WireLimits::section_bytes).
    SectionBytes,
    /// The fields of one head or trailers:
    /// [`WireLimits::section_fields`](super::WireLimits::section_fields).
    SectionFields,
    /// The bytes of attributes and metadata of one message, encoded:
    /// [`WireLimits::envelope_bytes`](super::WireLimits::envelope_bytes).
    EnvelopeBytes,
}

impl WireLimit {
    /// Its name: of the setting.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SectionBytes => "section_bytes",
            Self::SectionFields => "section_fields",
            Self::EnvelopeBytes => "envelope_bytes",
        }
    }
}

impl fmt::Display for WireLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
