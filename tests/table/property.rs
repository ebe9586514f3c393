//! The equivalence law (G7) on random histories: the fuzz target `table` on seeds.
//!
//! `TIDEGATE_CASES` and `TIDEGATE_SEED` say how many and from which on.

use crate::rng::Rng;
use crate::table_target::{Ran, TARGET, play};

const CASES: u64 = 4_000;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// The choices of one history.
fn choices(seed: u64) -> Vec<u8> {
    let mut rng = Rng::new(seed);
    let len = rng.below(TARGET.most_choices + 1);
    (0..len.div_ceil(8)).flat_map(|_| rng.word().to_le_bytes()).take(len).collect()
}

/// Says which history has failed.
struct Replay(u64);

impl Drop for Replay {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("TIDEGATE_SEED={} TIDEGATE_CASES=1 plays it alone", self.0);
        }
    }
}

fn play_seeds(seeds: impl Iterator<Item = u64>) -> Vec<(&'static str, u32)> {
    let mut sum: Vec<_> = Ran::default().all().into();
    for seed in seeds {
        let replay = Replay(seed);
        let ran = play(&choices(seed), None);
        drop(replay);
        for (sum, (_, count)) in sum.iter_mut().zip(ran.all()) {
            sum.1 += count;
        }
    }
    sum
}

#[test]
fn g7_deltas_of_any_history_lead_to_the_table() {
    let first = number("TIDEGATE_SEED").unwrap_or(1);
    let cases = number("TIDEGATE_CASES").unwrap_or(CASES);
    let parts = std::thread::available_parallelism().map_or(2, usize::from) as u64;
    let sums: Vec<_> = std::thread::scope(|scope| {
        let part = |part| {
            scope.spawn(move || {
                play_seeds((first..first + cases).filter(|seed| seed % parts == part))
            })
        };
        let threads: Vec<_> = (0..parts).map(part).collect();
        threads.into_iter().map(|thread| thread.join().expect("a history fails")).collect()
    });
    let mut sum: Vec<_> = Ran::default().all().into();
    for part in sums {
        sum.iter_mut().zip(part).for_each(|(sum, (_, count))| sum.1 += count);
    }
    println!("{cases} histories: {sum:?}");
    // A generator that stops making something must be seen.
    if cases >= CASES {
        let fewest = u32::try_from(cases / 1_000).unwrap_or(u32::MAX);
        for (what, count) in sum {
            assert!(count >= fewest, "{what}: {count} times only");
        }
    }
}
