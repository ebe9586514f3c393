//! Plays a case: builds the plan, carries one exchange after the other, and drops everything.

use std::cell::RefCell;
use std::panic::resume_unwind;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, StatusCode, request, response};
use tidegate::async_filter::{Input, Output, async_filter};
use tidegate::exchange::{
    BoundExchangePlan, Direction, EarlyResponse, ExchangePlan, ExchangePlanBuilder, Observer,
    Refused, RequestSide, ResponseSide, Side,
};
use tidegate::{Capabilities, Capability, LocalReply, Marks, MessageTraits, Outcome, ResumeHandle};

use super::case::{Case, Early, FilterSpec, Place, PlanSpec, SideSpec, Stream, Waits};
use super::filter::{Scripted, declaration};
use super::nap::napping;
use super::oracle;
use super::peer::{Log, Peer};
use super::ran::{Ran, Told};
use super::third::{Gate, Hall, third};
use super::world::World;
use crate::kit::Dir;
use crate::kit::executor::{Executor, Options};

/// A plan, and what is known of it.
struct Stage<'a> {
    case: &'a Case,
    world: Arc<World>,
    plan: BoundExchangePlan,
    unbound: ExchangePlan,
    /// Of each chain, in bytes.
    bounds_bytes: [u64; 2],
}

/// Both sides, or the one that could be made.
type Sides = (Option<RequestSide>, ResponseSide);

pub(crate) fn play(case: &Case) -> Vec<Ran> {
    let world = Arc::new(World::default());
    let first = case.streams.first().expect("there is one exchange");
    world.begin(0, programs(first), None);
    let (unbound, early) = planned(&case.plan, &world);
    let bounds_bytes =
        [unbound.request().held_bound_bytes(), unbound.response().held_bound_bytes()];
    let plan = unbound.bind(Capabilities::ALL, Capabilities::ALL);
    let plan = plan.expect("an edge that can do all").early_response(early);
    look(&case.plan, &unbound, &plan);
    let stage = Stage { case, world: Arc::clone(&world), plan, unbound, bounds_bytes };
    let mut old: Vec<ResumeHandle> = Vec::new();
    let mut all = Vec::new();
    for (number, stream) in case.streams.iter().enumerate() {
        let Some(ran) = stage.play(number as u8, stream) else { continue };
        old.append(&mut world.lock().handles);
        oracle::handles_are_gone(&old);
        oracle::check(case, stream, &ran, &world);
        all.push(ran);
    }
    drop(stage);
    // Handles that outlive everything keep nothing of it alive.
    assert_eq!(world.lock().alive, 0, "C8: filters or futures were leaked");
    assert_eq!(Arc::strong_count(&world), 1, "C8: something of the plan was leaked");
    drop(old);
    all
}

fn programs(stream: &Stream) -> Arc<[super::case::Program]> {
    stream.programs.iter().flatten().cloned().collect()
}

fn planned(spec: &PlanSpec, world: &Arc<World>) -> (ExchangePlan, EarlyResponse) {
    let [request, response] =
        spec.marks.map(|(low, high)| Marks::new(low, high).expect("the low one is not above"));
    let mut plan = ExchangePlan::builder()
        .output_marks(request, response)
        .max_frame_bytes(spec.max_frame_bytes)
        .keep_chains(spec.keep_chains);
    for (place, filter) in spec.filters.iter().enumerate() {
        plan = add(plan, place, filter, world);
    }
    if spec.printed {
        assert!(!format!("{plan:?}").is_empty());
    }
    let early = match spec.early {
        Early::Forward => EarlyResponse::Forward,
        Early::Stop => EarlyResponse::Stop,
        Early::Drain { max_bytes } => {
            EarlyResponse::Drain { max_bytes, max_time: Duration::from_secs(1) }
        }
    };
    (plan.build().expect("a plan within the limits"), early)
}

