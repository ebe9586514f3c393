//! Filters that go wrong, and those that bring an exchange to where something else does.

use std::pin::Pin;

use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;
use tidegate::async_filter::{AsyncFilter, Input, Output, async_filter};
use tidegate::chain::PlanBuilder;
use tidegate::{
    Capability, Declaration, Error, Filter, Head, Interest, LocalReply, Outcome, ResumeHandle,
    Verdict, View,
};
use tokio::sync::oneshot;

use crate::board::Board;
use crate::cell::{Cell, Fault, Phase, Side};

/// The bytes that are sent behind the first piece of a body all are this one.
pub(crate) const SECOND: u8 = b'2';

/// What a filter of a case does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum Part {
    /// Passes everything.
    Nothing,
    /// Holds the body, with a handle that is kept.
    Hold,
    /// Holds the body to its end.
    HoldToEnd,
    /// Answers 403 to the first byte, with a body of that length.
    Reply {
        bytes: usize,
    },
    /// The same, and panics when it is told what became of the message.
    ReplyAndPanic {
        bytes: usize,
    },
    Panic(Moment),
    Keep(Moment),
    Lose(Moment),
    Flood(Moment),
    Hang(Moment),
}

/// Where a filter goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum Moment {
    Head,
    Data,
    /// With the second piece of body.
    SecondData,
    Trailers,
    Resume,
    /// When a local reply comes by.
    Reply,
}

/// How much a filter replies with where a peer fails meanwhile: more than is under way at once.
pub(crate) const LONG_REPLY_BYTES: usize = 300_000;

/// How much where a filter does.
pub(crate) const SHORT_REPLY_BYTES: usize = 3;

impl Cell {
    /// What the request's and the response's filters of this cell do.
    pub(crate) fn parts(self) -> (Part, Part) {
        let bytes = if self.fault.is_of_filter() { SHORT_REPLY_BYTES } else { LONG_REPLY_BYTES };
        let replies = self.phase == Phase::Reply;
        let fault = self.fault_part();
        match self.side {
            Side::Origin if replies => (Part::Reply { bytes }, fault),
            Side::Origin => (Part::Nothing, fault),
            Side::Client if replies => match self.fault {
                Fault::Panics => (Part::ReplyAndPanic { bytes }, Part::Nothing),
                _ => (Part::Reply { bytes }, Part::Nothing),
            },
            Side::Client => (fault, Part::Nothing),
        }
    }

    fn fault_part(self) -> Part {
        let moment = match (self.phase, self.side) {
            (Phase::InHead, _) => Moment::Head,
            (Phase::BeforeTrailers, _) => Moment::Trailers,
            (Phase::Hold, _) => Moment::Resume,
            (Phase::Reply, _) => Moment::Reply,
            (Phase::AfterResponseHead, _) => Moment::SecondData,
            (Phase::BeforeHead | Phase::AfterHead | Phase::MidBody | Phase::Reload, _) => {
                Moment::Data
            }
        };
        match self.fault {
            Fault::Panics => Part::Panic(moment),
            Fault::Hangs => Part::Hang(moment),
            Fault::Floods => Part::Flood(moment),
            Fault::NeverResumes => Part::Keep(moment),
            Fault::DropsHandle => Part::Lose(moment),
            Fault::Gone
            | Fault::Reset
            | Fault::StreamReset
            | Fault::Stalled
            | Fault::HalfClosed => {
                if self.phase == Phase::Hold {
                    Part::Hold
                } else {
                    Part::Nothing
                }
            }
        }
    }
}

/// A filter that does its part.
pub(crate) struct Actor {
    part: Part,
    kept: Option<ResumeHandle>,
    sees_reply: bool,
}

impl Actor {
    pub(crate) fn new(part: Part) -> Self {
        Self { part, kept: None, sees_reply: false }
    }

    fn moment(&self) -> Option<Moment> {
        match self.part {
            Part::Nothing
            | Part::Hold
            | Part::HoldToEnd
            | Part::Reply { .. }
            | Part::ReplyAndPanic { .. } => None,
            Part::Panic(moment)
            | Part::Keep(moment)
            | Part::Lose(moment)
            | Part::Flood(moment)
            | Part::Hang(moment) => Some(moment),
        }
    }

    fn go_wrong<H: Head>(&mut self, view: &mut View<'_, H>) -> Verdict {
        match self.part {
            Part::Panic(_) => panic!("as planned"),
            Part::Keep(_) => {
                self.kept = Some(view.resume_handle());
                Verdict::HOLD.quiet()
            }
            Part::Lose(_) => {
                drop(view.resume_handle());
                Verdict::HOLD.quiet()
            }
            Part::Flood(_) => shred(view),
            Part::Nothing
            | Part::Hold
            | Part::HoldToEnd
            | Part::Reply { .. }
            | Part::ReplyAndPanic { .. }
            | Part::Hang(_) => Verdict::PASS,
        }
    }

