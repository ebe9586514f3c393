use core::fmt;
use std::collections::BTreeMap;

use bytes::Bytes;
use prost_types::{Any, Struct};

use super::StructError;
use super::entry::Entry;
use super::fields::{Field, Fields};

/// What other filters of the data plane left for a message, as far as the client is told to forward
/// it (`forwarding_namespaces`): structs by namespace, and typed messages by namespace.
///
/// Encoded until it is asked for. Cheap to clone.
#[derive(Clone, Default)]
pub struct Metadata(Bytes);

/// Fields of `core.v3.Metadata`.
const UNTYPED: u32 = 1;
const TYPED: u32 = 2;

impl Metadata {
    /// Whether nothing is forwarded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The struct of `namespace`. Of two, the last one.
    ///
    /// # Errors
    ///
    /// If it is no metadata, or is nested too deep.
    pub fn get(&self, namespace: &str) -> Result<Option<Struct>, StructError> {
        let found = self.last(UNTYPED, namespace)?;
        found.map(|entry| entry.to_struct()).transpose()
    }

    /// The typed message of `namespace`. Of two, the last one.
    ///
    /// # Errors
    ///
    /// If it is no metadata.
    pub fn get_typed(&self, namespace: &str) -> Result<Option<Any>, StructError> {
        let found = self.last(TYPED, namespace)?;
        found.map(|entry| entry.to_any()).transpose()
    }

    /// All structs.
    ///
    /// # Errors
    ///
    /// As of [`get`](Self::get).
    pub fn decode(&self) -> Result<BTreeMap<String, Struct>, StructError> {
        let entries = self.entries(UNTYPED).map(|entry| {
            let entry = entry?;
            Ok((entry.name.to_owned(), entry.to_struct()?))
        });
        entries.collect()
    }

    /// All typed messages.
    ///
    /// # Errors
    ///
    /// As of [`get_typed`](Self::get_typed).
    pub fn decode_typed(&self) -> Result<BTreeMap<String, Any>, StructError> {
        let entries = self.entries(TYPED).map(|entry| {
            let entry = entry?;
            Ok((entry.name.to_owned(), entry.to_any()?))
        });
        entries.collect()
    }

    fn last(&self, map: u32, namespace: &str) -> Result<Option<Entry<'_>>, StructError> {
        let mut found = None;
        for entry in self.entries(map) {
            let entry = entry?;
            if entry.name == namespace {
                found = Some(entry);
            }
        }
        Ok(found)
    }

    fn entries(&self, map: u32) -> impl Iterator<Item = Result<Entry<'_>, StructError>> {
        let in_map = move |field: &Result<Field<'_>, _>| match field {
            Ok(field) => field.number() == map,
            Err(_) => true,
        };
        Fields::new(&self.0).filter(in_map).map(|field| Entry::read(field?.bytes()?))
    }
}

impl From<Bytes> for Metadata {
    /// Of a `core.v3.Metadata`, encoded. Whether it is one shows when it is asked for.
    fn from(encoded: Bytes) -> Self {
        Self(encoded)
    }
}

impl fmt::Debug for Metadata {
    /// Shows the length, never what is in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metadata").field("bytes", &self.0.len()).finish()
    }
}
