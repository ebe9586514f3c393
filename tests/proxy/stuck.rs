//! Filters and peers that do not go on: lost handles, panics, timeouts.

use std::time::Duration;

use tidegate::{
    Capability, Declaration, ErrorKind, Filter, Head, Outcome, ResumeHandle, Timeout, Verdict,
    View, body::Direction, chain::PlanBuilder,
};
use tokio::time::sleep;

use super::{
    rig::{Proxy, case},
    wire::{Message, RawOrigin, Wire, ask},
};

/// How a filter gets stuck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// It holds, and drops the handle at once.
    Lose,
    /// It holds, and another task drops the handle a little later.
    LoseLater,
    /// It holds, and keeps the handle.
    Keep,
    Panic,
}

/// Where it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Where {
    Head,
    Data,
}

#[derive(Debug)]
struct Stuck {
    how: How,
    at: Where,
    kept: Option<ResumeHandle>,
}

impl Stuck {
    fn stick<H: Head>(&mut self, view: &mut View<'_, H>) -> Verdict {
        let handle = view.resume_handle();
        match self.how {
            How::Lose => drop(handle),
            How::LoseLater => {
                tokio::spawn(async move {
                    sleep(Duration::from_millis(50)).await;
                    drop(handle);
                });
            }
            How::Keep => self.kept = Some(handle),
            How::Panic => panic!("a filter of a test"),
        }
        Verdict::HOLD.quiet()
    }
}

impl<H: Head> Filter<H> for Stuck {
    fn declare(&self) -> Declaration {
        Declaration::new().require(Capability::HoldHead)
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        if self.at == Where::Head { self.stick(view) } else { Verdict::PASS }
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        if self.at == Where::Data { self.stick(view) } else { Verdict::PASS }
    }
}

fn stuck<H: Head>(plan: PlanBuilder<H>, how: How, at: Where) -> PlanBuilder<H> {
    plan.filter("stuck", move || Stuck { how, at, kept: None })
}

fn check(outcome: &Outcome, how: How) {
    let kind = match how {
        How::Lose | How::LoseLater => ErrorKind::Stalled,
        How::Keep => ErrorKind::TimedOut(Timeout::Hold),
        How::Panic => ErrorKind::Panicked,
    };
    assert_eq!(outcome.error().map(tidegate::Error::kind), Some(kind), "{outcome:?}");
    if how != How::Keep {
        assert_eq!(outcome.error().and_then(|error| error.filter()), Some("stuck"));
    }
}

/// What is answered while nothing has gone to the client.
fn status(how: How) -> u16 {
    if how == How::Keep { 504 } else { 500 }
}

const ALL: [How; 4] = [How::Lose, How::LoseLater, How::Keep, How::Panic];

const ARGS: [&str; 2] = ["--filter=log", "--hold-timeout-ms=400"];

const CHUNKED: &str = "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";

/// Sends a request with this body, and waits for an answer.
async fn post(proxy: &Proxy, body: &[u8]) -> Message {
    let mut wire = Wire::to(proxy.addr).await;
    wire.send(CHUNKED).await.unwrap();
    wire.send(body).await.unwrap();
    wire.message().await
}

/// A body, whole and without its end.
const BODY: &[u8] = b"4\r\nsome\r\n0\r\n\r\n";
const PART: &[u8] = b"4\r\nsome\r\n";

/// An origin that reads a request, which must be cut off, or answers it if `answer` says how.
async fn origin(answer: Option<&'static str>) -> RawOrigin {
    RawOrigin::start(move |mut wire| async move {
        match answer {
            Some(answer) => {
                wire.head().await;
                // The head first: hyper would drop it unsent if the body failed in the same turn.
                for part in answer.split_inclusive("\r\n\r\n") {
                    wire.send(part).await.unwrap();
                    sleep(Duration::from_millis(30)).await;
                }
                wire.rest().await;
            }
            None => assert!(!wire.message().await.complete, "the request is cut off"),
        }
    })
    .await
}

