//! Servers of external processing side by side, behind a real Envoy: what each costs.
//!
//! `TIDEGATE_ENVOY=/path/of/envoy cargo run --release` in this folder runs all and prints one
//! table. With names of scenarios it runs those; `--rounds N`, `--mib N` (of body in a round) and
//! `--requests N` (small ones in a round) say how much.
//!
//! Client, Envoy with one worker, origin and one server share the machine. Each server is a process
//! of its own, for each scenario a new one: processor time is that of its threads, user and system,
//! and memory is the most that it has had. The rounds take turns, and the best one of each counts:
//! others on the machine can only make it worse.
//!
//! Beside the servers stand two floors, with answers that are there already: hyper on tidegate's
//! transport; and a thread that blocks and trusts in everything, which is nearly the kernel alone.
//! They are guides and no bounds: who is faster is woken more often.

mod canned;
mod envoy;
mod floor;
mod load;
mod naive;
mod ours;
mod raw;
mod scenario;
mod usage;

use std::io::{BufRead, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::runtime;

use envoy::{Envoy, Way};
use load::Client;
use scenario::Scenario;
use tidegate::ext_proc::server::Carrier;

/// One body.
const BODY_BYTES: usize = 64 << 20;

/// Who serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Server {
    Naive,
    Ours,
    /// On its own HTTP/2.
    Direct,
    /// In tonic's server.
    Mounted,
    /// Nothing but hyper, and answers that are there already.
    Floor,
    /// Nothing but the kernel, and the same answers.
    Raw,
}

impl Server {
    const ALL: [Self; 6] =
        [Self::Naive, Self::Direct, Self::Ours, Self::Mounted, Self::Floor, Self::Raw];

    const fn name(self) -> &'static str {
        match self {
            Self::Naive => "tonic",
            Self::Ours => "tidegate on hyper",
            Self::Direct => "tidegate direct",
            Self::Mounted => "tidegate in tonic",
            Self::Floor => "floor: hyper, canned",
            Self::Raw => "floor: blocking",
        }
    }
}

/// A server that is measured, in its process.
struct Measured {
    server: Server,
    threads: usize,
    way: Way,
    process: Child,
    best: Option<Sample>,
}

/// What one round took.
#[derive(Clone, Copy)]
struct Sample {
    /// Of the server, for each GiB of body or for each small request.
    cpu: Duration,
    /// On the clock.
    elapsed: Duration,
}

struct Options {
    scenarios: Vec<Scenario>,
    rounds: usize,
    mib: usize,
    requests: usize,
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [command, server, scenario, threads] = &args[..]
        && command == "serve"
    {
        return serve(server, scenario, threads.parse().expect("a number of threads"));
    }
    let options = options(&args);
    let runtime = runtime::Runtime::new().expect("a runtime");
    runtime.block_on(run(&options));
}

fn options(args: &[String]) -> Options {
    let mut options = Options { scenarios: Vec::new(), rounds: 3, mib: 256, requests: 4000 };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut number = || args.next().and_then(|n| n.parse().ok()).expect("a number");
        match arg.as_str() {
            "--rounds" => options.rounds = number(),
            "--mib" => options.mib = number(),
            "--requests" => options.requests = number(),
            name => options.scenarios.push(Scenario::from_name(name).expect("a scenario")),
        }
    }
    if options.scenarios.is_empty() {
        options.scenarios.extend(Scenario::ALL);
    }
    options
}

/// The process of one server: says its port, then serves until it is killed.
fn serve(server: &str, scenario: &str, threads: usize) {
    let scenario = Scenario::from_name(scenario).expect("a scenario");
    let server = Server::ALL.into_iter().find(|known| known.name() == server).expect("a server");
    let runtime = match threads {
        1 => runtime::Builder::new_current_thread().enable_all().build(),
        _ => runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build(),
    };
    runtime.expect("a runtime").block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        println!("{}", listener.local_addr().expect("a port").port());
        std::io::stdout().flush().expect("somebody listens");
        match server {
            Server::Naive => naive::serve(listener, scenario).await,
            Server::Ours => ours::serve(listener, scenario, Carrier::Hyper).await,
            Server::Direct => ours::serve(listener, scenario, Carrier::Direct).await,
            Server::Mounted => ours::serve_mounted(listener, scenario).await,
            Server::Floor => floor::serve(listener, scenario).await,
            Server::Raw => {
                let listener = listener.into_std().expect("a listener");
                listener.set_nonblocking(false).expect("a listener");
                raw::serve(&listener, scenario);
            }
        }
    });
}

