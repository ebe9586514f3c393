//! Random flows as data, and flows made from them.

use http::{request, response};
use tidegate::Head;
use tidegate::flow::{Call, FallThrough, Flow, FlowBuilder, Node, OnUnhandled, Pipeline, Stages};

use crate::rig::Upstream;
use crate::rng::Rng;

const RESULTS: [&str; 3] = ["r0", "r1", "r2"];

/// A pipeline as data: what both sides are made from.
#[derive(Debug, Clone)]
pub(crate) struct Drawn {
    pub(crate) nodes: Vec<DrawnNode>,
    pub(crate) continues: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct DrawnNode {
    pub(crate) kind: Kind,
    pub(crate) name: String,
    /// What it declares.
    pub(crate) results: Vec<&'static str>,
    pub(crate) jumps: Vec<(String, String)>,
    /// What it says this time.
    pub(crate) says: &'static str,
    /// When: with its head, at the end of its input, in a resume.
    pub(crate) when: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Request,
    Call,
    End,
    Response,
}

/// Everything about one case.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) before: Option<Drawn>,
    pub(crate) main: Drawn,
    pub(crate) after: Option<Drawn>,
    pub(crate) stages: Stages,
    pub(crate) upstream: Upstream,
}

const UPSTREAMS: [(Upstream, &str); 6] = [
    (Upstream::Answers(200), ""),
    (Upstream::Answers(404), ""),
    (Upstream::Answers(500), "failureCode"),
    (Upstream::Breaks, "serverError"),
    (Upstream::TimesOut, "timeout"),
    (Upstream::Unreachable, "internalError"),
];

fn pipeline(rng: &mut Rng, prefix: &str, kinds: &[Kind], call: &'static str) -> Drawn {
    let mut nodes: Vec<DrawnNode> = Vec::new();
    for (n, &kind) in kinds.iter().enumerate() {
        let results: Vec<&'static str> = match kind {
            Kind::Call => Call::RESULTS.to_vec(),
            Kind::End => Vec::new(),
            Kind::Request | Kind::Response => RESULTS[..rng.below(4)].to_vec(),
        };
        let says = match kind {
            Kind::Call => call,
            Kind::End => "",
            Kind::Request | Kind::Response => {
                let picked = rng.below(results.len() + 2);
                results.get(picked).copied().unwrap_or("")
            }
        };
        let name = if kind == Kind::End { "END".to_owned() } else { format!("{prefix}{n}") };
        nodes.push(DrawnNode { kind, name, results, jumps: Vec::new(), says, when: rng.below(3) });
    }
    for n in 0..nodes.len() {
        let mut targets: Vec<String> = nodes[n + 1..]
            .iter()
            .filter(|node| node.kind != Kind::End)
            .map(|t| t.name.clone())
            .collect();
        targets.push("END".to_owned());
        let results: Vec<&str> = [""].into_iter().chain(nodes[n].results.iter().copied()).collect();
        for result in results {
            // Success rarely jumps: else most nodes could not be reached.
            let one_in = if result.is_empty() { 5 } else { 2 };
            if nodes[n].kind != Kind::End && rng.below(one_in) == 0 {
                let target = targets[rng.below(targets.len())].clone();
                nodes[n].jumps.push((result.to_owned(), target));
            }
        }
    }
    Drawn { nodes, continues: rng.below(3) == 0 }
}

fn some(rng: &mut Rng, kind: Kind, most: usize) -> Vec<Kind> {
    (0..rng.below(most + 1)).map(|_| if rng.below(5) == 0 { Kind::End } else { kind }).collect()
}

pub(crate) fn case(seed: u64) -> Case {
    let mut rng = Rng::new(seed);
    let (upstream, call) = UPSTREAMS[rng.below(UPSTREAMS.len())];
    let mut kinds = some(&mut rng, Kind::Request, 4);
    if rng.below(8) != 0 {
        kinds.push(Kind::Call);
    }
    kinds.extend(some(&mut rng, Kind::Response, 4));
    let main = pipeline(&mut rng, "m", &kinds, call);
    let mut side = |prefix, kind| {
        (rng.below(4) != 0).then(|| {
            let kinds = some(&mut rng, kind, 3);
            pipeline(&mut rng, prefix, &kinds, "")
        })
    };
    let before = side("b", Kind::Request);
    let after = side("a", Kind::Response);
    let mut fall = || FallThrough { stopped: rng.below(2) == 0, failed: rng.below(2) == 0 };
    let stages = Stages { to_main: fall(), to_after: fall(), past_main: fall() };
    let stages = match rng.below(3) {
        0 => Stages::easegress(rng.below(2) == 0, rng.below(2) == 0),
        1 => Stages::default(),
        _ => stages,
    };
    Case { before, main, after, stages, upstream }
}

/// Makes the nodes of a flow.
pub(crate) trait MakeNode {
    /// The node, without its jumps.
    fn node<H: Head>(&self, drawn: &DrawnNode) -> Node<H>;
}

/// The flow of a case, which may be one that cannot be built.
pub(crate) fn flow(case: &Case, make: &impl MakeNode) -> FlowBuilder {
    let mut flow = Flow::builder("random").main(pipeline_of(&case.main, make)).stages(case.stages);
    if let Some(before) = &case.before {
        flow = flow.before(pipeline_of(before, make));
    }
    if let Some(after) = &case.after {
        flow = flow.after(pipeline_of(after, make));
    }
    flow
}

fn pipeline_of(drawn: &Drawn, make: &impl MakeNode) -> Pipeline {
    let mut pipeline = Pipeline::new();
    if drawn.continues {
        pipeline = pipeline.on_unhandled(OnUnhandled::Continue);
    }
    for node in &drawn.nodes {
        pipeline = match node.kind {
            Kind::Request => pipeline.request(jumping::<request::Parts>(node, make)),
            Kind::Response => pipeline.response(jumping::<response::Parts>(node, make)),
            Kind::End => pipeline.end(),
            Kind::Call => {
                let jumps = node.jumps.iter();
                let call = Call::new(&node.name);
                pipeline.call(jumps.fold(call, |call, (result, to)| call.jump(result, to)))
            }
        };
    }
    pipeline
}

fn jumping<H: Head>(drawn: &DrawnNode, make: &impl MakeNode) -> Node<H> {
    let node = make.node(drawn);
    drawn.jumps.iter().fold(node, |node, (result, to)| node.jump(result, to))
}
