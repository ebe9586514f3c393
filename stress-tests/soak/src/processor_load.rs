//! The external processor behind clients that play Envoy, over loopback: streams in full duplex,
//! whose every byte is checked; some are reset, half-closed or dropped in the middle.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tidegate::exchange::ExchangePlan;
use tidegate::ext_proc::mode::{BodyMode, DirectionMode, ProcessingMode};
use tidegate::ext_proc::server::{
    Carrier, ExternalProcessor, PROCESS_PATH, ServeSettings, Served, StreamReport, StreamSettings,
};
use tidegate::ext_proc::session::{SessionEnd, SessionPlan, SessionSettings};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::{JoinHandle, JoinSet};

use crate::dice::Dice;
use crate::figures::Figures;
use crate::filters::Later;
use crate::messages::{
    Frames, Mutation, ProcessingRequest, ProcessingResponse, RequestPart, ResponsePart,
    message_frame, protocol_config, request_body, request_headers, request_trailers, response_body,
    response_headers, response_trailers,
};
use crate::pattern::{self, Check};
use crate::queue::{self, Queue};

/// A stream that takes longer is stuck.
const STUCK: Duration = Duration::from_secs(120);

/// The processor.
pub(crate) struct ProcessorLoad {
    address: SocketAddr,
    plan: ExchangePlan,
    processor: ExternalProcessor,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<Served>,
    figures: Arc<Figures>,
}

impl ProcessorLoad {
    pub(crate) async fn start(figures: &Arc<Figures>, carrier: Carrier) -> Self {
        let filters =
            ExchangePlan::builder().pair("later", || (Later::default(), Later::default()));
        let plan = filters.build().unwrap();
        let mode = DirectionMode::full_duplex();
        let settings = SessionSettings::new(ProcessingMode::new(mode, mode));
        let session = SessionPlan::new(plan.clone(), settings).unwrap();
        let told = Arc::clone(figures);
        let settings = StreamSettings::new().on_end(move |report: &StreamReport| {
            told.outcome(format!("stream {}", word(&report.end)));
        });
        let processor = ExternalProcessor::new(session).settings(settings);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let serve = ServeSettings::new().carrier(carrier);
        let server = processor.clone().serve(listener, serve, async {
            drop(stopped.await);
        });
        let serving = tokio::spawn(server);
        let figures = Arc::clone(figures);
        Self { address, plan, processor, stop, serving, figures }
    }

    /// Begins the connections; they go on until the figures are over.
    pub(crate) fn clients(&self, tasks: &mut JoinSet<()>, seed: u64, count: u64) {
        for client in 0..count {
            let (address, figures) = (self.address, Arc::clone(&self.figures));
            let mut dice = Dice::new(seed, 1_000_000 + client);
            tasks.spawn(async move {
                while !figures.is_over() {
                    connection(address, seed, client, &mut dice, &figures).await;
                }
            });
        }
    }

    /// Stops it; what is wrong then.
    pub(crate) async fn stop(self) {
        drop(self.stop);
        let served = self.serving.await.unwrap();
        println!("processor: {served:?}");
        let live = self.processor.drain().live_streams();
        if live > 0 || served.cut > 0 {
            self.figures.problem(format!("{live} streams are live, {} cut", served.cut));
        }
        for (name, stats) in [
            ("request", self.plan.request().recycling()),
            ("response", self.plan.response().recycling()),
        ] {
            println!("processor, chains of {name}s: {stats:?}");
            if stats.reused + stats.missed != stats.returned + stats.refused {
                self.figures.problem(format!("{name}: chains are missing: {stats:?}"));
            }
        }
    }
}

fn word(end: &SessionEnd) -> &'static str {
    match end {
        SessionEnd::Complete => "complete",
        SessionEnd::Replied { .. } => "replied",
        SessionEnd::Released => "released",
        SessionEnd::Abandoned => "abandoned",
        SessionEnd::Failed(_) => "failed",
        _ => "other",
    }
}

