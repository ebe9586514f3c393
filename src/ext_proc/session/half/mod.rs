//! One direction of a session: a side of the exchange, and what has come for it.
//!
//! What comes is queued; a poll feeds it to the side, takes what the side gives, and writes the
//! answer that is owed. Which one depends on the mode; each has a file.
//!
//! | file | body mode |
//! |---|---|
//! | `heads_only` | `NONE`, and every head that ends its message |
//! | `lockstep` | `STREAMED` |
//! | `whole` | `BUFFERED`, `BUFFERED_PARTIAL` |
//! | `duplex` | `FULL_DUPLEX_STREAMED` |
//! | `watched` | any, under observability: nothing is answered |
//!
//! This module never decides whether an answer is legal: pens do.

mod answers;
mod duplex;
mod heads_only;
mod input;
mod local;
mod lockstep;
mod queue;
mod watched;
mod whole;

use core::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;

pub(super) use answers::Answers;
use queue::Queue;

use super::difference::{self, Rules};
use super::half_terms::HalfTerms;
use super::heads::SessionHead;
use super::original::Original;
use super::passage::Passage;
use crate::buf::BodyBuf;
use crate::chain::{Chain, Output};
use crate::error::{Error, ErrorKind, Origin, Timeout};
use crate::exchange::{Observer, Side};
use crate::ext_proc::automaton::{Owes, Violation};
use crate::ext_proc::mode::{BodyMode, ProcessingMode};
use crate::ext_proc::wire::{DynamicMetadata, HeaderMutation};
use crate::filter::LocalReply;

/// One direction of a session.
pub(super) struct Half<H: SessionHead> {
    side: Side<H>,
    terms: HalfTerms,
    /// The mode of the stream that is asked for with the answer to the head.
    mode_override: Option<Asking>,
    /// What has come and was not given to the side.
    queue: Queue,
    queued_bytes: u64,
    /// The head as it came, if a filter can change it.
    original: Option<Original<H>>,
    trailers: Trailers,
    head: Stage<H>,
    /// How the side ended the message.
    tail: Option<Tail>,
    /// The body message that is being given to the side.
    message: Message,
    /// What the side gave, and no answer has carried.
    pending: BodyBuf,
    /// How much of `pending` came out before the body message under way began, in bytes.
    before_bytes: usize,
    /// How much has come out of the body of one answer where it is not kept, or is answered whole,
    /// in bytes.
    taken_bytes: u64,
    passage: Passage,
    activity: Activity,
    /// Changes of fields that could not be sent.
    unsent_fields: u64,
}

/// A mode that is to be asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asking {
    pub(super) mode: ProcessingMode,
    /// The data plane takes it before the head has been answered, too.
    pub(super) can_stand_alone: bool,
}

/// Whether a poll could find something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Activity {
    /// Something has come, or was given out.
    Due,
    /// The last poll found nothing, with this `reads`, and nothing has come since.
    Rests { reads: bool },
}

/// What has come.
enum Item {
    /// A piece of a body message.
    Data(Bytes),
    /// The body message is whole.
    MessageEnd { end_of_stream: bool },
    /// Boxed: rare, and large.
    Trailers(Box<HeaderMap>),
}

/// How far the head is.
enum Stage<H> {
    /// It has not come.
    Awaited,
    /// The side has it. `ends`: it is the whole message.
    Inside { ends: bool },
    /// The side gave it, and a body for it is being collected.
    Apart(Box<H>),
    /// It went on.
    Gone,
    /// The side gave a local reply, whose body is being collected.
    Local(Box<H>),
}

/// What came of trailers.
enum Trailers {
    Awaited,
    /// The side has them; this is how they came. Boxed: rare, and large.
    Inside(Box<HeaderMap>),
    /// The filters were shown the end before, with the body: these go on as they came.
    Unshown,
}

/// How a message ended.
enum Tail {
    End,
    /// Boxed: rare, and large.
    Trailers(Box<HeaderMap>),
}

