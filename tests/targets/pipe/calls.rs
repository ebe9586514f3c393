//! Both halves call by call, with wakers made by hand: who is woken, by which call, is compared.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use tidegate::pipe::{Cut, Next, Receiver, SendError, Sender, TrySendError, pipe};
use tidegate::watermark::Marks;

use super::choices::Choices;
use super::dice::Dice;
use super::model::{Ending, Errors, Item, Model, Room, seen};
use super::script::marks;
use super::wakers::{Half, Kind, Wakes, Woken};

const MOST_CALLS: usize = 128;

/// A pipe and what is called on it.
#[derive(Debug)]
pub(crate) struct Calls {
    marks: Marks,
    calls: Vec<Call>,
}

#[derive(Debug, Clone, Copy)]
enum Call {
    Ready(Kind),
    TrySend {
        weight_bytes: u64,
    },
    /// The future is polled once, and dropped.
    Send {
        kind: Kind,
        weight_bytes: u64,
    },
    Finish,
    Fail,
    Abort,
    Closed(Kind),
    Reason,
    DropSender,
    Next(Kind),
    Batch(Kind),
    Peek,
    Close,
    DropReceiver,
    Debug,
}

const TABLE: [u8; 48] = [
    0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3, 4, 5, 6, 6, 7, 8, 9, 9, 9, 9, 9, 9, 9,
    9, 9, 9, 9, 9, 10, 10, 10, 11, 12, 13, 14, 1, 9, 0, 10,
];

impl Calls {
    pub(super) fn decode(choices: &mut Choices<'_>) -> Self {
        let marks = marks(choices);
        let swarm = choices.swarm();
        let mut calls = Vec::new();
        while !choices.is_empty() && calls.len() < MOST_CALLS {
            let which = swarm.pick(&TABLE, choices);
            calls.push(call(which, choices));
        }
        Self { marks, calls }
    }

    pub(super) fn play(&self) {
        let rig = Rc::new(Rig::new(self.marks));
        let wakes = Wakes::begin(Rc::<Rig>::clone(&rig));
        for call in &self.calls {
            rig.call(*call, &wakes);
            rig.check(&wakes);
        }
        rig.call(Call::DropSender, &wakes);
        rig.check(&wakes);
        rig.call(Call::DropReceiver, &wakes);
        Wakes::end();
        let model = rig.model.borrow();
        assert_eq!(rig.alive.get(), 0, "C8: items were leaked");
        assert_eq!(wakes.alive(), 0, "C8: wakers were leaked");
        assert_eq!(model.given + model.dropped_items, model.items, "C1: items were lost");
        assert!(model.endings <= 1, "C2: {} ends", model.endings);
    }
}

fn call(which: u8, choices: &mut Choices<'_>) -> Call {
    let kind = |choices: &mut Choices<'_>| match choices.below(16) {
        10..=12 => Kind::Inline,
        13 | 14 => Kind::PanicsWhenWoken,
        15 => Kind::PanicsWhenDropped,
        _ => Kind::Plain,
    };
    let weight_bytes =
        |choices: &mut Choices<'_>| Dice::new(vec![choices.byte(), choices.byte()]).weight_bytes();
    match which {
        0 => Call::Ready(kind(choices)),
        1 => Call::TrySend { weight_bytes: weight_bytes(choices) },
        2 => Call::Send { kind: kind(choices), weight_bytes: weight_bytes(choices) },
        3 => Call::Finish,
        4 => Call::Fail,
        5 => Call::Abort,
        6 => Call::Closed(kind(choices)),
        7 => Call::Reason,
        8 => Call::DropSender,
        9 => Call::Next(kind(choices)),
        10 => Call::Batch(kind(choices)),
        11 => Call::Peek,
        12 => Call::Close,
        13 => Call::DropReceiver,
        _ => Call::Debug,
    }
}

