//! Both halves of a pipe as tasks, beside the model: each call is compared.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use tidegate::pipe::{Cut, Next, Receiver, SendError, Sender, TrySendError, pipe};
use tidegate::watermark::Marks;

use super::dice::Dice;
use super::model::{Errors, Item, Model, Room, seen};
use crate::kit::executor::yield_now;

/// What both halves and the test know.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) model: Rc<RefCell<Model>>,
    pub(crate) alive: Rc<Cell<u64>>,
}

pub(crate) struct Tx {
    sender: Option<Sender<Item, u8, Errors>>,
    shared: Shared,
    dice: Dice,
    numbers: u64,
}

pub(crate) struct Rx {
    receiver: Option<Receiver<Item, u8, Errors>>,
    shared: Shared,
    dice: Dice,
}

/// A pipe, with what chooses for each half.
pub(crate) fn halves(marks: Marks, tx: Vec<u8>, rx: Vec<u8>) -> (Tx, Rx, Shared) {
    let (sender, receiver) = pipe(marks);
    let shared =
        Shared { model: Rc::new(RefCell::new(Model::new(marks))), alive: Rc::new(Cell::new(0)) };
    let dice = Dice::new(tx);
    let tx = Tx { sender: Some(sender), shared: shared.clone(), dice, numbers: 0 };
    let rx = Rx { receiver: Some(receiver), shared: shared.clone(), dice: Dice::new(rx) };
    (tx, rx, shared)
}

impl Tx {
    fn sender(&mut self) -> &mut Sender<Item, u8, Errors> {
        self.sender.as_mut().expect("until it is dropped")
    }

    fn item(&mut self) -> Item {
        let weight_bytes = self.dice.weight_bytes();
        let item = Item::new(self.numbers, weight_bytes, &self.shared.alive);
        self.numbers += 1;
        item
    }

    fn check(&mut self) {
        let model = Rc::clone(&self.shared.model);
        let model = model.borrow();
        let (held, bound) = (model.held_bytes(), model.bound_bytes());
        // What the receiver had fetched before an abort is charged until it is polled.
        assert!(self.sender().held_bytes() == held || model.is_aborted());
        assert!(self.sender().held_bytes() <= bound, "{held} of {bound}");
        model.check_wakes(self.sender().stats());
    }

    /// Sends `items` one way or the other, then ends in one way or the other.
    pub(crate) async fn play(mut self, items: u64) {
        for _ in 0..items {
            if self.dice.below(4) == 3 {
                yield_now().await;
            }
            let sent = match self.dice.below(3) {
                0 => self.send().await,
                1 => self.ready_and_send().await,
                _ => self.try_until_sent().await,
            };
            self.check();
            if !sent {
                break;
            }
        }
        if !self.end() {
            return;
        }
        if self.dice.below(3) == 1 {
            // Anything after the end comes back.
            let item = self.item();
            assert!(self.try_send(item).is_err(), "C2: nothing is sent behind the end");
            self.end();
        }
        self.check();
        if self.dice.below(3) == 1 {
            self.wait_for_close().await;
        }
    }

    async fn ready_and_send(&mut self) -> bool {
        let item = self.item();
        let ready = poll_fn(|cx| {
            let room = self.shared.model.borrow_mut().wait_for_room();
            // The future of each poll is dropped: nothing is lost by that (C14).
            let ready = pin!(self.sender().ready()).poll(cx);
            let expected = match room {
                Room::Yes => Poll::Ready(Ok(())),
                Room::No => Poll::Pending,
                Room::Closed => Poll::Ready(Err(SendError::Closed(()))),
                Room::Ended => Poll::Ready(Err(SendError::Ended(()))),
            };
            assert_eq!(ready, expected);
            ready
        });
        ready.await.is_ok() && self.try_send(item).is_ok()
    }

    async fn send(&mut self) -> bool {
        let item = self.item();
        let (number, weight_bytes) = (item.number, item.weight_bytes);
        let model = Rc::clone(&self.shared.model);
        let mut send = pin!(self.sender().send(item));
        poll_fn(|cx| {
            let room = model.borrow_mut().wait_for_room();
            if room == Room::Yes {
                model.borrow_mut().send(number, weight_bytes);
            }
            let sent = send.as_mut().poll(cx);
            match (room, &sent) {
                (Room::Yes, Poll::Ready(Ok(()))) | (Room::No, Poll::Pending) => {}
                (Room::Closed, Poll::Ready(Err(SendError::Closed(item)))) => {
                    assert_eq!(item.number, number);
                }
                other => panic!("{other:?}"),
            }
            sent.map(|sent| sent.is_ok())
        })
        .await
    }

