//! That the data model of traces says all there is.

use std::path::Path;
use std::sync::LazyLock;

use crate::trace::{LoadError, Text, Trace};

/// All traces.
pub(crate) static TRACES: LazyLock<Vec<Trace>> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/envoy-traces");
    Trace::load_all(&root).unwrap_or_else(|error| panic!("{error}"))
});

#[test]
fn every_file_is_understood() {
    assert_eq!(TRACES.len(), 433);
    for trace in TRACES.iter() {
        assert_eq!(trace.name, trace.script.name);
        assert_eq!(trace.steps.len(), trace.script.steps.len() + 1, "{}", trace.name);
        for (record, step) in trace.steps.iter().zip(&trace.script.steps) {
            assert_eq!(record.did, *step, "{}", trace.name);
        }
    }
}

/// The recorder wrote the same twice; so what is decoded can be compared with itself.
#[test]
fn what_peers_received_is_the_sum_of_the_steps() {
    use crate::trace::{Direction, Wire};
    for trace in TRACES.iter() {
        for direction in Direction::BOTH {
            let received = trace.received(direction);
            let mut body = Vec::new();
            for wire in trace.steps.iter().flat_map(|record| record.wire(direction)) {
                if let Wire::Data(data) = wire {
                    body.extend_from_slice(&data.data.0);
                }
            }
            assert_eq!(Text(body), received.body, "{} {direction:?}", trace.name);
            let pieces: Vec<u8> = received.pieces.iter().flat_map(|p| p.0.clone()).collect();
            assert_eq!(Text(pieces), received.body, "{} {direction:?}", trace.name);
        }
    }
}

#[test]
fn an_unknown_field_is_an_error() {
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/envoy-traces/named/reset-in-data.json");
    let good = std::fs::read_to_string(file).unwrap();
    Trace::parse(&good).unwrap();
    for planted in
        ["\"t\": \"enter\"", "\"step\": 0", "\"chain\": [", "\"end\": false}", "\"pieces\":"]
    {
        assert!(good.contains(planted), "{planted}");
        let bad = good.replacen(planted, &format!("\"surprise\": 1, {planted}"), 1);
        let result = Trace::parse(&bad);
        assert!(result.is_err(), "{planted}");
    }
}

#[test]
fn runs_are_decoded_and_braces_of_short_texts_are_not() {
    let text = |json: &str| serde_json::from_str::<Text>(json).unwrap();
    assert_eq!(text("\"a{x*600}b\"").len(), 602);
    assert_eq!(text("\"{x*3}\"").0, b"{x*3}");
    assert_eq!(text("[\"ab\", 2]").0, b"abab");
    assert_eq!(text("\"{x*600}{y*600}\"").to_string(), "{x*600}{y*600}");
}

#[test]
fn a_folder_that_cannot_be_played_is_an_error_that_names_the_file() {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("envoy-traces-broken");
    std::fs::create_dir_all(&root).unwrap();
    let file = root.join("broken.json");
    std::fs::write(&file, "{\"name\": 1}").unwrap();
    let error = Trace::load_all(&root).unwrap_err();
    assert!(matches!(error, LoadError::NotATrace { .. }), "{error}");
    assert!(error.to_string().contains("broken.json"), "{error}");
    std::fs::remove_file(&file).unwrap();
    let error = Trace::load_all(&root).unwrap_err();
    assert!(matches!(error, LoadError::Empty { .. }), "{error}");
    let error = Trace::load_all(&root.join("nowhere")).unwrap_err();
    assert!(matches!(error, LoadError::Unreadable { .. }), "{error}");
}
