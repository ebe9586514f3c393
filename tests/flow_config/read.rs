//! What is read, and that formats do not matter.

use serde::de::value::{self, BytesDeserializer, SeqDeserializer};
use serde::de::{Deserialize, Deserializer, IntoDeserializer, Visitor};
use serde_json::json;
use tidegate::flow::config::{
    ConfigPlace, FlowConfig, NodeConfig, PlacePart, Settings, StatusRange,
};
use tidegate::flow::{FallThrough, Stages};
use tidegate::limits;

use super::{build, kinds, yaml};

/// Everything that a configuration can say.
const WHOLE: &str = "\
name: shop
filters:
  - { name: auth, kind: guard, settings: { denies: true } }
  - { name: limit, kind: guard }
  - { name: stamp, kind: stamp }
  - { name: page, kind: page, settings: { status: 503 } }
  - { name: log, kind: log }
before:
  flow: [ auth ]
main:
  on_unhandled: continue
  flow:
    - filter: limit
      jump_if: { denied: END, '': upstream }
    - call: upstream
      failure_statuses: [ 500-599, 429 ]
      jump_if: { failureCode: sorry, timeout: sorry }
    - stamp
    - END
    - filter: page
      as: sorry
after:
  flow: [ { filter: stamp, as: stamp-all } ]
fall_through:
  to_main: { stopped: true }
  past_main: { failed: false }
finalizers: [ log ]
limits:
  max_frame_bytes: 1024
  request_output: { low_bytes: 1000, high_bytes: 2000 }
  response_output: { high_bytes: 4000 }
";

/// The same.
fn whole() -> serde_json::Value {
    json!({
        "name": "shop",
        "filters": [
            { "name": "auth", "kind": "guard", "settings": { "denies": true } },
            { "name": "limit", "kind": "guard" },
            { "name": "stamp", "kind": "stamp" },
            { "name": "page", "kind": "page", "settings": { "status": 503 } },
            { "name": "log", "kind": "log" },
        ],
        "before": { "flow": [{ "filter": "auth" }] },
        "main": {
            "on_unhandled": "continue",
            "flow": [
                { "filter": "limit", "jump_if": { "denied": "END", "": "upstream" } },
                {
                    "call": "upstream",
                    "failure_statuses": ["500-599", 429],
                    "jump_if": { "failureCode": "sorry", "timeout": "sorry" },
                },
                { "filter": "stamp" },
                { "filter": "END" },
                { "filter": "page", "as": "sorry" },
            ],
        },
        "after": { "flow": [{ "filter": "stamp", "as": "stamp-all" }] },
        "fall_through": { "to_main": { "stopped": true }, "past_main": { "failed": false } },
        "finalizers": ["log"],
        "limits": {
            "max_frame_bytes": 1024,
            "request_output": { "low_bytes": 1000, "high_bytes": 2000 },
            "response_output": { "high_bytes": 4000 },
        },
    })
}

/// The example on the page of the module.
fn on_the_page() -> String {
    let page = include_str!("../../src/flow/config/mod.rs");
    let (_, text) = page.split_once("//! ```yaml\n").expect("an example");
    let (text, _) = text.split_once("//! ```\n").expect("its end");
    text.lines().map(|line| format!("{}\n", line.trim_start_matches("//!"))).collect()
}

#[test]
fn yaml_and_json_are_the_same_configuration() {
    let of_yaml = FlowConfig::read(yaml::Document::read(WHOLE).unwrap().tree()).unwrap();
    let text = whole().to_string();
    let of_json = FlowConfig::read(&mut serde_json::Deserializer::from_str(&text)).unwrap();
    assert_eq!(of_yaml, of_json);
    let direct: FlowConfig = serde_saphyr::from_str(WHOLE).expect("without marks");
    assert_eq!(direct, of_json);
    assert_eq!(direct.name, "shop");
    let main = direct.main.flow.expect("it is there");
    assert_eq!(main.len(), 5);
    let NodeConfig::Call(call) = &main[1] else { panic!("{main:?}") };
    let ranges = [StatusRange::new(500, 599), StatusRange::new(429, 429)];
    let ranges = ranges.into_iter().collect::<Option<Vec<_>>>();
    assert_eq!(call.failure_statuses, ranges);
    let results: Vec<_> = call.jump_if.iter().map(|jump| jump.result.as_str()).collect();
    assert_eq!(results, ["failureCode", "timeout"]);
}

