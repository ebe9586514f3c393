//! Entries of maps: a name, and a message.

use prost::Message as _;
use prost_types::{Any, Struct};

use super::StructError;
use super::fields::Fields;
use super::key::Seen;
use crate::limits::MAX_STRUCT_DEPTH;

/// One entry, its message encoded.
pub(super) struct Entry<'a> {
    pub(super) name: &'a str,
    value: &'a [u8],
}

impl<'a> Entry<'a> {
    pub(super) fn read(entry: &'a [u8]) -> Result<Self, StructError> {
        let (mut name, mut value) = ("", &[][..]);
        let mut seen = Seen::NONE;
        for field in Fields::new(entry) {
            let field = field?;
            match field.number() {
                1 => name = field.text()?,
                2 => value = field.bytes()?,
                _ => continue,
            }
            seen.once(field.number())?;
        }
        Ok(Self { name, value })
    }

    pub(super) fn to_struct(&self) -> Result<Struct, StructError> {
        Nested::Struct.check(self.value, MAX_STRUCT_DEPTH)?;
        Struct::decode(self.value).map_err(StructError::Value)
    }

    pub(super) fn to_any(&self) -> Result<Any, StructError> {
        Any::decode(self.value).map_err(StructError::Value)
    }
}

/// A message that can lie in itself.
#[derive(Clone, Copy)]
enum Nested {
    /// Field 1: entries of a map, in which field 2 is a `Value`.
    Struct,
    Entry,
    /// Field 5 is a `Struct`, field 6 a `ListValue`.
    Value,
    /// Field 1: `Value`s.
    List,
}

impl Nested {
    /// Whether structs and lists are nested no deeper than `left`. Before `prost` reads them, so
    /// that its own limit, which it words otherwise, is never met.
    fn check(self, message: &[u8], left: usize) -> Result<(), StructError> {
        for field in Fields::new(message) {
            let field = field?;
            let (nested, left) = match (self, field.number()) {
                (Self::Struct, 1) => (Self::Entry, left),
                (Self::Entry, 2) | (Self::List, 1) => (Self::Value, left),
                (Self::Value, 5) => {
                    (Self::Struct, left.checked_sub(1).ok_or(StructError::TooDeep)?)
                }
                (Self::Value, 6) => (Self::List, left.checked_sub(1).ok_or(StructError::TooDeep)?),
                _ => continue,
            };
            nested.check(field.bytes()?, left)?;
        }
        Ok(())
    }
}
