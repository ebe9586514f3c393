use crate::sync::ConstArc as Arc;

/// Why a key was built.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// It was set, removed, or made exempt.
    Edit,
    /// The extension of that name has gone down or come up.
    Extension(Arc<str>),
}
