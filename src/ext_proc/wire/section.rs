use std::collections::HashSet;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::fields::{Field, Fields};
use super::key::Seen;
use super::{Malformed, WireError, WireLimit, WireLimits};

/// What a field of a head has on average, in bytes, or a little less.
const FIELD_BYTES: usize = 32;

/// As many fields as room is made for before they are seen.
const MOST_EXPECTED: usize = 24;

/// As many pseudo fields as room is made for with the first: those of a request.
const EXPECTED_PSEUDO: usize = 4;

/// Up to so many pseudo fields are compared each with each: there are six in all RFCs.
const COMPARED: usize = 8;

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
    pub(super) fn read(block: &Bytes, limits: &WireLimits) -> Result<Box<Self>, WireError> {
        let malformed = |fault| WireError::Malformed { message: "HeaderMap", fault };
        let too_many = || WireError::Limit {
            limit: WireLimit::SectionFields,
            most: limits.most_fields() as u64,
        };
        let mut section = Box::<Self>::default();
        // One allocation for nearly all heads.
        let expected = (block.len() / FIELD_BYTES).min(MOST_EXPECTED).min(limits.most_fields());
        section.fields.try_reserve(expected).map_err(|_| too_many())?;
        let mut many = None;
        let mut count = 0;
        let mut fields = Fields::new(block);
        loop {
            let is_full = count == limits.most_fields();
            let (name, value) = match fields.next_by(plain_entry) {
                Some(_) if is_full => return Err(too_many()),
                Some(plain) => plain,
                None => match fields.next() {
                    None => break,
                    Some(Err(fault)) => return Err(malformed(fault)),
                    Some(Ok(field)) if field.number() != 1 => continue,
                    Some(Ok(_)) if is_full => return Err(too_many()),
                    Some(Ok(field)) => read_field(&field)?,
                },
            };
            count += 1;
            match name.split_first() {
                Some((b':', name)) => {
                    let (name, value) = (pseudo_name(block, name)?, pseudo_value(block, value));
                    section.add_pseudo(name, value, &mut many)?;
                }
                _ => {
                    let has_room = section.add(name, block.slice_ref(value))?;
                    has_room.then_some(()).ok_or_else(too_many)?;
                }
            }
        }
        Ok(section)
    }

    /// `many`: the names that have come, once they are more than are compared one by one.
    fn add_pseudo(
        &mut self,
        name: Bytes,
        value: Bytes,
        many: &mut Option<HashSet<Bytes>>,
    ) -> Result<(), WireError> {
        // Without a way out in the middle: many bytes at once.
        if value.iter().fold(false, |bad, &byte| bad | !is_of_value(byte)) {
            return Err(no_value(":", &name));
        }
        let is_repeated = if self.pseudo.len() < COMPARED {
            self.pseudo.iter().any(|(known, _)| *known == name)
        } else {
            let names = || self.pseudo.iter().map(|(known, _)| known.clone()).collect();
            !many.get_or_insert_with(names).insert(name.clone())
        };
        if is_repeated {
            return Err(WireError::RepeatedPseudo { name: WireError::quote(&name) });
        }
        if self.pseudo.capacity() == 0 {
            self.pseudo.reserve_exact(EXPECTED_PSEUDO);
        }
        self.pseudo.push((name, value));
        Ok(())
    }

    /// Answers whether there was room.
    fn add(&mut self, name: &[u8], value: Bytes) -> Result<bool, WireError> {
        let parsed = match known(name) {
            Some(known) => known,
            None => HeaderName::from_bytes(name).map_err(|_| no_name("", name))?,
        };
        let value = HeaderValue::from_maybe_shared(value).map_err(|_| no_value("", name))?;
        Ok(self.fields.try_append(parsed, value).is_ok())
    }
}

/// Why `name`, behind `colon`, is none. Those of plain entries were not looked at before.
#[cold]
fn no_name(colon: &str, name: &[u8]) -> WireError {
    if str::from_utf8(name).is_err() {
        let fault = Malformed::Utf8 { field: NAME };
        return WireError::Malformed { message: "HeaderValue", fault };
    }
    WireError::FieldName { name: format!("{colon}{}", WireError::quote(name)) }
}

/// The value of `name`, behind `colon`, is none.
#[cold]
fn no_value(colon: &str, name: &[u8]) -> WireError {
    WireError::FieldValue { name: format!("{colon}{}", WireError::quote(name)) }
}

