//! Bytes of a body as a trace writes them.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};

/// Bytes. Written as they are, or run-length coded (`{x*600}`), or as `["x", 600]`.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Text(pub(crate) Vec<u8>);

/// Bodies of up to this many bytes are written as they are.
const PLAIN_BYTES: usize = 96;

impl Text {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Undoes the run-length code: `ab{x*600}` is `ab` and 600 times `x`.
    fn decode(text: &str) -> Self {
        let mut bytes = Vec::new();
        let mut rest = text;
        while let Some(each) = rest.chars().next() {
            if let Some((unit, count, len)) = run(rest) {
                (0..count).for_each(|_| bytes.extend_from_slice(unit.as_bytes()));
                rest = &rest[len..];
            } else {
                bytes.extend_from_slice(&rest.as_bytes()[..each.len_utf8()]);
                rest = &rest[each.len_utf8()..];
            }
        }
        // What is short is never coded, so braces in it are braces.
        if bytes.len() <= PLAIN_BYTES { Self(text.as_bytes().to_vec()) } else { Self(bytes) }
    }
}

/// The run at which `text` begins: what is repeated, how often, and how long its code is.
fn run(text: &str) -> Option<(&str, usize, usize)> {
    let inner = text.strip_prefix('{')?;
    let end = inner.find('}')?;
    let (unit, count) = inner[..end].split_once('*')?;
    if unit.chars().count() != 1 {
        return None;
    }
    Some((unit, count.parse().ok()?, end + 2))
}

/// Runs of 16 and more are written as in a trace.
impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const RUN: usize = 16;
        let mut rest = self.0.as_slice();
        while let Some(&first) = rest.first() {
            let count = rest.iter().take_while(|&&byte| byte == first).count();
            if count >= RUN {
                write!(f, "{{{}*{count}}}", char::from(first))?;
            } else {
                (0..count).try_for_each(|_| write!(f, "{}", char::from(first)))?;
            }
            rest = &rest[count..];
        }
        Ok(())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Forms)
    }
}

struct Forms;

impl<'de> Visitor<'de> for Forms {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, or [a string, how often]")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Text, E> {
        Ok(Text::decode(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Text, A::Error> {
        let unit: String =
            seq.next_element()?.ok_or_else(|| de::Error::invalid_length(0, &self))?;
        let count: usize =
            seq.next_element()?.ok_or_else(|| de::Error::invalid_length(1, &self))?;
        match seq.next_element::<de::IgnoredAny>()? {
            Some(_) => Err(de::Error::invalid_length(3, &self)),
            None => Ok(Text(unit.as_bytes().repeat(count))),
        }
    }
}
