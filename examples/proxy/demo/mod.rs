//! The demo: an origin, the proxy and a client on loopback, each on a thread of its own, so that
//! what the proxy allocates can be told from the rest.

mod client;
mod meter;
pub(crate) mod origin;
mod pattern;
mod progress;
mod table;

use std::{
    future::Future,
    net::SocketAddr,
    sync::{Arc, atomic::Ordering::Relaxed},
    thread::JoinHandle,
    time::Duration,
};

use http::Uri;
use tokio::{net::TcpListener, runtime::Runtime, sync::oneshot};

use super::{
    BoxError,
    alloc::{Role, allocations, resident, set_role},
    engine::Plans,
    filter_spec::FilterSpec,
    options::Options,
    pipes::Pipes,
    run_with, server,
};

use meter::Tally;
use progress::Progress;

pub(crate) use table::{EngineStats, Transfer};

/// Where origin and proxy listen: a free port of loopback.
const LOOPBACK: ([u8; 4], u16) = ([127, 0, 0, 1], 0);

/// How fast the slow reader reads, in bytes a second.
pub(crate) const SLOW_RATE: u64 = 8 << 20;

/// How much is sent each way in the part of the demo with pipes, at most.
const PIPED_BYTES: u64 = 256 << 20;

/// The filters of the demo, if none are asked for. `delay` lets the body queue up to the marks, so
/// that its source is paused; the random bytes do not contain what `replace` looks for, but often
/// begin to.
const FILTERS: [&str; 6] =
    ["log", "delay=100", "hold=4K", "replace=tidegate:TIDEGATE", "sha256", "limit=1024G"];

/// A server on its own thread, stopped by dropping `stop`.
struct Running {
    addr: SocketAddr,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<Result<(), BoxError>>,
}

impl Running {
    /// Starts `serve` on a thread of this role, listening on a free port.
    fn start<F, Fut>(role: Role, serve: F) -> Result<Self, BoxError>
    where
        F: FnOnce(TcpListener, oneshot::Receiver<()>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), BoxError>>,
    {
        let (stop, stopped) = oneshot::channel();
        let (bound, addr) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            set_role(role);
            single_threaded()?.block_on(async {
                let listener = server::bind(LOOPBACK.into()).await?;
                bound.send(listener.local_addr()?)?;
                serve(listener, stopped).await
            })
        });
        match addr.recv() {
            Ok(addr) => Ok(Self { addr, stop, thread }),
            // The thread ended before it listened: its error says why.
            Err(_) => Err(join(thread).err().unwrap_or_else(|| "a server did not start".into())),
        }
    }

    /// Stops the server and waits for its end.
    fn stop(self) -> Result<(), BoxError> {
        drop(self.stop);
        join(self.thread)
    }
}

/// The result of a thread; its panic has been printed already.
fn join(thread: JoinHandle<Result<(), BoxError>>) -> Result<(), BoxError> {
    thread.join().map_err(|_| "a thread of the demo panicked")?
}

/// A runtime on the current thread.
fn single_threaded() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// Runs the demo and prints what it measured: once with bodies that are polled by who sends them,
/// and, shorter, once with bodies that move from task to task; with `--pipe` only that. An error if
/// any byte, digest or trailer was wrong.
pub(crate) fn run(options: &Options) -> Result<(), BoxError> {
    if !options.has_pipe() {
        println!("bodies are polled by who sends them");
        run_once(options)?;
        println!();
        println!("bodies move from task to task (--pipe)");
        return run_once(&options.with_pipe(PIPED_BYTES));
    }
    run_once(options)
}

fn run_once(options: &Options) -> Result<(), BoxError> {
    let allocated = allocations(Role::Engine);
    let stopping = |stopped: oneshot::Receiver<()>| async move { drop(stopped.await) };
    let origin = Running::start(Role::Origin, move |listener, stopped| async move {
        let drain = Duration::from_secs(1);
        server::serve(listener, |_| origin::service(), stopping(stopped), drain).await;
        Ok(())
    })?;
    let upstream: Uri = format!("http://{}", origin.addr).parse()?;
    let options = &with_filters(options)?.with_upstream(upstream);
    let plans = Plans::new(options)?;
    let tally = Arc::new(Tally::default());
    let told = Arc::clone(&tally);
    let layer = plans.layer(options)?.on_finish(Arc::new(move |direction, outcome, stats| {
        told.add(direction, outcome, stats);
    }));
    let layer = meter::metered(layer, Arc::clone(&tally));
    let pipes = Pipes::new(options.pipe()?);
    let (proxied, piped) = (options.clone(), pipes.clone());
    let proxy = Running::start(Role::Proxy, move |listener, stopped| async move {
        run_with(listener, &proxied, layer, piped, stopping(stopped)).await
    })?;
    println!("filters: {}", plans.names().join(" -> "));
    println!(
        "client -> {} -> proxy {} -> {} -> origin {}",
        version(options.demo_http2()),
        proxy.addr,
        version(options.http2_upstream()),
        origin.addr
    );
    let outcome = transfers(options, proxy.addr);
    proxy.stop()?;
    origin.stop()?;
    let transfers = outcome?;
    let engine = EngineStats {
        peak_held: tally.peak_held.load(Relaxed),
        bound: plans.held_bound(),
        pauses: tally.pauses.load(Relaxed),
        resumes: tally.resumes.load(Relaxed),
        chunks: tally.chunks.load(Relaxed),
        allocations: allocations(Role::Engine) - allocated,
        piped: pipes.chunks_and_wakes(),
    };
    table::print(&transfers, &engine, resident());
    let over = engine.peak_held > engine.bound;
    let over = over.then(|| "more was held than the bound allows".to_owned());
    let unpiped = engine.piped.is_some_and(|(chunks, _)| chunks == 0);
    let over = over.or_else(|| unpiped.then(|| "nothing went through the pipes".to_owned()));
    let fault = transfers.into_iter().find_map(|transfer| transfer.fault);
    match fault.or_else(|| tally.fault()).or(over) {
        None => Ok(()),
        Some(fault) => Err(fault.into()),
    }
}

/// The options with filters: those asked for, or the demo's.
fn with_filters(options: &Options) -> Result<Options, BoxError> {
    if !options.filters().is_empty() {
        return Ok(options.clone());
    }
    let specs = FILTERS.iter().map(|text| text.parse()).collect::<Result<Vec<FilterSpec>, _>>()?;
    Ok(options.with_filters(specs))
}

/// The name of an HTTP version.
fn version(http2: bool) -> &'static str {
    if http2 { "HTTP/2" } else { "HTTP/1.1" }
}

/// Sends the bytes down and up, on this thread, or stops on Ctrl-C.
fn transfers(options: &Options, proxy: SocketAddr) -> Result<Vec<Transfer>, BoxError> {
    set_role(Role::Client);
    single_threaded()?.block_on(async {
        let digests = options.filters().contains(&FilterSpec::Sha256);
        let client = client::Client::new(proxy, options.demo_http2(), digests);
        let (bytes, slow) = (options.demo_bytes(), options.demo_slow_bytes());
        let both = async {
            let progress = Progress::start("down", bytes);
            let (down, sum) = client.download(bytes, slow, &progress).await?;
            progress.finish();
            println!("{}", table::line(&down));
            let progress = Progress::start("up", bytes);
            let up = client.upload(bytes, sum, slow, &progress).await?;
            progress.finish();
            println!("{}", table::line(&up));
            Ok(vec![down, up])
        };
        tokio::select! {
            done = both => done,
            () = server::ctrl_c() => Err("stopped".into()),
        }
    })
}
