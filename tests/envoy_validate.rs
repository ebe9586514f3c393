//! A real Envoy 1.40.0 asked about each configuration: `TIDEGATE_ENVOY` names its program.
//!
//! Its verdicts and messages are compared verbatim with the rows of one table, once for the
//! configuration as the row has it and once for the text that we write of ours.

#[path = "ext_proc_mode/every_field.rs"]
mod every_field;
#[path = "ext_proc_mode/rows/mod.rs"]
mod rows;
#[path = "ext_proc_mode/rows_say.rs"]
mod rows_say;

use std::process::Command;
use std::sync::Mutex;
use std::thread;

use every_field::every_field;
use http::StatusCode;
use rows::{Envoy, Ours, Row, rows};
use tidegate::ext_proc::mode::{FilterConfig, RouteConfig, RouteOverrides};

/// Envoys at once. Each takes about 0.1 s of a processor.
const WORKERS: usize = 4;

/// A configuration around one filter and one route.
const BOOTSTRAP: &str = r#"
static_resources:
  listeners:
  - address: {socket_address: {address: 127.0.0.1, port_value: 0}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": "type.googleapis.com/envoy.extensions.filters.network.\
            http_connection_manager.v3.HttpConnectionManager"
          stat_prefix: validated
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes:
              - match: {prefix: /}
                route: {cluster: origin}
                ROUTE
          http_filters:
          FILTER
          - name: envoy.filters.http.router
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
  clusters:
  - &cluster
    name: origin
    connect_timeout: 1s
    load_assignment:
      cluster_name: origin
      endpoints:
      - lb_endpoints:
        - endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: 9}}}
  - name: ext_proc
    connect_timeout: 1s
    load_assignment:
      cluster_name: ext_proc
      endpoints:
      - lb_endpoints:
        - endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: 9}}}
"#;

/// The bootstrap with `filter` and, if there is one, what is said of the route.
fn bootstrap(filter: &str, route: Option<&str>) -> String {
    let route = route.map(|entry| format!("typed_per_filter_config:\n{}", indented(entry, "  ")));
    let mut text = String::new();
    for line in BOOTSTRAP.lines() {
        let indent = &line[..line.len() - line.trim_start().len()];
        match line.trim() {
            "ROUTE" => text.push_str(&indented(route.as_deref().unwrap_or_default(), indent)),
            "FILTER" => text.push_str(&indented(filter, indent)),
            _ => text.push_str(&format!("{line}\n")),
        }
    }
    text
}

fn indented(text: &str, indent: &str) -> String {
    text.lines().map(|line| format!("{indent}{line}\n")).collect()
}

/// The bootstrap of a row, from the lines that the row has.
fn as_written(row: &Row) -> String {
    let grpc = "grpc_service: {envoy_grpc: {cluster_name: ext_proc}}\n";
    let kind = "type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3";
    let mut fields = if row.has_grpc_service { grpc.to_owned() } else { String::new() };
    fields.push_str(if row.filter == "{}" { "" } else { row.filter });
    let filter = format!(
        "- name: envoy.filters.http.ext_proc\n  typed_config:\n    \"@type\": \
         {kind}.ExternalProcessor\n{}",
        indented(&fields, "    ")
    );
    let route = row.route.map(|lines| {
        let lines = indented(lines, "  ");
        format!("envoy.filters.http.ext_proc:\n  \"@type\": {kind}.ExtProcPerRoute\n{lines}")
    });
    bootstrap(&filter, route.as_deref())
}

/// The bootstrap of a configuration of ours.
fn as_rendered(config: &FilterConfig, route: Option<&RouteConfig>) -> String {
    let route = route.map(RouteConfig::to_yaml);
    bootstrap(&config.to_yaml("ext_proc"), route.as_deref())
}

/// Whether Envoy accepts `bootstrap`, and all that it says.
fn ask(bootstrap: &str) -> (bool, String) {
    let envoy = std::env::var("TIDEGATE_ENVOY").expect(
        "TIDEGATE_ENVOY should name the program of an Envoy 1.40.0; `.ci/run interop` fetches one",
    );
    let mut command = Command::new(envoy);
    command.args(["--mode", "validate", "--log-level", "warning", "--config-yaml", bootstrap]);
    let output = command.output().expect("Envoy runs");
    let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
    said.push_str(&String::from_utf8_lossy(&output.stderr));
    (output.status.success(), plain(&said))
}

/// White space as one blank each, since Envoy's dumps vary in it, and positions as `N`.
fn plain(text: &str) -> String {
    let digit = |each: char| each.is_ascii_digit();
    let words = text.split_whitespace().map(|word| {
        let is_position =
            word.contains(digit) && word.chars().all(|each| digit(each) || ":),".contains(each));
        let parts = word.split(|each| !digit(each)).filter(|part| !part.is_empty());
        let replace = |word: String, part| word.replacen(part, "N", 1);
        if is_position { parts.fold(word.to_owned(), replace) } else { word.to_owned() }
    });
    words.collect::<Vec<String>>().join(" ")
}

