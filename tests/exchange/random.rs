//! Random exchanges on the executor that accounts for wakes: two tasks, random filters, resets,
//! drops and policies at random points. A lost wake is a failure of the run.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::{StatusCode, request, response};
use tidegate::exchange::{Direction, EarlyResponse, ExchangePlan, Side};
use tidegate::filter::Interim;
use tidegate::{
    Capabilities, Error, ErrorKind, Filter, Head, LocalReply, MessageTraits, Origin, Outcome,
    Output, ResumeHandle, Timeout, Verdict, View,
};

use crate::kit::executor::{Executor, Options, yield_now};
use crate::kit::{Dir, Rng};

const SEEDS: u64 = 4_000;

/// What the filters of one exchange did.
#[derive(Default)]
struct Record {
    started: BTreeMap<u64, u32>,
    closed: BTreeMap<u64, u32>,
    /// Handles of filters that hold, for the task that resumes.
    handles: Vec<ResumeHandle>,
    /// Replies by request filters.
    replies: u32,
    panics: u32,
}

type Shared = Arc<Mutex<Record>>;

/// Does something else in every call.
struct Random {
    id: u64,
    rng: Rng,
    record: Shared,
    started: bool,
}

impl Random {
    fn verdict<H: Head>(&mut self, view: &mut View<'_, H>, may_reply: bool) -> Verdict {
        let choice = self.rng.below(40);
        match choice {
            0 if may_reply => {
                self.record.lock().unwrap().replies += 1;
                view.reply(LocalReply::text(StatusCode::FORBIDDEN, "no"))
            }
            1 => view.fail(Error::filter_failed("on purpose")),
            2 => {
                self.record.lock().unwrap().panics += 1;
                std::panic::resume_unwind(Box::new("on purpose"))
            }
            3..=9 => {
                let handle = view.resume_handle();
                self.record.lock().unwrap().handles.push(handle);
                Verdict::HOLD
            }
            10..=12 => {
                let handle = view.resume_handle();
                self.record.lock().unwrap().handles.push(handle);
                Verdict::pass_first(view.body().len() / 2)
            }
            13 => Verdict::END,
            _ => Verdict::PASS,
        }
    }

    fn start(&mut self) {
        if !std::mem::replace(&mut self.started, true) {
            *self.record.lock().unwrap().started.entry(self.id).or_default() += 1;
        }
    }
}

impl<H: Head> Filter<H> for Random {
    fn declare(&self) -> tidegate::Declaration {
        tidegate::Declaration::new()
            .prefer(tidegate::Capability::HoldHead)
            .prefer(tidegate::Capability::KeepToEnd)
            .prefer(tidegate::Capability::SeeEnd)
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.start();
        self.verdict(view, true)
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.verdict(view, true)
    }

    fn resume(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.verdict(view, true)
    }

    fn informational(&mut self, _: &mut H) -> Interim {
        self.start();
        if self.rng.below(4) == 0 { Interim::Drop } else { Interim::Pass }
    }

    fn close(&mut self, _: &Outcome) {
        *self.record.lock().unwrap().closed.entry(self.id).or_default() += 1;
    }
}

/// What the sink of one side saw.
#[derive(Debug, Default, Clone)]
struct Seen {
    head: bool,
    status: Option<u16>,
    body: Vec<u8>,
    informational: u32,
    /// The message looked complete.
    complete: bool,
    reset: bool,
    /// The side was dropped by its task before it was over.
    dropped: bool,
}

impl Seen {
    fn take<H: Dir>(&mut self, output: Output<H>) {
        assert!(!self.complete && !self.reset, "nothing follows the end");
        match output {
            Output::Informational(_) => {
                assert!(!self.head, "1xx comes before the head");
                self.informational += 1;
            }
            Output::Head { head, end_of_stream } => {
                assert!(!std::mem::replace(&mut self.head, true), "one head");
                self.status = head.odd_status().map(|status| status.as_u16());
                self.complete = end_of_stream;
            }
            Output::Data(data) => {
                assert!(self.head);
                self.body.extend_from_slice(&data);
            }
            Output::Trailers(_) | Output::End => self.complete = true,
            Output::Reply(_) => panic!("the sides hand replies over themselves"),
            Output::Reset(_) => self.reset = true,
        }
    }
}

/// What is done to a side from outside.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Input {
    Informational,
    Head,
    Data,
    End,
    Reset,
    Timeout,
    Abort,
    Cancel,
    /// The task goes away.
    Drop,
    Wait,
}

