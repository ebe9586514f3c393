use super::{MetadataOptions, ProcessingMode};

/// What a route says otherwise than the filter's configuration (`ExtProcOverrides`). `None` and an
/// empty list leave it as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct RouteOverrides {
    /// In place of the configured mode, all six fields.
    pub processing_mode: Option<ProcessingMode>,
    /// In place of the configured value.
    pub failure_mode_allow: Option<bool>,
    /// In place of the configured namespaces.
    pub metadata_options: Option<MetadataOptions>,
    /// Fields that the stream to the processor opens with: names and values.
    pub grpc_initial_metadata: Vec<(String, String)>,
}