#[test]
fn what_is_written_is_what_is_read() {
    let config = FlowConfig::read(whole()).unwrap();
    let written = serde_json::to_value(&config).expect("a tree");
    assert_eq!(FlowConfig::read(written.clone()).unwrap(), config);
    let least = FlowConfig::read(json!({ "name": "f" })).unwrap();
    let written = serde_json::to_value(&least).expect("a tree");
    assert_eq!(FlowConfig::read(written).unwrap(), least);
}

#[test]
fn what_was_not_said_is_not_written() {
    let written = |tree| serde_json::to_value(FlowConfig::read(tree).unwrap()).expect("a tree");
    assert_eq!(written(whole()), whole());
    assert_eq!(written(json!({ "name": "f" })), json!({ "name": "f", "main": {}, "limits": {} }));
}

#[test]
fn all_that_a_configuration_says_is_in_the_flow() {
    let flow = build(WHOLE).unwrap();
    assert_eq!(flow.name(), "shop");
    let plan = flow.plan();
    let names = |filters: Vec<(&str, _)>| -> Vec<String> {
        filters
            .into_iter()
            .map(|(name, _): (&str, &tidegate::Declaration)| name.to_owned())
            .collect()
    };
    assert_eq!(names(plan.request().filters().collect()), ["auth", "limit"]);
    assert_eq!(names(plan.response().filters().collect()), ["stamp", "sorry", "stamp-all"]);
    // Rule I7: the marks and the frames of the configuration are those of its bound.
    let usual = build(&WHOLE.replace("max_frame_bytes: 1024", "max_frame_bytes: 2048")).unwrap();
    assert_eq!(usual.held_bound_bytes(), flow.held_bound_bytes() + 2 * 1024);
    let higher = build(&WHOLE.replace("high_bytes: 2000", "high_bytes: 3000")).unwrap();
    assert_eq!(higher.held_bound_bytes(), flow.held_bound_bytes() + 2 * 1000);
}

#[test]
fn the_example_on_the_page_is_read_and_built() {
    let text = on_the_page();
    let config = FlowConfig::read(yaml::Document::read(&text).unwrap().tree()).unwrap();
    let written = serde_json::to_value(&config).expect("a tree");
    assert_eq!(FlowConfig::read(written).unwrap(), config);
    // The kinds of the page are called otherwise here, and have other results.
    let text = text
        .replace("kind: header-auth, settings: { field: x-key, value: s3cret }", "kind: guard")
        .replace("kind: limit, settings: { fields: 50 }", "kind: guard")
        .replace("too-long", "denied")
        .replace("access-log", "log");
    let flow = build(&text).unwrap_or_else(|error| panic!("{error}"));
    println!("{}: {} bytes at most", flow.name(), flow.held_bound_bytes());
    assert_eq!(flow.plan().request().filters().count(), 2);
}

#[test]
fn a_main_pipeline_without_nodes_has_all_filters_that_nothing_else_names() {
    let flow = build(
        "\
name: f
filters:
  - { name: page, kind: page, settings: { status: 200 } }
  - { name: first, kind: guard }
  - { name: log, kind: log }
finalizers: [ log ]
",
    );
    let error = flow.expect_err("a filter for requests behind one for responses").to_string();
    assert!(error.starts_with("filters[1]: main pipeline, node 2 `first`"), "{error}");
    let flow = build(
        "\
name: f
filters:
  - { name: first, kind: guard }
  - { name: request-stamp, kind: stamp }
  - { name: early, kind: guard }
  - { name: page, kind: page, settings: { status: 200 } }
  - { name: response-stamp, kind: stamp }
before: { flow: [ early ] }
",
    );
    let flow = flow.unwrap_or_else(|error| panic!("{error}"));
    let names = |filters: Vec<&str>| filters.join(" ");
    let request = flow.plan().request().filters().map(|(name, _)| name);
    assert_eq!(names(request.collect()), "early first request-stamp");
    let response = flow.plan().response().filters().map(|(name, _)| name);
    assert_eq!(names(response.collect()), "page response-stamp");
}

