//! What has been seen of an exchange at one moment: the same words for a recording and for a run
//! of our own.

use std::collections::BTreeMap;
use std::fmt;

use crate::trace::wire::Fields;
use crate::trace::{Direction, Text};

/// How far one message has come to one place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Of the fields of the head, those that a script or an engine may set or drop.
    pub(crate) head: Option<Fields>,
    pub(crate) body: Text,
    /// The end, with or without trailers.
    pub(crate) end: bool,
    pub(crate) trailers: Option<Fields>,
    /// It was broken off, so that nobody can take it for complete. Of a filter never.
    pub(crate) reset: bool,
}

/// As `200, "d1", end, x-t: 1`; a dash for what has seen nothing.
impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = Vec::new();
        if let Some(head) = &self.head {
            words.push(head.get(":status").cloned().unwrap_or_else(|| "head".to_owned()));
            let fields = head.iter().filter(|(name, _)| !name.starts_with(':'));
            words.extend(fields.map(|(name, value)| format!("{name}: {value}")));
        }
        if !self.body.is_empty() {
            words.push(format!("\"{}\"", self.body));
        }
        if self.end {
            words.push("end".to_owned());
        }
        let fields = self.trailers.iter().flatten();
        words.extend(fields.map(|(name, value)| format!("{name}: {value}")));
        if self.reset {
            words.push("reset".to_owned());
        }
        if words.is_empty() {
            words.push("-".to_owned());
        }
        f.write_str(&words.join(", "))
    }
}

/// Everything that has been seen, from the start of the exchange.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Moment {
    /// What the origin has received.
    pub(crate) origin: Seen,
    /// What the client has received.
    pub(crate) client: Seen,
    /// What each filter that logs has been shown. A filter that saw nothing is not in it.
    pub(crate) filters: BTreeMap<(Direction, String), Seen>,
}

impl Moment {
    /// What the receiver of messages of this direction has.
    pub(crate) fn sink(&self, direction: Direction) -> &Seen {
        match direction {
            Direction::Request => &self.origin,
            Direction::Response => &self.client,
        }
    }

    pub(crate) fn sink_mut(&mut self, direction: Direction) -> &mut Seen {
        match direction {
            Direction::Request => &mut self.origin,
            Direction::Response => &mut self.client,
        }
    }

    pub(crate) fn filter(&self, direction: Direction, name: &str) -> Seen {
        self.filters.get(&(direction, name.to_owned())).cloned().unwrap_or_default()
    }
}

/// Whether a field is compared: what the recorder keeps of a head, less what belongs to one
/// connection only.
pub(crate) fn is_compared(name: &str) -> bool {
    matches!(name, ":method" | ":status" | "content-length") || name.starts_with("x-")
}
