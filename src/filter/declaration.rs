use std::borrow::Cow;

use http::HeaderName;

use super::capability::{Capabilities, Capability};
use super::interest::Interest;
use super::keeping::Keeping;
use crate::watermark::Marks;

/// What a filter says of itself before any message: what it wants to see, what it needs of the
/// edge, and how much it may hold.
///
/// A need is *required* or *preferred*. A required one that the edge cannot meet is an error when
/// the plan is bound; a preferred one is then not granted, and [`View::granted`] says so.
///
/// [`View::granted`]: super::View::granted
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Declaration {
    /// Which frames the filter is asked about.
    pub interest: Interest,
    /// What it cannot work without.
    pub required: Capabilities,
    /// What it uses if it is there.
    pub preferred: Capabilities,
    /// Whether it keeps bytes back.
    pub keeping: Keeping,
    /// Its watermarks, in bytes.
    pub marks: Marks,
    /// The trailer fields it may add, for edges that must announce them.
    pub trailers: Vec<HeaderName>,
    /// The results that the filter may say a message has, besides success, which is the empty one
    /// and needs no declaration: a closed set, by which a control flow decides what runs next.
    pub results: Vec<Cow<'static, str>>,
}

impl Declaration {
    /// Interest in everything, no needs, default marks.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets which frames the filter is asked about.
    #[must_use]
    pub fn interest(mut self, interest: Interest) -> Self {
        self.interest = interest;
        self
    }

    /// Adds a need without which the filter must not run.
    #[must_use]
    pub fn require(mut self, capability: Capability) -> Self {
        self.required = self.required.with(capability);
        self
    }

    /// Adds a need that the filter can do without.
    #[must_use]
    pub fn prefer(mut self, capability: Capability) -> Self {
        self.preferred = self.preferred.with(capability);
        self
    }

    /// Promises that the filter never keeps bytes of the body back: see [`Keeping::Never`]. In
    /// external processing with body mode `STREAMED`, filters that neither edit nor keep bytes let
    /// a message of any length pass without memory for it.
    #[must_use]
    pub fn keeps_nothing(mut self) -> Self {
        self.keeping = Keeping::Never;
        self
    }

    /// Sets the watermarks.
    #[must_use]
    pub fn marks(mut self, marks: Marks) -> Self {
        self.marks = marks;
        self
    }

    /// Names a trailer field that the filter may add, so that an HTTP/1 edge can announce it. The
    /// need itself is declared with [`require`](Self::require) or [`prefer`](Self::prefer).
    #[must_use]
    pub fn trailer(mut self, name: HeaderName) -> Self {
        self.trailers.push(name);
        self
    }

    /// Names a result that the filter may [say](super::View::set_result). Said twice, it counts
    /// once.
    #[must_use]
    pub fn result(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        let name = name.into();
        if !name.is_empty() && !self.results.contains(&name) {
            self.results.push(name);
        }
        self
    }
}
