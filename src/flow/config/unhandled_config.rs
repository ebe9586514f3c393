use serde::{Deserialize, Serialize};

/// What a result does that no jump of its node handles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum UnhandledConfig {
    /// It ends the pipeline, which has failed.
    #[default]
    End,
    /// The pipeline goes on at the next node.
    Continue,
}
