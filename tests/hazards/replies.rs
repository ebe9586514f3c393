//! H20 and H21: a local reply ends what it replaces, wherever in the chain it is made.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tidegate::async_filter::{Input, Output as AsyncOutput, async_filter};
use tidegate::exchange::EarlyResponse;
use tidegate::{
    BoundPlan, Capabilities, Capability, Chain, Declaration, Error, Filter, LocalReply, Marks,
    MessageTraits, Outcome, Output, Plan, ResumeHandle, View,
};

use crate::kit::*;
use crate::stage::{Stage as Exchange, sunk};

const FILTERS: usize = 4;

/// The high mark of the filter that replies, in bytes: less than two pieces of the body.
const HIGH_BYTES: usize = 4;

/// Where a filter makes its reply, or makes the engine make one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Position {
    Head,
    FirstData,
    SecondData,
    Trailers,
    Resume,
    /// A rejecting verdict on more than its mark.
    LimitByArrival,
    /// A body that it made grow over its mark: CVE-2025-62504.
    LimitByGrowth,
    /// The same in a resume.
    LimitByGrowthInResume,
    /// Stated to be kept in storage of its own.
    LimitByKeeping,
}

const POSITIONS: [Position; 9] = [
    Position::Head,
    Position::FirstData,
    Position::SecondData,
    Position::Trailers,
    Position::Resume,
    Position::LimitByArrival,
    Position::LimitByGrowth,
    Position::LimitByGrowthInResume,
    Position::LimitByKeeping,
];

/// What the filters that do not reply do meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Others {
    Pass,
    /// Those behind the one that replies hold, and have been resumed from outside.
    Hold,
    /// All ask for themselves again, in every call.
    AskAgain,
    /// Those behind hold more than their marks, so that what is let go before cannot move.
    Over,
}

const OTHERS: [Others; 4] = [Others::Pass, Others::Hold, Others::AskAgain, Others::Over];

/// One call of filter `k`; on a reply, or on the message it replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    Call {
        k: usize,
        of_reply: bool,
    },
    /// The call that made the reply has returned its verdict.
    Replied,
    Close {
        k: usize,
    },
}

#[derive(Default)]
struct Log {
    entries: Mutex<Vec<Entry>>,
    handles: Mutex<Vec<ResumeHandle>>,
}

struct Case {
    by: usize,
    position: Position,
    others: Others,
}

/// Filter `k` of a case.
struct Replier {
    k: usize,
    case: Arc<Case>,
    log: Arc<Log>,
    data_calls: usize,
}

impl Replier {
    fn call<H: Dir>(&mut self, position: Position, view: &mut View<'_, H>) -> Verdict {
        let of_reply = view.is_local_reply();
        self.log.entries.lock().unwrap().push(Entry::Call { k: self.k, of_reply });
        self.log.handles.lock().unwrap().push(view.resume_handle());
        if !of_reply && self.k == self.case.by && self.acts_at(position) {
            let verdict = self.reply(view);
            let kept_bytes = if self.case.position == Position::LimitByKeeping { 6 } else { 0 };
            if verdict != BUF || view.body().len() + kept_bytes > HIGH_BYTES {
                self.log.entries.lock().unwrap().push(Entry::Replied);
            }
            return verdict;
        }
        let behind = self.k > self.case.by;
        match self.case.others {
            _ if of_reply => PASS,
            // It must still have something where it is to act.
            _ if self.k == self.case.by && position != Position::Trailers => CDE,
            Others::Hold | Others::Over if behind => HOLD,
            Others::AskAgain => Verdict::PASS.again(),
            Others::Pass | Others::Hold | Others::Over => PASS,
        }
    }

    fn acts_at(&self, position: Position) -> bool {
        match self.case.position {
            Position::LimitByArrival | Position::LimitByGrowth | Position::LimitByKeeping => {
                position == Position::SecondData
            }
            Position::LimitByGrowthInResume => position == Position::Resume,
            own => own == position,
        }
    }

    fn reply<H: Dir>(&self, view: &mut View<'_, H>) -> Verdict {
        let filler = |bytes| Bytes::from(vec![b'x'; bytes]);
        match self.case.position {
            Position::LimitByArrival => {}
            Position::LimitByGrowth | Position::LimitByGrowthInResume => {
                // Refused where somebody behind is over: then what arrives puts it over.
                drop(view.push(filler(HIGH_BYTES)));
            }
            Position::LimitByKeeping => {
                drop(view.take().expect("granted"));
                view.set_kept_bytes(6).expect("half of it was taken");
            }
            _ => return view.reply(LocalReply::text(StatusCode::FORBIDDEN, "no")),
        }
        BUF
    }
}

