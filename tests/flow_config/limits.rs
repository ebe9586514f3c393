//! The limits on a configuration: text beyond them ends in an error that names one.

use serde_json::{Value, json};
use tidegate::flow::config::{ConfigErrorKind, FlowConfig};
use tidegate::limits;

use super::{kinds, yaml};

/// The place and the limit that `tree` is refused for.
fn passed(tree: Value) -> (String, &'static str, usize) {
    let config = FlowConfig::read(tree).expect("its shape is right");
    let error = config.build(&kinds::all()).expect_err("beyond a limit");
    let ConfigErrorKind::Limit { limit, most } = *error.kind() else { panic!("{error}") };
    assert!(error.to_string().ends_with(&format!("limits::{limit} is {most}")), "{error}");
    (error.place().to_string(), limit, most)
}

fn filters(n: usize) -> Value {
    (0..n).map(|i| json!({ "name": format!("f{i}"), "kind": "stamp" })).collect()
}

#[test]
fn there_are_so_many_filters_and_no_more() {
    let most = limits::MAX_CONFIG_FILTERS;
    let config = FlowConfig::read(json!({ "name": "f", "filters": filters(most + 1000) }));
    let config = config.expect("its shape is right");
    assert_eq!(config.filters.len(), most + 1, "what shows that there are too many");
    let error = passed(json!({ "name": "f", "filters": filters(most + 1) }));
    assert_eq!(error, ("filters".to_owned(), "MAX_CONFIG_FILTERS", most));
    // As many as allowed are too many for a chain, which has its own limit.
    let config = json!({ "name": "f", "filters": filters(most) });
    let error = FlowConfig::read(config).unwrap().build(&kinds::all()).expect_err("a long chain");
    assert!(matches!(error.kind(), ConfigErrorKind::Flow(_)), "{error}");
    let finalizers = vec!["log"; most + 1];
    let error = passed(json!({ "name": "f", "finalizers": finalizers }));
    assert_eq!(error, ("finalizers".to_owned(), "MAX_CONFIG_FILTERS", most));
}

#[test]
fn there_are_so_many_nodes_and_no_more() {
    let most = limits::MAX_CONFIG_NODES;
    let nodes = vec!["stamp"; most + 1];
    for pipeline in ["before", "main", "after"] {
        let error = passed(json!({ "name": "f", pipeline: { "flow": nodes } }));
        assert_eq!(error, (format!("{pipeline}.flow"), "MAX_CONFIG_NODES", most));
    }
}

#[test]
fn a_node_has_so_many_jumps_and_no_more() {
    let most = limits::MAX_CONFIG_JUMPS;
    let jumps: Value = (0..=most).map(|i| (i.to_string(), json!("END"))).collect();
    let node = json!({ "call": "c", "jump_if": jumps });
    let error = passed(json!({ "name": "f", "main": { "flow": [node] } }));
    assert_eq!(error, ("main.flow[0].jump_if".to_owned(), "MAX_CONFIG_JUMPS", most));
}

#[test]
fn a_call_has_so_many_failure_statuses_and_no_more() {
    let most = limits::MAX_CONFIG_STATUSES;
    let node = json!({ "call": "c", "failure_statuses": vec![500; most + 1] });
    let error = passed(json!({ "name": "f", "main": { "flow": [node] } }));
    assert_eq!(error, ("main.flow[0].failure_statuses".to_owned(), "MAX_CONFIG_STATUSES", most));
}

#[test]
fn a_name_has_so_many_bytes_wherever_it_stands() {
    let most = limits::MAX_CONFIG_NAME_BYTES;
    let (long, most_bytes) = ("é".repeat(most), "n".repeat(most));
    let filter = |name: &str, kind: &str| json!([{ "name": name, "kind": kind }]);
    let main = |node: Value| json!({ "name": "f", "main": { "flow": [node] } });
    for (config, place) in [
        (json!({ "name": long }), "name".to_owned()),
        (json!({ "name": "f", "filters": filter(&long, "k") }), "filters[0].name".to_owned()),
        (json!({ "name": "f", "filters": filter("n", &long) }), "filters[0].kind".to_owned()),
        (json!({ "name": "f", "finalizers": [long] }), "finalizers[0]".to_owned()),
        (main(json!(long)), "main.flow[0].filter".to_owned()),
        (main(json!({ "filter": "f", "as": long })), "main.flow[0].as".to_owned()),
        (main(json!({ "call": long })), "main.flow[0].call".to_owned()),
        (main(json!({ "call": "c", "jump_if": { &long: "END" } })), "main.flow[0].jump_if".into()),
        (main(json!({ "call": "c", "jump_if": { "r": long } })), "main.flow[0].jump_if.r".into()),
    ] {
        assert_eq!(passed(config), (place, "MAX_CONFIG_NAME_BYTES", most));
    }
    let longest = FlowConfig::read(json!({ "name": most_bytes })).unwrap();
    assert_eq!(longest.build(&kinds::all()).expect("not too long").name(), most_bytes);
}

