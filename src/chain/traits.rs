use crate::filter::{Capabilities, Capability};

/// What an edge knows of one message before its chain is made.
#[derive(Debug, Clone, Copy)]
pub struct MessageTraits {
    pub(super) capabilities: Capabilities,
    pub(super) bodiless: bool,
    pub(super) sight: Sight,
    pub(super) trailers: Trailers,
}

/// How much of the body the edge is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
    Whole,
    /// Some, or nothing: what comes is not held to the length that the head declares.
    Partial,
}

/// Whether the edge can send trailers that came with the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trailers {
    Sent,
    /// They are taken off at the exit and counted (ruling 16).
    Unsent,
}

impl MessageTraits {
    /// Nothing special: all that the plan was bound to can be done for this message.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            capabilities: Capabilities::ALL,
            bodiless: false,
            sight: Sight::Whole,
            trailers: Trailers::Sent,
        }
    }

    /// This message cannot do `capability`.
    #[must_use]
    pub const fn without(mut self, capability: Capability) -> Self {
        self.capabilities = self.capabilities.without(capability);
        self
    }

    /// No trailers can be sent at all, not even those that come with the message: an HTTP/1 client
    /// without `te: trailers`. They are taken off at the exit and counted in the outcome.
    #[must_use]
    pub const fn without_trailers(mut self) -> Self {
        self.trailers = Trailers::Unsent;
        self.without(Capability::AddTrailers)
    }

    /// The message has no body whatever its head declares: a response to HEAD (RFC 9110, 9.3.2).
    /// Trailers cannot be added to it either.
    #[must_use]
    pub const fn bodiless(mut self) -> Self {
        self.bodiless = true;
        self
    }

    /// Body may pass by unseen, so that what comes and goes here is not held to the length that the
    /// head declares (rule I12 is then kept by whoever sees all of it).
    #[must_use]
    pub const fn partly_seen(mut self) -> Self {
        self.sight = Sight::Partial;
        self
    }
}

impl Default for MessageTraits {
    fn default() -> Self {
        Self::new()
    }
}