#[test]
fn a_request_stuck_at_its_head_is_answered() {
    for how in ALL {
        case(async {
            let origin = origin(None).await;
            let proxy =
                Proxy::with(origin.addr, &ARGS, |plan| stuck(plan, how, Where::Head), |plan| plan)
                    .await;
            let got = post(&proxy, BODY).await;
            assert_eq!((got.status(), got.complete), (status(how), true), "{how:?}");
            proxy.settled().await;
            check(&proxy.watch.outcome(Direction::Request), how);
            proxy.finish().await;
        });
    }
}

#[test]
fn a_request_stuck_in_its_body_is_answered_and_cut_off() {
    for how in ALL {
        case(async {
            let origin = origin(None).await;
            let proxy =
                Proxy::with(origin.addr, &ARGS, |plan| stuck(plan, how, Where::Data), |plan| plan)
                    .await;
            let got = post(&proxy, BODY).await;
            assert_eq!((got.status(), got.complete), (status(how), true), "{how:?}");
            proxy.settled().await;
            check(&proxy.watch.outcome(Direction::Request), how);
            proxy.finish().await;
        });
    }
}

const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

const ANSWER: &str = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nsome";

#[test]
fn a_response_stuck_at_its_head_is_replaced() {
    for how in ALL {
        case(async {
            let origin = origin(Some(ANSWER)).await;
            let proxy =
                Proxy::with(origin.addr, &ARGS, |plan| plan, |plan| stuck(plan, how, Where::Head))
                    .await;
            let got = ask(proxy.addr, GET).await;
            assert_eq!((got.status(), got.complete), (status(how), true), "{how:?}");
            proxy.settled().await;
            check(&proxy.watch.outcome(Direction::Response), how);
            proxy.finish().await;
        });
    }
}

#[test]
fn a_response_stuck_in_its_body_is_cut_off() {
    for how in ALL {
        case(async {
            let origin = origin(Some(ANSWER)).await;
            let proxy =
                Proxy::with(origin.addr, &ARGS, |plan| plan, |plan| stuck(plan, how, Where::Data))
                    .await;
            let got = ask(proxy.addr, GET).await;
            assert_eq!((got.status(), got.complete), (200, false), "{how:?}");
            assert_eq!(got.text(), "");
            proxy.settled().await;
            check(&proxy.watch.outcome(Direction::Response), how);
            proxy.finish().await;
        });
    }
}

fn timed_out(outcome: &Outcome, which: Timeout) -> bool {
    matches!(outcome, Outcome::TimedOut(error) if error.kind() == ErrorKind::TimedOut(which))
}

#[test]
fn a_client_that_falls_silent_is_answered_408() {
    for (arg, which) in
        [("--idle-timeout-ms=400", Timeout::Idle), ("--total-timeout-ms=400", Timeout::Total)]
    {
        case(async {
            let origin = origin(None).await;
            let proxy = Proxy::start(origin.addr, &["--filter=sha256", arg]).await;
            let got = post(&proxy, PART).await;
            assert_eq!((got.status(), got.complete), (408, true), "{arg} {got:?}");
            proxy.settled().await;
            let outcome = proxy.watch.outcome(Direction::Request);
            assert!(timed_out(&outcome, which), "{outcome:?}");
            proxy.finish().await;
        });
    }
}

#[test]
fn an_origin_that_falls_silent_is_a_504() {
    case(async {
        let origin = origin(Some("")).await;
        let proxy = Proxy::start(origin.addr, &["--upstream-timeout-ms=400"]).await;
        let got = ask(proxy.addr, GET).await;
        assert_eq!((got.status(), got.complete), (504, true), "{got:?}");
        proxy.finish().await;
    });
}

#[test]
fn an_origin_that_falls_silent_in_its_body_is_no_end_for_the_client() {
    for (arg, which) in
        [("--idle-timeout-ms=400", Timeout::Idle), ("--total-timeout-ms=400", Timeout::Total)]
    {
        case(async {
            let origin = origin(Some(ANSWER)).await;
            let proxy = Proxy::start(origin.addr, &[arg]).await;
            let got = ask(proxy.addr, GET).await;
            assert_eq!((got.status(), got.complete), (200, false), "{got:?}");
            proxy.settled().await;
            let outcome = proxy.watch.outcome(Direction::Response);
            assert!(timed_out(&outcome, which), "{outcome:?}");
            proxy.finish().await;
        });
    }
}
