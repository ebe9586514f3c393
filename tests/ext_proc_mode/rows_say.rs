//! Our verdicts beside Envoy's, row by row.

use tidegate::ext_proc::mode::{Caution, ProcessingMode};

use crate::rows::{Build, Envoy, Ours, Row, rows};

/// What we say of a configuration: what is to be known of it, or why it cannot be used.
fn verdict(build: Build) -> Result<Vec<Caution>, String> {
    let (config, route) = build();
    let mut cautions = config.validate().map_err(|error| error.to_string())?;
    if let Some(route) = route {
        cautions.extend(config.validate_route(&route).map_err(|error| error.to_string())?);
    }
    Ok(cautions)
}

fn check(row: &Row) {
    let name = row.name;
    match row.ours {
        Ours::Takes(build, cautions) => {
            assert_eq!(verdict(build).as_deref(), Ok(cautions), "{name}");
        }
        Ours::Refuses(build, text) => {
            let error = verdict(build).expect_err(name);
            assert!(error.contains(text), "{name}: {error:?} does not contain {text:?}");
        }
        Ours::NoMode(numbers, error) => {
            assert_eq!(ProcessingMode::from_numbers(numbers), Err(error), "{name}");
        }
        Ours::CannotBeSaid | Ours::NotModelled => {}
    }
}

#[test]
fn each_configuration_gets_the_verdict_of_its_row() {
    assert_eq!(rows().count(), 68, "a row was lost");
    rows().for_each(check);
}

#[test]
fn we_are_never_laxer_than_envoy() {
    for row in rows() {
        let takes = matches!(row.ours, Ours::Takes(..));
        assert!(row.envoy.accepts() || !takes, "{}: Envoy says {:?}", row.name, row.envoy);
    }
}

#[test]
fn we_are_stricter_only_where_a_reason_is_given() {
    for row in rows() {
        let refuses = matches!(row.ours, Ours::Refuses(..) | Ours::NoMode(..) | Ours::CannotBeSaid);
        let is_stricter = row.envoy.accepts() && refuses;
        assert_eq!(is_stricter, !row.because.is_empty(), "{}: {:?}", row.name, row.because);
    }
}

/// The fields that no value of ours has: `http_service`, with which no body is ever sent.
#[test]
fn what_is_not_modelled_is_known() {
    let unmodelled = rows().filter(|row| matches!(row.ours, Ours::NotModelled));
    let names: Vec<&str> = unmodelled.map(|row| row.name).collect();
    let expected = [
        "grpc_service and http_service both",
        "http_service alone, headers only",
        "http_service with request_body_mode STREAMED",
        "http_service with request_trailer_mode SEND",
    ];
    assert_eq!(names, expected);
}

/// P1, Envoy Gateway issue 6270.
#[test]
fn the_error_about_trailers_names_the_field_and_the_remedy() {
    let says_so = |envoy| {
        let start = "If the ext_proc filter has the";
        matches!(envoy, Envoy::Rejects(text) if text.starts_with(start))
    };
    let rejected: Vec<&Row> = rows().filter(|row| says_so(row.envoy)).collect();
    assert_eq!(rejected.len(), 9);
    for row in rejected {
        let Ours::NoMode(_, error) = row.ours else { panic!("{}", row.name) };
        let field = if row.name.starts_with("response") { "response" } else { "request" };
        let remedy = format!("set {field}_trailer_mode to SEND, or leave it out");
        assert!(error.to_string().ends_with(&remedy), "{}: {error}", row.name);
    }
}
