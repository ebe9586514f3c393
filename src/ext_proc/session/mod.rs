//! One exchange over one stream: what comes is given to the filters, what they do is answered.
//!
//! A [`Session`] has no transport and no clock: it is given [events](crate::ext_proc::wire::Event)
//! and gives out [replies](crate::ext_proc::wire::Reply). It owns both sides of an exchange; the
//! task that polls it runs both.
//!
//! # What is answered
//!
//! | body mode | the head | a body message | the end |
//! |---|---|---|---|
//! | `NONE` | what the filters made of it | – | – |
//! | `STREAMED` | the same | nothing, if it came out as it came; else what came out by then, which may be nothing | with the answer to the last message |
//! | `BUFFERED`, `BUFFERED_PARTIAL` | at once, without change | head and body as the filters made them | the same |
//! | `FULL_DUPLEX_STREAMED` | what the filters made of it, when they let it go | what they let go, when they do | as it came: a last piece, or trailers |
//!
//! A head that ends its message and is given a body by a filter is answered with both at once
//! (CONTINUE_AND_REPLACE). A local reply, and the answer to a failure, is an immediate response
//! while the response head has not gone on; behind it, the stream ends with an error status, and
//! the data plane resets the client. Bytes for which there is no answer left fail the message: the
//! stream never ends well with something kept (P7).
//!
//! # Ends
//!
//! Filters are told [`Outcome::EndUnseen`](crate::Outcome::EndUnseen) where the mode does not show
//! how the message went on: body mode `NONE`, trailers that are skipped, `BUFFERED_PARTIAL` behind
//! its limit.
//!
//! This module never does I/O, reads a clock, spawns or locks.

mod bind_error;
mod chosen_mode;
mod difference;
mod half;
mod half_terms;
mod heads;
mod original;
mod passage;
mod running;
mod session_end;
mod session_output;
mod session_plan;
mod session_settings;

use core::fmt;
use core::mem;
use core::task::{Context, Poll};

pub use bind_error::BindError;
pub use chosen_mode::ChosenMode;
pub use session_end::SessionEnd;
pub use session_output::SessionOutput;
pub use session_plan::SessionPlan;
pub use session_settings::{ChooseMode, SessionSettings};

use crate::error::{Error, ErrorKind, Origin, Timeout};
use crate::exchange::Direction;
use crate::ext_proc::automaton::{Lane, Violation};
use crate::ext_proc::mode::{Announced, ProcessingMode, SendMode};
use crate::ext_proc::wire::{Envelope, Event, GrpcCode, GrpcStatus, Reply};

use running::{Choice, Running, Turn};

/// One stream of external processing, without its transport.
///
/// Give it [events](Self::handle) while it [wants input](Self::wants_input), and poll it for
/// [replies](Self::poll_reply). When the transport ends, [say so](Self::handle_end), or
/// [half of it](Self::handle_half_close).
///
/// Dropping it cancels what is under way: every started filter gets its close call.
pub struct Session {
    plan: SessionPlan,
    state: State,
    announced: Option<Announced>,
    /// Known before there is anything that runs, or after.
    chosen: Option<ChosenMode>,
    unsent_fields: u64,
}

enum State {
    /// Nothing has come but pieces of a first message that is a body: what the stream announces
    /// stands behind them.
    Awaiting {
        pieces: Vec<Event>,
        /// What they have, and what they cost.
        charged_bytes: u64,
    },
    Running(Box<Running>),
    Over {
        end: SessionEnd,
        status: GrpcStatus,
    },
}

impl Session {
    pub(super) fn new(plan: SessionPlan) -> Self {
        let state = State::Awaiting { pieces: Vec::new(), charged_bytes: 0 };
        Self { plan, state, announced: None, chosen: None, unsent_fields: 0 }
    }

