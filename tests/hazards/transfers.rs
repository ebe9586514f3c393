//! H39: whole transfers between tasks that are polled only when they were woken: sources that wait,
//! filters that hold, async filters, a pipe, and somebody who resumes from outside.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use http::request;
use http_body::{Body, Frame, SizeHint};
use tidegate::async_filter::{Input, Output, async_filter};
use tidegate::body::{FilteredBody, pipe_body};
use tidegate::{
    Capability, Chain, Declaration, Error, Filter, Interest, Marks, Origin, Plan, ResumeHandle,
    Verdict, View,
};

use crate::edge::{Collected, Source, Step, chain, request_head};
use crate::kit::Rng;
use crate::kit::executor::{Executor, Options, yield_now};

/// Whom somebody resumes, and how often that can change anything.
#[derive(Clone)]
struct Resumable {
    handle: ResumeHandle,
    calls: Arc<AtomicUsize>,
    acts: usize,
}

type Resumables = Arc<Mutex<Vec<Resumable>>>;

/// Answers with one verdict after the other, and passes when there are no more.
struct Listed {
    verdicts: Arc<Vec<Verdict>>,
    calls: Arc<AtomicUsize>,
    resumables: Resumables,
    /// Its own, if nobody else is to keep it: then nobody can resume it, and it must not hold.
    drops_data: bool,
}

impl Listed {
    fn call(&mut self, view: &mut View<'_, request::Parts>) -> Verdict {
        let call = self.calls.fetch_add(1, Relaxed);
        if call == 0 {
            let handle = view.resume_handle();
            let (calls, acts) = (Arc::clone(&self.calls), self.verdicts.len());
            let resumable = Resumable { handle, calls, acts };
            self.resumables.lock().unwrap_or_else(PoisonError::into_inner).push(resumable);
        }
        if self.drops_data && call == 1 {
            view.drop_interest(Interest::DATA);
        }
        self.verdicts.get(call).copied().unwrap_or(Verdict::PASS)
    }
}

impl Filter<request::Parts> for Listed {
    fn declare(&self) -> Declaration {
        Declaration::new().require(Capability::HoldHead).marks(Marks::from_high(5))
    }

    fn head(&mut self, view: &mut View<'_, request::Parts>) -> Verdict {
        self.call(view)
    }

    fn data(&mut self, view: &mut View<'_, request::Parts>) -> Verdict {
        self.call(view)
    }

    fn trailers(&mut self, view: &mut View<'_, request::Parts>) -> Verdict {
        self.call(view)
    }

    fn resume(&mut self, view: &mut View<'_, request::Parts>) -> Verdict {
        self.call(view)
    }
}

async fn passes(mut input: Input, mut output: Output) -> Result<(), Error> {
    while let Some(chunk) = input.next().await? {
        yield_now().await;
        output.send(chunk).await?;
        yield_now().await;
    }
    Ok(())
}

const VERDICTS: [Verdict; 5] = [
    Verdict::PASS,
    Verdict::HOLD,
    Verdict::HOLD.quiet(),
    Verdict::pass_first(1),
    Verdict::pass_first(2).quiet(),
];

fn filters(rng: &mut Rng, resumables: &Resumables) -> Chain<request::Parts> {
    let mut plan = Plan::builder().output_marks(Marks::from_high(rng.word() % 6));
    for k in 0..rng.below(4) {
        let name = format!("filter {k}");
        if rng.below(3) == 0 {
            let marks = Declaration::new().marks(Marks::from_high(1 + rng.word() % 6));
            plan = plan.filter(name, async_filter(marks, passes));
            continue;
        }
        let verdicts: Vec<Verdict> =
            (0..rng.below(6)).map(|_| VERDICTS[rng.below(VERDICTS.len())]).collect();
        let (verdicts, resumables) = (Arc::new(verdicts), Arc::clone(resumables));
        let drops_data = rng.below(4) == 0;
        plan = plan.filter(name, move || Listed {
            verdicts: Arc::clone(&verdicts),
            calls: Arc::default(),
            resumables: Arc::clone(&resumables),
            drops_data,
        });
    }
    chain(&plan.build().expect("a plan"))
}

