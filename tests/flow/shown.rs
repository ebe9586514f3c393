//! What is shown of flows and their parts: names and jumps, never what filters and finalizers hold.

use http::{request, response};
use tidegate::flow::{Call, Flow, Node, Pipeline, Summary};
use tidegate::{Filter, Head};

struct Quiet;

impl<H: Head> Filter<H> for Quiet {}

#[test]
fn a_flow_shows_its_name_and_the_filters_of_both_chains() {
    let main = Pipeline::new()
        .request(Node::<request::Parts>::new("auth", || Quiet))
        .call(Call::new("call"))
        .response(Node::<response::Parts>::new("stamp", || Quiet));
    let flow = Flow::builder("shop").main(main).build().unwrap();
    let text = format!("{flow:?}");
    assert!(text.starts_with("Flow { name: \"shop\", plan: ExchangePlan {"), "{text}");
    for part in ["request: {\"auth\": ", "response: {\"stamp\": "] {
        assert!(text.contains(part), "{text} does not contain {part}");
    }
}

#[test]
fn a_flow_under_construction_shows_what_it_has_so_far() {
    let auth = Node::<request::Parts>::new("auth", || Quiet).jump("denied", "page");
    assert_eq!(
        format!("{auth:?}"),
        "Node { name: \"auth\", jumps: [Jump { result: \"denied\", target: \"page\" }], .. }"
    );
    let before = Pipeline::new().request(auth);
    let main = Pipeline::new().call(Call::new("call").failure_statuses([503]));
    let flow = Flow::builder("shop").before(before.clone()).main(main.clone());
    let flow = flow.finalizer("log", |_: &Summary| {});
    let text = format!("{flow:?}");
    let parts = [
        "FlowBuilder { name: \"shop\", ".to_owned(),
        format!("before: Some({before:?})"),
        format!("main: Some({main:?})"),
        "after: None, stages: Stages { ".to_owned(),
    ];
    for part in parts {
        assert!(text.contains(&part), "{text} does not contain {part}");
    }
    assert!(text.ends_with("finalizers: [Finalizer(\"log\")], .. }"), "{text}");
    let call = "Call { name: \"call\", failure_statuses: [503], jumps: [] }";
    assert!(text.contains(call), "{text}");
}

#[test]
fn steps_are_called_as_they_were_named() {
    let node = Node::<request::Parts>::new("auth", || Quiet);
    assert_eq!((node.name(), Call::new("origin").name()), ("auth", "origin"));
}
