use crate::ext_proc::mode::Announced;
use crate::ext_proc::session::{ChosenMode, SessionEnd};

/// How a stream ended.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StreamReport {
    /// How its session did.
    pub end: SessionEnd,
    /// What the stream announced, and where that is not what was stated; `None` if it announced
    /// nothing.
    pub announced: Option<Announced>,
    /// What became of the mode that was chosen for this exchange; `None` if none was.
    pub chosen: Option<ChosenMode>,
    /// Changes of header and trailer fields that could not be sent: see
    /// [`Session::unsent_fields`](crate::ext_proc::session::Session::unsent_fields).
    pub unsent_fields: u64,
}
