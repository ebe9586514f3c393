//! How far a transfer is: a bar on a terminal, a line now and then elsewhere.

use std::{
    io::IsTerminal,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use indicatif::{BinaryBytes, ProgressBar, ProgressStyle};

/// How many lines a transfer is worth where there is no terminal.
const LINES: u64 = 4;

/// The progress of one transfer. A clone shows the same.
#[derive(Debug, Clone)]
pub(super) struct Progress {
    name: &'static str,
    bytes: u64,
    started: Instant,
    done: Arc<AtomicU64>,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// The beginning of a transfer of so many bytes.
    pub(super) fn start(name: &'static str, bytes: u64) -> Self {
        let bar = std::io::stdout().is_terminal().then(|| bar(name, bytes));
        Self { name, bytes, started: Instant::now(), done: Arc::default(), bar }
    }

    /// So many bytes more.
    pub(super) fn add(&self, bytes: u64) {
        if let Some(bar) = &self.bar {
            return bar.inc(bytes);
        }
        let before = self.done.fetch_add(bytes, Relaxed);
        let done = before + bytes;
        let quarter = |done: u64| done.saturating_mul(LINES).checked_div(self.bytes).unwrap_or(0);
        if quarter(before) < quarter(done) && done < self.bytes {
            let (name, seconds) = (self.name, self.started.elapsed().as_secs_f64());
            println!("{name:>5}: {} after {seconds:.1}s", BinaryBytes(done));
        }
    }

    /// The transfer is over.
    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// A bar on the terminal.
fn bar(name: &'static str, bytes: u64) -> ProgressBar {
    let bar = ProgressBar::new(bytes).with_message(name);
    let template = "{msg:>5} [{wide_bar}] {bytes}/{total_bytes} {bytes_per_sec} {eta}";
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style.progress_chars("=> ")),
        Err(_) => bar,
    }
}