/// A body message on its way to the side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Message {
    /// None is.
    Between,
    /// Some of it was given to the side.
    Open { bytes: u64 },
    /// All of it was.
    Whole { bytes: u64, end_of_stream: bool },
}

/// What a poll came to.
pub(super) enum Step {
    /// What is to be sent lies in its place.
    Reply,
    /// The message was cut, and cannot be answered here.
    Cut(Error),
    /// A local reply is whole: [`Half::take_local`] has it.
    Local,
    /// Nothing can go on; who can change that has the waker.
    Idle,
}

/// What a filter has put into the extensions of its head for others.
fn left_metadata<H: SessionHead>(head: &mut H) -> Option<Bytes> {
    let left = head.extensions_mut().remove::<DynamicMetadata>();
    left.map(|left| left.encode())
}

/// What a side gave.
#[allow(clippy::large_enum_variant, reason = "a box would be an allocation for each head")]
enum Given<H> {
    Head {
        head: H,
        ends: bool,
    },
    /// It is in `pending`.
    Data,
    Tail(Tail),
    Local,
    Cut(Error),
    /// Nothing, and nothing will come.
    Over,
    /// Nothing now.
    Nothing,
}

impl<H: SessionHead> Half<H> {
    #[inline]
    pub(super) fn new(side: Side<H>, terms: HalfTerms) -> Self {
        Self {
            side,
            terms,
            mode_override: None,
            queue: Queue::new(),
            queued_bytes: 0,
            original: None,
            trailers: Trailers::Awaited,
            head: Stage::Awaited,
            tail: None,
            message: Message::Between,
            pending: BodyBuf::new(),
            before_bytes: 0,
            taken_bytes: 0,
            passage: Passage::default(),
            activity: Activity::Due,
            unsent_fields: 0,
        }
    }

    /// Who is told how the message ends.
    pub(super) fn set_observer(&mut self, observer: &Observer) {
        self.side.set_observer(Observer::clone(observer));
    }

    /// The answer to the head asks for this mode.
    pub(super) fn set_override(&mut self, asking: Asking) {
        self.mode_override = Some(asking);
    }

    /// The answer to the head, with which a mode is to be asked for, was not written.
    pub(super) fn has_override(&self) -> bool {
        self.mode_override.is_some()
    }

    pub(super) fn side(&self) -> &Side<H> {
        &self.side
    }

    pub(super) fn unsent_fields(&self) -> u64 {
        self.unsent_fields
    }

    /// What has come and the side has not taken, in bytes, with the slot of each item: a piece may
    /// be of one byte, and a body message of none, which is seven bytes on the wire.
    pub(super) fn queue_bytes(&self) -> u64 {
        self.queued_bytes + (self.queue.len() * size_of::<Item>()) as u64
    }

    /// What is kept outside the chain, in bytes.
    pub(super) fn kept_bytes(&self) -> u64 {
        self.queued_bytes + self.pending.len() as u64
    }

    /// Whether everything that came has gone on.
    pub(super) fn is_at_rest(&self) -> bool {
        // Behind an end that a filter declared, what comes is dropped.
        let has_gone_in = self.queue.is_empty() || self.side.input_stopped();
        // A filter that is at something of its own has no part of a body that is not shown.
        let is_kept = match self.terms.mode.body() {
            BodyMode::None => self.side.chain().held_bytes() > 0,
            _ => self.keeps_back(),
        };
        // What was only counted goes on with the answer to its message.
        let is_counted = self.terms.counts_body && self.taken_bytes > 0;
        has_gone_in && self.pending.is_empty() && !is_kept && !is_counted
    }

    /// Whether a filter keeps something: bytes that are counted, or what it has in hand while it
    /// waits for something other than input.
    fn keeps_back(&self) -> bool {
        let chain = self.side.chain();
        chain.held_bytes() > 0 || chain.awaits_resume()
    }

