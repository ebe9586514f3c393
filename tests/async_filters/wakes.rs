//! Random chains of async and callback filters on the executor that accounts for every wake,
//! through a bare chain and through a body, compared with what each filter does to a whole body.
//! No wake may be lost, whoever wakes, and whichever part of a future waits.

use std::pin::pin;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use tidegate::body::FilteredBody;
use tidegate::{BoundPlan, Capabilities, Chain, MessageTraits, Output as Given, Plan};

use crate::kit::executor::{Executor, Options, yield_now};
use crate::kit::*;
use crate::napping::{Bed, Naps};
use crate::stage::Drops;
use crate::works::Work;

/// A random message through random filters.
struct Case {
    seed: u64,
    works: Vec<Work>,
    pieces: Vec<Bytes>,
    trailers: bool,
    output_high: u64,
}

/// What came out.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Sunk {
    body: Vec<u8>,
    trailers: Option<String>,
    ended: bool,
}

impl Case {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let works = (0..1 + rng.below(4)).map(|_| Work::random(&mut rng)).collect();
        let pieces = (0..rng.below(8)).map(|n| piece(n, 1 + rng.below(40))).collect();
        let trailers = rng.below(2) == 0;
        Self { seed, works, pieces, trailers, output_high: 1 + rng.below(64) as u64 }
    }

    fn plan<H: Dir>(&self, bed: &Bed, drops: &Drops) -> BoundPlan<H> {
        let mut rng = Rng::new(!self.seed);
        let mut plan = Plan::builder().output_marks(tidegate::Marks::from_high(self.output_high));
        for (k, work) in self.works.iter().enumerate() {
            let naps = Naps::new(bed.clone(), rng.word());
            plan = work.add_to(plan, k, rng.below(3) == 0, naps, drops.clone(), &mut rng);
        }
        plan.build().expect("a plan").bind(Capabilities::ALL).expect("an edge")
    }

    /// What must come out: each filter's work on the whole body, one after the other.
    fn expected(&self) -> Sunk {
        let body = self.pieces.concat();
        let trailers = self.trailers.then(|| "source".to_owned());
        let (body, trailers) = self
            .works
            .iter()
            .fold((body, trailers), |(body, trailers), work| work.whole(body, trailers));
        Sunk { body, trailers, ended: true }
    }
}

fn piece(n: usize, bytes: usize) -> Bytes {
    (0..bytes).map(|at| b'a' + ((n * 7 + at) % 26) as u8).collect::<Vec<u8>>().into()
}

fn trailer_map() -> HeaderMap {
    let mut map = HeaderMap::new();
    map.insert("x-sum", "source".parse().expect("a field value"));
    map
}

fn value_of(map: &HeaderMap) -> Option<String> {
    Some(map.get("x-sum")?.to_str().expect("ASCII").to_owned())
}

/// Drives a bare chain as an edge does.
async fn drive<H: Dir>(mut chain: Chain<H>, case: Arc<Case>, bed: Bed, sunk: Arc<Mutex<Sunk>>) {
    let bound = chain_bound(&case);
    let mut naps = Naps::new(bed, case.seed ^ 1);
    let mut pieces = case.pieces.iter();
    let mut left = Some(());
    chain.handle_head(H::plain(), false).expect("a head");
    loop {
        if let Some(output) = chain.poll_output() {
            assert!(chain.held_bytes() <= bound, "seed {}: the bound", case.seed);
            record(&sunk, output);
            // A slow sink.
            naps.maybe().await;
            continue;
        }
        if chain.outcome().is_some() {
            return;
        }
        if chain.wants_input() && left.is_some() {
            naps.maybe().await;
            match pieces.next() {
                Some(piece) => chain.handle_data(piece.clone(), false).expect("data"),
                None if case.trailers => {
                    left = None;
                    chain.handle_trailers(trailer_map()).expect("trailers");
                }
                None => {
                    left = None;
                    chain.handle_end().expect("an end");
                }
            }
            continue;
        }
        if chain.has_work() {
            yield_now().await;
            continue;
        }
        rest(&mut chain).await;
    }
}

/// Registers, looks once more, and waits.
async fn rest<H: Dir>(chain: &mut Chain<H>) {
    let mut registered = false;
    std::future::poll_fn(|cx| {
        if let Some(resumes) = chain.resume_set() {
            resumes.register(cx.waker());
        }
        let calls = chain.stats().calls;
        chain.handle_resumes();
        let moved = chain.stats().calls != calls;
        if moved || std::mem::replace(&mut registered, true) {
            return std::task::Poll::Ready(());
        }
        std::task::Poll::Pending
    })
    .await;
}

fn chain_bound(case: &Case) -> u64 {
    let drops = Drops::default();
    case.plan::<http::request::Parts>(&Bed::default(), &drops).held_bound_bytes()
}

