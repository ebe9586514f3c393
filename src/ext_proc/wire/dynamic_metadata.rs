use bytes::Bytes;
use prost::Message as _;
use prost_types::{Struct, Value};

/// What a filter leaves for the other filters of the data plane: a struct for each namespace.
///
/// A filter puts it into the extensions of the head while that stands there; it goes with the
/// answer to the head (P34: by itself it would fail the stream). The data plane drops namespaces
/// that its `receiving_namespaces` does not list, without a word.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DynamicMetadata(Struct);

impl DynamicMetadata {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `key` of `namespace`.
    pub fn set(&mut self, namespace: impl Into<String>, key: impl Into<String>, value: Value) {
        use prost_types::value::Kind;

        let entry = self.0.fields.entry(namespace.into()).or_default();
        let fields = match &mut entry.kind {
            Some(Kind::StructValue(fields)) => fields,
            other => match other.insert(Kind::StructValue(Struct::default())) {
                Kind::StructValue(fields) => fields,
                _ => return,
            },
        };
        fields.fields.insert(key.into(), value);
    }

    pub(in crate::ext_proc) fn encode(&self) -> Bytes {
        self.0.encode_to_vec().into()
    }
}
