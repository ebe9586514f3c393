//! tonic with published stubs, as it is used today: messages as prost has them.

use std::convert::Infallible;
use std::hint::black_box;
use std::pin::Pin;

use bytes::{Buf, Bytes, BytesMut};
use envoy_types::pb::envoy::service::ext_proc::v3 as pb;
use futures::stream::{Stream, StreamExt};
use pb::external_processor_server::{ExternalProcessor, ExternalProcessorServer};
use pb::processing_request::Request as In;
use pb::processing_response::Response as Out;
use prost::Message as _;
use tokio::sync::mpsc;
use tonic::{Request, Response, Status, Streaming};
use tower_service::Service;

use crate::rows::{Mode, Sent, call, drain};

/// More than a message has, in bytes.
const MOST_MESSAGE_BYTES: usize = 80 << 20;

/// How many answers may wait to be sent.
const CHANNEL: usize = 16;

/// Where a stream is answered.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place {
    /// Where it is polled: the least that tonic can cost.
    InPlace,
    /// In a task of its own, behind a channel: as tonic's examples have it.
    Task,
}

pub(crate) struct Tonic(Mode, Place);

pub(crate) type Server = ExternalProcessorServer<Tonic>;

pub(crate) fn server(mode: Mode, place: Place) -> Server {
    ExternalProcessorServer::new(Tonic(mode, place))
        .max_decoding_message_size(MOST_MESSAGE_BYTES)
        .max_encoding_message_size(MOST_MESSAGE_BYTES)
}

#[tonic::async_trait]
impl ExternalProcessor for Tonic {
    type ProcessStream = Pin<Box<dyn Stream<Item = Result<pb::ProcessingResponse, Status>> + Send>>;

    async fn process(
        &self,
        request: Request<Streaming<pb::ProcessingRequest>>,
    ) -> Result<Response<Self::ProcessStream>, Status> {
        let Self(mode, place) = *self;
        let answers = request.into_inner().map(move |message| Ok(answer(message?, mode)));
        match place {
            Place::InPlace => Ok(Response::new(Box::pin(answers))),
            Place::Task => {
                let (sender, mut receiver) = mpsc::channel(CHANNEL);
                tokio::spawn(async move {
                    let mut answers = Box::pin(answers);
                    while let Some(answer) = answers.next().await {
                        if sender.send(answer).await.is_err() {
                            break;
                        }
                    }
                });
                let answers = futures::stream::poll_fn(move |cx| receiver.poll_recv(cx));
                Ok(Response::new(Box::pin(answers)))
            }
        }
    }
}

fn answer(message: pb::ProcessingRequest, mode: Mode) -> pb::ProcessingResponse {
    let headers = || pb::HeadersResponse { response: Some(pb::CommonResponse::default()) };
    let response = message.request.map(|part| match part {
        In::RequestHeaders(_) => Out::RequestHeaders(headers()),
        In::ResponseHeaders(_) => Out::ResponseHeaders(headers()),
        In::RequestBody(body) => Out::RequestBody(body_answer(body, mode)),
        In::ResponseBody(body) => Out::ResponseBody(body_answer(body, mode)),
        In::RequestTrailers(_) => Out::RequestTrailers(pb::TrailersResponse::default()),
        In::ResponseTrailers(_) => Out::ResponseTrailers(pb::TrailersResponse::default()),
    });
    pb::ProcessingResponse { response, ..Default::default() }
}

fn body_answer(body: pb::HttpBody, mode: Mode) -> pb::BodyResponse {
    use pb::body_mutation::Mutation;
    let mutation = match mode {
        Mode::Streamed | Mode::Buffered => None,
        Mode::Duplex | Mode::Small => Some(Mutation::StreamedResponse(pb::StreamedBodyResponse {
            body: body.body,
            end_of_stream: body.end_of_stream,
            ..Default::default()
        })),
    };
    let body_mutation = mutation.map(|mutation| pb::BodyMutation { mutation: Some(mutation) });
    let common = pb::CommonResponse { body_mutation, ..Default::default() };
    pb::BodyResponse { response: Some(common) }
}

/// One stream through tonic's service.
pub(crate) async fn through(server: &mut Server, sent: &Sent, out: impl FnMut(&[u8])) {
    let answered: Result<_, Infallible> = server.call(call(sent.body())).await;
    let Ok(response) = answered;
    drain(response, out).await;
}

/// Reads all that was sent with prost, as tonic does: what was read is gathered, then decoded.
pub(crate) fn decode(frames: &[Bytes], mut out: impl FnMut(&[u8])) {
    let mut read = BytesMut::new();
    for frame in frames {
        read.extend_from_slice(frame);
        while let Some(prefix) = read.get(..5) {
            let len = u32::from_be_bytes([prefix[1], prefix[2], prefix[3], prefix[4]]) as usize;
            if read.len() < 5 + len {
                break;
            }
            read.advance(5);
            let message = pb::ProcessingRequest::decode(read.split_to(len)).expect("well formed");
            if let Some(In::RequestBody(body) | In::ResponseBody(body)) = black_box(message).request
            {
                out(&body.body);
            }
        }
    }
    assert!(read.is_empty(), "whole");
}
