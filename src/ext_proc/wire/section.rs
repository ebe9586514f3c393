use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::fields::{Field, Fields};
use super::key::Seen;
use super::{WireError, WireLimit, WireLimits};

/// A head or trailers as they come in a message: pseudo fields apart.
///
/// The values are `raw_value` where a field has one, else `value`.
#[derive(Debug, Clone, Default)]
pub struct Section {
    /// The fields whose names begin with a colon, without it, in the order in which they came. None
    /// comes twice.
    pub pseudo: Vec<(Bytes, Bytes)>,
    /// All others.
    pub fields: HeaderMap,
}

impl Section {
    /// The value of the pseudo field with this name, which is without the colon.
    #[must_use]
    pub fn pseudo(&self, name: &str) -> Option<&Bytes> {
        self.pseudo.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Reads a `HeaderMap`. The values share its allocation.
    pub(super) fn read(block: &Bytes, limits: &WireLimits) -> Result<Self, WireError> {
        let malformed = |fault| WireError::Malformed { message: "HeaderMap", fault };
        let too_many = || WireError::Limit {
            limit: WireLimit::SectionFields,
            most: limits.most_fields() as u64,
        };
        let mut section = Self::default();
        let mut count = 0;
        for field in Fields::new(block) {
            let field = field.map_err(malformed)?;
            if field.number() != 1 {
                continue;
            }
            count += 1;
            if count > limits.most_fields() {
                return Err(too_many());
            }
            let (name, value) = read_field(&field)?;
            let value = block.slice_ref(value);
            match name.split_first() {
                Some((b':', name)) => section.add_pseudo(block.slice_ref(name), value)?,
                _ => section.add(name, value)?.then_some(()).ok_or_else(too_many)?,
            }
        }
        Ok(section)
    }

    fn add_pseudo(&mut self, name: Bytes, value: Bytes) -> Result<(), WireError> {
        let quoted = || WireError::quote(&name);
        // The same rules as for others: no uppercase, nothing that is in no name.
        if HeaderName::from_lowercase(&name).is_err() {
            return Err(WireError::FieldName { name: format!(":{}", quoted()) });
        }
        if HeaderValue::from_bytes(&value).is_err() {
            return Err(WireError::FieldValue { name: format!(":{}", quoted()) });
        }
        if self.pseudo.iter().any(|(known, _)| *known == name) {
            return Err(WireError::RepeatedPseudo { name: quoted() });
        }
        self.pseudo.push((name, value));
        Ok(())
    }

    /// Answers whether there was room.
    fn add(&mut self, name: &[u8], value: Bytes) -> Result<bool, WireError> {
        let quoted = || WireError::quote(name);
        let parsed =
            HeaderName::from_bytes(name).map_err(|_| WireError::FieldName { name: quoted() })?;
        let value = HeaderValue::from_maybe_shared(value)
            .map_err(|_| WireError::FieldValue { name: quoted() })?;
        Ok(self.fields.try_append(parsed, value).is_ok())
    }
}

/// The name and the value of a `HeaderValue`.
fn read_field<'a>(field: &Field<'a>) -> Result<(&'a [u8], &'a [u8]), WireError> {
    let malformed = |fault| WireError::Malformed { message: "HeaderValue", fault };
    let (mut name, mut value, mut raw) = ("", "", &b""[..]);
    let mut seen = Seen::NONE;
    let message =
        field.bytes().map_err(|fault| WireError::Malformed { message: "HeaderMap", fault })?;
    for field in Fields::new(message) {
        let field = field.map_err(malformed)?;
        let known = match field.number() {
            1 => field.text().map(|text| name = text),
            2 => field.text().map(|text| value = text),
            3 => field.bytes().map(|bytes| raw = bytes),
            _ => continue,
        };
        known.and_then(|()| seen.once(field.number())).map_err(malformed)?;
    }
    // Envoy fills `raw_value` and leaves `value` empty; an older client may do the opposite.
    Ok((name.as_bytes(), if raw.is_empty() { value.as_bytes() } else { raw }))
}