/// One connection, with some streams one behind the other and some at once, and then dropped: now
/// and then in the middle of them.
async fn connection(
    address: SocketAddr,
    seed: u64,
    client: u64,
    dice: &mut Dice,
    figures: &Arc<Figures>,
) {
    let Some(sender) = connect(address).await else {
        figures.problem(format!("seed {seed}, connection {client}: none to be had"));
        return;
    };
    for round in 0..200 {
        if figures.is_over() {
            return;
        }
        let mut streams = JoinSet::new();
        for _ in 0..8 {
            let (sender, figures) = (sender.clone(), Arc::clone(figures));
            let dice = Dice::new(dice.roll(), round);
            streams.spawn(async move { stream(sender, dice, &figures).await });
        }
        if dice.below(500) == 0 {
            figures.fault("connection of a processor dropped");
            streams.abort_all();
            return;
        }
        while let Some(ended) = streams.join_next().await {
            if let Err(error) = ended {
                figures.problem(format!("seed {seed}, connection {client}: {error}"));
                return;
            }
        }
    }
}

async fn connect(address: SocketAddr) -> Option<SendRequest<Queue>> {
    let socket = TcpStream::connect(address).await.ok()?;
    socket.set_nodelay(true).ok()?;
    let io = TokioIo::new(socket);
    let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await.ok()?;
    tokio::spawn(connection);
    Some(sender)
}

async fn stream(sender: SendRequest<Queue>, dice: Dice, figures: &Figures) {
    match tokio::time::timeout(STUCK, play(sender, dice, figures)).await {
        Ok(None) => {}
        Ok(Some(wrong)) => figures.problem(format!("a stream: {wrong}")),
        Err(_) => figures.problem("a stream is stuck".to_owned()),
    }
    figures.streams.fetch_add(1, Relaxed);
}

const POST: [(&str, &str); 4] =
    [(":method", "POST"), (":path", "/"), (":scheme", "http"), (":authority", "origin")];

/// One direction of a stream: what is sent, and what has come back.
struct Half {
    first: usize,
    bytes: usize,
    check: Check,
    has_head: bool,
    has_trailers: bool,
}

impl Half {
    fn draw(dice: &mut Dice) -> Self {
        let (first, bytes) = (dice.below(251), dice.length());
        Self { first, bytes, check: Check::new(first), has_head: false, has_trailers: false }
    }

    /// The pieces that are sent.
    fn pieces(&self, dice: &mut Dice) -> Vec<Bytes> {
        let (mut at, mut pieces) = (0, Vec::new());
        while at < self.bytes {
            let most = (1 + dice.below(30_000)).min(self.bytes - at);
            pieces.push(pattern::piece(self.first, at, most));
            at += most;
        }
        pieces
    }

    fn is_whole(&self) -> bool {
        self.has_trailers && self.check.came == self.bytes && self.check.is_right
    }
}

/// How a stream is given up in the middle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Reset,
    Dropped,
    HalfClosed,
}

/// How far the other half of a stream is.
#[derive(Default)]
struct Turn {
    /// The request's head has been answered: a response can begin.
    answered: Notify,
    dropped: Notify,
}