    /// Takes what has been read. What breaks the protocol ends the session with a typed error, and
    /// the stream with a status that says so; behind the end, events are dropped.
    pub fn handle(&mut self, event: Event) {
        if let State::Awaiting { pieces, charged_bytes } = &mut self.state {
            if let Err(violation) = check_first(self.plan.settings().mode, &event) {
                return self.refuse_violation(violation);
            }
            let (direction, envelope) = match &event {
                Event::BodyPiece { bytes, .. } => {
                    let limit_bytes = self.plan.settings().max_whole_bytes;
                    // Each costs its slot too: they may be of one byte.
                    *charged_bytes += (bytes.len() + size_of::<Event>()) as u64;
                    if *charged_bytes > limit_bytes {
                        return self.refuse_first(limit_bytes);
                    }
                    return pieces.push(event);
                }
                Event::Other { .. } => return,
                Event::BodyEnd { direction, envelope, .. }
                | Event::Headers { direction, envelope, .. }
                | Event::Trailers { direction, envelope, .. } => (*direction, envelope.as_deref()),
            };
            let pieces = mem::take(pieces);
            let head = match &event {
                Event::Headers { section, .. } => Some(&**section),
                _ => None,
            };
            match self.begin(direction, envelope, head) {
                Ok(running) => self.state = State::Running(running),
                Err((error, status)) => return self.refuse(error, status),
            }
            for piece in pieces {
                self.give(piece);
            }
        }
        self.give(event);
    }

    /// What the stream announces stands behind the bytes of its first message: they have to wait.
    #[cold]
    fn refuse_first(&mut self, limit_bytes: u64) {
        let limit = ErrorKind::Limit { limit: "whole body", limit_bytes };
        let error = Error::new(limit, Origin::Processor);
        self.abort(error.clone(), status_of(&error));
    }

    fn give(&mut self, event: Event) {
        let State::Running(running) = &mut self.state else { return };
        if let Err(violation) = running.handle(event) {
            self.refuse_violation(violation);
        }
    }

    #[cold]
    fn refuse_violation(&mut self, violation: Violation) {
        let status = GrpcStatus::new(GrpcCode::InvalidArgument, violation.to_string());
        let error = Error::with_source(ErrorKind::Reset, Origin::Processor, violation);
        self.abort(error, status);
    }

    fn begin(
        &mut self,
        direction: Direction,
        envelope: Option<&Envelope>,
        head: Option<&super::wire::Section>,
    ) -> Result<Box<Running>, (Error, GrpcStatus)> {
        let stated = self.plan.settings().mode;
        let config = envelope.and_then(|envelope| envelope.protocol_config);
        let observes = envelope.is_some_and(|envelope| envelope.observability);
        let mode = match config {
            Some(config) => {
                let announced =
                    stated.announced(config.request_body_mode, config.response_body_mode);
                let announced = announced.map_err(|error| refusal(BindError::from(error)))?;
                self.announced = Some(announced);
                announced.mode()
            }
            // An observer is not told, and neither is a server of older data planes.
            None => stated,
        };
        let head = head.filter(|_| direction == Direction::Request);
        let choice = match head.filter(|_| !observes) {
            Some(head) => Choice::new(&self.plan, mode, config, head),
            None => Choice::Nothing,
        };
        self.chosen = choice.refused();
        Running::new(&self.plan, mode, observes, head, choice).map_err(refusal)
    }

    /// The data plane sends nothing more, and still reads (a half-close). What came whole is
    /// answered to its end, however long filters take; a message that is cut by this is abandoned,
    /// and in full duplex that is each that has begun and not ended.
    pub fn handle_half_close(&mut self) {
        match &mut self.state {
            State::Awaiting { .. } => self.finish(SessionEnd::Released, GrpcStatus::OK),
            State::Running(running) => running.close_input(),
            State::Over { .. } => {}
        }
    }

    /// The stream is gone, both ways. What was owed then is abandoned; else it is a normal end,
    /// whatever it is called (P20).
    pub fn handle_end(&mut self) {
        match &mut self.state {
            State::Awaiting { .. } => self.finish(SessionEnd::Released, GrpcStatus::OK),
            State::Running(running) if running.is_settled() => {
                self.release();
            }
            State::Running(_) => {
                self.abandon();
            }
            State::Over { .. } => {}
        }
    }

    fn release(&mut self) -> GrpcStatus {
        if let State::Running(running) = &mut self.state {
            running.leave();
        }
        self.finish(SessionEnd::Released, GrpcStatus::OK);
        GrpcStatus::OK
    }

    #[cold]
    fn abandon(&mut self) -> GrpcStatus {
        let mut status = GrpcStatus::new(GrpcCode::Cancelled, "the stream ended");
        if let State::Running(running) = &mut self.state {
            status.message = format!("the stream ended, and owed was {}", running.debt()).into();
            running.leave();
        }
        self.finish(SessionEnd::Abandoned, status.clone());
        status
    }