fn inputs(rng: &mut Rng, direction: Direction) -> Vec<Input> {
    let mut inputs = Vec::new();
    if direction == Direction::Response {
        inputs.extend((0..rng.below(3)).map(|_| Input::Informational));
    }
    inputs.push(Input::Head);
    inputs.extend((0..rng.below(5)).map(|_| Input::Data));
    inputs.push(Input::End);
    for _ in 0..rng.below(8) {
        let at = rng.below(inputs.len() + 1);
        inputs.insert(at, Input::Wait);
    }
    if rng.below(3) == 0 {
        let odd = [Input::Reset, Input::Timeout, Input::Abort, Input::Cancel, Input::Drop];
        let at = rng.below(inputs.len() + 1);
        inputs.insert(at, odd[rng.below(odd.len())]);
        // A source that has failed has no more to say.
        if inputs[at] == Input::Reset {
            inputs.truncate(at + 1);
        }
    }
    inputs
}

/// Gives a side one input, if it takes it now. `None`: it has to wait.
fn give<H: Dir>(side: &mut Side<H>, input: Input, inform: impl FnOnce(&mut Side<H>)) -> Option<()> {
    match input {
        Input::Informational => inform(side),
        Input::Head => drop(side.handle_head(H::plain(), false)),
        Input::Data if side.wants_input() => {
            let taken = side.handle_data(Bytes::from_static(b"data"), false);
            assert!(taken.is_ok(), "what is wanted is taken");
        }
        Input::Data if side.input_stopped() => {}
        Input::Data => return None,
        Input::End => drop(side.handle_end()),
        Input::Reset => side.handle_reset(Error::new(ErrorKind::Reset, H::peer())),
        Input::Timeout => side.handle_timeout(Timeout::Idle),
        Input::Abort => side.abort(Error::new(ErrorKind::Reset, Origin::Internal)),
        Input::Cancel => side.cancel(),
        Input::Drop | Input::Wait => {}
    }
    Some(())
}

trait Peer {
    /// Whether the first input waits for the gate; else what comes after the last does.
    const WAITS: bool;

    fn peer() -> Origin;
}

impl<H: Dir> Peer for H {
    const WAITS: bool = !H::REQUEST;

    fn peer() -> Origin {
        match Direction::of::<H>() {
            Direction::Request => Origin::Downstream,
            Direction::Response => Origin::Upstream,
        }
    }
}

/// Something that a task may have to wait for, besides its side. Opening it is no news of the
/// exchange: a side that has to hear of the other one must be woken by that one.
#[derive(Default)]
struct Gate {
    open: Cell<bool>,
    waiting: RefCell<Option<Waker>>,
}

impl Gate {
    fn open(&self) {
        self.open.set(true);
        let waiting = self.waiting.borrow_mut().take();
        if let Some(waker) = waiting {
            waker.wake();
        }
    }

    fn is_open(&self, cx: &Context<'_>) -> bool {
        if !self.open.get() {
            *self.waiting.borrow_mut() = Some(cx.waker().clone());
        }
        self.open.get()
    }
}

/// The task of one side: takes outputs, gives inputs in between, from when the gate is open.
async fn drive<H: Dir>(
    mut side: Side<H>,
    inputs: Vec<Input>,
    seen: Rc<RefCell<Seen>>,
    gate: Rc<Gate>,
    inform: fn(&mut Side<H>),
) {
    let mut inputs = inputs.into_iter().peekable();
    loop {
        // Everything that is there now; then the next input, or a wait for a wake.
        let next = poll_fn(|cx| match side.poll_next(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if side.drain_time().is_some() && inputs.peek().is_none() => {
                // The timer of an edge.
                side.stop_draining();
                Poll::Ready(None)
            }
            Poll::Pending if H::WAITS && !gate.is_open(cx) => Poll::Pending,
            Poll::Pending => match inputs.peek().copied() {
                // A client that has stopped sending, without an end, goes when it has its answer.
                None if gate.is_open(cx) => {
                    side.cancel();
                    Poll::Ready(None)
                }
                Some(input) if give(&mut side, input, inform).is_some() => Poll::Ready(None),
                _ => Poll::Pending,
            },
        });
        match next.await {
            Some(Some(output)) => seen.borrow_mut().take(output),
            Some(None) => {
                // Where the end was visible and something came in its place, it is not given out.
                let mut seen = seen.borrow_mut();
                seen.complete |= seen.head && side.chain().is_end_stream();
                return;
            }
            None => match inputs.next() {
                Some(Input::Drop) => {
                    seen.borrow_mut().dropped = true;
                    return;
                }
                Some(Input::Wait) => yield_now().await,
                Some(_) | None => {}
            },
        }
    }
}

