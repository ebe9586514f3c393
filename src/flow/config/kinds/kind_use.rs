use core::fmt;

/// What a kind of filters is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KindUse {
    /// Requests.
    Requests,
    /// Responses.
    Responses,
    /// Requests and responses.
    Both,
    /// The end of an exchange.
    Finalizers,
}

impl fmt::Display for KindUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Requests => "requests",
            Self::Responses => "responses",
            Self::Both => "requests and responses",
            Self::Finalizers => "finalizers",
        })
    }
}
