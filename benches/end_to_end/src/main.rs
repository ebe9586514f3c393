//! Proxies and external processors end to end, side by side: what a body and a request cost each
//! process on their way.
//!
//! `benches/end_to_end/run` in the folder of the crate builds all, fetches Envoy, runs this, and
//! writes `docs/performance.md`. With names of parts (`proxies`, `NONE`, `STREAMED` ...) it runs
//! those and keeps the others of the page; `--quick` runs everything shortly and only prints.
//!
//! One client and one origin; between them, in turn, each contender in processes of its own. Bytes
//! and trailers are checked at both ends of every exchange: one that is not as it was sent, or not
//! answered, ends the run.

mod body;
mod client;
mod comparison;
mod contender;
mod cores;
mod envoy;
mod forwarder;
mod instructions;
mod load;
mod machine;
mod mode;
// The other processor is the one that the processors alone are compared with.
#[path = "../../ext_proc/src/naive.rs"]
mod naive;
mod options;
mod origin;
mod page;
mod part;
mod process;
mod processor;
mod protocol;
mod round;
mod sample;
#[allow(dead_code, reason = "the other benchmark uses more of it")]
#[path = "../../ext_proc/src/scenario.rs"]
mod scenario;
mod table;
#[path = "../../ext_proc/src/usage.rs"]
mod usage;

use std::process::ExitCode;
use std::time::Instant;

use tokio::{net::TcpListener, runtime};

use options::{Command, Options, Serve};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match Command::parse(&args) {
        Ok(Command::Serve(serve)) => {
            run_server(&serve);
            ExitCode::SUCCESS
        }
        Ok(Command::Measure(options)) => {
            measure(&options);
            ExitCode::SUCCESS
        }
        Err(what) => {
            eprintln!("end_to_end: {what}");
            ExitCode::FAILURE
        }
    }
}

/// One of the processes that are measured: serves until it is killed.
fn run_server(serve: &Serve) {
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(serve.workers)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", serve.port)).await.expect("a free port");
        let task = match serve.who {
            options::Who::Origin => tokio::spawn(origin::serve(listener)),
            options::Who::Hyper { origin } => tokio::spawn(forwarder::serve(listener, origin)),
            options::Who::Tidegate(mode) => tokio::spawn(processor::serve(listener, mode)),
            options::Who::Tonic(mode) => tokio::spawn(naive::serve(listener, mode.of_naive())),
        };
        task.await.expect("a server");
    });
}

fn measure(options: &Options) {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let fresh = runtime.block_on(async {
        let address = process::free_address();
        let origin = contender::start_origin(address);
        let mut fresh = Vec::new();
        for &part in &options.parts {
            let start = Instant::now();
            let section = part.measure(options, address, &origin).await;
            eprintln!("{}: {:.0?}", part.name(), start.elapsed());
            println!("{section}");
            fresh.push((part, section));
        }
        fresh
    });
    if let Some(file) = &options.page {
        page::write(file, options, &fresh);
        println!("written to {}", file.display());
    }
}