#[test]
fn a_filter_for_both_is_what_its_place_makes_it() {
    let flow = build(
        "\
name: f
filters: [ { name: stamp, kind: stamp } ]
before: { flow: [ { filter: stamp, as: a } ] }
main: { flow: [ { filter: stamp, as: b }, { call: c }, { filter: stamp, as: d } ] }
after: { flow: [ { filter: stamp, as: e } ] }
",
    );
    let flow = flow.unwrap_or_else(|error| panic!("{error}"));
    let request: Vec<_> = flow.plan().request().filters().map(|(name, _)| name).collect();
    let response: Vec<_> = flow.plan().response().filters().map(|(name, _)| name).collect();
    assert_eq!((request, response), (vec!["a", "b"], vec!["d", "e"]));
}

#[test]
fn what_is_not_said_of_a_border_is_as_by_default() {
    // flow-R4: two facts, each with a switch of its own.
    let config = FlowConfig::read(whole()).unwrap();
    let said = config.stages().expect("one way");
    let default = Stages::default();
    assert_eq!(said.to_main, FallThrough { stopped: true, ..default.to_main });
    assert_eq!(said.to_after, default.to_after);
    assert_eq!(said.past_main, FallThrough { failed: false, ..default.past_main });
    let easegress = json!({ "name": "f", "easegress": { "main": true } });
    let said = FlowConfig::read(easegress).unwrap().stages().expect("one way");
    assert_eq!(said, Stages::easegress(false, true));
}

#[test]
fn settings_are_any_tree() {
    let tree = json!({ "a": [1, -2, 2.5, null, true, "text", { "b": [] }] });
    let settings = Settings::try_from(tree.clone()).expect("a tree");
    assert_eq!(*settings.tree(), tree);
    assert!(!settings.is_empty());
    assert!(Settings::default().is_empty());
    // What no text has.
    let bytes = BytesDeserializer::<value::Error>::new(b"bytes");
    let error = Settings::deserialize(bytes).expect_err("no tree").to_string();
    assert_eq!(error, "invalid type: byte array, expected settings");
}

/// A value of a format that marks what may be left out, as binary ones do.
struct Optional(Option<u64>);

impl<'de> Deserializer<'de> for Optional {
    type Error = value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, value::Error> {
        match self.0 {
            None => visitor.visit_none(),
            Some(number) => visitor.visit_some(number.into_deserializer()),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}

impl<'de> IntoDeserializer<'de> for Optional {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

#[test]
fn settings_of_a_format_with_options_are_what_is_in_them() {
    let read = |options: Vec<Option<u64>>| {
        let items = options.into_iter().map(Optional);
        Settings::deserialize(SeqDeserializer::new(items)).expect("a tree")
    };
    assert_eq!(*read(vec![Some(7), None]).tree(), json!([7, null]));
    // None of them is for nothing.
    let many = limits::MAX_SETTINGS_BYTES / size_of::<serde_json::Value>();
    let settings = read(vec![None; 2 * many]);
    assert!(settings.tree().as_array().is_some_and(|items| items.len() <= many));
}

#[test]
fn a_place_is_a_path() {
    let place: ConfigPlace = [
        PlacePart::Key("filters".to_owned()),
        PlacePart::Index(0),
        PlacePart::Key("x-key".to_owned()),
        PlacePart::Key("say \"no\"".to_owned()),
        PlacePart::Key("limit_bytes".to_owned()),
    ]
    .into_iter()
    .collect();
    assert_eq!(place.to_string(), r#"filters[0]["x-key"]["say \"no\""].limit_bytes"#);
    assert_eq!(ConfigPlace::default().to_string(), "");
}

#[test]
fn a_configuration_inside_another_names_its_place_there() {
    let error = FlowConfig::read(json!({ "name": 1 })).expect_err("no name");
    let error = error.below(ConfigPlace::default().key("routes").index(3).key("flow"));
    assert_eq!(error.place().to_string(), "routes[3].flow.name");
}

#[test]
fn the_embedder_finishes_the_flow() {
    let config = FlowConfig::read(json!({ "name": "f" })).unwrap();
    let frames = 4096;
    let flow = config.build_with(&kinds::all(), |flow| flow.max_frame_bytes(frames)).unwrap();
    let usual = config.build(&kinds::all()).unwrap();
    let less = 2 * (limits::MAX_FRAME_BYTES - frames) as u64;
    assert_eq!(flow.held_bound_bytes() + less, usual.held_bound_bytes());
}
