use serde::{Deserialize, Serialize};

use crate::flow::FallThrough;

/// The switch at one border between two pipelines. What is not said is as by default there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(expecting = "a map", deny_unknown_fields, default)]
pub struct BorderConfig {
    /// Whether the next pipeline runs behind one that was stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<bool>,
    /// Whether it runs behind one that has failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed: Option<bool>,
}

impl BorderConfig {
    pub(super) fn is_unsaid(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn or(self, default: FallThrough) -> FallThrough {
        FallThrough {
            stopped: self.stopped.unwrap_or(default.stopped),
            failed: self.failed.unwrap_or(default.failed),
        }
    }
}
