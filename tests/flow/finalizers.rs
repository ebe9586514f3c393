//! Finalizers run once an exchange, whatever happened (R5).

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread;

use http::{request, response};
use tidegate::flow::{Call, Flow, Node, Pipeline, StageEnd, Summary};
use tidegate::{
    Capabilities, Capability, Declaration, Error, ErrorKind, Filter, MessageTraits, Origin, Outcome,
};

use crate::rig::{
    Act, Log, Seen, Upstream, drain_request, drain_response, exchange, send, sides, start,
};

/// A request node, a call, a response node, an access log.
fn flow(log: &Log, request: Act, response: Act, after: Act) -> Flow {
    let main = Pipeline::new()
        .request(log.node::<request::Parts>("auth", &[], request))
        .call(Call::new("call"))
        .response(log.node::<response::Parts>("gzip", &[], response));
    let after = Pipeline::new().response(log.node("access-log", &[], after));
    log.build(Flow::builder("shop").main(main).after(after))
}

fn passes() -> Act {
    Act::Says("")
}

/// How request and response ended.
fn outcomes(summary: &Summary) -> (&'static str, &'static str) {
    let name = |outcome: &Outcome| match outcome {
        Outcome::Complete { .. } => "complete",
        Outcome::Reset(_) => "reset",
        Outcome::Cancelled => "cancelled",
        Outcome::Limit(_) => "limit",
        Outcome::Failed(_) => "failed",
        Outcome::Replaced { .. } => "replaced",
        _ => "else",
    };
    (name(&summary.request), name(&summary.response))
}

#[track_caller]
fn only(log: &Log) -> Summary {
    let [summary] = log.summaries().try_into().expect("once");
    summary
}

#[test]
fn r5_on_completion() {
    let log = Log::default();
    exchange(&flow(&log, passes(), passes(), passes()), Upstream::Answers(200));
    let summary = only(&log);
    assert_eq!(outcomes(&summary), ("complete", "complete"));
    assert_eq!((&*summary.flow, summary.called), ("shop", true));
    assert_eq!(summary.status.map(|status| status.as_u16()), Some(200));
    assert_eq!((summary.before, summary.main), (None, Some(StageEnd::Through)));
    assert_eq!((summary.request_stats.input_bytes, summary.response_stats.output_bytes), (4, 4));
}

#[test]
fn r5_on_a_local_reply_an_overflow_and_a_panic_anywhere() {
    let replies = || Act::Replies(403, "");
    let cases = [
        (replies(), passes(), passes(), ("replaced", "replaced"), Some(403)),
        (passes(), replies(), passes(), ("reset", "replaced"), Some(403)),
        (passes(), passes(), replies(), ("reset", "replaced"), Some(403)),
        (Act::Panics, passes(), passes(), ("failed", "replaced"), Some(500)),
        // It was answered through the after-pipeline.
        (passes(), Act::Panics, passes(), ("reset", "failed"), Some(500)),
        // Past it.
        (passes(), passes(), Act::Panics, ("reset", "failed"), Some(500)),
        (passes(), Act::Fails, Act::Panics, ("reset", "failed"), Some(500)),
    ];
    for (request, response, after, expected, status) in cases {
        let log = Log::default();
        let case = format!("{request:?} {response:?} {after:?}");
        let flow = flow(&log, request, response, after);
        let (mut request, mut response) = sides(&flow);
        let mut seen = Seen::default();
        // The request is not all there when its response is.
        send(&mut request, false);
        drain_request(&mut request, &mut seen);
        if seen.called {
            start(&mut response, 200);
            let _ = response.handle_end();
        }
        drain_response(&mut response, &mut seen);
        drain_request(&mut request, &mut seen);
        drop((request, response));
        let summary = only(&log);
        assert_eq!(outcomes(&summary), expected, "{case}");
        assert_eq!(summary.status.map(|status| status.as_u16()), status, "{case}");
    }
}

#[test]
fn r5_on_an_overflow() {
    let log = Log::default();
    let flow = flow(&log, Act::Overflows, passes(), passes());
    let (mut request, mut response) = sides(&flow);
    let mut seen = Seen::default();
    send(&mut request, false);
    while request.wants_input() {
        request.handle_data(vec![0; 40_000].into(), false).unwrap();
    }
    drain_request(&mut request, &mut seen);
    drain_response(&mut response, &mut seen);
    drop((request, response));
    let summary = only(&log);
    assert_eq!((outcomes(&summary), seen.status), (("limit", "replaced"), Some(413)));
    assert_eq!((summary.main, summary.after), (Some(StageEnd::Failed), Some(StageEnd::Through)));
}

#[test]
fn r5_on_a_reset_by_either_peer() {
    let log = Log::default();
    let flow = flow(&log, passes(), passes(), passes());
    let (mut request, mut response) = sides(&flow);
    let mut seen = Seen::default();
    send(&mut request, false);
    drain_request(&mut request, &mut seen);
    start(&mut response, 200);
    drain_response(&mut response, &mut seen);
    request.handle_reset(Error::new(ErrorKind::Reset, Origin::Downstream));
    drain_request(&mut request, &mut seen);
    assert_eq!(log.summaries().len(), 0, "half of it is not over");
    response.handle_reset(Error::new(ErrorKind::Reset, Origin::Upstream));
    drain_response(&mut response, &mut seen);
    drop((request, response));
    let summary = only(&log);
    assert_eq!(outcomes(&summary), ("reset", "reset"));
    assert_eq!(summary.main, Some(StageEnd::Failed));
}

