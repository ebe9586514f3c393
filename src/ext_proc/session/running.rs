//! A session between its first message and its end.
//!
//! This module never decides what may be said: the ledger does.

use core::task::{Context, Waker};
use core::time::Duration;

use http::{Method, StatusCode, request, response};

use super::half::{Answers, Asking, Half, Step};
use super::heads::{SessionHead, details};
use super::{BindError, ChosenMode, SessionPlan, difference};
use crate::chain::MessageTraits;
use crate::error::{Error, ErrorKind, Origin, Timeout};
use crate::exchange::{Direction, Refused};
use crate::ext_proc::automaton::{Debt, Ledger, Received, Violation};
use crate::ext_proc::mode::{
    BodyMode, DirectionMode, FilterConfig, ModeOverride, OverrideMoment, OverrideRefusal,
    ProcessingMode, SendMode,
};
use crate::ext_proc::wire::{Envelope, Event, HeaderMutation, ProtocolConfig, Reply, Section};
use crate::sync::Arc;

/// Both messages of an exchange, and what is owed.
pub(super) struct Running {
    ledger: Ledger,
    request: Half<request::Parts>,
    /// By itself: both together are more than an allocator keeps at hand for the next stream.
    response: Box<Half<response::Parts>>,
    /// Which direction is polled first: the other one than the last that had something to say.
    first: Direction,
    /// The request was cut, and waits for an answer from the response's side.
    cut: Option<Error>,
    observes: bool,
    more_time: Option<Duration>,
    /// For which directions the client was asked to wait, since the last answer.
    asked: Asked,
    choice: Choice,
    input: Input,
    /// Of the last poll: who polls with another one looks at everything, to leave it there.
    waker: Option<Waker>,
}

/// Whether more can come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Input {
    Open,
    /// The data plane has said that it sends nothing more; it still reads.
    Closed,
}

/// For which directions more time was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Neither,
    One(Direction),
    Both,
}

impl Asked {
    fn has(self, direction: Direction) -> bool {
        match self {
            Self::Neither => false,
            Self::One(asked) => asked == direction,
            Self::Both => true,
        }
    }

    fn with(self, direction: Direction) -> Self {
        match self {
            Self::Neither => Self::One(direction),
            Self::One(asked) if asked == direction => self,
            Self::One(_) | Self::Both => Self::Both,
        }
    }

    fn without(self, direction: Direction) -> Self {
        match self {
            Self::One(asked) if asked != direction => self,
            Self::Both => Self::One(other(direction)),
            Self::Neither | Self::One(_) => Self::Neither,
        }
    }
}

/// Whether the embedder wants another mode for this exchange.
pub(super) enum Choice {
    Nothing,
    /// It cannot have it.
    Refused(OverrideRefusal),
    Wanted {
        announced: ProcessingMode,
        asking: Asking,
        /// Something came that only `mode` shows.
        is_confirmed: bool,
    },
}

impl Choice {
    pub(super) fn new(
        plan: &SessionPlan,
        announced: ProcessingMode,
        config: Option<ProtocolConfig>,
        head: &Section,
    ) -> Self {
        let settings = plan.settings();
        let mode = settings.choose_mode.as_ref().and_then(|choose| {
            let head = request::Parts::read(Box::new(head.clone())).ok()?;
            choose(&head, announced).filter(|mode| *mode != announced)
        });
        let Some(mode) = mode else { return Self::Nothing };
        let wanted = ModeOverride::new(mode);
        let moment = OverrideMoment::WithHeadersAnswer(Direction::Request);
        let checked = match &settings.config {
            // Whatever is stated: what the stream itself says counts.
            _ if config.is_some_and(|config| config.send_body_without_waiting) => {
                Err(OverrideRefusal::SentWithoutWaiting)
            }
            Some(config) => config.check_override(announced, wanted, moment),
            None => {
                let mut config = FilterConfig::new(announced);
                config.allow_mode_override = true;
                config.check_override(announced, wanted, moment)
            }
        };
        match checked {
            Ok(()) => {
                let alone = |config: &Arc<FilterConfig>| {
                    config.check_override(announced, wanted, OverrideMoment::StandAlone).is_ok()
                };
                let can_stand_alone = settings.config.as_ref().is_some_and(alone);
                let asking = Asking { mode, can_stand_alone };
                Self::Wanted { announced, asking, is_confirmed: false }
            }
            Err(refusal) => Self::Refused(refusal),
        }
    }

