//! A gateway: routes from a YAML file, each with a flow of filters and an upstream, reloaded while
//! traffic flows.
//!
//! ```text
//! cargo run --release --example gateway                    # the demo, on loopback
//! cargo run --release --example gateway -- --config gateway.yaml --listen 127.0.0.1:8080
//! ```
//!
//! `file.rs` says what is in the file, `kinds.rs` which filters it can name. A file that cannot be
//! read changes nothing; a route that cannot be built keeps its last good flow; both are told with
//! the line. The demo plays the story of Envoy Gateway's issue #5595, and then reloads under load.
//!
//! This file only picks what to run.

#[path = "mod.rs"]
mod gateway;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use gateway::ends::{BoxError, server};
use gateway::{Gateway, demo};

/// A gateway whose routes are reloaded while traffic flows. Without --config it runs a demo on
/// loopback.
#[derive(Debug, Parser)]
#[command(name = "gateway")]
struct Options {
    /// The file with the routes; it is looked at twenty times a second.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Address to listen on.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080", requires = "config")]
    listen: SocketAddr,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let quiet = if options.config.is_none() { "error" } else { "info" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(quiet));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let done = match options.config {
        None => demo::run(&demo::Size::FULL),
        Some(file) => serve(file, options.listen),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gateway: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Serves until Ctrl-C.
fn serve(file: PathBuf, listen: SocketAddr) -> Result<(), BoxError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = server::bind(listen).await?;
        let gateway = Gateway::start(file, |event| println!("{event}"));
        println!("{}", gateway.bounds());
        gateway.serve(listener, server::ctrl_c(), Duration::from_secs(10)).await;
        println!("{}", gateway.stop());
        Ok(())
    })
}
