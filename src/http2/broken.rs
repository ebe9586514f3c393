use core::fmt;

use super::Reason;

/// What a peer did that ends its connection (RFC 9113, section 5.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) reason: Reason,
    /// For whoever reads the log of either end: it goes out with GOAWAY.
    pub(crate) what: &'static str,
}

impl Broken {
    pub(crate) const fn new(reason: Reason, what: &'static str) -> Self {
        Self { reason, what }
    }

    pub(crate) const fn protocol(what: &'static str) -> Self {
        Self::new(Reason::PROTOCOL_ERROR, what)
    }

    pub(crate) const fn frame_size(what: &'static str) -> Self {
        Self::new(Reason::FRAME_SIZE_ERROR, what)
    }

    pub(crate) const fn flow_control(what: &'static str) -> Self {
        Self::new(Reason::FLOW_CONTROL_ERROR, what)
    }

    /// It asks for more than there is.
    pub(crate) const fn calm(what: &'static str) -> Self {
        Self::new(Reason::ENHANCE_YOUR_CALM, what)
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason, self.what)
    }
}

impl std::error::Error for Broken {}
