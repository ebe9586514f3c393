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
        let before = self.seen;
        self.seen = self.file_now();
        if self.seen != before {
            events.extend(self.take(before));
        }
        let report = self.controller.poll(self.start.elapsed());
        events.extend(report.filter(says_something).map(Event::Published));
        events
    }

    /// Takes the file, which is another one than `before`. One that cannot be read is told once,
    /// and tried again each time: that it can be read does not show on it.
    fn take(&mut self, before: Seen) -> Option<Event> {
        let text = match fs::read_to_string(&self.file) {
            Ok(text) => text,
            Err(error) => {
                self.seen = Seen::Unreadable;
                let error = format!("{}: {error}", self.file.display());
                let is_told = before == Seen::Unreadable;
                return (!is_told).then_some(Event::Refused(FileError { mark: None, error }));
            }
        };
        Some(match self.want(&text) {
            Ok(()) => Event::Published(self.controller.publish(self.start.elapsed())),
            Err(error) => Event::Refused(error),
        })
    }

    fn file_now(&self) -> Seen {
        match fs::metadata(&self.file) {
            Ok(data) => Seen::File { modified: data.modified().ok(), bytes: data.len() },
            Err(_) => Seen::Unreadable,
        }
    }

    /// Tells the controller what the text of the file wants.
    fn want(&mut self, text: &str) -> Result<(), FileError> {
        let routes = file::read(text)?;
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

#[cfg(test)]
mod tests {
    use std::fs::File;

    use tidegate::table::Table;

    use super::*;

    /// A file that goes with the test.
    struct Temporary(PathBuf);

    impl Temporary {
        fn new(name: &str) -> Self {
            let name = format!("tidegate-reload-{}-{name}.yaml", std::process::id());
            Self(std::env::temp_dir().join(name))
        }

        fn write(&self, text: impl AsRef<[u8]>, modified: SystemTime) {
            fs::write(&self.0, text).unwrap();
            File::options().write(true).open(&self.0).unwrap().set_modified(modified).unwrap();
        }
    }

    impl Drop for Temporary {
        fn drop(&mut self) {
            let _ = fs::remove_file(&self.0);
        }
    }

    const TEXT: &str = "routes: [{ upstream: http://u, flow: { name: f } }]\n";

    #[test]
    fn g8_a_file_that_could_not_be_read_is_read_once_it_can_be() {
        let (file, then) = (Temporary::new("unread"), SystemTime::UNIX_EPOCH);
        let mut reload = Reload::new(file.0.clone(), Table::new(0));
        assert!(matches!(reload.look()[..], [Event::Refused(_)]), "there is none");
        file.write([0xff].repeat(TEXT.len()), then);
        assert!(reload.look().is_empty(), "that it cannot be read was told");
        file.write(TEXT, then);
        assert!(
            matches!(reload.look()[..], [Event::Published(_)]),
            "nothing shows but that it can"
        );
        assert!(reload.look().is_empty());
    }

    #[test]
    fn a_file_that_is_nested_too_deeply_is_refused() {
        let file = Temporary::new("deep");
        let mut reload = Reload::new(file.0.clone(), Table::new(0));
        let mut look = |depth: usize| {
            let settings = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
            let filter = format!("{{ name: x, kind: stamp, settings: {settings} }}");
            let text = TEXT.replace("name: f", &format!("name: f, filters: [{filter}]"));
            file.write(text, SystemTime::UNIX_EPOCH);
            reload.look()
        };
        assert!(matches!(look(32)[..], [Event::Published(_)]));
        for depth in [48, 64, 1_000, 100_000] {
            assert!(matches!(look(depth)[..], [Event::Refused(_)]), "{depth}");
        }
    }
}
