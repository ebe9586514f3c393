use crate::filter::{Capabilities, Capability};

/// What an edge knows of one message before its chain is made.
#[derive(Debug, Clone, Copy)]
pub struct MessageTraits {
    pub(super) capabilities: Capabilities,
    pub(super) bodiless: bool,
}

impl MessageTraits {
    /// Nothing special: all that the plan was bound to can be done for this message.
    #[must_use]
    pub const fn new() -> Self {
        Self { capabilities: Capabilities::ALL, bodiless: false }
    }

    /// This message cannot do `capability`: an HTTP/1 client without `te: trailers`, for example.
    #[must_use]
    pub const fn without(mut self, capability: Capability) -> Self {
        self.capabilities = self.capabilities.without(capability);
        self
    }

    /// The message has no body whatever its head declares: a response to HEAD (RFC 9110, 9.3.2).
    /// Trailers cannot be added to it either.
    #[must_use]
    pub const fn bodiless(mut self) -> Self {
        self.bodiless = true;
        self
    }
}

impl Default for MessageTraits {
    fn default() -> Self {
        Self::new()
    }
}
