//! What was said on one gRPC stream, in short: `Q.H(e=1)`, `P.B(30,1)`, `S Q.Hr`.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex};

use super::super::messages::{
    BodyResponse, CommonResponse, HeaderMap, HttpBody, HttpHeaders, Mutation, ProcessingRequest,
    ProcessingResponse, RequestPart, ResponsePart,
};
use super::origin::CASE;

/// What was said on one stream.
#[derive(Debug, Clone, Default)]
pub(crate) struct Transcript {
    /// What the client, that is Envoy, sent.
    pub(crate) requests: Vec<ProcessingRequest>,
    /// What the server answered.
    pub(crate) replies: Vec<ProcessingResponse>,
    /// Both in their order.
    pub(crate) lines: Vec<String>,
}

/// The transcripts of cases, while they are made and later.
#[derive(Debug, Clone, Default)]
pub(crate) struct Transcripts(Arc<Mutex<HashMap<u64, Transcript>>>);

impl Transcripts {
    /// Takes what was said in `case` so far. Empty if nothing was.
    pub(crate) fn take(&self, case: u64) -> Transcript {
        self.0.lock().expect("no panic").remove(&case).unwrap_or_default()
    }

    pub(crate) fn requested(&self, case: u64, message: ProcessingRequest) {
        let mut all = self.0.lock().expect("no panic");
        let transcript = all.entry(case).or_default();
        transcript.lines.push(request_line(&message));
        transcript.requests.push(message);
    }

    pub(crate) fn replied(&self, case: u64, message: ProcessingResponse) {
        let mut all = self.0.lock().expect("no panic");
        let transcript = all.entry(case).or_default();
        transcript.lines.push(reply_line(&message));
        transcript.replies.push(message);
    }

    /// Says something else that has happened.
    pub(crate) fn happened(&self, case: u64, what: impl Into<String>) {
        let mut all = self.0.lock().expect("no panic");
        all.entry(case).or_default().lines.push(what.into());
    }
}

impl Transcript {
    /// The lines of the client's messages.
    pub(crate) fn requests_in_short(&self) -> Vec<String> {
        self.requests.iter().map(request_line).collect()
    }

    /// The lines of the server's messages.
    pub(crate) fn replies_in_short(&self) -> Vec<String> {
        self.replies.iter().map(reply_line).collect()
    }

    /// The bytes of all body messages of the request (`'Q'`) or the response (`'P'`).
    pub(crate) fn bytes_of(&self, side: char) -> usize {
        let body = |message: &ProcessingRequest| match &message.request {
            Some(RequestPart::RequestBody(body)) if side == 'Q' => body.body.len(),
            Some(RequestPart::ResponseBody(body)) if side == 'P' => body.body.len(),
            _ => 0,
        };
        self.requests.iter().map(body).sum()
    }
}

/// The number of the case that a head names.
pub(crate) fn case_of(message: &ProcessingRequest) -> Option<u64> {
    let Some(RequestPart::RequestHeaders(headers)) = &message.request else { return None };
    value(headers.headers.as_ref()?, CASE.as_str())?.parse().ok()
}

/// The value of the first field with this name.
pub(crate) fn value(fields: &HeaderMap, name: &str) -> Option<String> {
    let field = fields.headers.iter().find(|field| field.key == name)?;
    Some(String::from_utf8_lossy(&field.raw_value).into_owned())
}

pub(crate) fn request_line(message: &ProcessingRequest) -> String {
    let head = |head: &HttpHeaders| format!("H(e={})", u8::from(head.end_of_stream));
    let body = |body: &HttpBody| format!("B({},{})", body.body.len(), u8::from(body.end_of_stream));
    let mut line = match &message.request {
        Some(RequestPart::RequestHeaders(it)) => format!("Q.{}", head(it)),
        Some(RequestPart::ResponseHeaders(it)) => format!("P.{}", head(it)),
        Some(RequestPart::RequestBody(it)) => format!("Q.{}", body(it)),
        Some(RequestPart::ResponseBody(it)) => format!("P.{}", body(it)),
        Some(RequestPart::RequestTrailers(_)) => "Q.T".to_owned(),
        Some(RequestPart::ResponseTrailers(_)) => "P.T".to_owned(),
        None => "nothing".to_owned(),
    };
    if let Some(config) = &message.protocol_config {
        let _ = write!(line, " config {}/{}", config.request_body_mode, config.response_body_mode);
    }
    if message.observability_mode {
        line += " observe";
    }
    line
}

pub(crate) fn reply_line(message: &ProcessingResponse) -> String {
    let common = |common: Option<&CommonResponse>| {
        let Some(common) = common else { return String::new() };
        let mut text = String::new();
        if common.header_mutation.is_some() {
            text += "+fields";
        }
        match common.body_mutation.as_ref().and_then(|mutation| mutation.mutation.as_ref()) {
            Some(Mutation::Body(body)) => text += &format!("+body({})", body.len()),
            Some(Mutation::ClearBody(_)) => text += "+clear",
            Some(Mutation::StreamedResponse(it)) => {
                text += &format!("+SR({},{})", it.body.len(), u8::from(it.end_of_stream));
            }
            None => {}
        }
        if common.status == 1 { text + "+replace" } else { text }
    };
    let body = |it: &BodyResponse| common(it.response.as_ref());
    match &message.response {
        Some(ResponsePart::RequestHeaders(it)) => format!("S Q.Hr{}", common(it.response.as_ref())),
        Some(ResponsePart::ResponseHeaders(it)) => {
            format!("S P.Hr{}", common(it.response.as_ref()))
        }
        Some(ResponsePart::RequestBody(it)) => format!("S Q.Br{}", body(it)),
        Some(ResponsePart::ResponseBody(it)) => format!("S P.Br{}", body(it)),
        Some(ResponsePart::RequestTrailers(_)) => "S Q.Tr".to_owned(),
        Some(ResponsePart::ResponseTrailers(_)) => "S P.Tr".to_owned(),
        Some(ResponsePart::ImmediateResponse(it)) => {
            format!("S immediate {}", it.status.map_or(0, |status| status.code))
        }
        Some(ResponsePart::StreamedImmediateResponse(_)) => "S streamed immediate".to_owned(),
        None if message.mode_override.is_some() => "S override".to_owned(),
        None => "S other".to_owned(),
    }
}
