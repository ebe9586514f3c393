//! One direction of a data plane, by sections 3.1 to 3.5 of ext-proc.md.

use std::collections::VecDeque;

use super::fields::{mutate, to_map};
use super::peer::{Peer, PeerEnd};
use crate::message::{Fields, Part, value};
use crate::messages::{
    BodyResponse, CommonResponse, HeadersResponse, HttpBody, HttpHeaders, HttpTrailers, Mutation,
    RequestPart, TrailersResponse,
};

/// Of one direction, as numbers and switches of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mode {
    pub(crate) sends_headers: bool,
    pub(crate) body: Body,
    pub(crate) sends_trailers: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Body {
    None = 0,
    Streamed = 1,
    Buffered = 2,
    Partial = 3,
    Duplex = 4,
}

impl Body {
    pub(crate) fn of(number: i32) -> Result<Self, Wrong> {
        let all = [Self::None, Self::Streamed, Self::Buffered, Self::Partial, Self::Duplex];
        let found = all.into_iter().find(|each| *each as i32 == number);
        found.ok_or_else(|| format!("body mode {number}"))
    }
}

/// What is left open by the configuration, or by chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Habits {
    /// `send_body_without_waiting_for_header_response`.
    pub(crate) without_waiting: bool,
    /// Of BUFFERED_PARTIAL.
    pub(crate) limit_bytes: usize,
    /// An empty body that trailers end is a body message of BUFFERED, or none.
    pub(crate) asks_about_empty: bool,
}

/// A message to the server that was not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Asked {
    Headers,
    /// Not in full duplex, where the server owns what it was sent.
    Body {
        bytes: Vec<u8>,
        ends: bool,
    },
    Trailers(Fields),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Head {
    Awaited,
    Held { fields: Fields, ends: bool },
    Gone,
}

#[derive(Debug)]
pub(crate) struct Lane {
    is_request: bool,
    mode: Mode,
    habits: Habits,
    /// What the source sent and nobody has looked at.
    pending: VecDeque<Part>,
    head: Head,
    asked: VecDeque<Asked>,
    /// Body that waits to be sent to the server; whether it is all of it.
    gathered: Vec<u8>,
    gathered_all: bool,
    /// The one body message of BUFFERED and BUFFERED_PARTIAL was sent.
    told_body: bool,
    /// What the server was shown of the body.
    pub(crate) shown: Vec<u8>,
    pub(crate) out: VecDeque<RequestPart>,
    pub(crate) peer: Peer,
}

/// What a server did that no server may do.
pub(crate) type Wrong = String;

impl Lane {
    pub(crate) fn new(is_request: bool, mode: Mode, habits: Habits) -> Self {
        Self {
            is_request,
            mode,
            habits,
            pending: VecDeque::new(),
            head: Head::Awaited,
            asked: VecDeque::new(),
            gathered: Vec::new(),
            gathered_all: false,
            told_body: false,
            shown: Vec::new(),
            out: VecDeque::new(),
            peer: Peer::default(),
        }
    }

    pub(crate) fn source(&mut self, part: Part) {
        if !self.peer.is_over() {
            self.pending.push_back(part);
        }
    }

    /// Whether the source is read: a queue that is not answered stops it.
    pub(crate) fn reads(&self) -> bool {
        const HIGH_BYTES: usize = 64;
        let unanswered: usize = self
            .asked
            .iter()
            .map(|each| if let Asked::Body { bytes, .. } = each { bytes.len() } else { 0 })
            .sum();
        self.pending.len() < 4 && (self.mode.body != Body::Streamed || unanswered <= HIGH_BYTES)
    }

    /// The head was shown and not answered.
    pub(crate) fn awaits_headers(&self) -> bool {
        self.asked.front() == Some(&Asked::Headers)
    }