/// Both halves and the model. A half that is in a call is borrowed: who is woken meanwhile finds
/// the other one free.
struct Rig {
    sender: RefCell<Option<Sender<Item, u8, Errors>>>,
    receiver: RefCell<Option<Receiver<Item, u8, Errors>>>,
    model: RefCell<Model>,
    alive: Rc<Cell<u64>>,
    numbers: Cell<u64>,
    /// The receiver gave a reason.
    reason: Cell<Option<Errors>>,
}

impl Rig {
    fn new(marks: Marks) -> Self {
        let (sender, receiver) = pipe(marks);
        Self {
            sender: RefCell::new(Some(sender)),
            receiver: RefCell::new(Some(receiver)),
            model: RefCell::new(Model::new(marks)),
            alive: Rc::default(),
            numbers: Cell::new(0),
            reason: Cell::new(None),
        }
    }

    fn item(&self, weight_bytes: u64) -> Item {
        let number = self.numbers.get();
        self.numbers.set(number + 1);
        Item::new(number, weight_bytes, &self.alive)
    }

    fn call(&self, call: Call, wakes: &Wakes) {
        match call {
            Call::Next(kind) => self.polled(Half::Receiver, kind, wakes, |cx| self.next(cx)),
            Call::Batch(kind) => self.polled(Half::Receiver, kind, wakes, |cx| self.batch(cx)),
            Call::Ready(kind) => self.polled(Half::Sender, kind, wakes, |cx| self.ready(cx)),
            Call::Closed(kind) => self.polled(Half::Sender, kind, wakes, |cx| self.closed(cx)),
            Call::Send { kind, weight_bytes } => {
                self.polled(Half::Sender, kind, wakes, |cx| self.send(cx, weight_bytes));
            }
            Call::TrySend { weight_bytes } => self.try_send(weight_bytes),
            Call::Finish | Call::Fail | Call::Abort => self.end(call),
            Call::Reason => self.look_at_reason(),
            Call::Peek => self.peek(),
            Call::Close => {
                if let Some(receiver) = &mut *self.receiver.borrow_mut() {
                    if !self.model.borrow().is_closed() {
                        self.reason.set(Some("closed"));
                    }
                    self.model.borrow_mut().close();
                    receiver.close("closed");
                }
            }
            Call::DropSender => {
                let sender = self.sender.borrow_mut().take();
                if sender.is_some() {
                    self.model.borrow_mut().drop_sender();
                }
                drop(sender);
            }
            Call::DropReceiver => {
                let receiver = self.receiver.borrow_mut().take();
                if receiver.is_some() {
                    self.model.borrow_mut().close();
                }
                drop(receiver);
            }
            Call::Debug => {
                let text = format!("{:?} {:?}", self.sender.borrow(), self.receiver.borrow());
                assert!(!text.is_empty());
            }
        }
    }