/// Compares what Envoy says with what it is known to say.
fn compare(envoy: Envoy, bootstrap: &str) -> Result<(), String> {
    const REJECTED: &str = "error initializing configuration '': ";
    let (accepted, said) = ask(bootstrap);
    let fits = match envoy {
        Envoy::Accepts => accepted && said == "configuration '' OK",
        Envoy::Warns(text) => accepted && said.contains(text),
        Envoy::Rejects(text) => !accepted && said.ends_with(&format!("{REJECTED}{text}")),
        Envoy::RejectsAfterDump(text) => {
            !accepted && said.contains(REJECTED) && said.ends_with(&format!(": {text}"))
        }
    };
    if fits { Ok(()) } else { Err(format!("{envoy:?} is not what it says: {said:?}")) }
}

/// Runs `checks`, several at once, and panics with every failure.
fn run(checks: Vec<(String, Envoy, String)>) {
    let (todo, failed) = (Mutex::new(checks), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let next = todo.lock().expect("no check panics under the lock").pop();
                    let Some((name, envoy, bootstrap)) = next else { return };
                    if let Err(error) = compare(envoy, &bootstrap) {
                        failed.lock().expect("nothing panics").push(format!("{name}: {error}"));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().expect("nothing panicked");
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn envoy_says_of_each_configuration_what_its_row_has() {
    let all = rows().map(|row| (row.name.to_owned(), row.envoy, as_written(row)));
    run(all.collect());
}

/// Where a value of ours says what the row says, Envoy must not see a difference.
#[test]
fn envoy_says_the_same_of_the_text_that_we_write() {
    let mut checks = Vec::new();
    for row in rows() {
        let (Ours::Takes(build, _) | Ours::Refuses(build, _)) = row.ours else { continue };
        let (config, route) = build();
        let text = as_rendered(&config, route.as_ref());
        checks.push((format!("rendered: {}", row.name), row.envoy, text));
    }
    assert!(checks.len() > 40, "only {} rows can be said", checks.len());
    run(checks);
}

/// The story of Envoy Gateway 1.4.1 (issue 6270): every route to full duplex that we have brings
/// the trailers with it.
#[test]
fn full_duplex_by_our_constructor_is_accepted_everywhere() {
    use tidegate::ext_proc::mode::{AllowedMode, DirectionMode, ProcessingMode};

    let duplex = ProcessingMode::both(DirectionMode::full_duplex());
    let mut overriding = FilterConfig::default();
    overriding.allow_mode_override = true;
    overriding.allowed_override_modes = vec![AllowedMode::new(duplex)];
    let mut overrides = RouteOverrides::default();
    overrides.processing_mode = Some(duplex);
    let route = RouteConfig::Overrides(overrides);
    run(vec![
        ("filter".to_owned(), Envoy::Accepts, as_rendered(&FilterConfig::new(duplex), None)),
        ("override".to_owned(), Envoy::Accepts, as_rendered(&overriding, None)),
        ("route".to_owned(), Envoy::Accepts, as_rendered(&overriding, Some(&route))),
    ]);
}

/// `status_on_error`, at the edges of what is defined: never laxer.
#[test]
fn a_status_that_we_take_is_one_that_envoy_takes() {
    let mut checks = Vec::new();
    for code in [399, 400, 417, 418, 421, 424, 425, 427, 430, 431, 451, 499, 500, 508, 509, 511] {
        let mut config = FilterConfig::default();
        config.status_on_error = Some(StatusCode::from_u16(code).expect("three digits"));
        let envoy = if config.validate().is_ok() {
            Envoy::Accepts
        } else {
            Envoy::RejectsAfterDump(
                "Proto constraint validation failed (ExternalProcessorValidationError.\
                 StatusOnError: embedded message failed validation | caused by \
                 HttpStatusValidationError.Code: value must be one of the defined enum values)",
            )
        };
        checks.push((format!("status {code}"), envoy, as_rendered(&config, None)));
    }
    run(checks);
}

#[test]
fn every_field_that_we_write_is_one_that_envoy_reads() {
    let config = as_rendered(&every_field(), None);
    run(vec![("every field".to_owned(), Envoy::Accepts, config)]);
}

#[test]
fn envoy_accepts_the_configuration_of_the_guide() {
    let guide = include_str!("../docs/first-filter.md");
    let (_, text) = guide.split_once("```yaml\n").expect("the guide has a configuration");
    let (text, _) = text.split_once("```").expect("the configuration ends");
    let (accepts, said) = ask(text);
    assert!(accepts, "{said}");
    assert!(!ask(&text.replace("cluster: origin", "cluster: nobody")).0, "any text is accepted");
}