    /// A clock of the edge ran out: the messages that it is about fail, and are answered 408 or
    /// 504 if they still can be.
    pub fn handle_timeout(&mut self, timeout: Timeout) {
        match &mut self.state {
            State::Awaiting { .. } => {
                let error = Error::new(ErrorKind::TimedOut(timeout), Origin::Internal);
                let status = GrpcStatus::new(GrpcCode::DeadlineExceeded, "nothing has come");
                self.abort(error, status);
            }
            State::Running(running) => running.handle_timeout(timeout),
            State::Over { .. } => {}
        }
    }

    /// Ends the session for a reason of the edge's, which the data plane is told by `status`: one
    /// that is OK becomes INTERNAL, as an unfinished stream must not look complete (P7).
    #[cold]
    pub fn abort(&mut self, error: Error, status: GrpcStatus) {
        match &mut self.state {
            State::Running(running) => running.abort(&error),
            State::Awaiting { .. } => {}
            State::Over { .. } => return,
        }
        self.refuse(error, status);
    }

    #[cold]
    fn refuse(&mut self, error: Error, mut status: GrpcStatus) {
        if status.is_ok() {
            status.code = GrpcCode::Internal;
        }
        self.finish(SessionEnd::Failed(error), status);
    }

    fn finish(&mut self, end: SessionEnd, status: GrpcStatus) {
        if let State::Running(running) = &self.state {
            self.unsent_fields = running.unsent_fields();
            self.chosen = running.chosen_mode();
        }
        self.state = State::Over { end, status };
    }

    /// Whether the stream should be read: a level. False once the session is over, and while more
    /// waits for the filters than [`SessionSettings::queue_high_bytes`].
    #[must_use]
    pub fn wants_input(&self) -> bool {
        match &self.state {
            State::Awaiting { .. } => true,
            State::Running(running) => {
                running.queue_bytes() <= self.plan.settings().queue_high_bytes
            }
            State::Over { .. } => false,
        }
    }

    /// Ready with what is to be sent next, or with the status that ends the stream, which is given
    /// again if it is asked for again.
    ///
    /// `Pending` when there is nothing now: give input while it is [wanted](Self::wants_input).
    /// Everything else that can change this (a resume, work that was left) wakes the task; the
    /// newest waker counts.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost if the caller does not poll again.
    pub fn poll_reply(&mut self, cx: &Context<'_>) -> Poll<SessionOutput> {
        let mut reply = None;
        let polled = self.poll_reply_into(cx, &mut reply);
        polled.map(|end| match (reply, end) {
            (Some(reply), _) => SessionOutput::Reply(reply),
            (None, Some(status)) => SessionOutput::End(status),
            (None, None) => {
                SessionOutput::End(GrpcStatus::new(GrpcCode::Internal, "a reply that is not there"))
            }
        })
    }

    /// As [`poll_reply`](Self::poll_reply), with a place for the reply, which is large: `None` if
    /// it is there, else the status that ends the stream.
    pub(super) fn poll_reply_into(
        &mut self,
        cx: &Context<'_>,
        reply: &mut Option<Reply>,
    ) -> Poll<Option<GrpcStatus>> {
        let reads = self.wants_input();
        let turn = match &mut self.state {
            State::Awaiting { .. } => return Poll::Pending,
            State::Over { status, .. } => return Poll::Ready(Some(status.clone())),
            State::Running(running) => running.poll(cx, reads, reply),
        };
        match turn {
            Turn::Reply => Poll::Ready(None),
            Turn::Last { status } => {
                self.finish(SessionEnd::Replied { status }, GrpcStatus::OK);
                Poll::Ready(None)
            }
            Turn::Complete => {
                self.finish(SessionEnd::Complete, GrpcStatus::OK);
                Poll::Ready(Some(GrpcStatus::OK))
            }
            Turn::Released => Poll::Ready(Some(self.release())),
            Turn::Abandoned => Poll::Ready(Some(self.abandon())),
            Turn::Failed(error) => {
                let status = status_of(&error);
                self.abort(error, status);
                // As it is told from here on: never well (P7).
                self.poll_reply_into(cx, reply)
            }
            Turn::Idle => Poll::Pending,
        }
    }

