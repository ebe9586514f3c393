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

/// An edge aborts the answer to a broken request before its head is out. The answer is empty, but
/// a filter has added to it: that is not what follows the byte of the upstream, which nobody sees.
#[test]
fn what_is_added_to_a_reply_that_is_aborted_follows_no_byte_that_it_replaced() {
    let hex = "00000e170000000000000000020000000000000098000000000000005e000000000000000d0006\
        0000000000010000000000000000000000000000000000000000000000000000001c000000000000\
        000000000000000000000201007e0000000000000000000000dc010e000000000000000000000003\
        0000000000003c000000ce00000017d6000000000000000000020c000001000cea00b7000000ae0706";
    let digits: Vec<u8> = hex.bytes().map(|it| (it as char).to_digit(16).unwrap() as u8).collect();
    let case: Vec<u8> = digits.chunks(2).map(|it| it[0] * 16 + it[1]).collect();
    let ran = play(&case);
    let [ran] = &ran[..] else { panic!("it is one exchange") };
    assert!(matches!(ran.outcome(Direction::Response), Some(Outcome::Reset(_))));
    assert!(!ran.logs[1].seen.head, "it was aborted before its head was out");
    assert_eq!(ran.logs[1].sent, [0], "of the upstream");
    let [adds, sees] = [&ran.records[9], &ran.records[7]];
    assert!(adds.sees_reply && sees.sees_reply);
    assert_eq!((adds.let_go.len(), &sees.shown), (1, &adds.let_go));
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
