//! One listener of the Envoy under test, with what is around its external processor.

use std::fmt::Write;

/// Bytes that Envoy takes ahead in a configuration [`Configuration::large`].
const LARGE_BYTES: u32 = 80 << 20;

/// A listener that speaks HTTP/1.1 and HTTP/2, with one external processor before the router.
#[derive(Debug, Clone)]
pub(crate) struct Configuration {
    pub(crate) name: String,
    /// The entry of `http_filters`, in YAML.
    filter: String,
    /// The entry of `typed_per_filter_config` of all routes, in YAML.
    route: Option<String>,
    /// `per_connection_buffer_limit_bytes`.
    buffer_bytes: Option<u32>,
    /// HTTP/2 windows, where they are not to be the defaults.
    window_bytes: Option<u32>,
    /// `stream_idle_timeout`, in milliseconds.
    idle_ms: u32,
}

impl Configuration {
    /// `filter` is the YAML of the `ExternalProcessor`, `@type` included. The cluster that it names
    /// is the processor of that name.
    pub(crate) fn new(name: impl Into<String>, filter: &str) -> Self {
        let filter = indent(filter, 4);
        Self::of_entry(name, format!("- name: {FILTER}\n  typed_config:\n{filter}"))
    }

    /// `filter` is the whole entry of `http_filters`.
    pub(crate) fn of_entry(name: impl Into<String>, filter: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            filter: filter.into(),
            route: None,
            buffer_bytes: None,
            window_bytes: None,
            idle_ms: 20_000,
        }
    }

    /// With another entry of `http_filters` behind it.
    pub(crate) fn with_second(self, entry: &str) -> Self {
        Self { filter: self.filter + entry, ..self }
    }

    /// With overrides for all its routes: the YAML of an `ExtProcPerRoute`, `@type` included.
    pub(crate) fn with_route(self, route: &str) -> Self {
        let route = indent(route, 2);
        self.with_route_entry(format!("{FILTER}:\n{route}"))
    }

    /// The same as a whole entry of `typed_per_filter_config`.
    pub(crate) fn with_route_entry(self, route: impl Into<String>) -> Self {
        Self { route: Some(route.into()), ..self }
    }

    pub(crate) fn with_buffer_bytes(self, bytes: u32) -> Self {
        Self { buffer_bytes: Some(bytes), ..self }
    }

    pub(crate) fn with_idle_ms(self, idle_ms: u32) -> Self {
        Self { idle_ms, ..self }
    }

    /// Bodies of 64 MiB fit into its buffers and windows.
    pub(crate) fn large(self) -> Self {
        Self { buffer_bytes: Some(LARGE_BYTES), window_bytes: Some(LARGE_BYTES), ..self }
    }

    fn listener(&self) -> String {
        let Self { name, idle_ms, .. } = self;
        let limit = match self.buffer_bytes {
            Some(bytes) => format!("  per_connection_buffer_limit_bytes: {bytes}\n"),
            None => String::new(),
        };
        let filter = indent(&self.filter, 8);
        let (windows, large) = match self.window_bytes {
            Some(bytes) => (windows(bytes), "_large"),
            None => (String::new(), ""),
        };
        let overrides = self.route.as_ref().map_or_else(String::new, |route| {
            let route = indent(route, 18);
            format!("                typed_per_filter_config:\n{route}")
        });
        let route = |matches: &str, cluster: &str| {
            format!(
                "              - match: {matches}\n                route: {{ cluster: {cluster}, \
                 timeout: 0s }}\n{overrides}"
            )
        };
        let two = "{ prefix: \"/\", headers: [{ name: x-origin, string_match: { exact: h2 } }] }";
        let routes = [
            route("{ prefix: \"/refused\" }", "refused"),
            route(two, &format!("origin_h2{large}")),
            route("{ path: \"/\" }", &format!("origin_h1{large}")),
        ];
        let routes = routes.concat();
        format!(
            "\
- name: {name}
  address: {{ socket_address: {{ address: 127.0.0.1, port_value: 0 }} }}
{limit}  filter_chains:
  - filters:
    - name: envoy.filters.network.http_connection_manager
      typed_config:
        \"@type\": {HCM}
        stat_prefix: {name}
        codec_type: AUTO
        stream_idle_timeout: {idle_ms_s}s
        http_protocol_options: {{ enable_trailers: true }}
        http2_protocol_options: {{ {windows} }}
        http_filters:
{filter}        - name: envoy.filters.http.router
          typed_config: {{ \"@type\": {ROUTER} }}
        route_config:
          virtual_hosts:
          - name: all
            domains: [\"*\"]
            routes:
{routes}",
            idle_ms_s = f64::from(*idle_ms) / 1000.0,
        )
    }
}

const FILTER: &str = "envoy.filters.http.ext_proc";
const HCM: &str = "type.googleapis.com/\
    envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const ROUTER: &str = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";
const HTTP: &str = "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/// A processor, as Envoy knows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cluster<'a> {
    pub(crate) name: &'a str,
    pub(crate) port: u16,
    /// Envoy asks its health service, and leaves it alone while it is not well.
    pub(crate) is_health_checked: bool,
}

/// The bootstrap of one Envoy with all of `configurations`. Nobody listens on the port `refused`.
pub(crate) fn bootstrap<'a>(
    configurations: impl IntoIterator<Item = &'a Configuration>,
    processors: impl IntoIterator<Item = Cluster<'a>>,
    origin: u16,
    refused: u16,
) -> String {
    let mut text = "\
admin: { address: { socket_address: { address: 127.0.0.1, port_value: 0 } } }
static_resources:
  clusters:
"
    .to_owned();
    let one = "http_protocol_options: { enable_trailers: true }".to_owned();
    let two = |options: &str| format!("http2_protocol_options: {{ {options} }}");
    let large = windows(LARGE_BYTES);
    let large_limit = format!("\n    per_connection_buffer_limit_bytes: {LARGE_BYTES}");
    text += &cluster("origin_h1", origin, &one, "");
    text += &cluster("origin_h1_large", origin, &one, &large_limit);
    text += &cluster("origin_h2", origin, &two(""), "");
    text += &cluster("origin_h2_large", origin, &two(&large), &large_limit);
    text += &cluster("refused", refused, &one, "");
    for Cluster { name, port, is_health_checked } in processors {
        let check = if is_health_checked { HEALTH_CHECK } else { "" };
        text += &cluster(name, port, &two(""), check);
    }
    text += &cluster("nobody", refused, &two(""), "");
    text += "  listeners:\n";
    for configuration in configurations {
        text += &indent(&configuration.listener(), 2);
    }
    text
}

