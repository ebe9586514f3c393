//! Which core a process runs on. Left to the kernel they move between cores as it happens, and what
//! a body costs differs by a third from turn to turn; so client and origin have one core, and who
//! is measured has another.

use std::fs;
use std::process::{Command, Stdio};

/// The two cores; none where there are not two, or `taskset` (util-linux) is missing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cores {
    measured: Option<usize>,
}

impl Cores {
    /// Moves this process, and what it starts, to the one, and keeps the other for who is measured.
    pub(crate) fn divide() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let allowed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        let mut cores = allowed.into_iter().flat_map(numbers);
        let (Some(own), Some(measured)) = (cores.next(), cores.next()) else {
            return Self { measured: None };
        };
        let mut taskset = Command::new("taskset");
        taskset.args(["-pc", &own.to_string(), &std::process::id().to_string()]);
        let moved = taskset.stdout(Stdio::null()).status();
        Self { measured: moved.is_ok_and(|status| status.success()).then_some(measured) }
    }

    /// What has to stand before the command of who is measured.
    pub(crate) fn prefix(self) -> Vec<String> {
        let prefix = |core: usize| ["taskset".to_owned(), "-c".to_owned(), core.to_string()];
        self.measured.map(prefix).into_iter().flatten().collect()
    }

    /// In words.
    pub(crate) const fn describe(self) -> &'static str {
        match self.measured {
            Some(_) => "client and origin on one core, contender and processor on another",
            None => "all processes where the kernel puts them",
        }
    }
}

/// The numbers of a list like `0-3,8`.
fn numbers(list: &str) -> Vec<usize> {
    let ranges = list.trim().split(',').filter_map(|range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        Some(first.parse().ok()?..=last.parse().ok()?)
    });
    ranges.flatten().collect()
}