/// Resumes one holder after the other, in random order, until both sides are over.
async fn resume(mut rng: Rng, record: Shared, over: Rc<RefCell<u32>>) {
    while *over.borrow() < 2 {
        let handle = {
            let mut record = record.lock().unwrap();
            let len = record.handles.len();
            (len > 0).then(|| record.handles.swap_remove(rng.below(len)))
        };
        if let Some(handle) = handle {
            handle.resume();
        }
        yield_now().await;
    }
}

/// The outcomes that observers were told.
type Told = Arc<Mutex<Vec<(Direction, Outcome)>>>;

struct Ran {
    up: Seen,
    down: Seen,
    told: Told,
    record: Shared,
    /// The response has no filters, and nothing odd was done to it.
    plain_response: bool,
}

fn run(seed: u64) -> Ran {
    let mut rng = Rng::new(seed);
    let record = Shared::default();
    let mut plan = ExchangePlan::builder();
    let random = |id: u64, record: &Shared| {
        let record = Arc::clone(record);
        move || Random {
            id,
            rng: Rng::new(seed ^ (id << 32)),
            record: Arc::clone(&record),
            started: false,
        }
    };
    let mut plain_response = true;
    for id in 0..rng.below(4) as u64 {
        let kind = rng.below(3);
        plain_response &= kind == 0;
        plan = match kind {
            0 => plan.request("random", random(3 * id, &record)),
            1 => plan.response("random", random(3 * id + 1, &record)),
            _ => {
                let (one, other) = (random(3 * id, &record), random(3 * id + 1, &record));
                plan.pair("random", move || (one(), other()))
            }
        };
    }
    let early = match rng.below(3) {
        0 => EarlyResponse::Forward,
        1 => EarlyResponse::Stop,
        _ => EarlyResponse::Drain {
            max_bytes: rng.below(12) as u64,
            max_time: Duration::from_secs(1),
        },
    };
    let all = Capabilities::ALL;
    let plan = plan.build().unwrap().bind(all, all).unwrap().early_response(early);
    let traits = MessageTraits::new();
    let (request, response) = plan.exchange(traits, traits).unwrap();
    let told = Told::default();
    let observer = || -> tidegate::exchange::Observer {
        let told = Arc::clone(&told);
        Arc::new(move |direction: Direction, outcome: &Outcome, _: &_| {
            told.lock().unwrap().push((direction, outcome.clone()));
        })
    };
    let (request, response) = (request.on_finish(observer()), response.on_finish(observer()));

    let (up, down) = (Rc::<RefCell<Seen>>::default(), Rc::<RefCell<Seen>>::default());
    let over = Rc::new(RefCell::new(0));
    let mut executor = Executor::new(seed, Options::from_seed(seed));
    let mut up_inputs = inputs(&mut rng, Direction::Request);
    let down_inputs = inputs(&mut rng, Direction::Response);
    let odd = [Input::Reset, Input::Timeout, Input::Abort, Input::Cancel, Input::Drop];
    plain_response &= !down_inputs.iter().any(|input| odd.contains(input));
    // An upstream that answers only when it has seen the request end, or a client that does not end
    // it: then there is nothing to wait for but the other side.
    let (upstream, client) = (Rc::<Gate>::default(), Rc::<Gate>::default());
    let waits = rng.below(3);
    upstream.open.set(waits != 0);
    let endless = waits == 1;
    if endless {
        up_inputs.retain(|input| *input != Input::End);
    }
    let (seen, done) = (Rc::clone(&up), Rc::clone(&over));
    let (gate, opens) = (Rc::clone(&client), Rc::clone(&upstream));
    executor.spawn("request", async move {
        drive::<request::Parts>(request, up_inputs, Rc::clone(&seen), gate, |_| {}).await;
        *done.borrow_mut() += 1;
        // An upstream whose request was reset does not answer.
        if !seen.borrow().reset {
            opens.open();
        }
    });
    let (seen, done, answers) = (Rc::clone(&down), Rc::clone(&over), Arc::clone(&told));
    executor.spawn("response", async move {
        drive::<response::Parts>(response, down_inputs, seen, upstream, |side| {
            let mut head = <response::Parts as Dir>::plain();
            head.status = StatusCode::EARLY_HINTS;
            drop(side.handle_informational(head));
        })
        .await;
        *done.borrow_mut() += 1;
        let complete =
            answers.lock().unwrap().iter().any(|(direction, outcome)| {
                *direction == Direction::Response && outcome.is_complete()
            });
        // With any other policy, or another outcome, the request is told.
        if endless && complete && early == EarlyResponse::Forward {
            client.open();
        }
    });
    executor.spawn("resumes", resume(Rng::new(!seed), Arc::clone(&record), over));
    if let Err(failure) = executor.run() {
        panic!("seed {seed}: {failure:?}");
    }
    Ran { up: up.take(), down: down.take(), told, record, plain_response }
}

