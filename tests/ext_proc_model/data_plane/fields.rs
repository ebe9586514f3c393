//! Header mutations as Envoy applies them (ext-proc.md 3.9).

use crate::message::Fields;
use crate::messages::{HeaderMap, HeaderMutation};

pub(crate) fn to_map(fields: &Fields) -> HeaderMap {
    let pairs: Vec<(&str, &str)> =
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    crate::messages::section(&pairs)
}

/// Removes first, then sets in order; a value is read from `raw_value`.
///
/// # Errors
///
/// What Envoy would refuse or write wrong: a value that is only in `value`, a character that is not
/// allowed.
pub(crate) fn mutate(fields: &mut Fields, mutation: &HeaderMutation) -> Result<(), String> {
    for name in &mutation.remove_headers {
        if !name.starts_with(':') && name != "host" {
            fields.retain(|(each, _)| each != name);
        }
    }
    for option in &mutation.set_headers {
        let Some(header) = &option.header else { return Err("a field without a header".into()) };
        if !header.value.is_empty() {
            return Err(format!("P10: {} has its value in `value`", header.key));
        }
        let value = String::from_utf8(header.raw_value.to_vec())
            .map_err(|_| format!("{} has a value that is no text", header.key))?;
        let hop = ["connection", "transfer-encoding", "te", "upgrade", "keep-alive"];
        if hop.contains(&header.key.as_str()) {
            return Err(format!("P13: {} is of the hop", header.key));
        }
        if option.append != Some(true) {
            fields.retain(|(each, _)| *each != header.key);
        }
        fields.push((header.key.clone(), value));
    }
    Ok(())
}
