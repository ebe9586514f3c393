//! Lists and names of which only as much is kept as says that they are too long.
//!
//! serde's errors are text. So what is beyond a limit is no error while it is read: one item or
//! byte more than allowed is kept, the rest is read over, and the build answers with the limit.
//!
//! This module never keeps more of a text than its limits allow.

use core::fmt;
use core::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{JumpConfig, StatusRange};
use crate::limits;

/// A name: of text, and of that at most one character more than allowed.
struct Name(String);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfText;
        impl Visitor<'_> for OfText {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Name, E> {
                Ok(Name(cut(text, limits::MAX_CONFIG_NAME_BYTES + 1).to_owned()))
            }
        }
        deserializer.deserialize_str(OfText)
    }
}

/// The beginning of `text`, of `bytes` or as few more as end a character.
pub(super) fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.ceil_char_boundary(bytes)]
}

pub(super) fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Name::deserialize(deserializer).map(|name| name.0)
}

pub(super) fn optional_name<'de, D>(deserializer: D) -> Result<Option<String>, D::Error>
where
    D: Deserializer<'de>,
{
    Ok(Option::<Name>::deserialize(deserializer)?.map(|name| name.0))
}

pub(super) fn names<'de, D>(deserializer: D) -> Result<Vec<String>, D::Error>
where
    D: Deserializer<'de>,
{
    let names = list::<D, Name, { limits::MAX_CONFIG_FILTERS }>(deserializer)?;
    Ok(names.into_iter().map(|name| name.0).collect())
}

/// Up to one item more than `MOST`.
pub(super) fn list<'de, D, T, const MOST: usize>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct Items<T, const MOST: usize>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for Items<T, MOST> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
            let mut items = Vec::new();
            while items.len() <= MOST {
                let Some(item) = seq.next_element()? else { return Ok(items) };
                items.push(item);
            }
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            Ok(items)
        }
    }
    deserializer.deserialize_seq(Items::<T, MOST>(PhantomData))
}

/// As a list, of nothing if there is none.
pub(super) fn optional_list<'de, D, T, const MOST: usize>(
    deserializer: D,
) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    list::<D, T, MOST>(deserializer).map(Some)
}

pub(super) fn statuses<'de, D>(deserializer: D) -> Result<Option<Vec<StatusRange>>, D::Error>
where
    D: Deserializer<'de>,
{
    optional_list::<D, StatusRange, { limits::MAX_CONFIG_STATUSES }>(deserializer)
}

/// The pairs of a map, in the order of the results, as a map has none of its own; a result that is
/// there twice stays there twice.
pub(super) fn jumps<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<JumpConfig>, D::Error> {
    struct Pairs;
    impl<'de> Visitor<'de> for Pairs {
        type Value = Vec<JumpConfig>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a map from results to nodes")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut jumps = Vec::new();
            while jumps.len() <= limits::MAX_CONFIG_JUMPS {
                let Some((Name(result), Name(target))) = map.next_entry()? else { break };
                jumps.push(JumpConfig { result, target });
            }
            jumps.sort_by(|a, b| a.result.cmp(&b.result));
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok(jumps)
        }
    }
    deserializer.deserialize_map(Pairs)
}
