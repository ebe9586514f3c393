//! The proxy between clients and an origin, over loopback: most exchanges go well and are checked
//! byte by byte; some have a fault, and have to be told as that.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use clap::Parser;
use http::{Request, Response, request, response};
use http_body_util::{BodyExt, Either, Empty};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tidegate::body::{ExchangeLayer, RequestBody, Timeouts};
use tidegate::{Outcome, Plan};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use tower::util::service_fn;

use crate::dice::Dice;
use crate::figures::Figures;
use crate::filters::{FAULT, Later, Wrong};
use crate::origin::{self, CUT, DOWN, Patterned, UP};
use crate::pattern::Check;
use crate::proxy::options::Options;
use crate::proxy::{run_through, server};

/// An exchange that takes longer is stuck.
const STUCK: Duration = Duration::from_secs(120);

/// How long connections have to end.
const DRAIN: Duration = Duration::from_secs(10);

type Sent = Either<Patterned, Empty<bytes::Bytes>>;

/// The proxy and the origin.
pub(crate) struct ProxyLoad {
    address: SocketAddr,
    request: Plan<request::Parts>,
    response: Plan<response::Parts>,
    stops: [oneshot::Sender<()>; 2],
    serving: [JoinHandle<()>; 2],
    figures: Arc<Figures>,
}

fn listen_stop() -> (oneshot::Sender<()>, impl Future<Output = ()>) {
    let (stop, stopped) = oneshot::channel::<()>();
    (stop, async { drop(stopped.await) })
}

impl ProxyLoad {
    pub(crate) async fn start(figures: &Arc<Figures>, http2_upstream: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = listener.local_addr().unwrap();
        let told = Arc::clone(figures);
        let service = service_fn(move |request| origin::answer(request, Arc::clone(&told)));
        let (stop_origin, stopped) = listen_stop();
        let serving_origin =
            tokio::spawn(server::serve(listener, move |_| service.clone(), stopped, DRAIN));

        let request = Plan::builder()
            .filter("wrong", || Wrong)
            .filter("later", Later::default)
            .build()
            .unwrap();
        let response = Plan::builder().filter("later", Later::default).build().unwrap();
        let bound = request.held_bound_bytes().max(response.held_bound_bytes());
        let told = Arc::clone(figures);
        let timeouts = Timeouts::new().idle(STUCK / 2).hold(STUCK / 2);
        let layer = ExchangeLayer::new(request.clone(), response.clone())
            .unwrap()
            .request_timeouts(timeouts)
            .response_timeouts(timeouts)
            .on_finish(Arc::new(move |direction, outcome, stats| {
                if stats.peak_held_bytes > bound {
                    told.problem(format!("{} bytes held, over {bound}", stats.peak_held_bytes));
                }
                told.outcome(format!("{direction} {}", word(outcome)));
            }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let upstream = format!("http://{origin}");
        let mut arguments = vec!["proxy", "--upstream", &upstream];
        if http2_upstream {
            arguments.push("--http2-upstream");
        }
        let options = Options::try_parse_from(arguments).unwrap();
        let (stop_proxy, stopped) = listen_stop();
        let serving_proxy = tokio::spawn(async move {
            run_through::<_, RequestBody<Incoming>, _>(listener, &options, layer, stopped)
                .await
                .unwrap();
        });
        Self {
            address,
            request,
            response,
            stops: [stop_proxy, stop_origin],
            serving: [serving_proxy, serving_origin],
            figures: Arc::clone(figures),
        }
    }

    /// Begins the clients; they go on until the figures are over.
    pub(crate) fn clients(&self, tasks: &mut JoinSet<()>, seed: u64, count: u64) {
        for client in 0..count {
            let (address, figures) = (self.address, Arc::clone(&self.figures));
            let is_http2 = client % 2 == 1;
            let mut dice = Dice::new(seed, client);
            tasks.spawn(async move {
                let mut sender = None;
                let mut number = 0_u64;
                while !figures.is_over() {
                    let at = format!("seed {seed}, client {client}, exchange {number}");
                    let one = exchange(address, is_http2, &mut sender, &mut dice, &figures, &at);
                    if tokio::time::timeout(STUCK, one).await.is_err() {
                        figures.problem(format!("{at}: stuck"));
                        sender = None;
                    }
                    number += 1;
                }
            });
        }
    }

    /// Stops both; what is wrong then.
    pub(crate) async fn stop(self) {
        for (stop, serving) in self.stops.into_iter().zip(self.serving) {
            drop(stop);
            serving.await.unwrap();
        }
        // Connections that were cut off at the end of the drain have tasks of their own.
        tokio::time::sleep(DRAIN).await;
        for (name, stats) in
            [("request", self.request.recycling()), ("response", self.response.recycling())]
        {
            println!("proxy, chains of {name}s: {stats:?}");
            if stats.reused + stats.missed != stats.returned + stats.refused {
                self.figures.problem(format!("{name}: chains are missing: {stats:?}"));
            }
        }
    }
}

fn word(outcome: &Outcome) -> String {
    let word = match outcome {
        Outcome::Complete { .. } => "complete",
        Outcome::Reset(_) => "reset",
        Outcome::Cancelled => "cancelled",
        Outcome::Replaced { .. } => "replaced",
        Outcome::Stalled(_) => "stalled",
        Outcome::Failed(_) => "failed",
        Outcome::TimedOut(_) => "timed out",
        _ => "other",
    };
    word.to_owned()
}

/// A connection.
enum Sender {
    Http1(http1::SendRequest<Sent>),
    Http2 { requests: http2::SendRequest<Sent>, history: History },
}

/// What has been on a connection of HTTP/2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum History {
    Whole,
    /// A request was answered before all of it had come.
    AnsweredEarly,
}

impl Sender {
    async fn connect(address: SocketAddr, is_http2: bool) -> Option<Self> {
        let socket = TcpStream::connect(address).await.ok()?;
        socket.set_nodelay(true).ok()?;
        let io = TokioIo::new(socket);
        if is_http2 {
            let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await.ok()?;
            tokio::spawn(connection);
            return Some(Self::Http2 { requests: sender, history: History::Whole });
        }
        let (sender, connection) = http1::handshake(io).await.ok()?;
        tokio::spawn(connection);
        Some(Self::Http1(sender))
    }

