use std::task::{Context, Poll, Waker};

use bytes::{Buf, Bytes};
use tidegate::exchange::{Direction, ExchangePlan};
use tidegate::ext_proc::mode::{BodyMode, DirectionMode, ProcessingMode};
use tidegate::ext_proc::session::{Session, SessionOutput, SessionPlan, SessionSettings};
use tidegate::ext_proc::wire::{Decoder, Event, GrpcStatus, Section, WireLimits, encode};

use crate::messages::{
    BodyResponse, CommonResponse, Frames, Mutation, ProcessingRequest, ProcessingResponse,
    ResponsePart, message_frame, protocol_config,
};

/// A client and a session, with the wire between them.
pub(crate) struct Talk {
    pub(crate) session: Session,
    decoder: Decoder,
    is_first: bool,
    mode: ProcessingMode,
}

/// The same mode for both directions.
pub(crate) fn both(mode: BodyMode) -> ProcessingMode {
    ProcessingMode::both(DirectionMode::new(mode))
}

impl Talk {
    pub(crate) fn new(plan: ExchangePlan, mode: ProcessingMode) -> Self {
        Self::with(plan, SessionSettings::new(mode))
    }

    pub(crate) fn with(plan: ExchangePlan, settings: SessionSettings) -> Self {
        let mode = settings.mode();
        let plan = SessionPlan::new(plan, settings).expect("the plan fits the mode");
        let decoder = Decoder::new(WireLimits::default());
        Self { session: plan.session(), decoder, is_first: true, mode }
    }

    /// Sends a message; answers with what comes back.
    pub(crate) fn send(&mut self, mut request: ProcessingRequest) -> Vec<ProcessingResponse> {
        if self.is_first && !request.observability_mode {
            let [_, _, request_body, response_body, _, _] = self.mode.numbers();
            request = request.first(protocol_config(request_body, response_body));
        }
        self.send_as_is(request)
    }

    /// The same, with nothing added.
    pub(crate) fn send_as_is(&mut self, request: ProcessingRequest) -> Vec<ProcessingResponse> {
        self.is_first = false;
        self.decoder.push(message_frame(&request));
        while let Some(event) = self.decoder.next().expect("well-formed") {
            self.session.handle(event);
        }
        self.replies()
    }

    /// What the session has to say.
    pub(crate) fn replies(&mut self) -> Vec<ProcessingResponse> {
        let cx = Context::from_waker(Waker::noop());
        let mut wire = Vec::new();
        while let Poll::Ready(SessionOutput::Reply(reply)) = self.session.poll_reply(&cx) {
            let mut frame = encode(reply).expect("a reply that fits");
            while frame.has_remaining() {
                let chunk = frame.chunk().len();
                wire.extend_from_slice(&frame.copy_to_bytes(chunk));
            }
        }
        Frames::all(&wire)
    }

    /// How the stream ended.
    pub(crate) fn status(&mut self) -> Option<GrpcStatus> {
        let cx = Context::from_waker(Waker::noop());
        match self.session.poll_reply(&cx) {
            Poll::Ready(SessionOutput::End(status)) => Some(status),
            Poll::Ready(SessionOutput::Reply(reply)) => panic!("{reply:?}"),
            Poll::Pending => None,
        }
    }
}

/// The common response of whatever part.
pub(crate) fn common(response: &ProcessingResponse) -> CommonResponse {
    match response.response.clone().expect("a part") {
        ResponsePart::RequestHeaders(it) | ResponsePart::ResponseHeaders(it) => it.response,
        ResponsePart::RequestBody(it) | ResponsePart::ResponseBody(it) => it.response,
        other => panic!("{other:?}"),
    }
    .unwrap_or_default()
}

/// What became of a body.
pub(crate) fn body_of(response: &ProcessingResponse) -> Option<Mutation> {
    match response.response.clone().expect("a part") {
        ResponsePart::RequestBody(BodyResponse { response })
        | ResponsePart::ResponseBody(BodyResponse { response }) => {
            response.unwrap_or_default().body_mutation.and_then(|mutation| mutation.mutation)
        }
        other => panic!("no body: {other:?}"),
    }
}

/// The bytes of all bodies in `responses`, and whether the last one ends the stream.
pub(crate) fn streamed(responses: &[ProcessingResponse]) -> (Vec<u8>, bool) {
    let mut bytes = Vec::new();
    let mut ended = false;
    for response in responses {
        assert!(!ended, "nothing comes behind the end");
        match body_of(response) {
            Some(Mutation::StreamedResponse(piece)) => {
                bytes.extend_from_slice(&piece.body);
                ended = piece.end_of_stream;
            }
            other => panic!("no piece: {other:?}"),
        }
    }
    (bytes, ended)
}

/// The head of a message that has a body.
pub(crate) fn head_event(direction: Direction) -> Event {
    let fields: &[_] = match direction {
        Direction::Request => {
            &[("method", "POST"), ("path", "/"), ("scheme", "http"), ("authority", "a")]
        }
        Direction::Response => &[("status", "200")],
    };
    let of = |text: &'static str| Bytes::from_static(text.as_bytes());
    let pseudo = fields.iter().map(|&(name, value)| (of(name), of(value))).collect();
    let section = Box::new(Section { pseudo, ..Section::default() });
    Event::Headers { direction, section, end_of_stream: false, envelope: None }
}
