//! A data plane as Envoy 1.40.0 is one, written from sections 3 and 4 of ext-proc.md and from
//! nothing else: naive, in memory, and strict about everything that a server may not do.

mod fields;
mod lane;
mod peer;

use std::collections::VecDeque;

pub(crate) use lane::{Body, Habits, Lane, Mode, Wrong};
pub(crate) use peer::PeerEnd;

use crate::message::Part;
use crate::messages::{
    ImmediateResponse, ProcessingMode, ProcessingRequest, ProcessingResponse,
    ProtocolConfiguration, ResponsePart,
};

#[derive(Debug)]
pub(crate) struct DataPlane {
    pub(crate) request: Lane,
    pub(crate) response: Lane,
    rpc: Rpc,
    out: VecDeque<ProcessingRequest>,
    without_waiting: bool,
    /// The answer that took the response's place, by whoever.
    pub(crate) replied: Option<u32>,
    overrides: Override,
    /// Whether a mode was asked for.
    asked: bool,
}

/// What becomes of a `mode_override` (section 2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Override {
    Taken,
    /// Also in a message of its own, as Envoy does since 1.40.
    TakenAlone,
    Ignored,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rpc {
    /// Opened by the first message.
    Unopened,
    Open,
    /// By us or by the server; nothing goes over it.
    Closed,
}

impl DataPlane {
    pub(crate) fn new(request: Mode, response: Mode, habits: Habits, overrides: Override) -> Self {
        Self {
            request: Lane::new(true, request, habits),
            response: Lane::new(false, response, habits),
            rpc: Rpc::Unopened,
            out: VecDeque::new(),
            without_waiting: habits.without_waiting,
            replied: None,
            overrides,
            asked: false,
        }
    }

    pub(crate) fn source(&mut self, is_request: bool, part: Part) {
        if is_request { self.request.source(part) } else { self.response.source(part) }
    }

    /// One thing that can be done without the server. Answers whether there was one.
    pub(crate) fn advance(&mut self, is_request: bool) -> bool {
        let lane = if is_request { &mut self.request } else { &mut self.response };
        let moved = lane.advance();
        let parts = std::mem::take(&mut lane.out);
        for part in parts {
            let mut message = ProcessingRequest::of(part);
            if self.rpc == Rpc::Unopened {
                self.rpc = Rpc::Open;
                message = message.first(ProtocolConfiguration {
                    request_body_mode: self.request.mode().body as i32,
                    response_body_mode: self.response.mode().body as i32,
                    send_body_without_waiting_for_header_response: self.without_waiting,
                });
            }
            assert_eq!(self.rpc, Rpc::Open, "a message on a stream that is closed");
            self.out.push_back(message);
        }
        self.settle();
        moved
    }

    /// The next message to the server.
    pub(crate) fn send(&mut self) -> Option<ProcessingRequest> {
        self.out.pop_front()
    }

    /// What the server answered.
    pub(crate) fn receive(&mut self, message: ProcessingResponse) -> Result<(), Wrong> {
        if self.rpc != Rpc::Open {
            // Scenario 85: what comes after the last is ignored.
            return Ok(());
        }
        if let Some(mode) = message.mode_override {
            let is_alone = message.response.is_none();
            self.override_asked(mode, is_alone)?;
            if is_alone {
                return Ok(());
            }
        }
        let received = self.answered(message);
        if self.has_ignored() && received.is_err() {
            // The server was not told. What it says by the other mode is spurious here.
            self.reply(500, b"");
            return Ok(());
        }
        received
    }

