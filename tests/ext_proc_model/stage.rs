//! A session between two byte pipes, in a schedule: a random order of what can happen next.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};

use bytes::Bytes;
use std::collections::VecDeque;
use tidegate::async_filter::async_filter;
use tidegate::exchange::ExchangePlan;
use tidegate::ext_proc::mode::{BodyMode, DirectionMode, FilterConfig, ProcessingMode, SendMode};
use tidegate::ext_proc::session::{Session, SessionOutput, SessionPlan, SessionSettings};
use tidegate::ext_proc::wire::{Decoder, Event, GrpcStatus, WireLimits, encode};
use tidegate::{Interest, Marks, Timeout};

use crate::case::{Case, Direction, Fault, Start, Wish, plane_mode};
use crate::data_plane::{DataPlane, Override, PeerEnd, Wrong};
use crate::filter::{Actor, Kind, World};
use crate::futures::future;
use crate::message::Part;
use crate::messages::{Frames, ProcessingResponse, message_frame};
use crate::rng::Rng;

pub(crate) struct Stage {
    pub(crate) plane: DataPlane,
    pub(crate) session: Session,
    pub(crate) plan: SessionPlan,
    pub(crate) world: Arc<World>,
    request: VecDeque<Part>,
    response: VecDeque<Part>,
    start: Start,
    /// On their way to the server.
    up: VecDeque<u8>,
    decoder: Decoder,
    event: Option<Event>,
    /// On their way back.
    down: VecDeque<u8>,
    frames: Frames,
    woken: Arc<Woken>,
    status: Option<GrpcStatus>,
    pub(crate) most_held_bytes: u64,
    pub(crate) steps: usize,
    trace: Option<Vec<String>>,
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Relaxed);
    }
}

/// What can happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// A source sends its next part.
    Source { is_request: bool },
    /// The data plane does one thing.
    Advance { is_request: bool },
    /// So many bytes reach the server.
    Up(usize),
    /// What has been read is given to the session.
    Give,
    /// The session is polled, if it was woken.
    Poll,
    /// So many bytes reach the data plane.
    Down(usize),
    /// A filter that waits is resumed.
    Resume,
}

/// The plan of `case`, less the filters that its modes refuse; and which are left.
pub(crate) fn bind(case: &mut Case, world: &Arc<World>) -> SessionPlan {
    loop {
        let settings = settings(case, SessionSettings::new(case.served()));
        match SessionPlan::new(exchange(case, world), settings) {
            Ok(plan) if case.wish.is_none() => return plan,
            Ok(_) => return choosing(case, world),
            Err(_) if !case.request.filters.is_empty() && case.seed.is_multiple_of(2) => {
                case.request.filters.pop();
            }
            Err(_) if !case.response.filters.is_empty() => {
                case.response.filters.pop();
            }
            Err(error) => {
                assert!(case.request.filters.pop().is_some(), "no filters, and {error}");
            }
        }
    }
}

fn settings(case: &Case, settings: SessionSettings) -> SessionSettings {
    settings
        .promise(case.request.promise, case.response.promise)
        .queue_high_bytes(case.settings.queue_high_bytes)
        .piece_bytes(case.settings.piece_bytes)
}

/// The same filters, where the mode is chosen for each exchange.
fn choosing(case: &Case, world: &Arc<World>) -> SessionPlan {
    let stated = match case.wish {
        Some(Wish::Refused) => SessionSettings::of(&FilterConfig::new(case.mode())),
        Some(Wish::TakenAlone) => {
            let mut config = FilterConfig::new(case.mode());
            config.allow_mode_override = true;
            config.stand_alone_override = true;
            SessionSettings::of(&config)
        }
        Some(Wish::Taken | Wish::Ignored) | None => SessionSettings::new(case.mode()),
    };
    let (announced, chosen) = (case.mode(), case.chosen());
    let choose = move |_: &http::request::Parts, mode: ProcessingMode| {
        assert_eq!(mode, announced);
        Some(chosen)
    };
    let settings = settings(case, stated).choose_mode(choose);
    SessionPlan::new(exchange(case, world), settings).expect("any plan will do")
}

fn exchange(case: &Case, world: &Arc<World>) -> ExchangePlan {
    let marks = |direction: &Direction| {
        let grows = direction.filters.iter().any(|each| each.grows());
        Marks::from_high(if grows { 1 << 16 } else { case.settings.marks_bytes })
    };
    let mut plan =
        ExchangePlan::builder().output_marks(marks(&case.request), marks(&case.response));
    let mode = case.served();
    for kind in case.request.filters.clone() {
        let name = format!("{kind:?}");
        if kind.is_future() {
            let (declaration, make) = future(kind, marks(&case.request), world);
            plan = plan.request(name, async_filter(declaration, make));
            continue;
        }
        let (make, world) = (actor(case, mode.request, kind), Arc::clone(world));
        plan = plan.request(name, move || make(&world));
    }
    // A response meets the filter that was added last before the others.
    for kind in case.response.filters.iter().rev().copied() {
        let name = format!("{kind:?}");
        if kind.is_future() {
            let (declaration, make) = future(kind, marks(&case.response), world);
            plan = plan.response(name, async_filter(declaration, make));
            continue;
        }
        let (make, world) = (actor(case, mode.response, kind), Arc::clone(world));
        plan = plan.response(name, move || make(&world));
    }
    plan.build().expect("a plan")
}

