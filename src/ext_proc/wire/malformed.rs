use core::fmt;

/// Why bytes are no message: a rule of protobuf that they break, or one of this crate's that is
/// stricter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Malformed {
    /// A number of more than ten bytes, or of more than 64 bits.
    Varint,
    /// A field with number 0, or one that does not fit 29 bits.
    FieldNumber,
    /// A field that is known has another wire type.
    WireType {
        /// The number of the field.
        field: u32,
        /// The wire type that it came with.
        wire_type: u8,
    },
    /// A group: proto3 has none, and nothing else begins or ends one.
    Group {
        /// The number of the field.
        field: u32,
    },
    /// A field is longer than what it lies in.
    Length {
        /// The number of the field.
        field: u32,
    },
    /// The message ends inside a field.
    Cut,
    /// A field, or the part of a message, that is there once at most came twice. Protobuf takes the
    /// last one, or joins them; no writer makes such messages, and readers that differ in what they
    /// take can be played against each other.
    Repeated {
        /// The number of the field.
        field: u32,
    },
    /// A string that is not UTF-8.
    Utf8 {
        /// The number of the field.
        field: u32,
    },
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Varint => f.write_str("a number of more than 64 bits"),
            Self::FieldNumber => f.write_str("an impossible field number"),
            Self::WireType { field, wire_type } => {
                write!(f, "field {field} has wire type {wire_type}")
            }
            Self::Group { field } => write!(f, "field {field} is a group"),
            Self::Length { field } => write!(f, "field {field} is longer than its message"),
            Self::Cut => f.write_str("it ends inside a field"),
            Self::Repeated { field } => write!(f, "field {field} comes twice"),
            Self::Utf8 { field } => write!(f, "field {field} is not UTF-8"),
        }
    }
}
