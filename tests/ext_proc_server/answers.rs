//! Answers as lines, for comparison.

use std::fmt::Write;

use crate::messages::{
    BodyResponse, HeaderMutation, HeadersResponse, Mutation, ProcessingResponse, ResponsePart,
};

/// What one answer says.
pub(crate) fn line(answer: &ProcessingResponse) -> String {
    match answer.response.as_ref().expect("an answer has a part") {
        ResponsePart::RequestHeaders(head) => headers("request head", head),
        ResponsePart::ResponseHeaders(head) => headers("response head", head),
        ResponsePart::RequestBody(part) => body("request body", part),
        ResponsePart::ResponseBody(part) => body("response body", part),
        ResponsePart::RequestTrailers(part) => {
            format!("request trailers{}", changes(part.header_mutation.as_ref()))
        }
        ResponsePart::ResponseTrailers(part) => {
            format!("response trailers{}", changes(part.header_mutation.as_ref()))
        }
        ResponsePart::ImmediateResponse(reply) => {
            let code = reply.status.as_ref().map_or(0, |status| status.code);
            format!("reply {code} {}{}", text(&reply.body), changes(reply.headers.as_ref()))
        }
        ResponsePart::StreamedImmediateResponse(_) => "streamed reply".to_owned(),
    }
}

fn headers(name: &str, part: &HeadersResponse) -> String {
    let common = part.response.as_ref();
    format!("{name}{}", changes(common.and_then(|common| common.header_mutation.as_ref())))
}

fn body(name: &str, part: &BodyResponse) -> String {
    let Some(common) = &part.response else { return format!("{name} as it is") };
    let change = match common.body_mutation.as_ref().and_then(|change| change.mutation.as_ref()) {
        None => " as it is".to_owned(),
        Some(Mutation::Body(bytes)) => format!(" = {}", text(bytes)),
        Some(Mutation::ClearBody(_)) => " cleared".to_owned(),
        Some(Mutation::StreamedResponse(piece)) => {
            let end = if piece.end_of_stream { ", end" } else { "" };
            format!(" + {}{end}", text(&piece.body))
        }
    };
    format!("{name}{change}{}", changes(common.header_mutation.as_ref()))
}

fn changes(mutation: Option<&HeaderMutation>) -> String {
    let mut changes = String::new();
    for field in mutation.iter().flat_map(|mutation| &mutation.remove_headers) {
        let _ = write!(changes, "; no {field}");
    }
    for field in mutation.iter().flat_map(|mutation| &mutation.set_headers) {
        let field = field.header.as_ref().expect("a field");
        let _ = write!(changes, "; {}: {}", field.key, text(&field.raw_value));
    }
    changes
}

fn text(bytes: &[u8]) -> String {
    if bytes.len() <= 40 {
        String::from_utf8_lossy(bytes).into_owned()
    } else {
        format!("{} bytes", bytes.len())
    }
}