    /// The mode is another from here on; whether the head is shown, only before it came. What was
    /// gathered by the old mode has not been looked at by the new one.
    pub(crate) fn override_mode(&mut self, mode: Mode) {
        let has_come = self.head != Head::Awaited;
        let sends_headers = if has_come { self.mode.sends_headers } else { mode.sends_headers };
        self.mode = Mode { sends_headers, ..mode };
        let ends = std::mem::take(&mut self.gathered_all);
        let bytes = std::mem::take(&mut self.gathered);
        if ends || !bytes.is_empty() {
            self.pending.push_front(Part::Data { bytes, ends });
        }
    }

    /// Does what can be done without the server. Answers whether that was anything.
    pub(crate) fn advance(&mut self) -> bool {
        if self.peer.is_over() {
            self.pending.clear();
            return false;
        }
        let moved = match self.pending.pop_front() {
            None => false,
            Some(Part::Head { fields, ends }) => {
                self.head_came(fields, ends);
                true
            }
            Some(Part::Data { bytes, ends }) => self.data_came(bytes, ends),
            Some(Part::Trailers(fields)) => self.trailers_came(fields),
        };
        self.send_gathered() || moved
    }

    fn head_came(&mut self, fields: Fields, ends: bool) {
        if !self.mode.sends_headers {
            return self.forward_head(fields, ends);
        }
        let headers = Some(to_map(&fields));
        self.ask_headers(HttpHeaders { headers, end_of_stream: ends, ..HttpHeaders::default() });
        self.asked.push_back(Asked::Headers);
        self.head = Head::Held { fields, ends };
    }

    fn data_came(&mut self, bytes: Vec<u8>, ends: bool) -> bool {
        match self.mode.body {
            Body::Duplex => {
                self.ask_body(&bytes, ends);
                true
            }
            Body::Streamed => {
                self.gathered.extend_from_slice(&bytes);
                self.gathered_all |= ends;
                true
            }
            Body::Buffered | Body::Partial if !self.told_body => {
                self.gathered.extend_from_slice(&bytes);
                self.gathered_all |= ends;
                true
            }
            Body::None | Body::Buffered | Body::Partial => {
                let waits = !self.asked.is_empty();
                if waits {
                    self.pending.push_front(Part::Data { bytes, ends });
                } else {
                    self.peer.data(&bytes, ends);
                }
                !waits
            }
        }
    }

    fn trailers_came(&mut self, fields: Fields) -> bool {
        let is_whole = matches!(self.mode.body, Body::Buffered | Body::Partial);
        let is_duplex = self.mode.body == Body::Duplex;
        let mut waits = !is_duplex && (!self.asked.is_empty() || !self.gathered.is_empty());
        if is_whole && !self.told_body && self.asked.is_empty() {
            if self.gathered.is_empty() && !self.habits.asks_about_empty {
                self.told_body = true;
                self.release_head();
            } else {
                self.tell_body(false);
                waits = true;
            }
        }
        if waits {
            self.pending.push_front(Part::Trailers(fields));
            // What goes on is the body message, if it was written just now.
            return false;
        }
        if self.mode.sends_trailers {
            self.ask_trailers(HttpTrailers { trailers: Some(to_map(&fields)) });
            self.asked.push_back(Asked::Trailers(fields));
        } else {
            self.peer.trailers(fields);
        }
        true
    }

    /// Sends body that was gathered, if it is time for it.
    fn send_gathered(&mut self) -> bool {
        let waits_for_headers = self.asked.contains(&Asked::Headers);
        let is_any = self.gathered_all || !self.gathered.is_empty();
        match self.mode.body {
            Body::Streamed if is_any && (!waits_for_headers || self.habits.without_waiting) => {
                let bytes = std::mem::take(&mut self.gathered);
                let ends = std::mem::take(&mut self.gathered_all);
                self.ask_body(&bytes, ends);
                self.asked.push_back(Asked::Body { bytes, ends });
                true
            }
            Body::Buffered | Body::Partial if !self.told_body && !waits_for_headers => {
                let is_over = self.mode.body == Body::Partial
                    && self.gathered.len() > self.habits.limit_bytes;
                if !self.gathered_all && !is_over {
                    return false;
                }
                self.tell_body(self.gathered_all);
                true
            }
            Body::None | Body::Streamed | Body::Buffered | Body::Partial | Body::Duplex => false,
        }
    }