    pub(super) fn refused(&self) -> Option<ChosenMode> {
        match self {
            Self::Refused(refusal) => Some(ChosenMode::Refused(refusal.clone())),
            Self::Nothing | Self::Wanted { .. } => None,
        }
    }

    /// Takes note of something that came, by the mode that was announced for its direction.
    fn note(&mut self, direction: Direction, is_shown: impl FnOnce(DirectionMode) -> bool) {
        if let Self::Wanted { announced, is_confirmed, .. } = self {
            *is_confirmed |= !is_shown(announced.of(direction));
        }
    }
}

/// What a poll came to. A reply goes into a place of the caller's: it is large, and would be moved
/// with each return.
pub(super) enum Turn {
    Reply,
    /// The immediate response: nothing follows.
    Last {
        status: StatusCode,
    },
    Complete,
    /// Nothing more comes, and nothing is owed.
    Released,
    /// Nothing more comes, and a message was cut by that.
    Abandoned,
    Failed(Error),
    Idle,
}

impl Running {
    /// The first message is the head of a request, if `head` is.
    pub(super) fn new(
        plan: &SessionPlan,
        announced: ProcessingMode,
        observes: bool,
        head: Option<&Section>,
        choice: Choice,
    ) -> Result<Box<Self>, BindError> {
        let method = head.and_then(|head| head.pseudo("method"));
        let chosen = match &choice {
            Choice::Wanted { asking, .. } => Some(*asking),
            Choice::Nothing | Choice::Refused(_) => None,
        };
        let mode = chosen.map_or(announced, |asking| asking.mode);
        let bound = plan.bound(mode, observes)?;
        let mut response_traits = traits(bound.response.mode, observes);
        if method.is_some_and(|method| method == Method::HEAD.as_str()) {
            response_traits = response_traits.bodiless();
        }
        let sides = bound.plan.exchange(traits(bound.request.mode, observes), response_traits);
        // Large: made where they stay.
        let (request, response) = match sides {
            Ok((request, response)) => {
                let response = Half::new(response, bound.response);
                (request, Box::write(Box::new_uninit(), response))
            }
            Err(Refused::Request { unmet, .. } | Refused::Response { unmet }) => {
                return Err(BindError::Capability(unmet));
            }
        };
        let mut running = Box::write(
            Box::new_uninit(),
            Self {
                ledger: if observes {
                    Ledger::observing(announced)
                } else {
                    Ledger::new(announced)
                },
                request: Half::new(request, bound.request),
                response,
                first: Direction::Request,
                cut: None,
                observes,
                more_time: plan.settings().more_time,
                asked: Asked::Neither,
                choice,
                input: Input::Open,
                waker: None,
            },
        );
        if let Some(asking) = chosen {
            running.request.set_override(asking);
        }
        if let Some(observer) = plan.observer() {
            running.request.set_observer(observer);
            running.response.set_observer(observer);
        }
        Ok(running)
    }

    pub(super) fn handle(&mut self, event: Event) -> Result<(), Violation> {
        match event {
            Event::Headers { direction, section, end_of_stream, envelope } => {
                self.ledger.receive(direction, Received::Headers { end_of_stream })?;
                self.choice.note(direction, |mode| mode.headers() == SendMode::Send);
                match direction {
                    Direction::Request => {
                        give_head(&mut self.request, section, end_of_stream, envelope);
                    }
                    Direction::Response => {
                        give_head(&mut *self.response, section, end_of_stream, envelope);
                    }
                }
            }
            Event::BodyPiece { direction, bytes } => {
                self.ledger.begin_body(direction)?;
                match direction {
                    Direction::Request => self.request.handle_data(bytes),
                    Direction::Response => self.response.handle_data(bytes),
                }
            }
            Event::BodyEnd { direction, end_of_stream, .. } => {
                self.ledger.receive(direction, Received::Body { end_of_stream })?;
                self.choice.note(direction, |mode| mode.body() != BodyMode::None);
                match direction {
                    Direction::Request => self.request.handle_message_end(end_of_stream),
                    Direction::Response => self.response.handle_message_end(end_of_stream),
                }
            }
            Event::Trailers { direction, section, .. } => {
                self.ledger.receive(direction, Received::Trailers)?;
                self.choice.note(direction, |mode| mode.trailers() == SendMode::Send);
                match direction {
                    Direction::Request => self.request.handle_trailers(section.fields),
                    Direction::Response => self.response.handle_trailers(section.fields),
                }
            }
            // Flow control, which this version answers by reading or not.
            Event::Other { .. } => {}
        }
        Ok(())
    }

