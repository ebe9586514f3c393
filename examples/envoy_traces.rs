//! Plays recordings of Envoy through tidegate and tells every difference.
//!
//! ```text
//! cargo run --example envoy_traces -- tests/envoy-traces
//! cargo run --example envoy_traces -- tests/envoy-traces --write docs/envoy-differences.md
//! ```
//!
//! Takes all recordings of a folder and of the folders in it; `tests/envoy-traces/README.md` says
//! what is in one. The page is printed, or written to a file. The exit status is 1 if a difference
//! is unexplained, if tidegate broke a rule, or if there was nothing to play.

#![allow(dead_code, clippy::unwrap_used, reason = "the tests use the rest, and may unwrap")]

#[path = "../tests/envoy_traces/caveat.rs"]
mod caveat;
#[path = "../tests/envoy_traces/compare.rs"]
mod compare;
#[path = "../tests/envoy_traces/explain.rs"]
mod explain;
#[path = "../tests/envoy_traces/judge.rs"]
mod judge;
#[path = "../tests/envoy_traces/moment.rs"]
mod moment;
#[path = "../tests/envoy_traces/observe.rs"]
mod observe;
#[path = "../tests/envoy_traces/page.rs"]
mod page;
#[path = "../tests/envoy_traces/play/mod.rs"]
mod play;
#[path = "../tests/envoy_traces/rules/mod.rs"]
mod rules;
#[path = "../tests/envoy_traces/trace/mod.rs"]
mod trace;

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// Plays recordings of Envoy through tidegate and tells every difference.
#[derive(Debug, Parser)]
struct Options {
    /// The folder with recordings.
    folder: PathBuf,
    /// Where the page goes; printed if not given.
    #[arg(long)]
    write: Option<PathBuf>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    match run(&options) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<ExitCode, Box<dyn Error>> {
    let traces = trace::Trace::load_all(&options.folder)?;
    let judged: Vec<_> =
        traces.iter().map(|trace| (trace.name.clone(), judge::judge(trace))).collect();
    let page = page::page(&judged);
    match &options.write {
        Some(path) => fs::write(path, page)?,
        None => print!("{page}"),
    }
    let mut code = ExitCode::SUCCESS;
    for (name, judgement) in &judged {
        for line in judgement.unexplained() {
            eprintln!("unexplained: {name}: {line}");
            code = ExitCode::FAILURE;
        }
    }
    Ok(code)
}
