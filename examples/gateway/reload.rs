//! Looks at the file, and publishes what has changed.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::time::{Instant, SystemTime};

use tidegate::table::{Controller, Report};

use super::Routes;
use super::build::Builder;
use super::event::Event;
use super::file::{self, FileError, RouteSpec};

/// The file, and the table that follows it.
pub(crate) struct Reload {
    file: PathBuf,
    start: Instant,
    seen: Seen,
    keys: BTreeSet<String>,
    controller: Controller<String, RouteSpec, Builder>,
}

/// What tells a file from the one that was looked at last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    Never,
    Unreadable,
    File { modified: Option<SystemTime>, bytes: u64 },
}

impl Reload {
    /// Keeps `table`, which is empty, as `file` says.
    pub(crate) fn new(file: PathBuf, table: Routes) -> Self {
        Self {
            file,
            start: Instant::now(),
            seen: Seen::Never,
            keys: BTreeSet::new(),
            controller: Controller::new(table, Builder),
        }
    }

    /// What there is to tell: of the file, if it is another one than before, and of extensions
    /// whose time to be asked again has come.
    pub(crate) fn look(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        let seen = self.file_now();
        if seen != self.seen {
            self.seen = seen;
            match self.read() {
                Ok(()) => {
                    let report = self.controller.publish(self.start.elapsed());
                    events.push(Event::Published(report));
                }
                Err(error) => events.push(Event::Refused(error)),
            }
        }
        let report = self.controller.poll(self.start.elapsed());
        events.extend(report.filter(says_something).map(Event::Published));
        events
    }

    fn file_now(&self) -> Seen {
        match fs::metadata(&self.file) {
            Ok(data) => Seen::File { modified: data.modified().ok(), bytes: data.len() },
            Err(_) => Seen::Unreadable,
        }
    }

    /// Tells the controller what the file wants.
    fn read(&mut self) -> Result<(), FileError> {
        let text = fs::read_to_string(&self.file).map_err(|error| {
            let error = format!("{}: {error}", self.file.display());
            FileError { mark: None, error }
        })?;
        let routes = file::read(&text)?;
        let keys: BTreeSet<String> = routes.keys().cloned().collect();
        let refuse = |error| FileError { mark: None, error: format!("{error}") };
        for gone in self.keys.difference(&keys) {
            self.controller.remove(gone.clone()).map_err(refuse)?;
        }
        for (key, spec) in routes {
            self.controller.set(key, spec).map_err(refuse)?;
        }
        self.keys = keys;
        Ok(())
    }
}

/// A retry that has found things as they were is no news.
fn says_something(report: &Report<String>) -> bool {
    !report.changes.is_empty() || !report.faults.is_empty() || report.refused.is_some()
}
