//! The story of Envoy Gateway #5595, step by step: an extension that fails closed and recovers, and
//! a route that nobody edits meanwhile. What a route answers is the status of a real response: each
//! request is an exchange, run through the plan that a reader has pinned for it.

use std::collections::BTreeMap;
use std::time::Duration;

use http::{StatusCode, request};
use tidegate::exchange::{BoundExchangePlan, ExchangePlan, RequestSide, ResponseSide};
use tidegate::table::delta::{Applied, Lookup, Replica, Scope, Session};
use tidegate::table::{
    BuildError, Built, Controller, Entry, Extensions, Mode, Reader, Report, Table,
};
use tidegate::{Capabilities, Filter, LocalReply, MessageTraits, Output, Verdict, View};

type Route = &'static str;

/// One listener, two routes.
const ONE: Route = "listener/route-1";
const TWO: Route = "listener/route-2";

/// Which both go through; fail-closed.
const AUTH: &str = "auth";

/// The edit of a route: which upstream it is for.
type Edit = u16;

/// Stands for the extension in the chain, and says which edit it was configured by.
struct Auth(Edit);

impl Filter<request::Parts> for Auth {
    fn head(&mut self, view: &mut View<'_, request::Parts>) -> Verdict {
        if let Some(head) = view.head_mut() {
            head.headers.insert("x-authenticated-by-edit", self.0.into());
        }
        Verdict::PASS
    }
}

/// A request to a route that is not in the table.
struct NoRoute;

impl Filter<request::Parts> for NoRoute {
    fn head(&mut self, view: &mut View<'_, request::Parts>) -> Verdict {
        view.reply(LocalReply::text(StatusCode::NOT_FOUND, "no route\n"))
    }
}

/// What a request to a route that failed meets: the failure reply of the listener.
struct FailureReply;

impl Filter<request::Parts> for FailureReply {
    fn head(&mut self, view: &mut View<'_, request::Parts>) -> Verdict {
        view.reply(LocalReply::text(StatusCode::INTERNAL_SERVER_ERROR, "failed\n"))
    }
}

fn plan<F: Filter<request::Parts> + 'static>(
    name: &'static str,
    make: impl Fn() -> F + Send + Sync + 'static,
) -> BoundExchangePlan {
    let plan = ExchangePlan::builder().request(name, make).build().unwrap();
    plan.bind(Capabilities::ALL, Capabilities::ALL).unwrap()
}

fn build(
    _: &Route,
    edit: &Edit,
    extensions: &Extensions,
) -> Result<Built<BoundExchangePlan>, BuildError> {
    if let Some(error) = extensions.down(AUTH) {
        return Err(BuildError::extension(AUTH, error));
    }
    let edit = *edit;
    Ok(Built::new(plan("auth", move || Auth(edit))).uses(AUTH))
}

type Building = fn(&Route, &Edit, &Extensions) -> Result<Built<BoundExchangePlan>, BuildError>;

/// What a request got: its status, and by which edit the upstream was asked.
#[derive(Debug, PartialEq, Eq)]
struct Answered(u16, Option<Edit>);

const FAILED: Answered = Answered(500, None);

const fn ok(edit: Edit) -> Answered {
    Answered(200, Some(edit))
}

/// Runs one exchange through `plan`.
fn run(plan: &BoundExchangePlan) -> Answered {
    let traits = MessageTraits::new();
    let (mut request, mut response) = plan.exchange(traits, traits).unwrap();
    request.handle_head(http::Request::new(()).into_parts().0, true).unwrap();
    let edit = upstream(&mut request, &mut response);
    let status = loop {
        if let Output::Head { head, .. } = response.poll_output().expect("a response") {
            break head.status;
        }
    };
    Answered(status.as_u16(), edit)
}

/// Answers a request that gets there.
fn upstream(request: &mut RequestSide, response: &mut ResponseSide) -> Option<Edit> {
    let Some(Output::Head { head, .. }) = request.poll_output() else {
        _ = response.poll_mail(&std::task::Context::from_waker(std::task::Waker::noop()));
        return None;
    };
    response.handle_head(http::Response::new(()).into_parts().0, true).unwrap();
    Some(head.headers["x-authenticated-by-edit"].to_str().unwrap().parse().unwrap())
}

/// What the data path does with what it finds under the key of a request.
fn serve(entry: Option<&Entry<BoundExchangePlan>>) -> Answered {
    match entry.map(Entry::plan) {
        Some(Ok(plan)) => run(plan),
        Some(Err(_)) => run(&plan("failure", || FailureReply)),
        None => run(&plan("no route", || NoRoute)),
    }
}

/// A gateway: what the operator edits, and a proxy that follows by deltas.
struct Gateway {
    controller: Controller<Route, Edit, Building>,
    reader: Reader<Route, BoundExchangePlan>,
    session: Session<Route, BoundExchangePlan>,
    proxy: Replica<Route, BoundExchangePlan>,
    seconds: u64,
}