    /// Before the message's own part (section 2.4).
    fn override_asked(&mut self, asked: ProcessingMode, is_alone: bool) -> Result<(), Wrong> {
        let lanes = [&self.request, &self.response];
        let is_duplex = lanes.iter().any(|lane| lane.mode().body == Body::Duplex);
        if is_duplex || self.without_waiting {
            return Err("P17: the announcement says that no override is taken".into());
        }
        if !self.request.awaits_headers() || self.asked {
            return Err(format!("P17: too late for {asked:?}"));
        }
        let is_to_duplex = Body::of(asked.request_body_mode)? == Body::Duplex;
        if is_alone && (self.overrides != Override::TakenAlone || !is_to_duplex) {
            return Err(format!("unhandled message with {asked:?}"));
        }
        self.asked = true;
        if self.overrides != Override::Ignored {
            self.request.override_mode(Mode {
                sends_headers: asked.request_header_mode == 1,
                body: Body::of(asked.request_body_mode)?,
                sends_trailers: asked.request_trailer_mode == 1,
            });
            self.response.override_mode(Mode {
                sends_headers: asked.response_header_mode == 1,
                body: Body::of(asked.response_body_mode)?,
                sends_trailers: asked.response_trailer_mode == 1,
            });
        }
        Ok(())
    }

    /// The server has not answered in time (section 4.1).
    pub(crate) fn time_out(&mut self) {
        self.reply(504, b"");
    }

    /// Whether a mode was asked for, and nothing was done about it.
    pub(crate) fn has_ignored(&self) -> bool {
        self.asked && self.overrides == Override::Ignored
    }

    /// Whether a mode was asked for, and is in force.
    pub(crate) fn has_taken(&self) -> bool {
        self.asked && self.overrides != Override::Ignored
    }

    fn answered(&mut self, message: ProcessingResponse) -> Result<(), Wrong> {
        match message.response {
            Some(ResponsePart::RequestHeaders(answer)) => self.request.headers_answered(answer)?,
            Some(ResponsePart::ResponseHeaders(answer)) => {
                self.response.headers_answered(answer)?;
            }
            Some(ResponsePart::RequestBody(answer)) => self.request.body_answered(answer)?,
            Some(ResponsePart::ResponseBody(answer)) => self.response.body_answered(answer)?,
            Some(ResponsePart::RequestTrailers(answer)) => {
                self.request.trailers_answered(answer)?;
            }
            Some(ResponsePart::ResponseTrailers(answer)) => {
                self.response.trailers_answered(answer)?;
            }
            Some(ResponsePart::ImmediateResponse(answer)) => return self.immediate(answer),
            other => return Err(format!("unhandled message {other:?}")),
        }
        self.settle();
        Ok(())
    }

    /// Section 3.8.
    fn immediate(&mut self, answer: ImmediateResponse) -> Result<(), Wrong> {
        // A head that is not shown goes when it comes: no server knows when that is.
        if self.response.peer.fields.is_some() && self.response.mode().sends_headers {
            return Err("P8: an immediate response behind the head of the response".into());
        }
        let status = answer.status.map_or(0, |status| status.code);
        self.reply(u32::try_from(status).unwrap_or(0), &answer.body);
        Ok(())
    }

    /// A reply of our own, or the end of the client's stream if it is too late for one.
    fn reply(&mut self, status: u32, body: &[u8]) {
        self.rpc = Rpc::Closed;
        self.out.clear();
        if self.response.peer.fields.is_none() {
            self.replied = Some(status);
            self.response.peer.head(vec![(":status".into(), status.to_string())], false);
            self.response.peer.data(body, true);
        }
        self.response.peer.abort();
        self.request.peer.abort();
    }

    /// The server ended the stream with this status, in which `code` is gRPC's.
    pub(crate) fn server_ended(&mut self, code: i32) {
        if self.rpc != Rpc::Open {
            return;
        }
        if code != 0 {
            return self.reply(500, b"");
        }
        self.rpc = Rpc::Closed;
        self.out.clear();
        self.request.carry_on();
        self.response.carry_on();
        self.settle();
    }

    /// The client, or the origin, is gone.
    pub(crate) fn abort(&mut self) {
        self.rpc = Rpc::Closed;
        self.out.clear();
        self.request.peer.abort();
        self.response.peer.abort();
    }

    /// Once the client has its response, everything is over (scenario 12).
    fn settle(&mut self) {
        if self.response.peer.is_over() {
            self.rpc = Rpc::Closed;
            self.out.clear();
            self.request.peer.abort();
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.rpc == Rpc::Closed
    }
}
