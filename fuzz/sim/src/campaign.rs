//! Many executions of one target, one seed each.

use std::num::Wrapping;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::{Failure, caught};
use crate::targets::Target;
use crate::{describe, rng, shrink, target};

/// How many seeds a thread takes at a time.
const BATCH: u64 = 64;

/// An execution that takes longer does not end.
const HANGS_AFTER: Duration = Duration::from_secs(20);

/// How often it says how far it is.
const TELLS_EVERY: Duration = Duration::from_secs(60);

/// What to run.
#[derive(Debug, Clone)]
pub struct Campaign {
    /// Of the target.
    pub name: String,
    pub first_seed: u64,
    /// `None`: as long as there is time.
    pub executions: Option<u64>,
    /// `None`: as many as there are to do.
    pub seconds: Option<f64>,
    pub threads: u64,
}

/// What the threads of a campaign share.
struct Board {
    taken: AtomicU64,
    done: AtomicU64,
    stop: AtomicBool,
    /// What each thread runs, and since when, in milliseconds from the start.
    running: Vec<(AtomicU64, AtomicU64)>,
}

/// A seed whose case is not as it should be.
struct Found {
    seed: u64,
    failure: Failure,
}

/// The cases of the first `n` seeds.
///
/// # Panics
///
/// If there is no such target.
#[must_use]
pub fn first_cases(name: &str, n: u64) -> Vec<(String, Vec<u8>)> {
    let case = |seed: u64| {
        let mut choices = Vec::new();
        rng::draw(seed, most_choices(name), &mut choices);
        (format!("seed {seed}"), choices)
    };
    (1..=n).map(case).collect()
}

/// Longer strings of choices say nothing more.
///
/// # Panics
///
/// If there is no such target.
#[must_use]
pub fn most_choices(name: &str) -> usize {
    target(name).expect("a target has that name").most_choices
}

impl Campaign {
    /// Runs it and prints what came of it. Answers whether all was as it should be.
    ///
    /// # Panics
    ///
    /// If there is no such target.
    #[must_use]
    pub fn run(&self) -> bool {
        let target = target(&self.name).expect("a target has that name");
        let start = Instant::now();
        let board = Board {
            taken: AtomicU64::new(0),
            done: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            running: (0..self.threads).map(|_| Default::default()).collect(),
        };
        let found = thread::scope(|scope| {
            let (tell, told) = mpsc::channel();
            for k in 0..self.threads as usize {
                let (tell, board) = (tell.clone(), &board);
                scope.spawn(move || _ = tell.send(self.work(target, board, k, start)));
            }
            drop(tell);
            self.watch(&board, &told, start)
        });
        let (done, seconds) = (board.done.load(Relaxed), start.elapsed().as_secs_f64());
        let verdict = if found.is_some() { "FAILED" } else { "clean" };
        println!(
            "{}: {done} executions in {seconds:.1} s, {:.0}/s, seeds from {}: {verdict}",
            self.name,
            done as f64 / seconds,
            self.first_seed
        );
        if let Some(found) = &found {
            self.report(target, found);
        }
        found.is_none()
    }

    /// Runs batches of seeds until there are none, or somebody has found something.
    fn work(&self, target: &Target, board: &Board, k: usize, start: Instant) -> Option<Found> {
        let mut choices = Vec::new();
        let (running, since) = &board.running[k];
        while !board.stop.load(Relaxed) {
            let first = board.taken.fetch_add(BATCH, Relaxed);
            let last = self.executions.unwrap_or(u64::MAX).min(first + BATCH);
            if first >= last || self.seconds.is_some_and(|s| start.elapsed().as_secs_f64() > s) {
                break;
            }
            since.store(start.elapsed().as_millis() as u64, Relaxed);
            for number in first..last {
                let seed = (Wrapping(self.first_seed) + Wrapping(number)).0;
                running.store(seed, Relaxed);
                rng::draw(seed, target.most_choices, &mut choices);
                if let Err(failure) = caught(|| (target.run)(&choices)) {
                    board.stop.store(true, Relaxed);
                    return Some(Found { seed, failure });
                }
            }
            board.done.fetch_add(last - first, Relaxed);
        }
        since.store(u64::MAX, Relaxed);
        None
    }

    /// Waits for all threads. Ends the process if one does not come back.
    fn watch(
        &self,
        board: &Board,
        told: &mpsc::Receiver<Option<Found>>,
        start: Instant,
    ) -> Option<Found> {
        let mut found = None;
        let mut next = TELLS_EVERY;
        loop {
            match told.recv_timeout(Duration::from_secs(1)) {
                Ok(one) => found = found.or(one),
                Err(RecvTimeoutError::Disconnected) => return found,
                Err(RecvTimeoutError::Timeout) => {}
            }
            let now = start.elapsed();
            for (running, since) in &board.running {
                let since = Duration::from_millis(since.load(Relaxed));
                if now.saturating_sub(since) > HANGS_AFTER {
                    let seed = running.load(Relaxed);
                    println!("{}: HANGS: seed {seed} or one near it", self.name);
                    std::process::exit(1);
                }
            }
            if now > next {
                next += TELLS_EVERY;
                let done = board.done.load(Relaxed);
                eprintln!("{}: {done} executions after {:.0} s", self.name, now.as_secs_f64());
            }
        }
    }

    fn report(&self, target: &Target, found: &Found) {
        let mut choices = Vec::new();
        rng::draw(found.seed, target.most_choices, &mut choices);
        println!("seed {}: {}", found.seed, found.failure);
        let small = shrink::shrink(target.run, &choices, &found.failure);
        let again = caught(|| (target.run)(&small)).err();
        println!("shrunk from {} to {} choices:", choices.len(), small.len());
        if let Some(failure) = again {
            println!("{failure}");
        }
        println!("{}", describe(&self.name, &small));
        let hex: String = small.iter().map(|byte| format!("{byte:02x}")).collect();
        println!("sim {} --hex {hex}", self.name);
        println!("sim {} --seed {} --executions 1", self.name, found.seed);
    }
}