impl Gateway {
    /// Both routes are there, and the proxy has them.
    fn start() -> Self {
        let table = Table::new(5595);
        let mut proxy = Replica::new(1, Scope::Subscribed);
        let mut session = Session::open(&table, proxy.hello()).unwrap();
        for route in [ONE, TWO] {
            proxy.subscribe(route);
            session.subscribe(route).unwrap();
        }
        let reader = table.reader();
        let mut controller: Controller<Route, Edit, Building> = Controller::new(table, build);
        controller.set(ONE, 1).unwrap();
        controller.set(TWO, 1).unwrap();
        let mut gateway = Self { controller, reader, session, proxy, seconds: 0 };
        _ = gateway.publish();
        gateway.follow();
        gateway
    }

    fn publish(&mut self) -> Report<Route> {
        self.seconds += 1;
        self.controller.publish(Duration::from_secs(self.seconds))
    }

    /// Which routes the last publish has changed, and how they serve.
    fn published(&mut self) -> BTreeMap<Route, Mode> {
        let changes = self.publish().changes;
        changes.into_iter().map(|change| (change.key, change.mode)).collect()
    }

    /// All that the session has to say reaches the proxy.
    fn follow(&mut self) {
        while let Some(delta) = self.session.next_delta() {
            let receipt = delta.receipt;
            assert_eq!(self.proxy.apply(delta), Applied::Applied);
            assert!(self.session.ack(receipt));
        }
    }

    /// A request in the process of the controller, which reads the table itself.
    fn local(&mut self, route: Route) -> Answered {
        let pin = self.reader.pin(&route);
        serve(pin.as_ref().ok().map(|pin| pin.entry()))
    }

    /// A request to the proxy.
    fn proxied(&self, route: Route) -> Answered {
        match self.proxy.get(&route) {
            Lookup::Present(entry) => serve(Some(entry)),
            Lookup::Absent | Lookup::Unanswered | Lookup::NotSubscribed => serve(None),
        }
    }

    #[track_caller]
    fn answers(&mut self, one: &Answered, two: &Answered) {
        self.follow();
        assert_eq!((&self.local(ONE), &self.local(TWO)), (one, two), "here");
        assert_eq!((&self.proxied(ONE), &self.proxied(TWO)), (one, two), "at the proxy");
    }
}

#[test]
fn g8_envoy_gateway_5595_both_routes_serve_again_with_no_edit_to_the_second() {
    let mut gateway = Gateway::start();
    gateway.answers(&ok(1), &ok(1));

    // The extension goes down while route 1 is edited: both answer with the failure reply.
    gateway.controller.extension_down(AUTH, "connection refused");
    gateway.controller.set(ONE, 2).unwrap();
    let failed = BTreeMap::from([(ONE, Mode::Failed), (TWO, Mode::Failed)]);
    assert_eq!(gateway.published(), failed);
    gateway.answers(&FAILED, &FAILED);

    // It recovers, and route 1 is edited again: both serve.
    gateway.controller.extension_up(AUTH);
    gateway.controller.set(ONE, 3).unwrap();
    let current = BTreeMap::from([(ONE, Mode::Current), (TWO, Mode::Current)]);
    assert_eq!(gateway.published(), current);
    gateway.answers(&ok(3), &ok(1));
}

#[test]
fn g1_the_same_for_a_consumer_that_dropped_the_second_route_meanwhile() {
    let mut gateway = Gateway::start();
    gateway.controller.extension_down(AUTH, "connection refused");
    gateway.controller.set(ONE, 2).unwrap();
    _ = gateway.publish();
    gateway.follow();
    // As Envoy did: what it refers to has gone from the listener, so it drops the route.
    gateway.proxy.unsubscribe(&TWO);
    gateway.session.unsubscribe(&TWO);
    gateway.follow();
    assert_eq!(gateway.proxied(TWO).0, 404);

    gateway.controller.extension_up(AUTH);
    gateway.controller.set(ONE, 3).unwrap();
    _ = gateway.publish();
    gateway.follow();
    // The listener refers to it again. Nothing has touched route 2 since, and it is delivered.
    gateway.proxy.subscribe(TWO);
    gateway.session.subscribe(TWO).unwrap();
    gateway.answers(&ok(3), &ok(1));
}

#[test]
fn g1_a_route_that_never_changed_is_delivered_again_to_who_dropped_it() {
    let mut gateway = Gateway::start();
    // Dropped and asked for again between two publishes: its version has not moved at all.
    gateway.proxy.unsubscribe(&TWO);
    gateway.session.unsubscribe(&TWO);
    gateway.proxy.subscribe(TWO);
    gateway.session.subscribe(TWO).unwrap();
    let epoch = gateway.controller.table().epoch();
    gateway.answers(&ok(1), &ok(1));
    assert_eq!(gateway.controller.table().epoch(), epoch);
}

