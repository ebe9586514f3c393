//! Envoy's configuration: its defaults, but for trailers over HTTP/1.1, and room for a large body
//! where it is to be buffered.

use std::net::SocketAddr;
use std::time::Duration;

use tidegate::ext_proc::mode::FilterConfig;

use crate::load::LARGE_BYTES;
use crate::mode::Mode;

/// A body and what belongs to it, in buffers and windows.
const ROOM_BYTES: u64 = LARGE_BYTES + (16 << 20);

/// The filter of external processing, as Envoy and processor know it.
pub(crate) fn filter(mode: Mode) -> FilterConfig {
    let mut config = FilterConfig::new(mode.processing());
    config.message_timeout = Some(Duration::from_secs(60));
    config
}

/// A processor before the origin.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Processing {
    pub(crate) mode: Mode,
    pub(crate) processor: SocketAddr,
}

/// A bootstrap that forwards from `listen` to `origin` in the protocol of the client.
pub(crate) fn bootstrap(
    listen: SocketAddr,
    origin: SocketAddr,
    processing: Option<Processing>,
) -> String {
    let is_buffered = processing.is_some_and(|processing| processing.mode == Mode::Buffered);
    let (limit, windows) = if is_buffered {
        let limit = format!("per_connection_buffer_limit_bytes: {ROOM_BYTES}");
        let stream = format!("initial_stream_window_size: {ROOM_BYTES}");
        (limit, format!("{stream}, initial_connection_window_size: {ROOM_BYTES}"))
    } else {
        <_>::default()
    };
    let filter = processing.map_or_else(String::new, |processing| {
        let filter = filter(processing.mode).to_yaml("processor");
        filter.lines().map(|line| format!("          {line}\n")).collect()
    });
    let mut clusters = cluster(
        "origin",
        &limit,
        origin,
        &format!(
            "use_downstream_protocol_config:
          http_protocol_options: {{ enable_trailers: true }}
          http2_protocol_options: {{ {windows} }}"
        ),
    );
    if let Some(Processing { processor, .. }) = processing {
        let http2 = format!(
            "explicit_http_config:
          http2_protocol_options: {{ {windows} }}"
        );
        clusters += &cluster("processor", &limit, processor, &http2);
    }
    let listen = socket(listen);
    format!(
        "static_resources:
  clusters:
{clusters}  listeners:
  - address: {listen}
    {limit}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          \"@type\": {TYPE}.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: ingress
          codec_type: AUTO
          http_protocol_options: {{ enable_trailers: true }}
          http2_protocol_options: {{ {windows} }}
          route_config:
            virtual_hosts:
            - name: all
              domains: [\"*\"]
              routes: [{{ match: {{ prefix: / }}, route: {{ cluster: origin, timeout: 0s }} }}]
          http_filters:
{filter}          - name: envoy.filters.http.router
            typed_config: {{ \"@type\": {TYPE}.filters.http.router.v3.Router }}
"
    )
}

const TYPE: &str = "type.googleapis.com/envoy.extensions";

fn socket(address: SocketAddr) -> String {
    let (host, port) = (address.ip(), address.port());
    format!("{{ socket_address: {{ address: \"{host}\", port_value: {port} }} }}")
}

fn cluster(name: &str, limit: &str, address: SocketAddr, protocol: &str) -> String {
    let address = socket(address);
    format!(
        "  - name: {name}
    type: STATIC
    connect_timeout: 5s
    {limit}
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        \"@type\": {TYPE}.upstreams.http.v3.HttpProtocolOptions
        {protocol}
    load_assignment:
      cluster_name: {name}
      endpoints: [{{ lb_endpoints: [{{ endpoint: {{ address: {address} }} }}] }}]
"
    )
}
