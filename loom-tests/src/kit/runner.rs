//! The test binary's `main`: each model in a process of its own.
//!
//! Two reasons, both loom's: a model that fails may abort while it unwinds, and the others are to
//! run nevertheless; and loom prints debugging lines to the standard error, which take longer to
//! read than the search takes to run. So the child's standard error goes nowhere, and its panics
//! are told on the standard output.

use std::panic;
use std::process::{Command, Stdio, exit};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::Instant;

use super::{Fuse, Model, backend};

/// Runs the models whose name contains one of the arguments, or all.
///
/// Understands what `cargo test` and `cargo nextest` pass: `--list`, `--exact`, `--test-threads`.
pub fn main(domains: &[&[Model]]) {
    let models: Vec<Model> = domains.concat();
    let mut words = Vec::new();
    let (mut list, mut exact, mut ignored) = (false, false, false);
    let mut workers = thread::available_parallelism().map_or(1, usize::from);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--list" => list = true,
            "--exact" => exact = true,
            "--ignored" => ignored = true,
            "--format" | "--color" | "--logfile" | "--skip" => drop(arguments.next()),
            "--test-threads" => workers = number(arguments.next().as_deref()),
            other => match other.strip_prefix("--test-threads=") {
                Some(text) => workers = number(Some(text)),
                None if other.starts_with('-') => {}
                None => words.push(argument),
            },
        }
    }
    let wanted = |model: &Model| {
        let matches = |word: &String| {
            if exact { model.name == word } else { model.name.contains(word.as_str()) }
        };
        !ignored && (words.is_empty() || words.iter().any(matches))
    };
    let models: Vec<Model> = models.into_iter().filter(wanted).collect();
    if list {
        models.iter().for_each(|model| println!("{}: test", model.name));
    } else if exact {
        models.iter().for_each(|&model| run(model));
    } else {
        run_all(&models, workers);
    }
}

fn number(text: Option<&str>) -> usize {
    text.and_then(|text| text.parse().ok()).expect("--test-threads takes a number")
}

fn run(model: Model) {
    panic::set_hook(Box::new(|info| {
        if !info.payload().is::<Fuse>() {
            println!("{info}");
        }
    }));
    backend::explore(model);
}

fn run_all(models: &[Model], workers: usize) {
    let (next, started) = (AtomicUsize::new(0), Instant::now());
    let failed = Mutex::new(Vec::new());
    let work = || {
        while let Some(model) = models.get(next.fetch_add(1, Relaxed)) {
            if !in_child(model) {
                failed.lock().expect("no worker panics").push(model.name);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..workers.max(1) {
            scope.spawn(work);
        }
    });
    let failed = failed.into_inner().expect("no worker panics");
    let seconds = started.elapsed().as_secs_f64();
    println!("{} models, {} failed, {seconds:.1} s {failed:?}", models.len(), failed.len());
    if !failed.is_empty() {
        exit(1);
    }
}

fn in_child(model: &Model) -> bool {
    let this = std::env::current_exe().expect("the binary knows its path");
    let child = Command::new(this).args(["--exact", model.name]).stderr(Stdio::null()).output();
    let output = child.expect("the binary can run itself");
    let told = String::from_utf8_lossy(&output.stdout);
    if output.status.success() {
        print!("{told}");
    } else {
        println!("FAILED {}: {}\n{told}", model.name, output.status);
    }
    output.status.success()
}
