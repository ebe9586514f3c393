//! The task of one side: its source and its sink.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use tidegate::chain::InputError;
use tidegate::exchange::{Direction, Side};
use tidegate::{Error, ErrorKind, LocalReply, Origin, Output, Timeout};

use super::case::{Declares, Input, SideSpec};
use super::marks::{MARK_FIELD, REPLIED, body_bytes};
use super::seen::Seen;
use super::third::{Gate, Hall};
use super::world::World;
use crate::kit::Dir;

/// What the task of one side needs.
pub(crate) struct Peer<H: Dir> {
    pub(crate) side: Side<H>,
    pub(crate) spec: SideSpec,
    pub(crate) log: Rc<RefCell<Log>>,
    /// Input waits for it.
    pub(crate) gate: Rc<Gate>,
    /// The gate is for the first input; else for what comes after the last.
    pub(crate) gate_is_first: bool,
    pub(crate) hall: Rc<Hall>,
    pub(crate) world: Arc<World>,
    pub(crate) stream: u8,
    /// Of the chain, in bytes.
    pub(crate) bound_bytes: u64,
    /// It has no other side.
    pub(crate) alone: bool,
    pub(crate) inform: fn(&mut Side<H>, HeaderMap),
}

/// What went in and came out.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) seen: Seen,
    /// What the chain has taken.
    pub(crate) sent: Vec<u8>,
    /// It has taken trailers.
    pub(crate) trailers: bool,
    outputs: u32,
}

/// What a poll came to.
enum Turn<H> {
    Output(Output<H>),
    Over,
    /// An input was given.
    Next,
}

impl<H: Dir> Peer<H> {
    pub(crate) async fn play(mut self) -> Rc<RefCell<Log>> {
        let inputs = std::mem::take(&mut self.spec.inputs);
        let mut inputs = inputs.into_iter().peekable();
        let mut source: Option<Rc<Gate>> = None;
        let mut sink: Option<Rc<Gate>> = None;
        loop {
            let turn = poll_fn(|cx| {
                let next = inputs.peek().copied();
                self.turn(cx, next, &mut source, &mut sink)
            });
            match turn.await {
                Turn::Output(output) => {
                    self.take(output);
                    let outputs = self.log.borrow().outputs;
                    let one_in = u32::from(self.spec.sink_waits_one_in);
                    if one_in > 0 && outputs.is_multiple_of(one_in) {
                        sink = Some(self.hall.gate(&self.world));
                    }
                }
                Turn::Over => break,
                Turn::Next => {
                    if inputs.next() == Some(Input::Drop) {
                        self.log.borrow_mut().seen.dropped = true;
                        break;
                    }
                }
            }
            self.check_bound();
        }
        let mut log = self.log.borrow_mut();
        // Where the end was visible and something came in its place, it is not given out.
        log.seen.complete |=
            log.seen.head && !log.seen.is_over() && self.side.chain().is_end_stream();
        drop(log);
        self.gate.forget();
        self.log
    }

