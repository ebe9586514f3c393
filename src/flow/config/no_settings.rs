use serde::{Deserialize, Serialize};

/// The settings of a kind that has none: anything said is an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(expecting = "no settings", deny_unknown_fields)]
pub struct NoSettings {}
