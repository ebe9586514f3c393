//! The cells of the external processor: a data plane that goes wrong, and filters that do.

use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tidegate::body::Timeouts;
use tidegate::exchange::ExchangePlan;
use tidegate::ext_proc::mode::{BodyMode, DirectionMode, ProcessingMode};
use tidegate::ext_proc::server::{
    Carrier, ExternalProcessor, PROCESS_PATH, ServeSettings, StreamReport, StreamSettings,
    serve_direct_connection,
};
use tidegate::ext_proc::session::{SessionEnd, SessionPlan, SessionSettings};

use crate::board::Board;
use crate::case::{self, Finding};
use crate::cell::{Cell, Fault, Phase, Side, Version};
use crate::exchange::PIECES;
use crate::filters::{self, Actor, Part};
use crate::messages::{
    Frames, Mutation, ProcessingRequest, ProcessingResponse, ResponsePart, message_frame,
    protocol_config, request_body, request_headers, request_trailers, response_body,
    response_headers, response_trailers,
};
use crate::net::{self, TcpListener, TcpStream};
use crate::peer::{Peer, Role};

const HOLD: Duration = Duration::from_secs(10);
const IDLE: Duration = Duration::from_secs(20);
const STALL: Duration = Duration::from_secs(30);

const POST: [(&str, &str); 4] =
    [(":method", "POST"), (":path", "/"), (":scheme", "http"), (":authority", "origin")];

/// What an Envoy says of one exchange, in order.
fn script() -> [ProcessingRequest; 8] {
    let number = BodyMode::FullDuplexStreamed.number();
    [
        request_headers(&POST, false).first(protocol_config(number, number)),
        request_body(PIECES[0], false),
        request_body(PIECES[1], false),
        request_trailers(&[("x-sum", "1")]),
        response_headers(&[(":status", "200")], false),
        response_body(PIECES[0], false),
        response_body(PIECES[1], false),
        response_trailers(&[("x-sum", "1")]),
    ]
}

/// How many of them have been said when the fault comes; all, where a filter goes wrong.
fn said(cell: Cell) -> usize {
    if cell.fault.is_of_filter() {
        return 8;
    }
    match (cell.side, cell.phase) {
        (Side::Client, Phase::BeforeHead | Phase::InHead) => 0,
        (Side::Client, Phase::AfterHead) => 1,
        (Side::Client, Phase::BeforeTrailers) => 3,
        (Side::Client, _) => 2,
        (Side::Origin, Phase::BeforeHead | Phase::InHead) => 4,
        (Side::Origin, Phase::AfterHead) => 5,
        (Side::Origin, Phase::BeforeTrailers) => 7,
        (Side::Origin, _) => 6,
    }
}

struct Stream {
    envoy: Peer,
}

impl Stream {
    async fn settle(&mut self) {
        let mut quiet = 0;
        while quiet < 2 {
            tokio::time::sleep(Duration::from_millis(1)).await;
            quiet = if self.envoy.pump() { 0 } else { quiet + 1 };
        }
    }

    async fn say(&mut self, message: &ProcessingRequest) {
        let bytes = self.envoy.data(&message_frame(message));
        self.envoy.send(&bytes);
        self.settle().await;
    }

    async fn play(&mut self, cell: Cell) {
        self.settle().await;
        let call = self.envoy.call(PROCESS_PATH);
        self.envoy.send(&call);
        self.settle().await;
        self.envoy.deaf = cell.phase == Phase::Reply && !cell.fault.is_of_filter();
        let script = script();
        let early = cell.phase == Phase::AfterResponseHead;
        for (at, message) in script.iter().enumerate().take(said(cell)) {
            // The response begins behind the first piece of the request.
            if early && at == 2 {
                self.say(&script[4]).await;
                self.say(&script[5]).await;
            }
            if !(early && (4..6).contains(&at)) {
                self.say(message).await;
            }
        }
        if cell.fault.is_of_filter() {
            return;
        }
        if early {
            self.say(&script[4]).await;
            self.say(&script[5]).await;
        }
        if cell.phase == Phase::InHead {
            let head = if cell.side == Side::Client { &script[0] } else { &script[4] };
            let whole = message_frame(head);
            let bytes = self.envoy.data(&whole[..whole.len() / 2]);
            self.envoy.send(&bytes);
            self.settle().await;
        }
        self.envoy.deaf = false;
        match cell.fault {
            Fault::Gone => self.envoy.close(),
            Fault::Reset => self.envoy.reset(),
            Fault::StreamReset => self.envoy.reset_stream(),
            Fault::Stalled => self.envoy.deaf = true,
            Fault::HalfClosed => self.envoy.end_stream(),
            _ => unreachable!("a peer does not"),
        }
        self.settle().await;
    }

