//! The rows of the external processing benchmark: whole gRPC streams, from memory.
//!
//! What a client sent lies there as DATA frames of up to 16 KiB, the way Envoy cuts it, so that a
//! chunk of 16 KiB spans two. There is no socket and no HTTP/2, in no row.

use std::convert::Infallible;
use std::hint::black_box;
use std::ops::Range;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use http::{Request, Response, StatusCode, Version};
use http_body::{Body, Frame};
use tidegate::exchange::ExchangePlan;
use tidegate::ext_proc::mode::{DirectionMode, ProcessingMode, SendMode};
use tidegate::ext_proc::server::{ExternalProcessor, PROCESS_PATH};
use tidegate::ext_proc::session::{SessionPlan, SessionSettings};
use tidegate::ext_proc::wire::{Decoder, Event, WireLimits};
use tidegate::{Declaration, Filter, Head, Interest, Verdict, View};
use tower_service::Service;

use crate::messages::{
    BodyMutation, BodyResponse, CommonResponse, Frames, Mutation, ProcessingRequest,
    ProcessingResponse, RequestPart, ResponsePart, StreamedBodyResponse, message_frame,
    protocol_config, request_body, request_headers, request_trailers, response_body,
    response_headers,
};

/// The prefix of a message, in bytes.
const PREFIX_BYTES: usize = 5;

/// As much as Envoy puts into a DATA frame, in bytes.
const FRAME_BYTES: usize = 16 * 1024;

/// What is done with a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// FULL_DUPLEX_STREAMED: every byte comes back.
    Duplex,
    /// STREAMED, nothing is changed: each chunk is answered, no byte comes back.
    Streamed,
    /// BUFFERED, nothing is changed.
    Buffered,
    /// FULL_DUPLEX_STREAMED, one small body in each direction.
    Small,
}

/// One stream, as it was sent.
#[derive(Clone)]
pub(crate) struct Sent {
    mode: Mode,
    messages: Vec<ProcessingRequest>,
    pub(crate) frames: Arc<[Bytes]>,
}

impl Sent {
    /// A stream with so many chunks of body.
    pub(crate) fn new(mode: Mode, chunks: &[Bytes]) -> Self {
        let head = [
            (":method", "POST"),
            (":path", "/upload"),
            (":scheme", "http"),
            (":authority", "origin"),
            ("x-request-id", "5f2c3a54-8a6c-4f0e-9b5d-0d6f3f7f6f10"),
            ("content-type", "application/octet-stream"),
        ];
        let first = request_headers(&head, false);
        let mut messages = match mode {
            Mode::Duplex => vec![first.first(protocol_config(4, 0))],
            Mode::Streamed => vec![first.first(protocol_config(1, 0))],
            Mode::Buffered => vec![first.first(protocol_config(2, 0))],
            Mode::Small => vec![first.first(protocol_config(4, 4))],
        };
        match mode {
            Mode::Duplex | Mode::Streamed => {
                messages.extend(chunks.iter().map(|chunk| request_body(chunk.clone(), false)));
                messages.push(request_trailers(&[("x-digest", "one")]));
            }
            Mode::Buffered => messages.push(request_body(chunks.concat(), true)),
            Mode::Small => {
                messages.push(request_body(chunks.concat(), true));
                messages.push(response_headers(&[(":status", "200")], false));
                messages.push(response_body(chunks.concat(), true));
            }
        }
        let wire: Vec<u8> = messages.iter().flat_map(|each| message_frame(each).to_vec()).collect();
        // Each in memory of its own, as a transport reads them.
        let frames = wire.chunks(FRAME_BYTES).map(Bytes::copy_from_slice).collect();
        Self { mode, messages, frames }
    }

    /// The stream as the body of a request.
    pub(crate) fn body(&self) -> Feed {
        Feed { frames: Arc::clone(&self.frames), next: 0 }
    }

    /// Fails unless `wire`, all that was answered, are the answers that an Envoy waits for: every
    /// part answered, every byte that should come back in its place.
    pub(crate) fn check(&self, wire: &[u8]) {
        let answers = Frames::all::<ProcessingResponse>(wire);
        let (mut heads, mut trailers, mut bytes) = (0, 0, [Vec::new(), Vec::new()]);
        let mut bodies = 0;
        for answer in answers {
            match answer.response.expect("a part") {
                ResponsePart::RequestHeaders(_) | ResponsePart::ResponseHeaders(_) => heads += 1,
                ResponsePart::RequestBody(body) => {
                    bodies += 1;
                    bytes[0].extend(body_bytes(body));
                }
                ResponsePart::ResponseBody(body) => {
                    bodies += 1;
                    bytes[1].extend(body_bytes(body));
                }
                ResponsePart::RequestTrailers(answer) => {
                    assert_eq!(answer.header_mutation.unwrap_or_default(), Default::default());
                    trailers += 1;
                }
                other => panic!("not asked for: {other:?}"),
            }
        }
        let sent = self.sent_bytes();
        match self.mode {
            Mode::Duplex => {
                assert!((heads, trailers) == (1, 1) && bytes == sent, "all comes back");
            }
            Mode::Small => {
                assert!((heads, trailers) == (2, 0) && bytes == sent, "all comes back");
            }
            Mode::Streamed => {
                assert_eq!((heads, trailers, bodies), (1, 1, self.messages.len() - 2))
            }
            Mode::Buffered => assert_eq!((heads, trailers, bodies), (1, 0, 1)),
        }
    }