    /// Whether a filter is at something by itself behind what may be the end, which is not shown.
    pub(super) fn is_at_hidden_end(&self) -> bool {
        self.terms.hides_end && self.side.chain().awaits_resume()
    }

    pub(super) fn handle_timeout(&mut self, timeout: Timeout) {
        self.activity = Activity::Due;
        self.side.handle_timeout(timeout);
    }

    pub(super) fn set_awaits_client(&mut self, awaits: bool) {
        self.side.set_awaits_source(awaits);
    }

    /// The session is over, and this message with it: it is not polled again.
    pub(super) fn abort(&mut self, error: Error) {
        self.drop_all();
        self.side.abort(error);
    }

    /// Nothing more comes, and nothing is asked for. What has gone on whole was not cut, unless its
    /// end would have been shown.
    pub(super) fn leave(&mut self) {
        if matches!(self.head, Stage::Awaited) {
            // No message, and no end of one.
        } else if self.is_at_rest() && !self.terms.shows_end {
            self.side.leave_unended();
        } else {
            self.side.cancel();
        }
        self.drop_all();
    }

    /// Takes what the other side has said.
    pub(super) fn hear(&mut self, cx: &Context<'_>) {
        while self.side.poll_mail(cx).is_ready() {}
    }

    fn drop_all(&mut self) {
        self.queue.clear();
        self.queued_bytes = 0;
        self.pending.clear();
        self.before_bytes = 0;
        self.taken_bytes = 0;
    }

    /// The next poll is another task's: it has to leave its waker everywhere.
    pub(super) fn rouse(&mut self) {
        self.activity = Activity::Due;
    }

    /// Works until there is something to send, or nothing can go on.
    /// `reads`: more of what is under way will be read.
    pub(super) fn poll(
        &mut self,
        cx: &Context<'_>,
        answers: &mut Answers<'_>,
        reads: bool,
    ) -> Step {
        if self.activity == (Activity::Rests { reads }) && !self.may_stir() {
            return Step::Idle;
        }
        self.activity = Activity::Due;
        let step = self.work(cx, answers, reads);
        if matches!(step, Step::Idle) {
            self.activity = Activity::Rests { reads };
        }
        step
    }

    /// Whether the side may have something although nothing has come for it.
    fn may_stir(&self) -> bool {
        let chain = self.side.chain();
        self.side.has_mail() || chain.has_work() || chain.resume_set().is_some()
    }

    /// What was there has gone out with the answer that is being given: if nothing has come by the
    /// next poll, that finds nothing.
    fn rest(&mut self, reads: bool) {
        if self.pending.is_empty() && self.queue.is_empty() && self.tail.is_none() {
            self.activity = Activity::Rests { reads };
        }
    }

    fn work(&mut self, cx: &Context<'_>, answers: &mut Answers<'_>, reads: bool) -> Step {
        if self.terms.observes {
            return self.poll_watched(cx);
        }
        match (&self.head, self.terms.mode.body()) {
            (Stage::Local(_), _) => self.poll_local(cx),
            (Stage::Awaited, _) => self.poll_unstarted(cx),
            (Stage::Inside { ends: true } | Stage::Apart(_), _) | (_, BodyMode::None) => {
                self.poll_heads_only(cx, answers)
            }
            (_, BodyMode::Streamed) => self.poll_lockstep(cx, answers, reads),
            (_, BodyMode::Buffered | BodyMode::BufferedPartial) => self.poll_whole(cx, answers),
            (_, BodyMode::FullDuplexStreamed) => self.poll_duplex(cx, answers, reads),
        }
    }

