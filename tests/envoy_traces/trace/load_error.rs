//! Why a folder of recordings cannot be played.

use std::path::PathBuf;
use std::{error, fmt, io};

/// What is wrong, and with which file or folder.
#[derive(Debug)]
pub(crate) enum LoadError {
    Unreadable {
        path: PathBuf,
        error: io::Error,
    },
    /// It has the name of a recording, and is none.
    NotATrace {
        path: PathBuf,
        error: serde_json::Error,
    },
    /// To play nothing is no success.
    Empty {
        folder: PathBuf,
    },
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, error } => {
                write!(f, "{} cannot be read: {error}", path.display())
            }
            Self::NotATrace { path, error } => {
                write!(f, "{} is no recording: {error}", path.display())
            }
            Self::Empty { folder } => {
                write!(f, "{} has no recording (*.json) in it", folder.display())
            }
        }
    }
}

impl error::Error for LoadError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Unreadable { error, .. } => Some(error),
            Self::NotATrace { error, .. } => Some(error),
            Self::Empty { .. } => None,
        }
    }
}