    /// The bodies of request and response.
    fn sent_bytes(&self) -> [Vec<u8>; 2] {
        let mut bytes = [Vec::new(), Vec::new()];
        for message in &self.messages {
            match &message.request {
                Some(RequestPart::RequestBody(body)) => bytes[0].extend_from_slice(&body.body),
                Some(RequestPart::ResponseBody(body)) => bytes[1].extend_from_slice(&body.body),
                _ => {}
            }
        }
        bytes
    }

    /// Body bytes of the stream, both ways.
    pub(crate) fn body_bytes(&self) -> u64 {
        self.sent_bytes().iter().map(|bytes| bytes.len() as u64).sum()
    }

    /// Body messages of the stream.
    pub(crate) fn bodies(&self) -> u64 {
        let is_body = |message: &&ProcessingRequest| {
            let part = &message.request;
            matches!(part, Some(RequestPart::RequestBody(_) | RequestPart::ResponseBody(_)))
        };
        self.messages.iter().filter(is_body).count() as u64
    }
}

fn body_bytes(body: BodyResponse) -> Bytes {
    let mutation = body.response.and_then(|common| common.body_mutation);
    match mutation.and_then(|mutation| mutation.mutation) {
        None => Bytes::new(),
        Some(Mutation::StreamedResponse(streamed)) => streamed.body,
        Some(other) => panic!("not asked for: {other:?}"),
    }
}

/// Frames that are always ready.
pub(crate) struct Feed {
    frames: Arc<[Bytes]>,
    next: usize,
}

impl Body for Feed {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let frame = self.frames.get(self.next).cloned();
        self.next += 1;
        Poll::Ready(frame.map(|frame| Ok(Frame::data(frame))))
    }
}

/// A call of the method.
pub(crate) fn call<B>(body: B) -> Request<B> {
    let request = Request::post(PROCESS_PATH).version(Version::HTTP_2);
    let request = request.header("content-type", "application/grpc").header("te", "trailers");
    request.body(body).expect("a request")
}

/// Takes an answer to its end, which has to be a good one, and gives `out` its pieces.
pub(crate) async fn drain<B>(response: Response<B>, mut out: impl FnMut(&[u8]))
where
    B: Body<Data: Buf>,
{
    assert_eq!(response.status(), StatusCode::OK);
    let mut body = pin!(response.into_body());
    let mut ended = false;
    while let Some(frame) = std::future::poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        let Ok(frame) = frame else { panic!("a whole answer") };
        match frame.into_data() {
            // As a transport that writes vectored does.
            Ok(mut data) => {
                while data.has_remaining() {
                    let len = data.chunk().len();
                    out(black_box(data.chunk()));
                    data.advance(len);
                }
            }
            Err(frame) => {
                let trailers = frame.into_trailers().unwrap_or_else(|_| panic!("trailers"));
                assert_eq!(trailers["grpc-status"], "0");
                ended = true;
            }
        }
    }
    assert!(ended, "a status");
}

/// Looks at all bytes, and lets them pass.
#[derive(Default)]
struct Count(u64);

impl<H: Head> Filter<H> for Count {
    fn declare(&self) -> Declaration {
        Declaration::new().interest(Interest::DATA)
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.0 += view.new_bytes() as u64;
        black_box(self.0);
        Verdict::PASS
    }
}

/// Our service, with one filter in each direction that is shown.
pub(crate) fn processor(mode: Mode, body_bytes: u64) -> ExternalProcessor {
    let skipped = DirectionMode::heads_only().with_headers(SendMode::Skip);
    let skipped = skipped.with_trailers(SendMode::Skip).expect("nothing is shown");
    let plan = ExchangePlan::builder().request("count", Count::default);
    let shown = match mode {
        Mode::Duplex | Mode::Small => DirectionMode::full_duplex(),
        Mode::Streamed => DirectionMode::streamed(),
        Mode::Buffered => DirectionMode::buffered(),
    };
    let (plan, mode) = match mode {
        Mode::Small => (plan.response("count", Count::default), ProcessingMode::both(shown)),
        _ => (plan, ProcessingMode::new(shown, skipped)),
    };
    let plan = plan.build().expect("a plan");
    let settings = SessionSettings::new(mode).max_whole_bytes(body_bytes.max(1 << 16));
    ExternalProcessor::new(SessionPlan::new(plan, settings).expect("the filters fit the mode"))
}