    pub(super) fn poll(
        &mut self,
        cx: &Context<'_>,
        reads: bool,
        reply: &mut Option<Reply>,
    ) -> Turn {
        if !self.waker.as_ref().is_some_and(|known| known.will_wake(cx.waker())) {
            self.request.rouse();
            self.response.rouse();
            self.waker = Some(cx.waker().clone());
        }
        let mut had_mail = false;
        for direction in [self.first, other(self.first)] {
            let turn = match direction {
                Direction::Request => self.poll_request(cx, reads, reply),
                Direction::Response => self.poll_response(cx, reads, reply),
            };
            if let Some(turn) = turn {
                if matches!(turn, Turn::Reply) {
                    self.first = other(direction);
                    self.asked = self.asked.without(direction);
                }
                return turn;
            }
            had_mail |= direction == self.first && self.has_mail(direction);
        }
        if !had_mail && self.has_mail(self.first) {
            // It was polled before the other, which has told it something.
            cx.waker().wake_by_ref();
        }
        if let Some(asking) = self.ask_for_time() {
            *reply = Some(asking);
            return Turn::Reply;
        }
        if self.ledger.is_over() && !self.observes && self.is_at_rest() {
            self.leave();
            return Turn::Complete;
        }
        match self.input {
            Input::Open => Turn::Idle,
            // Nothing is owed to an observer, but filters are shown what came.
            Input::Closed if self.observes && !self.is_cut() && !self.is_at_rest() => Turn::Idle,
            // An end in full duplex that is not due yet never will be: a good status would let
            // what a filter has of the body look like nothing (P7).
            Input::Closed if self.is_settled() && self.ledger.is_complete() => Turn::Released,
            Input::Closed if self.is_cut() => Turn::Abandoned,
            // What came is whole; a filter is still at it.
            Input::Closed => Turn::Idle,
        }
    }

    /// Whether the half has mail from the other.
    fn has_mail(&self, direction: Direction) -> bool {
        match direction {
            Direction::Request => self.request.side().has_mail(),
            Direction::Response => self.response.side().has_mail(),
        }
    }

    /// The data plane sends nothing more.
    pub(super) fn close_input(&mut self) {
        self.input = Input::Closed;
    }

    /// Whether a message that has begun will never end, as nothing more comes. Where its end is not
    /// shown it may be whole: then it is not cut before its filters have done what they are at.
    fn is_cut(&self) -> bool {
        [Direction::Request, Direction::Response].into_iter().any(|direction| {
            let lane = self.ledger.lane(direction);
            let is_at_it = match direction {
                Direction::Request => self.request.is_at_hidden_end(),
                Direction::Response => self.response.is_at_hidden_end(),
            };
            lane.has_begun() && !lane.has_ended() && !is_at_it
        })
    }

    fn poll_request(
        &mut self,
        cx: &Context<'_>,
        reads: bool,
        into: &mut Option<Reply>,
    ) -> Option<Turn> {
        if self.cut.is_none() {
            let mut answers = Answers::new(&mut self.ledger, into, Direction::Request);
            match self.request.poll(cx, &mut answers, reads) {
                Step::Reply => return Some(Turn::Reply),
                Step::Cut(error) => {
                    // One that is cut here, as an answer cannot carry it, is told to the other side
                    // as well: that is where the client is answered.
                    if self.request.side().chain().outcome().is_none() {
                        self.request.abort(error.clone());
                    }
                    self.cut = Some(error);
                }
                // A request carries no reply.
                Step::Local | Step::Idle => return None,
            }
        }
        // What is to be answered was posted to the other side.
        let turn = self.poll_response(cx, reads, into);
        if turn.is_some() || self.is_answered() {
            return turn;
        }
        self.cut.take().map(Turn::Failed)
    }

