use serde::{Deserialize, Serialize};

/// Easegress's two switches, which make no difference between stopped and failed. With them the
/// stages follow its table bit for bit, also where that is surprising.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(expecting = "a map", deny_unknown_fields, default)]
pub struct EasegressConfig {
    /// `fallthrough.beforePipeline`: main runs also behind a before that ended.
    pub before: bool,
    /// `fallthrough.pipeline`: after runs also behind a main that ended.
    pub main: bool,
}