/// One stream through our service.
pub(crate) async fn through(
    processor: &mut ExternalProcessor,
    sent: &Sent,
    out: impl FnMut(&[u8]),
) {
    let answered = Service::call(processor, call(sent.body())).await;
    let Ok(response) = answered;
    drain(response, out).await;
}

/// A frame, and a range in it.
type Place = (usize, Range<usize>);

/// The floor: it knows what will come, and where in the frames each body lies. What it writes are
/// heads that are there already, and slices of what was read.
pub(crate) struct Floor {
    answers: Vec<(Bytes, Vec<Place>)>,
}

impl Floor {
    pub(crate) fn new(sent: &Sent) -> Self {
        let mut at = 0;
        let mut answers = Vec::new();
        for message in &sent.messages {
            let whole = message_frame(message);
            let body = match &message.request {
                Some(RequestPart::RequestBody(body) | RequestPart::ResponseBody(body)) => {
                    body.body.clone()
                }
                _ => Bytes::new(),
            };
            let echoes = matches!(sent.mode, Mode::Duplex | Mode::Small) && !body.is_empty();
            let places = if echoes {
                let inside = memchr::memmem::find(&whole, &body).expect("its body");
                places(at + inside..at + inside + body.len())
            } else {
                Vec::new()
            };
            let answer = message_frame(&answer(message, echoes.then(|| body.clone())));
            let head = answer.slice(..answer.len() - if echoes { body.len() } else { 0 });
            answers.push((head, places));
            at += whole.len();
        }
        Self { answers }
    }

    /// One stream.
    pub(crate) fn carry(&self, frames: &[Bytes], mut out: impl FnMut(&[u8])) {
        for (head, places) in &self.answers {
            out(&black_box(head.clone()));
            for (frame, range) in places {
                out(&black_box(frames[*frame].slice(range.clone())));
            }
        }
    }
}

/// Where `range` of the stream lies in its frames.
fn places(mut range: Range<usize>) -> Vec<Place> {
    let mut places = Vec::new();
    while !range.is_empty() {
        let from = range.start % FRAME_BYTES;
        let bytes = range.len().min(FRAME_BYTES - from);
        places.push((range.start / FRAME_BYTES, from..from + bytes));
        range.start += bytes;
    }
    places
}

/// What the floor answers to `message`: with `body`, it stands last.
fn answer(message: &ProcessingRequest, body: Option<Bytes>) -> ProcessingResponse {
    let common = |body: Option<Bytes>| {
        let mutation = body.map(|body| {
            let body = StreamedBodyResponse { body, ..Default::default() };
            BodyMutation { mutation: Some(Mutation::StreamedResponse(body)) }
        });
        Some(CommonResponse { body_mutation: mutation, ..Default::default() })
    };
    let part = match message.request.as_ref().expect("a part") {
        RequestPart::RequestHeaders(_) => ResponsePart::RequestHeaders(Default::default()),
        RequestPart::ResponseHeaders(_) => ResponsePart::ResponseHeaders(Default::default()),
        RequestPart::RequestBody(_) => {
            ResponsePart::RequestBody(BodyResponse { response: common(body) })
        }
        RequestPart::ResponseBody(_) => {
            ResponsePart::ResponseBody(BodyResponse { response: common(body) })
        }
        RequestPart::RequestTrailers(_) => ResponsePart::RequestTrailers(Default::default()),
        RequestPart::ResponseTrailers(_) => ResponsePart::ResponseTrailers(Default::default()),
    };
    ProcessingResponse { response: Some(part), ..Default::default() }
}

/// Reads all that was sent with our decoder: the bytes of bodies go to `out` as they come.
pub(crate) fn decode(frames: &[Bytes], mut out: impl FnMut(&[u8])) {
    let mut decoder = Decoder::new(WireLimits::new());
    for frame in frames {
        decoder.push(frame.clone());
        while let Some(event) = decoder.next().expect("well formed") {
            if let Event::BodyPiece { bytes, .. } = black_box(event) {
                out(&bytes);
            }
        }
    }
    decoder.finish().expect("whole");
}

/// Walks from prefix to prefix, over all that was sent in one piece: the floor of reading.
pub(crate) fn walk(wire: &Bytes, mut out: impl FnMut(&[u8])) {
    let mut left = wire.clone();
    while left.has_remaining() {
        let prefix = left.split_to(PREFIX_BYTES);
        let len = u32::from_be_bytes([prefix[1], prefix[2], prefix[3], prefix[4]]) as usize;
        out(&black_box(left.split_to(len)));
    }
}