    /// What is owed and cannot be answered yet, as a filter holds it: the client is to wait longer.
    fn ask_for_time(&mut self) -> Option<Reply> {
        let time = self.more_time?;
        [Direction::Request, Direction::Response].into_iter().find_map(|direction| {
            if self.asked.has(direction) {
                return None;
            }
            let reply = self.ledger.more_time(direction, time)?;
            self.asked = self.asked.with(direction);
            Some(reply)
        })
    }

    /// Whether the response has to wait. Its filters run in the mode that was chosen for the
    /// exchange, and the data plane is in it only when it has been asked: a reply of its own can
    /// come before that.
    fn awaits_override(&self) -> bool {
        let chain = self.request.side().chain();
        let is_under_way = chain.outcome().is_none() && !chain.is_local_reply();
        self.request.has_override()
            && is_under_way
            && self.cut.is_none()
            && self.ledger.lane(Direction::Response).has_begun()
    }

    fn poll_response(
        &mut self,
        cx: &Context<'_>,
        reads: bool,
        into: &mut Option<Reply>,
    ) -> Option<Turn> {
        if self.awaits_override() {
            return None;
        }
        let mut answers = Answers::new(&mut self.ledger, into, Direction::Response);
        match self.response.poll(cx, &mut answers, reads) {
            Step::Reply => Some(Turn::Reply),
            Step::Local => Some(self.immediate(into)),
            Step::Cut(error) => {
                if self.ledger.immediate().is_some() && self.response.answer_cut(&error) {
                    return self.poll_response(cx, reads, into);
                }
                Some(Turn::Failed(error))
            }
            Step::Idle => None,
        }
    }

    /// Whether a reply of ours takes the place of the response, or has.
    fn is_answered(&self) -> bool {
        let chain = self.response.side().chain();
        chain.is_local_reply() || chain.outcome().is_some_and(|outcome| !outcome.is_complete())
    }

    fn immediate(&mut self, into: &mut Option<Reply>) -> Turn {
        let Some((head, body, by)) = self.response.take_local() else {
            let why = "a reply that is not there";
            return Turn::Failed(Error::with_source(ErrorKind::Reset, Origin::Internal, why));
        };
        let mut mutation = HeaderMutation::new();
        let unsent = difference::all(&head.headers, &mut mutation);
        self.response.add_unsent_fields(unsent);
        let Some(pen) = self.ledger.immediate() else {
            return Turn::Failed(Error::new(ErrorKind::ReplyTooLate, Origin::Filter));
        };
        *into = Some(pen.answer(head.status, mutation, body, None, details(by.as_deref())));
        self.leave();
        Turn::Last { status: head.status }
    }

    /// Whether the data plane is owed nothing, and nothing of what it sent is kept.
    pub(super) fn is_settled(&self) -> bool {
        self.observes || (self.is_at_rest() && !self.owes_ends())
    }

    /// Whether the request has more to come and everything that came of it has gone on: then a
    /// timeout is its client's (408), else somebody else's (504).
    fn awaits_client(&self) -> bool {
        let lane = self.ledger.lane(Direction::Request);
        let is_owed = matches!(lane.debt(), Debt::Headers | Debt::Bodies(_) | Debt::Trailers);
        let shows_body = lane.mode().body() != BodyMode::None;
        shows_body && lane.has_begun() && !lane.has_ended() && !is_owed && self.request.is_at_rest()
    }

    /// Whether an answer is owed. That a message has not ended is no debt of ours.
    fn owes_ends(&self) -> bool {
        [Direction::Request, Direction::Response].into_iter().any(|direction| {
            let lane = self.ledger.lane(direction);
            match lane.debt() {
                Debt::Nothing => false,
                Debt::Headers | Debt::Bodies(_) | Debt::Trailers => true,
                Debt::End => lane.has_ended(),
            }
        })
    }

