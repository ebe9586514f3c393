use serde::ser::{SerializeMap, Serializer};

/// One entry of `jump_if`: on this result, to that node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JumpConfig {
    /// The result: one that the filter declares, or the empty one, which is success.
    pub result: String,
    /// The node to go on at, which comes later in the same pipeline; or `END`.
    pub target: String,
}

/// The map that they are read from.
pub(super) fn as_map<S: Serializer>(jumps: &[JumpConfig], to: S) -> Result<S::Ok, S::Error> {
    let mut map = to.serialize_map(Some(jumps.len()))?;
    for JumpConfig { result, target } in jumps {
        map.serialize_entry(result, target)?;
    }
    map.end()
}
