//! Filters whose effect does not depend on how the body was cut, so that a few lines can say what
//! has to come out.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};

use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use tidegate::{
    BodyBuf, Capability, Declaration, Filter, Head, Interest, LocalReply, Marks, ResumeHandle,
    Verdict, View,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Pass,
    /// The head gets a field.
    MarkHead,
    /// Holds the head until it is resumed.
    LaterHead,
    /// Holds the head to the end, and says how long the body was.
    Count,
    Upper,
    Double,
    /// Takes every `e` away.
    Strip,
    /// `<` in front, `>` behind, unless there is nothing between.
    Wrap,
    /// Holds until so many bytes are there, or the end.
    Gather(usize),
    Keep,
    /// As `Keep`, in storage of its own.
    Take,
    /// Holds what comes until it is resumed.
    Later,
    /// Trailers get a field.
    MarkTrailers,
    /// Ends the body behind so many bytes.
    CutAt(usize),
    /// Ends the message with the first body that it sees, however much that is.
    Stop,
    /// Answers 403 in its n-th call.
    Reply(usize),
    /// Fails in its n-th call.
    Fail(usize),
    Panic(usize),
    /// Keeps to the end, and has not said so.
    Rude,
    /// Gives a message without body one.
    Give,
    /// Async filters, all of which ask somebody and wait: about each chunk, which goes on as it is.
    Ask,
    /// As `Upper`.
    AskUpper,
    /// As `Wrap`, with a question before the end, too.
    AskWrap,
    /// Keeps the whole body in a variable, and asks at its end.
    AskGather,
    /// As `CutAt`.
    AskCutAt(usize),
    /// Asks about the head, marks it, and is done.
    AskHead,
    /// Answers 403 behind so many chunks.
    AskReply(usize),
    /// Fails behind a chunk.
    AskFail,
}

impl Kind {
    /// Whether the message may end in another way than by going through.
    pub(crate) fn breaks(self) -> bool {
        let ends = matches!(self, Self::Stop | Self::Reply(_) | Self::AskReply(_));
        ends || matches!(self, Self::Fail(_) | Self::Panic(_) | Self::Rude | Self::AskFail)
    }

    /// Whether it is an async filter.
    pub(crate) fn is_future(self) -> bool {
        let goes_on = matches!(
            self,
            Self::Ask | Self::AskUpper | Self::AskWrap | Self::AskGather | Self::AskHead
        );
        goes_on || matches!(self, Self::AskCutAt(_) | Self::AskReply(_) | Self::AskFail)
    }

    /// Whether it ends the message before its end.
    pub(crate) fn cuts(self) -> bool {
        matches!(self, Self::CutAt(_) | Self::AskCutAt(_))
    }

    /// Whether the head gets a field.
    pub(crate) fn marks_head(self) -> bool {
        matches!(self, Self::MarkHead | Self::AskHead)
    }

    /// Whether it asks for room: an edit is refused while there is none, and the filters here do
    /// not come again.
    pub(crate) fn grows(self) -> bool {
        matches!(self, Self::Double | Self::Wrap | Self::Take | Self::Give)
    }

    /// Whether the head may change after it could have gone on.
    pub(crate) fn holds_head(self) -> bool {
        matches!(self, Self::Count | Self::LaterHead | Self::AskHead)
    }

