//! Both halves as tasks.

use tidegate::limits::PIPE_ITEM_COST_BYTES;
use tidegate::watermark::Marks;

use super::choices::Choices;
use super::halves::halves;
use crate::kit::executor::{Executor, Options};

/// What two tasks do with a pipe.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    pub(crate) marks: Marks,
    /// How many the sender sends.
    pub(crate) items: u64,
    /// With how many the receiver is content; `None` for all.
    pub(crate) taken: Option<u64>,
    pub(crate) drops: Drops,
    pub(crate) options: Options,
    pub(crate) tx: Vec<u8>,
    pub(crate) rx: Vec<u8>,
    pub(crate) schedule: Vec<u8>,
}

/// Which half is dropped after so many polls.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Drops {
    None,
    Sender(u64),
    Receiver(u64),
}

pub(super) fn marks(choices: &mut Choices<'_>) -> Marks {
    let high = match choices.below(8) {
        0 | 1 => 0,
        2 | 3 => choices.below(400) as u64,
        4 | 5 => choices.below(8) as u64 * PIPE_ITEM_COST_BYTES,
        6 => 2000,
        _ => u64::MAX - choices.below(3) as u64,
    };
    let low = match choices.below(4) {
        0 => 0,
        1 => high,
        2 => high / 2,
        _ => high.min(PIPE_ITEM_COST_BYTES * choices.below(4) as u64),
    };
    Marks::new(low, high).expect("the low one is not above")
}

impl Script {
    #[allow(dead_code, reason = "for the property tests")]
    pub(crate) fn from_choices(choices: &[u8]) -> Self {
        Self::decode(&mut Choices::new(choices))
    }

    pub(super) fn decode(choices: &mut Choices<'_>) -> Self {
        let marks = marks(choices);
        let items = choices.below(40) as u64;
        let taken = choices.percent(30).then(|| choices.below(40) as u64);
        let polls = choices.below(24) as u64;
        let drops = match choices.below(6) {
            4 => Drops::Sender(polls),
            5 => Drops::Receiver(polls),
            _ => Drops::None,
        };
        let options = Options {
            spurious_one_in: [0, 0, 2, 9][choices.below(4)],
            fresh_wakers: choices.percent(50),
            inline_one_in: [0, 0, 1, 3][choices.below(4)],
            most_polls: 20_000,
        };
        let bytes = |share: usize, choices: &mut Choices<'_>| -> Vec<u8> {
            (0..share).map_while(|_| (!choices.is_empty()).then(|| choices.byte())).collect()
        };
        let (tx, rx) = (bytes(120, choices), bytes(60, choices));
        let schedule = bytes(100, choices);
        Self { marks, items, taken, drops, options, tx, rx, schedule }
    }

    /// Plays it. How many items were given.
    pub(crate) fn play(&self) -> u64 {
        let (tx, rx, shared) = halves(self.marks, self.tx.clone(), self.rx.clone());
        let mut executor = Executor::steered(self.schedule.clone(), self.options);
        let sending = tx.play(self.items);
        let receiving = rx.play(self.taken.unwrap_or(u64::MAX));
        match self.drops {
            Drops::Sender(polls) => executor.spawn_for_polls("sender", polls, sending),
            Drops::None | Drops::Receiver(_) => executor.spawn("sender", sending),
        }
        match self.drops {
            Drops::Receiver(polls) => executor.spawn_for_polls("receiver", polls, receiving),
            Drops::None | Drops::Sender(_) => executor.spawn("receiver", receiving),
        }
        match executor.run() {
            Ok(tasks) => {
                let left: usize = tasks.iter().map(|task| task.wakers_left).sum();
                assert_eq!(left, 0, "C8: wakers were leaked: {tasks:?}");
            }
            Err(failure) => panic!("C6, C7: {failure:?}"),
        }
        let model = shared.model.borrow();
        assert_eq!(shared.alive.get(), 0, "C8: items were leaked");
        assert_eq!(model.given + model.dropped_items, model.items, "C1: items were lost");
        assert!(model.endings <= 1, "C2: {} ends", model.endings);
        model.given
    }
}
