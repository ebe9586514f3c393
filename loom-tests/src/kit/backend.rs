//! Threads and the search, as loom, shuttle or the machine make them.

use super::Model;

#[cfg(not(any(feature = "native", feature = "shuttle")))]
pub use loom::thread::{JoinHandle, spawn, yield_now};
#[cfg(feature = "shuttle")]
pub use shuttle::thread::{JoinHandle, spawn, yield_now};
#[cfg(all(feature = "native", not(feature = "shuttle")))]
pub use std::thread::{JoinHandle, spawn, yield_now};

/// A number from the environment.
#[allow(dead_code)]
fn setting(name: &str) -> Option<usize> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}

/// Searches with loom, prints how much it was, and fails if it was less than the model's floor.
///
/// `MODEL_CAP=n` bounds every model by `n` preemptions and asks for no floor: for runs on changed
/// code, which are to find something, and prove nothing if they do not.
#[cfg(not(any(feature = "native", feature = "shuttle")))]
pub(super) fn explore(model: Model) {
    use super::Search;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    use std::time::Instant;

    let cap = setting("MODEL_CAP");
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = match model.search {
        Search::Exhaustive => cap,
        Search::Bounded => cap.or_else(|| setting("MODEL_PREEMPTIONS")).or(Some(3)),
    };
    builder.max_branches = builder.max_branches.max(10_000);
    assert!(
        builder.max_duration.is_none() && builder.max_permutations.is_none(),
        "a search that is cut off proves nothing"
    );
    let bound = builder.preemption_bound;
    let executions = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&executions);
    let started = Instant::now();
    builder.check(move || {
        counter.fetch_add(1, Relaxed);
        (model.run)();
    });
    let (executions, seconds) = (executions.load(Relaxed), started.elapsed().as_secs_f64());
    let bound = bound.map_or_else(|| "all".to_owned(), |n| format!("{n} preemptions"));
    println!("{:<44} {executions:>9} executions {seconds:>7.2} s  {bound}", model.name);
    assert!(
        cap.is_some() || executions >= model.min_executions,
        "{}: {executions} executions, {} are the least: it no longer races",
        model.name,
        model.min_executions
    );
}

/// Runs the model `MODEL_RUNS` times (2,000 without) with shuttle's random scheduler.
#[cfg(feature = "shuttle")]
pub(super) fn explore(model: Model) {
    let runs = setting("MODEL_RUNS").unwrap_or(2_000);
    let started = std::time::Instant::now();
    shuttle::check_random(model.run, runs);
    let seconds = started.elapsed().as_secs_f64();
    println!("{:<44} {runs:>9} schedules  {seconds:>7.2} s  random", model.name);
}

/// Runs the model `MODEL_RUNS` times (2,000 without) on threads of the machine.
#[cfg(all(feature = "native", not(feature = "shuttle")))]
pub(super) fn explore(model: Model) {
    let runs = setting("MODEL_RUNS").unwrap_or(2_000);
    let started = std::time::Instant::now();
    for _ in 0..runs {
        (model.run)();
    }
    let seconds = started.elapsed().as_secs_f64();
    println!("{:<44} {runs:>9} runs       {seconds:>7.2} s  real threads", model.name);
}