impl Measured {
    /// With it comes what keeps the port of its way from being given to anything else.
    fn start(server: Server, scenario: Scenario, threads: usize) -> (Self, std::net::TcpListener) {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.args(["serve", server.name(), scenario.name(), &threads.to_string()]);
        let mut process = command.stdout(Stdio::piped()).spawn().expect("this program");
        let mut port = String::new();
        let output = process.stdout.take().expect("a pipe");
        BufReader::new(output).read_line(&mut port).expect("a port");
        let processor = port.trim().parse().expect("a port");
        let kept = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let listener = kept.local_addr().expect("a port").port();
        let way = Way { scenario, processor, listener };
        (Self { server, threads, way, process, best: None }, kept)
    }

    async fn round(&mut self, options: &Options, warms_up: bool) {
        let mut client = Client::connect(([127, 0, 0, 1], self.way.listener).into()).await;
        let before = usage::cpu(self.process.id());
        let start = Instant::now();
        let per = if self.way.scenario == Scenario::Small {
            let requests = if warms_up { 200 } else { options.requests };
            client.echo(requests).await;
            requests as f64
        } else {
            let bodies = if warms_up { 1 } else { options.mib.div_ceil(BODY_BYTES >> 20) };
            client.upload(BODY_BYTES, bodies).await;
            (bodies * BODY_BYTES) as f64 / f64::from(1 << 30)
        };
        let elapsed = start.elapsed().div_f64(per);
        let cpu = (usage::cpu(self.process.id()) - before).div_f64(per);
        assert!(!cpu.is_zero(), "{} was not asked", self.server.name());
        let is_better = self.best.is_none_or(|best| cpu < best.cpu);
        if is_better && !warms_up {
            self.best = Some(Sample { cpu, elapsed });
        }
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn run(options: &Options) {
    let (mut all, mut kept) = (Vec::new(), Vec::new());
    for &scenario in &options.scenarios {
        for threads in [1, 2] {
            for server in Server::ALL {
                let (measured, port) = Measured::start(server, scenario, threads);
                all.push(measured);
                kept.push(port);
            }
        }
    }
    let origin = load::origin().await;
    let ways: Vec<Way> = all.iter().map(|measured| Way { ..measured.way }).collect();
    // Envoy says so if one is not free any more.
    drop(kept);
    let envoy = Envoy::start(&ways, origin);
    for round in 0..=options.rounds {
        for measured in &mut all {
            measured.round(options, round == 0).await;
        }
    }
    drop(envoy);
    table(&all);
}

fn table(all: &[Measured]) {
    println!(
        "{:<19} {:>7} {:<20} {:>12} {:>7} {:>12} {:>10}  target",
        "scenario", "threads", "server", "cpu", "ratio", "clock", "peak MiB"
    );
    for measured in all {
        let Measured { server, threads, way, process, best } = measured;
        let best = best.expect("a round");
        let naive = all.iter().find(|other| {
            let same = other.way.scenario == way.scenario && other.threads == *threads;
            same && other.server == Server::Naive
        });
        let naive = naive.and_then(|naive| naive.best).expect("a round");
        let ratio = best.cpu.as_secs_f64() / naive.cpu.as_secs_f64();
        let unit = |time: Duration| match way.scenario {
            Scenario::Small => format!("{:.1} us", time.as_secs_f64() * 1e6),
            _ => format!("{:.3} s/GiB", time.as_secs_f64()),
        };
        let (name, target) = way.scenario.target();
        let verdict = match server {
            Server::Naive | Server::Floor | Server::Raw => String::new(),
            _ if ratio <= target => format!("{name} <= {target}: met"),
            _ => format!("{name} <= {target}: MISSED"),
        };
        println!(
            "{:<19} {threads:>7} {:<20} {:>12} {ratio:>7.2} {:>12} {:>10.1}  {verdict}",
            way.scenario.name(),
            server.name(),
            unit(best.cpu),
            unit(best.elapsed),
            usage::peak_bytes(process.id()) as f64 / f64::from(1 << 20),
        );
    }
}
