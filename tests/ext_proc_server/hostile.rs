//! What a client should not send ends its own stream, with a status of gRPC, and no other.

use bytes::Bytes;
use tidegate::exchange::ExchangePlan;
use tidegate::ext_proc::mode::{BodyMode, DirectionMode, ProcessingMode};
use tidegate::ext_proc::server::ExternalProcessor;
use tidegate::ext_proc::session::{SessionPlan, SessionSettings};
use tidegate::ext_proc::wire::GrpcCode;

use super::peer::{Call, Ended, Peer};
use crate::answers::line;
use crate::messages::{
    ProcessingRequest, frame, message_frame, protocol_config, request_body, request_headers,
    request_trailers, response_headers,
};
use crate::stage::{Capitals, POST, processor};

/// The first message of an upload in full duplex.
fn head() -> ProcessingRequest {
    let number = BodyMode::FullDuplexStreamed.number();
    request_headers(&POST, false).first(protocol_config(number, number))
}

fn frames(messages: &[ProcessingRequest]) -> Bytes {
    messages.iter().flat_map(message_frame).collect()
}

/// What is sent, whether the request ends behind it, and how the stream has to end.
fn cases() -> Vec<(&'static str, Bytes, bool, GrpcCode)> {
    let large = ["x"; 200 * 1024].concat();
    let grpc_mode = request_headers(&POST, false).first(protocol_config(5, 0));
    let cut = message_frame(&head()).slice(..20);
    vec![
        ("compressed", Bytes::from_static(&[1, 0, 0, 0, 0]), false, GrpcCode::Unimplemented),
        ("a flag of 2", Bytes::from_static(&[2, 0, 0, 0, 0]), false, GrpcCode::Internal),
        ("not protobuf", frame(&[0xff; 64]), false, GrpcCode::Internal),
        ("cut in a prefix", Bytes::from_static(&[0, 0]), true, GrpcCode::Internal),
        ("cut in a message", cut, true, GrpcCode::Internal),
        (
            "a head of 200 KiB",
            frames(&[request_headers(&[(":method", "GET"), ("x", &large)], true)]),
            false,
            GrpcCode::ResourceExhausted,
        ),
        ("GRPC mode", frames(&[grpc_mode]), false, GrpcCode::FailedPrecondition),
        ("a second head", frames(&[head(), head()]), false, GrpcCode::InvalidArgument),
        (
            "body behind the end",
            frames(&[head(), request_body("", true), request_body("a", true)]),
            false,
            GrpcCode::InvalidArgument,
        ),
        (
            "body behind trailers",
            frames(&[head(), request_trailers(&[("a", "b")]), request_body("a", true)]),
            false,
            GrpcCode::InvalidArgument,
        ),
        ("a name with a space", frames(&[bad_name()]), false, GrpcCode::InvalidArgument),
    ]
}

fn bad_name() -> ProcessingRequest {
    request_headers(&[(":method", "GET"), ("a b", "c")], true)
}

/// The status of a call, past whatever was answered before.
async fn code(call: &mut Call) -> Option<GrpcCode> {
    while call.next::<crate::messages::ProcessingResponse>().await.is_some() {}
    call.ended().await.code()
}

#[tokio::test]
async fn a_hostile_stream_ends_with_its_status_and_31_others_go_on() {
    let filters = ExchangePlan::builder().pair("capitals", || (Capitals, Capitals));
    let mut peer = Peer::connect(&processor(DirectionMode::full_duplex(), filters)).await;
    let mut others = Vec::new();
    for _ in 0..31 {
        let mut call = peer.open().await;
        call.send(head()).await;
        others.push(call);
    }
    for call in &mut others {
        assert_eq!(line(&call.answer().await), "request head");
    }
    for (n, (name, bytes, ends, expected)) in cases().into_iter().enumerate() {
        let mut hostile = peer.open().await;
        hostile.send_bytes(bytes).await;
        if ends {
            hostile.close();
        }
        assert_eq!(code(&mut hostile).await, Some(expected), "{name}");
        for (other, call) in others.iter_mut().enumerate() {
            call.send(request_body(format!("piece {n} of {other}"), false)).await;
        }
        for (other, call) in others.iter_mut().enumerate() {
            let echo = format!("request body + PIECE {n} OF {other}");
            assert_eq!(line(&call.answer().await), echo, "after {name}");
        }
    }
    for call in &mut others {
        call.send(request_body("", true)).await;
        assert_eq!(line(&call.answer().await), "request body + , end");
        call.send(response_headers(&[(":status", "204")], true)).await;
        assert_eq!(line(&call.answer().await), "response head");
        assert_eq!(call.ended().await, Ended::ok(), "complete: the server ends the stream");
    }
}

/// What a stream announces stands behind the bytes of its first message, so that they have to be
/// kept; but not without end.
#[tokio::test]
async fn a_first_message_that_does_not_end_is_refused() {
    const LIMIT_BYTES: u64 = 1024 * 1024;
    let mode = DirectionMode::full_duplex().with_headers(tidegate::ext_proc::mode::SendMode::Skip);
    let settings =
        SessionSettings::new(ProcessingMode::new(mode, mode)).max_whole_bytes(LIMIT_BYTES);
    let plan = SessionPlan::new(ExchangePlan::builder().build().unwrap(), settings).unwrap();
    let mut peer = Peer::connect(&ExternalProcessor::new(plan)).await;
    let mut call = peer.open().await;
    let message = message_frame(&request_body(vec![0; 2 * 1024 * 1024], true));
    call.send_bytes(message.slice(..message.len() / 2 + 1024)).await;
    assert_eq!(call.ended().await.code(), Some(GrpcCode::ResourceExhausted));
}
