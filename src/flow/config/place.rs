use core::fmt;

use super::PlacePart;
use super::bounded::cut;
use crate::limits;

/// A place in a configuration: the keys and positions that lead to it from the root.
///
/// It prints as a path: `main.flow[2].jump_if.denied`. A key that is no plain word is quoted:
/// `filters[0].settings["x-key"]`. [`parts`](Self::parts) are for those that know where the text
/// has it: an editor, a YAML parser with marks.
///
/// # Examples
///
/// ```
/// use tidegate::flow::config::ConfigPlace;
///
/// let place = ConfigPlace::default().key("main").key("flow").index(2).key("jump_if").key("");
/// assert_eq!(place.to_string(), r#"main.flow[2].jump_if[""]"#);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct ConfigPlace {
    parts: Vec<PlacePart>,
}

impl ConfigPlace {
    /// The place of the value under `key`, in the map at this place.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.parts.push(PlacePart::Key(key.into()));
        self
    }

    /// The place of the item number `index`, from 0, in the list at this place.
    #[must_use]
    pub fn index(mut self, index: usize) -> Self {
        self.parts.push(PlacePart::Index(index));
        self
    }

    /// From the root to this place. The root has none.
    #[must_use]
    pub fn parts(&self) -> &[PlacePart] {
        &self.parts
    }

    /// This place, seen from `outer`.
    #[must_use]
    pub(super) fn below(mut self, outer: Self) -> Self {
        let mut parts = outer.parts;
        parts.append(&mut self.parts);
        Self { parts }
    }

    /// Where serde was when it failed. It had what it was given: no key is kept that is too long.
    pub(super) fn of_path(path: &serde_path_to_error::Path) -> Self {
        use serde_path_to_error::Segment;
        path.iter().fold(Self::default(), |place, segment| match segment {
            Segment::Seq { index } => place.index(*index),
            Segment::Map { key } => place.key(cut(key, limits::MAX_CONFIG_NAME_BYTES)),
            Segment::Enum { variant } => place.key(variant),
            Segment::Unknown => place.key("?"),
        })
    }
}

impl FromIterator<PlacePart> for ConfigPlace {
    fn from_iter<I: IntoIterator<Item = PlacePart>>(parts: I) -> Self {
        Self { parts: parts.into_iter().collect() }
    }
}

impl fmt::Display for ConfigPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, part) in self.parts.iter().enumerate() {
            match part {
                PlacePart::Index(index) => write!(f, "[{index}]")?,
                PlacePart::Key(key) if !is_word(key) => write!(f, "[{key:?}]")?,
                PlacePart::Key(key) if i == 0 => f.write_str(key)?,
                PlacePart::Key(key) => write!(f, ".{key}")?,
            }
        }
        Ok(())
    }
}

/// Whether `key` can be read in a path as it is.
fn is_word(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
