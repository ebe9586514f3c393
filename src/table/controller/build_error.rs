use core::fmt;

use crate::sync::ConstArc as Arc;

/// Why no plan could be built.
///
/// The two are treated differently (G3, G8): a faulty spec leaves the key with its last good plan,
/// and waits for another edit; an extension that is down and fail-closed makes the key a failure,
/// and is retried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildError {
    /// The spec is faulty, or cannot be met.
    Spec {
        /// What is wrong with it, and where.
        error: Arc<str>,
    },
    /// A fail-closed filter needs an extension that is down. If a working extension refuses this
    /// spec, that is a faulty [spec](Self::Spec): one key must not take the extension from others.
    Extension {
        /// Of the extension.
        name: Arc<str>,
        /// What is wrong with it.
        error: Arc<str>,
    },
}

impl BuildError {
    /// The spec is faulty.
    #[must_use]
    pub fn spec(error: impl fmt::Display) -> Self {
        Self::Spec { error: error.to_string().into() }
    }

    /// The extension called `name`, which a fail-closed filter needs, is down.
    #[must_use]
    pub fn extension(name: impl Into<Arc<str>>, error: impl fmt::Display) -> Self {
        Self::Extension { name: name.into(), error: error.to_string().into() }
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spec { error } => f.write_str(error),
            Self::Extension { name, error } => write!(f, "extension {name} is down: {error}"),
        }
    }
}

impl core::error::Error for BuildError {}
