use core::mem;
use core::task::Waker;
use std::task::Wake;

// A waker is std's `Arc`, also in a model; what it counts decides nothing here.
use crate::sync::{ConstArc as Arc, Mutex, lock};

/// Who has been woken of a connection and its streams, which are polled by one task.
///
/// The lock is held to move a number, a waker or a list; wakers are woken and dropped outside.
pub(crate) struct Wakes(Mutex<State>);

struct State {
    woken: Round,
    /// Which streams are in the list.
    is_listed: Vec<bool>,
    turn: Turn,
}

/// What is polled together.
#[derive(Default)]
pub(crate) struct Round {
    pub(crate) connection: bool,
    /// The places of streams.
    pub(crate) places: Vec<usize>,
}

enum Turn {
    /// Somebody looks again before he goes.
    Polled,
    /// The next one who wakes wakes the task.
    Waiting(Waker),
    /// The task has been woken, or has not been polled yet.
    Due,
}

/// What wakes a stream.
struct OfStream {
    wakes: Arc<Wakes>,
    place: usize,
}

impl Wakes {
    /// A connection has to be polled once before anything can wake it.
    pub(crate) fn new() -> Self {
        let woken = Round { connection: true, places: Vec::new() };
        Self(Mutex::new(State { woken, is_listed: Vec::new(), turn: Turn::Due }))
    }

    pub(crate) fn connection_waker(wakes: &Arc<Self>) -> Waker {
        Waker::from(Arc::clone(wakes))
    }

    /// For the stream in `place`.
    pub(crate) fn waker(wakes: &Arc<Self>, place: usize) -> Waker {
        Waker::from(Arc::new(OfStream { wakes: Arc::clone(wakes), place }))
    }

    pub(crate) fn begin_poll(&self) {
        let _dropped_outside = mem::replace(&mut lock(&self.0).turn, Turn::Polled);
    }

    pub(crate) fn end_poll(&self, waker: &Waker) {
        let waker = waker.clone();
        let mut state = lock(&self.0);
        if state.woken.is_empty() {
            state.turn = Turn::Waiting(waker);
        } else {
            state.turn = Turn::Due;
            drop(state);
            waker.wake();
        }
    }

    /// Puts what has been woken into `round`, which is an empty one. Answers whether there was any.
    pub(crate) fn take(&self, round: &mut Round) -> bool {
        let mut state = lock(&self.0);
        let State { woken, is_listed, .. } = &mut *state;
        round.connection = mem::take(&mut woken.connection);
        mem::swap(&mut round.places, &mut woken.places);
        for &place in &round.places {
            is_listed[place] = false;
        }
        !round.is_empty()
    }

    /// Streams of a round that were not polled: they come first in the next one, each once. Some
    /// may never have been woken: of what came for them the connection knows by itself.
    pub(crate) fn put_back(&self, mut places: Vec<usize>) {
        let mut state = lock(&self.0);
        let State { woken, is_listed, .. } = &mut *state;
        places.append(&mut woken.places);
        let len = places.iter().max().map_or(0, |&place| place + 1);
        is_listed.resize(len.max(is_listed.len()), false);
        for &place in &places {
            is_listed[place] = false;
        }
        places.retain(|&place| !mem::replace(&mut is_listed[place], true));
        woken.places = places;
    }

    fn wake_one(&self, mark: impl FnOnce(&mut State)) {
        let mut state = lock(&self.0);
        mark(&mut state);
        if matches!(state.turn, Turn::Waiting(_))
            && let Turn::Waiting(waker) = mem::replace(&mut state.turn, Turn::Due)
        {
            drop(state);
            waker.wake();
        }
    }
}

impl Round {
    fn is_empty(&self) -> bool {
        !self.connection && self.places.is_empty()
    }
}

impl State {
    fn list(&mut self, place: usize) {
        if self.is_listed.len() <= place {
            self.is_listed.resize(place + 1, false);
        }
        if !mem::replace(&mut self.is_listed[place], true) {
            self.woken.places.push(place);
        }
    }
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.wake_one(|state| state.woken.connection = true);
    }
}

impl Wake for OfStream {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.wakes.wake_one(|state| state.list(self.place));
    }
}