#[test]
fn g8_after_a_recovery_both_routes_serve_though_nothing_is_edited_at_all() {
    let mut gateway = Gateway::start();
    gateway.controller.extension_down(AUTH, "connection refused");
    gateway.controller.set(ONE, 2).unwrap();
    _ = gateway.publish();
    gateway.answers(&FAILED, &FAILED);
    gateway.controller.extension_up(AUTH);
    let current = BTreeMap::from([(ONE, Mode::Current), (TWO, Mode::Current)]);
    assert_eq!(gateway.published(), current);
    // The edit that was made while it was down counts.
    gateway.answers(&ok(2), &ok(1));
}

#[test]
fn g8_a_recovery_that_nobody_tells_is_found_by_a_retry() {
    let mut gateway = Gateway::start();
    // Another controller of the same table, whose builder asks the extension itself.
    let mut is_first = true;
    let flaky = move |route: &Route, edit: &Edit, extensions: &Extensions| {
        if std::mem::take(&mut is_first) {
            return Err(BuildError::extension(AUTH, "no answer"));
        }
        build(route, edit, extensions)
    };
    let mut controller = Controller::new(gateway.controller.table().clone(), flaky);
    controller.set(ONE, 2).unwrap();
    controller.set(TWO, 1).unwrap();
    let report = controller.publish(Duration::from_secs(10));
    assert!(report.changes.iter().all(|change| change.mode == Mode::Failed), "{report:?}");
    gateway.answers(&FAILED, &FAILED);
    let retry_at = controller.retry_at().unwrap();
    assert!(controller.poll(retry_at - Duration::from_millis(1)).is_none());
    let report = controller.poll(retry_at).unwrap();
    assert!(report.changes.iter().all(|change| change.mode == Mode::Current), "{report:?}");
    assert_eq!(controller.retry_at(), None);
    gateway.answers(&ok(2), &ok(1));
}

/// The minimal regression test of the guarantees: {A, B}; the consumer has acknowledged; both fail;
/// they come back with only B changed; the consumer dropped A meanwhile.
#[test]
fn g5_at_no_step_a_request_finds_no_entry() {
    const A: Route = TWO;
    const B: Route = ONE;
    let mut gateway = Gateway::start();
    // Before and after each step the data path finds an entry under a key that it refers to.
    let found = |gateway: &Gateway| {
        for route in [A, B] {
            let known = gateway.proxy.get(&route);
            assert!(!matches!(known, Lookup::Absent), "{route} is lost");
            if !matches!(known, Lookup::NotSubscribed | Lookup::Unanswered) {
                assert_ne!(gateway.proxied(route).0, 404);
            }
        }
    };
    found(&gateway);
    gateway.controller.extension_down(AUTH, "gone");
    _ = gateway.publish();
    found(&gateway);
    gateway.follow();
    assert_eq!((gateway.proxied(A), gateway.proxied(B)), (FAILED, FAILED));
    gateway.proxy.unsubscribe(&A);
    gateway.session.unsubscribe(&A);
    gateway.controller.extension_up(AUTH);
    gateway.controller.set(B, 2).unwrap();
    _ = gateway.publish();
    found(&gateway);
    // It refers to A from now on; until it is answered it knows that it is not.
    gateway.proxy.subscribe(A);
    gateway.session.subscribe(A).unwrap();
    let delta = gateway.session.next_delta().unwrap();
    let keys: Vec<Route> = delta.changes.iter().map(|(key, _)| *key).collect();
    assert_eq!(keys, [B, A], "A in full, B new, in one step");
    assert!(matches!(gateway.proxy.get(&A), Lookup::Unanswered));
    assert_eq!(gateway.proxied(B), FAILED);
    let receipt = delta.receipt;
    assert_eq!(gateway.proxy.apply(delta), Applied::Applied);
    assert!(gateway.session.ack(receipt));
    found(&gateway);
    assert_eq!((gateway.proxied(A), gateway.proxied(B)), (ok(1), ok(2)));
}

#[test]
fn g6_a_request_that_began_before_goes_on_with_its_plan() {
    let mut gateway = Gateway::start();
    let pin = gateway.reader.pin(&TWO).unwrap();
    gateway.controller.extension_down(AUTH, "gone");
    _ = gateway.publish();
    assert_eq!(run(pin.plan().unwrap()), ok(1));
    assert_eq!(gateway.local(TWO), FAILED);
}

#[test]
fn g9_an_exempt_key_serves_whatever_is_down() {
    const READY: Route = "listener/ready";
    let mut gateway = Gateway::start();
    gateway.controller.set_exempt(READY, plan("ready", || Auth(0)));
    assert!(gateway.controller.set(READY, 7).is_err());
    gateway.controller.extension_down(AUTH, "gone");
    _ = gateway.publish();
    assert_eq!((gateway.local(READY), gateway.local(ONE)), (ok(0), FAILED));
    assert!(gateway.controller.remove_exempt(&READY));
    assert_eq!(gateway.published(), BTreeMap::from([(READY, Mode::Removed)]));
    assert_eq!(gateway.local(READY).0, 404);
}
