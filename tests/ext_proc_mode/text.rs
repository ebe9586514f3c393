//! The text for Envoy, read by somebody else's YAML reader.

use proptest::prelude::*;
use serde_json::{Value, json};
use tidegate::ext_proc::mode::{
    ConfigError, DirectionMode, FilterConfig, ProcessingMode, RouteConfig, RouteOverrides,
};

use crate::every_field::every_field;

const FILTER_TYPE: &str =
    "type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor";

fn read(yaml: &str) -> Value {
    serde_saphyr::from_str(yaml).unwrap_or_else(|error| panic!("{error}\n{yaml}"))
}

fn full_duplex() -> ProcessingMode {
    ProcessingMode::both(DirectionMode::full_duplex())
}

#[test]
fn a_filter_says_all_six_fields_and_nothing_that_is_a_default() {
    let yaml = FilterConfig::new(full_duplex()).to_yaml("processor");
    let expected = r#"- name: envoy.filters.http.ext_proc
  typed_config:
    "@type": "type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor"
    grpc_service:
      envoy_grpc:
        cluster_name: "processor"
    processing_mode:
      request_header_mode: SEND
      response_header_mode: SEND
      request_body_mode: FULL_DUPLEX_STREAMED
      response_body_mode: FULL_DUPLEX_STREAMED
      request_trailer_mode: SEND
      response_trailer_mode: SEND
"#;
    assert_eq!(yaml, expected);
}

#[test]
fn every_field_of_a_filter_is_written() {
    let names = [
        "request_header_mode",
        "response_header_mode",
        "request_body_mode",
        "response_body_mode",
        "request_trailer_mode",
        "response_trailer_mode",
    ];
    let entry = |numbers: [i32; 6]| -> Value {
        names.into_iter().map(str::to_owned).zip(numbers.map(Value::from)).collect()
    };
    let expected = json!([{
        "name": "envoy.filters.http.ext_proc",
        "typed_config": {
            "@type": FILTER_TYPE,
            "grpc_service": { "envoy_grpc": { "cluster_name": "processor" } },
            "processing_mode": {
                "request_header_mode": "SEND",
                "response_header_mode": "SEND",
                "request_body_mode": "STREAMED",
                "response_body_mode": "STREAMED",
                "request_trailer_mode": "SEND",
                "response_trailer_mode": "SEND",
            },
            "failure_mode_allow": true,
            "message_timeout": "1.500000000s",
            "max_message_timeout": "5s",
            "observability_mode": true,
            "deferred_close_timeout": "0.000000001s",
            "send_body_without_waiting_for_header_response": true,
            "allow_mode_override": true,
            "allowed_override_modes": [entry([1, 1, 4, 4, 1, 1]), entry([0, 1, 2, 0, 2, 1])],
            "allow_content_length_header": true,
            "status_on_error": { "code": 503 },
            "route_cache_action": "RETAIN",
            "disable_immediate_response": true,
            "mutation_rules": {
                "allow_all_routing": true,
                "allow_envoy": true,
                "disallow_system": true,
                "disallow_all": true,
                "disallow_is_error": true,
            },
            "metadata_options": {
                "forwarding_namespaces": { "untyped": ["a"], "typed": ["b"] },
                "receiving_namespaces": { "untyped": ["c", "d"], "typed": ["e"] },
            },
            "request_attributes": ["request.headers['x-name']"],
            "response_attributes": ["response.code"],
        },
    }]);
    assert_eq!(read(&every_field().to_yaml("processor")), expected);
}

