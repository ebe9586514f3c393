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
    ImmediateResponse, ProcessingRequest, ProcessingResponse, ProtocolConfiguration, ResponsePart,
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
    pub(crate) fn new(request: Mode, response: Mode, habits: Habits) -> Self {
        Self {
            request: Lane::new(true, request, habits),
            response: Lane::new(false, response, habits),
            rpc: Rpc::Unopened,
            out: VecDeque::new(),
            without_waiting: habits.without_waiting,
            replied: None,
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