    fn is_at_rest(&self) -> bool {
        self.request.is_at_rest() && self.response.is_at_rest()
    }

    /// What is owed, in words.
    pub(super) fn debt(&self) -> String {
        self.ledger.to_string()
    }

    /// The session is over: messages that are not take leave.
    pub(super) fn leave(&mut self) {
        // What the response said to the request is heard first.
        let cx = Context::from_waker(Waker::noop());
        self.response.leave();
        self.request.hear(&cx);
        self.request.leave();
    }

    pub(super) fn abort(&mut self, error: &Error) {
        self.request.abort(error.clone());
        self.response.abort(error.clone());
    }

    pub(super) fn handle_timeout(&mut self, timeout: Timeout) {
        self.request.set_awaits_client(self.awaits_client());
        let holds = |is_holding: bool| timeout != Timeout::Hold || is_holding;
        if holds(self.request.side().chain().is_holding()) {
            self.request.handle_timeout(timeout);
        }
        if holds(self.response.side().chain().is_holding()) {
            self.response.handle_timeout(timeout);
        }
    }

    pub(super) fn chosen_mode(&self) -> Option<ChosenMode> {
        match &self.choice {
            Choice::Nothing => None,
            Choice::Refused(refusal) => Some(ChosenMode::Refused(refusal.clone())),
            Choice::Wanted { .. } if self.request.has_override() => Some(ChosenMode::Unasked),
            Choice::Wanted { is_confirmed: false, .. } => Some(ChosenMode::Unconfirmed),
            Choice::Wanted { is_confirmed: true, .. } => Some(ChosenMode::Confirmed),
        }
    }

    pub(super) fn queue_bytes(&self) -> u64 {
        self.request.queue_bytes() + self.response.queue_bytes()
    }

    pub(super) fn is_holding(&self) -> bool {
        self.request.side().chain().is_holding() || self.response.side().chain().is_holding()
    }

    pub(super) fn held_bytes(&self) -> u64 {
        let chains =
            self.request.side().chain().held_bytes() + self.response.side().chain().held_bytes();
        chains + self.request.kept_bytes() + self.response.kept_bytes()
    }

    pub(super) fn moved_bytes(&self) -> u64 {
        let stats = [self.request.side().chain().stats(), self.response.side().chain().stats()];
        stats.iter().map(|stats| stats.input_bytes + stats.output_bytes).sum()
    }

    pub(super) fn unsent_fields(&self) -> u64 {
        self.request.unsent_fields() + self.response.unsent_fields()
    }
}

/// Where body passes by unseen, nobody here can hold the message to the length it declares.
fn traits(mode: DirectionMode, observes: bool) -> MessageTraits {
    let sees_all = match mode.body() {
        BodyMode::None | BodyMode::BufferedPartial => false,
        BodyMode::Streamed => true,
        BodyMode::Buffered | BodyMode::FullDuplexStreamed => !observes,
    };
    if sees_all { MessageTraits::new() } else { MessageTraits::new().partly_seen() }
}

/// The head is the filters' now, with what came with it in its extensions.
fn give_head<H: SessionHead>(
    half: &mut Half<H>,
    section: Box<Section>,
    ends: bool,
    with: Option<Box<Envelope>>,
) {
    match H::read(section) {
        Ok(mut head) => {
            if let Some(with) = with {
                give_envelope(&mut head, *with);
            }
            half.handle_head(head, ends);
        }
        Err(error) => {
            half.handle_bad_head(Error::with_source(ErrorKind::Reset, H::PEER, error));
        }
    }
}

/// What filters can read besides the head.
fn give_envelope<H: SessionHead>(head: &mut H, with: Envelope) {
    if !with.attributes.is_empty() {
        head.extensions_mut().insert(with.attributes);
    }
    if !with.metadata.is_empty() {
        head.extensions_mut().insert(with.metadata);
    }
}

fn other(direction: Direction) -> Direction {
    match direction {
        Direction::Request => Direction::Response,
        Direction::Response => Direction::Request,
    }
}
