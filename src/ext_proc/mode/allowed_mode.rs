use super::{ModeError, ModeField, ProcessingMode};

/// An entry of `allowed_override_modes`.
///
/// Envoy 1.40.0 compares the six numbers of an entry, the first left out, with those of the mode
/// that an override would make, so that `DEFAULT` is not `SKIP` (pitfall P19). The numbers are
/// therefore kept as they were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AllowedMode([i32; 6]);

impl AllowedMode {
    /// The entry that allows `mode`.
    #[must_use]
    pub const fn new(mode: ProcessingMode) -> Self {
        Self(mode.numbers())
    }

    /// The entry that is written with these numbers, in the order of the fields.
    ///
    /// # Errors
    ///
    /// As [`ProcessingMode::from_numbers`]: Envoy accepts an entry of full duplex without trailers,
    /// and would let an override make that mode (P1).
    pub fn from_numbers(numbers: [i32; 6]) -> Result<Self, ModeError> {
        ProcessingMode::from_numbers(numbers).map(|_| Self(numbers))
    }

    /// The numbers, as they were written.
    #[must_use]
    pub const fn numbers(self) -> [i32; 6] {
        self.0
    }

    /// Whether an override may make `mode`.
    #[must_use]
    pub fn allows(self, mode: ProcessingMode) -> bool {
        // The request's header mode is not compared.
        self.0[1..] == mode.numbers()[1..]
    }

    /// The first field because of which no override of ours is ever allowed by this entry: ours
    /// say `SEND` or `SKIP`, never `DEFAULT`.
    #[must_use]
    pub fn never_matches(self) -> Option<ModeField> {
        let compared = ModeField::ALL.into_iter().skip(1);
        compared.filter(|field| !field.is_body()).find(|field| self.0[field.index()] == 0)
    }
}
