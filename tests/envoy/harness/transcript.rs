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
    /// What was said in `case` so far. Empty if nothing was.
    pub(crate) fn of(&self, case: u64) -> Transcript {
        self.0.lock().expect("no panic").get(&case).cloned().unwrap_or_default()
    }

    /// The lines of `case` so far.
    pub(crate) fn lines(&self, case: u64) -> Vec<String> {
        self.of(case).lines
    }

    /// Whether what was said in `case` so far is so.
    pub(crate) fn look(&self, case: u64, is: impl Fn(&Transcript) -> bool) -> bool {
        self.0.lock().expect("no panic").get(&case).is_some_and(is)
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
    /// What was shown of the request (`'Q'`) or of the response (`'P'`), with adjacent body
    /// messages as one: where they are cut differs from run to run.
    pub(crate) fn shown(&self, side: char) -> Vec<String> {
        let mut shown = Vec::new();
        let mut open: Option<usize> = None;
        for message in &self.requests {
            let line = request_line(message);
            let Some(part) = line.strip_prefix(&format!("{side}.")) else { continue };
            let part = part.split(' ').next().unwrap_or(part);
            match part.strip_prefix("B(").and_then(|body| body.strip_suffix(",0)")) {
                Some(bytes) => *open.get_or_insert(0) += bytes.parse::<usize>().expect("a number"),
                None if part.starts_with('B') => {
                    let bytes = part[2..].split(',').next().and_then(|bytes| bytes.parse().ok());
                    let all = open.take().unwrap_or(0) + bytes.unwrap_or(0);
                    shown.push(format!("B({all},1)"));
                }
                None => {
                    shown.extend(open.take().map(|bytes| format!("B({bytes},0)")));
                    shown.push(part.to_owned());
                }
            }
        }
        shown.extend(open.map(|bytes| format!("B({bytes},0)")));
        shown
    }

    /// The lines of the server's messages.
    pub(crate) fn replies_in_short(&self) -> Vec<String> {
        self.replies.iter().map(reply_line).collect()
    }

    /// How many body messages were shown of the request (`'Q'`) or of the response (`'P'`).
    pub(crate) fn body_messages(&self, side: char) -> usize {
        let is_body = |message: &&ProcessingRequest| match &message.request {
            Some(RequestPart::RequestBody(_)) => side == 'Q',
            Some(RequestPart::ResponseBody(_)) => side == 'P',
            _ => false,
        };
        self.requests.iter().filter(is_body).count()
    }

    /// The bytes of all body messages of the request (`'Q'`) or of the response (`'P'`).
    pub(crate) fn bytes_of(&self, side: char) -> usize {
        let body = |message: &ProcessingRequest| match &message.request {
            Some(RequestPart::RequestBody(body)) if side == 'Q' => body.body.len(),
            Some(RequestPart::ResponseBody(body)) if side == 'P' => body.body.len(),
            _ => 0,
        };
        self.requests.iter().map(body).sum()
    }

    /// The body modes that the first message, and no other, announced.
    pub(crate) fn announced(&self) -> (i32, i32) {
        let config = |message: &ProcessingRequest| message.protocol_config;
        let (first, others) = self.requests.split_first().expect("messages");
        assert!(others.iter().all(|message| config(message).is_none()), "{:?}", self.lines);
        let config = config(first).expect("the first message announces the modes");
        (config.request_body_mode, config.response_body_mode)
    }
}

/// The number of the case that a message names: in the head, or, where that is not shown, in the
/// attribute `request.path`.
pub(crate) fn case_of(message: &ProcessingRequest) -> Option<u64> {
    if let Some(RequestPart::RequestHeaders(headers)) = &message.request {
        return value(headers.headers.as_ref()?, CASE.as_str())?.parse().ok();
    }
    let path = attribute(message, "request.path")?;
    path.split_once("case=")?.1.parse().ok()
}

/// A string among the attributes of the filter.
pub(crate) fn attribute(message: &ProcessingRequest, name: &str) -> Option<String> {
    let attributes = message.attributes.get("envoy.filters.http.ext_proc")?;
    match attributes.fields.get(name)?.kind.as_ref()? {
        prost_types::value::Kind::StringValue(text) => Some(text.clone()),
        other => Some(format!("{other:?}")),
    }
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
