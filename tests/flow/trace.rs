//! What is told of the nodes that ran (R8).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{request, response};
use tidegate::flow::{Call, Flow, FlowBuilder, Node, Pipeline, Stage, Summary};
use tidegate::{Capability, Declaration, Filter, Head, Verdict, View};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::with_default;
use tracing::{Event, Metadata, Subscriber};

use crate::rig::{Act, Log, Upstream, exchange};

/// Doubles the body.
struct Double;

impl<H: Head> Filter<H> for Double {
    fn declare(&self) -> Declaration {
        Declaration::new().prefer(Capability::EditBytes).prefer(Capability::ChangeLength)
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        let copy = Bytes::from(vec![b'x'; view.new_bytes()]);
        view.push(copy).expect("room for as much again");
        Verdict::PASS
    }
}

/// A clock that goes on by a second each time it is looked at.
fn ticking(flow: FlowBuilder) -> FlowBuilder {
    let seconds = AtomicU64::new(0);
    flow.clock(move || Duration::from_secs(seconds.fetch_add(1, Relaxed)))
}

fn shop(log: &Log) -> FlowBuilder {
    let before = Pipeline::new().request(log.node::<request::Parts>("gate", &[], Act::Says("")));
    let auth = log.node("auth", &["slow"], Act::SaysAtEnd("slow"));
    let main = Pipeline::new()
        .request(auth.jump("slow", "double-up"))
        .request(log.node("skipped", &[], Act::Says("")))
        .request(Node::new("double-up", || Double))
        .call(Call::new("call"))
        .response(Node::<response::Parts>::new("double-down", || Double));
    let after = Pipeline::new().response(log.node("access-log", &[], Act::Says("")));
    Flow::builder("shop").before(before).main(main).after(after)
}

fn run(log: &Log, flow: FlowBuilder) -> Summary {
    let flow = log.build(flow);
    exchange(&flow, Upstream::Answers(200));
    let [summary] = log.summaries().try_into().expect("one summary");
    summary
}

#[test]
fn r8_nodes_that_ran_with_results_times_and_bytes() {
    let log = Log::default();
    let summary = run(&log, ticking(shop(&log)));
    let rows = summary.trace.iter().map(|entry| {
        (entry.stage, &*entry.node, entry.result.as_deref(), entry.bytes_in, entry.bytes_out)
    });
    assert_eq!(
        rows.collect::<Vec<_>>(),
        [
            (Stage::Before, "gate", Some(""), 4, 4),
            (Stage::Main, "auth", Some("slow"), 4, 4),
            (Stage::Main, "double-up", Some(""), 4, 8),
            (Stage::Main, "call", Some(""), 8, 4),
            (Stage::Main, "double-down", Some(""), 4, 8),
            (Stage::After, "access-log", Some(""), 8, 8),
        ]
    );
    // Each head left behind when it came, and came to the next one not before that.
    let mut last = Duration::ZERO;
    for entry in &summary.trace {
        let (head_in, head_out) = (entry.head_in.unwrap(), entry.head_out.unwrap());
        assert!(last <= head_in && head_in < head_out, "{entry:?}");
        last = head_out;
    }
}

#[test]
fn r8_without_a_clock_there_are_no_times_and_one_that_panics_has_none() {
    let log = Log::default();
    let summary = run(&log, shop(&log));
    assert!(summary.trace.iter().all(|entry| entry.head_in.is_none() && entry.head_out.is_none()));
    let log = Log::default();
    let summary = run(&log, shop(&log).clock(|| panic!("the clock panics")));
    assert_eq!(summary.trace.len(), 6);
    assert!(summary.trace.iter().all(|entry| entry.head_in.is_none()));
}

#[test]
fn r8_what_took_the_place_of_the_message_is_told_at_its_node() {
    let log = Log::default();
    let auth = log.node::<request::Parts>("auth", &["denied"], Act::Replies(403, "denied"));
    let main = Pipeline::new()
        .request(auth.jump("denied", "page"))
        .call(Call::new("call"))
        .response(log.node::<response::Parts>("page", &[], Act::Fails));
    let after = Pipeline::new().response(log.node("access-log", &[], Act::Says("")));
    let summary = run(&log, ticking(Flow::builder("shop").main(main).after(after)));
    let rows = summary.trace.iter().map(|entry| {
        (&*entry.node, entry.result.as_deref(), entry.head_out.is_some(), entry.bytes_in)
    });
    assert_eq!(
        rows.collect::<Vec<_>>(),
        [
            ("auth", Some("denied"), true, 0),
            ("page", None, false, 0),
            ("access-log", Some(""), true, 0),
        ]
    );
}