/// The bootstrap of an Envoy that only says what it thinks of `configuration`, whose processor is
/// `nobody`.
pub(crate) fn bootstrap_alone(configuration: &Configuration) -> String {
    bootstrap([configuration], [], 1, 1)
}

/// Ten times a second; one answer counts.
const HEALTH_CHECK: &str = "
    common_lb_config: { healthy_panic_threshold: { value: 0 } }
    health_checks:
    - timeout: 1s
      interval: 0.1s
      no_traffic_interval: 0.1s
      unhealthy_threshold: 1
      healthy_threshold: 1
      grpc_health_check: {}";

fn cluster(name: &str, port: u16, protocol: &str, more: &str) -> String {
    format!(
        "  - name: {name}
    type: STATIC
    connect_timeout: 5s{more}
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        \"@type\": {HTTP}
        explicit_http_config: {{ {protocol} }}
    load_assignment:
      cluster_name: {name}
      endpoints:
      - lb_endpoints:
        - endpoint:
            address: {{ socket_address: {{ address: 127.0.0.1, port_value: {port} }} }}
"
    )
}

fn windows(bytes: u32) -> String {
    format!("initial_stream_window_size: {bytes}, initial_connection_window_size: {bytes}")
}

/// `text` with each line `columns` further right.
pub(crate) fn indent(text: &str, columns: usize) -> String {
    let mut indented = String::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        // Into a `String` nothing fails.
        let _ = writeln!(indented, "{:columns$}{line}", "");
    }
    indented
}
