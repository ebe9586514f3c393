use core::fmt;

use prost::DecodeError;

use super::Malformed;
use crate::limits::MAX_STRUCT_DEPTH;

/// Why attributes or metadata cannot be read. It concerns who asked for them, not the stream: they
/// are read when they are asked for.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum StructError {
    /// The bytes are no map of structs.
    Malformed(Malformed),
    /// A struct is nested deeper than [`MAX_STRUCT_DEPTH`], the limit of this crate.
    TooDeep,
    /// What `prost` says of a value.
    Value(DecodeError),
}

impl fmt::Display for StructError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(fault) => write!(f, "malformed attributes or metadata: {fault}"),
            Self::TooDeep => {
                write!(f, "a struct is nested deeper than MAX_STRUCT_DEPTH, {MAX_STRUCT_DEPTH}")
            }
            Self::Value(error) => write!(f, "a value of attributes or metadata: {error}"),
        }
    }
}

impl core::error::Error for StructError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Value(error) => Some(error),
            Self::Malformed(_) | Self::TooDeep => None,
        }
    }
}

impl From<Malformed> for StructError {
    fn from(fault: Malformed) -> Self {
        Self::Malformed(fault)
    }
}