    fn body<H: Head>(&mut self, view: &mut View<'_, H>) -> Verdict {
        let is_second = || view.body().chunks().any(|chunk| chunk.contains(&SECOND));
        match (self.part, self.moment()) {
            (Part::Hold, _) => {
                self.kept = Some(view.resume_handle());
                Verdict::HOLD
            }
            (Part::HoldToEnd, _) if !view.input_ended() => Verdict::HOLD,
            (Part::Reply { bytes } | Part::ReplyAndPanic { bytes }, _) => {
                view.reply(LocalReply::text(StatusCode::FORBIDDEN, vec![b'r'; bytes]))
            }
            (_, Some(Moment::Data)) => self.go_wrong(view),
            (_, Some(Moment::SecondData)) if is_second() => self.go_wrong(view),
            (_, Some(Moment::Resume)) => Verdict::HOLD.again(),
            (Part::Flood(_), Some(Moment::Reply)) if self.sees_reply => self.go_wrong(view),
            _ => Verdict::PASS,
        }
    }
}

/// The same bytes, each in a segment of its own.
fn shred<H: Head>(view: &mut View<'_, H>) -> Verdict {
    let shredded = view.take().and_then(|taken| {
        let bytes: Vec<u8> = taken.chunks().flatten().copied().collect();
        bytes.iter().try_for_each(|byte| view.push(Bytes::copy_from_slice(&[*byte])))
    });
    match shredded {
        Ok(()) => Verdict::PASS,
        Err(error) => view.fail(Error::filter_failed(error)),
    }
}

impl<H: Head> Filter<H> for Actor {
    fn declare(&self) -> Declaration {
        let declaration = Declaration::new().interest(Interest::ALL);
        match self.part {
            Part::Nothing => declaration.interest(Interest::NONE),
            Part::Flood(_) => declaration.require(Capability::EditBytes),
            _ => declaration.require(Capability::HoldHead).require(Capability::KeepToEnd),
        }
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.sees_reply = view.is_local_reply();
        match self.moment() {
            Some(Moment::Head) => self.go_wrong(view),
            Some(Moment::Reply) if self.sees_reply && !matches!(self.part, Part::Flood(_)) => {
                self.go_wrong(view)
            }
            _ => Verdict::PASS,
        }
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.body(view)
    }

    fn trailers(&mut self, view: &mut View<'_, H>) -> Verdict {
        match self.moment() {
            Some(Moment::Trailers) => self.go_wrong(view),
            _ if view.body().is_empty() => Verdict::PASS,
            _ => self.body(view),
        }
    }

    fn resume(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.go_wrong(view)
    }

    fn close(&mut self, _: &Outcome) {
        if matches!(self.part, Part::ReplyAndPanic { .. }) {
            panic!("as planned");
        }
    }
}

type Hanging = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

type Make = Box<dyn Fn(Input, Output) -> Hanging + Send + Sync>;

/// A filter that is a future, and waits at a moment for what never comes.
pub(crate) fn hangs(
    moment: Moment,
) -> impl Fn() -> AsyncFilter<(), Make, Hanging> + Send + Sync + 'static {
    let holds = Declaration::new().require(Capability::HoldHead).require(Capability::KeepToEnd);
    let make: Make = Box::new(move |input, output| Box::pin(hang(moment, input, output)));
    async_filter(holds, make)
}

async fn hang(moment: Moment, mut input: Input, mut output: Output) -> Result<(), Error> {
    match moment {
        Moment::Head => never().await,
        Moment::Reply if input.is_local_reply()? => never().await,
        Moment::Data | Moment::SecondData | Moment::Resume => output.release_head()?,
        Moment::Trailers | Moment::Reply => {}
    }
    while let Some(piece) = input.next().await? {
        match moment {
            Moment::Data => never().await,
            Moment::SecondData if piece.contains(&SECOND) => never().await,
            Moment::Resume => {
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                never().await;
            }
            _ => output.send(piece).await?,
        }
    }
    if moment == Moment::Trailers {
        never().await;
    }
    Ok(())
}

/// Somebody has what would wake it.
async fn never() {
    let (sender, receiver) = oneshot::channel();
    Board::here().awaited.lock().unwrap().push(sender);
    let _ = receiver.await;
}

/// Adds the filters of one direction to a plan.
pub(crate) fn add<H: Head>(plan: PlanBuilder<H>, part: Part) -> PlanBuilder<H> {
    let plan = plan.filter("first", Board::probe);
    let plan = match part {
        Part::Hang(moment) => plan.filter("hangs", hangs(moment)),
        _ => plan.filter("actor", move || Actor::new(part)),
    };
    plan.filter("last", Board::probe)
}