fn check(seed: u64, ran: &Ran) {
    let Ran { up, down, told, record, plain_response } = ran;
    let told = told.lock().unwrap();
    let outcome = |wanted: Direction| {
        let mut all = told.iter().filter(|(direction, _)| *direction == wanted);
        let outcome = all.next().map(|(_, outcome)| outcome);
        assert!(all.next().is_none(), "seed {seed}: one outcome of the {wanted}: {told:?}");
        outcome
    };
    let (up_outcome, down_outcome) = (outcome(Direction::Request), outcome(Direction::Response));

    // What looks complete is, and nothing else does.
    if up.complete {
        assert!(up_outcome.is_some_and(Outcome::is_complete), "seed {seed}: {up_outcome:?}");
    }
    if up.reset {
        assert!(!up_outcome.is_some_and(Outcome::is_complete), "seed {seed}: {up_outcome:?}");
    }
    if let Some(Outcome::Complete { .. }) = down_outcome {
        assert!(down.complete, "seed {seed}: {down:?}");
    }
    if down.reset {
        assert!(down_outcome.is_some_and(|it| it.error().is_some()), "seed {seed}");
    }
    // A client that stayed has an answer, or has seen that there is none.
    if !down.dropped && !matches!(down_outcome, Some(Outcome::Cancelled)) {
        assert!(down.complete || down.reset, "seed {seed}: {down:?} {down_outcome:?}");
    }
    // A reply of the request is delivered, or the head had gone, or the response was over.
    if let Some(Outcome::Replaced { by: Some(_), .. }) = up_outcome {
        assert!(!up.complete, "seed {seed}: the upstream sees no end");
        if *plain_response {
            let delivered = down.status == Some(403) && down.complete && down.body == b"no";
            let head_had_gone = down.head && down.status.is_none();
            assert!(delivered != head_had_gone, "seed {seed}: {down:?}");
        }
    }
    // Every started filter is closed once, but those that panicked.
    let record = record.lock().unwrap();
    assert!(record.started.values().chain(record.closed.values()).all(|&n| n == 1), "seed {seed}");
    let unclosed = record.started.keys().filter(|id| !record.closed.contains_key(id)).count();
    assert_eq!(unclosed, record.panics as usize, "seed {seed}: {:?}", record.closed);
}

/// How often each thing happened: a generator that stops making it must be seen.
#[derive(Debug, Default)]
struct Census {
    up_complete: u32,
    up_reset: u32,
    answered_early: u32,
    replied: u32,
    past_filters: u32,
    down_reset: u32,
    informational: u32,
    panics: u32,
    dropped: u32,
}

impl Census {
    fn count(&mut self, ran: &Ran) {
        self.up_complete += u32::from(ran.up.complete);
        self.up_reset += u32::from(ran.up.reset);
        self.down_reset += u32::from(ran.down.reset);
        self.informational += u32::from(ran.down.informational > 0);
        self.dropped += u32::from(ran.up.dropped || ran.down.dropped);
        self.panics += ran.record.lock().unwrap().panics;
        self.replied += u32::from(ran.down.status == Some(403));
        let told = ran.told.lock().unwrap();
        let early = |outcome: &Outcome| {
            outcome.error().is_some_and(|error| error.kind() == ErrorKind::AnsweredEarly)
        };
        self.answered_early += u32::from(told.iter().any(|(_, outcome)| early(outcome)));
        let failed = told.iter().any(|(direction, outcome)| {
            *direction == Direction::Response && outcome.error().is_some()
        });
        self.past_filters += u32::from(failed && ran.down.complete);
    }

    fn least(&self) -> u32 {
        let Self {
            up_complete,
            up_reset,
            answered_early,
            replied,
            past_filters,
            down_reset,
            informational,
            panics,
            dropped,
        } = *self;
        let all = [
            up_complete,
            up_reset,
            answered_early,
            replied,
            past_filters,
            down_reset,
            informational,
            panics,
            dropped,
        ];
        all.into_iter().min().unwrap_or(0)
    }
}

#[test]
fn random_exchanges_keep_the_rules() {
    let mut census = Census::default();
    for seed in 0..SEEDS {
        let ran = run(seed);
        check(seed, &ran);
        census.count(&ran);
    }
    assert!(census.least() >= 20, "everything happens, and often: {census:?}");
}
