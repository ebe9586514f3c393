/// Which dynamic metadata a data plane forwards to a processor, and takes from it
/// (`metadata_options`). What is not listed is dropped without a word.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct MetadataOptions {
    /// Namespaces of `filter_metadata` that come with each message.
    pub forwarding_untyped: Vec<String>,
    /// Namespaces of `typed_filter_metadata` that come with each message.
    pub forwarding_typed: Vec<String>,
    /// Namespaces that `dynamic_metadata` of an answer may set.
    pub receiving_untyped: Vec<String>,
    /// Namespaces that `typed_dynamic_metadata` of an answer may set.
    pub receiving_typed: Vec<String>,
}