impl<H: Dir> Filter<H> for Replier {
    fn declare(&self) -> Declaration {
        let high = match (self.case.others, self.k > self.case.by) {
            (Others::Over, true) => 1,
            _ => HIGH_BYTES as u64,
        };
        Declaration::new()
            .prefer(Capability::HoldHead)
            .prefer(Capability::ChangeLength)
            .marks(Marks::from_high(high))
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        let verdict = self.call(Position::Head, view);
        // A head that is held by nobody: the sink may have it.
        if verdict == HOLD { CDE } else { verdict }
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.data_calls += 1;
        let nth = if self.data_calls == 1 { Position::FirstData } else { Position::SecondData };
        self.call(nth, view)
    }

    fn trailers(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.call(Position::Trailers, view)
    }

    fn resume(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.call(Position::Resume, view)
    }

    fn close(&mut self, _: &Outcome) {
        self.log.entries.lock().unwrap().push(Entry::Close { k: self.k });
    }
}

fn plan_of<H: Dir>(case: Case, log: &Arc<Log>) -> BoundPlan<H> {
    let case = Arc::new(case);
    let mut plan = Plan::builder();
    for (k, name) in ["A", "B", "C", "D"].into_iter().enumerate() {
        let (case, log) = (Arc::clone(&case), Arc::clone(log));
        plan = plan.filter(name, move || Replier {
            k,
            case: Arc::clone(&case),
            log: Arc::clone(&log),
            data_calls: 0,
        });
    }
    plan.build().expect("a plan").bind(Capabilities::ALL).expect("an edge that can do it")
}

/// Gives the message, resumes everybody after each input, and takes what comes out: at once, or
/// only when all has been given.
fn play<H: Dir>(chain: &mut Chain<H>, log: &Log, sink_open: bool) -> Vec<String> {
    let field = (HeaderName::from_static("x-sum"), HeaderValue::from_static("1"));
    let mut sunk = Vec::new();
    for step in 0..4 {
        // Behind a reply input is refused or dropped, and the test does not depend on which.
        match step {
            0 => drop(chain.handle_head(H::plain(), false)),
            1 => drop(chain.handle_data(Bytes::from_static(b"aaa"), false)),
            2 => drop(chain.handle_data(Bytes::from_static(b"bbb"), false)),
            _ => drop(chain.handle_trailers(HeaderMap::from_iter([field.clone()]))),
        }
        if sink_open {
            drain(chain, &mut sunk);
        }
        for handle in log.handles.lock().unwrap().iter() {
            let _ = handle.resume();
        }
        chain.handle_resumes();
        if sink_open {
            drain(chain, &mut sunk);
        }
    }
    drain(chain, &mut sunk);
    sunk
}

fn drain<H: Dir>(chain: &mut Chain<H>, sunk: &mut Vec<String>) {
    for _ in 0..200 {
        match chain.poll_output() {
            Some(Output::Head { head, .. }) => sunk.push(render::head(&head, false, false)),
            Some(Output::Data(data)) => sunk.push(String::from_utf8_lossy(&data).into_owned()),
            Some(Output::Trailers(_)) => sunk.push("T".to_owned()),
            Some(Output::End) => sunk.push("end".to_owned()),
            Some(Output::Reply(reply)) => sunk.push(format!("reply {}", reply.status().as_u16())),
            Some(Output::Reset(_)) => sunk.push("reset".to_owned()),
            Some(Output::Informational(_)) => panic!("none was given"),
            // Filters that ask for themselves for ever are asked once more, and left.
            None => return,
        }
    }
    panic!("the chain does not come to rest");
}

/// Nothing that belongs to the message which was replaced reaches a filter behind the reply; of
/// the reply itself, each filter behind the one that made it sees each thing at most once.
fn check_calls(entries: &[Entry], by: usize, shown: &str) {
    let replied = entries.iter().position(|entry| *entry == Entry::Replied);
    let behind = &entries[replied.unwrap_or_else(|| panic!("{shown}: the reply was made"))..];
    for entry in behind {
        match *entry {
            Entry::Call { of_reply: false, k } => {
                panic!("{shown}: filter {k} was called for a message that was replaced")
            }
            Entry::Call { of_reply: true, k } => {
                assert!(k > by, "{shown}: filter {k} was called for a reply that is behind it");
            }
            Entry::Replied | Entry::Close { .. } => {}
        }
    }
    let closed: Vec<usize> = entries
        .iter()
        .filter_map(|entry| if let Entry::Close { k } = entry { Some(*k) } else { None })
        .collect();
    let mut called: Vec<usize> = entries
        .iter()
        .filter_map(|entry| if let Entry::Call { k, .. } = entry { Some(*k) } else { None })
        .collect();
    called.sort_unstable();
    called.dedup();
    assert_eq!(closed, called, "{shown}: who was called is closed once, in order");
}

