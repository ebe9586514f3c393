//! What became of the messages of a case: who was made, started, closed and dropped, and what was
//! told. One board a thread: filters that a configuration names find it there.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use tidegate::body::Direction;
use tidegate::chain::Stats;
use tidegate::{Declaration, Filter, Head, Interest, Outcome, Verdict, View};
use tokio::sync::oneshot;

#[derive(Default)]
pub(crate) struct Board {
    made: AtomicU64,
    dropped: AtomicU64,
    started: AtomicU64,
    closed: AtomicU64,
    told: Mutex<Vec<(Direction, Outcome, Option<Stats>)>>,
    reports: Mutex<Vec<String>>,
    /// The other ends of what filters wait for.
    pub(crate) awaited: Mutex<Vec<oneshot::Sender<()>>>,
}

thread_local! {
    static BOARD: RefCell<Arc<Board>> = RefCell::default();
}

impl Board {
    /// The board of this thread's case.
    pub(crate) fn here() -> Arc<Self> {
        BOARD.with_borrow(Arc::clone)
    }

    /// A new one, for the next case.
    pub(crate) fn clear() -> Arc<Self> {
        BOARD.set(Arc::default());
        Self::here()
    }

    pub(crate) fn tell(&self, direction: Direction, outcome: &Outcome, stats: &Stats) {
        self.told.lock().unwrap().push((direction, outcome.clone(), Some(*stats)));
    }

    /// How the message of that direction ended, in a word; what never began has none.
    pub(crate) fn outcome(&self, direction: Direction) -> String {
        let told = self.told.lock().unwrap();
        let mut words = String::new();
        for (_, outcome, _) in told.iter().filter(|(other, ..)| *other == direction) {
            let _ = write!(words, "{}{}", if words.is_empty() { "" } else { " + " }, word(outcome));
        }
        if words.is_empty() { "–".to_owned() } else { words }
    }

    /// How both messages ended.
    pub(crate) fn outcomes(&self) -> (String, String) {
        (self.outcome(Direction::Request), self.outcome(Direction::Response))
    }

    /// How the stream of an exchange ended, as its server reports it.
    pub(crate) fn report(&self, end: String) {
        self.reports.lock().unwrap().push(end);
    }

    /// What was reported.
    pub(crate) fn reported(&self) -> String {
        self.reports.lock().unwrap().join(" + ")
    }

    /// What is wrong: filters that are left, that were not told the end of what they began, and
    /// messages that held more than `bound_bytes`.
    pub(crate) fn faults(&self, bound_bytes: u64) -> Vec<String> {
        let mut faults = Vec::new();
        let (made, dropped) = (self.made.load(Relaxed), self.dropped.load(Relaxed));
        if made != dropped {
            faults.push(format!("{} of {made} filters are left", made - dropped));
        }
        let (started, closed) = (self.started.load(Relaxed), self.closed.load(Relaxed));
        if started != closed {
            faults.push(format!("{started} filters were started, {closed} closed"));
        }
        for (direction, outcome, stats) in self.told.lock().unwrap().iter() {
            let Some(stats) = stats else { continue };
            if stats.peak_held_bytes > bound_bytes {
                let held = stats.peak_held_bytes;
                faults.push(format!("{direction}: {held} bytes held over {bound_bytes}"));
            }
            if matches!(outcome, Outcome::Complete { .. })
                && stats.input_bytes != stats.output_bytes + stats.discarded_bytes
            {
                faults.push(format!("{direction}: complete, but bytes are missing: {stats:?}"));
            }
        }
        faults
    }

    /// A filter that counts its life.
    pub(crate) fn probe() -> Probe {
        Self::probe_that_tells(None)
    }

    /// The same, which also tells how its request ended: where nobody else does.
    pub(crate) fn probe_of_request() -> Probe {
        Self::probe_that_tells(Some(Direction::Request))
    }

    pub(crate) fn probe_of_response() -> Probe {
        Self::probe_that_tells(Some(Direction::Response))
    }

    fn probe_that_tells(tells: Option<Direction>) -> Probe {
        let board = Self::here();
        board.made.fetch_add(1, Relaxed);
        Probe { board, is_open: false, tells }
    }
}

fn word(outcome: &Outcome) -> String {
    let of_error = || {
        outcome.error().map_or_else(String::new, |error| {
            let filter = error.filter().map_or_else(String::new, |filter| format!(" ({filter})"));
            format!("{:?} by {}{filter}", error.kind(), error.origin())
        })
    };
    match outcome {
        Outcome::Complete { .. } => "complete".to_owned(),
        Outcome::Cancelled => "cancelled".to_owned(),
        Outcome::EndUnseen => "end unseen".to_owned(),
        Outcome::Replaced { status, .. } => format!("replaced by {}", status.as_u16()),
        Outcome::Reset(error) => format!("reset by {}", error.origin()),
        _ => of_error(),
    }
}

/// See [`Board::probe`].
pub(crate) struct Probe {
    board: Arc<Board>,
    is_open: bool,
    tells: Option<Direction>,
}

impl<H: Head> Filter<H> for Probe {
    fn declare(&self) -> Declaration {
        Declaration::new().interest(Interest::HEAD)
    }

    fn head(&mut self, _: &mut View<'_, H>) -> Verdict {
        assert!(!self.is_open, "a second head");
        self.is_open = true;
        self.board.started.fetch_add(1, Relaxed);
        Verdict::PASS
    }

    fn close(&mut self, outcome: &Outcome) {
        if let Some(direction) = self.tells {
            self.board.told.lock().unwrap().push((direction, outcome.clone(), None));
        }
        // A filter is started also where it sees no head: behind a reply.
        if std::mem::take(&mut self.is_open) {
            self.board.closed.fetch_add(1, Relaxed);
        }
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.board.dropped.fetch_add(1, Relaxed);
    }
}
