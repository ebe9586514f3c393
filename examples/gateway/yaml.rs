//! YAML with the line and column of each value, so that an error can name them.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};
use serde_saphyr::{Location, Options, Spanned};
use tidegate::flow::config::{ConfigPlace, PlacePart};

/// How much of a text may come from aliases (`*name`), in events of the parser: what people write
/// repeats little, and what nobody would write can double with every line.
const MAX_REPLAYED_EVENTS: usize = 10_000;

/// How deep a text may be nested: what leads to the settings of a filter, and settings as deep as
/// they may be. Each level is a few frames of the stack, so it must not be the text that says how
/// many there are.
const MAX_DEPTH: usize = 8 + tidegate::limits::MAX_SETTINGS_DEPTH;

/// A place in a text. Both count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The line.
    pub(crate) line: u64,
    /// The column, in characters.
    pub(crate) column: u64,
}

impl From<Location> for Mark {
    fn from(location: Location) -> Self {
        Self { line: location.line(), column: location.column() }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// A document.
#[derive(Debug)]
pub(crate) struct Document(Spanned<Node>);

/// A value, and where its parts are. A key stands where it is written.
#[derive(Debug)]
enum Node {
    Scalar(Value),
    List(Vec<Spanned<Self>>),
    Map(Vec<(Spanned<String>, Spanned<Self>)>),
}

impl Document {
    /// Reads the only document of `text`.
    ///
    /// # Errors
    ///
    /// What is wrong with it, and where. Text that expands without end meets the parser's budget.
    pub(crate) fn read(text: &str) -> Result<Self, (String, Option<Mark>)> {
        let mut options = Options::default();
        options.budget.get_or_insert_default().max_depth = MAX_DEPTH;
        options.alias_limits.max_total_replayed_events = MAX_REPLAYED_EVENTS;
        serde_saphyr::from_str_with_options(text, options).map(Self).map_err(|error| {
            let mark = error.location().map(Mark::from);
            let told = error.without_snippet().to_string();
            (told.lines().next().unwrap_or_default().to_owned(), mark)
        })
    }

    /// The document as any other tree.
    pub(crate) fn tree(&self) -> Value {
        self.0.value.tree()
    }

    /// Where `place` is, or what is there of the way to it.
    pub(crate) fn locate(&self, place: &ConfigPlace) -> Mark {
        let (mut node, mut mark) = (&self.0.value, self.0.referenced);
        for part in place.parts() {
            let next = match (node, part) {
                (Node::Map(entries), PlacePart::Key(key)) => {
                    let entry = entries.iter().find(|(known, _)| known.value == *key);
                    entry.map(|(key, inner)| (inner, key.referenced))
                }
                (Node::List(items), PlacePart::Index(index)) => {
                    items.get(*index).map(|item| (item, item.referenced))
                }
                (_, _) => None,
            };
            let Some((inner, at)) = next else { break };
            (node, mark) = (&inner.value, at);
        }
        mark.into()
    }
}

impl Node {
    fn tree(&self) -> Value {
        match self {
            Self::Scalar(value) => value.clone(),
            Self::List(items) => items.iter().map(|item| item.value.tree()).collect(),
            Self::Map(entries) => {
                let entries =
                    entries.iter().map(|(key, item)| (key.value.clone(), item.value.tree()));
                Value::Object(entries.collect())
            }
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OfNode)
    }
}

struct OfNode;

impl<'de> Visitor<'de> for OfNode {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Scalar(Value::Null))
    }

    fn visit_none<E: Error>(self) -> Result<Node, E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        Node::deserialize(deserializer)
    }

    fn visit_bool<E: Error>(self, is_true: bool) -> Result<Node, E> {
        Ok(Node::Scalar(is_true.into()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Node, E> {
        Ok(Node::Scalar(number.into()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Node, E> {
        Ok(Node::Scalar(number.into()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Node, E> {
        let number = Number::from_f64(number).ok_or_else(|| E::custom("no finite number"))?;
        Ok(Node::Scalar(Value::Number(number)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Scalar(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Node::Map(entries))
    }
}
