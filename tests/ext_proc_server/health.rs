//! `grpc.health.v1.Health`.

use bytes::Bytes;
use tidegate::ext_proc::server::{SERVICE_NAME, ServingStatus};
use tidegate::ext_proc::wire::GrpcCode;

use super::peer::{Call, Ended, Peer};
use crate::messages::{frame, message_frame};
use crate::stage::passing;

const CHECK: &str = "/grpc.health.v1.Health/Check";
const WATCH: &str = "/grpc.health.v1.Health/Watch";

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct HealthCheckRequest {
    #[prost(string, tag = "1")]
    service: String,
}

#[derive(Clone, PartialEq, Eq, prost::Message)]
struct HealthCheckResponse {
    #[prost(int32, tag = "1")]
    status: i32,
}

async fn ask(peer: &mut Peer, path: &str, service: &str) -> Call {
    let mut call = peer.call(path).await;
    let request = HealthCheckRequest { service: service.to_owned() };
    call.send_bytes(message_frame(&request)).await;
    call.close();
    call
}

async fn told(call: &mut Call) -> Option<i32> {
    call.next::<HealthCheckResponse>().await.map(|response| response.status)
}

#[tokio::test]
async fn check_says_what_was_set() {
    let processor = passing();
    let mut peer = Peer::connect(&processor).await;
    for (service, set, number) in [
        ("", None, 1),
        (SERVICE_NAME, None, 1),
        ("", Some(ServingStatus::NotServing), 2),
        ("another", Some(ServingStatus::Serving), 1),
    ] {
        if let Some(status) = set {
            processor.health().set(service, status);
        }
        let mut call = ask(&mut peer, CHECK, service).await;
        assert_eq!(told(&mut call).await, Some(number), "{service}");
        assert_eq!(call.ended().await, Ended::ok());
    }
}

#[tokio::test]
async fn check_of_an_unknown_service_is_not_found() {
    let mut peer = Peer::connect(&passing()).await;
    let mut call = ask(&mut peer, CHECK, "nobody").await;
    assert_eq!(call.ended().await.code(), Some(GrpcCode::NotFound));
}

#[tokio::test]
async fn watch_tells_each_change_and_ends_when_the_server_goes_away() {
    let processor = passing();
    let mut peer = Peer::connect(&processor).await;
    let mut call = ask(&mut peer, WATCH, "late").await;
    assert_eq!(told(&mut call).await, Some(3), "SERVICE_UNKNOWN, and the call stays");
    processor.health().set("late", ServingStatus::Serving);
    assert_eq!(told(&mut call).await, Some(1));
    // What is said again is no change.
    processor.health().set("late", ServingStatus::Serving);
    processor.health().set("late", ServingStatus::NotServing);
    assert_eq!(told(&mut call).await, Some(2));
    processor.health().set("late", ServingStatus::Serving);
    assert_eq!(told(&mut call).await, Some(1));
    processor.drain().leave();
    assert_eq!(told(&mut call).await, Some(2));
    assert_eq!(call.ended().await.code(), Some(GrpcCode::Unavailable));
}

/// Its answer would be the same, whatever it asks about.
#[tokio::test]
async fn a_health_call_that_never_says_what_it_asks_delays_no_drain() {
    for (path, end) in [(CHECK, None), (WATCH, Some(GrpcCode::Unavailable))] {
        let processor = passing();
        let mut peer = Peer::connect(&processor).await;
        let mut call = peer.call(path).await;
        call.send_bytes(Bytes::from_static(&[0, 0])).await;
        processor.drain().leave();
        assert_eq!(told(&mut call).await, Some(2), "{path}");
        assert_eq!(call.ended().await.code(), Some(end.unwrap_or(GrpcCode::Ok)), "{path}");
    }
}

#[tokio::test]
async fn hostile_health_requests_end_their_call_only() {
    let mut peer = Peer::connect(&passing()).await;
    let cases: [(&str, Bytes, GrpcCode); 6] = [
        ("no message", Bytes::new(), GrpcCode::Internal),
        ("a cut prefix", Bytes::from_static(&[0, 0]), GrpcCode::Internal),
        ("a compressed message", Bytes::from_static(&[1, 0, 0, 0, 0]), GrpcCode::Unimplemented),
        ("a length that is not there", Bytes::from_static(&[0, 0, 0, 0, 9]), GrpcCode::Internal),
        ("not protobuf", frame(&[0xff; 12]), GrpcCode::Internal),
        ("8 KiB", frame(&[0; 8 * 1024]), GrpcCode::ResourceExhausted),
    ];
    for (name, bytes, code) in cases {
        let mut call = peer.call(CHECK).await;
        call.send_bytes(bytes).await;
        call.close();
        assert_eq!(call.ended().await.code(), Some(code), "{name}");
    }
    let mut call = ask(&mut peer, CHECK, "").await;
    assert_eq!(told(&mut call).await, Some(1), "the connection is as it was");
}