    /// Polls with a new waker, whose only other owner is the pipe then. A waker that was replaced
    /// may panic out of the poll: the pipe is as it was, and is polled again.
    fn polled(
        &self,
        half: Half,
        kind: Kind,
        wakes: &Wakes,
        poll: impl Fn(&mut Context<'_>) -> Poll<()>,
    ) {
        let once = |kind: Kind| {
            let (waker, number) = wakes.waker(half, kind);
            let held = Held(Some(waker));
            let before = wakes.of(half);
            let polled = poll(&mut Context::from_waker(held.waker()));
            if polled.is_pending() && kind == Kind::Plain {
                // The same waker once more changes nothing.
                assert!(poll(&mut Context::from_waker(held.waker())).is_pending());
            }
            // Unless it was woken before its poll was over.
            if polled.is_pending() && wakes.of(half) == before {
                wakes.is_registered(half, number);
            }
        };
        let mut kind = kind;
        while let Err(payload) = catch_unwind(AssertUnwindSafe(|| once(kind))) {
            if !is_on_purpose(&*payload) {
                resume_unwind(payload);
            }
            // The one before is gone, and the new one is there: it may panic in its turn, once.
            kind = Kind::Plain;
        }
    }

    fn check(&self, wakes: &Wakes) {
        let model = self.model.borrow();
        assert_eq!(wakes.stale.get(), None, "a waker was woken that had been replaced");
        assert_eq!(wakes.of(Half::Sender), model.sender_wakes, "C6: wakes of the sender");
        assert_eq!(wakes.of(Half::Receiver), model.receiver_wakes, "C6: wakes of the receiver");
        if let Some(sender) = &mut *self.sender.borrow_mut() {
            model.check_wakes(sender.stats());
            assert!(sender.held_bytes() == model.held_bytes() || model.is_aborted());
            assert!(sender.held_bytes() <= model.bound_bytes(), "C4: the bound");
            assert_eq!(sender.is_closed(), model.is_closed());
            match model.room() {
                Room::Yes => assert!(sender.has_room()),
                Room::No => assert!(!sender.has_room()),
                // Nobody waits for room that cannot be used.
                Room::Closed | Room::Ended => {}
            }
        }
        if let Some(receiver) = &*self.receiver.borrow() {
            model.check_wakes(receiver.stats());
            assert!(receiver.held_bytes() == model.held_bytes() || model.is_aborted());
        }
    }

    fn ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(sender) = &mut *self.sender.borrow_mut() else { return Poll::Ready(()) };
        let room = self.model.borrow_mut().wait_for_room();
        let ready = sender.poll_ready(cx);
        assert_eq!(ready, expected_ready(room));
        ready.map(drop)
    }

    fn closed(&self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(sender) = &mut *self.sender.borrow_mut() else { return Poll::Ready(()) };
        let closed = self.model.borrow_mut().wait_for_close();
        let polled = sender.poll_closed(cx);
        assert_eq!(polled.is_ready(), closed);
        polled
    }

    /// C14: a value whose future is dropped was not sent, and is dropped with it.
    fn send(&self, cx: &mut Context<'_>, weight_bytes: u64) -> Poll<()> {
        let Some(sender) = &mut *self.sender.borrow_mut() else { return Poll::Ready(()) };
        let item = self.item(weight_bytes);
        let number = item.number;
        let room = {
            let mut model = self.model.borrow_mut();
            let room = model.wait_for_room();
            if room == Room::Yes {
                model.send(number, weight_bytes);
            }
            room
        };
        let mut send = pin!(sender.send(item));
        let sent = send.as_mut().poll(cx);
        match (room, &sent) {
            (Room::Yes, Poll::Ready(Ok(()))) | (Room::No, Poll::Pending) => {}
            (Room::Closed, Poll::Ready(Err(SendError::Closed(item))))
            | (Room::Ended, Poll::Ready(Err(SendError::Ended(item)))) => {
                assert_eq!(item.number, number, "C14: it comes back");
            }
            other => panic!("{other:?}"),
        }
        sent.map(|sent| {
            if let Err(error) = sent {
                assert!(!format!("{error:?} {error}").is_empty());
                assert_eq!(error.into_inner().number, number);
            }
        })
    }

    fn try_send(&self, weight_bytes: u64) {
        let Some(sender) = &mut *self.sender.borrow_mut() else { return };
        let item = self.item(weight_bytes);
        let number = item.number;
        let room = self.model.borrow_mut().send(number, weight_bytes);
        let sent = sender.try_send(item);
        match (room, &sent) {
            (Room::Yes, Ok(()))
            | (Room::No, Err(TrySendError::Full(_)))
            | (Room::Closed, Err(TrySendError::Closed(_)))
            | (Room::Ended, Err(TrySendError::Ended(_))) => {}
            other => panic!("{other:?}"),
        }
        if let Err(error) = sent {
            assert!(!format!("{error:?} {error}").is_empty());
            assert_eq!(error.into_inner().number, number, "C14: it comes back");
        }
    }

