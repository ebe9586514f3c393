//! What a run counts, and what went wrong in it.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// How many problems are kept in words.
const MOST_PROBLEMS: usize = 20;

#[derive(Debug, Default)]
pub(crate) struct Figures {
    /// Exchanges through the proxy that had a response, whole or as the fault demands.
    pub(crate) responses: AtomicU64,
    /// Streams of the external processor, likewise.
    pub(crate) streams: AtomicU64,
    pub(crate) body_bytes: AtomicU64,
    faults: Mutex<BTreeMap<&'static str, u64>>,
    outcomes: Mutex<BTreeMap<String, u64>>,
    pub(crate) problem_count: AtomicU64,
    problems: Mutex<Vec<String>>,
    is_over: AtomicBool,
}

impl Figures {
    pub(crate) fn total(&self) -> u64 {
        self.responses.load(Relaxed) + self.streams.load(Relaxed)
    }

    pub(crate) fn fault(&self, name: &'static str) {
        *self.faults.lock().unwrap().entry(name).or_default() += 1;
    }

    pub(crate) fn outcome(&self, outcome: String) {
        *self.outcomes.lock().unwrap().entry(outcome).or_default() += 1;
    }

    pub(crate) fn problem(&self, problem: String) {
        self.problem_count.fetch_add(1, Relaxed);
        let mut problems = self.problems.lock().unwrap();
        if problems.len() < MOST_PROBLEMS {
            eprintln!("PROBLEM: {problem}");
            problems.push(problem);
        }
    }

    /// No more exchanges are begun.
    pub(crate) fn end(&self) {
        self.is_over.store(true, Relaxed);
    }

    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Relaxed)
    }

    pub(crate) fn print(&self) {
        let (responses, streams) = (self.responses.load(Relaxed), self.streams.load(Relaxed));
        println!("{responses} responses of the proxy, {streams} streams of the processor");
        println!("{} MiB of body checked", self.body_bytes.load(Relaxed) >> 20);
        println!("faults: {:?}", self.faults.lock().unwrap());
        println!("outcomes: {:?}", self.outcomes.lock().unwrap());
        println!("problems: {}", self.problem_count.load(Relaxed));
    }
}

/// Resident memory, in KiB.
pub(crate) fn resident_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Open files.
pub(crate) fn open_files() -> usize {
    fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}
