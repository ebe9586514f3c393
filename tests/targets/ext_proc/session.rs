//! A session whose client sends what it likes, when it likes.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::{Buf, Bytes};
use prost::Message as _;
use tidegate::async_filter::async_filter;
use tidegate::exchange::{Direction, ExchangePlan};
use tidegate::ext_proc::automaton::Received;
use tidegate::ext_proc::mode::{BodyMode, DirectionMode, FilterConfig, ProcessingMode, SendMode};
use tidegate::ext_proc::session::{
    Session, SessionEnd, SessionOutput, SessionPlan, SessionSettings,
};
use tidegate::ext_proc::wire::{Event, GrpcStatus, Reply, Section, encode};
use tidegate::{Interest, Marks, Timeout};

use super::filter::{Actor, Kind, World};
use super::futures::future;
use super::messages::{self, Mutation, ProcessingResponse, ResponsePart};
use super::oracle::{Log, Said};
use super::{Choices, Tell, direction, direction_mode};

struct Case {
    plan: SessionPlan,
    session: Session,
    world: Arc<World>,
    request: Log,
    response: Log,
    /// Of the messages that are under way, the bytes that came; by direction.
    open: [Option<u64>; 2],
    largest_piece: u64,
    /// Something came that may not.
    is_wronged: bool,
    is_replied: bool,
}

pub(super) fn play(mode: ProcessingMode, choices: &mut Choices<'_>, tell: Tell<'_>) {
    let world = Arc::new(World::default());
    let Some(plan) = plan(mode, choices, &world) else { return };
    tell(&|| format!("{plan:?}"));
    let mut case = Case {
        session: plan.session(),
        plan,
        world,
        request: Log::new(mode.request),
        response: Log::new(mode.response),
        open: [None; 2],
        largest_piece: 0,
        is_wronged: false,
        is_replied: false,
    };
    while !choices.is_empty() {
        match choices.below(16) {
            0..8 => case.message(choices, tell),
            8..12 => _ = case.poll(tell),
            12 | 13 => _ = case.world.resume(),
            14 if choices.percent(20) => {
                let timeout = [Timeout::Idle, Timeout::Total, Timeout::Hold][choices.below(3)];
                tell(&|| format!("{timeout:?}"));
                case.session.handle_timeout(timeout);
            }
            _ => case.session.handle(Event::Other { envelope: None }),
        }
        case.check_bound();
    }
    case.end(tell);
}

fn plan(
    mode: ProcessingMode,
    choices: &mut Choices<'_>,
    world: &Arc<World>,
) -> Option<SessionPlan> {
    let chosen = choices.percent(20).then(|| {
        let (request, response) = (direction_mode(choices), direction_mode(choices));
        ProcessingMode::new(request.with_headers(SendMode::Send), response)
    });
    let served = chosen.unwrap_or(mode);
    let mut plan = ExchangePlan::builder();
    let marks = Marks::from_high(1 << 16);
    for _ in 0..choices.below(3) {
        let kind = kind(choices);
        if kind.is_future() {
            let (declaration, make) = future(kind, marks, world);
            plan = plan.request("it", async_filter(declaration, make));
        } else {
            plan = plan.request("it", actor(kind, served.request, world));
        }
    }
    for _ in 0..choices.below(3) {
        let kind = kind(choices);
        if kind.is_future() {
            let (declaration, make) = future(kind, marks, world);
            plan = plan.response("it", async_filter(declaration, make));
        } else {
            plan = plan.response("it", actor(kind, served.response, world));
        }
    }
    let settings = settings(mode, chosen, choices)
        .queue_high_bytes([0, 16, 1 << 16][choices.below(3)])
        .piece_bytes([1, 7, 62_000][choices.below(3)]);
    // What a mode does not have is refused; that is another test's.
    SessionPlan::new(plan.build().ok()?, settings).ok()
}

/// Another mode is asked for at each head, if there is one; half of the time by itself, too.
fn settings(
    mode: ProcessingMode,
    chosen: Option<ProcessingMode>,
    choices: &mut Choices<'_>,
) -> SessionSettings {
    let Some(chosen) = chosen else { return SessionSettings::new(mode) };
    let settings = if choices.percent(50) {
        let mut config = FilterConfig::new(mode);
        config.allow_mode_override = true;
        config.stand_alone_override = true;
        SessionSettings::of(&config)
    } else {
        SessionSettings::new(mode)
    };
    settings.choose_mode(move |_, _| Some(chosen))
}