/// What a plan says of itself.
fn look(spec: &PlanSpec, plan: &ExchangePlan, bound: &BoundExchangePlan) {
    let sum = plan.request().held_bound_bytes() + plan.response().held_bound_bytes();
    assert_eq!([plan.held_bound_bytes(), bound.held_bound_bytes()], [sum; 2]);
    let count = |other: Place| spec.filters.iter().filter(|it| it.place != other).count();
    assert_eq!(bound.request_filters().count(), count(Place::Response));
    assert_eq!(bound.response_filters().count(), count(Place::Request));
    if spec.printed {
        assert!(!format!("{plan:?} {bound:?}").is_empty());
    }
}

fn add(
    plan: ExchangePlanBuilder,
    place: usize,
    spec: &FilterSpec,
    world: &Arc<World>,
) -> ExchangePlanBuilder {
    let ids = [2 * place, 2 * place + 1];
    let (made, kept) = (Arc::clone(world), spec.clone());
    let make = move |half: usize| {
        let is_unmade = made.lock().unmade == Some(place);
        if is_unmade {
            resume_unwind(Box::new("on purpose, in a maker"));
        }
        Scripted::new(ids[half], &kept, &made)
    };
    let world = Arc::clone(world);
    let half = usize::from(spec.place == Place::Response);
    let naps =
        move |input: Input, output: Output| napping(Arc::clone(&world), ids[half], input, output);
    let edits = || declaration(spec).require(Capability::ChangeLength);
    match (spec.place, spec.is_async) {
        (Place::Request, false) => plan.request("scripted", move || make(0)),
        (Place::Response, false) => plan.response("scripted", move || make(1)),
        (Place::Pair, _) => plan.pair("pair", move || (make(0), make(1))),
        (Place::Request, true) => plan.request("naps", async_filter(edits(), naps)),
        (Place::Response, true) => plan.response("naps", async_filter(edits(), naps)),
    }
}

