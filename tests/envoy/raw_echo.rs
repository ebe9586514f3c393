//! The harness itself: bodies of any shape go through Envoy and come back, with a processor by hand
//! that passes everything on.

use super::harness::client::{Call, Http};
use super::harness::configuration::Configuration;
use super::harness::origin::Plan;
use super::harness::pattern::{Content, Source};
use super::harness::raw::{RawProcessor, Wire};
use super::harness::rig::rig;
use super::harness::sending::Sending;
use super::messages::{
    BodyMutation, BodyResponse, CommonResponse, HeadersResponse, HttpBody, Mutation,
    ProcessingRequest, ProcessingResponse, RequestPart, ResponsePart, StreamedBodyResponse,
    TrailersResponse,
};

pub(crate) fn configurations() -> Vec<Configuration> {
    let modes = ["NONE", "STREAMED", "BUFFERED", "BUFFERED_PARTIAL", "FULL_DUPLEX_STREAMED"];
    modes.into_iter().map(|mode| Configuration::new(name(mode), &filter("echo", mode))).collect()
}

fn name(mode: &str) -> String {
    format!("echo_{mode}")
}

/// Both directions in this mode, with trailers.
fn filter(processor: &str, mode: &str) -> String {
    let mode = format!(
        "{{ request_body_mode: {mode}, response_body_mode: {mode}, request_trailer_mode: SEND, \
         response_trailer_mode: SEND }}"
    );
    filter_of(processor, &mode)
}

/// An `ExternalProcessor` by hand, `mode` being its `ProcessingMode` in YAML.
pub(crate) fn filter_of(processor: &str, mode: &str) -> String {
    format!(
        "\
\"@type\": type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor
grpc_service: {{ envoy_grpc: {{ cluster_name: {processor} }}, timeout: 0s }}
message_timeout: 5s
processing_mode: {mode}
"
    )
}

pub(crate) fn processors() -> Vec<RawProcessor> {
    vec![RawProcessor { name: "echo", script: |wire| Box::pin(echo(wire)) }]
}

async fn echo(mut wire: Wire) -> u16 {
    let mut modes = [0, 0];
    while let Some(message) = wire.next().await {
        if let Some(config) = message.protocol_config {
            modes = [config.request_body_mode, config.response_body_mode];
        }
        if let Some(reply) = answer(message, modes) {
            wire.send(reply);
        }
    }
    0
}

/// The answer that changes nothing, where the bodies have these modes.
pub(crate) fn answer(message: ProcessingRequest, modes: [i32; 2]) -> Option<ProcessingResponse> {
    let response = match message.request? {
        RequestPart::RequestHeaders(_) => ResponsePart::RequestHeaders(HeadersResponse::default()),
        RequestPart::ResponseHeaders(_) => {
            ResponsePart::ResponseHeaders(HeadersResponse::default())
        }
        RequestPart::RequestBody(body) => ResponsePart::RequestBody(body_reply(body, modes[0])),
        RequestPart::ResponseBody(body) => ResponsePart::ResponseBody(body_reply(body, modes[1])),
        RequestPart::RequestTrailers(_) => {
            ResponsePart::RequestTrailers(TrailersResponse::default())
        }
        RequestPart::ResponseTrailers(_) => {
            ResponsePart::ResponseTrailers(TrailersResponse::default())
        }
    };
    Some(ProcessingResponse { response: Some(response), ..Default::default() })
}

fn body_reply(body: HttpBody, mode: i32) -> BodyResponse {
    if mode != 4 {
        return BodyResponse::default();
    }
    let streamed = StreamedBodyResponse {
        body: body.body,
        end_of_stream: body.end_of_stream,
        ..Default::default()
    };
    let mutation = BodyMutation { mutation: Some(Mutation::StreamedResponse(streamed)) };
    let common = CommonResponse { body_mutation: Some(mutation), ..Default::default() };
    BodyResponse { response: Some(common) }
}

#[test]
fn bodies_of_all_shapes_pass_in_every_mode_over_both_protocols() {
    rig().run(async {
        for mode in ["NONE", "STREAMED", "BUFFERED", "BUFFERED_PARTIAL", "FULL_DUPLEX_STREAMED"] {
            for (http, origin) in
                [(Http::One, Http::One), (Http::Two, Http::Two), (Http::One, Http::Two)]
            {
                for trailers in [false, true] {
                    for (bytes, chunk) in [(0, 1), (40, 1), (300_000, 10_000)] {
                        let mut up = Sending::new(Source::Client, bytes).chunks(&[chunk]);
                        let mut down = Sending::new(Source::Origin, bytes).chunks(&[chunk]);
                        if trailers {
                            (up, down) = (up.with_trailers("up"), down.with_trailers("down"));
                        }
                        let call = Call::post(http, up).via(origin);
                        let mut case = rig().case(&name(mode), call, Plan::sends(down)).await;
                        case.assert_response(200, &Content::new(Source::Origin, bytes));
                        let seen = case.assert_request(&Content::new(Source::Client, bytes)).await;
                        let expected = trailers.then_some(["up", "down"]);
                        assert_eq!(seen.body.trailer("x-sum"), expected.map(|it| it[0]), "{case}");
                        let came = case.answer.body().trailer("x-sum");
                        assert_eq!(came, expected.map(|it| it[1]), "{case}");
                    }
                }
            }
        }
    });
}