fn with_settings(settings: Value) -> Value {
    let filters = json!([{ "name": "a", "kind": "stamp", "settings": settings }]);
    json!({ "name": "f", "filters": filters })
}

fn nested(depth: usize) -> Value {
    (0..depth).fold(json!(1), |inner, _| json!([inner]))
}

#[test]
fn settings_are_so_deep_and_no_deeper() {
    let most = limits::MAX_SETTINGS_DEPTH;
    let (place, limit, value) = passed(with_settings(nested(most + 1)));
    assert_eq!((limit, value), ("MAX_SETTINGS_DEPTH", most));
    assert_eq!(place, format!("filters[0].settings{}", "[0]".repeat(most)));
    let config = FlowConfig::read(with_settings(nested(most))).unwrap();
    let error = config.build(&kinds::all()).expect_err("no settings of that kind");
    assert!(matches!(error.kind(), ConfigErrorKind::Settings { .. }), "{error}");
}

#[test]
fn settings_are_so_large_and_no_larger() {
    let most = limits::MAX_SETTINGS_BYTES;
    let large: [Value; 5] = [
        vec![Value::Null; most / size_of::<Value>() + 1].into(),
        json!({ "a": "x".repeat(most) }),
        json!({ "x".repeat(most): 1 }),
        vec![json!([]); most / size_of::<Value>() + 1].into(),
        vec![json!({ "a": null }); most / size_of::<Value>() / 2].into(),
    ];
    for settings in large {
        let config = FlowConfig::read(with_settings(settings.clone())).unwrap();
        let kept = serde_json::to_string(&config.filters[0].settings).expect("a tree");
        assert!(kept.len() < most, "{} bytes are kept", kept.len());
        let (place, limit, value) = passed(with_settings(settings));
        assert!(place.starts_with("filters[0].settings"), "{place}");
        assert_eq!((limit, value), ("MAX_SETTINGS_BYTES", most));
    }
}

#[test]
fn aliases_that_expand_without_end_are_refused() {
    let mut text = "name: f\nfilters:\n  - name: a\n    kind: stamp\n    settings:\n".to_owned();
    text += "      - &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for i in 1..12 {
        let before = format!("*a{}", i - 1);
        let list = vec![before; 10].join(", ");
        text += &format!("      - &a{i} [{list}]\n");
    }
    let (told, mark) = yaml::Document::read(&text).expect_err("it is larger than the memory");
    println!("{told}");
    assert!(mark.is_some());
}

#[test]
fn deep_text_is_the_readers_to_bound() {
    let text = "[".repeat(100_000);
    let error = FlowConfig::read(&mut serde_json::Deserializer::from_str(&text));
    assert!(matches!(error.expect_err("no map").kind(), ConfigErrorKind::Shape { .. }));
    let text = format!(r#"{{"name":"f","filters":[{{"name":"a","kind":"k","settings":{text}"#);
    let error = FlowConfig::read(&mut serde_json::Deserializer::from_str(&text));
    assert!(error.expect_err("cut").to_string().contains("EOF"), "read over, as it is too deep");
}

#[test]
fn long_reasons_are_cut() {
    let key = "k".repeat(1 << 20);
    let error = FlowConfig::read(json!({ "name": "f", key: 1 })).expect_err("no such field");
    let ConfigErrorKind::Shape { reason } = error.kind() else { panic!("{error}") };
    assert!(reason.len() < 1024, "{} bytes", reason.len());
    assert!(error.to_string().len() < 2048, "{} bytes", error.to_string().len());
}
