use http::header::{CONTENT_LENGTH, HeaderName, HeaderValue};

use super::difference::{self, Rules};
use super::heads::SessionHead;
use crate::ext_proc::wire::HeaderMutation;

/// A head as it came, for the case that a filter changes it.
///
/// Most are not changed: so the fields stand in a row, which costs less than another map of them.
pub(super) struct Original<H: SessionHead> {
    line: H::Line,
    fields: Vec<(HeaderName, HeaderValue)>,
}

impl<H: SessionHead> Original<H> {
    pub(super) fn of(head: &H) -> Self {
        let headers = head.headers();
        let mut fields = Vec::with_capacity(headers.len());
        fields.extend(headers.iter().map(|(name, value)| (name.clone(), value.clone())));
        Self { line: head.line(), fields }
    }

    /// The first field with this name.
    pub(super) fn field(&self, name: &HeaderName) -> Option<&HeaderValue> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Adds what makes `after` of it; answers how many changes cannot be said.
    pub(super) fn difference(&self, after: &H, rules: Rules, into: &mut HeaderMutation) -> u64 {
        let mut before = H::of_line(&self.line);
        let headers = before.headers_mut();
        for (name, value) in &self.fields {
            headers.append(name, value.clone());
        }
        before.difference(after, rules, into)
    }

    /// The same for a head that no filter has changed: only its length can be another. `into` is
    /// empty.
    pub(super) fn length(&self, after: &H, rules: Rules, into: &mut HeaderMutation) {
        difference::length(self.field(&CONTENT_LENGTH), rules, into);
        debug_assert_eq!(self.whole(after, rules), (0, into.clone()), "nobody has changed it");
    }

    fn whole(&self, after: &H, rules: Rules) -> (u64, HeaderMutation) {
        let mut mutation = HeaderMutation::new();
        (self.difference(after, rules, &mut mutation), mutation)
    }
}
