//! One Envoy with a listener for each server that is measured.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use crate::scenario::Scenario;

/// How long it may take to listen.
const START: Duration = Duration::from_secs(20);

/// Bodies of 64 MiB fit into its buffers and windows where they are buffered.
const LARGE_BYTES: u32 = 80 << 20;

/// It ends when this is dropped, and when this process does.
pub(crate) struct Envoy {
    shell: Child,
    folder: PathBuf,
}

/// A way through it: to this processor, from this port.
pub(crate) struct Way {
    pub(crate) scenario: Scenario,
    pub(crate) processor: u16,
    pub(crate) listener: u16,
}

impl Envoy {
    /// Starts it, with one worker, and waits until it listens everywhere.
    pub(crate) fn start(ways: &[Way], origin: SocketAddr) -> Self {
        let program = env::var_os("TIDEGATE_ENVOY").expect("TIDEGATE_ENVOY says where Envoy is");
        let folder = env::temp_dir().join(format!("tidegate-bench-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder for temporary files");
        let file = folder.join("bootstrap.yaml");
        fs::write(&file, bootstrap(ways, origin)).expect("a temporary file");
        // The shell ends Envoy when its own input ends, which is a pipe from this process.
        let script = "\"$@\" < /dev/null & envoy=$!; read -r _; kill -9 $envoy; rm -r \"$0\"";
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]).arg(&folder).arg(program).arg("-c").arg(&file);
        command.args(["--use-dynamic-base-id", "--concurrency", "1", "-l", "critical"]);
        command.stdin(Stdio::piped()).stdout(Stdio::null());
        let envoy = Self { shell: command.spawn().expect("a shell"), folder };
        let until = Instant::now() + START;
        for way in ways {
            while std::net::TcpStream::connect(("127.0.0.1", way.listener)).is_err() {
                assert!(Instant::now() < until, "Envoy does not listen after {START:?}");
                thread::sleep(Duration::from_millis(20));
            }
        }
        envoy
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn bootstrap(ways: &[Way], origin: SocketAddr) -> String {
    let mut text = "static_resources:\n  clusters:\n".to_owned();
    text += &cluster("origin", origin.port());
    for way in ways {
        text += &cluster(&format!("processor_{}", way.processor), way.processor);
    }
    text += "  listeners:\n";
    for way in ways {
        text += &listener(way);
    }
    text
}

const TYPE: &str = "type.googleapis.com/envoy.extensions";

fn cluster(name: &str, port: u16) -> String {
    let windows = windows();
    format!(
        "  - name: {name}
    type: STATIC
    connect_timeout: 5s
    per_connection_buffer_limit_bytes: {LARGE_BYTES}
    circuit_breakers: {{ thresholds: [{{ max_requests: 10000, max_pending_requests: 10000 }}] }}
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        \"@type\": {TYPE}.upstreams.http.v3.HttpProtocolOptions
        explicit_http_config: {{ http2_protocol_options: {{ {windows} }} }}
    load_assignment:
      cluster_name: {name}
      endpoints:
      - lb_endpoints:
        - endpoint:
            address: {{ socket_address: {{ address: 127.0.0.1, port_value: {port} }} }}
"
    )
}

fn windows() -> String {
    format!(
        "initial_stream_window_size: {LARGE_BYTES}, initial_connection_window_size: {LARGE_BYTES}"
    )
}

fn listener(way: &Way) -> String {
    let Way { scenario, processor, listener } = way;
    let (mode, windows) = (scenario.mode(), windows());
    // Only buffered bodies need room: for the others the defaults count.
    let (limit, windows) = match scenario {
        Scenario::Buffered | Scenario::Replaced => {
            (format!("\n    per_connection_buffer_limit_bytes: {LARGE_BYTES}"), windows)
        }
        Scenario::Duplex | Scenario::Streamed | Scenario::Small => <_>::default(),
    };
    let mut text = String::new();
    let _ = write!(
        text,
        "  - name: listener_{listener}{limit}
    address: {{ socket_address: {{ address: 127.0.0.1, port_value: {listener} }} }}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          \"@type\": {TYPE}.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: listener_{listener}
          codec_type: HTTP2
          http2_protocol_options: {{ {windows} }}
          http_filters:
          - name: ext_proc
            typed_config:
              \"@type\": {TYPE}.filters.http.ext_proc.v3.ExternalProcessor
              grpc_service: {{ envoy_grpc: {{ cluster_name: processor_{processor} }} }}
              message_timeout: 60s
              processing_mode: {mode}
          - name: envoy.filters.http.router
            typed_config: {{ \"@type\": {TYPE}.filters.http.router.v3.Router }}
          route_config:
            virtual_hosts:
            - name: all
              domains: [\"*\"]
              routes: [{{ match: {{ prefix: / }}, route: {{ cluster: origin, timeout: 0s }} }}]
"
    );
    text
}
