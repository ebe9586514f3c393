use core::fmt;
use core::ops::RangeInclusive;

use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};
use serde::ser::{Serialize, Serializer};

/// One status, `503`, or all from one to another, `500-599`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusRange {
    first: u16,
    last: u16,
}

/// What a status can be (RFC 9110, 15: three digits).
const STATUSES: RangeInclusive<u16> = 100..=999;

impl StatusRange {
    /// From `first` to `last`, both with it. `None` unless both are statuses, in this order.
    #[must_use]
    pub fn new(first: u16, last: u16) -> Option<Self> {
        let is_one = STATUSES.contains(&first) && STATUSES.contains(&last) && first <= last;
        is_one.then_some(Self { first, last })
    }

    /// The statuses.
    #[must_use]
    pub fn statuses(self) -> RangeInclusive<u16> {
        self.first..=self.last
    }
}

impl fmt::Display for StatusRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

impl Serialize for StatusRange {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if self.first == self.last { to.serialize_u16(self.first) } else { to.collect_str(self) }
    }
}

impl<'de> Deserialize<'de> for StatusRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OfStatus)
    }
}

struct OfStatus;

impl Visitor<'_> for OfStatus {
    type Value = StatusRange;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a status from 100 to 999, or two as in `500-599`")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<StatusRange, E> {
        let status = u16::try_from(number).ok().and_then(|status| StatusRange::new(status, status));
        status.ok_or_else(|| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<StatusRange, E> {
        match u64::try_from(number) {
            Ok(number) => self.visit_u64(number),
            Err(_) => Err(E::invalid_value(Unexpected::Signed(number), &self)),
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<StatusRange, E> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let range = || StatusRange::new(status(first)?, status(last)?);
        range().ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

/// Three digits, and nothing that only parses as a number.
fn status(digits: &str) -> Option<u16> {
    let is_number = digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}