    /// Takes the next thing that the side gives. Data goes to `pending`.
    fn take(&mut self, cx: &Context<'_>) -> Given<H> {
        // No waker need be left for mail: who polls this half polls the other, and wakes itself.
        if self.side.only_passes() && !self.may_stir() {
            return Given::Nothing;
        }
        loop {
            let output = match self.side.poll_next(cx) {
                Poll::Ready(Some(output)) => output,
                Poll::Ready(None) => return Given::Over,
                Poll::Pending => return Given::Nothing,
            };
            return match output {
                // Envoy shows none, and takes none.
                Output::Informational(_) => continue,
                Output::Head { head, end_of_stream } => self.taken_head(head, end_of_stream),
                Output::Data(bytes) => {
                    self.keep(bytes);
                    Given::Data
                }
                Output::Trailers(trailers) => Given::Tail(Tail::Trailers(Box::new(trailers))),
                Output::End => Given::Tail(Tail::End),
                // Only of a side that is no part of an exchange.
                Output::Reply(reply) => Given::Cut(not_linked(&reply)),
                Output::Reset(error) => Given::Cut(error),
            };
        }
    }

    fn keep(&mut self, bytes: Bytes) {
        let is_reply = matches!(self.head, Stage::Local(_));
        if self.terms.counts_body && !is_reply {
            // Gone at once, so that the memory is there for what is read next.
            self.taken_bytes += bytes.len() as u64;
            return;
        }
        if self.terms.follows_body {
            self.passage.leave(&bytes);
        }
        self.pending.push(bytes);
    }

    /// Gives the side what has come, while filters let everything pass at once: until nothing is
    /// left, `stop` says so, or the side has something else to give. Answers whether it gave any.
    ///
    /// A shorter way to what [`take`](Self::take) and [`feed`](Self::feed) by turns come to.
    fn pass(&mut self, stop: impl Fn(&Self) -> bool) -> bool {
        let mut passed = false;
        while self.side.only_passes() && !stop(self) && self.feed() {
            while let Some(bytes) = self.side.poll_data() {
                self.keep(bytes);
            }
            passed = true;
        }
        passed
    }

    fn taken_head(&mut self, head: H, ends: bool) -> Given<H> {
        let chain = self.side.chain();
        let has_failed = chain.outcome().is_some_and(|outcome| !outcome.is_complete());
        if !chain.is_local_reply() && !has_failed {
            return Given::Head { head, ends };
        }
        // Nothing of the message goes with it.
        self.drop_all();
        self.tail = ends.then_some(Tail::End);
        self.head = Stage::Local(Box::new(head));
        Given::Local
    }

    /// What the filters made of the head.
    fn head_mutation(&mut self, head: &H, body_bytes: Option<u64>, method: bool) -> HeaderMutation {
        let mut mutation = HeaderMutation::new();
        let rules = Rules { method, routing: self.terms.routing, body_bytes };
        self.unsent_fields +=
            head_difference(self.original.as_ref(), self.side.chain(), head, rules, &mut mutation);
        mutation
    }

    /// What the filters made of the trailers; `None` while they have them, or none have come.
    fn trailers_mutation(&mut self) -> Option<HeaderMutation> {
        let mut mutation = HeaderMutation::new();
        let empty = HeaderMap::new();
        let (before, after) = match (&self.trailers, &self.tail) {
            (Trailers::Awaited, _) | (Trailers::Inside(_), None) => return None,
            (Trailers::Unshown, _) => return Some(mutation),
            // A filter took them all away, or declared the end before they came.
            (Trailers::Inside(before), Some(Tail::End)) => (&**before, &empty),
            (Trailers::Inside(before), Some(Tail::Trailers(after))) => (&**before, &**after),
        };
        self.unsent_fields += difference::fields(before, after, &mut mutation);
        Some(mutation)
    }

    /// The answer to trailers, in the modes where each message has one.
    fn answer_trailers(&mut self, answers: &mut Answers<'_>) -> Option<Step> {
        if !matches!(answers.ledger.owes(H::DIRECTION), Owes::Trailers(_)) {
            return None;
        }
        let mutation = self.trailers_mutation()?;
        if !self.pending.is_empty() {
            return Some(Step::Cut(left_over(self.pending.len())));
        }
        match answers.ledger.owes(H::DIRECTION) {
            Owes::Trailers(pen) => {
                let reply = pen.answer(mutation);
                Some(answers.send(reply))
            }
            _ => None,
        }
    }