    fn tell_body(&mut self, ends: bool) {
        let bytes = std::mem::take(&mut self.gathered);
        self.ask_body(&bytes, ends);
        self.asked.push_back(Asked::Body { bytes, ends });
        self.told_body = true;
        self.gathered_all = false;
    }

    fn ask_headers(&mut self, headers: HttpHeaders) {
        self.out.push_back(if self.is_request {
            RequestPart::RequestHeaders(headers)
        } else {
            RequestPart::ResponseHeaders(headers)
        });
    }

    fn ask_body(&mut self, bytes: &[u8], end_of_stream: bool) {
        self.shown.extend_from_slice(bytes);
        let body = HttpBody { body: bytes.to_vec().into(), end_of_stream, ..HttpBody::default() };
        self.out.push_back(if self.is_request {
            RequestPart::RequestBody(body)
        } else {
            RequestPart::ResponseBody(body)
        });
    }

    fn ask_trailers(&mut self, trailers: HttpTrailers) {
        self.out.push_back(if self.is_request {
            RequestPart::RequestTrailers(trailers)
        } else {
            RequestPart::ResponseTrailers(trailers)
        });
    }

    fn forward_head(&mut self, mut fields: Fields, ends: bool) {
        let keeps_length = match self.mode.body {
            Body::None => true,
            Body::Buffered => self.mode.sends_headers,
            Body::Streamed | Body::Partial | Body::Duplex => false,
        };
        if !keeps_length && !ends {
            fields.retain(|(name, _)| name != "content-length");
        }
        self.head = Head::Gone;
        self.peer.head(fields, ends);
    }

    fn release_head(&mut self) {
        if let Head::Held { fields, ends } = self.head.clone() {
            self.forward_head(fields, ends);
        }
    }

    pub(crate) fn headers_answered(&mut self, answer: HeadersResponse) -> Result<(), Wrong> {
        if self.peer.end == PeerEnd::Aborted {
            return Ok(());
        }
        if self.asked.front() != Some(&Asked::Headers) {
            return Err(format!("spurious answer to headers, asked was {:?}", self.asked));
        }
        self.asked.pop_front();
        let Head::Held { mut fields, ends } = self.head.clone() else {
            return Err("headers were answered that are not held".into());
        };
        let common = answer.response.unwrap_or_default();
        mutate(&mut fields, &common.header_mutation.clone().unwrap_or_default())?;
        if common.status == 1 {
            return self.replaced(fields, ends, &common);
        }
        if common.body_mutation.is_some() {
            return Err("a body with an answer to headers that says CONTINUE".into());
        }
        self.head = Head::Held { fields, ends };
        if ends || !matches!(self.mode.body, Body::Buffered | Body::Partial) {
            self.release_head();
        }
        Ok(())
    }

    /// CONTINUE_AND_REPLACE (sections 3.8 and 10: only where nothing follows).
    fn replaced(&mut self, fields: Fields, ends: bool, with: &CommonResponse) -> Result<(), Wrong> {
        if !ends {
            return Err("CONTINUE_AND_REPLACE with a body to come".into());
        }
        let body = match with.body_mutation.as_ref().and_then(|body| body.mutation.as_ref()) {
            Some(Mutation::Body(body)) => body.to_vec(),
            Some(Mutation::ClearBody(true)) => Vec::new(),
            other => return Err(format!("P36: CONTINUE_AND_REPLACE with {other:?}")),
        };
        let fields = fields.into_iter().filter(|(name, _)| name != "content-length").collect();
        self.head = Head::Gone;
        self.peer.head(fields, false);
        self.peer.data(&body, true);
        Ok(())
    }