impl Stage<'_> {
    /// One exchange; `None` if its response cannot be made.
    fn play(&self, number: u8, stream: &Stream) -> Option<Ran> {
        self.world.begin(number, programs(stream), stream.unmade);
        let (request, response) = self.sides(stream)?;
        self.world.lock().unmade = None;
        let told = Told::default();
        let observer = || -> Observer {
            let told = Arc::clone(&told);
            Arc::new(move |direction: Direction, outcome: &Outcome, _: &_| {
                told.lock().expect("nobody panics with it").push((direction, outcome.clone()));
            })
        };
        let whole = request.is_some();
        let logs = [Rc::<RefCell<Log>>::default(), Rc::<RefCell<Log>>::default()];
        let spec = self.case.executor;
        let options = Options {
            spurious_one_in: spec.spurious_one_in,
            fresh_wakers: spec.fresh_wakers,
            inline_one_in: spec.inline_one_in,
            most_polls: 20_000,
        };
        let mut executor = Executor::steered(stream.schedule.clone(), options);
        let hall = Hall::new(if whole { 2 } else { 1 });
        let upstream = Gate::new(stream.waits != Waits::Upstream || !whole);
        let client = Gate::new(false);
        if let Some(request) = request {
            let side = request.on_finish(observer());
            let (opens, seen) = (Rc::clone(&upstream), Rc::clone(&logs[0]));
            let peer = self.peer(number, stream, side, &logs[0], &client, &hall);
            let (hall, world) = (Rc::clone(&hall), Arc::clone(&self.world));
            executor.spawn("request", async move {
                peer.play().await;
                // An upstream whose request was reset does not answer.
                if !seen.borrow().seen.reset {
                    opens.open();
                }
                hall.leave(&world);
            });
        }
        let side = response.on_finish(observer());
        let peer = self.peer(number, stream, side, &logs[1], &upstream, &hall);
        let goes = self.client_goes(stream);
        let (hall_left, world, answers) =
            (Rc::clone(&hall), Arc::clone(&self.world), Arc::clone(&told));
        executor.spawn("response", async move {
            peer.play().await;
            let told = answers.lock().expect("nobody panics with it").clone();
            let complete = told.iter().any(|(direction, outcome)| {
                *direction == Direction::Response && outcome.is_complete()
            });
            // With any other policy, or another outcome, the request is told.
            if goes && complete {
                client.open();
            }
            hall_left.leave(&world);
        });
        executor.spawn("third", third(stream.third.clone(), Arc::clone(&self.world), hall));
        match executor.run() {
            Ok(tasks) => oracle::wakers_are_gone(&tasks),
            Err(failure) => panic!("C6, C7: exchange {number}: {failure:?}"),
        }
        let logs = logs.map(|log| log.take());
        let told = std::mem::take(&mut *told.lock().expect("nobody panics with it"));
        let records = std::mem::take(&mut self.world.lock().records);
        // Those that nobody wakes any more.
        let naps = std::mem::take(&mut self.world.lock().naps);
        drop(naps);
        Some(Ran { logs, told, records, whole, stream: number })
    }

    /// Whether nobody but the client can end the request.
    fn client_goes(&self, stream: &Stream) -> bool {
        stream.waits == Waits::Endless && matches!(self.case.plan.early, Early::Forward)
    }

    fn sides(&self, stream: &Stream) -> Option<Sides> {
        let [request, response] = [&stream.sides[0], &stream.sides[1]].map(traits);
        if stream.unlinked {
            let all = Capabilities::ALL;
            let plans = (self.unbound.request().bind(all), self.unbound.response().bind(all));
            let (Ok(up), Ok(down)) = plans else { return None };
            let (Ok(up), Ok(down)) = (up.chain(request), down.chain(response)) else { return None };
            return Some((Some(Side::new(up)), Side::new(down)));
        }
        match self.plan.exchange(request, response) {
            Ok((request, response)) => Some((Some(request), response)),
            Err(refused @ Refused::Request { .. }) => {
                assert_eq!(refused.direction(), Direction::Request);
                assert!(!format!("{refused} {:?}", refused.unmet()).is_empty());
                let Refused::Request { mut response, .. } = refused else { return None };
                response.handle_reply(LocalReply::new(StatusCode::NOT_IMPLEMENTED));
                Some((None, *response))
            }
            Err(refused @ Refused::Response { .. }) => {
                assert_eq!(refused.direction(), Direction::Response);
                assert!(!format!("{refused} {:?}", refused.unmet()).is_empty());
                None
            }
        }
    }

    fn peer<H: Dir>(
        &self,
        number: u8,
        stream: &Stream,
        side: Side<H>,
        log: &Rc<RefCell<Log>>,
        gate: &Rc<Gate>,
        hall: &Rc<Hall>,
    ) -> Peer<H>
    where
        Side<H>: Inform,
    {
        let half = usize::from(!H::REQUEST);
        let mut spec = stream.sides[half].clone();
        if H::REQUEST && stream.waits == Waits::Endless {
            spec.make_endless();
        }
        Peer {
            side,
            spec,
            log: Rc::clone(log),
            gate: Rc::clone(gate),
            gate_is_first: !H::REQUEST,
            hall: Rc::clone(hall),
            world: Arc::clone(&self.world),
            stream: number,
            bound_bytes: self.bounds_bytes[half],
            alone: stream.unlinked,
            inform: Inform::inform,
        }
    }
}

fn traits(spec: &SideSpec) -> MessageTraits {
    let mut traits = MessageTraits::new();
    if let Some(capability) = spec.without {
        traits = traits.without(Capability::ALL[capability]);
    }
    if spec.trailers_unsent {
        traits = traits.without_trailers();
    }
    if spec.bodiless { traits.bodiless() } else { traits }
}

/// Sides that take informational heads.
trait Inform {
    fn inform(&mut self, fields: HeaderMap);
}

impl Inform for Side<request::Parts> {
    fn inform(&mut self, _: HeaderMap) {}
}

impl Inform for Side<response::Parts> {
    fn inform(&mut self, fields: HeaderMap) {
        let mut head = <response::Parts as Dir>::plain();
        head.status = StatusCode::EARLY_HINTS;
        head.headers = fields;
        drop(self.handle_informational(head));
    }
}
