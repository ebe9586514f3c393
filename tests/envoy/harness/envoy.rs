//! A real Envoy as a child process.

use std::collections::HashMap;
use std::env;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long Envoy may take to be ready.
const START: Duration = Duration::from_secs(30);

/// A running Envoy. It ends when this is dropped, and also when this process ends in any other way.
pub(crate) struct Envoy {
    admin: SocketAddr,
    listeners: HashMap<String, SocketAddr>,
    folder: PathBuf,
    child: Child,
}

/// The program: the tests ask for it by name, and do not pass without it.
fn program() -> PathBuf {
    let Some(program) = env::var_os("TIDEGATE_ENVOY") else {
        panic!(
            "TIDEGATE_ENVOY is not set: the feature `interop` asks for tests against Envoy 1.40.0, \
             and this variable says where its program is (`.ci/run interop` fetches one)"
        );
    };
    let program = PathBuf::from(program);
    assert!(program.is_file(), "TIDEGATE_ENVOY: there is no file {}", program.display());
    program
}

/// A folder of this process for one run of Envoy.
fn folder(name: &str) -> PathBuf {
    let folder = env::temp_dir().join(format!("tidegate-envoy-{}-{name}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder for temporary files");
    folder
}

/// What Envoy says to a bootstrap without running it: its standard error if it refuses.
pub(crate) fn validate(name: &str, bootstrap: &str) -> Result<(), String> {
    let folder = folder(name);
    let file = folder.join("bootstrap.yaml");
    fs::write(&file, bootstrap).expect("a temporary file");
    let mut command = Command::new(program());
    command.args(["--mode", "validate", "-l", "error", "-c"]).arg(&file);
    let output = command.output().expect("TIDEGATE_ENVOY: a program");
    // A folder that stays harms nobody.
    let _ = fs::remove_dir_all(folder);
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}

impl Envoy {
    /// Starts one, and waits until it listens.
    pub(crate) fn start(name: &str, bootstrap: &str) -> Self {
        let program = program();
        let folder = folder(name);
        let file = |name: &str| folder.join(name);
        fs::write(file("bootstrap.yaml"), bootstrap).expect("a temporary file");
        // The shell ends Envoy when its own input ends, and that is a pipe from this process: so
        // Envoy does not outlive it, however it ends.
        let script = "\"$@\" < /dev/null & envoy=$!; read -r _; kill -9 $envoy; rm -r \"$0\"";
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]).arg(&folder).arg(program);
        command.arg("-c").arg(file("bootstrap.yaml"));
        command.args(["--use-dynamic-base-id", "--concurrency", "1", "-l", "warning"]);
        command.arg("--admin-address-path").arg(file("admin"));
        command.arg("--log-path").arg(file("log"));
        let output = fs::File::create(file("output")).expect("a temporary file");
        command.stderr(output.try_clone().expect("a file")).stdout(output).stdin(Stdio::piped());
        let child = command.spawn().expect("a shell");
        let unknown = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut envoy = Self { admin: unknown, listeners: HashMap::new(), folder, child };
        envoy.wait();
        envoy
    }

    /// Waits until it is ready, and asks for its ports.
    fn wait(&mut self) {
        let until = Instant::now() + START;
        loop {
            let admin = fs::read_to_string(self.folder.join("admin")).unwrap_or_default();
            if let Ok(admin) = admin.trim().parse() {
                self.admin = admin;
                if self.ask("/ready").is_some_and(|answer| answer.contains("LIVE")) {
                    break;
                }
            }
            let log = self.log();
            assert!(!log.contains("[critical]"), "Envoy does not start:\n{log}");
            assert!(Instant::now() < until, "Envoy is not ready after {START:?}:\n{log}");
            sleep(Duration::from_millis(20));
        }
        let listeners = self.ask("/listeners?format=json").expect("listeners");
        let listeners: serde_json::Value = serde_json::from_str(&listeners).expect("JSON");
        for listener in listeners["listener_statuses"].as_array().expect("a list") {
            let port = &listener["local_address"]["socket_address"]["port_value"];
            let port = u16::try_from(port.as_u64().expect("a port")).expect("a port");
            let name = listener["name"].as_str().expect("a name").to_owned();
            self.listeners.insert(name, SocketAddr::from(([127, 0, 0, 1], port)));
        }
    }

    /// Where a listener is.
    pub(crate) fn listener(&self, name: &str) -> SocketAddr {
        *self.listeners.get(name).unwrap_or_else(|| panic!("no listener {name}"))
    }

    /// The body of what the administration interface answers.
    fn ask(&self, path: &str) -> Option<String> {
        let mut socket = TcpStream::connect(self.admin).ok()?;
        let close = "connection: close";
        write!(socket, "GET {path} HTTP/1.1\r\nhost: admin\r\n{close}\r\n\r\n").ok()?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer).ok()?;
        let (_, mut chunks) = answer.split_once("\r\n\r\n")?;
        let mut body = String::new();
        loop {
            let (size, rest) = chunks.split_once("\r\n")?;
            let size = usize::from_str_radix(size, 16).ok()?;
            if size == 0 {
                return Some(body);
            }
            body += rest.get(..size)?;
            chunks = rest.get(size + 2..)?;
        }
    }

    /// A counter of a listener's external processor, such as `spurious_msgs_received`.
    pub(crate) fn counter(&self, listener: &str, name: &str) -> u64 {
        let stat = format!("http.{listener}.ext_proc.{name}");
        let answer = self.ask(&format!("/stats?filter=^{stat}$")).expect("statistics");
        let value = answer.trim().strip_prefix(&format!("{stat}: "));
        value.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("{stat}: {answer:?}"))
    }

    /// The end of what Envoy has written.
    pub(crate) fn log(&self) -> String {
        const LINES: usize = 40;
        let read = |name: &str| fs::read_to_string(Path::new(&self.folder).join(name));
        let text =
            format!("{}{}", read("output").unwrap_or_default(), read("log").unwrap_or_default());
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LINES)..].join("\n")
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        // The shell reads the end of its input, ends Envoy, tidies up, and ends.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