#[test]
fn r5_where_an_exchange_is_dropped_at_any_point() {
    // Nothing has come, or: head and data, and then answer, and then all of it, was taken.
    for steps in 0..4 {
        for request_first in [true, false] {
            let log = Log::default();
            let flow = flow(&log, passes(), passes(), passes());
            let (mut request, mut response) = sides(&flow);
            let mut seen = Seen::default();
            if steps > 0 {
                send(&mut request, false);
                drain_request(&mut request, &mut seen);
            }
            if steps > 1 {
                start(&mut response, 200);
            }
            if steps > 2 {
                drain_response(&mut response, &mut seen);
            }
            if request_first {
                drop(request);
                assert_eq!(log.summaries().len(), 0);
                drop(response);
            } else {
                drop(response);
                assert_eq!(log.summaries().len(), 0);
                drop(request);
            }
            let summary = only(&log);
            assert_eq!(outcomes(&summary).1, "cancelled");
            let main = [None, Some(StageEnd::Failed), Some(StageEnd::Through)][steps.min(2)];
            assert_eq!(summary.main, main, "{steps}");
            assert_eq!(summary.called, steps > 0);
        }
    }
}

#[test]
fn r5_where_a_head_was_held_when_it_was_dropped() {
    let log = Log::default();
    let flow = flow(&log, Act::Stalls, passes(), passes());
    let (mut request, response) = sides(&flow);
    send(&mut request, false);
    drop((response, request));
    let summary = only(&log);
    assert_eq!((summary.main, summary.called), (Some(StageEnd::Failed), false));
    assert_eq!(summary.trace.len(), 1);
    assert_eq!(log.all("closed"), ["auth not"]);
}

/// Needs what no edge can do.
struct Needy;

impl Filter<request::Parts> for Needy {
    fn declare(&self) -> Declaration {
        Declaration::new().require(Capability::AddTrailers)
    }
}

#[test]
fn r5_where_the_request_was_refused() {
    let log = Log::default();
    let main = Pipeline::new().request(Node::new("needy", || Needy)).call(Call::new("call"));
    let after = Pipeline::new().response(log.node("access-log", &[], passes()));
    let flow = log.build(Flow::builder("shop").main(main).after(after));
    let plan = flow.plan().bind(Capabilities::ALL, Capabilities::ALL).unwrap();
    let traits = MessageTraits::new().without(Capability::AddTrailers);
    let refused = plan.exchange(traits, MessageTraits::new()).expect_err("it cannot have that");
    let tidegate::exchange::Refused::Request { mut response, .. } = refused else {
        panic!("{refused:?}")
    };
    response.handle_reply(tidegate::LocalReply::new(http::StatusCode::NOT_IMPLEMENTED));
    let mut seen = Seen::default();
    drain_response(&mut response, &mut seen);
    drop(response);
    let summary = only(&log);
    assert_eq!((seen.status, log.all("head")), (Some(501), vec!["access-log".to_owned()]));
    assert_eq!((summary.main, summary.after), (None, Some(StageEnd::Through)));
}

#[test]
fn r5_a_finalizer_that_panics_keeps_no_other_from_running() {
    let order = Log::default();
    let mut flow = Flow::builder("shop").main(Pipeline::new().call(Call::new("call")));
    for name in ["first", "second", "third"] {
        let order = order.clone();
        flow = flow.finalizer(name, move |_: &Summary| {
            order.note(format!("ran {name}"));
            assert!(name == "second", "{name} panics");
        });
    }
    exchange(&flow.build().unwrap(), Upstream::Answers(200));
    assert_eq!(order.all("ran"), ["first", "second", "third"]);
}

#[test]
fn r5_a_finalizer_may_run_the_flow_again() {
    // It would deadlock, or run for ever, if it ran under a lock of the flow or of the run.
    let slot: Arc<std::sync::OnceLock<Flow>> = Arc::default();
    let runs = Arc::new(AtomicU32::new(0));
    let (own, count) = (Arc::clone(&slot), Arc::clone(&runs));
    let flow = Flow::builder("shop").main(Pipeline::new().call(Call::new("call")));
    let flow = flow.finalizer("again", move |_: &Summary| {
        if count.fetch_add(1, Relaxed) == 0 {
            exchange(own.get().expect("it is there"), Upstream::Answers(200));
        }
    });
    let flow = slot.get_or_init(|| flow.build().unwrap());
    exchange(flow, Upstream::Answers(200));
    assert_eq!(runs.load(Relaxed), 2);
}

#[test]
fn r5_once_also_where_both_directions_end_on_their_own_threads() {
    let log = Log::default();
    let flow = flow(&log, passes(), passes(), passes());
    let exchanges = 300;
    for n in 0..exchanges {
        let (mut request, mut response) = sides(&flow);
        let mut seen = Seen::default();
        send(&mut request, n % 3 != 0);
        drain_request(&mut request, &mut seen);
        thread::scope(|scope| {
            scope.spawn(move || {
                if n % 2 == 0 {
                    drain_request(&mut request, &mut Seen::default());
                }
            });
            scope.spawn(move || {
                start(&mut response, 200);
                if n % 5 != 0 {
                    let _ = response.handle_end();
                }
                drain_response(&mut response, &mut Seen::default());
            });
        });
    }
    let summaries = log.summaries();
    assert_eq!(summaries.len(), exchanges);
    for summary in summaries {
        let nodes: Vec<&str> = summary.trace.iter().map(|entry| &*entry.node).collect();
        assert_eq!(nodes, ["auth", "call", "gzip", "access-log"]);
    }
}