/// Envoy CVE-2021-32781, CVE-2021-43825, CVE-2022-29228, CVE-2023-27492, CVE-2025-62504: after a
/// local reply in the middle of an iteration the chain went on, with freed memory. Here a filter at
/// every place makes it in every callback, or makes the engine make it, with the others idle,
/// holding, over their marks, or asking for themselves, and everybody resumed all the time.
fn h20_a_local_reply_stops_the_message_it_replaces<H: Dir>() {
    for by in 0..FILTERS {
        for position in POSITIONS {
            for others in OTHERS {
                for sink_open in [true, false] {
                    let shown = format!("{position:?} of {by}, {others:?}, open {sink_open}");
                    let log = Arc::<Log>::default();
                    let plan = plan_of::<H>(Case { by, position, others }, &log);
                    let mut chain = plan.chain(MessageTraits::new()).expect("a chain");
                    let sunk = play(&mut chain, &log, sink_open);
                    check_outcome(&chain, by, position, &shown);
                    check_sink::<H>(&sunk, position, sink_open, &shown);
                    assert_eq!(chain.held_bytes(), 0, "{shown}");
                    drop(chain);
                    check_calls(&log.entries.lock().unwrap(), by, &shown);
                }
            }
        }
    }
}

fn is_limit(position: Position) -> bool {
    match position {
        Position::LimitByArrival
        | Position::LimitByGrowth
        | Position::LimitByGrowthInResume
        | Position::LimitByKeeping => true,
        Position::Head
        | Position::FirstData
        | Position::SecondData
        | Position::Trailers
        | Position::Resume => false,
    }
}

fn check_outcome<H: Dir>(chain: &Chain<H>, by: usize, position: Position, shown: &str) {
    let name = ["A", "B", "C", "D"][by];
    match chain.outcome() {
        Some(Outcome::Limit(error)) => {
            assert!(is_limit(position) && error.filter() == Some(name), "{shown}: {error:?}");
        }
        Some(Outcome::Replaced { by, status: StatusCode::FORBIDDEN }) => {
            assert!(!is_limit(position) && by.as_deref() == Some(name), "{shown}: {by:?}");
        }
        // Too late: the sink had the head.
        Some(Outcome::Failed(error)) if !H::REQUEST && chain.head_was_taken() => {
            assert_eq!(error.filter(), Some(name), "{shown}: {error:?}");
        }
        other => panic!("{shown}: {other:?}"),
    }
}

/// The sink gets the reply, whole and alone; or, where it had the head of the response already,
/// a reset behind what it had.
fn check_sink<H: Dir>(sunk: &[String], position: Position, sink_open: bool, shown: &str) {
    let status = match (is_limit(position), H::REQUEST) {
        (false, _) => 403,
        (true, true) => 413,
        (true, false) => 500,
    };
    let last = sunk.last().unwrap_or_else(|| panic!("{shown}: the sink is told"));
    if H::REQUEST {
        assert_eq!(*last, format!("reply {status}"), "{shown}");
        assert!(!sunk.iter().any(|entry| entry == "end" || entry == "T"), "{shown}: {sunk:?}");
    } else if sink_open && sunk[0] == "H(0)" {
        assert_eq!(last, "reset", "{shown}: {sunk:?}");
        assert!(!sunk.iter().any(|entry| entry == "end" || entry == "T"), "{shown}: {sunk:?}");
    } else {
        assert_eq!(sunk[0], format!("H[{status}](0)"), "{shown}: {sunk:?}");
        let body = if is_limit(position) { 0 } else { 1 };
        assert!(sunk.len() <= 2 + body, "{shown}: {sunk:?}");
        assert!(body == 0 || sunk[1] == "no", "{shown}: {sunk:?}");
    }
}

/// What an async filter has done, and whether its future is gone.
#[derive(Default)]
struct Steps {
    made: AtomicUsize,
    futures: AtomicUsize,
}

/// Counts a future, as long as it lives.
struct Alive(Arc<Steps>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.futures.fetch_sub(1, SeqCst);
    }
}

