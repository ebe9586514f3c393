//! Who stands between client and origin.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::{env, fs};

use crate::envoy::{self, Processing};
use crate::mode::Mode;
use crate::options::Options;
use crate::process::{Process, Usage, free_address};
use crate::protocol::Protocol;

/// How many filters a chain has that has any.
const FILTERS: usize = 8;

/// One way from client to origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contender {
    /// The proxy example.
    Proxy(Chain),
    /// A plain forwarding proxy on hyper.
    Hyper,
    /// Envoy, with nothing but its router.
    Envoy,
    /// Envoy and a processor on tidegate.
    Tidegate(Mode),
    /// Envoy and a processor on tonic.
    Tonic(Mode),
}

/// The filters of the proxy example, the same in both directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chain {
    /// None.
    Empty,
    /// Filters that are asked about the head, each chunk and the trailers, and let all pass.
    Passing,
    /// Filters that are asked about the head alone.
    Uninterested,
}

/// The processes of a contender, while it has its turn.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    forwarder: Process,
    processor: Option<Process>,
    /// Envoy's bootstrap.
    file: Option<PathBuf>,
}

impl Contender {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Proxy(Chain::Empty) => "tidegate proxy, 0 filters",
            Self::Proxy(Chain::Passing) => "tidegate proxy, 8 filters",
            Self::Proxy(Chain::Uninterested) => "tidegate proxy, 8 filters of heads alone",
            Self::Hyper => "hyper alone",
            Self::Envoy => "Envoy alone",
            Self::Tidegate(_) => "Envoy and tidegate",
            Self::Tonic(_) => "Envoy and tonic",
        }
    }

    /// Starts it before the origin.
    pub(crate) fn start(
        self,
        protocol: Protocol,
        origin: SocketAddr,
        options: &Options,
    ) -> Running {
        let address = free_address();
        match self {
            Self::Proxy(chain) => {
                let command = proxy(chain, protocol, address, origin, options);
                let workers = options.workers.to_string();
                let environment =
                    [("RUST_LOG", "warn"), ("TOKIO_WORKER_THREADS", workers.as_str())];
                let command = measured(command, options);
                Running::alone(Process::start(&command, &environment, address), address)
            }
            Self::Hyper => {
                let who = ["hyper".to_owned(), origin.to_string()];
                let command = measured(server(&who, address, options.workers), options);
                Running::alone(Process::start(&command, &[], address), address)
            }
            Self::Envoy => start_envoy(address, origin, None, options),
            Self::Tidegate(mode) => start_envoy(address, origin, Some((mode, "tidegate")), options),
            Self::Tonic(mode) => start_envoy(address, origin, Some((mode, "tonic")), options),
        }
    }
}

impl Running {
    const fn alone(forwarder: Process, address: SocketAddr) -> Self {
        Self { address, forwarder, processor: None, file: None }
    }

    pub(crate) fn forwarder(&self) -> Usage {
        self.forwarder.usage()
    }

    pub(crate) fn processor(&self) -> Option<Usage> {
        self.processor.as_ref().map(Process::usage)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(file) = &self.file {
            // A temporary file that stays harms nobody.
            let _ = fs::remove_file(file);
        }
    }
}

/// The origin, on the core of the client.
pub(crate) fn start_origin(address: SocketAddr) -> Process {
    Process::start(&server(&["origin".to_owned()], address, 1), &[], address)
}

/// A server of this program at `address`.
fn server(who: &[String], address: SocketAddr, workers: usize) -> Vec<OsString> {
    let program = env::current_exe().expect("this program");
    let how = ["serve".to_owned(), address.port().to_string(), workers.to_string()];
    let args = how.iter().chain(who).map(OsString::from);
    std::iter::once(program.into()).chain(args).collect()
}

/// `command`, on the core of who is measured.
fn measured(command: Vec<OsString>, options: &Options) -> Vec<OsString> {
    options.cores.prefix().into_iter().map(OsString::from).chain(command).collect()
}

/// The command of the proxy example.
pub(crate) fn proxy(
    chain: Chain,
    protocol: Protocol,
    address: SocketAddr,
    origin: SocketAddr,
    options: &Options,
) -> Vec<OsString> {
    let mut command: Vec<OsString> = vec![options.proxy.clone().into()];
    command.extend(["--listen".into(), address.to_string().into()]);
    command.extend(["--upstream".into(), format!("http://{origin}").into()]);
    command.extend((protocol == Protocol::Http2).then_some("--http2-upstream".into()));
    let filter = match chain {
        Chain::Empty => None,
        // It counts what it would log at its level.
        Chain::Passing => Some("log"),
        // Without a delay it looks at the head and lets it pass.
        Chain::Uninterested => Some("delay=0"),
    };
    for filter in filter.into_iter().flat_map(|filter| [filter; FILTERS]) {
        command.extend(["--filter".into(), filter.into()]);
    }
    command
}

fn start_envoy(
    address: SocketAddr,
    origin: SocketAddr,
    processor: Option<(Mode, &str)>,
    options: &Options,
) -> Running {
    let processing = processor.map(|(mode, _)| Processing { mode, processor: free_address() });
    let processor = processor.zip(processing).map(|((mode, who), processing)| {
        let who = [who.to_owned(), mode.name().to_owned()];
        let command = server(&who, processing.processor, options.workers);
        Process::start(&measured(command, options), &[], processing.processor)
    });
    let name = format!("tidegate-end-to-end-{}-{}.yaml", std::process::id(), address.port());
    let file = env::temp_dir().join(name);
    fs::write(&file, envoy::bootstrap(address, origin, processing)).expect("a temporary file");
    let workers = options.workers.to_string();
    let args = ["--use-dynamic-base-id", "-l", "critical", "--concurrency", &workers, "-c"];
    let mut command: Vec<OsString> = vec![options.envoy.clone().into()];
    command.extend(args.map(OsString::from));
    command.push(file.clone().into());
    let forwarder = Process::start(&measured(command, options), &[], address);
    Running { address, forwarder, processor, file: Some(file) }
}