#[test]
fn every_field_of_a_route_is_written() {
    let kind = "type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExtProcPerRoute";
    let name = "envoy.filters.http.ext_proc";
    let disabled = json!({ name: { "@type": kind, "disabled": true } });
    assert_eq!(read(&RouteConfig::Disabled.to_yaml()), disabled);

    let empty = json!({ name: { "@type": kind, "overrides": {} } });
    let nothing = RouteConfig::Overrides(RouteOverrides::default());
    assert_eq!(read(&nothing.to_yaml()), empty);

    let mut overrides = RouteOverrides::default();
    overrides.processing_mode = Some(full_duplex());
    overrides.failure_mode_allow = Some(false);
    let mut options = tidegate::ext_proc::mode::MetadataOptions::default();
    options.forwarding_untyped = vec!["a".to_owned()];
    overrides.metadata_options = Some(options);
    overrides.grpc_initial_metadata = vec![("x-tenant".to_owned(), "blue".to_owned())];
    let config = RouteConfig::Overrides(overrides);
    let expected = json!({ name: { "@type": kind, "overrides": {
        "processing_mode": {
            "request_header_mode": "SEND",
            "response_header_mode": "SEND",
            "request_body_mode": "FULL_DUPLEX_STREAMED",
            "response_body_mode": "FULL_DUPLEX_STREAMED",
            "request_trailer_mode": "SEND",
            "response_trailer_mode": "SEND",
        },
        "failure_mode_allow": false,
        "metadata_options": { "forwarding_namespaces": { "untyped": ["a"] } },
        "grpc_initial_metadata": [{ "key": "x-tenant", "value": "blue" }],
    } } });
    assert_eq!(read(&config.to_yaml()), expected);
}

proptest! {
    /// No text of an embedder ends a line, or the quotes around it.
    #[test]
    fn any_text_is_read_as_it_was_written(
        cluster in any::<String>(),
        name in "\\PC*|[\\x00-\\x7f]*",
    ) {
        let mut config = FilterConfig::default();
        config.metadata_options.receiving_untyped = vec![name.clone()];
        let read = read(&config.to_yaml(&cluster));
        let filter = &read[0]["typed_config"];
        prop_assert_eq!(&filter["grpc_service"]["envoy_grpc"]["cluster_name"], &json!(cluster));
        let receiving = &filter["metadata_options"]["receiving_namespaces"];
        prop_assert_eq!(receiving, &json!({ "untyped": [name] }));
    }
}

#[test]
fn attributes_are_names_that_envoy_knows_the_beginning_of() {
    let verdict = |attribute: &str| {
        let mut config = FilterConfig::default();
        config.request_attributes = vec!["request.path".to_owned(), attribute.to_owned()];
        config.validate()
    };
    for good in [
        "request",
        "request.headers['x-a']",
        "metadata.filter_metadata['a']['b c'].d",
        "xds.route_name",
        "upstream.tls_version",
        "filter_state._own",
    ] {
        assert!(verdict(good).is_ok(), "{good}");
    }
    for bad in [
        "",
        ".",
        "request.",
        "request..path",
        "request.1st",
        "request path",
        "request.in",
        "request.null",
        "true",
        "as",
        "nosuch.thing",
        "request.headers['x]",
        "request.headers[x]",
        "request['a\\']",
        "request['']x",
        "1 + 1",
        "r\u{e9}quest.path",
        "request.\u{e9}",
        "request['\u{e9}']",
    ] {
        let error =
            ConfigError::Attribute { field: "request_attributes", attribute: bad.to_owned() };
        assert_eq!(verdict(bad), Err(error), "{bad}");
    }
}

#[test]
fn what_a_stream_opens_with_is_checked() {
    for (name, value, is_good) in [
        ("x-tenant", "blue", true),
        ("", "blue", false),
        ("X-Tenant", "blue", false),
        ("x tenant", "blue", false),
        ("x-tenant", "bl\nue", false),
    ] {
        let mut overrides = RouteOverrides::default();
        overrides.grpc_initial_metadata = vec![(name.to_owned(), value.to_owned())];
        let route = RouteConfig::Overrides(overrides);
        assert_eq!(FilterConfig::default().validate_route(&route).is_ok(), is_good, "{name:?}");
    }
}
