use core::fmt;
use std::collections::BTreeMap;

use bytes::Bytes;
use prost_types::Struct;

use super::StructError;
use super::entry::Entry;

/// What a client says of a message besides its fields, such as `source.address`: structs by name.
/// Envoy has one, `envoy.filters.http.ext_proc`, with the attributes of its configuration.
///
/// Encoded until they are asked for. Cheap to clone for what it mostly is: one entry or none.
#[derive(Clone, Default)]
pub struct Attributes {
    /// Entries of the map, encoded, in the order in which they came.
    entries: Vec<Bytes>,
}

impl Attributes {
    pub(super) fn push(&mut self, entry: Bytes) {
        self.entries.push(entry);
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The struct called `name`. Of two, the last one, as everywhere in protobuf.
    ///
    /// # Errors
    ///
    /// If an entry is no struct with a name, or is nested too deep.
    pub fn get(&self, name: &str) -> Result<Option<Struct>, StructError> {
        let mut found = None;
        for entry in &self.entries {
            let entry = Entry::read(entry)?;
            if entry.name == name {
                found = Some(entry);
            }
        }
        found.map(|entry| entry.to_struct()).transpose()
    }

    /// All of them.
    ///
    /// # Errors
    ///
    /// As of [`get`](Self::get).
    pub fn decode(&self) -> Result<BTreeMap<String, Struct>, StructError> {
        let entries = self.entries.iter().map(|entry| {
            let entry = Entry::read(entry)?;
            Ok((entry.name.to_owned(), entry.to_struct()?))
        });
        entries.collect()
    }
}

impl fmt::Debug for Attributes {
    /// Shows counts, never what is in them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes: usize = self.entries.iter().map(Bytes::len).sum();
        f.debug_struct("Attributes")
            .field("entries", &self.entries.len())
            .field("bytes", &bytes)
            .finish()
    }
}