/// Makes filters of `kind`, with interest in what the mode shows. What keeps to the end has room.
fn actor(
    case: &Case,
    mode: DirectionMode,
    kind: Kind,
) -> impl Fn(&Arc<World>) -> Actor + Send + Sync + use<> {
    let mut interest = Interest::TRAILERS;
    if mode.headers() == SendMode::Send {
        interest = interest | Interest::HEAD;
    }
    if mode.body() != BodyMode::None {
        interest = interest | Interest::DATA;
    }
    let keeps = !matches!(kind, Kind::Pass | Kind::Upper | Kind::Strip);
    let high = if keeps { 1 << 16 } else { case.settings.marks_bytes };
    move |world| Actor::new(kind, interest, Marks::from_high(high), world)
}

impl Stage {
    pub(crate) fn new(case: &Case, plan: SessionPlan, world: Arc<World>) -> Self {
        Self {
            plane: DataPlane::new(
                plane_mode(case.request.mode),
                plane_mode(case.response.mode),
                case.habits,
                match case.wish {
                    Some(Wish::Taken) => Override::Taken,
                    Some(Wish::TakenAlone) => Override::TakenAlone,
                    Some(Wish::Ignored | Wish::Refused) | None => Override::Ignored,
                },
            ),
            session: plan.session(),
            plan,
            world,
            request: case.request.message.parts(),
            response: case.response.message.parts(),
            start: case.start,
            up: VecDeque::new(),
            decoder: Decoder::new(WireLimits::new()),
            event: None,
            down: VecDeque::new(),
            frames: Frames::default(),
            woken: Arc::new(Woken(AtomicBool::new(true))),
            status: None,
            most_held_bytes: 0,
            steps: 0,
            trace: std::env::var_os("TIDEGATE_TRACE").map(|_| Vec::new()),
        }
    }

    /// Plays the case to its end.
    ///
    /// # Errors
    ///
    /// What the server did that it may not do, or what nobody waits for any more.
    pub(crate) fn run(&mut self, case: &Case) -> Result<(), Wrong> {
        let rng = &mut Rng::new(case.seed ^ 0x5ced);
        while !self.is_over() {
            self.fault(case.fault);
            if self.is_over() {
                break;
            }
            self.steps += 1;
            assert!(self.steps < 100_000, "it does not come to an end");
            let action = random(rng, case.settings.cut_bytes);
            if !self.act(action)? && !self.anything()? && !self.hold_too_long(case) {
                return Err(format!("deadlock: {:?}\n{:?}", self.session, self.plane));
            }
        }
        self.close(rng.below(2) == 0)
    }

