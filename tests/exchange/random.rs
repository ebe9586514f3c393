//! Random exchanges: the fuzz target `exchange` on seeds, and how often each thing happened.

use tidegate::exchange::Direction;
use tidegate::{ErrorKind, Outcome};

use crate::exchange_target::{Ran, TARGET, play};
use crate::kit::Rng;

const SEEDS: u64 = 3_000;

/// The choices of one case.
fn choices(seed: u64) -> Vec<u8> {
    let mut rng = Rng::new(seed);
    let len = rng.below(TARGET.most_choices + 1);
    (0..len.div_ceil(8)).flat_map(|_| rng.word().to_le_bytes()).take(len).collect()
}

/// Says which case has failed.
struct Replay(u64);

impl Drop for Replay {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mut text = String::new();
            (TARGET.describe)(&choices(self.0), &mut text);
            eprintln!("{text}\nthe case of seed {}", self.0);
        }
    }
}

/// How often each thing happened: a generator that stops making it must be seen.
#[derive(Debug, Default)]
struct Census {
    up_complete: u32,
    up_reset: u32,
    answered_early: u32,
    replied: u32,
    past_filters: u32,
    down_reset: u32,
    informational: u32,
    trailers: u32,
    panics: u32,
    stalled: u32,
    dropped: u32,
    refused: u32,
    async_filters: u32,
    recycled: u32,
}

impl Census {
    fn count(&mut self, ran: &Ran) {
        let [up, down] = [&ran.logs[0].seen, &ran.logs[1].seen];
        self.up_complete += u32::from(up.complete);
        self.up_reset += u32::from(up.reset);
        self.down_reset += u32::from(down.reset);
        self.informational += u32::from(down.informational > 0);
        self.trailers += u32::from(up.trailers.is_some() || down.trailers.is_some());
        self.dropped += u32::from(up.dropped || down.dropped);
        self.panics += u32::from(ran.records.iter().any(|record| record.panicked));
        self.async_filters += u32::from(ran.records.iter().any(|record| record.is_async));
        self.replied += u32::from(down.status == Some(403));
        self.refused += u32::from(!ran.whole);
        self.recycled += u32::from(ran.stream > 0);
        let any = |kind: ErrorKind| {
            let mut errors = ran.told.iter().filter_map(|(_, outcome)| outcome.error());
            u32::from(errors.any(|error| error.kind() == kind))
        };
        self.answered_early += any(ErrorKind::AnsweredEarly);
        self.stalled += any(ErrorKind::Stalled);
        let failed = ran.outcome(Direction::Response).and_then(Outcome::error).is_some();
        self.past_filters += u32::from(failed && down.complete);
    }

    fn least(&self) -> u32 {
        let all = [
            self.up_complete,
            self.up_reset,
            self.answered_early,
            self.replied,
            self.past_filters,
            self.down_reset,
            self.informational,
            self.trailers,
            self.panics,
            self.stalled,
            self.dropped,
            self.refused,
            self.async_filters,
            self.recycled,
        ];
        all.into_iter().min().unwrap_or(0)
    }
}

#[test]
fn random_exchanges_keep_the_rules() {
    let mut census = Census::default();
    for seed in 0..SEEDS {
        let replay = Replay(seed);
        play(&choices(seed)).iter().for_each(|ran| census.count(ran));
        drop(replay);
    }
    assert!(census.least() >= 10, "everything happens, and often: {census:?}");
}
