use core::fmt;

/// A key that is exempt has no spec: it was refused, and nothing has changed (G9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExemptKey;

impl fmt::Display for ExemptKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the key is exempt: its plan is given, not built")
    }
}

impl core::error::Error for ExemptKey {}
