use core::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess};
use serde::de::{SeqAccess, Visitor};
use serde::{Serialize, Serializer};
use serde_json::{Map, Number, Value};

use super::bounded::cut;
use super::{ConfigErrorKind, ConfigPlace, PlacePart};
use crate::limits;

/// What a filter's kind reads, as a tree that belongs to no format.
///
/// Text can ask for more than it is worth: a tree that is too deep or too large
/// ([`limits::MAX_SETTINGS_DEPTH`], [`limits::MAX_SETTINGS_BYTES`]) is read to its end, but only
/// kept as far as that. The build says so then; the same for a key that is there twice, and for a
/// number that is none.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Settings {
    tree: Value,
    defect: Option<Defect>,
}

/// What is wrong with a tree, whatever reads it.
#[derive(Debug, Clone, PartialEq)]
struct Defect {
    place: ConfigPlace,
    fault: Fault,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    TooDeep,
    TooLarge,
    Repeated,
    NotFinite,
}

impl Settings {
    /// The tree; null if there are no settings.
    #[must_use]
    pub fn tree(&self) -> &Value {
        &self.tree
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tree.is_null() && self.defect.is_none()
    }

    /// What is wrong with the tree itself, and where in it.
    pub(super) fn defect(&self) -> Option<(ConfigPlace, ConfigErrorKind)> {
        let Defect { place, fault } = self.defect.as_ref()?;
        let limit = |limit, most| ConfigErrorKind::Limit { limit, most };
        let kind = match fault {
            Fault::TooDeep => limit("MAX_SETTINGS_DEPTH", limits::MAX_SETTINGS_DEPTH),
            Fault::TooLarge => limit("MAX_SETTINGS_BYTES", limits::MAX_SETTINGS_BYTES),
            Fault::Repeated => ConfigErrorKind::RepeatedKey,
            Fault::NotFinite => ConfigErrorKind::NotFinite,
        };
        Some((place.clone(), kind))
    }
}

impl TryFrom<Value> for Settings {
    type Error = serde_json::Error;

    fn try_from(tree: Value) -> Result<Self, serde_json::Error> {
        Self::deserialize(tree)
    }
}

impl Serialize for Settings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.tree.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Settings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut reader = Reader {
            left_bytes: Some(limits::MAX_SETTINGS_BYTES),
            trail: Vec::new(),
            defect: None,
        };
        let tree = reader.deserialize(deserializer)?;
        Ok(Self { tree, defect: reader.defect })
    }
}

/// Reads a tree as far as the limits allow. The first defect counts.
struct Reader {
    /// `None` once something was too much.
    left_bytes: Option<usize>,
    trail: Vec<PlacePart>,
    defect: Option<Defect>,
}

impl Reader {
    fn mark(&mut self, fault: Fault) {
        if self.defect.is_none() {
            let place = self.trail.iter().cloned().collect();
            self.defect = Some(Defect { place, fault });
        }
    }

    /// Pays for a value with so many bytes of text.
    fn pay(&mut self, bytes: usize) -> bool {
        let cost_bytes = bytes.saturating_add(size_of::<Value>());
        self.left_bytes = self.left_bytes.and_then(|left_bytes| left_bytes.checked_sub(cost_bytes));
        if self.left_bytes.is_none() {
            self.mark(Fault::TooLarge);
        }
        self.left_bytes.is_some()
    }

    /// Pays for a list or a map at the end of the trail.
    fn enter(&mut self) -> bool {
        if self.trail.len() >= limits::MAX_SETTINGS_DEPTH {
            self.mark(Fault::TooDeep);
            return false;
        }
        self.pay(0)
    }
}

impl<'de> DeserializeSeed<'de> for &mut Reader {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("settings")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        self.pay(0);
        Ok(Value::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Value, E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_bool<E: Error>(self, is_true: bool) -> Result<Value, E> {
        self.pay(0);
        Ok(is_true.into())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        self.pay(0);
        Ok(number.into())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        self.pay(0);
        Ok(number.into())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        self.pay(0);
        let finite = Number::from_f64(number).map(Value::Number);
        if finite.is_none() {
            self.mark(Fault::NotFinite);
        }
        Ok(finite.unwrap_or_default())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(if self.pay(text.len()) { text.into() } else { Value::Null })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        let mut goes_on = self.enter();
        while goes_on {
            self.trail.push(PlacePart::Index(items.len()));
            let item = seq.next_element_seed(&mut *self)?;
            self.trail.pop();
            let Some(item) = item else { return Ok(items.into()) };
            items.push(item);
            goes_on = self.left_bytes.is_some();
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(items.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Map::new();
        let mut goes_on = self.enter();
        while goes_on {
            let Some(key) = map.next_key::<String>()? else { return Ok(entries.into()) };
            self.trail.push(PlacePart::Key(cut(&key, limits::MAX_CONFIG_NAME_BYTES).to_owned()));
            goes_on = self.pay(key.len());
            let value = map.next_value_seed(&mut *self)?;
            if goes_on && entries.insert(key, value).is_some() {
                self.mark(Fault::Repeated);
            }
            self.trail.pop();
            goes_on = self.left_bytes.is_some();
        }
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(entries.into())
    }
}
