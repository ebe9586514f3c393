//! The third task: it resumes, wakes, lets go, and opens what others wait for.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::choices::Choices;
use super::world::World;
use crate::kit::executor::yield_now;

/// Something that a task has to wait for, besides its side. Opening it is no news of the exchange:
/// a side that has to hear of the other one must be woken by that one.
#[derive(Default)]
pub(crate) struct Gate {
    open: Cell<bool>,
    waiting: RefCell<Option<Waker>>,
}

impl Gate {
    pub(crate) fn new(open: bool) -> Rc<Self> {
        Rc::new(Self { open: Cell::new(open), waiting: RefCell::default() })
    }

    pub(crate) fn open(&self) {
        self.open.set(true);
        let waiting = self.waiting.borrow_mut().take();
        if let Some(waker) = waiting {
            waker.wake();
        }
    }

    /// Nobody waits any more.
    pub(crate) fn forget(&self) {
        self.waiting.borrow_mut().take();
    }

    /// Whether it is open; else the task is woken when it is.
    pub(crate) fn is_open(&self, cx: &Context<'_>) -> bool {
        if !self.open.get() {
            *self.waiting.borrow_mut() = Some(cx.waker().clone());
        }
        self.open.get()
    }
}

/// Gates that wait for the third task, and how many sides are over.
#[derive(Default)]
pub(crate) struct Hall {
    closed: RefCell<Vec<Rc<Gate>>>,
    sides_left: Cell<u32>,
}

impl Hall {
    pub(crate) fn new(sides: u32) -> Rc<Self> {
        Rc::new(Self { closed: RefCell::default(), sides_left: Cell::new(sides) })
    }

    /// A gate that the third task will open.
    pub(crate) fn gate(&self, world: &World) -> Rc<Gate> {
        let gate = Gate::new(false);
        self.closed.borrow_mut().push(Rc::clone(&gate));
        world.ring();
        gate
    }

    pub(crate) fn leave(&self, world: &World) {
        self.sides_left.set(self.sides_left.get() - 1);
        world.ring();
    }
}

/// Does one thing after the other, as the choices say, until both sides are over. Sleeps while
/// there is nothing to do, so that a wake which is lost is not made good by accident.
pub(crate) async fn third(choices: Vec<u8>, world: Arc<World>, hall: Rc<Hall>) {
    let mut choices = Choices::new(&choices);
    loop {
        let is_over = poll_fn(|cx| {
            if hall.sides_left.get() == 0 {
                return Poll::Ready(true);
            }
            let mut state = world.lock();
            if hall.closed.borrow().is_empty() && state.handles.is_empty() && state.naps.is_empty()
            {
                state.bell = Some(cx.waker().clone());
                return Poll::Pending;
            }
            Poll::Ready(false)
        });
        if is_over.await {
            return;
        }
        act(&mut choices, &world, &hall);
        if choices.percent(50) {
            yield_now().await;
        }
    }
}

fn act(choices: &mut Choices<'_>, world: &World, hall: &Hall) {
    let gates = hall.closed.borrow().len();
    let (naps, handles) = {
        let state = world.lock();
        (state.naps.len(), state.handles.len())
    };
    let which = choices.below(gates + naps + handles);
    // Whatever is woken here may poll at once: nothing is borrowed or locked.
    if which < gates {
        let gate = hall.closed.borrow_mut().swap_remove(which);
        gate.open();
    } else if which < gates + naps {
        let waker = world.lock().naps.swap_remove(which - gates);
        if choices.percent(5) {
            drop(waker);
        } else {
            waker.wake();
        }
    } else if which < gates + naps + handles {
        let handle = world.lock().handles.swap_remove(which - gates - naps);
        match choices.below(16) {
            12 => {
                let text = format!("{handle:?}");
                assert!(!text.is_empty());
                handle.resume();
            }
            13 => drop(handle),
            14 => {
                handle.resume();
                handle.clone().resume();
            }
            15 => {
                let other = handle.clone();
                handle.resume();
                drop(handle);
                drop(other);
            }
            _ => drop(handle.resume()),
        }
    }
}
