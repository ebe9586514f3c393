//! A server as a user writes it today: tonic, published stubs, a task and a channel for each
//! stream, messages as prost has them. It passes everything.

use envoy_types::pb::envoy::service::ext_proc::v3 as pb;
use pb::external_processor_server::{ExternalProcessor, ExternalProcessorServer};
use pb::processing_request::Request as In;
use pb::processing_response::Response as Out;
use tokio::sync::mpsc;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::{Request, Response, Status, Streaming};

use crate::scenario::Scenario;

/// The largest message of a body of 64 MiB, and a little.
const MOST_MESSAGE_BYTES: usize = 80 << 20;

/// How many answers may wait to be sent.
const CHANNEL: usize = 16;

pub(crate) struct Naive(pub(crate) Scenario);

pub(crate) fn service(scenario: Scenario) -> ExternalProcessorServer<Naive> {
    ExternalProcessorServer::new(Naive(scenario))
        .max_decoding_message_size(MOST_MESSAGE_BYTES)
        .max_encoding_message_size(MOST_MESSAGE_BYTES)
}

pub(crate) async fn serve(listener: tokio::net::TcpListener, scenario: Scenario) {
    let server = tonic::transport::Server::builder()
        // Else a body of 64 MiB in one message comes through a window of 64 KiB.
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(1 << 22)
        .add_service(service(scenario))
        .serve_with_incoming(TcpListenerStream::new(listener));
    server.await.expect("a server");
}

#[tonic::async_trait]
impl ExternalProcessor for Naive {
    type ProcessStream = ReceiverStream<Result<pb::ProcessingResponse, Status>>;

    async fn process(
        &self,
        request: Request<Streaming<pb::ProcessingRequest>>,
    ) -> Result<Response<Self::ProcessStream>, Status> {
        let mut messages = request.into_inner();
        let (sender, receiver) = mpsc::channel(CHANNEL);
        let scenario = self.0;
        tokio::spawn(async move {
            // An end of any kind is the end: Envoy resets its streams.
            while let Ok(Some(message)) = messages.message().await {
                let Some(part) = message.request else { continue };
                let response = Some(answer(part, scenario));
                let message = pb::ProcessingResponse { response, ..Default::default() };
                if sender.send(Ok(message)).await.is_err() {
                    break;
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(receiver)))
    }
}

fn answer(part: In, scenario: Scenario) -> Out {
    let headers = || pb::HeadersResponse { response: Some(pb::CommonResponse::default()) };
    match part {
        In::RequestHeaders(_) => Out::RequestHeaders(headers()),
        In::ResponseHeaders(_) => Out::ResponseHeaders(headers()),
        In::RequestBody(body) => Out::RequestBody(body_answer(body, scenario)),
        In::ResponseBody(body) => Out::ResponseBody(body_answer(body, scenario)),
        In::RequestTrailers(_) => Out::RequestTrailers(pb::TrailersResponse::default()),
        In::ResponseTrailers(_) => Out::ResponseTrailers(pb::TrailersResponse::default()),
    }
}

fn body_answer(body: pb::HttpBody, scenario: Scenario) -> pb::BodyResponse {
    use pb::body_mutation::Mutation;
    let mutation = match scenario {
        Scenario::Streamed | Scenario::Buffered => None,
        Scenario::Replaced => Some(Mutation::Body(body.body)),
        Scenario::Duplex | Scenario::Small => {
            Some(Mutation::StreamedResponse(pb::StreamedBodyResponse {
                body: body.body,
                end_of_stream: body.end_of_stream,
                ..Default::default()
            }))
        }
    };
    let body_mutation = mutation.map(|mutation| pb::BodyMutation { mutation: Some(mutation) });
    let common = pb::CommonResponse { body_mutation, ..Default::default() };
    pb::BodyResponse { response: Some(common) }
}