#[test]
fn r8_a_reply_on_the_response_is_told_at_the_node_that_gave_it_and_at_no_other() {
    let page = Act::Replies(503, "bad");
    for (scan, hold, expected) in [
        (Act::Says(""), page, [("scan", Some(""), true), ("hold", Some("bad"), true)]),
        // The reply comes when the head stands at the next node, which has not let it go.
        (
            Act::RepliesLate(500),
            Act::SaysAtEnd(""),
            [("scan", Some(""), true), ("hold", None, false)],
        ),
    ] {
        let log = Log::default();
        let main = Pipeline::new()
            .call(Call::new("call"))
            .response(log.node::<response::Parts>("scan", &[], scan))
            .response(log.node("hold", &["bad"], hold));
        let summary = run(&log, ticking(Flow::builder("shop").main(main)));
        let rows = summary.trace[1..].iter();
        let rows =
            rows.map(|entry| (&*entry.node, entry.result.as_deref(), entry.head_out.is_some()));
        assert_eq!(rows.collect::<Vec<_>>(), expected);
    }
}

#[test]
fn r8_a_flow_that_nobody_asks_records_nothing() {
    // The clock is looked at for the record only.
    let looks = Arc::new(AtomicU64::new(0));
    let build = |log: &Log| {
        let own = Arc::clone(&looks);
        shop(log).clock(move || Duration::from_secs(own.fetch_add(1, Relaxed)))
    };
    let log = Log::default();
    exchange(&build(&log).build().unwrap(), Upstream::Answers(200));
    assert_eq!(looks.load(Relaxed), 0);
    run(&log, build(&log));
    assert!(looks.load(Relaxed) >= 12);
}

/// What spans were made, and recorded: `flow`, `node gate`, and fields by `name=value`.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Vec<Recorded>>>);

#[derive(Clone, Debug)]
struct Recorded {
    name: &'static str,
    parent: Option<u64>,
    fields: BTreeMap<&'static str, String>,
    is_open: bool,
}

struct Fields<'a>(&'a mut BTreeMap<&'static str, String>);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}").trim_matches('"').to_owned());
    }
}

impl Subscriber for Spans {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut fields = BTreeMap::new();
        span.record(&mut Fields(&mut fields));
        let parent = span.parent().map(Id::into_u64);
        let mut spans = self.0.lock().unwrap();
        spans.push(Recorded { name: span.metadata().name(), parent, fields, is_open: true });
        Id::from_u64(spans.len() as u64)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        let mut spans = self.0.lock().unwrap();
        values.record(&mut Fields(&mut spans[span.into_u64() as usize - 1].fields));
    }

    fn try_close(&self, span: Id) -> bool {
        self.0.lock().unwrap()[span.into_u64() as usize - 1].is_open = false;
        true
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[test]
fn r8_a_run_is_a_span_with_one_for_each_node() {
    let spans = Spans::default();
    let log = Log::default();
    // No finalizer: the spans alone are asked for.
    let flow = ticking(shop(&log)).build().unwrap();
    with_default(spans.clone(), || exchange(&flow, Upstream::Answers(500)));
    let spans = spans.0.lock().unwrap().clone();
    let field = |span: &Recorded, name: &str| span.fields.get(name).cloned().unwrap_or_default();
    let run = &spans[0];
    assert_eq!((run.name, run.parent, run.is_open), ("flow", None, false));
    let fields = ["flow", "request", "response", "status", "before", "main", "after", "called"];
    assert_eq!(
        fields.map(|name| field(run, name)),
        ["shop", "complete", "complete", "500", "through", "failed", "through", "true"]
    );
    let nodes = spans[1..].iter().map(|span| {
        assert_eq!((span.name, span.parent, span.is_open), ("node", Some(1), false));
        let head_in: u64 = field(span, "head_in_us").parse().unwrap();
        let head_out: u64 = field(span, "head_out_us").parse().unwrap();
        assert!(head_in < head_out && head_in.is_multiple_of(1_000_000), "{span:?}");
        ["stage", "node", "result", "bytes_in", "bytes_out"].map(|name| field(span, name)).join(" ")
    });
    let mut nodes: Vec<String> = nodes.collect();
    // The call is known when both of its directions are over.
    nodes.sort();
    assert_eq!(
        nodes,
        [
            "after access-log  4 4",
            "before gate  4 4",
            "main auth slow 4 4",
            "main call failureCode 8 4",
            "main double-up  4 8",
        ]
    );
}

/// Panics wherever it can.
struct Panics;

impl Subscriber for Panics {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {
        panic!("the subscriber panics");
    }

    fn try_close(&self, _: Id) -> bool {
        panic!("the subscriber panics");
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[test]
fn a_subscriber_that_panics_harms_no_exchange() {
    let log = Log::default();
    let flow = log.build(shop(&log));
    let seen = with_default(Panics, || exchange(&flow, Upstream::Answers(200)));
    assert_eq!((seen.status, seen.reset), (Some(200), false));
    assert_eq!(log.summaries().len(), 1);
}