    /// Everything that is there now; then the next input, or a wait for a wake.
    fn turn(
        &mut self,
        cx: &mut Context<'_>,
        next: Option<Input>,
        source: &mut Option<Rc<Gate>>,
        sink: &mut Option<Rc<Gate>>,
    ) -> Poll<Turn<H>> {
        let is_data = matches!(next, Some(Input::Data { .. } | Input::Pushed { .. }));
        if self.spec.eager && is_data && self.side.wants_input() && self.gate_is_open(cx) {
            let given = next.and_then(|input| self.give(input));
            assert!(given.is_some(), "I7: what is wanted is taken");
            return Poll::Ready(Turn::Next);
        }
        if let Some(gate) = sink {
            if !gate.is_open(cx) {
                return Poll::Pending;
            }
            *sink = None;
        }
        let polled = if self.spec.by_hand { self.by_hand(cx) } else { self.side.poll_next(cx) };
        match polled {
            Poll::Ready(Some(output)) => return Poll::Ready(Turn::Output(output)),
            Poll::Ready(None) => {
                assert!(self.side.poll_next(cx).is_ready(), "C2: what is over stays over");
                return Poll::Ready(Turn::Over);
            }
            Poll::Pending => {}
        }
        if self.side.drain_time().is_some() && next.is_none() {
            // The timer of an edge.
            self.side.stop_draining();
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.gate_is_first && !self.gate_is_open(cx) {
            return Poll::Pending;
        }
        match next {
            // A client that has stopped sending, without an end, goes when it has its answer.
            None if !self.gate_is_first && self.gate.is_open(cx) => {
                self.side.cancel();
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            None => Poll::Pending,
            Some(Input::Wait) => {
                let gate = source.get_or_insert_with(|| self.hall.gate(&self.world));
                if !gate.is_open(cx) {
                    return Poll::Pending;
                }
                *source = None;
                Poll::Ready(Turn::Next)
            }
            Some(input) if self.give(input).is_some() => Poll::Ready(Turn::Next),
            Some(_) => Poll::Pending,
        }
    }

    fn gate_is_open(&self, cx: &Context<'_>) -> bool {
        !self.gate_is_first || self.gate.is_open(cx)
    }

    /// What `poll_next` does, from its parts: mail first, outputs, then both wakers.
    fn by_hand(&mut self, cx: &Context<'_>) -> Poll<Option<Output<H>>> {
        let side = &mut self.side;
        loop {
            if side.has_mail() {
                let _ = side.poll_mail(cx);
            }
            side.handle_resumes();
            if side.chain().head_was_taken()
                && let Some(data) = side.poll_data()
            {
                return Poll::Ready(Some(Output::Data(data)));
            }
            if let Some(output) = side.poll_output() {
                return Poll::Ready(Some(output));
            }
            if side.drain_time().is_some() {
                return Poll::Pending;
            }
            if side.chain().outcome().is_some() {
                return Poll::Ready(None);
            }
            if side.chain().has_work() {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let mut look_again = false;
            if let Some(set) = side.chain().resume_set() {
                set.register(cx.waker());
                // What came before the waker was there.
                side.handle_resumes();
                look_again = side.chain().has_work() || side.chain().outcome().is_some();
            }
            if side.poll_mail(cx).is_pending() && !look_again {
                return match side.poll_output() {
                    Some(output) => Poll::Ready(Some(output)),
                    None if side.chain().outcome().is_some() => Poll::Ready(None),
                    None => Poll::Pending,
                };
            }
        }
    }

    fn take(&mut self, output: Output<H>) {
        if matches!(output, Output::Head { .. }) && self.spec.announces_none {
            self.side.send_only_trailers(Vec::new());
        }
        let mut log = self.log.borrow_mut();
        log.outputs += 1;
        log.seen.take(output, self.alone);
    }

    /// Rule I7.
    fn check_bound(&self) {
        let held_bytes = self.side.chain().held_bytes();
        let bound_bytes = self.bound_bytes;
        assert!(held_bytes <= bound_bytes, "I7: {held_bytes} held, {bound_bytes} is the bound");
    }

    /// Gives the side one input, if it takes it now. `None`: it has to wait.
    fn give(&mut self, input: Input) -> Option<()> {
        let side = &mut self.side;
        match input {
            Input::Informational => (self.inform)(side, marked(self.stream)),
            Input::Head { status, end } => {
                let head = head::<H>(&self.spec, self.stream, status);
                drop(side.handle_head(head, end));
            }
            Input::Data { .. } if !side.wants_input() && !side.input_stopped() => return None,
            Input::Data { bytes, end } => return self.give_data(bytes, end),
            Input::Pushed { bytes } => return self.give_data(bytes, false),
            Input::Trailers => {
                let taken = side.handle_trailers(marked(self.stream)).is_ok();
                self.log.borrow_mut().trailers = taken;
            }
            Input::End => drop(side.handle_end()),
            Input::Reset => {
                let peer = match Direction::of::<H>() {
                    Direction::Request => Origin::Downstream,
                    Direction::Response => Origin::Upstream,
                };
                side.handle_reset(Error::new(ErrorKind::Reset, peer));
            }
            Input::Timeout { which } => {
                if which >= 128 {
                    side.set_awaits_source(true);
                }
                let all = [Timeout::Idle, Timeout::Total, Timeout::Hold];
                side.handle_timeout(all[usize::from(which) % all.len()]);
            }
            Input::Abort => side.abort(Error::new(ErrorKind::Reset, Origin::Internal)),
            Input::Cancel => side.cancel(),
            Input::Reply => {
                let body = Bytes::from_static(&[REPLIED; 3]);
                side.handle_reply(LocalReply::text(StatusCode::FORBIDDEN, body));
            }
            Input::Awaits(awaits) => side.set_awaits_source(awaits),
            Input::Debug => print(side),
            Input::Drop | Input::Wait => {}
        }
        Some(())
    }

    fn give_data(&mut self, bytes: u16, end: bool) -> Option<()> {
        let mut log = self.log.borrow_mut();
        let data = body_bytes(self.stream, H::REQUEST, log.sent.len(), bytes.into());
        let was_wanted = self.side.wants_input();
        match self.side.handle_data(data.clone(), end) {
            Ok(()) => log.sent.extend_from_slice(&data),
            Err(InputError::NotWanted(back)) => {
                assert!(!was_wanted, "I7: what is wanted is taken");
                assert_eq!(back, data, "what is not taken comes back");
                return None;
            }
            Err(InputError::Ended | InputError::OutOfOrder) => {}
            Err(error @ InputError::NotInformational) => panic!("{error:?} for data"),
        }
        Some(())
    }
}

/// What can be asked at any time.
fn print<H: Dir>(side: &Side<H>) {
    let set = side.chain().resume_set();
    let direction = Direction::of::<H>();
    let text = format!("{direction} {side:?} {set:?} {:?}", side.chain().stats());
    assert!(!text.is_empty());
    assert!(side.drained_bytes() == 0 || side.is_started());
}

fn marked(stream: u8) -> HeaderMap {
    let mut map = HeaderMap::new();
    map.insert(MARK_FIELD, u16::from(stream).into());
    map
}

fn head<H: Dir>(spec: &SideSpec, stream: u8, status: u16) -> H {
    let mut head = H::plain();
    *head.headers_mut() = marked(stream);
    head.set_status(StatusCode::from_u16(status).expect("a status"));
    let total_bytes = spec.body_bytes;
    let declared = match spec.declares {
        Declares::Nothing => return head,
        Declares::Truth => total_bytes.to_string(),
        Declares::Wrong(by) => total_bytes.saturating_add_signed(by.into()).to_string(),
        Declares::Garbage => "1x".to_owned(),
    };
    head.headers_mut().insert(header::CONTENT_LENGTH, declared.parse().expect("a field value"));
    head
}
