//! What is in a trace file, and nothing else: a field that is not known is an error, so that
//! nothing a recording says can be overlooked.
// Every reader of traces uses its own part.
#![allow(dead_code, unused_imports)]

pub(crate) mod entry;
pub(crate) mod load_error;
pub(crate) mod script;
pub(crate) mod status;
pub(crate) mod step;
pub(crate) mod text;
pub(crate) mod verb;
pub(crate) mod wire;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

pub(crate) use entry::{Callback, Enter, Entry, Exit};
pub(crate) use load_error::LoadError;
pub(crate) use script::{Act, FilterSpec, Options, Proto, Protocol, Script};
pub(crate) use status::Status;
pub(crate) use step::{Input, Step};
pub(crate) use text::Text;
pub(crate) use verb::{Amount, Place, Verb};
pub(crate) use wire::{Received, Wire};

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Direction {
    Request,
    Response,
}

impl Direction {
    pub(crate) const BOTH: [Self; 2] = [Self::Request, Self::Response];
}

/// One scenario, and what Envoy did with it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Trace {
    pub(crate) name: String,
    pub(crate) about: String,
    /// Version and commit.
    pub(crate) envoy: String,
    pub(crate) script: Script,
    /// One readable line a callback; the entries of the steps say the same.
    pub(crate) calls: Vec<String>,
    pub(crate) steps: Vec<Record>,
    pub(crate) origin_received: Received,
    pub(crate) client_received: Received,
}

/// What happened in one step.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    /// Its number, from 0.
    pub(crate) step: usize,
    #[serde(rename = "do")]
    pub(crate) did: Step,
    /// Only that an event was not delivered, because its filter was gone.
    pub(crate) note: Option<String>,
    pub(crate) filters: Vec<Entry>,
    /// What the client received in this step.
    pub(crate) client: Vec<Wire>,
    /// What the origin received in this step.
    pub(crate) origin: Vec<Wire>,
    /// Counters of Envoy that changed, and by how much.
    #[serde(default)]
    pub(crate) stats: BTreeMap<String, u64>,
    /// Bytes that the client could not send, because Envoy did not read.
    pub(crate) client_unsent: Option<u64>,
}

impl Trace {
    /// One file.
    pub(crate) fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// All recordings of a folder and of the folders in it, in order of their names; at least one.
    pub(crate) fn load_all(root: &Path) -> Result<Vec<Self>, LoadError> {
        let mut traces = Vec::new();
        for path in list(root)? {
            if path.is_dir() {
                for path in list(&path)? {
                    traces.extend(Self::load(&path)?);
                }
            } else {
                traces.extend(Self::load(&path)?);
            }
        }
        if traces.is_empty() {
            return Err(LoadError::Empty { folder: root.to_owned() });
        }
        Ok(traces)
    }

    /// One recording; none, if the file is none.
    fn load(path: &Path) -> Result<Option<Self>, LoadError> {
        if path.extension().is_none_or(|extension| extension != "json") {
            return Ok(None);
        }
        let text = fs::read_to_string(path)
            .map_err(|error| LoadError::Unreadable { path: path.to_owned(), error })?;
        Self::parse(&text)
            .map(Some)
            .map_err(|error| LoadError::NotATrace { path: path.to_owned(), error })
    }

    /// What the receiver of messages of this direction got.
    pub(crate) fn received(&self, direction: Direction) -> &Received {
        match direction {
            Direction::Request => &self.origin_received,
            Direction::Response => &self.client_received,
        }
    }
}

/// What is in a folder, in order.
fn list(folder: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let say = |error| LoadError::Unreadable { path: folder.to_owned(), error };
    let entries = fs::read_dir(folder).map_err(say)?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = paths.collect::<Result<Vec<_>, _>>().map_err(say)?;
    paths.sort();
    Ok(paths)
}

impl Record {
    /// What the receiver of messages of this direction got in this step.
    pub(crate) fn wire(&self, direction: Direction) -> &[Wire] {
        match direction {
            Direction::Request => &self.origin,
            Direction::Response => &self.client,
        }
    }
}