    pub(crate) fn body_answered(&mut self, answer: BodyResponse) -> Result<(), Wrong> {
        if self.peer.end == PeerEnd::Aborted {
            return Ok(());
        }
        let common = answer.response.unwrap_or_default();
        let mutation = common.body_mutation.clone().and_then(|body| body.mutation);
        if self.mode.body == Body::Duplex {
            return self.streamed(mutation, &common);
        }
        let Some(Asked::Body { bytes, ends }) = self.asked.front().cloned() else {
            return Err(format!("spurious answer to a body, asked was {:?}", self.asked));
        };
        self.asked.pop_front();
        let is_changed = mutation.is_some();
        let body = match mutation {
            None => bytes,
            Some(Mutation::Body(body)) => body.to_vec(),
            Some(Mutation::ClearBody(true)) => Vec::new(),
            Some(other) => return Err(format!("a body answer with {other:?}")),
        };
        let of_head = common.header_mutation.unwrap_or_default();
        if self.mode.body == Body::Streamed {
            if !of_head.set_headers.is_empty() || !of_head.remove_headers.is_empty() {
                return Err("P9: a header mutation with a body, and the head has gone".into());
            }
            self.peer.data(&body, ends);
            return Ok(());
        }
        if let Head::Held { fields, .. } = &mut self.head {
            mutate(fields, &of_head)?;
            let length = value(fields, "content-length");
            let fits = length.is_none_or(|length| length == body.len().to_string());
            if is_changed && !fits && self.mode.body == Body::Buffered {
                return Err(format!("P12: content-length {length:?} for {} bytes", body.len()));
            }
        }
        self.release_head();
        self.peer.data(&body, ends);
        Ok(())
    }

    fn streamed(&mut self, mutation: Option<Mutation>, with: &CommonResponse) -> Result<(), Wrong> {
        let Some(Mutation::StreamedResponse(streamed)) = mutation else {
            return Err(format!("P2: a body answer in full duplex with {mutation:?}"));
        };
        if self.asked.front() == Some(&Asked::Headers) {
            return Err("P3: body before the answer to headers".into());
        }
        if self.head != Head::Gone || self.peer.is_over() {
            return Err("body that nobody is owed".into());
        }
        if with.header_mutation.as_ref().is_some_and(|each| !each.set_headers.is_empty()) {
            return Err("a header mutation with a body in full duplex".into());
        }
        if streamed.end_of_stream {
            // Trailers may have been under way when the server ended the message before its end.
            self.asked.clear();
        }
        if !streamed.end_of_stream && streamed.body.is_empty() {
            return Err("P40: an empty piece".into());
        }
        self.peer.data(&streamed.body, streamed.end_of_stream);
        Ok(())
    }

    pub(crate) fn trailers_answered(&mut self, answer: TrailersResponse) -> Result<(), Wrong> {
        if self.peer.end == PeerEnd::Aborted {
            return Ok(());
        }
        let Some(Asked::Trailers(mut fields)) = self.asked.front().cloned() else {
            return Err(format!("P6: trailers that nobody sent, asked was {:?}", self.asked));
        };
        self.asked.pop_front();
        mutate(&mut fields, &answer.header_mutation.unwrap_or_default())?;
        self.peer.trailers(fields);
        Ok(())
    }

    /// The server ended the stream with OK: Envoy carries on without it (4.2). What it was given in
    /// full duplex and did not give back is lost.
    pub(crate) fn carry_on(&mut self) {
        if self.peer.is_over() {
            return;
        }
        self.release_head();
        for asked in std::mem::take(&mut self.asked) {
            match asked {
                Asked::Headers => {}
                Asked::Body { bytes, ends } => self.peer.data(&bytes, ends),
                Asked::Trailers(fields) => self.peer.trailers(fields),
            }
        }
        let gathered = std::mem::take(&mut self.gathered);
        if self.head == Head::Gone && (!gathered.is_empty() || self.gathered_all) {
            self.peer.data(&gathered, self.gathered_all);
        }
        self.mode = Mode { sends_headers: false, body: Body::None, sends_trailers: false };
        while self.advance() {}
    }

    /// Whether the server owes an answer, by the count of messages.
    pub(crate) fn owes(&self) -> bool {
        let duplex_open =
            self.mode.body == Body::Duplex && !self.shown.is_empty() && !self.peer.is_over();
        duplex_open || !self.asked.is_empty()
    }

    pub(crate) fn mode(&self) -> Mode {
        self.mode
    }
}