async fn play(mut sender: SendRequest<Queue>, mut dice: Dice, figures: &Figures) -> Option<String> {
    let mut halves = [Half::draw(&mut dice), Half::draw(&mut dice)];
    let script = script(&halves, &mut dice);
    figures.body_bytes.fetch_add((halves[0].bytes + halves[1].bytes) as u64, Relaxed);
    let fault = match dice.below(100) {
        0 => Some((Fault::Reset, "stream reset")),
        1 => Some((Fault::Dropped, "stream dropped")),
        2 => Some((Fault::HalfClosed, "stream half-closed")),
        _ => None,
    };
    if let Some((_, name)) = fault {
        figures.fault(name);
    }
    let fault = fault.map(|(fault, _)| (fault, dice.below(script.len())));

    let (requests, body) = queue::queue(4);
    let call = Request::post(format!("http://processor{PROCESS_PATH}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(body)
        .unwrap();
    let response = match sender.send_request(call).await {
        Ok(response) => response,
        Err(error) => return Some(format!("no answer: {error}")),
    };
    let turn = Turn::default();
    let first_of_response =
        script.iter().position(|it| matches!(it.request, Some(RequestPart::ResponseHeaders(_))));
    let send = async {
        for (at, message) in script.iter().enumerate() {
            match fault {
                Some((Fault::Reset, end)) if end == at => return requests.reset(),
                Some((Fault::Dropped, end)) if end == at => {
                    turn.dropped.notify_one();
                    return std::future::pending().await;
                }
                Some((Fault::HalfClosed, end)) if end == at => return,
                _ => {}
            }
            if Some(at) == first_of_response {
                turn.answered.notified().await;
            }
            // The server may have ended the stream.
            if !requests.send(message_frame(message)).await {
                return;
            }
        }
        drop(requests);
    };
    let receive = receive(response.into_body(), &mut halves, &turn);
    let received = tokio::select! {
        (_, received) = async { tokio::join!(send, receive) } => received,
        () = turn.dropped.notified() => return None,
    };
    if let Some(wrong) = halves.iter().find(|half| !half.check.is_right) {
        return Some(format!("wrong bytes: {:?}", wrong.check));
    }
    match (received, fault) {
        // Between the request's end and the response nothing was cut.
        (Ok(()), Some((Fault::HalfClosed, end))) if end > 0 && Some(end) != first_of_response => {
            Some(format!("cut off before message {end}, and ended as if it were whole"))
        }
        (_, Some(_)) => None,
        (Err(wrong), None) => Some(wrong),
        (Ok(()), None) => {
            let both = halves.iter().map(|half| &half.check).collect::<Vec<_>>();
            (!halves.iter().all(Half::is_whole)).then(|| format!("not whole: {both:?}"))
        }
    }
}

/// What an Envoy says of one exchange.
fn script(halves: &[Half; 2], dice: &mut Dice) -> Vec<ProcessingRequest> {
    let number = BodyMode::FullDuplexStreamed.number();
    let mut script = vec![request_headers(&POST, false).first(protocol_config(number, number))];
    script.extend(halves[0].pieces(dice).into_iter().map(|it| request_body(it, false)));
    script.push(request_trailers(&[("x-sum", "1")]));
    script.push(response_headers(&[(":status", "200")], false));
    script.extend(halves[1].pieces(dice).into_iter().map(|it| response_body(it, false)));
    script.push(response_trailers(&[("x-sum", "1")]));
    script
}

/// Reads all answers, and the status behind them.
async fn receive(mut body: Incoming, halves: &mut [Half; 2], turn: &Turn) -> Result<(), String> {
    let mut frames = Frames::default();
    let mut status = None;
    while let Some(frame) = body.frame().await {
        match frame.map_err(|error| error.to_string())?.into_data() {
            Ok(data) => frames.push(&data),
            Err(frame) => {
                let trailers = frame.into_trailers().ok();
                status = trailers.and_then(|it| it.get("grpc-status").cloned());
            }
        }
        while let Some(answer) = frames.next::<ProcessingResponse>() {
            if let Some(wrong) = take(answer, halves) {
                return Err(wrong);
            }
            if halves[0].has_head {
                turn.answered.notify_one();
            }
        }
    }
    turn.answered.notify_one();
    match status {
        Some(status) if status == "0" => Ok(()),
        other => Err(format!("status {other:?}")),
    }
}

/// What is wrong with an answer.
fn take(answer: ProcessingResponse, halves: &mut [Half; 2]) -> Option<String> {
    let [request, response] = halves;
    let (half, part) = match answer.response? {
        ResponsePart::RequestHeaders(_) => {
            request.has_head = true;
            return None;
        }
        ResponsePart::ResponseHeaders(_) => {
            response.has_head = true;
            return None;
        }
        ResponsePart::RequestTrailers(_) => {
            request.has_trailers = true;
            return None;
        }
        ResponsePart::ResponseTrailers(_) => {
            response.has_trailers = true;
            return None;
        }
        ResponsePart::RequestBody(part) => (request, part),
        ResponsePart::ResponseBody(part) => (response, part),
        other => return Some(format!("{other:?}")),
    };
    match part.response.and_then(|it| it.body_mutation).and_then(|it| it.mutation) {
        Some(Mutation::StreamedResponse(piece)) => half.check.take(&piece.body),
        other => return Some(format!("{other:?}")),
    }
    (!half.check.is_right).then(|| format!("wrong bytes: {:?}", half.check))
}