/// Resumes somebody for whom it can change anything.
fn resume_one(rng: &mut Rng, resumables: &Resumables) {
    let all = resumables.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let left: Vec<&Resumable> =
        all.iter().filter(|each| each.calls.load(Relaxed) <= each.acts).collect();
    if let Some(each) = (!left.is_empty()).then(|| left[rng.below(left.len())]) {
        let _ = each.handle.resume();
    }
}

/// A source that resumes filters while it is polled: after they were asked, and before their task
/// has said that it waits.
struct Meddler<B> {
    body: B,
    rng: Rng,
    resumables: Resumables,
}

impl<B: Body + Unpin> Body for Meddler<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        let Self { rng, resumables, .. } = &mut *self;
        if rng.below(3) == 0 {
            resume_one(rng, resumables);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Resumes everybody as often as it can change anything, in any order, and then no more: a wake
/// that is lost is not made good by the next resume.
async fn resumer(mut rng: Rng, resumables: Resumables, done: Rc<RefCell<Collected>>) {
    loop {
        if rng.below(2) == 0 {
            resume_one(&mut rng, &resumables);
        }
        if rng.below(64) == 0 && done.borrow().frames == usize::MAX {
            return;
        }
        yield_now().await;
    }
}

fn meddler<B>(body: B, rng: &mut Rng, resumables: &Resumables) -> Meddler<B> {
    Meddler { body, rng: Rng::new(rng.word()), resumables: Arc::clone(resumables) }
}

/// h2 #791 (its tests polled on, which hid a lost wake): random filters before and behind a pipe
/// with little room. What comes out is what went in, and nobody waits for ever.
#[test]
fn h39_transfers_between_tasks_need_no_other_poll() {
    for seed in 0..1_200 {
        let mut rng = Rng::new(seed);
        let resumables = Resumables::default();
        let (mut steps, mut text) = (Vec::new(), String::new());
        for _ in 0..rng.below(6) {
            if rng.below(3) == 0 {
                steps.push(Step::Yield);
            }
            let data: &'static str = ["", "a", "bb", "ccc", "dddddddd"][rng.below(5)];
            steps.push(Step::Data(data.as_bytes()));
            text.push_str(data);
        }
        let trailers = rng.below(2) == 0;
        steps.extend(trailers.then_some(Step::Trailers("t")));
        let source = meddler(Source::new(steps), &mut rng, &resumables);
        let first = FilteredBody::new(filters(&mut rng, &resumables), request_head(), source);
        let marks = Marks::from_high(rng.word() % 300);
        let (pump, piped) = pipe_body(first, marks, Origin::Upstream);
        let piped = meddler(piped, &mut rng, &resumables);
        let mut second = FilteredBody::new(filters(&mut rng, &resumables), request_head(), piped);
        let all = Rc::new(RefCell::new(Collected::default()));

        let options = Options { most_polls: 20_000, ..Options::from_seed(seed) };
        let mut executor = Executor::new(seed, options);
        executor.spawn("pump", async move {
            pump.await;
        });
        let mine = Rc::clone(&all);
        executor.spawn("reader", async move {
            std::future::poll_fn(|cx| mine.borrow_mut().poll(&mut second, cx)).await;
            // For the one who resumes: it is over.
            mine.borrow_mut().frames = usize::MAX;
        });
        let others = Arc::clone(&resumables);
        executor.spawn("resumer", resumer(Rng::new(seed), others, Rc::clone(&all)));
        executor.run().unwrap_or_else(|failure| panic!("seed {seed}: {failure:?}"));
        let all = all.borrow();
        assert!(all.error.is_none(), "seed {seed}: {:?}", all.error);
        assert_eq!(all.text(), text, "seed {seed}");
        assert_eq!(all.trailers.is_some(), trailers, "seed {seed}");
    }
}