    /// The side gives nothing more. Whether that was an end is its to say.
    fn note_over(&mut self) -> Result<(), Error> {
        match self.tail {
            None if self.side.chain().is_end_stream() => {
                self.tail = Some(Tail::End);
                Ok(())
            }
            None => Err(out_of_turn("the message was cut, and said nothing")),
            Some(_) => Ok(()),
        }
    }

    /// Whether the head is what comes next: most are, as soon as they have come.
    fn head_is_next(&self) -> bool {
        matches!(self.head, Stage::Inside { .. }) && self.side.head_is_next() && !self.may_stir()
    }

    /// Answers the head, which [is next](Self::head_is_next), where it stands: it goes no further,
    /// and to move one is dear. `None` if it is not owed.
    fn pass_head(&mut self, answers: &mut Answers<'_>) -> Option<Step> {
        let mut mutation = HeaderMutation::new();
        let metadata = self.side.passed_head_mut().and_then(left_metadata);
        let chain = self.side.chain();
        if let Some(head) = chain.passed_head() {
            let rules = Rules { method: false, routing: self.terms.routing, body_bytes: None };
            self.unsent_fields +=
                head_difference(self.original.as_ref(), chain, head, rules, &mut mutation);
        }
        self.head = Stage::Gone;
        self.tail = self.side.drop_head().then_some(Tail::End);
        self.write_head(mutation, metadata, answers)
    }

    /// The head goes on by itself. `None` if it is not owed, as it was not shown.
    fn answer_head(&mut self, mut head: H, answers: &mut Answers<'_>) -> Option<Step> {
        self.head = Stage::Gone;
        let mutation = self.head_mutation(&head, None, false);
        self.write_head(mutation, left_metadata(&mut head), answers)
    }

    /// Writes the answer to the head, and with it the mode that is to be from here on.
    fn write_head(
        &mut self,
        mutation: HeaderMutation,
        metadata: Option<Bytes>,
        answers: &mut Answers<'_>,
    ) -> Option<Step> {
        answers.head(mutation, metadata, &mut self.mode_override, self.terms.reroutes)
    }
}

/// Adds what the filters made of the head as it came; answers how many changes cannot be said.
fn head_difference<H: SessionHead>(
    original: Option<&Original<H>>,
    chain: &Chain<H>,
    head: &H,
    rules: Rules,
    into: &mut HeaderMutation,
) -> u64 {
    let Some(original) = original else { return 0 };
    if chain.head_is_unchanged() {
        original.length(head, rules, into);
        return 0;
    }
    original.difference(head, rules, into)
}

#[cold]
fn not_linked(reply: &LocalReply) -> Error {
    let why = format!("a reply with status {} that nobody takes", reply.status());
    Error::with_source(ErrorKind::Reset, Origin::Internal, why)
}

/// Bytes that a mode has no answer left for.
#[cold]
fn left_over(bytes: usize) -> Error {
    let why =
        format!("{bytes} bytes of body were let go behind the last answer that could carry them");
    Error::with_source(ErrorKind::Filter, Origin::Filter, why)
}

/// The head is held for a body that comes only when the mode is another, and that is asked for with
/// the answer to the head.
#[cold]
fn held_for_override() -> Error {
    let why = "the head is held for the body of a mode that goes with the answer to the head; \
               only a stand_alone_override could come before it";
    Error::with_source(ErrorKind::Filter, Origin::Filter, why)
}

/// An override that Envoy would not take.
#[cold]
fn refused(violation: Violation) -> Error {
    Error::with_source(ErrorKind::Reset, Origin::Internal, violation)
}

/// Something that cannot be, by the side's own rules.
#[cold]
fn out_of_turn(what: &'static str) -> Error {
    Error::with_source(ErrorKind::Reset, Origin::Internal, what)
}