fn kind(choices: &mut Choices<'_>) -> Kind {
    let call = choices.below(5);
    [
        Kind::Pass,
        Kind::MarkHead,
        Kind::LaterHead,
        Kind::Count,
        Kind::Upper,
        Kind::Double,
        Kind::Wrap,
        Kind::Gather(1 + call * 4),
        Kind::Take,
        Kind::Later,
        Kind::MarkTrailers,
        Kind::CutAt(call),
        Kind::Reply(call),
        Kind::Fail(call),
        Kind::Stop,
        Kind::Rude,
        Kind::Give,
        Kind::Ask,
        Kind::AskWrap,
        Kind::AskHead,
        Kind::AskCutAt(call),
        Kind::AskReply(call),
    ][choices.below(22)]
}

fn actor(
    kind: Kind,
    mode: DirectionMode,
    world: &Arc<World>,
) -> impl Fn() -> Actor + Send + Sync + use<> {
    let mut interest = Interest::TRAILERS;
    if mode.headers() == SendMode::Send {
        interest = interest | Interest::HEAD;
    }
    if mode.body() != BodyMode::None {
        interest = interest | Interest::DATA;
    }
    let world = Arc::clone(world);
    move || Actor::new(kind, interest, Marks::from_high(1 << 16), &world)
}

impl Case {
    fn log(&mut self, direction: Direction) -> &mut Log {
        match direction {
            Direction::Request => &mut self.request,
            Direction::Response => &mut self.response,
        }
    }

    /// A message, or a piece of one; mostly one that may come.
    fn message(&mut self, choices: &mut Choices<'_>, tell: Tell<'_>) {
        if !self.session.wants_input() {
            return;
        }
        let direction = direction(choices);
        let open = self.open[direction as usize];
        let end_of_stream = choices.percent(30);
        let received = match choices.below(8) {
            _ if open.is_some() => Received::Body { end_of_stream },
            0 | 1 => Received::Headers { end_of_stream },
            2..7 => Received::Body { end_of_stream },
            _ => Received::Trailers,
        };
        let log = self.log(direction);
        let may_come = open.is_some() || log.may_come(received);
        if !may_come && !choices.percent(10) {
            return;
        }
        let event = match received {
            Received::Headers { end_of_stream } => Event::Headers {
                direction,
                section: Box::new(head(direction)),
                end_of_stream,
                envelope: None,
            },
            Received::Body { end_of_stream } => {
                let bytes = vec![b'e'; choices.below(40)];
                if !bytes.is_empty() && choices.percent(60) {
                    self.piece(direction, bytes, may_come, tell);
                    return;
                }
                let body_bytes = self.open[direction as usize].take().unwrap_or(0);
                Event::BodyEnd { direction, body_bytes, end_of_stream, envelope: None }
            }
            Received::Trailers => {
                Event::Trailers { direction, section: Box::new(Section::default()), envelope: None }
            }
        };
        self.give(event, may_come, tell);
        if may_come {
            self.log(direction).came.push(received);
        }
    }

    fn piece(&mut self, direction: Direction, bytes: Vec<u8>, may_come: bool, tell: Tell<'_>) {
        self.largest_piece = self.largest_piece.max(bytes.len() as u64);
        *self.open[direction as usize].get_or_insert(0) += bytes.len() as u64;
        self.give(Event::BodyPiece { direction, bytes: Bytes::from(bytes) }, may_come, tell);
    }

    fn give(&mut self, event: Event, may_come: bool, tell: Tell<'_>) {
        tell(&|| format!("{event:?}"));
        // Pieces of the first message of all wait for what stands behind them.
        let is_told = self.session.is_running() || !matches!(event, Event::BodyPiece { .. });
        self.session.handle(event);
        if !may_come {
            self.is_wronged = true;
        }
        if self.is_wronged && is_told {
            let end = self.session.end();
            assert!(end.is_some(), "it goes on behind a violation");
        }
    }

    /// Answers whether there was anything.
    fn poll(&mut self, tell: Tell<'_>) -> bool {
        match self.session.poll_reply(&Context::from_waker(Waker::noop())) {
            Poll::Pending => false,
            Poll::Ready(SessionOutput::Reply(reply)) => {
                tell(&|| format!("  {reply:?}"));
                assert!(!self.is_replied, "an answer behind an immediate response");
                self.reply(reply);
                true
            }
            Poll::Ready(SessionOutput::End(status)) => {
                tell(&|| format!("  {status:?}"));
                self.ended(&status);
                false
            }
        }
    }