    async fn is_ready(&mut self) -> bool {
        match self {
            Self::Http1(sender) => sender.ready().await.is_ok(),
            Self::Http2 { requests, .. } => requests.ready().await.is_ok(),
        }
    }

    async fn send(&mut self, request: Request<Sent>) -> hyper::Result<Response<Incoming>> {
        match self {
            Self::Http1(sender) => sender.send_request(request).await,
            Self::Http2 { requests, .. } => requests.send_request(request).await,
        }
    }

    fn was_answered_early(&mut self) {
        if let Self::Http2 { history, .. } = self {
            *history = History::AnsweredEarly;
        }
    }

    /// Whether an error is the end of a connection on which trailers came late. An h2 server forgets
    /// a request that it has answered early after a second, and takes trailers of it that were
    /// under way for a stream of its past: PROTOCOL_ERROR, for the whole connection (0.4.20).
    fn trailers_came_late(&self, error: &hyper::Error) -> bool {
        matches!(self, Self::Http2 { history: History::AnsweredEarly, .. })
            && of_http2(error).is_some_and(|it| {
                it.is_go_away() && it.is_remote() && it.reason() == Some(h2::Reason::PROTOCOL_ERROR)
            })
    }
}

/// What goes wrong in an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    /// The client's body fails.
    Upload,
    /// The client drops the response.
    Download,
    /// The client drops its whole connection while it waits.
    Connection,
    /// The origin's body fails.
    Origin,
    Panic,
    Lose,
}

impl Fault {
    fn draw(dice: &mut Dice) -> Self {
        match dice.below(200) {
            0 => Self::Upload,
            1 => Self::Download,
            2 => Self::Connection,
            3 => Self::Origin,
            4 => Self::Panic,
            5 => Self::Lose,
            _ => Self::None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Upload => "upload cut",
            Self::Download => "download dropped",
            Self::Connection => "connection dropped",
            Self::Origin => "origin cut",
            Self::Panic => "filter panics",
            Self::Lose => "filter loses its handle",
        }
    }
}

/// The head of a request that goes well: how each body begins, and its length in bytes.
fn head(is_http2: bool, up: (usize, usize), down: (usize, usize)) -> request::Builder {
    let request = Request::post(if is_http2 { "http://proxy/" } else { "/" })
        .header("te", "trailers")
        .header(UP[0], up.0)
        .header(UP[1], up.1)
        .header(DOWN[0], down.0)
        .header(DOWN[1], down.1);
    if is_http2 { request } else { request.header("host", "proxy").header("connection", "te") }
}

