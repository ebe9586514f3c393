//! Ends that are rare: of the bound, of the record, of what is dropped last.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use bytes::Bytes;
use http::{Request, Response, StatusCode, request, response};
use tidegate::chain::InputError;
use tidegate::exchange::Refused;
use tidegate::flow::{Call, FallThrough, Flow, Node, Pipeline, Stages, Summary};
use tidegate::{
    Capabilities, Capability, Declaration, Error, ErrorKind, Filter, Head, LocalReply, Marks,
    MessageTraits, Origin, Output, Verdict, View,
};

use crate::rig::{Act, Log, Seen, drain_request, drain_response, send, sides, start};

/// Holds all of its body until the end, or up to its high mark.
struct Holder {
    high_bytes: u64,
}

impl<H: Head> Filter<H> for Holder {
    fn declare(&self) -> Declaration {
        Declaration::new().marks(Marks::from_high(self.high_bytes)).result("x")
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        if view.input_ended() || view.body().len() as u64 > self.high_bytes {
            Verdict::PASS
        } else {
            Verdict::HOLD
        }
    }
}

fn holder<H: Head>(name: &str, high_bytes: u64) -> Node<H> {
    Node::new(name, move || Holder { high_bytes })
}

#[test]
fn i7_an_after_pipeline_that_only_an_edge_leads_to_counts() {
    let marks = Marks::new(50, 100).unwrap();
    let main = Pipeline::new().call(Call::new("call")).end();
    let stages = Stages { to_after: FallThrough::NEVER, ..Stages::default() };
    let after = Pipeline::new().response(holder("log", 5000));
    let flow = Flow::builder("shop").main(main).after(after).stages(stages);
    let flow = flow.output_marks(marks, marks).max_frame_bytes(50).build().unwrap();
    let (_request, mut response) = sides(&flow);
    response.handle_reply(LocalReply::text(StatusCode::OK, vec![0; 4000]));
    let held = response.chain().held_bytes();
    assert!(held > 1000, "{held}");
    assert!(held <= flow.held_bound_bytes(), "{held} of {}", flow.held_bound_bytes());
}

#[test]
fn i7_a_bound_of_great_marks_is_no_small_one() {
    let main = Pipeline::new()
        .request(holder("choice", 1).jump("x", "great"))
        .request(holder("less", 1 << 62).jump("", "END"))
        .request(holder::<request::Parts>("great", 1 << 63))
        .call(Call::new("call"));
    let flow = Flow::builder("shop").main(main).build().unwrap();
    assert_eq!(flow.held_bound_bytes(), u64::MAX);
}

#[test]
fn r8_a_chunk_that_was_given_back_is_counted_once() {
    let log = Log::default();
    let main = Pipeline::new().call(Call::new("call")).response(holder::<response::Parts>("r", 10));
    let flow = log.build(Flow::builder("shop").main(main));
    let (mut request, mut response) = sides(&flow);
    let mut seen = Seen::default();
    send(&mut request, true);
    drain_request(&mut request, &mut seen);
    let head = Response::new(()).into_parts().0;
    response.handle_head(head, false).unwrap();
    drain_response(&mut response, &mut seen);
    // Nobody takes what comes out: what comes behind it waits, and then is not wanted.
    let mut given_back = false;
    for _ in 0..100 {
        match response.handle_data(Bytes::from(vec![b'x'; 60_000]), false) {
            Ok(()) => {}
            Err(InputError::NotWanted(_)) => given_back = true,
            Err(error) => panic!("{error:?}"),
        }
    }
    assert!(given_back);
    drain_response(&mut response, &mut seen);
    for _ in 0..10 {
        response.handle_data(Bytes::from(vec![b'x'; 60_000]), false).unwrap();
        drain_response(&mut response, &mut seen);
    }
    response.handle_end().unwrap();
    drain_response(&mut response, &mut seen);
    drop((request, response));
    let [summary] = log.summaries().try_into().unwrap();
    let input_bytes = summary.response_stats.input_bytes;
    assert_eq!(summary.trace[1].bytes_in, input_bytes);
    assert_eq!(summary.trace[1].bytes_out, seen.body.len() as u64);
}

/// A cause that panics when it is dropped.
#[derive(Debug)]
struct Bomb(Arc<AtomicU32>);

impl fmt::Display for Bomb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bomb")
    }
}

impl StdError for Bomb {}

impl Drop for Bomb {
    fn drop(&mut self) {
        self.0.fetch_add(1, Relaxed);
        panic!("a cause panics when it is dropped");
    }
}

#[test]
fn r5_a_cause_that_panics_when_it_is_dropped_is_contained() {
    for finalizer in [false, true] {
        let dropped = Arc::new(AtomicU32::new(0));
        let mut flow = Flow::builder("shop").main(Pipeline::new().call(Call::new("call")));
        if finalizer {
            flow = flow.finalizer("nothing", |_: &Summary| {});
        }
        let flow = flow.build().unwrap();
        let (mut request, response) = sides(&flow);
        let head = Request::new(()).into_parts().0;
        request.handle_head(head, false).unwrap();
        let bomb = Bomb(Arc::clone(&dropped));
        request.handle_reset(Error::with_source(ErrorKind::Reset, Origin::Downstream, bomb));
        // The record is what keeps the error longest.
        let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            drain_request(&mut request, &mut Seen::default());
            drop(request);
            drop(response);
        }));
        assert!(told.is_ok(), "finalizer: {finalizer}");
        assert_eq!(dropped.load(Relaxed), 1);
    }
}

/// A response node that needs what no edge can do.
struct Needy;

impl Filter<response::Parts> for Needy {
    fn declare(&self) -> Declaration {
        Declaration::new().require(Capability::AddTrailers)
    }
}

#[test]
fn r5_where_the_response_was_refused() {
    let log = Log::default();
    let main = Pipeline::new().call(Call::new("call")).response(Node::new("needy", || Needy));
    let flow = log.build(Flow::builder("shop").main(main));
    let plan = flow.plan().bind(Capabilities::ALL, Capabilities::ALL).unwrap();
    let traits = MessageTraits::new().without(Capability::AddTrailers);
    let refused = plan.exchange(MessageTraits::new(), traits).expect_err("it cannot have that");
    assert!(matches!(refused, Refused::Response { .. }));
    let [summary] = log.summaries().try_into().expect("once");
    assert_eq!((summary.status, summary.called, summary.main), (None, false, None));
}

#[test]
fn a_client_that_was_given_nothing_was_given_no_status() {
    let log = Log::default();
    let node = log.node::<response::Parts>("holds", &[], Act::Stalls);
    let main = Pipeline::new().call(Call::new("call")).response(node);
    let flow = log.build(Flow::builder("shop").main(main));
    let (mut request, mut response) = sides(&flow);
    let mut seen = Seen::default();
    send(&mut request, true);
    drain_request(&mut request, &mut seen);
    start(&mut response, 200);
    response.abort(Error::new(ErrorKind::Reset, Origin::Downstream));
    while let Some(output) = response.poll_output() {
        assert!(!matches!(output, Output::Head { .. }), "it was cut off");
    }
    drop((request, response));
    let [summary] = log.summaries().try_into().expect("once");
    assert_eq!(summary.status, None);
}