    fn end(&self, call: Call) {
        let Some(sender) = &mut *self.sender.borrow_mut() else { return };
        let ending: Ending = match call {
            Call::Finish => Ok(7),
            Call::Fail => Err(Cut::Failed("failed")),
            _ => Err(Cut::Aborted("aborted")),
        };
        let (closed, taken) = {
            let mut model = self.model.borrow_mut();
            (model.room() == Room::Closed, model.end(ending))
        };
        let (ended, back) = match call {
            Call::Finish => {
                let ended = sender.finish(7);
                (ended.is_ok(), ended == Err(SendError::Closed(7)))
            }
            Call::Fail => {
                let ended = sender.fail("failed");
                (ended.is_ok(), ended == Err(SendError::Closed("failed")))
            }
            _ => {
                let ended = sender.abort("aborted");
                (ended.is_ok(), ended == Err(SendError::Closed("aborted")))
            }
        };
        assert_eq!((ended, back), (taken, closed), "C2: {call:?}");
    }

    fn look_at_reason(&self) {
        if let Some(sender) = &mut *self.sender.borrow_mut() {
            let reason = self.reason.get().filter(|_| self.model.borrow().is_closed());
            assert_eq!(sender.close_reason().copied(), reason);
        }
    }

    fn next(&self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(receiver) = &mut *self.receiver.borrow_mut() else { return Poll::Ready(()) };
        let expected = self.model.borrow_mut().next();
        let next = receiver.poll_next(cx);
        assert_eq!(seen(&next), expected);
        next.map(|next| {
            if let Next::Cut(cut) = next {
                assert!(!cut.to_string().is_empty());
            }
        })
    }

    fn batch(&self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(receiver) = &mut *self.receiver.borrow_mut() else { return Poll::Ready(()) };
        let expected = self.model.borrow_mut().batch();
        let mut items = Vec::new();
        let polled = receiver.poll_batch(cx, &mut items);
        let numbers: Vec<u64> = items.iter().map(|item: &Item| item.number).collect();
        match (&expected, &polled) {
            (None, Poll::Pending) => {}
            (Some(expected), Poll::Ready(count)) => {
                assert_eq!((expected, numbers.len()), (&numbers, *count));
            }
            other => panic!("{other:?}"),
        }
        polled.map(drop)
    }

    fn peek(&self) {
        if let Some(receiver) = &*self.receiver.borrow() {
            let end = self.model.borrow().fetched_end().and_then(Result::ok);
            assert_eq!(receiver.peek_end().copied(), end);
        }
    }
}

impl Woken for Rig {
    fn poll_inline(&self, half: Half) {
        // With a waker that does nothing: as a task that looks once.
        let mut cx = Context::from_waker(Waker::noop());
        match half {
            Half::Sender if self.sender.try_borrow_mut().is_ok() => {
                if self.model.borrow().room() != Room::No {
                    let _ = self.ready(&mut cx);
                }
            }
            Half::Receiver if self.receiver.try_borrow_mut().is_ok() => {
                // Whoever was woken finds something.
                let found = self.next(&mut cx);
                assert!(found.is_ready(), "C7: a wake for nothing");
            }
            Half::Sender | Half::Receiver => {}
        }
    }
}

/// A waker that is dropped last where nobody minds a panic.
struct Held(Option<Waker>);

impl Held {
    fn waker(&self) -> &Waker {
        self.0.as_ref().expect("until it is dropped")
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let waker = self.0.take();
        let dropped = catch_unwind(AssertUnwindSafe(|| drop(waker)));
        drop(dropped);
    }
}

fn is_on_purpose(payload: &(dyn std::any::Any + Send)) -> bool {
    payload.downcast_ref::<&str>().is_some_and(|text| text.starts_with("on purpose"))
}

fn expected_ready(room: Room) -> Poll<Result<(), SendError<()>>> {
    match room {
        Room::Yes => Poll::Ready(Ok(())),
        Room::No => Poll::Pending,
        Room::Closed => Poll::Ready(Err(SendError::Closed(()))),
        Room::Ended => Poll::Ready(Err(SendError::Ended(()))),
    }
}