async fn exchange(
    address: SocketAddr,
    is_http2: bool,
    sender: &mut Option<Sender>,
    dice: &mut Dice,
    figures: &Figures,
    at: &str,
) {
    let fault = Fault::draw(dice);
    let (up, down) = (dice.length(), dice.length());
    let (up_first, down_first) = (dice.below(251), dice.below(251));
    let request = head(is_http2, (up_first, up), (down_first, down));
    let request = match fault {
        Fault::Origin => request.header(CUT, dice.below(down + 1)),
        Fault::Panic => request.header(FAULT, "panic"),
        Fault::Lose => request.header(FAULT, "lose"),
        _ => request,
    };
    let cut = (fault == Fault::Upload).then(|| dice.below(up + 1));
    let body = if up == 0 && cut.is_none() {
        Either::Right(Empty::new())
    } else {
        Either::Left(Patterned::new(up_first, up, 64 + dice.below(40_000), cut))
    };
    let request = request.body(body).unwrap();
    let is_ready = match sender {
        Some(ready) => ready.is_ready().await,
        None => false,
    };
    if !is_ready {
        *sender = Sender::connect(address, is_http2).await;
    }
    let Some(ready) = sender else {
        figures.problem(format!("{at}: no connection"));
        return;
    };
    let wait = ready.send(request);
    let answer = if fault == Fault::Connection {
        let _ = tokio::time::timeout(Duration::from_micros(200), wait).await;
        *sender = None;
        None
    } else {
        Some(wait.await)
    };
    let came_late = |error: &_| sender.as_ref().is_some_and(|it| it.trailers_came_late(error));
    let is_cut_short = up > 0 && !is_http2;
    let wrong = judge(answer, fault, is_cut_short, came_late, down_first, down, figures).await;
    if fault != Fault::None {
        figures.fault(fault.name());
        // An HTTP/1 connection is not used again behind a fault.
        if !is_http2 {
            *sender = None;
        }
        if let (Fault::Panic | Fault::Lose, Some(connection)) = (fault, sender.as_mut()) {
            connection.was_answered_early();
        }
    }
    if let Some(wrong) = wrong {
        figures
            .problem(format!("{at}, http2 {is_http2}, {fault:?}, {up} up, {down} down: {wrong}"));
        *sender = None;
    }
    figures.responses.fetch_add(1, Relaxed);
    figures.body_bytes.fetch_add((up + down) as u64, Relaxed);
}

fn of_http2(error: &hyper::Error) -> Option<&h2::Error> {
    std::error::Error::source(error).and_then(|it| it.downcast_ref())
}

/// Its message was ended by the other side, and nothing else is wrong with the connection.
fn is_reset(error: &hyper::Error) -> bool {
    // One that this side made is an answer that it cannot read.
    let is_remote = |error: &h2::Error| error.is_reset() && error.is_remote();
    error.is_incomplete_message() || of_http2(error).is_some_and(is_remote)
}

/// What is wrong with an answer. `is_cut_short`: the connection of a request that is answered
/// before it was read is closed. `came_late`: an error is about an exchange before this one.
async fn judge(
    answer: Option<hyper::Result<Response<Incoming>>>,
    fault: Fault,
    is_cut_short: bool,
    came_late: impl Fn(&hyper::Error) -> bool,
    first: usize,
    bytes: usize,
    figures: &Figures,
) -> Option<String> {
    let response = match (answer, fault) {
        (None, _) | (Some(Err(_)), Fault::Upload) => return None,
        (Some(Err(error)), _) if came_late(&error) => {
            figures.fault("connection ended by late trailers");
            return None;
        }
        // Answered before its body was read: a client of HTTP/1.1 that is still sending may see its
        // connection go before it sees the answer.
        (Some(Err(_)), Fault::Panic | Fault::Lose) if is_cut_short => return None,
        // A body that fails before its head was written takes the head with it: h2 drops what a
        // stream that is reset has queued, hyper's HTTP/1.1 what it has not flushed.
        (Some(Err(error)), Fault::Origin) if is_reset(&error) => return None,
        (Some(Err(error)), _) => return Some(format!("no response: {error:?}")),
        (Some(Ok(response)), _) => response,
    };
    let status = response.status().as_u16();
    match fault {
        Fault::Panic | Fault::Lose => {
            return (status != 500).then(|| format!("500 expected, and {status}"));
        }
        // Whether the error or an answer to it comes first is a race that is the client's own.
        Fault::Upload => return (status == 200).then(|| "200 to a request cut off".to_owned()),
        Fault::Origin if matches!(status, 502 | 500) => return None,
        Fault::Download => return None,
        _ if status != 200 => return Some(format!("status {status}")),
        _ => {}
    }
    let mut check = Check::new(first);
    let (mut body, mut trailers) = (response.into_body(), None);
    let end = loop {
        match body.frame().await {
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) => check.take(&data),
                Err(frame) => trailers = frame.into_trailers().ok(),
            },
            Some(Err(error)) => break Err(error),
            None => break Ok(()),
        }
    };
    if !check.is_right {
        return Some(format!("wrong bytes: {check:?}"));
    }
    match (end, fault) {
        (Ok(()), Fault::Origin) => Some("a response that was cut off looks whole".to_owned()),
        (Err(_), Fault::Origin) => None,
        (Err(error), _) if came_late(&error) => {
            figures.fault("connection ended by late trailers");
            None
        }
        (Err(error), _) => Some(format!("cut off: {error}")),
        (Ok(()), _) if check.came != bytes => Some(format!("{} of {bytes} bytes", check.came)),
        (Ok(()), _) => {
            let sum = trailers.as_ref().and_then(|fields| origin::number(fields, "x-sum"));
            if sum != Some(bytes) {
                figures.fault("trailers missing");
                return Some(format!("trailers {trailers:?}"));
            }
            None
        }
    }
}
