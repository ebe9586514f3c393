//! A streaming reverse proxy on hyper 1.x: HTTP/1.1 and HTTP/2 cleartext on both sides.
//!
//! ```text
//! cargo run --release --example proxy                       # the demo, on loopback
//! cargo run --release --example proxy -- \
//!     --upstream http://127.0.0.1:9000 --listen 127.0.0.1:8080 \
//!     --filter log --filter limit=10M --filter replace=OLD:NEW --filter sha256
//! ```
//!
//! `--help` lists the options, `filters/mod.rs` says what each filter does. The demo takes
//! `--filter` too, and `--demo-bytes 4G` to see that memory does not grow with the body
//! (`tests/proxy/memory.sh` compares).
//!
//! This file only picks what to run. Everything a test can use is in `mod.rs` and its modules.

#[path = "mod.rs"]
mod proxy;

use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use proxy::{alloc, demo, options::Options, run, server};

/// Counts allocations for the demo's table.
#[global_allocator]
static ALLOCATOR: alloc::Counting = alloc::Counting;

/// Reads the options, sets up logging and runs the demo or the proxy.
fn main() -> ExitCode {
    let options = Options::parse();
    let quiet = if options.is_demo() { "warn" } else { "info" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(quiet));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();

    let done = if options.is_demo() { demo::run(&options) } else { serve(&options) };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("proxy: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Serves until Ctrl-C.
fn serve(options: &Options) -> Result<(), proxy::BoxError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = server::bind(options.listen()).await?;
        run(listener, options, server::ctrl_c()).await
    })
}
