//! What an exchange allocates with a flow, and what a node that is left out costs: counted by the
//! global allocator.

#[path = "support/counting.rs"]
mod counting;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, request, response};
use tidegate::exchange::{BoundExchangePlan, ExchangePlan};
use tidegate::flow::{Call, Flow, Node, Pipeline, Summary};
use tidegate::{
    Capabilities, Declaration, Filter, Head, MessageTraits, Output, Plan, Verdict, View,
};

use counting::allocations;

/// Nodes of one direction.
const NODES: usize = 4;

/// Counts and passes; may serve the next message.
#[derive(Default)]
struct Pass {
    seen_bytes: u64,
    says: &'static str,
}

impl<H: Head> Filter<H> for Pass {
    fn declare(&self) -> Declaration {
        Declaration::new().result("past")
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        view.set_result(self.says).expect("it was declared");
        Verdict::PASS
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.seen_bytes += view.new_bytes() as u64;
        Verdict::PASS
    }

    fn recycle(&mut self) -> bool {
        self.seen_bytes = 0;
        true
    }
}

fn bound(plan: &ExchangePlan) -> BoundExchangePlan {
    plan.bind(Capabilities::ALL, Capabilities::ALL).expect("no needs")
}

fn node<H: Head>(name: String, says: &'static str) -> Node<H> {
    Node::new(name, move || Pass { seen_bytes: 0, says })
}

/// `left_out` nodes in each direction are jumped over.
fn flow(left_out: usize, finalizer: bool) -> BoundExchangePlan {
    let first = node::<request::Parts>("first".into(), "past").jump("past", "q0");
    let mut main = Pipeline::new().request(first);
    for n in 0..left_out {
        main = main.request(node(format!("left-out-q{n}"), ""));
    }
    for n in 0..NODES - 1 {
        main = main.request(node(format!("q{n}"), ""));
    }
    main = main.call(Call::new("call").jump("", "r0"));
    for n in 0..left_out {
        main = main.response(node::<response::Parts>(format!("left-out-r{n}"), ""));
    }
    for n in 0..NODES {
        main = main.response(node(format!("r{n}"), ""));
    }
    // What is left out can be reached by another result.
    let main = main.on_unhandled(tidegate::flow::OnUnhandled::Continue);
    let mut flow = Flow::builder("shop").main(main);
    if finalizer {
        flow = flow.finalizer("nothing", |_: &Summary| {});
    }
    bound(flow.build().expect("a flow").plan())
}

fn plain() -> BoundExchangePlan {
    let (mut request, mut response) = (Plan::builder(), Plan::builder());
    for n in 0..NODES {
        request = request.filter(format!("q{n}"), Pass::default);
        response = response.filter(format!("r{n}"), Pass::default);
    }
    let (request, response) = (request.build().expect("few"), response.build().expect("few"));
    bound(&ExchangePlan::new(request, response))
}

/// A small exchange: heads, four chunks each way, ends.
fn exchange(plan: &BoundExchangePlan, chunk: &Bytes) {
    let traits = MessageTraits::new();
    let (mut request, mut response) = plan.exchange(traits, traits).expect("no needs");
    let (mut head, ()) = Request::new(()).into_parts();
    head.headers = HeaderMap::new();
    request.handle_head(head, false).expect("the first head");
    assert!(matches!(request.poll_output(), Some(Output::Head { .. })));
    let (head, ()) = Response::new(()).into_parts();
    response.handle_head(head, false).expect("the first head");
    assert!(matches!(response.poll_output(), Some(Output::Head { .. })));
    for _ in 0..4 {
        request.handle_data(chunk.clone(), false).expect("data is taken");
        assert!(request.poll_data().is_some());
        response.handle_data(chunk.clone(), false).expect("data is taken");
        assert!(response.poll_data().is_some());
    }
    request.handle_end().expect("it has not ended");
    response.handle_end().expect("it has not ended");
    assert!(matches!(request.poll_output(), Some(Output::End)));
    assert!(matches!(response.poll_output(), Some(Output::End)));
}

/// Allocations of one exchange, once the plan has storage of exchanges before.
fn count(plan: &BoundExchangePlan) -> u64 {
    let chunk = Bytes::from_static(&[7; 1024]);
    for _ in 0..3 {
        exchange(plan, &chunk);
    }
    allocations(|| exchange(plan, &chunk))
}

#[test]
fn a_flow_costs_a_few_allocations_an_exchange_and_the_trace_a_few_more() {
    let plain = count(&plain());
    let flowing = count(&flow(0, false));
    let traced = count(&flow(0, true));
    println!("plain {plain}, with a flow {flowing}, with a trace {traced}");
    // The record, both routes, and what the engine keeps of each.
    assert_eq!(flowing - plain, 5);
    // The nodes of each chain, what they are told as, and both in one list.
    assert_eq!(traced - flowing, 6);
}

#[test]
fn a_node_that_is_left_out_allocates_nothing() {
    for finalizer in [false, true] {
        let (none, many) = (count(&flow(0, finalizer)), count(&flow(40, finalizer)));
        assert_eq!(none, many);
    }
}

#[test]
fn chunks_allocate_nothing_more() {
    let chunk = Bytes::from_static(&[7; 1024]);
    let plan = flow(2, true);
    let traits = MessageTraits::new();
    let (mut request, _response) = plan.exchange(traits, traits).expect("no needs");
    request.handle_head(Request::new(()).into_parts().0, false).expect("the first head");
    assert!(matches!(request.poll_output(), Some(Output::Head { .. })));
    request.handle_data(chunk.clone(), false).expect("data is taken");
    assert!(request.poll_data().is_some());
    let many = allocations(|| {
        for _ in 0..1000 {
            request.handle_data(chunk.clone(), false).expect("data is taken");
            assert!(request.poll_data().is_some());
        }
    });
    assert_eq!(many, 0);
}