    /// What was answered of the request, of the response, and how the stream ended.
    fn told(&self) -> (String, String, Vec<String>) {
        let mut frames = Frames::default();
        frames.push(&self.envoy.seen.body);
        let (mut request, mut response) = (Answered::default(), Answered::default());
        while let Some(answer) = frames.next::<ProcessingResponse>() {
            let body = |part: crate::messages::BodyResponse| match part
                .response
                .and_then(|it| it.body_mutation)
                .and_then(|it| it.mutation)
            {
                Some(Mutation::StreamedResponse(piece)) => piece.body,
                other => panic!("{other:?}"),
            };
            match answer.response.expect("an answer has a part") {
                ResponsePart::RequestHeaders(_) => request.words.push("head".to_owned()),
                ResponsePart::ResponseHeaders(_) => response.words.push("head".to_owned()),
                ResponsePart::RequestBody(part) => request.bytes.extend(body(part)),
                ResponsePart::ResponseBody(part) => response.bytes.extend(body(part)),
                ResponsePart::RequestTrailers(_) => request.trailers = true,
                ResponsePart::ResponseTrailers(_) => response.trailers = true,
                ResponsePart::ImmediateResponse(reply) => {
                    let code = reply.status.map_or(0, |status| status.code);
                    response.words.push(format!("reply {code}"));
                }
                ResponsePart::StreamedImmediateResponse(_) => unreachable!("it is not asked for"),
            }
        }
        let lies = [("request", &request), ("response", &response)];
        let lies = lies.iter().filter_map(|(name, answered)| answered.lie(name)).collect();
        let status = self.envoy.trailer("grpc-status");
        let end = match status {
            Some(status) => format!("status {status}"),
            None => "no status".to_owned(),
        };
        (format!("{} / {}; {end}", request.text(), response.text()), end, lies)
    }
}

/// What was answered of one message.
#[derive(Default)]
struct Answered {
    words: Vec<String>,
    bytes: Vec<u8>,
    trailers: bool,
}

impl Answered {
    fn text(&self) -> String {
        let mut words = self.words.clone();
        if !self.bytes.is_empty() {
            words.push(format!("{} B", self.bytes.len()));
        }
        if self.trailers {
            words.push("trailers".to_owned());
        }
        if words.is_empty() { "–".to_owned() } else { words.join(", ") }
    }

    fn lie(&self, name: &str) -> Option<String> {
        let whole = PIECES.concat();
        if self.trailers && self.bytes != whole {
            return Some(format!("the {name} has an end, and is not whole"));
        }
        let is_start = whole.starts_with(&self.bytes);
        (!is_start).then(|| format!("the {name} is answered with what nobody sent"))
    }
}

fn processor(cell: Cell, board: &Arc<Board>) -> (ExternalProcessor, ExchangePlan) {
    let (request, response) = cell.parts();
    let filters = ExchangePlan::builder()
        .request("first", Board::probe_of_request)
        .response("first-response", Board::probe_of_response);
    let filters = match request {
        Part::Hang(moment) => filters.request("hangs", filters::hangs(moment)),
        _ => filters.request("actor", move || Actor::new(request)),
    };
    let filters = match response {
        Part::Hang(moment) => filters.response("hangs", filters::hangs(moment)),
        _ => filters.response("actor", move || Actor::new(response)),
    };
    let plan = filters.build().unwrap();
    let mode = DirectionMode::full_duplex();
    let settings = SessionSettings::new(ProcessingMode::new(mode, mode));
    let session = SessionPlan::new(plan.clone(), settings).unwrap();
    let timeouts = Timeouts::new().hold(HOLD).idle(IDLE);
    let board = Arc::clone(board);
    let settings = StreamSettings::new()
        .timeouts(timeouts)
        .stall(Some(STALL))
        .on_end(move |report: &StreamReport| board.report(word(&report.end)));
    (ExternalProcessor::new(session).settings(settings), plan)
}

fn word(end: &SessionEnd) -> String {
    match end {
        SessionEnd::Complete => "complete".to_owned(),
        SessionEnd::Replied { status } => format!("replied {}", status.as_u16()),
        SessionEnd::Released => "released".to_owned(),
        SessionEnd::Abandoned => "abandoned".to_owned(),
        SessionEnd::Failed(error) => format!("failed: {:?} by {}", error.kind(), error.origin()),
        other => format!("{other:?}"),
    }
}

/// Serves a connection. How one ends that was broken is the carrier's business.
async fn serve(carrier: Carrier, socket: TcpStream, processor: ExternalProcessor) {
    let settings = ServeSettings::new();
    match carrier {
        Carrier::Direct => {
            let stays = std::future::pending();
            let _ = serve_direct_connection(socket, processor, &settings, stays).await;
        }
        _ => {
            let _ = settings.http2().serve_connection(TokioIo::new(socket), processor).await;
        }
    }
}

/// Plays a cell.
pub(crate) async fn play(cell: Cell, carrier: Carrier) -> Finding {
    let board = Board::here();
    let (processor, plan) = processor(cell, &board);
    let listener = TcpListener::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
    let envoy = net::dial(listener.local_addr().unwrap());
    let (socket, _) = listener.accept().await.unwrap();
    let serving = tokio::spawn(serve(carrier, socket, processor.clone()));
    let mut stream = Stream { envoy: Peer::new(Role::Client, Version::Http2, envoy) };
    stream.play(cell).await;
    for _ in 0..40 {
        tokio::time::sleep(Duration::from_secs(5)).await;
        stream.settle().await;
    }
    let (answers, _, mut faults) = stream.told();
    faults.extend(board.faults(plan.held_bound_bytes()));
    faults.extend(case::balance("request", plan.request().recycling()));
    faults.extend(case::balance("response", plan.response().recycling()));
    let live = processor.drain().live_streams();
    if live > 0 {
        faults.push(format!("{live} streams are live"));
    }
    stream.envoy.close();
    serving.await.unwrap();
    drop(processor);
    let (request, response) = board.outcomes();
    Finding { client: answers, origin: board.reported(), request, response, faults }
}
