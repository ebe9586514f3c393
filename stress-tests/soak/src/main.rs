//! A soak: the proxy and the external processor under mixed load with random faults, on the
//! runtime of several threads, for a number of responses or minutes.
//!
//! ```text
//! cargo run --release -- --responses 1000000 --minutes 10 --seed 1 --carrier direct
//! ```
//!
//! Clients, proxy and origin, and clients that play Envoy and the processor, are in this process,
//! over loopback. Every byte of every body is checked, at both ends; what a fault leads to is
//! checked too. Held bytes are compared with the bound of each message's plan. At the end, chains
//! that were taken have to have come back, no task, file or stream may be left, and resident memory
//! may not have grown since the first fifth of the run. Any problem is printed with its seed and
//! makes the exit code 1.

#![allow(clippy::unwrap_used, reason = "a soak that cannot go on has failed")]

mod dice;
mod figures;
mod filters;
#[path = "../../../tests/kit/ext_proc/mod.rs"]
mod messages;
mod origin;
mod pattern;
mod processor_load;
#[allow(dead_code, reason = "the soak uses parts of the example")]
#[path = "../../../examples/proxy/mod.rs"]
mod proxy;
mod proxy_load;
#[path = "../../../tests/kit/queue.rs"]
mod queue;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use clap::Parser;
use tidegate::ext_proc::server::Carrier;
use tokio::task::JoinSet;

use figures::{Figures, open_files, resident_kib};
use processor_load::ProcessorLoad;
use proxy_load::ProxyLoad;

/// How much resident memory may grow behind the first fifth of a run, in KiB: what allocators of
/// several threads keep.
const GROWTH_KIB: u64 = 48 * 1024;

/// How long is waited for what has ended to go.
const SETTLE: Duration = Duration::from_secs(60);

#[derive(Debug, Parser)]
struct Options {
    /// How many responses to wait for.
    #[arg(long, default_value_t = 100_000)]
    responses: u64,

    /// How many minutes to wait at most.
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,

    /// What all random choices come from.
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// Threads of the runtime.
    #[arg(long, default_value_t = 4)]
    threads: usize,

    /// Clients of each proxy; there are two, with HTTP/1.1 and HTTP/2 to their origins.
    #[arg(long, default_value_t = 12)]
    clients: u64,

    /// Connections of the processor, each with eight streams at once.
    #[arg(long, default_value_t = 4)]
    connections: u64,

    /// What carries HTTP/2 of the processor.
    #[arg(long, value_enum, default_value_t = CarrierName::Hyper)]
    carrier: CarrierName,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum CarrierName {
    Hyper,
    Direct,
}

impl From<CarrierName> for Carrier {
    fn from(name: CarrierName) -> Self {
        match name {
            CarrierName::Hyper => Self::Hyper,
            CarrierName::Direct => Self::Direct,
        }
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if info.payload().downcast_ref() != Some(&"as planned") {
            print(info);
        }
    }));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(options.threads)
        .enable_all()
        .build()
        .unwrap();
    let files = open_files();
    let figures = Arc::<Figures>::default();
    runtime.block_on(run(&options, &figures));
    let late = Instant::now() + SETTLE;
    let tasks = || runtime.metrics().num_alive_tasks();
    while tasks() > 0 && Instant::now() < late {
        std::thread::sleep(Duration::from_millis(20));
    }
    if tasks() > 0 {
        figures.problem(format!("{} tasks are left", tasks()));
    }
    drop(runtime);
    let left = open_files();
    if left > files {
        figures.problem(format!("{left} files are open, {files} at the start"));
    }
    figures.print();
    if figures.problem_count.load(Relaxed) > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

async fn run(options: &Options, figures: &Arc<Figures>) {
    let start = Instant::now();
    let limit = Duration::from_secs_f64(options.minutes * 60.0);
    let proxies = [ProxyLoad::start(figures, false).await, ProxyLoad::start(figures, true).await];
    let processor = ProcessorLoad::start(figures, options.carrier.into()).await;
    let mut tasks = JoinSet::new();
    for (at, proxy) in (0..).zip(&proxies) {
        proxy.clients(&mut tasks, options.seed + at * 1_000, options.clients);
    }
    processor.clients(&mut tasks, options.seed, options.connections);
    let (mut warm_kib, mut told) = (None, start);
    while figures.total() < options.responses && start.elapsed() < limit {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let part = (figures.total() as f64 / options.responses as f64)
            .max(start.elapsed().as_secs_f64() / limit.as_secs_f64());
        if part > 0.2 && warm_kib.is_none() {
            warm_kib = Some(resident_kib());
        }
        if told.elapsed() > Duration::from_secs(10) {
            told = Instant::now();
            let (total, seconds) = (figures.total(), start.elapsed().as_secs());
            println!("{seconds} s: {total} responses, {} KiB resident", resident_kib());
        }
    }
    let (total, seconds) = (figures.total(), start.elapsed().as_secs_f64());
    let end_kib = resident_kib();
    figures.end();
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            figures.problem(format!("a client: {error}"));
        }
    }
    for proxy in proxies {
        proxy.stop().await;
    }
    processor.stop().await;
    println!(
        "seed {}, processor on {:?}: {total} responses in {seconds:.0} s, {:.0} a second",
        options.seed,
        options.carrier,
        total as f64 / seconds
    );
    let warm_kib = warm_kib.unwrap_or(end_kib);
    println!("resident: {warm_kib} KiB at a fifth, {end_kib} KiB at the end");
    if end_kib > warm_kib + GROWTH_KIB {
        figures.problem(format!("resident memory grew from {warm_kib} to {end_kib} KiB"));
    }
}
