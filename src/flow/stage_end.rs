use core::fmt;

/// How a pipeline that ran has ended.
///
/// Easegress has one flag, *ended*, for the last two; to tell them apart is flow-R4. A pipeline
/// ends once, so it has never both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StageEnd {
    /// It ran off its end.
    Through,
    /// *Stop requested*: it came to END, or a node of it gave a local reply without a jump.
    Stopped,
    /// A node had a result without a jump (under [`OnUnhandled::End`]), or the message failed
    /// while the pipeline ran: a filter error, a panic, a stall, a limit, a reset, a timeout.
    ///
    /// [`OnUnhandled::End`]: super::OnUnhandled::End
    Failed,
}

impl fmt::Display for StageEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Through => "through",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        })
    }
}