    pub(crate) fn needs(self) -> &'static [Capability] {
        use Capability::{ChangeLength, EditBytes, HoldHead, KeepToEnd, SeeEnd, SeeTrailers};
        match self {
            Self::Pass | Self::MarkHead | Self::Reply(_) | Self::Fail(_) => &[],
            Self::Panic(_) | Self::Rude | Self::Stop => &[],
            Self::LaterHead | Self::AskHead => &[HoldHead],
            Self::Count => &[HoldHead, KeepToEnd, SeeEnd],
            Self::Upper => &[EditBytes],
            Self::Double | Self::Strip | Self::CutAt(_) => &[EditBytes, ChangeLength],
            Self::Give => &[EditBytes, ChangeLength, SeeEnd],
            Self::Ask | Self::AskUpper | Self::AskReply(_) | Self::AskFail => &[EditBytes],
            Self::AskCutAt(_) => &[ChangeLength],
            Self::AskWrap | Self::AskGather => &[ChangeLength, KeepToEnd, SeeEnd],
            Self::Wrap | Self::Take => &[EditBytes, ChangeLength, KeepToEnd, SeeEnd],
            Self::Gather(_) | Self::Keep | Self::Later => &[KeepToEnd, SeeEnd],
            Self::MarkTrailers => &[SeeTrailers],
        }
    }

    /// What comes out behind `body`.
    pub(crate) fn apply(self, body: Vec<u8>) -> Vec<u8> {
        match self {
            Self::Upper | Self::AskUpper => body.to_ascii_uppercase(),
            Self::Double => body.into_iter().flat_map(|each| [each, each]).collect(),
            Self::Strip => body.into_iter().filter(|each| *each != b'e').collect(),
            Self::Wrap | Self::AskWrap if !body.is_empty() => [&b"<"[..], &body, b">"].concat(),
            Self::CutAt(bytes) | Self::AskCutAt(bytes) => body.into_iter().take(bytes).collect(),
            Self::Give if body.is_empty() => b"given".to_vec(),
            _ => body,
        }
    }
}

/// What the filters of one run share with the stage.
#[derive(Default)]
pub(crate) struct World {
    waiting: Mutex<VecDeque<Waiting>>,
}

/// A filter that waits.
enum Waiting {
    Filter(ResumeHandle),
    Future(Arc<Mutex<Question>>),
}

/// What a future waits for.
enum Question {
    Asked(Waker),
    Answered,
}

impl World {
    fn keep(&self, waiting: Waiting) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push_back(waiting);
    }

    /// Waits until it is resumed.
    pub(crate) async fn ask(&self) {
        let mut asked: Option<Arc<Mutex<Question>>> = None;
        poll_fn(|cx| {
            let Some(question) = &asked else {
                let question = Arc::new(Mutex::new(Question::Asked(cx.waker().clone())));
                asked = Some(Arc::clone(&question));
                self.keep(Waiting::Future(question));
                return Poll::Pending;
            };
            let mut question = question.lock().unwrap_or_else(PoisonError::into_inner);
            match &mut *question {
                Question::Asked(waker) => {
                    waker.clone_from(cx.waker());
                    Poll::Pending
                }
                Question::Answered => Poll::Ready(()),
            }
        })
        .await;
    }

    /// Resumes the filter that has waited longest. Answers whether any did.
    pub(crate) fn resume(&self) -> bool {
        let first = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        match first {
            None => return false,
            Some(Waiting::Filter(handle)) => _ = handle.resume(),
            Some(Waiting::Future(question)) => {
                let mut locked = question.lock().unwrap_or_else(PoisonError::into_inner);
                let before = std::mem::replace(&mut *locked, Question::Answered);
                drop(locked);
                if let Question::Asked(waker) = before {
                    waker.wake();
                }
            }
        }
        true
    }
}

/// A filter of one kind.
pub(crate) struct Actor {
    kind: Kind,
    interest: Interest,
    marks: Marks,
    world: Arc<World>,
    calls: usize,
    any: bool,
    passed: usize,
    stored: BodyBuf,
}

impl Actor {
    pub(crate) fn new(kind: Kind, interest: Interest, marks: Marks, world: &Arc<World>) -> Self {
        Self {
            kind,
            interest,
            marks,
            world: Arc::clone(world),
            calls: 0,
            any: false,
            passed: 0,
            stored: BodyBuf::new(),
        }
    }

    /// What a kind that breaks does in this call.
    fn breaking<H: Head>(&mut self, view: &mut View<'_, H>) -> Option<Verdict> {
        let call = self.calls;
        self.calls += 1;
        match self.kind {
            Kind::Reply(at) if at == call => {
                Some(view.reply(LocalReply::text(StatusCode::FORBIDDEN, "no")))
            }
            Kind::Fail(at) if at == call => {
                Some(view.fail(tidegate::Error::new(
                    tidegate::ErrorKind::Filter,
                    tidegate::Origin::Filter,
                )))
            }
            Kind::Panic(at) if at == call => panic!("a filter of the model panics"),
            _ => None,
        }
    }

