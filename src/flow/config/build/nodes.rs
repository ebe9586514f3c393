//! The nodes of the three pipelines, and where each of them is in the configuration.

use super::definitions::Definitions;
use super::{ConfigError, ConfigErrorKind, ConfigPlace};
use crate::filter::Head;
use crate::flow::config::kinds::Made;
use crate::flow::config::{
    CallConfig, FilterNodeConfig, FlowConfig, JumpConfig, NodeConfig, PipelineConfig,
    UnhandledConfig,
};
use crate::flow::{Call, END, FlowError, FlowErrorKind, Node, OnUnhandled, Pipeline, Stage, Step};

/// What the call is called where main has no `flow`.
const CALL: &str = "upstream";

/// All nodes of a flow.
pub(super) struct Nodes {
    pub(super) before: Option<Pipeline>,
    pub(super) main: Pipeline,
    pub(super) after: Option<Pipeline>,
    places: [Vec<NodePlace>; 3],
}

/// Where a node is, and under which key its name.
struct NodePlace {
    node: ConfigPlace,
    name: &'static str,
}

impl Nodes {
    /// V4, as far as it is about definitions; the flow itself knows the rest.
    pub(super) fn new(
        config: &FlowConfig,
        definitions: &mut Definitions<'_>,
    ) -> Result<Self, ConfigError> {
        let mut places = [const { Vec::new() }; 3];
        let [before_places, main_places, after_places] = &mut places;
        let before = outer(Stage::Before, config.before.as_ref(), before_places, definitions)?;
        let on_unhandled = config.main.on_unhandled;
        let main = match &config.main.flow {
            Some(nodes) => {
                *main_places = places_of(Stage::Main, nodes);
                lower(Stage::Main, nodes, on_unhandled, main_places, definitions)?
            }
            None => {
                let (nodes, defined) = all_filters(config, definitions);
                *main_places = defined;
                lower(Stage::Main, &nodes, on_unhandled, main_places, definitions)?
            }
        };
        let after = outer(Stage::After, config.after.as_ref(), after_places, definitions)?;
        Ok(Self { before, main, after, places })
    }

    /// An error of the flow, at its place in the configuration.
    pub(super) fn told(&self, error: FlowError) -> ConfigError {
        let place = error.place();
        let node = place.step.and_then(|step| self.places[number(place.stage)].get(step));
        let at = match (node, &place.result, error.kind()) {
            (Some(NodePlace { node, .. }), Some(result), _) => {
                node.clone().key("jump_if").key(result.as_str())
            }
            (
                Some(NodePlace { node, name }),
                None,
                FlowErrorKind::EmptyName
                | FlowErrorKind::ReservedName
                | FlowErrorKind::DuplicateName { .. },
            ) => node.clone().key(*name),
            (Some(NodePlace { node, .. }), None, _) => node.clone(),
            (None, _, _) => key(place.stage),
        };
        ConfigError::new(at, ConfigErrorKind::Flow(error))
    }
}

/// The before- or the after-pipeline, if there is one.
fn outer(
    stage: Stage,
    pipeline: Option<&PipelineConfig>,
    places: &mut Vec<NodePlace>,
    definitions: &mut Definitions<'_>,
) -> Result<Option<Pipeline>, ConfigError> {
    let Some(pipeline) = pipeline else { return Ok(None) };
    let Some(nodes) = &pipeline.flow else {
        return Err(ConfigError::new(key(stage), ConfigErrorKind::NoFlow));
    };
    *places = places_of(stage, nodes);
    lower(stage, nodes, pipeline.on_unhandled, places, definitions).map(Some)
}

fn number(stage: Stage) -> usize {
    match stage {
        Stage::Before => 0,
        Stage::Main => 1,
        Stage::After => 2,
    }
}

fn key(stage: Stage) -> ConfigPlace {
    ConfigPlace::default().key(match stage {
        Stage::Before => "before",
        Stage::Main => "main",
        Stage::After => "after",
    })
}

fn places_of(stage: Stage, nodes: &[NodeConfig]) -> Vec<NodePlace> {
    let places = nodes.iter().enumerate().map(|(i, node)| NodePlace {
        node: key(stage).key("flow").index(i),
        name: match node {
            NodeConfig::Filter(FilterNodeConfig { alias: Some(_), .. }) => "as",
            NodeConfig::Filter(FilterNodeConfig { alias: None, .. }) => "filter",
            NodeConfig::Call(_) => "call",
        },
    });
    places.collect()
}