    /// How the session ended, once it has.
    #[must_use]
    pub fn end(&self) -> Option<&SessionEnd> {
        match &self.state {
            State::Awaiting { .. } | State::Running(_) => None,
            State::Over { end, .. } => Some(end),
        }
    }

    /// What the stream announced, and where that is not what was stated; `None` if it announced
    /// nothing.
    #[must_use]
    pub fn announced(&self) -> Option<Announced> {
        self.announced
    }

    /// What has become of the mode that was [chosen](SessionSettings::choose_mode); `None` if it
    /// was left as it was announced.
    #[must_use]
    pub fn chosen_mode(&self) -> Option<ChosenMode> {
        match &self.state {
            State::Running(running) => running.chosen_mode(),
            State::Awaiting { .. } | State::Over { .. } => self.chosen.clone(),
        }
    }

    /// Whether a message is under way.
    #[must_use]
    pub fn is_running(&self) -> bool {
        matches!(self.state, State::Running(_))
    }

    /// Whether a filter holds something back.
    #[must_use]
    pub fn is_holding(&self) -> bool {
        match &self.state {
            State::Running(running) => running.is_holding(),
            State::Awaiting { .. } | State::Over { .. } => false,
        }
    }

    /// Whether the data plane is owed nothing now.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        match &self.state {
            State::Running(running) => running.is_settled(),
            State::Awaiting { .. } | State::Over { .. } => true,
        }
    }

    /// What is kept now, in bytes: in the chains, before them, and behind them. Never above
    /// [`SessionPlan::held_bound_bytes`] and the piece that came last.
    #[must_use]
    pub fn held_bytes(&self) -> u64 {
        match &self.state {
            State::Awaiting { pieces, .. } => pieces.iter().map(piece_bytes).sum(),
            State::Running(running) => running.held_bytes(),
            State::Over { .. } => 0,
        }
    }

    /// How many bytes have gone into the chains and come out of them: who watches this sees
    /// whether anything moves.
    #[must_use]
    pub fn moved_bytes(&self) -> u64 {
        match &self.state {
            State::Running(running) => running.moved_bytes(),
            State::Awaiting { .. } | State::Over { .. } => 0,
        }
    }

    /// Changes of header and trailer fields that could not be sent: fields of the hop, and pseudo
    /// fields that the data plane does not let change.
    #[must_use]
    pub fn unsent_fields(&self) -> u64 {
        match &self.state {
            State::Running(running) => running.unsent_fields(),
            State::Awaiting { .. } | State::Over { .. } => self.unsent_fields,
        }
    }
}

fn piece_bytes(event: &Event) -> u64 {
    match event {
        Event::BodyPiece { bytes, .. } => bytes.len() as u64,
        _ => 0,
    }
}

/// Whether a stream can begin so. Where heads are shown, a body that comes first need not be kept
/// to know that it cannot; which body modes there are is announced behind it.
fn check_first(stated: ProcessingMode, event: &Event) -> Result<(), Violation> {
    let Event::BodyPiece { direction, .. } = event else { return Ok(()) };
    let mode = stated.of(*direction);
    match mode.headers() {
        SendMode::Send => Lane::new(*direction, mode).begin_body(),
        SendMode::Skip => Ok(()),
    }
}

/// Why a stream cannot be served at all.
#[cold]
fn refusal(error: BindError) -> (Error, GrpcStatus) {
    let status = GrpcStatus::new(GrpcCode::FailedPrecondition, error.to_string());
    (Error::with_source(ErrorKind::Reset, Origin::Processor, error), status)
}

/// What the data plane is told of an error that no reply can carry.
#[cold]
fn status_of(error: &Error) -> GrpcStatus {
    let code = match error.kind() {
        ErrorKind::TimedOut(_) => GrpcCode::DeadlineExceeded,
        ErrorKind::Limit { .. } => GrpcCode::ResourceExhausted,
        _ => GrpcCode::Internal,
    };
    GrpcStatus::new(code, error.to_string())
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Awaiting { .. } => "awaiting",
            State::Running(_) => "running",
            State::Over { .. } => "over",
        };
        f.debug_struct("Session")
            .field("state", &state)
            .field("announced", &self.announced)
            .field("end", &self.end())
            .field("held_bytes", &self.held_bytes())
            .finish_non_exhaustive()
    }
}