/// Replies in its `nth` step: before it has asked for anything, with pieces taken, sent, in hand.
async fn replies_in(
    nth: usize,
    steps: Arc<Steps>,
    mut input: Input,
    mut output: AsyncOutput,
) -> Result<(), Error> {
    steps.futures.fetch_add(1, SeqCst);
    let _alive = Alive(Arc::clone(&steps));
    loop {
        if steps.made.fetch_add(1, SeqCst) == nth {
            output.reply(LocalReply::text(StatusCode::FORBIDDEN, "no"))?;
            // Nothing that is awaited behind the reply is ever done.
            input.next().await?;
            panic!("a filter goes on behind its reply");
        }
        let Some(chunk) = input.next().await? else { return Ok(()) };
        if steps.made.fetch_add(1, SeqCst) == nth {
            output.reply(LocalReply::text(StatusCode::FORBIDDEN, "no"))?;
            return Ok(());
        }
        output.send(chunk).await?;
    }
}

/// The same for async filters: the one that replied, in whatever step, is not polled again with
/// the message that it replaced, and neither are those around it; their futures are dropped.
fn h20_a_reply_of_an_async_filter_stops_the_message<H: Dir>() {
    for nth in 0..6 {
        for sink_open in [true, false] {
            let steps = Arc::<Steps>::default();
            let others = Arc::<Steps>::default();
            let edits = || Declaration::new().require(Capability::ChangeLength);
            let around = |steps: &Arc<Steps>| {
                let steps = Arc::clone(steps);
                async_filter(edits(), move |input, output| {
                    replies_in(usize::MAX, Arc::clone(&steps), input, output)
                })
            };
            let replier = Arc::clone(&steps);
            let plan = Plan::<H>::builder()
                .filter("<", around(&others))
                .filter(
                    "A",
                    async_filter(edits(), move |input, output| {
                        replies_in(nth, Arc::clone(&replier), input, output)
                    }),
                )
                .filter(">", around(&others));
            let plan = plan.build().expect("a plan").bind(Capabilities::ALL).expect("an edge");
            let mut chain = plan.chain(MessageTraits::new()).expect("a chain");
            let sunk = play(&mut chain, &Log::default(), sink_open);
            let shown = format!("step {nth}, open {sink_open}: {sunk:?}");
            assert!(chain.outcome().is_some(), "{shown}");
            let complete = chain.outcome().is_some_and(Outcome::is_complete);
            // The body is two pieces: later there is no step to reply in.
            assert_eq!(complete, nth > 4, "{shown}");
            assert_eq!(chain.held_bytes(), 0, "{shown}");
            if !complete {
                assert_eq!(steps.made.load(SeqCst), nth + 1, "{shown}");
                assert!(!sunk.contains(&"end".to_owned()) || !H::REQUEST, "{shown}");
            }
            drop(chain);
            let alive = steps.futures.load(SeqCst) + others.futures.load(SeqCst);
            assert_eq!(alive, 0, "{shown}");
        }
    }
}

/// Envoy CVE-2025-30157: a local reply was sent on to a filter that had been told the end. A reply
/// says that it is one; the filters of the request never see it, nor does a filter of the response
/// that was closed.
#[test]
fn h21_a_local_reply_says_so_and_reaches_nobody_who_was_told_the_end() {
    let a = script("A").data_with(|view| view.reply(LocalReply::new(StatusCode::FORBIDDEN)));
    let x = script("X").head_with(|view| {
        assert!(view.is_local_reply());
        PASS
    });
    let mut stage = Exchange::new(EarlyResponse::Forward, [script("<"), a, script(">")], [x]);
    stage.request_head(false).up("H(0)").calls("<.H(0) A.H(0) >.H(0)");
    stage.request_data("one").up("reset(reset) .").calls(r#"<.D("one",0) A.D("one",0)"#);
    assert_eq!(
        stage.closes(),
        "<.close(replaced 403 by A) A.close(replaced 403 by A) \
         >.close(replaced 403 by A)"
    );
    stage.down("H[403](1) .").calls("X.H[403 local](1)");
}

/// The same where the response is over, or its head is with the client: nobody hears of the reply.
#[test]
fn h21_a_local_reply_is_not_told_to_a_response_that_is_over() {
    for over in [true, false] {
        let a = script("A").data_with(|view| view.reply(LocalReply::new(StatusCode::FORBIDDEN)));
        let x = script("X");
        let mut stage = Exchange::new(EarlyResponse::Forward, [a], [x]);
        stage.both_heads();
        if over {
            stage.response.handle_end().expect("the end is taken");
            stage.down("end .");
        }
        drop(std::mem::take(&mut stage.log().lock().calls));
        stage.request_data("one").up("reset(reset) .").calls(r#"A.D("one",0)"#);
        assert_eq!(sunk(&mut stage.response), if over { "." } else { "reset(reply too late) ." });
        stage.calls("");
    }
}

both!(
    h20_a_local_reply_stops_the_message_it_replaces,
    h20_a_reply_of_an_async_filter_stops_the_message,
);
