//! What a pipe should do, said as simply as possible: one queue, one thread.

use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::Poll;

use tidegate::limits::{MAX_PIPE_ITEM_BYTES, MAX_PIPE_MARK_BYTES, PIPE_ITEM_COST_BYTES};
use tidegate::pipe::{Cut, Next, PipeStats};
use tidegate::watermark::{Marks, Weigh};

/// An item that knows its number, and counts itself while it lives.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) number: u64,
    pub(crate) weight_bytes: u64,
    alive: Rc<Cell<u64>>,
}

impl Item {
    pub(crate) fn new(number: u64, weight_bytes: u64, alive: &Rc<Cell<u64>>) -> Self {
        alive.set(alive.get() + 1);
        Self { number, weight_bytes, alive: Rc::clone(alive) }
    }
}

impl Weigh for Item {
    fn weight_bytes(&self) -> u64 {
        self.weight_bytes
    }
}

impl Drop for Item {
    fn drop(&mut self) {
        self.alive.set(self.alive.get() - 1);
    }
}

/// What an end is in the tests.
pub(crate) type Ending = Result<u8, Cut<Errors>>;

/// What either half says of an abort or a close.
pub(super) type Errors = &'static str;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Room {
    Yes,
    No,
    Closed,
    Ended,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    Pending,
    Item(u64),
    Ending(Ending),
    Over,
}

/// The model. Each call says what the pipe must answer, and is made before the pipe is asked:
/// whoever is woken inside that call sees the model as it must be by then.
#[derive(Debug)]
pub(crate) struct Model {
    marks: Marks,
    /// Numbers and charges of what was sent and not given.
    queue: VecDeque<(u64, u64)>,
    /// How many of those the receiver has on its side already.
    fetched: usize,
    over: bool,
    ended: bool,
    /// Until it was given.
    ending: Option<Ending>,
    /// The receiver has it on its side already.
    end_is_fetched: bool,
    closed: bool,
    /// A waker of the sender is registered; and waits for room.
    sender_known: bool,
    sender_waits: bool,
    receiver_waits: bool,
    /// What the heaviest item was charged.
    heaviest_bytes: u64,
    pub(crate) items: u64,
    pub(crate) given: u64,
    pub(crate) dropped_items: u64,
    pub(crate) sender_wakes: u64,
    pub(crate) receiver_wakes: u64,
    pub(crate) endings: u64,
}

impl Model {
    pub(crate) fn new(marks: Marks) -> Self {
        let most = MAX_PIPE_MARK_BYTES;
        let marks = Marks::new(marks.low().min(most), marks.high().min(most));
        Self {
            marks: marks.expect("the smaller one stays the smaller"),
            heaviest_bytes: 0,
            queue: VecDeque::new(),
            fetched: 0,
            over: false,
            ended: false,
            ending: None,
            end_is_fetched: false,
            closed: false,
            sender_known: false,
            sender_waits: false,
            receiver_waits: false,
            items: 0,
            given: 0,
            dropped_items: 0,
            sender_wakes: 0,
            receiver_wakes: 0,
            endings: 0,
        }
    }

    pub(crate) fn held_bytes(&self) -> u64 {
        self.queue.iter().map(|(_, charge_bytes)| charge_bytes).sum()
    }

    pub(crate) fn is_aborted(&self) -> bool {
        matches!(self.ending, Some(Err(Cut::Aborted(_))))
    }

    /// The pipe woke whom the model woke, and as often.
    pub(crate) fn check_wakes(&self, stats: PipeStats) {
        let wakes = (stats.items, stats.sender_wakes, stats.receiver_wakes);
        assert_eq!(wakes, (self.items, self.sender_wakes, self.receiver_wakes));
    }

