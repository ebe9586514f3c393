/// A bug planted in the reference: the harness must notice each (a test that cannot fail is worth
/// nothing).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mutant {
    /// A hold loses the last byte of the view.
    LosesByte,
    /// Trailers are shown again on resume as if they had come twice: the tail stays when it goes.
    EndsTwice,
    /// `PASS` on resume lets go what was never shown (I4).
    ReleasesUnseen,
    /// The end overtakes bytes that are still leaving (I5).
    EndOvertakes,
    /// `pass_first(n)` with n >= len lets the end go.
    FirstLetsEndGo,
    /// The source is wanted although something is over (I7).
    NeverPauses,
    /// A release goes in one piece, whatever the room behind it (R4).
    NotMetered,
    /// Farthest from the sink first (R1).
    WrongOrder,
    /// The low mark is not looked at: below high is enough.
    NoHysteresis,
    /// Nobody is ever stuck (I8).
    NeverStalls,
    /// Growth is not refused while something behind is over (R6).
    NeverFull,
    /// Bytes dropped by a declared end are not counted (I1).
    DropsUncounted,
    /// A declared length is not checked at the exit (I12).
    TrustsLength,
    /// Close calls come in reverse order (I9).
    ClosesBackwards,
}

impl Mutant {
    pub(crate) const ALL: [Self; 14] = [
        Self::LosesByte,
        Self::EndsTwice,
        Self::ReleasesUnseen,
        Self::EndOvertakes,
        Self::FirstLetsEndGo,
        Self::NeverPauses,
        Self::NotMetered,
        Self::WrongOrder,
        Self::NoHysteresis,
        Self::NeverStalls,
        Self::NeverFull,
        Self::DropsUncounted,
        Self::TrustsLength,
        Self::ClosesBackwards,
    ];
}