    /// Plays on, whatever is next, to the end.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub(crate) fn run_on(&mut self, case: &Case) -> Result<(), Wrong> {
        while !self.is_over() {
            if !self.anything()? && !self.hold_too_long(case) {
                return Err(format!("deadlock: {:?}\n{:?}", self.session, self.plane));
            }
        }
        self.close(true)
    }

    /// The data plane is done. What was under way reaches the server, or does not.
    fn close(&mut self, arrives: bool) -> Result<(), Wrong> {
        if arrives {
            while self.act(Action::Up(1))? || self.act(Action::Give)? || self.act(Action::Poll)? {}
        }
        self.session.handle_end();
        self.woken.0.store(true, Relaxed);
        while self.act(Action::Poll)? {}
        Ok(())
    }

    /// The origin and the client have got what they get.
    fn is_over(&self) -> bool {
        self.plane.request.peer.is_over() && self.plane.response.peer.is_over()
    }

    fn fault(&mut self, fault: Option<Fault>) {
        match fault {
            Some(Fault::Timeout { at, timeout }) if at == self.steps => {
                self.session.handle_timeout(timeout);
                self.woken.0.store(true, Relaxed);
            }
            Some(Fault::Gone { at }) if at == self.steps => self.plane.abort(),
            _ => {}
        }
    }

    /// Nothing moves, because a filter keeps what it may not keep, or because the server waits for
    /// what another mode would show: a clock ends that. Answers whether it is so.
    fn hold_too_long(&mut self, case: &Case) -> bool {
        if self.plane.has_ignored() && !self.is_over() {
            self.plane.time_out();
            return true;
        }
        let filters = || case.request.filters.iter().chain(&case.response.filters);
        let is_rude = filters().any(|each| *each == Kind::Rude) && self.session.is_holding();
        if is_rude {
            self.session.handle_timeout(Timeout::Hold);
            self.woken.0.store(true, Relaxed);
        }
        is_rude
    }

    /// Tries everything there is.
    fn anything(&mut self) -> Result<bool, Wrong> {
        for action in [
            Action::Source { is_request: true },
            Action::Source { is_request: false },
            Action::Advance { is_request: true },
            Action::Advance { is_request: false },
            Action::Up(usize::MAX),
            Action::Give,
            Action::Poll,
            Action::Down(usize::MAX),
            Action::Resume,
        ] {
            if self.act(action)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Answers whether anything happened.
    pub(crate) fn act(&mut self, action: Action) -> Result<bool, Wrong> {
        let acted = match action {
            Action::Source { is_request } => self.source(is_request),
            Action::Advance { is_request } => {
                let moved = self.plane.advance(is_request);
                let mut sent = false;
                while let Some(message) = self.plane.send() {
                    self.note(|| format!("{:?}", message.request));
                    self.up.extend(message_frame(&message));
                    sent = true;
                }
                moved || sent
            }
            Action::Up(bytes) => self.read(bytes),
            Action::Give => match self.event.take() {
                Some(event) if self.session.wants_input() => {
                    self.note(|| format!("{event:?}"));
                    self.session.handle(event);
                    self.woken.0.store(true, Relaxed);
                    self.decode();
                    true
                }
                event => {
                    self.event = event;
                    false
                }
            },
            Action::Poll => self.poll(),
            Action::Down(bytes) => self.answer(bytes)?,
            Action::Resume => self.world.resume(),
        };
        let held_bytes = self.session.held_bytes();
        self.most_held_bytes = self.most_held_bytes.max(held_bytes);
        Ok(acted)
    }

    fn source(&mut self, is_request: bool) -> bool {
        let lane = if is_request { &self.plane.request } else { &self.plane.response };
        if !lane.reads() || lane.peer.is_over() {
            return false;
        }
        if !is_request && self.response.front().is_some_and(|part| !self.may_send(part)) {
            return false;
        }
        let queue = if is_request { &mut self.request } else { &mut self.response };
        let Some(part) = queue.pop_front() else { return false };
        if !is_request && self.start == Start::Local {
            self.plane.request.peer.abort();
            self.request.clear();
        }
        self.plane.source(is_request, part);
        true
    }

    /// Whether the response has come to `part`.
    fn may_send(&self, part: &Part) -> bool {
        let origin = &self.plane.request.peer;
        match (part, self.start) {
            (Part::Data { .. } | Part::Trailers(_), _) | (_, Start::Local) => true,
            (Part::Head { .. }, Start::Early) => origin.fields.is_some(),
            (Part::Head { .. }, Start::Late) => origin.end == PeerEnd::Complete,
        }
    }

    /// As a transport: reads while the session wants it and has got everything.
    fn read(&mut self, bytes: usize) -> bool {
        if self.event.is_some() || !self.session.wants_input() || self.up.is_empty() {
            return false;
        }
        let bytes = bytes.min(self.up.len());
        let read: Bytes = self.up.drain(..bytes).collect();
        self.decoder.push(read);
        self.decode();
        true
    }

    fn decode(&mut self) {
        self.event = self.decoder.next().expect("the data plane writes what can be read");
    }

    fn poll(&mut self) -> bool {
        if self.status.is_some() || !self.woken.0.swap(false, Relaxed) {
            return false;
        }
        let waker = Waker::from(Arc::clone(&self.woken));
        match self.session.poll_reply(&Context::from_waker(&waker)) {
            Poll::Pending => {}
            Poll::Ready(SessionOutput::Reply(reply)) => {
                self.note(|| format!("        {reply:?}"));
                let mut frame = encode(reply).expect("a reply that is not long");
                while let Some(piece) = frame.pop_front() {
                    self.down.extend(piece);
                }
                self.woken.0.store(true, Relaxed);
            }
            Poll::Ready(SessionOutput::End(status)) => {
                self.note(|| format!("        {status:?}"));
                self.status = Some(status);
            }
        }
        true
    }

    fn answer(&mut self, bytes: usize) -> Result<bool, Wrong> {
        if self.down.is_empty() {
            let Some(status) = self.status.take_if(|_| !self.plane.is_closed()) else {
                return Ok(false);
            };
            self.plane.server_ended(i32::from(!status.is_ok()));
            self.status = Some(status);
            return Ok(true);
        }
        let bytes = bytes.min(self.down.len());
        let read: Vec<u8> = self.down.drain(..bytes).collect();
        self.frames.push(&read);
        while let Some(message) = self.frames.next::<ProcessingResponse>() {
            self.plane.receive(message)?;
        }
        Ok(true)
    }

    fn note(&mut self, what: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(what());
        }
    }

    pub(crate) fn trace(&self) -> String {
        self.trace.as_ref().map(|trace| trace.join("\n")).unwrap_or_default()
    }
}

fn random(rng: &mut Rng, cut_bytes: usize) -> Action {
    let is_request = rng.below(2) == 0;
    match rng.below(12) {
        0 | 1 => Action::Source { is_request },
        2 | 3 => Action::Advance { is_request },
        4 | 5 => Action::Up(1 + rng.below(cut_bytes)),
        6 => Action::Give,
        7 | 8 => Action::Poll,
        9 | 10 => Action::Down(1 + rng.below(cut_bytes)),
        _ => Action::Resume,
    }
}