    /// The pipe's bound: the high mark and one item.
    pub(crate) fn bound_bytes(&self) -> u64 {
        self.marks.high() + self.heaviest_bytes
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// The end, if the receiver has it and nothing comes before it.
    pub(crate) fn fetched_end(&self) -> Option<Ending> {
        self.ending.filter(|_| self.end_is_fetched && self.queue.is_empty() && !self.closed)
    }

    pub(crate) fn room(&self) -> Room {
        match (self.ended, self.closed, self.over) {
            (true, ..) => Room::Ended,
            (_, true, _) => Room::Closed,
            (.., true) => Room::No,
            _ => Room::Yes,
        }
    }

    /// The sender is told to wait.
    pub(crate) fn wait_for_room(&mut self) -> Room {
        if self.room() == Room::No {
            (self.sender_known, self.sender_waits) = (true, true);
        }
        self.room()
    }

    pub(crate) fn wait_for_close(&mut self) -> bool {
        self.sender_known |= !self.closed;
        self.closed
    }

    pub(crate) fn send(&mut self, number: u64, weight_bytes: u64) -> Room {
        let room = self.room();
        if room == Room::Yes {
            let charge_bytes = weight_bytes.min(MAX_PIPE_ITEM_BYTES) + PIPE_ITEM_COST_BYTES;
            self.heaviest_bytes = self.heaviest_bytes.max(charge_bytes);
            self.queue.push_back((number, charge_bytes));
            self.items += 1;
            self.over = self.held_bytes() > self.marks.high();
            self.wake_receiver();
        }
        room
    }

    /// Whether the end is taken.
    pub(crate) fn end(&mut self, ending: Ending) -> bool {
        if self.ended || self.closed {
            return false;
        }
        if matches!(ending, Err(Cut::Aborted(_))) {
            self.drop_queue();
        }
        (self.ended, self.ending) = (true, Some(ending));
        self.wake_receiver();
        true
    }

    pub(crate) fn drop_sender(&mut self) {
        self.end(Err(Cut::Cancelled));
        self.sender_known = false;
    }

    pub(crate) fn next(&mut self) -> Expected {
        if self.closed {
            return Expected::Over;
        }
        self.fetch();
        if let Some((number, _)) = self.queue.pop_front() {
            self.fetched -= 1;
            self.given += 1;
            self.look_for_low();
            return Expected::Item(number);
        }
        match self.ending.take() {
            Some(ending) => {
                self.endings += 1;
                Expected::Ending(ending)
            }
            None if self.ended => Expected::Over,
            None => {
                self.receiver_waits = true;
                Expected::Pending
            }
        }
    }

    /// The numbers of a batch; `None` for pending.
    pub(crate) fn batch(&mut self) -> Option<Vec<u64>> {
        if !self.closed {
            self.fetch();
        }
        let numbers: Vec<u64> =
            self.queue.drain(..self.fetched).map(|(number, _)| number).collect();
        self.fetched = 0;
        self.given += numbers.len() as u64;
        if !numbers.is_empty() {
            self.look_for_low();
        }
        if numbers.is_empty() && !self.ended && !self.closed {
            self.receiver_waits = true;
            return None;
        }
        Some(numbers)
    }

    pub(crate) fn close(&mut self) {
        if core::mem::replace(&mut self.closed, true) {
            return;
        }
        self.drop_queue();
        self.ending = None;
        self.receiver_waits = false;
        self.wake_sender();
    }

    fn fetch(&mut self) {
        if self.fetched == 0 && !self.end_is_fetched {
            self.fetched = self.queue.len();
            self.end_is_fetched = self.ended;
        }
    }

    fn drop_queue(&mut self) {
        self.dropped_items += self.queue.len() as u64;
        self.queue.clear();
        self.fetched = 0;
    }

    fn look_for_low(&mut self) {
        if self.over && self.held_bytes() <= self.marks.low() {
            self.over = false;
            if self.sender_waits {
                self.wake_sender();
            }
        }
    }

    fn wake_sender(&mut self) {
        self.sender_wakes += u64::from(self.sender_known);
        (self.sender_known, self.sender_waits) = (false, false);
    }

    fn wake_receiver(&mut self) {
        self.receiver_wakes += u64::from(self.receiver_waits);
        self.receiver_waits = false;
    }
}

/// What the receiver was told, as the model has it.
pub(super) fn seen(next: &Poll<Next<Item, u8, Errors>>) -> Expected {
    let ending: Ending = match next {
        Poll::Pending => return Expected::Pending,
        Poll::Ready(Next::Item(item)) => return Expected::Item(item.number),
        Poll::Ready(Next::Over) => return Expected::Over,
        Poll::Ready(Next::Finished(end)) => Ok(*end),
        Poll::Ready(Next::Cut(cut)) => Err(*cut),
    };
    Expected::Ending(ending)
}
