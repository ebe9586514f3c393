//! H27, H39, H40, H44: every place that answers `Pending`. Whoever waits there is woken by what
//! ends the wait, costs nothing until then, and may do anything in its waker.

use std::cell::RefCell;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use bytes::Bytes;
use http::{StatusCode, request, response};
use http_body::Body;
use tidegate::async_filter::{Input, Output, async_filter};
use tidegate::body::{FilteredBody, PipedBody, Pump, pipe_body};
use tidegate::exchange::{ExchangePlan, RequestSide, ResponseSide, Side};
use tidegate::pipe::{Receiver, Sender, pipe};
use tidegate::{
    Capabilities, Capability, Declaration, Error, ErrorKind, Filter, LocalReply, Marks,
    MessageTraits, Origin, Plan, ResumeHandle, Verdict, View,
};

use crate::edge::{Collected, Source, Step, Task, chain, request_head};
use crate::kit::Dir;
use crate::kit::executor::{Executor, Options};

type PollOnce = Box<dyn FnMut(&mut Context<'_>) -> Poll<()>>;

/// A place that waits, and something that ends the wait.
struct Site {
    name: &'static str,
    poll: PollOnce,
    event: Box<dyn FnOnce()>,
}

/// `poll` answers whether it was ready.
fn site(
    name: &'static str,
    mut poll: impl FnMut(&mut Context<'_>) -> bool + 'static,
    event: impl FnOnce() + 'static,
) -> Site {
    let poll = move |cx: &mut Context<'_>| if poll(cx) { Poll::Ready(()) } else { Poll::Pending };
    Site { name, poll: Box::new(poll), event: Box::new(event) }
}

fn noop() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

type Tx = Sender<Bytes, u8, u8>;
type Rx = Receiver<Bytes, u8, u8>;
/// Does something to a receiver, which may have to stay.
type Keeps = fn(Rx) -> Option<Rx>;
type Named<T> = (&'static str, T);

/// A pipe with room for one item.
fn narrow() -> (Tx, Rx) {
    pipe(Marks::from_high(0))
}

fn sender_sites() -> Vec<Site> {
    let events: [Named<Keeps>; 3] = [
        ("sender, room", |mut receiver| {
            assert!(receiver.poll_next(&mut noop()).is_ready());
            Some(receiver)
        }),
        ("sender, receiver closed", |mut receiver| {
            receiver.close(1);
            Some(receiver)
        }),
        ("sender, receiver dropped", |_| None),
    ];
    let mut sites = Vec::new();
    for (name, event) in events {
        let (mut sender, receiver) = narrow();
        sender.try_send(Bytes::from_static(b"one")).expect("room for one");
        let left = RefCell::new(None);
        let poll = move |cx: &mut Context<'_>| sender.poll_ready(cx).is_ready();
        sites.push(site(name, poll, move || *left.borrow_mut() = event(receiver)));
    }
    let (mut sender, receiver) = narrow();
    let closed = move |cx: &mut Context<'_>| sender.poll_closed(cx).is_ready();
    sites.push(site("sender, poll_closed", closed, move || drop(receiver)));
    sites
}

fn receiver_sites() -> Vec<Site> {
    let events: [Named<fn(Tx)>; 5] = [
        ("receiver, item", |mut sender| sender.try_send(Bytes::new()).expect("room")),
        ("receiver, end", |mut sender| sender.finish(1).expect("open")),
        ("receiver, failure", |mut sender| sender.fail(1).expect("open")),
        ("receiver, abort", |mut sender| sender.abort(1).expect("open")),
        ("receiver, sender dropped", drop),
    ];
    let mut sites = Vec::new();
    for (name, event) in events {
        let (sender, mut receiver) = narrow();
        let next = move |cx: &mut Context<'_>| receiver.poll_next(cx).is_ready();
        sites.push(site(name, next, move || event(sender)));
        let (sender, mut receiver) = narrow();
        let mut items = Vec::new();
        let batch = move |cx: &mut Context<'_>| receiver.poll_batch(cx, &mut items).is_ready();
        sites.push(site(name, batch, move || event(sender)));
    }
    sites
}

type Handles = Arc<Mutex<Vec<ResumeHandle>>>;

fn take(handles: &Handles) -> Vec<ResumeHandle> {
    std::mem::take(&mut *handles.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Holds all data until it is resumed; holds the head as well, if it is to.
struct Holder {
    handles: Handles,
    head: bool,
}

impl<H: Dir> Filter<H> for Holder {
    fn declare(&self) -> Declaration {
        Declaration::new().require(Capability::HoldHead)
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        let handle = view.resume_handle();
        self.handles.lock().unwrap_or_else(PoisonError::into_inner).push(handle);
        if self.head { Verdict::HOLD } else { Verdict::PASS }
    }

    fn data(&mut self, _: &mut View<'_, H>) -> Verdict {
        Verdict::HOLD
    }
}

/// Both sides of an exchange with a holder each.
fn exchange(handles: &Handles) -> (RequestSide, ResponseSide) {
    let holder = || {
        let handles = Arc::clone(handles);
        move || Holder { handles: Arc::clone(&handles), head: false }
    };
    let plan = ExchangePlan::builder()
        .request("request", holder())
        .response("response", holder())
        .build()
        .expect("a plan")
        .bind(Capabilities::ALL, Capabilities::ALL)
        .expect("an edge");
    let traits = MessageTraits::new();
    let (mut request, response) = plan.exchange(traits, traits).expect("an exchange");
    request.handle_head(request::Parts::plain(), false).expect("the head is taken");
    assert!(request.poll_next(&noop()).is_ready());
    (request, response)
}

fn answered(response: &mut ResponseSide) {
    response.handle_head(response::Parts::plain(), false).expect("the head is taken");
    assert!(response.poll_next(&noop()).is_ready());
}

fn side_polls<H: Dir>(mut side: Side<H>) -> impl FnMut(&mut Context<'_>) -> bool {
    move |cx| side.poll_next(cx).is_ready()
}

fn exchange_sites() -> Vec<Site> {
    let mut sites = Vec::new();
    let mut response_waits = |name, event: fn(RequestSide)| {
        let handles = Handles::default();
        let (request, response) = exchange(&handles);
        let poll = side_polls(response);
        // The holder keeps its handle until then: no stall.
        sites.push(site(name, poll, move || {
            event(request);
            drop(take(&handles));
        }));
    };
    response_waits("response, request reset", |mut request| {
        request.handle_reset(Error::new(ErrorKind::Reset, Origin::Downstream));
        let _ = request.poll_next(&noop());
    });
    response_waits("response, request timed out", |mut request| {
        request.handle_timeout(tidegate::Timeout::Idle);
        let _ = request.poll_next(&noop());
    });
    response_waits("response, request replaced", |mut request| {
        request.handle_reply(LocalReply::new(StatusCode::FORBIDDEN));
        let _ = request.poll_next(&noop());
    });
    let mut request_waits = |name, event: fn(ResponseSide)| {
        let handles = Handles::default();
        let (request, mut response) = exchange(&handles);
        answered(&mut response);
        let held = take(&handles);
        let mut polls = side_polls(request);
        let poll = move |cx: &mut Context<'_>| {
            // Kept beyond the event: the last handle to go would wake the task as well.
            let _live = &held;
            polls(cx)
        };
        sites.push(site(name, poll, move || event(response)));
    };
    request_waits("request, response dropped", drop);
    request_waits("request, response aborted", |mut response| {
        response.abort(Error::new(ErrorKind::Reset, Origin::Upstream));
    });
    request_waits("request, response reset", |mut response| {
        response.handle_reset(Error::new(ErrorKind::Reset, Origin::Upstream));
        let _ = response.poll_next(&noop());
    });
    for resumed in [true, false] {
        let handles = Handles::default();
        let (mut request, response) = exchange(&handles);
        request.handle_data(Bytes::from_static(b"held"), true).expect("data is taken");
        let name = if resumed { "side, resumed" } else { "side, last handle lost" };
        sites.push(site(name, side_polls(request), move || {
            let handles = take(&handles);
            if resumed {
                let _ = handles[0].resume();
            }
            drop(handles);
            drop(response);
        }));
    }
    sites
}

type RequestBody = FilteredBody<Source, request::Parts>;

fn frame(mut body: RequestBody) -> impl FnMut(&mut Context<'_>) -> bool {
    move |cx| Pin::new(&mut body).poll_frame(cx).is_ready()
}

/// A body behind one holder.
fn held_body(handles: &Handles, head: bool, source: Source) -> RequestBody {
    let handles = Arc::clone(handles);
    let plan = Plan::builder()
        .filter("holder", move || Holder { handles: Arc::clone(&handles), head })
        .build()
        .expect("a plan");
    FilteredBody::new(chain(&plan), request_head(), source)
}

fn body_sites() -> Vec<Site> {
    let mut sites = Vec::new();
    let source = Source::new([Step::Gate, Step::Data(b"one")]);
    let state = source.state();
    let body = FilteredBody::new(chain(&crate::edge::no_filters()), request_head(), source);
    sites.push(site("body, source", frame(body), move || state.open_gate()));
    for head in [false, true] {
        for resumed in [true, false] {
            let handles = Handles::default();
            let source = Source::new([Step::Data(b"one"), Step::Gate]);
            let state = source.state();
            let mut body = held_body(&handles, head, source);
            let name = if resumed { "body, resumed" } else { "body, last handle lost" };
            let poll = move |cx: &mut Context<'_>| {
                let body = Pin::new(&mut body);
                if head { body.poll_head(cx).is_ready() } else { body.poll_frame(cx).is_ready() }
            };
            sites.push(site(name, poll, move || {
                let handles = take(&handles);
                if resumed {
                    let _ = handles[0].resume();
                } else {
                    // A stall is looked for when no more input can come.
                    drop(handles);
                    state.open_gate();
                }
            }));
        }
    }
    sites
}

type Ends = (Pump<Source>, PipedBody, Arc<crate::edge::SourceState>);

fn piped(steps: &[Step]) -> Ends {
    let source = Source::new(steps.iter().cloned());
    let state = source.state();
    let (pump, body) = pipe_body(source, Marks::from_high(0), Origin::Upstream);
    (pump, body, state)
}

fn poll_pump(pump: &mut Pump<Source>, cx: &mut Context<'_>) -> bool {
    Future::poll(Pin::new(pump), cx).is_ready()
}

fn piped_sites() -> Vec<Site> {
    let mut sites = Vec::new();
    for pump_goes in [false, true] {
        let (mut pump, mut body, _) = piped(&[Step::Data(b"one"), Step::Gate]);
        let poll = move |cx: &mut Context<'_>| Pin::new(&mut body).poll_frame(cx).is_ready();
        let left = RefCell::new(None);
        let name = if pump_goes { "piped body, pump dropped" } else { "piped body, data" };
        sites.push(site(name, poll, move || {
            if !pump_goes {
                poll_pump(&mut pump, &mut noop());
                *left.borrow_mut() = Some(pump);
            }
        }));
    }
    // Waits for room; then for its source. Ready when the body is gone.
    for steps in [&[Step::Data(b"one"), Step::Data(b"two")][..], &[Step::Gate][..]] {
        let (mut pump, body, _) = piped(steps);
        let poll = move |cx: &mut Context<'_>| poll_pump(&mut pump, cx);
        sites.push(site("pump, body dropped", poll, move || drop(body)));
    }
    let (mut pump, body, state) = piped(&[Step::Gate]);
    let poll = move |cx: &mut Context<'_>| poll_pump(&mut pump, cx);
    let body = RefCell::new(Some(body));
    sites.push(site("pump, source", poll, move || {
        state.open_gate();
        // Kept until the pump has been woken.
        drop(body.borrow_mut().take());
    }));
    sites
}

type Numbers = Arc<Mutex<Rx>>;

/// An async filter that waits for another task.
fn async_sites() -> Vec<Site> {
    let mut sites = Vec::new();
    for gone in [false, true] {
        let (mut sender, receiver) = narrow();
        let receiver: Numbers = Arc::new(Mutex::new(receiver));
        let waits = move |_: Input, mut output: Output| {
            let receiver = Arc::clone(&receiver);
            async move {
                let next = std::future::poll_fn(|cx| {
                    receiver.lock().unwrap_or_else(PoisonError::into_inner).poll_next(cx)
                });
                let _ = next.await;
                output.send(Bytes::from_static(b"woken")).await
            }
        };
        let need = Declaration::new().require(Capability::ChangeLength);
        let plan = Plan::builder().filter("waits", async_filter(need, waits)).build();
        let source = Source::new([Step::Data(b"one")]);
        let body = FilteredBody::new(chain(&plan.expect("a plan")), request_head(), source);
        let left = RefCell::new(None);
        let name = if gone { "async filter, sender dropped" } else { "async filter, item" };
        sites.push(site(name, frame(body), move || {
            if !gone {
                sender.try_send(Bytes::new()).expect("room");
                *left.borrow_mut() = Some(sender);
            }
        }));
    }
    sites
}

fn all_sites() -> Vec<Site> {
    let sites = [
        sender_sites(),
        receiver_sites(),
        exchange_sites(),
        body_sites(),
        piped_sites(),
        async_sites(),
    ];
    sites.into_iter().flatten().collect()
}

/// h2 #931 (`poll_trailers`), #897 (the receiver was woken, and not the sender), #791 (its test
/// polled on, which hid it): at each place, a task that is polled only when it was woken.
#[test]
fn h39_every_wait_is_ended_by_a_wake() {
    let sites = all_sites();
    assert!(sites.len() >= 30, "{} places", sites.len());
    for Site { name, mut poll, event } in sites {
        // The task has moved: only the waker of the last poll counts.
        for _ in 0..3 {
            assert!(Task::new().poll(&mut poll).is_pending(), "{name}");
        }
        let task = Task::new();
        assert!(task.poll(&mut poll).is_pending(), "{name}");
        event();
        assert!(task.is_woken(), "{name}: nobody was woken");
        assert!(task.run(&mut poll).is_ready(), "{name}: woken for nothing");
    }
}

/// hyper #1267, #3952, HAProxy CVE-2026-110354 (100 % of a processor behind a client that was
/// gone): a wait that nothing ends wakes nobody, however often it is looked at, and it leaves
/// nothing behind when it is given up.
#[test]
fn h40_a_wait_costs_no_polls() {
    for Site { name, mut poll, event } in all_sites() {
        let task = Task::new();
        for _ in 0..200 {
            assert!(task.poll(&mut poll).is_pending(), "{name}");
            assert_eq!(task.wakes(), 0, "{name}: it wakes itself");
        }
        drop(poll);
        drop(event);
        assert_eq!(Arc::strong_count(&task), 1, "{name}: a waker is left");
    }
}

thread_local! {
    /// What the waker does, and with what.
    static INLINE: RefCell<Option<PollOnce>> = const { RefCell::new(None) };
}

/// Polls, or drops, what waits for it, inside the call that wakes it.
struct Inline {
    drops: bool,
    wakes: AtomicUsize,
    readies: AtomicUsize,
}

impl Wake for Inline {
    fn wake(self: Arc<Self>) {
        self.wakes.fetch_add(1, Relaxed);
        let poll = INLINE.with(|inline| inline.borrow_mut().take());
        let Some(mut poll) = poll else { return };
        if self.drops {
            drop(poll);
            return;
        }
        let waker = Waker::from(Arc::clone(&self));
        let ready = poll(&mut Context::from_waker(&waker)).is_ready();
        self.readies.fetch_add(usize::from(ready), Relaxed);
        INLINE.with(|inline| *inline.borrow_mut() = Some(poll));
    }
}

/// Envoy CVE-2022-29228, 1.39.1 (a reset from within a reset): a waker that polls what waits, or
/// drops it, while whoever woke it is still at work; at each place.
#[test]
fn h44_a_waker_may_poll_or_drop_what_waits() {
    for drops in [false, true] {
        for Site { name, mut poll, event } in all_sites() {
            let inline = Arc::new(Inline {
                drops,
                wakes: AtomicUsize::new(0),
                readies: AtomicUsize::new(0),
            });
            let waker = Waker::from(Arc::clone(&inline));
            assert!(poll(&mut Context::from_waker(&waker)).is_pending(), "{name}");
            INLINE.with(|inline| *inline.borrow_mut() = Some(poll));
            event();
            assert!(inline.wakes.load(Relaxed) > 0, "{name}: nobody was woken");
            let left = INLINE.with(|inline| inline.borrow_mut().take());
            assert_eq!(left.is_none(), drops, "{name}");
            if let Some(mut poll) = left
                && inline.readies.load(Relaxed) == 0
            {
                // It came too early in the call that woke it; what it registered then is woken.
                assert!(Task::new().run(&mut poll).is_ready(), "{name}: lost inside the wake");
            }
        }
    }
}

/// hyper #4143 (the last chunk was stranded, once in 600,000 responses): data, then `Pending`, then
/// the end on the very next poll. The data is out before the end is there, through filters and
/// pipes; the end is seen by the next poll.
#[test]
fn h27_what_was_written_is_out_before_the_end_comes() {
    async fn passes(mut input: Input, mut output: Output) -> Result<(), Error> {
        while let Some(chunk) = input.next().await? {
            output.send(chunk).await?;
        }
        Ok(())
    }
    for (filters, is_async) in [(0, false), (2, false), (2, true)] {
        for tail in [&[][..], &[Step::Trailers("t")][..]] {
            let plan = (0..filters).fold(Plan::<request::Parts>::builder(), |plan, k| {
                let name = format!("filter {k}");
                if is_async {
                    plan.filter(name, async_filter(Declaration::new(), passes))
                } else {
                    plan.filter(name, || Passes)
                }
            });
            let steps = [&[Step::Data(b"last"), Step::Gate], tail].concat();
            let source = Source::new(steps);
            let state = source.state();
            let plan = plan.build().expect("a plan");
            let mut body = FilteredBody::new(chain(&plan), request_head(), source);
            let task = Task::new();
            let mut all = Collected::default();
            assert!(task.run(|cx| all.poll(&mut body, cx)).is_pending());
            assert_eq!(all.text(), "last", "{filters} filters: stranded");
            state.open_gate();
            assert!(task.is_woken());
            assert!(task.poll(|cx| all.poll(&mut body, cx)).is_ready(), "not by the next poll");
            assert_eq!(all.trailers.is_some(), !tail.is_empty());
        }
    }
}

struct Passes;

impl<H: Dir> Filter<H> for Passes {}

/// The same between two tasks, in whatever order they are polled: a body through a chain, a pipe,
/// and a chain again, with room for one chunk. Nobody is polled who was not woken.
#[test]
fn h27_nothing_is_stranded_between_two_tasks() {
    for seed in 0..3_000 {
        let mut executor = Executor::new(seed, Options::from_seed(seed));
        let pass = || {
            let plan = Plan::<request::Parts>::builder().filter("passes", || Passes).build();
            chain(&plan.expect("a plan"))
        };
        let mut steps = Vec::new();
        for at in 0..seed % 5 {
            steps.push(Step::Data(b"data"));
            if (seed >> at) % 3 != 0 {
                steps.push(Step::Yield);
            }
        }
        let chunks = steps.iter().filter(|step| matches!(step, Step::Data(_))).count();
        let source = Source::new(steps);
        let first = FilteredBody::new(pass(), request_head(), source);
        let (pump, piped) = pipe_body(first, Marks::from_high(0), Origin::Upstream);
        let mut second = FilteredBody::new(pass(), request_head(), piped);
        let all = std::rc::Rc::new(RefCell::new(Collected::default()));
        let mine = std::rc::Rc::clone(&all);
        executor.spawn("pump", async move {
            pump.await;
        });
        executor.spawn("reader", async move {
            std::future::poll_fn(|cx| mine.borrow_mut().poll(&mut second, cx)).await;
        });
        let tasks = executor.run().unwrap_or_else(|failure| panic!("seed {seed}: {failure:?}"));
        assert_eq!(all.borrow().text(), "data".repeat(chunks), "seed {seed}");
        assert!(all.borrow().error.is_none(), "seed {seed}");
        // H40: polls are bounded by what there is to do, spurious ones left aside.
        let polls: u64 = tasks.iter().map(|task| task.polls).sum();
        assert!(polls <= 40 * (chunks as u64 + 2), "seed {seed}: {tasks:?}");
    }
}
