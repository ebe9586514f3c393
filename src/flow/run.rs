//! What both routes of one exchange share: where it stands, how its pipelines ended, its record.
//!
//! This module never runs user code with its lock held.

use core::time::Duration;

use http::StatusCode;

use super::call::Call;
use super::finalizer::Finalizer;
use super::program::{Program, Then};
use super::spans::RunSpan;
use super::stage::Stage;
use super::stage_end::StageEnd;
use super::summary::Summary;
use super::trace_entry::TraceEntry;
use super::walk::{At, Ends, Go, Message};
use crate::chain::{Entry, Stats};
use crate::error::{Error, ErrorKind, Origin};
use crate::exchange::answer::answer_for;
use crate::frame::Outcome;
use crate::sync::{ConstArc, Mutex, MutexGuard, lock};
use crate::unwind::{contained, drop_contained};

/// What all runs of a flow share.
pub(super) struct Script {
    pub(super) program: Program,
    pub(super) finalizers: Vec<Finalizer>,
    pub(super) clock: Option<ConstArc<dyn Fn() -> Duration + Send + Sync>>,
}

/// One run of a flow.
pub(super) struct Run {
    pub(super) script: ConstArc<Script>,
    pub(super) span: RunSpan,
    state: Mutex<State>,
}

/// The state table is on the page of the module.
struct State {
    ends: Ends,
    request: RequestAt,
    response: ResponseAt,
    call: CallAt,
    upstream: UpstreamAt,
    client: ClientAt,
    request_end: Option<HalfEnd>,
    response_end: Option<HalfEnd>,
}

/// Where the request head stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RequestAt {
    Awaited,
    /// At this node.
    Node(At),
    /// With the upstream.
    Called,
    /// It was answered: this is where the answer comes in.
    Answered(Go),
}

/// Where the response head stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ResponseAt {
    Awaited,
    /// At this node.
    Node(At),
    /// It has left the flow.
    Out,
}

/// What became of the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CallAt {
    NotMade,
    Made { at: Option<Duration> },
    Ended { at: Option<Duration>, result: Option<u8>, ended_at: Option<Duration> },
}

/// What the upstream has of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum UpstreamAt {
    /// Nothing: the head may have left the chain, but was cut off before it was taken.
    Untouched,
    HasHead,
}

/// What the client has of the response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ClientAt {
    Untouched,
    /// Nothing, but a head of this status is next.
    Next(StatusCode),
    HasHead(StatusCode),
    /// Nothing, and it will not be answered.
    GivenUp,
}

impl ClientAt {
    /// The status that the client was given in the end. A response that failed before its head was
    /// taken is answered past the filters.
    fn status(self, response: &Outcome) -> Option<StatusCode> {
        match (self, response.error()) {
            (Self::HasHead(status), _) => Some(status),
            (Self::Untouched | Self::Next(_), Some(error)) => {
                Some(answer_for(error, false).status())
            }
            (Self::Untouched | Self::Next(_), None) | (Self::GivenUp, _) => None,
        }
    }
}

/// How one direction ended, and which of its nodes ran.
pub(super) struct HalfEnd {
    pub(super) outcome: Outcome,
    pub(super) stats: Stats,
    pub(super) trace: Vec<TraceEntry>,
    /// Body bytes that left the chain.
    pub(super) left_bytes: u64,
}

/// A local reply on the request chain: of which station, with which result.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reply {
    pub(super) station: Option<usize>,
    pub(super) result: Option<u8>,
}

impl Run {
    pub(super) fn new(script: &ConstArc<Script>) -> Self {
        Self {
            script: ConstArc::clone(script),
            span: RunSpan::new(&script.program.name),
            state: Mutex::new(State {
                ends: Ends::default(),
                request: RequestAt::Awaited,
                response: ResponseAt::Awaited,
                call: CallAt::NotMade,
                upstream: UpstreamAt::Untouched,
                client: ClientAt::Untouched,
                request_end: None,
                response_end: None,
            }),
        }
    }

    /// Whether anybody wants to know which nodes ran.
    pub(super) fn is_recorded(&self) -> bool {
        !self.script.finalizers.is_empty() || self.span.is_wanted()
    }

    /// The time, if somebody wants it and there is a clock. A clock that panics has none.
    pub(super) fn now(&self) -> Option<Duration> {
        let clock = self.script.clock.as_ref().filter(|_| self.is_recorded())?;
        let mut now = None;
        contained(|| now = Some(clock()));
        now
    }

    /// The request head comes in.
    pub(super) fn enter_request(&self) -> Go {
        let now = self.now();
        lock(&self.state).walk_request(now, |ends| ends.begin(&self.script.program))
    }

