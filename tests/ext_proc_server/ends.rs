//! Ends of the transport: normal where nothing is owed (P20), never well where something is (P7).

use bytes::Bytes;
use tidegate::exchange::ExchangePlan;
use tidegate::ext_proc::mode::{BodyMode, DirectionMode, ProcessingMode};
use tidegate::ext_proc::server::{ExternalProcessor, StreamReport, StreamSettings};
use tidegate::ext_proc::session::{SessionEnd, SessionPlan, SessionSettings};
use tidegate::ext_proc::wire::GrpcCode;

use super::peer::{Peer, soon};
use crate::answers::line;
use crate::messages::{
    ProcessingRequest, ProcessingResponse, message_frame, protocol_config, request_body,
    request_headers, response_body, response_headers, response_trailers,
};
use crate::stage::{Holds, POST, Panics, PanicsAtBody, observed};

/// How the session is to end if the transport does behind so many whole messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    Released,
    Abandoned,
    Complete,
}

/// An exchange with trailers in the response, and the end behind each message if the request is
/// held to its end, and the response too.
fn script() -> Vec<(ProcessingRequest, Expected)> {
    let number = BodyMode::FullDuplexStreamed.number();
    let head = request_headers(&POST, false).first(protocol_config(number, number));
    vec![
        // A body that has not ended in full duplex is owed its end, also where none of it came.
        (head, Expected::Abandoned),
        (request_body("abc", false), Expected::Abandoned),
        (request_body("def", true), Expected::Released),
        (response_headers(&[(":status", "200")], false), Expected::Abandoned),
        (response_body("ghi", false), Expected::Abandoned),
        (response_trailers(&[("x-sum", "9")]), Expected::Complete),
    ]
}

#[tokio::test]
async fn wherever_the_stream_ends_what_was_owed_decides_what_it_was() {
    let filters = ExchangePlan::builder().pair("holds", || (Holds, Holds));
    let (processor, mut reports) = observed(filters, StreamSettings::new());
    let mut peer = Peer::connect(&processor).await;
    let script = script();
    let all: Vec<Bytes> = script.iter().map(|(message, _)| message_frame(message)).collect();
    let bytes: Bytes = all.iter().flatten().copied().collect();
    let mut ends = vec![0];
    for message in &all {
        ends.push(ends[ends.len() - 1] + message.len());
    }
    for cut in 0..=bytes.len() {
        let whole = ends.iter().rposition(|end| *end <= cut).unwrap();
        let expected = match whole {
            0 => Expected::Released,
            n => script[n - 1].1,
        };
        for resets in [false, true] {
            let mut call = peer.open().await;
            call.send_bytes(bytes.slice(..cut)).await;
            let status = if resets {
                // It has read what was sent, or not: a stream may be reset unread.
                call.reset();
                None
            } else {
                call.close();
                while call.next::<ProcessingResponse>().await.is_some() {}
                call.ended().await.code()
            };
            let report = soon(reports.recv()).await.unwrap();
            let at = format!("cut at {cut}, {whole} whole, resets: {resets}: {report:?}");
            let is_cut_inside = ends[whole] != cut;
            match (&report.end, status) {
                (SessionEnd::Failed(_), Some(GrpcCode::Internal)) => assert!(is_cut_inside, "{at}"),
                (SessionEnd::Released, Some(GrpcCode::Ok)) => {
                    assert!(!is_cut_inside && expected == Expected::Released, "{at}");
                }
                (SessionEnd::Abandoned, Some(GrpcCode::Cancelled)) => {
                    assert!(!is_cut_inside && expected == Expected::Abandoned, "{at}");
                }
                (SessionEnd::Complete, Some(GrpcCode::Ok)) => {
                    assert_eq!(expected, Expected::Complete, "{at}");
                }
                (SessionEnd::Released | SessionEnd::Abandoned, None) => {}
                (SessionEnd::Complete, None) => assert_eq!(expected, Expected::Complete, "{at}"),
                _ => panic!("{at}: {status:?}"),
            }
        }
    }
    soon(processor.drain().idle()).await;
}

#[tokio::test]
async fn a_panic_before_the_response_head_is_answered_500_and_ends_one_stream() {
    let filters = ExchangePlan::builder().request("panics", || Panics);
    let (processor, mut reports) = observed(filters, StreamSettings::new());
    let mut peer = Peer::connect(&processor).await;
    for _ in 0..2 {
        let mut call = peer.open().await;
        call.send(script().remove(0).0).await;
        assert_eq!(line(&call.answer().await), "reply 500 ");
        assert_eq!(call.ended().await.code(), Some(GrpcCode::Ok));
        let report = soon(reports.recv()).await.unwrap();
        assert!(
            matches!(report.end, SessionEnd::Replied { status } if status == 500),
            "{report:?}"
        );
    }
}

#[tokio::test]
async fn a_panic_behind_the_response_head_ends_the_stream_with_an_error() {
    let filters = ExchangePlan::builder().response("panics", || PanicsAtBody);
    let (processor, mut reports) = observed(filters, StreamSettings::new());
    let mut peer = Peer::connect(&processor).await;
    let mut call = peer.open().await;
    let script = script();
    for (message, _) in &script[..4] {
        call.send(message.clone()).await;
        call.answer().await;
    }
    call.send(script[4].0.clone()).await;
    assert_eq!(call.ended().await.code(), Some(GrpcCode::Internal));
    let report = soon(reports.recv()).await.unwrap();
    assert!(matches!(report.end, SessionEnd::Failed(_)), "{report:?}");
}

/// Nothing of it is in a chain, which would contain it.
#[tokio::test]
async fn a_panic_of_what_chooses_the_mode_ends_its_stream_with_an_error() {
    let mode = ProcessingMode::both(DirectionMode::heads_only());
    let settings = SessionSettings::new(mode).choose_mode(|_, _| panic!("as planned"));
    let plan = SessionPlan::new(ExchangePlan::builder().build().unwrap(), settings).unwrap();
    let mut peer = Peer::connect(&ExternalProcessor::new(plan)).await;
    for _ in 0..2 {
        let mut call = peer.open().await;
        call.send(request_headers(&POST, true).first(protocol_config(0, 0))).await;
        assert_eq!(call.ended().await.code(), Some(GrpcCode::Internal));
    }
}

#[tokio::test]
async fn an_observer_that_panics_changes_nothing() {
    let processor = crate::stage::passing()
        .settings(StreamSettings::new().on_end(|_: &StreamReport| panic!("as planned")));
    let mut peer = Peer::connect(&processor).await;
    for _ in 0..2 {
        let mut call = peer.open().await;
        call.send(request_headers(&POST, true).first(protocol_config(0, 0))).await;
        call.answer().await;
        call.close();
        assert_eq!(call.ended().await.code(), Some(GrpcCode::Ok));
    }
}
