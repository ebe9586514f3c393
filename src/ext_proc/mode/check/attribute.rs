use crate::ext_proc::mode::ConfigError;

/// What attributes begin with in Envoy 1.40.0.
const ROOTS: [&str; 10] = [
    "connection",
    "destination",
    "filter_state",
    "metadata",
    "request",
    "response",
    "source",
    "upstream",
    "upstream_filter_state",
    "xds",
];

/// Words of CEL's grammar, which Envoy's parser takes for no name anywhere.
const RESERVED: [&str; 4] = ["false", "in", "null", "true"];

pub(super) fn check(field: &'static str, attributes: &[String]) -> Result<(), ConfigError> {
    let bad = attributes.iter().find(|attribute| !is_attribute(attribute));
    bad.map_or(Ok(()), |attribute| {
        Err(ConfigError::Attribute { field, attribute: attribute.clone() })
    })
}

/// Names with points between them, each of which may have keys: `request.headers['x-name']`.
fn is_attribute(attribute: &str) -> bool {
    let Some(root_len) = name_len(attribute) else { return false };
    let (root, mut rest) = attribute.split_at(root_len);
    while !rest.is_empty() {
        let part = match rest.as_bytes()[0] {
            b'.' => name_len(&rest[1..]).map(|len| 1 + len),
            b'[' => key_len(rest),
            _ => None,
        };
        let Some(len) = part else { return false };
        rest = &rest[len..];
    }
    ROOTS.contains(&root)
}

/// How many bytes the name has that `text` begins with.
fn name_len(text: &str) -> Option<usize> {
    let is_inner = |each: char| each == '_' || each.is_ascii_alphanumeric();
    let len = text.find(|each| !is_inner(each)).unwrap_or(text.len());
    let name = &text[..len];
    let starts = name.starts_with(|each: char| each == '_' || each.is_ascii_alphabetic());
    (starts && !RESERVED.contains(&name)).then_some(len)
}

/// How many bytes the key has that `text` begins with: `['…']`, without escapes.
fn key_len(text: &str) -> Option<usize> {
    let key = text.strip_prefix("['")?;
    let len = key.find("']")?;
    let is_plain = |each: u8| matches!(each, b' '..=b'~') && !matches!(each, b'\'' | b'\\');
    key[..len].bytes().all(is_plain).then_some("['".len() + len + "']".len())
}