    /// The request head leaves `at`.
    pub(super) fn leave_request(&self, at: At, result: Option<u8>) -> Go {
        let now = self.now();
        let program = &self.script.program;
        lock(&self.state).walk_request(now, |ends| program.leave(ends, at, result))
    }

    /// The upstream has taken the request head.
    pub(super) fn take_request(&self) {
        lock(&self.state).upstream = UpstreamAt::HasHead;
    }

    /// The response head, or what takes its place, comes in.
    pub(super) fn enter_response(&self, status: StatusCode, entry: Entry<'_>) -> Go {
        let now = self.now();
        lock(&self.state).enter_response(&self.script.program, status, entry, now)
    }

    /// The response head leaves `at`.
    pub(super) fn leave_response(&self, at: At, result: Option<u8>) -> Go {
        let program = &self.script.program;
        lock(&self.state).walk_response(|ends| program.leave(ends, at, result))
    }

    /// A local reply takes the place of the response.
    pub(super) fn reply_response(&self, reply: Reply) -> Go {
        let program = &self.script.program;
        let mut state = lock(&self.state);
        let ResponseAt::Node(at) = state.response else { return Go::Out };
        state.walk_response(|ends| program.reply_response(ends, at, reply))
    }

    /// The response fails.
    pub(super) fn fail_response(&self, error: &Error) -> Go {
        let now = self.now();
        let program = &self.script.program;
        let mut state = lock(&self.state);
        match state.response {
            ResponseAt::Awaited => {
                // The status is not looked at: an answer has its error.
                state.enter_response(program, StatusCode::OK, Entry::Answer(error), now)
            }
            ResponseAt::Node(at) => state.walk_response(|ends| {
                let failed = Then::Over(StageEnd::Failed);
                ends.go(program, at.stage, failed, Message::Replaced)
            }),
            ResponseAt::Out => Go::Out,
        }
    }

    /// The response head leaves the flow.
    pub(super) fn exit_response(&self, status: StatusCode) {
        lock(&self.state).client = ClientAt::Next(status);
    }

    /// The client has taken the response head.
    pub(super) fn take_response(&self) {
        let mut state = lock(&self.state);
        if let ClientAt::Next(status) = state.client {
            state.client = ClientAt::HasHead(status);
        }
    }

    /// The client is not waited for any more.
    pub(super) fn give_up_response(&self) {
        let mut state = lock(&self.state);
        if matches!(state.client, ClientAt::Untouched | ClientAt::Next(_)) {
            state.client = ClientAt::GivenUp;
        }
    }

    /// The request chain is closed.
    pub(super) fn end_request(&self, end: HalfEnd, reply: Option<Reply>) {
        let mut state = lock(&self.state);
        state.request_ended(&self.script.program, &end.outcome, reply);
        let before = state.request_end.replace(end);
        self.finish_if_over(state);
        drop(before);
    }

    /// The response chain is closed.
    pub(super) fn end_response(&self, end: HalfEnd) {
        let mut state = lock(&self.state);
        let before = state.response_end.replace(end);
        self.finish_if_over(state);
        drop(before);
    }

    fn finish_if_over(&self, mut state: MutexGuard<'_, State>) {
        let (Some(_), Some(_)) = (&state.request_end, &state.response_end) else { return };
        // Taken together: nobody comes here a second time.
        let (request, response) = (state.request_end.take(), state.response_end.take());
        let seen = Seen {
            ends: state.ends_at_last(),
            call: state.call,
            upstream: state.upstream,
            client: state.client,
        };
        drop(state);
        let (Some(request), Some(response)) = (request, response) else { return };
        if !self.is_recorded() {
            return drop_contained((request, response));
        }
        let summary = self.summary(seen, request, response);
        self.span.finish(&summary);
        for finalizer in &self.script.finalizers {
            contained(|| (finalizer.run)(&summary));
        }
        // The source of an error is user code.
        drop_contained(summary);
    }

    fn summary(&self, seen: Seen, request: HalfEnd, response: HalfEnd) -> Summary {
        let program = &self.script.program;
        let Seen { mut ends, call, upstream, client } = seen;
        // A reset request tells nothing: it may be what became of its response.
        if !matches!(request.outcome, Outcome::Reset(_)) {
            ends.note_failure(program, &request.outcome);
        }
        ends.note_failure(program, &response.outcome);
        let status = client.status(&response.outcome);
        let called = upstream == UpstreamAt::HasHead;
        let mut trace = request.trace;
        trace.extend(self.call_entry(call, request.left_bytes, response.stats.input_bytes));
        trace.extend(response.trace);
        Summary {
            flow: ConstArc::clone(&program.name),
            request: request.outcome,
            response: response.outcome,
            request_stats: request.stats,
            response_stats: response.stats,
            status,
            before: ends.before,
            main: ends.main,
            after: ends.after,
            called,
            trace,
        }
    }

