//! Wakers made by hand.
//!
//! A waker has to be `Send`, and halves with these items are not: what wakers reach stands in a
//! place of the thread while a case runs.

use std::cell::{Cell, RefCell};
use std::panic::resume_unwind;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Wake, Waker};

/// What a waker does besides being counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Plain,
    /// Polls its half inside the call that wakes it.
    Inline,
    PanicsWhenWoken,
    PanicsWhenDropped,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Half {
    Sender,
    Receiver,
}

/// What wakers reach.
pub(crate) trait Woken {
    /// Polls the half, unless it is busy.
    fn poll_inline(&self, half: Half);
}

/// Who was woken, by the number of its waker.
#[derive(Default)]
pub(crate) struct Wakes {
    made: Cell<u64>,
    /// The newest waker of each half.
    newest: [Cell<u64>; 2],
    /// Of each half.
    woken: [Cell<u64>; 2],
    /// The first that woke nobody.
    pub(crate) stale: Cell<Option<u64>>,
    alive: Cell<u64>,
}

thread_local! {
    static REACHED: RefCell<Option<Rc<dyn Woken>>> = const { RefCell::new(None) };
    static WAKES: Rc<Wakes> = Rc::default();
}

impl Wakes {
    /// As new, for a case that `reached` knows.
    pub(crate) fn begin(reached: Rc<dyn Woken>) -> Rc<Self> {
        // Of a case that has failed.
        Self::end();
        REACHED.with(|place| *place.borrow_mut() = Some(reached));
        WAKES.with(|wakes| {
            for cell in wakes.newest.iter().chain(&wakes.woken).chain([&wakes.made, &wakes.alive]) {
                cell.set(0);
            }
            wakes.stale.set(None);
            Rc::clone(wakes)
        })
    }

    /// The case is over.
    pub(crate) fn end() {
        let reached = REACHED.with(|place| place.borrow_mut().take());
        drop(reached);
    }

    pub(crate) fn waker(&self, half: Half, kind: Kind) -> (Waker, u64) {
        let number = self.made.get() + 1;
        self.made.set(number);
        self.alive.set(self.alive.get() + 1);
        (Waker::from(Arc::new(Counted { half, kind, number })), number)
    }

    /// The pipe has it, and no other of that half.
    pub(crate) fn is_registered(&self, half: Half, number: u64) {
        self.newest[half as usize].set(number);
    }

    /// How often that half was woken.
    pub(crate) fn of(&self, half: Half) -> u64 {
        self.woken[half as usize].get()
    }

    pub(crate) fn alive(&self) -> u64 {
        self.alive.get()
    }
}

struct Counted {
    half: Half,
    kind: Kind,
    number: u64,
}

impl Wake for Counted {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let _ = WAKES.try_with(|wakes| {
            let woken = &wakes.woken[self.half as usize];
            woken.set(woken.get() + 1);
            if wakes.newest[self.half as usize].get() != self.number {
                wakes.stale.set(Some(self.number));
            }
        });
        match self.kind {
            Kind::Plain | Kind::PanicsWhenDropped => {}
            Kind::Inline => {
                let reached = REACHED.try_with(|place| place.borrow().clone()).ok().flatten();
                if let Some(reached) = reached {
                    reached.poll_inline(self.half);
                }
            }
            Kind::PanicsWhenWoken => resume_unwind(Box::new("on purpose, in a waker")),
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        // Not there any more if the thread ends after a case that has failed.
        let _ = WAKES.try_with(|wakes| wakes.alive.set(wakes.alive.get().wrapping_sub(1)));
        if self.kind == Kind::PanicsWhenDropped && !std::thread::panicking() {
            resume_unwind(Box::new("on purpose, in the drop of a waker"));
        }
    }
}