/// Names that nearly all heads have: `http` would look at each byte, and those that Envoy adds,
/// which it does not know, would each be an allocation.
fn known(name: &[u8]) -> Option<HeaderName> {
    const ATTEMPTS: HeaderName = HeaderName::from_static("x-envoy-attempt-count");
    const EXTERNAL: HeaderName = HeaderName::from_static("x-envoy-external-address");
    const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
    const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
    const INTERNAL: HeaderName = HeaderName::from_static("x-envoy-internal");
    const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
    const SERVICE_TIME: HeaderName = HeaderName::from_static("x-envoy-upstream-service-time");
    const TIMEOUT: HeaderName = HeaderName::from_static("x-envoy-expected-rq-timeout-ms");
    Some(match name {
        b"accept" => header::ACCEPT,
        b"accept-encoding" => header::ACCEPT_ENCODING,
        b"content-length" => header::CONTENT_LENGTH,
        b"content-type" => header::CONTENT_TYPE,
        b"date" => header::DATE,
        b"server" => header::SERVER,
        b"user-agent" => header::USER_AGENT,
        b"x-envoy-attempt-count" => ATTEMPTS,
        b"x-envoy-expected-rq-timeout-ms" => TIMEOUT,
        b"x-envoy-external-address" => EXTERNAL,
        b"x-envoy-internal" => INTERNAL,
        b"x-envoy-upstream-service-time" => SERVICE_TIME,
        b"x-forwarded-for" => FORWARDED_FOR,
        b"x-forwarded-proto" => FORWARDED_PROTO,
        b"x-request-id" => REQUEST_ID,
        _ => return None,
    })
}

/// What stands behind the colon, which begins in `block`.
fn pseudo_name(block: &Bytes, name: &[u8]) -> Result<Bytes, WireError> {
    let known: &'static str = match name {
        b"authority" => "authority",
        b"method" => "method",
        b"path" => "path",
        b"scheme" => "scheme",
        b"status" => "status",
        // The same rules as for others: no uppercase, nothing that is in no name.
        _ if HeaderName::from_lowercase(name).is_ok() => return Ok(block.slice_ref(name)),
        _ => return Err(no_name(":", name)),
    };
    Ok(Bytes::from_static(known.as_bytes()))
}

/// The value of a pseudo field, which lies in `block`. Those that most have share nothing.
fn pseudo_value(block: &Bytes, value: &[u8]) -> Bytes {
    Bytes::from_static(match value {
        b"200" => b"200",
        b"GET" => b"GET",
        b"POST" => b"POST",
        b"http" => b"http",
        b"https" => b"https",
        _ => return block.slice_ref(value),
    })
}

/// As `HeaderValue` has it, which would copy the value to say so.
const fn is_of_value(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}

/// A name and its value.
type Named<'a> = (&'a [u8], &'a [u8]);

/// The field of a `HeaderValue` that is its name.
const NAME: u32 = 1;

/// The name and the value of a `HeaderValue`.
fn read_field<'a>(field: &Field<'a>) -> Result<Named<'a>, WireError> {
    let malformed = |fault| WireError::Malformed { message: "HeaderValue", fault };
    let (mut name, mut value, mut raw) = ("", "", &b""[..]);
    let mut seen = Seen::NONE;
    let message =
        field.bytes().map_err(|fault| WireError::Malformed { message: "HeaderMap", fault })?;
    for field in Fields::new(message) {
        let field = field.map_err(malformed)?;
        let known = match field.number() {
            NAME => field.text().map(|text| name = text),
            2 => field.text().map(|text| value = text),
            3 => field.bytes().map(|bytes| raw = bytes),
            _ => continue,
        };
        known.and_then(|()| seen.once(field.number())).map_err(malformed)?;
    }
    // Envoy fills `raw_value` and leaves `value` empty; an older client may do the opposite.
    Ok((name.as_bytes(), if raw.is_empty() { value.as_bytes() } else { raw }))
}

/// A name and a `raw_value` of which neither is long, and nothing else: what Envoy writes; and what
/// stands behind them. `None` for all else, which the general way reads, or finds malformed.
/// Whether the name is text is seen where it is read.
#[inline]
fn plain_entry(block: &[u8]) -> Option<(Named<'_>, &[u8])> {
    let [0x0a, len @ 0..0x80, rest @ ..] = block else { return None };
    let (message, behind) = rest.split_at_checked(usize::from(*len))?;
    let [0x0a, len @ 0..0x80, rest @ ..] = message else { return None };
    let (name, rest) = rest.split_at_checked(usize::from(*len))?;
    let [0x1a, len @ 1..0x80, value @ ..] = rest else { return None };
    (value.len() == usize::from(*len)).then_some(((name, value), behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_known_are_the_names_that_come() {
        let came = [
            "accept",
            "accept-encoding",
            "content-length",
            "content-type",
            "date",
            "server",
            "user-agent",
            "x-envoy-attempt-count",
            "x-envoy-expected-rq-timeout-ms",
            "x-envoy-external-address",
            "x-envoy-internal",
            "x-envoy-upstream-service-time",
            "x-forwarded-for",
            "x-forwarded-proto",
            "x-request-id",
        ];
        for name in came {
            let parsed = HeaderName::from_bytes(name.as_bytes()).expect("a name");
            assert_eq!(known(name.as_bytes()), Some(parsed));
        }
        assert_eq!(known(b"x-other"), None);
    }
}
