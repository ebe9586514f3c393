//! An external processor for Envoy (`ext_proc`) that runs the filters of the proxy example.
//!
//! ```text
//! bash examples/envoy-demo.sh                     # with a real Envoy, on loopback
//! cargo run --release --example ext_proc -- --listen 127.0.0.1:9002 \
//!     --mode FULL_DUPLEX_STREAMED --filter log --filter replace=cat:tiger > envoy.yaml
//! envoy -c envoy.yaml                             # in another terminal
//! ```
//!
//! The bootstrap that it prints is made from the same value as the server, so that what Envoy sends
//! and what the server expects cannot differ. `--help` lists the options.
//!
//! This file only picks what to run. Everything a test can use is in `mod.rs` and its modules.

#[path = "mod.rs"]
mod ext_proc;
#[path = "../proxy/filter_spec.rs"]
mod filter_spec;
#[allow(unused_imports, reason = "the demo of the proxy uses more of them")]
#[path = "../proxy/filters/mod.rs"]
mod filters;

use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use ext_proc::{BoxError, Processor, options::Options, stop};

fn main() -> ExitCode {
    let options = Options::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match serve(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ext_proc: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Serves until Ctrl-C or SIGTERM.
fn serve(options: &Options) -> Result<(), BoxError> {
    let processor = Processor::new(options)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let stopped = stop::asked()?;
        let (listener, bootstrap) = processor.listen(options).await?;
        print!("{bootstrap}");
        processor.serve(listener, options, stopped).await
    })
}
