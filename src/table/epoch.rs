use core::fmt;

/// Which publish of which table (G4).
///
/// Numbers of one table grow by one with each publish, begin with 0 for the empty table, and are
/// never used again. The nonce tells one table from another, also from the one before a restart:
/// epochs of two tables have no order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Epoch {
    /// The instance of the table, as given to [`Table::new`](super::Table::new).
    pub nonce: u64,
    /// The publish.
    pub number: u64,
}

impl Epoch {
    /// Whether this is a later publish of the same table.
    #[must_use]
    pub fn follows(self, other: Self) -> bool {
        self.nonce == other.nonce && self.number > other.number
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}.{}", self.nonce, self.number)
    }
}
