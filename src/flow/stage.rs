use core::fmt;

/// One of the three pipelines of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Request nodes, before everything else.
    Before,
    /// Around the call.
    Main,
    /// Response nodes, behind everything else.
    After,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Before => "before",
            Self::Main => "main",
            Self::After => "after",
        })
    }
}