fn record<H: Dir>(sunk: &Mutex<Sunk>, output: Given<H>) {
    let mut sunk = sunk.lock().expect("a sink");
    assert!(!sunk.ended, "nothing after the end");
    match output {
        Given::Head { end_of_stream, .. } => sunk.ended = end_of_stream,
        Given::Data(bytes) => sunk.body.extend_from_slice(&bytes),
        Given::Trailers(map) => {
            sunk.trailers = value_of(&map);
            sunk.ended = true;
        }
        Given::End => sunk.ended = true,
        Given::Informational(head) => panic!("{:?}", head.headers()),
        Given::Reply(reply) => panic!("{reply:?}"),
        Given::Reset(error) => panic!("{error:?}"),
    }
}

/// A source that naps between its frames.
struct Napping {
    frames: std::vec::IntoIter<Frame<Bytes>>,
    naps: Naps,
}

impl Body for Napping {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.naps.poll_nap(cx).is_pending() {
            return std::task::Poll::Pending;
        }
        std::task::Poll::Ready(self.frames.next().map(Ok))
    }
}

/// Reads a filtered body as a server does, but more slowly.
async fn read<H: Dir>(chain: Chain<H>, case: Arc<Case>, bed: Bed, sunk: Arc<Mutex<Sunk>>) {
    let mut frames: Vec<_> = case.pieces.iter().cloned().map(Frame::data).collect();
    if case.trailers {
        frames.push(Frame::trailers(trailer_map()));
    }
    let naps = Naps::new(bed.clone(), case.seed ^ 2);
    let source = Napping { frames: frames.into_iter(), naps };
    let mut body = pin!(FilteredBody::new(chain, H::plain(), source));
    let mut naps = Naps::new(bed, case.seed ^ 3);
    let opening = std::future::poll_fn(|cx| body.as_mut().poll_head(cx)).await;
    assert!(opening.is_ok(), "seed {}: {:?}", case.seed, opening.err());
    while let Some(frame) = body.frame().await {
        let frame = frame.unwrap_or_else(|error| panic!("seed {}: {error}", case.seed));
        {
            let mut sunk = sunk.lock().expect("a sink");
            match frame.into_data() {
                Ok(bytes) => sunk.body.extend_from_slice(&bytes),
                Err(frame) => sunk.trailers = frame.trailers_ref().and_then(value_of),
            }
        }
        naps.maybe().await;
    }
    sunk.lock().expect("a sink").ended = true;
}

/// Runs a case. With `polls`, its task is dropped after so many.
fn run<H: Dir>(case: Case, through_body: bool, polls: Option<u64>) -> Sunk {
    let (seed, case) = (case.seed, Arc::new(case));
    let (bed, drops, sunk) = (Bed::default(), Drops::default(), Arc::<Mutex<Sunk>>::default());
    let chain = case.plan::<H>(&bed, &drops).chain(MessageTraits::new()).expect("a chain");
    let mut executor = Executor::new(seed, Options::from_seed(seed));
    executor.spawn("bed", bed.clone().wake_sleepers(seed));
    let up = bed.hold_open();
    let (task_case, task_bed, task_sunk) = (Arc::clone(&case), bed.clone(), Arc::clone(&sunk));
    let task = async move {
        let _up = up;
        if through_body {
            read(chain, task_case, task_bed, task_sunk).await;
        } else {
            drive(chain, task_case, task_bed, task_sunk).await;
        }
    };
    match polls {
        None => executor.spawn("message", task),
        Some(polls) => executor.spawn_for_polls("message", polls, task),
    }
    let done = executor.run();
    assert!(done.is_ok(), "seed {seed}, body {through_body}, {:?}: {done:?}", case.works);
    let (made, dropped) = (drops.made(), drops.dropped());
    assert_eq!(made, dropped, "seed {seed}: futures made and dropped");
    std::mem::take(&mut *sunk.lock().expect("a sink"))
}

fn agrees<H: Dir>() {
    for seed in 0..400 {
        for through_body in [false, true] {
            let case = Case::new(seed);
            let (expected, works) = (case.expected(), case.works.clone());
            let sunk = run::<H>(case, through_body, None);
            assert_eq!(sunk, expected, "seed {seed}, body {through_body}, {works:?}");
        }
    }
}

/// The task is dropped after each number of polls: each future with it, once, and what had come
/// out is the beginning of what would have.
fn dropped_at_every_point<H: Dir>() {
    let mut cut_short = 0;
    for seed in 0..80 {
        for through_body in [false, true] {
            let expected = Case::new(seed).expected();
            for polls in 0..60 {
                let sunk = run::<H>(Case::new(seed), through_body, Some(polls));
                assert!(expected.body.starts_with(&sunk.body), "seed {seed} after {polls} polls");
                if sunk.ended {
                    assert_eq!(sunk, expected, "seed {seed} after {polls} polls");
                    break;
                }
                cut_short += 1;
            }
        }
    }
    assert!(cut_short > 500, "{cut_short} messages were dropped under way");
}

both!(agrees, dropped_at_every_point);