    fn call_entry(&self, call: CallAt, bytes_in: u64, bytes_out: u64) -> Option<TraceEntry> {
        let (head_in, head_out, result) = match call {
            CallAt::NotMade => return None,
            CallAt::Made { at } => (at, None, None),
            CallAt::Ended { at, result, ended_at } => (at, ended_at, Some(result)),
        };
        let main = &self.script.program.main;
        let piece = main.steps.get(main.call?)?;
        let result = result.map(|result| piece.result_name(result));
        let entry = TraceEntry {
            stage: Stage::Main,
            node: ConstArc::clone(&piece.name),
            result,
            head_in,
            head_out,
            bytes_in,
            bytes_out,
        };
        self.span.call(&entry);
        Some(entry)
    }
}

/// What the state of a run that is over has to say.
struct Seen {
    ends: Ends,
    call: CallAt,
    upstream: UpstreamAt,
    client: ClientAt,
}

impl State {
    /// The request goes on. The response side goes its own way once it has begun to: then nothing
    /// that happens to the request changes how pipelines ended.
    fn walk_request(&mut self, now: Option<Duration>, step: impl FnOnce(&mut Ends) -> Go) -> Go {
        let mut ends = self.ends;
        let go = step(&mut ends);
        if self.response == ResponseAt::Awaited {
            self.ends = ends;
        }
        self.request = match go {
            Go::Request(at) => RequestAt::Node(at),
            Go::Call => {
                self.call = CallAt::Made { at: now };
                RequestAt::Called
            }
            Go::Response(_) | Go::Out => RequestAt::Answered(go),
        };
        go
    }

    fn walk_response(&mut self, step: impl FnOnce(&mut Ends) -> Go) -> Go {
        let go = step(&mut self.ends);
        self.response = match go {
            Go::Response(at) => ResponseAt::Node(at),
            // Nothing behind the call leads to a node before it.
            Go::Out | Go::Request(_) | Go::Call => ResponseAt::Out,
        };
        go
    }

    fn enter_response(
        &mut self,
        program: &Program,
        status: StatusCode,
        entry: Entry<'_>,
        now: Option<Duration>,
    ) -> Go {
        if let CallAt::Made { at } = self.call
            && let Some(result) = program.call_result(status, entry)
            // What took the place of the request after the call was made comes as a reply.
            && (self.request == RequestAt::Called || matches!(entry, Entry::Message))
        {
            self.call = CallAt::Ended { at, result, ended_at: now };
            self.ends.main = None;
            return self.walk_response(|ends| program.leave_call(ends, result));
        }
        let request = self.request;
        self.walk_response(|ends| match (request, entry) {
            (RequestAt::Answered(go), _) => go,
            (RequestAt::Awaited, Entry::Message | Entry::Reply) => ends.go_after(program),
            (RequestAt::Awaited | RequestAt::Node(_) | RequestAt::Called, _) => {
                let end = match entry {
                    Entry::Message | Entry::Reply => StageEnd::Stopped,
                    Entry::Answer(_) => StageEnd::Failed,
                };
                let stage = request.stage(program);
                ends.go(program, stage, Then::Over(end), Message::Replaced)
            }
        })
    }

    /// What became of the request decides where its answer comes in, if nothing came before.
    fn request_ended(&mut self, program: &Program, outcome: &Outcome, reply: Option<Reply>) {
        let then = match (self.request, outcome) {
            (RequestAt::Answered(_), _) => return,
            (_, Outcome::Complete { .. } | Outcome::EndUnseen | Outcome::Cancelled) => return,
            (RequestAt::Node(at), Outcome::Replaced { .. }) => program.reply_request(at, reply),
            (RequestAt::Awaited | RequestAt::Called, Outcome::Replaced { .. }) => {
                Then::Over(StageEnd::Stopped)
            }
            (RequestAt::Awaited | RequestAt::Node(_), _)
            | (RequestAt::Called, Outcome::Limit(_)) => Then::Over(StageEnd::Failed),
            // The call fails with it: that has results.
            (RequestAt::Called, _) => return,
        };
        if self.response == ResponseAt::Awaited {
            let stage = self.request.stage(program);
            let go = self.ends.go(program, stage, then, Message::Replaced);
            self.request = RequestAt::Answered(go);
        }
    }