    fn reply(&mut self, reply: Reply) {
        let mut frame = encode(reply).expect("a reply that is not long");
        let frame = frame.copy_to_bytes(frame.remaining());
        let reply = ProcessingResponse::decode(&frame[5..]).expect("a message");
        if let Some(asked) = reply.mode_override {
            self.overridden(&asked);
            if reply.response.is_none() {
                return;
            }
        }
        let (direction, said) = match reply.response.expect("a part") {
            ResponsePart::RequestHeaders(it) => (Direction::Request, headers(&it.response)),
            ResponsePart::ResponseHeaders(it) => (Direction::Response, headers(&it.response)),
            ResponsePart::RequestBody(it) => (Direction::Request, body(&it.response)),
            ResponsePart::ResponseBody(it) => (Direction::Response, body(&it.response)),
            ResponsePart::RequestTrailers(_) => (Direction::Request, Said::Trailers),
            ResponsePart::ResponseTrailers(_) => (Direction::Response, Said::Trailers),
            ResponsePart::ImmediateResponse(_) => {
                assert!(!self.response.has_gone(), "P8: {:?}", self.response);
                self.is_replied = true;
                return;
            }
            other => panic!("nobody asked for {other:?}"),
        };
        let is_open = self.open[direction as usize].is_some();
        let log = self.log(direction);
        // In full duplex a message is answered while it comes.
        let mut heard = log.clone();
        if is_open && log.mode.body() == BodyMode::FullDuplexStreamed {
            heard.came.push(Received::Body { end_of_stream: false });
        }
        assert!(heard.may_say(said), "{said:?} is not owed: {log:?}");
        log.said.push(said);
    }

    /// The client does as it is asked (section 2.4).
    fn overridden(&mut self, asked: &messages::ProcessingMode) {
        assert!(!self.request.has_gone() && self.request.said.is_empty(), "it is too late");
        let mode = ProcessingMode::from_numbers([
            asked.request_header_mode,
            asked.response_header_mode,
            asked.request_body_mode,
            asked.response_body_mode,
            asked.request_trailer_mode,
            asked.response_trailer_mode,
        ]);
        let mode = mode.expect("one that there is");
        for (log, mode) in [(&mut self.request, mode.request), (&mut self.response, mode.response)]
        {
            let headers = log.mode.headers();
            log.mode = if log.came.is_empty() { mode } else { mode.with_headers(headers) };
        }
    }

    fn ended(&mut self, status: &GrpcStatus) {
        let end = self.session.end().expect("it has ended");
        if self.is_wronged {
            return;
        }
        let settled = self.request.is_settled() && self.response.is_settled();
        // P7: what is owed is not passed over in silence.
        assert!(settled || self.is_replied || !status.is_ok(), "{end:?}: {:?}", self.request);
    }

    fn check_bound(&self) {
        let bound = self.plan.held_bound_bytes() + self.largest_piece;
        let held = self.session.held_bytes();
        assert!(held <= bound, "{held} bytes held, the bound is {bound}");
    }

    /// The client is gone: whatever was, the session ends, and once.
    fn end(mut self, tell: Tell<'_>) {
        while self.poll(tell) || self.world.resume() {}
        if self.is_wronged {
            let status = self.session.poll_reply(&Context::from_waker(Waker::noop()));
            let is_refused = matches!(&status, Poll::Ready(SessionOutput::End(it)) if !it.is_ok());
            let was_over = !matches!(self.session.end(), Some(SessionEnd::Failed(_)));
            assert!(is_refused || was_over || self.is_replied, "a violation, and {status:?}");
        }
        self.session.handle_end();
        let first = self.session.poll_reply(&Context::from_waker(Waker::noop()));
        let again = self.session.poll_reply(&Context::from_waker(Waker::noop()));
        let (Poll::Ready(SessionOutput::End(first)), Poll::Ready(SessionOutput::End(again))) =
            (first, again)
        else {
            panic!("it goes on");
        };
        assert_eq!(first, again);
        assert_eq!(self.session.held_bytes(), 0);
        assert!(!self.session.wants_input());
    }
}

fn head(direction: Direction) -> Section {
    let pseudo: &[(&'static str, &'static str)] = match direction {
        Direction::Request => {
            &[("method", "POST"), ("path", "/"), ("scheme", "http"), ("authority", "a")]
        }
        Direction::Response => &[("status", "200")],
    };
    let pseudo = pseudo.iter().map(|(name, value)| (Bytes::from(*name), Bytes::from(*value)));
    Section { pseudo: pseudo.collect(), ..Section::default() }
}

fn headers(common: &Option<messages::CommonResponse>) -> Said {
    let is_whole = common.as_ref().is_some_and(|common| common.status == 1);
    if is_whole { Said::Whole } else { Said::Headers }
}

fn body(common: &Option<messages::CommonResponse>) -> Said {
    let mutation = common.as_ref().and_then(|common| common.body_mutation.as_ref());
    match mutation.and_then(|mutation| mutation.mutation.as_ref()) {
        Some(Mutation::StreamedResponse(piece)) if piece.end_of_stream => Said::LastPiece,
        Some(Mutation::StreamedResponse(_)) => Said::Piece,
        _ => Said::Body,
    }
}
