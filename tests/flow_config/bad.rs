//! Configurations that are refused: where in the text, at which place, and why.

use tidegate::flow::config::{ConfigErrorKind, FlowConfig, Kinds};
use tidegate::flow::{FlowError, FlowErrorKind, Stage};

use super::{kinds, refusal};

/// The texts, and what is said of them.
const TEXTS: &str = include_str!("bad.txt");

/// A file with fewer was cut: so many there are.
const CASES: usize = 70;

/// What stands before a case of nodes.
fn filters() -> &'static str {
    let (_, from) = TEXTS.split_once("\n\n").expect("what it is");
    from.split_once("\n\n").expect("the six lines").0
}

#[test]
fn a_bad_configuration_is_told_with_its_place_and_its_line() {
    let cases = TEXTS.split("\n=== ").skip(1);
    let mut differ = 0;
    let mut count = 0;
    for case in cases {
        let (tag, rest) = case.split_once('\n').expect("a tag");
        let (text, told) = rest.split_once("--- ").expect("what is said");
        let text = match tag {
            "nodes" => format!("{}\n{text}", filters()),
            _ => text.to_owned(),
        };
        let said = refusal(&text);
        if said != told.trim_end() {
            println!("{text}--- {said}\nbut expected:\n--- {told}\n");
            differ += 1;
        }
        count += 1;
    }
    assert_eq!(differ, 0, "texts about which something else is said");
    assert_eq!(count, CASES);
}

/// The error of a JSON text.
fn refused(text: &str) -> (String, ConfigErrorKind) {
    let config = FlowConfig::read(&mut serde_json::Deserializer::from_str(text));
    let error = config.and_then(|config| config.build(&kinds::all())).expect_err(text);
    println!("{error}");
    let place = error.place().to_string();
    (place, error.into_kind())
}

#[test]
fn a_key_that_is_there_twice_is_not_the_last_one() {
    // A map of serde_json would keep the last and say nothing.
    let main = r#"{"name":"f","main":{"flow":[{"call":"c","jump_if":JUMPS}]}}"#;
    let (place, kind) = refused(&main.replace("JUMPS", r#"{"timeout":"END","timeout":"END"}"#));
    assert_eq!(place, "main.flow[0].jump_if.timeout");
    let ConfigErrorKind::Flow(error) = kind else { panic!("{kind:?}") };
    assert_eq!(*error.kind(), FlowErrorKind::DuplicateJump);
    assert_eq!((error.place().stage, error.place().step), (Stage::Main, Some(0)));
    let filter = r#"{"name":"f","filters":[{"name":"a","kind":"stamp","settings":SETTINGS}]}"#;
    let (place, kind) = refused(&filter.replace("SETTINGS", r#"{"a":[{"b":1,"b":{}}]}"#));
    assert_eq!(place, "filters[0].settings.a[0].b");
    assert!(matches!(kind, ConfigErrorKind::RepeatedKey), "{kind:?}");
}

#[test]
fn an_error_says_what_caused_it() {
    use std::error::Error;
    let text = r#"{"name":"f","filters":[{"name":"a","kind":"page","settings":{"status":1}}]}"#;
    let config = FlowConfig::read(&mut serde_json::Deserializer::from_str(text)).expect("a flow");
    let error = config.build(&kinds::all()).expect_err("no status");
    let cause = error.source().expect("what the kind said");
    assert!(cause.is::<http::status::InvalidStatusCode>(), "{cause}");
    let text = r#"{"name":"f","main":{"flow":[{"call":"a"},{"call":"b"}]}}"#;
    let config = FlowConfig::read(&mut serde_json::Deserializer::from_str(text)).expect("a flow");
    let error = config.build(&kinds::all()).expect_err("two calls");
    let cause = error.source().expect("what the flow said").downcast_ref::<FlowError>();
    assert_eq!(cause.map(FlowError::kind), Some(&FlowErrorKind::SecondCall { first: 0 }));
    let text = r#"{"name":"f","finalizers":["gone"]}"#;
    let config = FlowConfig::read(&mut serde_json::Deserializer::from_str(text)).expect("a flow");
    assert!(config.build(&kinds::all()).expect_err("no such filter").source().is_none());
}

#[test]
fn where_there_are_no_kinds_that_is_said() {
    let text = r#"{"name":"f","filters":[{"name":"a","kind":"stamp"}]}"#;
    let config = FlowConfig::read(&mut serde_json::Deserializer::from_str(text)).expect("a flow");
    let error = config.build(&Kinds::new()).expect_err("no kinds");
    let told = "filters[0].kind: no kind is called `stamp`: there are none";
    assert_eq!(error.to_string(), told);
}