    /// How the pipelines ended, when all is over: one that was cut off has failed.
    fn ends_at_last(&self) -> Ends {
        let mut ends = self.ends;
        let cut_off = match (self.request, self.response) {
            (_, ResponseAt::Node(at)) => Some(at.stage),
            (RequestAt::Node(at), ResponseAt::Awaited) => Some(at.stage),
            (RequestAt::Called, ResponseAt::Awaited) => Some(Stage::Main),
            (RequestAt::Answered(Go::Response(at)), ResponseAt::Awaited) => Some(at.stage),
            _ => None,
        };
        if let Some(stage) = cut_off {
            ends.of_mut(stage).get_or_insert(StageEnd::Failed);
        }
        ends
    }
}

impl RequestAt {
    /// The pipeline that is under way.
    fn stage(self, program: &Program) -> Stage {
        match self {
            Self::Awaited => program.first_stage(),
            Self::Node(at) => at.stage,
            Self::Called | Self::Answered(_) => Stage::Main,
        }
    }
}

impl Program {
    fn leave(&self, ends: &mut Ends, at: At, result: Option<u8>) -> Go {
        let Some(piece) = self.piece(at.stage, at.step) else { return Go::Out };
        ends.go(self, at.stage, piece.then(result), Message::Whole)
    }

    fn leave_call(&self, ends: &mut Ends, result: Option<u8>) -> Go {
        let call = self.main.call.and_then(|step| self.main.steps.get(step));
        let Some(call) = call else { return Go::Out };
        ends.go(self, Stage::Main, call.then(result), Message::Whole)
    }

    /// The result of a call that gave this; `None` if something else than the call gave it.
    fn call_result(&self, status: StatusCode, entry: Entry<'_>) -> Option<Option<u8>> {
        let number = match entry {
            Entry::Reply => return None,
            Entry::Message => {
                let status = usize::from(status.as_u16());
                let word = self.failure_statuses.get(status / 64).copied().unwrap_or(0);
                (word >> (status % 64) & 1 != 0).then_some(Call::FAILURE_CODE)
            }
            // A node failed behind its result: that is no result of the call.
            Entry::Answer(error) if error.filter().is_some() => return None,
            Entry::Answer(error) => Some(match (error.kind(), error.origin()) {
                (ErrorKind::TimedOut(_), _) => Call::TIMEOUT,
                (_, Origin::Upstream) => Call::SERVER_ERROR,
                (_, Origin::Downstream) => Call::CLIENT_ERROR,
                (_, Origin::Internal) => Call::INTERNAL_ERROR,
                (_, Origin::Filter | Origin::Processor) => return None,
            }),
        };
        Some(number)
    }

    /// What a reply leads to that took the place of the request, whose head stood at `at`.
    fn reply_request(&self, at: At, reply: Option<Reply>) -> Then {
        match (self.piece(at.stage, at.step), reply) {
            (Some(piece), Some(reply)) if reply.station == Some(at.station) => {
                piece.then_reply(reply.result)
            }
            // It came from elsewhere: there is no result.
            _ => Then::Over(StageEnd::Stopped),
        }
    }

    /// The same for the response.
    fn reply_response(&self, ends: &mut Ends, at: At, reply: Reply) -> Go {
        let Some(piece) = self.piece(at.stage, at.step) else { return Go::Out };
        let then = match at.stage {
            _ if reply.station == Some(at.station) => piece.then_reply(reply.result),
            // The nodes behind this one have not had a response.
            Stage::After => piece.then(None),
            Stage::Before | Stage::Main => Then::Over(StageEnd::Stopped),
        };
        ends.go(self, at.stage, then, Message::Replaced)
    }

    /// The pipeline of the node called `name`.
    fn stage_of(&self, name: &str) -> Option<Stage> {
        [Stage::Before, Stage::Main, Stage::After].into_iter().find(|&stage| {
            self.part(stage).is_some_and(|part| part.steps.iter().any(|piece| *piece.name == *name))
        })
    }
}

impl Ends {
    fn of_mut(&mut self, stage: Stage) -> &mut Option<StageEnd> {
        match stage {
            Stage::Before => &mut self.before,
            Stage::Main => &mut self.main,
            Stage::After => &mut self.after,
        }
    }

    /// A message that failed has failed the pipeline of the node that did it; main, if none did.
    fn note_failure(&mut self, program: &Program, outcome: &Outcome) {
        let Some(error) = outcome.error() else { return };
        let stage = error.filter().and_then(|name| program.stage_of(name)).unwrap_or(Stage::Main);
        if let Some(end) = self.of_mut(stage) {
            *end = StageEnd::Failed;
        }
    }
}