    fn edit<H: Head>(&mut self, view: &mut View<'_, H>) -> Verdict {
        let (from, to) = (view.new_at(), view.body().len());
        match self.kind {
            Kind::Upper | Kind::Double | Kind::Strip => {
                let mut new = view.remove(from..to).expect("granted");
                let new = self.kind.apply(new.to_bytes().to_vec());
                view.push(Bytes::from(new)).expect("granted");
                Verdict::PASS
            }
            Kind::Wrap => {
                if !self.any && to > 0 {
                    self.any = true;
                    view.prepend(Bytes::from_static(b"<")).expect("granted");
                }
                if self.any && view.input_ended() {
                    view.push(Bytes::from_static(b">")).expect("granted");
                }
                Verdict::PASS
            }
            Kind::Gather(bytes) if !view.input_ended() && to < bytes => Verdict::HOLD,
            Kind::Keep | Kind::Count | Kind::Rude if !view.input_ended() => Verdict::HOLD,
            Kind::Count => {
                let length = HeaderValue::from(view.body().len());
                if let Some(head) = view.head_mut() {
                    head.headers_mut().insert("x-bytes", length);
                }
                Verdict::PASS
            }
            Kind::Stop if to > 0 => Verdict::END,
            Kind::Take => self.take(view),
            Kind::Later => {
                self.world.keep(Waiting::Filter(view.resume_handle()));
                Verdict::HOLD.quiet()
            }
            Kind::Give => {
                self.any |= to > 0;
                if !self.any && view.input_ended() {
                    view.push(Bytes::from_static(b"given")).expect("granted");
                }
                Verdict::PASS
            }
            Kind::CutAt(bytes) => {
                let left = bytes - self.passed;
                if to < left {
                    self.passed += to;
                    return Verdict::PASS;
                }
                view.remove(left..to).expect("granted");
                Verdict::END
            }
            _ => Verdict::PASS,
        }
    }

    fn take<H: Head>(&mut self, view: &mut View<'_, H>) -> Verdict {
        let mut taken = view.take().expect("granted");
        self.stored.append(&mut taken);
        if !view.input_ended() {
            view.set_kept_bytes(self.stored.len() as u64).expect("no growth");
            return Verdict::PASS;
        }
        view.set_kept_bytes(0).expect("less");
        while let Some(bytes) = self.stored.pop_front() {
            view.push(bytes).expect("what was taken");
        }
        Verdict::PASS
    }
}

impl<H: Head> Filter<H> for Actor {
    fn declare(&self) -> Declaration {
        let declaration = Declaration::new().interest(self.interest).marks(self.marks);
        let declaration =
            self.kind.needs().iter().fold(declaration, |all, each| all.require(*each));
        // Others that keep nothing do not say so: both ways are gone.
        match self.kind {
            Kind::Pass | Kind::Reply(_) | Kind::Fail(_) => declaration.keeps_nothing(),
            _ => declaration,
        }
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        if let Some(verdict) = self.breaking(view) {
            return verdict;
        }
        match self.kind {
            Kind::MarkHead => {
                let head = view.head_mut().expect("it is here");
                head.headers_mut().insert("x-mark", HeaderValue::from_static("1"));
                Verdict::PASS
            }
            Kind::LaterHead => {
                self.world.keep(Waiting::Filter(view.resume_handle()));
                Verdict::HOLD.quiet()
            }
            Kind::Give if view.input_ended() => self.edit(view),
            Kind::Count if !view.input_ended() => Verdict::HOLD,
            _ => Verdict::PASS,
        }
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        match self.breaking(view) {
            Some(verdict) => verdict,
            None => self.edit(view),
        }
    }

    fn trailers(&mut self, view: &mut View<'_, H>) -> Verdict {
        if let Some(verdict) = self.breaking(view) {
            return verdict;
        }
        if self.kind == Kind::MarkTrailers {
            let trailers = view.trailers_mut().expect("they are here");
            trailers.insert("x-mark", HeaderValue::from_static("1"));
            return Verdict::PASS;
        }
        if self.kind == Kind::Give {
            // Only full duplex has an answer that could carry it.
            return Verdict::PASS;
        }
        self.edit(view)
    }

    fn resume(&mut self, _view: &mut View<'_, H>) -> Verdict {
        Verdict::PASS
    }
}