    async fn try_until_sent(&mut self) -> bool {
        let mut item = self.item();
        loop {
            match self.try_send(item) {
                Ok(()) => return true,
                Err(Some(back)) => item = back,
                Err(None) => return false,
            }
            yield_now().await;
        }
    }

    /// The item back, if it is worth another try.
    fn try_send(&mut self, item: Item) -> Result<(), Option<Item>> {
        let number = item.number;
        let room = self.shared.model.borrow_mut().send(number, item.weight_bytes);
        match (room, self.sender().try_send(item)) {
            (Room::Yes, Ok(())) => Ok(()),
            (Room::No, Err(TrySendError::Full(item))) => Err(Some(item)),
            (Room::Closed, Err(TrySendError::Closed(item)))
            | (Room::Ended, Err(TrySendError::Ended(item))) => {
                assert_eq!(item.number, number);
                Err(None)
            }
            other => panic!("{other:?}"),
        }
    }

    /// Whether it was tried: else the sender is to be dropped.
    fn end(&mut self) -> bool {
        let (ending, taken) = match self.dice.below(4) {
            3 => return false,
            0 => {
                let taken = self.shared.model.borrow_mut().end(Ok(7));
                (taken, self.sender().finish(7).is_ok())
            }
            1 => {
                let taken = self.shared.model.borrow_mut().end(Err(Cut::Failed("failed")));
                (taken, self.sender().fail("failed").is_ok())
            }
            _ => {
                let taken = self.shared.model.borrow_mut().end(Err(Cut::Aborted("aborted")));
                (taken, self.sender().abort("aborted").is_ok())
            }
        };
        assert_eq!(ending, taken);
        true
    }

    /// The receiver goes in the end.
    async fn wait_for_close(&mut self) {
        poll_fn(|cx| {
            let closed = self.shared.model.borrow_mut().wait_for_close();
            let polled = self.sender().poll_closed(cx);
            assert_eq!(polled.is_ready(), closed);
            polled
        })
        .await;
    }
}

impl Drop for Tx {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.shared.model.borrow_mut().drop_sender();
        }
        drop(self.sender.take());
    }
}

impl Rx {
    fn receiver(&mut self) -> &mut Receiver<Item, u8, Errors> {
        self.receiver.as_mut().expect("until it is dropped")
    }

    /// Takes items one way or the other, and closes after `items`, unless the end comes before.
    pub(crate) async fn play(mut self, items: u64) {
        let mut taken = 0;
        while taken < items {
            if self.dice.below(4) == 3 {
                yield_now().await;
            }
            let model = Rc::clone(&self.shared.model);
            let held_bytes = model.borrow().held_bytes();
            assert!(self.receiver().held_bytes() == held_bytes || model.borrow().is_aborted());
            model.borrow().check_wakes(self.receiver().stats());
            let count = if self.dice.below(4) == 1 { self.batch().await } else { 0 };
            taken += match count {
                0 if self.next().await => 1,
                0 => break,
                count => count,
            };
        }
        if self.dice.below(2) == 0 {
            self.shared.model.borrow_mut().close();
            self.receiver().close("closed");
            assert!(!self.next().await);
        }
    }

    /// Whether it was an item.
    async fn next(&mut self) -> bool {
        poll_fn(|cx| {
            let expected = self.shared.model.borrow_mut().next();
            let next = pin!(self.receiver().next()).poll(cx);
            assert_eq!(seen(&next), expected);
            next.map(|next| matches!(next, Next::Item(_)))
        })
        .await
    }

    async fn batch(&mut self) -> u64 {
        let mut items = Vec::new();
        poll_fn(|cx| {
            let expected = self.shared.model.borrow_mut().batch();
            let polled = self.receiver().poll_batch(cx, &mut items);
            let numbers: Vec<u64> = items.iter().map(|item| item.number).collect();
            match (&expected, polled) {
                (None, Poll::Pending) => {}
                (Some(expected), Poll::Ready(count)) => {
                    assert_eq!((expected, numbers.len()), (&numbers, count));
                }
                other => panic!("{other:?}"),
            }
            polled.map(|count| count as u64)
        })
        .await
    }
}

impl Drop for Rx {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.shared.model.borrow_mut().close();
        }
        drop(self.receiver.take());
    }
}