/// The nodes of a main pipeline that has no `flow`. They are where their filters are defined.
fn all_filters(
    config: &FlowConfig,
    definitions: &Definitions<'_>,
) -> (Vec<NodeConfig>, Vec<NodePlace>) {
    let outer = [&config.before, &config.after];
    let nodes = outer.into_iter().flatten().filter_map(|pipeline| pipeline.flow.as_deref());
    let nodes: Vec<&NodeConfig> = nodes.flatten().collect();
    let is_named = |name: &str| {
        let names =
            |node: &&NodeConfig| matches!(node, NodeConfig::Filter(node) if node.filter == name);
        nodes.iter().any(names) || config.finalizers.iter().any(|finalizer| finalizer == name)
    };
    let left = definitions.left_for_main(is_named);
    let nodes = left.iter().map(|(name, _)| {
        let (filter, jump_if) = ((*name).to_owned(), Vec::new());
        NodeConfig::Filter(FilterNodeConfig { filter, alias: None, jump_if })
    });
    let mut nodes: Vec<_> = nodes.collect();
    let mut places: Vec<_> =
        left.iter().map(|(_, place)| NodePlace { node: place.clone(), name: "name" }).collect();
    let call = response_from(&nodes, definitions);
    let name = CALL.to_owned();
    let node = CallConfig { call: name, failure_statuses: None, jump_if: Vec::new() };
    nodes.insert(call, NodeConfig::Call(node));
    places.insert(call, NodePlace { node: key(Stage::Main), name: "flow" });
    (nodes, places)
}

/// From which node of main on there is a response: the call, or without one the first filter that
/// is for nothing else.
fn response_from(nodes: &[NodeConfig], definitions: &Definitions<'_>) -> usize {
    let call = nodes.iter().position(|node| matches!(node, NodeConfig::Call(_)));
    let has_response = |node: &NodeConfig| match node {
        NodeConfig::Filter(node) => definitions.is_for_responses(&node.filter),
        NodeConfig::Call(_) => true,
    };
    call.or_else(|| nodes.iter().position(has_response)).unwrap_or(nodes.len())
}

/// Makes the steps, from the last to the first.
fn lower(
    stage: Stage,
    nodes: &[NodeConfig],
    on_unhandled: UnhandledConfig,
    places: &[NodePlace],
    definitions: &mut Definitions<'_>,
) -> Result<Pipeline, ConfigError> {
    let response_from = match stage {
        Stage::Before => nodes.len(),
        Stage::Main => response_from(nodes, definitions),
        Stage::After => 0,
    };
    let mut steps = Vec::with_capacity(nodes.len());
    for (i, (node, place)) in nodes.iter().zip(places).enumerate().rev() {
        steps.push(match node {
            NodeConfig::Call(call) => Step::Call(lower_call(call)),
            NodeConfig::Filter(node) if node.filter == END => lower_end(node, &place.node)?,
            NodeConfig::Filter(node) => {
                lower_filter(node, i < response_from, &place.node, definitions)?
            }
        });
    }
    let on_unhandled = match on_unhandled {
        UnhandledConfig::End => OnUnhandled::End,
        UnhandledConfig::Continue => OnUnhandled::Continue,
    };
    let pipeline = Pipeline::new().on_unhandled(on_unhandled);
    Ok(steps.into_iter().rev().fold(pipeline, Pipeline::step))
}

fn lower_end(node: &FilterNodeConfig, place: &ConfigPlace) -> Result<Step, ConfigError> {
    let wrong = |key, kind| Err(ConfigError::new(place.clone().key(key), kind));
    match node {
        FilterNodeConfig { alias: Some(name), .. } => {
            wrong("as", ConfigErrorKind::NamedEnd { name: name.clone() })
        }
        FilterNodeConfig { jump_if, .. } if !jump_if.is_empty() => {
            wrong("jump_if", ConfigErrorKind::JumpsOfEnd)
        }
        FilterNodeConfig { .. } => Ok(Step::End),
    }
}

fn lower_call(CallConfig { call, failure_statuses, jump_if }: &CallConfig) -> Call {
    let mut lowered = Call::new(call.as_str());
    if let Some(ranges) = failure_statuses {
        lowered = lowered.failure_statuses(ranges.iter().flat_map(|range| range.statuses()));
    }
    let jump = |call: Call, jump: &JumpConfig| call.jump(&jump.result, &jump.target);
    jump_if.iter().fold(lowered, jump)
}

fn lower_filter(
    node: &FilterNodeConfig,
    is_request: bool,
    place: &ConfigPlace,
    definitions: &mut Definitions<'_>,
) -> Result<Step, ConfigError> {
    let by = place.clone().key("filter");
    let name = node.alias.as_ref().unwrap_or(&node.filter);
    match (definitions.name(&node.filter, &by)?, is_request) {
        (Made::Request(make), _) | (Made::Both { request: make, .. }, true) => {
            Ok(Step::Request(jumping(Node::boxed(name, make.clone()), &node.jump_if)))
        }
        (Made::Response(make), _) | (Made::Both { response: make, .. }, false) => {
            Ok(Step::Response(jumping(Node::boxed(name, make.clone()), &node.jump_if)))
        }
        (Made::Finalizer(_), _) => Err(definitions.wrong_use(&node.filter, by)),
    }
}

fn jumping<H: Head>(node: Node<H>, jumps: &[JumpConfig]) -> Node<H> {
    jumps.iter().fold(node, |node, jump| node.jump(&jump.result, &jump.target))
}
