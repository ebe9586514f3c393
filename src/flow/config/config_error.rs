use core::fmt;

use super::{ConfigErrorKind, ConfigPlace};

/// A configuration that is no flow: the place, and what is wrong there.
#[derive(Debug)]
pub struct ConfigError {
    place: ConfigPlace,
    /// Boxed: it travels through results.
    kind: Box<ConfigErrorKind>,
}

impl ConfigError {
    pub(super) fn new(place: ConfigPlace, kind: ConfigErrorKind) -> Self {
        Self { place, kind: Box::new(kind) }
    }

    /// Where. The root stands for the configuration as a whole.
    #[must_use]
    pub fn place(&self) -> &ConfigPlace {
        &self.place
    }

    /// What.
    #[must_use]
    pub fn kind(&self) -> &ConfigErrorKind {
        &self.kind
    }

    /// What, to keep.
    #[must_use]
    pub fn into_kind(self) -> ConfigErrorKind {
        *self.kind
    }

    /// The same error, where the configuration is a part of a larger one at `outer`.
    #[must_use]
    pub fn below(self, outer: ConfigPlace) -> Self {
        Self { place: self.place.below(outer), ..self }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.place.parts().is_empty() {
            write!(f, "{}: ", self.place)?;
        }
        self.kind.fmt(f)
    }
}

impl std::error::Error for ConfigError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.kind.source()
    }
}
