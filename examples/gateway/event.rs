//! What came of looking at the file.

use std::fmt;

use tidegate::table::{Cause, Mode, Report};

use super::file::FileError;

#[derive(Debug)]
pub(crate) enum Event {
    /// The file was not taken: everything goes on as it was.
    Refused(FileError),
    /// It was taken, or an extension has come back.
    Published(Report<String>),
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = match self {
            Self::Refused(error) => return write!(f, "the file is not taken: {error}"),
            Self::Published(report) => report,
        };
        write!(f, "epoch {}", report.epoch.number)?;
        if report.changes.is_empty() {
            f.write_str(": nothing has changed")?;
        }
        for change in &report.changes {
            let mode = match change.mode {
                Mode::Current => "as wanted",
                Mode::Degraded => "without an extension",
                Mode::Stale => "as before",
                Mode::Failed => "failed",
                Mode::Removed => "removed",
                _ => "?",
            };
            write!(f, "; {} {mode}", change.key)?;
            if let Cause::Extension(name) = &change.cause {
                write!(f, " (by {name})")?;
            }
        }
        for (key, fault) in &report.faults {
            write!(f, "\n    {key}: {}", fault.error())?;
        }
        if let Some(refused) = &report.refused {
            write!(f, "\n    not published: {refused}")?;
        }
        Ok(())
    }
}
