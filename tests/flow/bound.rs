//! What a run holds is within what its flow states before it starts (rule I7).

use bytes::Bytes;
use http::{Request, Response};
use tidegate::flow::{Call, FallThrough, Flow, Node, Pipeline, Stages};
use tidegate::{Capability, Declaration, Filter, Head, Marks, Verdict, View};

use crate::drawn::{DrawnNode, MakeNode, case, flow};
use crate::rig::sides;
use crate::rng::Rng;

/// Holds up to its high mark, then lets all go.
struct Hoard {
    results: Vec<&'static str>,
    says: &'static str,
    high_bytes: u64,
}

impl<H: Head> Filter<H> for Hoard {
    fn declare(&self) -> Declaration {
        let marks = Marks::new(self.high_bytes / 2, self.high_bytes).expect("low is below high");
        let declaration = Declaration::new().marks(marks).prefer(Capability::HoldHead);
        self.results.iter().fold(declaration, |declaration, &name| declaration.result(name))
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        let _ = view.set_result(self.says);
        Verdict::PASS
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        let full = view.body().len() as u64 > self.high_bytes;
        if full || view.input_ended() { Verdict::PASS } else { Verdict::HOLD }
    }
}

/// Hoards of different sizes.
struct Hoards {
    seed: u64,
}

impl Hoards {
    fn high_bytes(&self, name: &str) -> u64 {
        let seed = name.bytes().fold(self.seed, |seed, byte| seed * 31 + u64::from(byte));
        let sizes = [100, 100, 1000, 5000];
        sizes[Rng::new(seed).below(sizes.len())]
    }
}

impl MakeNode for Hoards {
    fn node<H: Head>(&self, drawn: &DrawnNode) -> Node<H> {
        let high_bytes = self.high_bytes(&drawn.name);
        let (results, says) = (drawn.results.clone(), drawn.says);
        Node::new(&drawn.name, move || Hoard { results: results.clone(), says, high_bytes })
    }
}

const FRAME_BYTES: usize = 50;

/// The most that both chains hold at a time while nobody takes what comes out.
fn most_held(flow: &Flow, rng: &mut Rng) -> u64 {
    let (mut request, mut response) = sides(flow);
    let mut most = 0;
    let head = Request::new(()).into_parts().0;
    request.handle_head(head, false).unwrap();
    let mut called = false;
    while let Some(output) = request.poll_output() {
        called |= matches!(output, tidegate::Output::Head { .. });
    }
    if !called {
        return 0;
    }
    let head = Response::new(()).into_parts().0;
    response.handle_head(head, false).unwrap();
    while response.poll_output().is_some() {}
    for _ in 0..2000 {
        let bytes = Bytes::from(vec![0; 1 + rng.below(2 * FRAME_BYTES)]);
        if request.wants_input() {
            request.handle_data(bytes.clone(), false).unwrap();
        }
        if response.wants_input() {
            response.handle_data(bytes, false).unwrap();
        }
        most = most.max(request.chain().held_bytes() + response.chain().held_bytes());
        if rng.below(40) == 0 {
            let _ = (request.poll_data(), response.poll_data());
        }
    }
    most
}

#[test]
fn i7_no_run_holds_more_than_the_dearest_path_may() {
    let marks = Marks::new(50, 100).unwrap();
    let (mut ran, mut cheaper, mut close) = (0, 0, 0);
    for seed in 0..600 {
        let case = case(seed);
        let build = || {
            let flow = flow(&case, &Hoards { seed }).output_marks(marks, marks);
            flow.max_frame_bytes(FRAME_BYTES).build()
        };
        let Ok(flow) = build() else { continue };
        let (bound, plan) = (flow.held_bound_bytes(), flow.plan().held_bound_bytes());
        assert!(bound <= plan, "seed {seed}: {bound} {plan}");
        let most = most_held(&flow, &mut Rng::new(seed));
        assert!(most <= bound, "seed {seed}: held {most} of {bound}: {case:#?}");
        ran += usize::from(most > 0);
        cheaper += usize::from(bound < plan);
        // Near half of it is what a path without edits can come to.
        close += usize::from(most * 5 > bound * 2);
    }
    assert!(ran > 50 && cheaper > 10 && close > 20, "{ran} {cheaper} {close}");
}

fn hoard(high_bytes: u64, results: &'static [&'static str]) -> impl Fn() -> Hoard {
    move || Hoard { results: results.to_vec(), says: "", high_bytes }
}

#[test]
fn i7_a_pipeline_that_no_end_of_the_one_before_leads_to_does_not_count() {
    let (frame, marks) = (1000, Marks::new(500, 1000).unwrap());
    let bound = |stages: Stages| {
        // The before-pipeline always stops.
        let before = Pipeline::new().request(Node::new("gate", hoard(10, &[]))).end();
        let main = Pipeline::new()
            .request(Node::new("dear", hoard(400, &[])))
            .call(Call::new("call"))
            .response(Node::new("zip", hoard(40, &[])));
        let flow = Flow::builder("shop").before(before).main(main).stages(stages);
        let flow = flow.output_marks(marks, marks).max_frame_bytes(frame).build().unwrap();
        flow.held_bound_bytes() - 2 * (2 * 1000 + frame as u64)
    };
    assert_eq!(bound(Stages::default()), 2 * 10);
    let always = Stages { to_main: FallThrough::ALWAYS, ..Stages::default() };
    assert_eq!(bound(always), 2 * (10 + 400 + 40));
}

#[test]
fn i7_the_bound_is_that_of_the_dearest_path() {
    let frame = 1000;
    let marks = Marks::new(500, 1000).unwrap();
    // Either the dear one or the two cheap ones, and `last` behind them.
    let main = Pipeline::new()
        .request(Node::new("choice", hoard(10, &["dear"])).jump("dear", "dear"))
        .request(Node::new("cheap", hoard(20, &[])))
        .request(Node::new("cheaper", hoard(30, &["past"])).jump("", "last").jump("past", "last"))
        .request(Node::new("dear", hoard(400, &[])))
        .request(Node::new("last", hoard(1, &[])))
        .call(Call::new("call").jump("failureCode", "page"))
        .response(Node::new("zip", hoard(7, &["bad"])).jump_to_end("bad"))
        .end()
        .response(Node::new("page", hoard(5, &[])));
    let after = Pipeline::new().response(Node::new("log", hoard(2, &[])));
    let flow = Flow::builder("shop").main(main).after(after);
    let flow = flow.output_marks(marks, marks).max_frame_bytes(frame).build().unwrap();
    let fixed = 2 * 1000 + frame as u64;
    let request = 2 * (10 + 400 + 1) + fixed;
    let response = 2 * (7 + 2) + fixed;
    assert_eq!(flow.held_bound_bytes(), request + response);
    let all = 2 * (10 + 20 + 30 + 400 + 1) + fixed + 2 * (7 + 5 + 2) + fixed;
    assert_eq!(flow.plan().held_bound_bytes(), all);
}
