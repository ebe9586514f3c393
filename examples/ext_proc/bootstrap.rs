//! A configuration of Envoy with which a server can be tried.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tidegate::ext_proc::mode::FilterConfig;

/// The cluster of the server.
const CLUSTER: &str = "ext_proc";

/// A listener that sends everything through the server at `processor` to the origin, which speaks
/// HTTP/1.1. The filter is written from `config`.
pub(crate) fn bootstrap(
    config: &FilterConfig,
    processor: SocketAddr,
    listen: SocketAddr,
    origin: SocketAddr,
) -> String {
    let mut text = String::new();
    for line in BOOTSTRAP.lines() {
        if let Some(indent) = line.strip_suffix("FILTER") {
            for line in config.to_yaml(CLUSTER).lines() {
                text.push_str(&format!("{indent}{line}\n"));
            }
            continue;
        }
        let line = line
            .replace("LISTEN", &socket(listen))
            .replace("ORIGIN", &socket(origin))
            .replace("PROCESSOR", &socket(reachable(processor)));
        text.push_str(&format!("{line}\n"));
    }
    text
}

fn socket(address: SocketAddr) -> String {
    let (host, port) = (address.ip(), address.port());
    format!("{{ socket_address: {{ address: \"{host}\", port_value: {port} }} }}")
}

/// A server that listens everywhere is reached on loopback.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        IpAddr::V4(_) | IpAddr::V6(_) => {}
    }
    address
}

/// Trailers have to be asked for on HTTP/1.1, on either side.
const BOOTSTRAP: &str = r#"static_resources:
  listeners:
  - address: LISTEN
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": "type.googleapis.com/envoy.extensions.filters.network.\
            http_connection_manager.v3.HttpConnectionManager"
          stat_prefix: ingress
          codec_type: AUTO
          stream_idle_timeout: 30s
          http_protocol_options: { enable_trailers: true }
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes:
              - match: { prefix: / }
                route: { cluster: origin, timeout: 0s }
          http_filters:
          FILTER
          - name: envoy.filters.http.router
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
  clusters:
  - name: origin
    connect_timeout: 5s
    type: STATIC
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        explicit_http_config:
          http_protocol_options: { enable_trailers: true }
    load_assignment:
      cluster_name: origin
      endpoints: [{ lb_endpoints: [{ endpoint: { address: ORIGIN } }] }]
  - name: ext_proc
    connect_timeout: 1s
    type: STATIC
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        explicit_http_config:
          http2_protocol_options: {}
    load_assignment:
      cluster_name: ext_proc
      endpoints: [{ lb_endpoints: [{ endpoint: { address: PROCESSOR } }] }]
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_where_everything_is() {
        let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let everywhere = SocketAddr::from(([0, 0, 0, 0], 9));
        let text = bootstrap(&FilterConfig::default(), everywhere, at(7), at(8));
        for (port, line) in [(7, "  - address: "), (8, "endpoint: { address: "), (9, "address: ")] {
            let socket = socket(at(port));
            assert!(text.contains(&format!("{line}{socket}")), "{socket}\n{text}");
        }
        for word in ["LISTEN", "FILTER", "ORIGIN", "PROCESSOR"] {
            assert!(!text.contains(word), "{word}\n{text}");
        }
    }
}
