//! A client that does not read, and filters that do not go on: what is held is bounded, and ends.
//! Time is tokio's, paused: it passes when nobody has anything to do.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use prost::Message as _;
use tidegate::body::Timeouts;
use tidegate::error::{ErrorKind, Timeout};
use tidegate::exchange::ExchangePlan;
use tidegate::ext_proc::mode::{BodyMode, DirectionMode, ProcessingMode};
use tidegate::ext_proc::server::{ExternalProcessor, ServeSettings, StreamSettings};
use tidegate::ext_proc::session::{SessionEnd, SessionPlan, SessionSettings};
use tidegate::ext_proc::wire::GrpcCode;
use tidegate::{Declaration, Filter, Head, Interest, Outcome, Verdict, View};

use super::peer::{Call, Ended, PIPE_BYTES, Peer, SENDER_SLOTS, soon};
use crate::answers::line;
use crate::counting::live_bytes;
use crate::messages::{
    ProcessingRequest, ProcessingResponse, protocol_config, request_body, request_headers,
    response_body, response_headers,
};
use crate::stage::{Capitals, POST, observed, processor};

/// Counts the filters that have been closed.
struct Closed(Arc<AtomicUsize>);

impl<H: Head> Filter<H> for Closed {
    fn declare(&self) -> Declaration {
        Declaration::new().interest(Interest::DATA)
    }

    fn data(&mut self, _: &mut View<'_, H>) -> Verdict {
        Verdict::PASS
    }

    fn close(&mut self, _: &Outcome) {
        self.0.fetch_add(1, Relaxed);
    }
}

/// Keeps the request, whatever comes, with a handle so that it could go on.
struct Keeps(Option<tidegate::ResumeHandle>);

impl Filter<http::request::Parts> for Keeps {
    fn declare(&self) -> Declaration {
        Declaration::new().interest(Interest::DATA)
    }

    fn data(&mut self, view: &mut View<'_, http::request::Parts>) -> Verdict {
        self.0 = Some(view.resume_handle());
        Verdict::HOLD
    }
}

/// The first message in full duplex.
fn head() -> ProcessingRequest {
    let number = BodyMode::FullDuplexStreamed.number();
    request_headers(&POST, false).first(protocol_config(number, number))
}

const PIECE_BYTES: usize = 16 * 1024;

/// Sends pieces until nothing has moved for a second. Answers how many were taken.
async fn flood(call: &mut Call) -> usize {
    let piece = Bytes::from(vec![b'x'; PIECE_BYTES]);
    let mut sent = 0;
    let second = Duration::from_secs(1);
    while tokio::time::timeout(second, call.send(request_body(piece.clone(), false))).await.is_ok()
    {
        sent += 1;
        assert!(sent < 10_000, "the server takes it all");
    }
    sent
}

/// How much a client that is not read can get rid of at most, in bytes: into its own queue, the
/// pipe, the window.
const UNREAD_BYTES: usize = SENDER_SLOTS * PIECE_BYTES + PIPE_BYTES + 256 * 1024;

/// Clones share their drain and their health; how long a stream may stand still is each one's own.
#[tokio::test(start_paused = true)]
async fn the_stall_timeout_of_a_clone_is_its_own() {
    let quick = Duration::from_secs(1);
    for stall in [None, Some(Duration::from_secs(1_000))] {
        let settings = StreamSettings::new().stall(stall);
        let (processor, mut reports) = observed(ExchangePlan::builder(), settings);
        let clone = processor.clone().settings(StreamSettings::new().stall(Some(quick)));
        let mut other = Peer::connect(&clone).await;
        let mut watched = other.open().await;
        watched.send(head()).await;
        let mut peer = Peer::connect(&processor).await;
        let mut call = peer.open().await;
        call.send(head()).await;
        assert!(flood(&mut call).await > 0);
        tokio::time::sleep(quick * 60).await;
        assert!(reports.try_recv().is_err(), "{stall:?}: it was ended by another's timeout");
        assert_eq!(processor.drain().live_streams(), 2);
        drop(watched);
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_reads_is_cut_off_and_its_filters_closed() {
    let closed = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&closed);
    let filters = ExchangePlan::builder().request("closed", move || Closed(Arc::clone(&count)));
    let stall = Duration::from_secs(20);
    let (processor, mut reports) = observed(filters, StreamSettings::new().stall(Some(stall)));
    let mut peer = Peer::connect_with(&processor, &ServeSettings::new(), |client| {
        client.initial_stream_window_size(64 * 1024);
    })
    .await;
    let mut call = peer.open().await;
    call.send(head()).await;
    flood(&mut call).await;
    let blocked = tokio::time::Instant::now();
    let report = soon(reports.recv()).await.unwrap();
    let SessionEnd::Failed(error) = &report.end else { panic!("{report:?}") };
    assert_eq!(error.kind(), ErrorKind::Stalled);
    let waited = blocked.elapsed();
    assert!(waited <= stall * 5 / 4, "one look late at most: {waited:?}");
    assert_eq!(closed.load(Relaxed), 1, "while nobody polls the stream");
    assert_eq!(processor.drain().live_streams(), 1, "the carrier has it still");

    // The client comes back: it finds its stream reset, and others as they were.
    while call.next::<ProcessingResponse>().await.is_some() {}
    assert_eq!(call.ended_raw(), Ended::Reset);
    soon(processor.drain().idle()).await;
    let mut call = peer.open().await;
    call.send(head()).await;
    assert_eq!(line(&call.answer().await), "request head");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_a_little_in_each_timeout_is_slow_and_not_stalled() {
    let stall = Duration::from_secs(20);
    let settings = StreamSettings::new().stall(Some(stall));
    let (processor, mut reports) = observed(ExchangePlan::builder(), settings);
    let mut peer = Peer::connect_with(&processor, &ServeSettings::new(), |client| {
        client.initial_stream_window_size(64 * 1024);
    })
    .await;
    let mut call = peer.open().await;
    call.send(head()).await;
    assert_eq!(line(&call.answer().await), "request head");
    flood(&mut call).await;
    for _ in 0..4 {
        tokio::time::sleep(stall * 3 / 4).await;
        // As much as one window, so that it is given back.
        let mut read_bytes = 0;
        while read_bytes < 64 * 1024 {
            read_bytes += call.answer().await.encoded_len();
        }
    }
    assert!(reports.try_recv().is_err(), "nothing has ended");
}

/// Between the two nothing ever waits: what is written is gone at once.
#[tokio::test(start_paused = true)]
async fn an_answer_beyond_every_window_goes_out_where_the_transport_takes_all() {
    let (pipe_bytes, body_bytes) = (8 << 20, 2 << 20);
    let processor = processor(
        DirectionMode::buffered(),
        ExchangePlan::builder().pair("capitals", || (Capitals, Capitals)),
    );
    let mut peer = Peer::connect_through(pipe_bytes, &processor, &ServeSettings::new(), |client| {
        client.initial_stream_window_size(400_000);
    })
    .await;
    let mut call = peer.open().await;
    let number = BodyMode::Buffered.number();
    call.send(request_headers(&POST, false).first(protocol_config(number, number))).await;
    assert_eq!(line(&call.answer().await), "request head");
    call.send(request_body(vec![b'x'; body_bytes], true)).await;
    assert_eq!(line(&call.answer().await), format!("request body = {body_bytes} bytes"));
}

#[tokio::test(start_paused = true)]
async fn a_client_is_not_read_while_a_filter_holds() {
    let filters = ExchangePlan::builder().request("keeps", || Keeps(None)).build().unwrap();
    let mode = DirectionMode::full_duplex();
    let settings =
        SessionSettings::new(ProcessingMode::new(mode, mode)).queue_high_bytes(32 * 1024);
    let plan = SessionPlan::new(filters, settings).unwrap();
    let held_bytes = usize::try_from(plan.held_bound_bytes()).unwrap();
    let mut peer = Peer::connect(&ExternalProcessor::new(plan)).await;
    let mut call = peer.open().await;
    call.send(head()).await;
    let sent = flood(&mut call).await * PIECE_BYTES;
    let bound = held_bytes + UNREAD_BYTES + PIECE_BYTES;
    assert!(sent <= bound, "{sent} of {bound} bytes");
}

/// The response is on its way behind what is not read, and the request waits for it (P25).
#[tokio::test(start_paused = true)]
async fn filters_that_hold_both_directions_up_are_ended() {
    let filters = ExchangePlan::builder().request("keeps", || Keeps(None));
    let stall = Duration::from_secs(20);
    let (processor, mut reports) = observed(filters, StreamSettings::new().stall(Some(stall)));
    let mut peer = Peer::connect(&processor).await;
    let mut call = peer.open().await;
    call.send(head()).await;
    assert_eq!(line(&call.answer().await), "request head");
    flood(&mut call).await;
    let blocked = tokio::time::Instant::now();
    assert_eq!(call.ended().await.code(), Some(GrpcCode::Aborted));
    assert!(blocked.elapsed() <= stall * 5 / 4, "one look late at most");
    let report = soon(reports.recv()).await.unwrap();
    let SessionEnd::Failed(error) = &report.end else { panic!("{report:?}") };
    assert_eq!(error.kind(), ErrorKind::Stalled);
}

/// A hold by itself is no stall: the client is read, and the other direction goes on.
#[tokio::test(start_paused = true)]
async fn a_filter_that_holds_a_little_is_left_alone() {
    let filters = ExchangePlan::builder().request("keeps", || Keeps(None));
    let stall = Duration::from_secs(20);
    let (processor, mut reports) = observed(filters, StreamSettings::new().stall(Some(stall)));
    let mut peer = Peer::connect(&processor).await;
    let mut call = peer.open().await;
    call.send(head()).await;
    assert_eq!(line(&call.answer().await), "request head");
    call.send(request_body("abc", false)).await;
    tokio::time::sleep(stall * 10).await;
    assert!(reports.try_recv().is_err(), "nothing has ended");
    call.send(response_headers(&[(":status", "200")], false)).await;
    assert_eq!(line(&call.answer().await), "response head");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_not_read_does_not_stop_another() {
    let filters = ExchangePlan::builder().request("keeps", || Keeps(None));
    let (processor, _reports) = observed(filters, StreamSettings::new().stall(None));
    let mut peer = Peer::connect(&processor).await;
    let mut stopped = Vec::new();
    for _ in 0..8 {
        let mut call = peer.open().await;
        call.send(head()).await;
        flood(&mut call).await;
        stopped.push(call);
    }
    let mut call = peer.open().await;
    call.send(head()).await;
    assert_eq!(line(&call.answer().await), "request head");
    call.send(response_headers(&[(":status", "200")], false)).await;
    assert_eq!(line(&call.answer().await), "response head");
    for _ in 0..200 {
        call.send(response_body(vec![b'x'; PIECE_BYTES], false)).await;
        assert_eq!(line(&call.answer().await), "response body + 16384 bytes");
    }
}

/// A processor is used in one runtime, which goes with its watchdog, and then in another.
#[test]
fn a_watchdog_that_went_with_its_runtime_is_replaced() {
    let stall = Duration::from_secs(20);
    let settings = StreamSettings::new().stall(Some(stall));
    let (processor, mut reports) = observed(ExchangePlan::builder(), settings);
    for _ in 0..2 {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut peer = Peer::connect_with(&processor, &ServeSettings::new(), |client| {
                client.initial_stream_window_size(64 * 1024);
            })
            .await;
            let mut call = peer.open().await;
            call.send(head()).await;
            flood(&mut call).await;
            let report = soon(reports.recv()).await.unwrap();
            assert!(matches!(report.end, SessionEnd::Failed(_)), "{report:?}");
        });
        drop(runtime);
        assert_eq!(processor.drain().live_streams(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn t17_eight_stalled_streams_hold_less_than_10_mib() {
    let settings = StreamSettings::new().stall(None);
    let (processor, _reports) = observed(ExchangePlan::builder(), settings);
    let mut peer = Peer::connect(&processor).await;
    let before = live_bytes();
    let mut calls = Vec::new();
    for _ in 0..8 {
        let mut call = peer.open().await;
        call.send(head()).await;
        flood(&mut call).await;
        calls.push(call);
    }
    // The client is in here too: what it has read off the connection and nobody has taken lies in
    // windows of hyper's default, 2 MiB for each stream.
    let clients = 8 * (2 * 1024 * 1024 + SENDER_SLOTS * PIECE_BYTES);
    let held = usize::try_from(live_bytes() - before).unwrap();
    assert!(held <= clients + 10 * 1024 * 1024, "{held} bytes, {clients} of them the client's");
}

#[tokio::test(start_paused = true)]
async fn timeouts_are_told_to_the_session() {
    let second = Duration::from_secs(1);
    let cases = [
        (Timeouts::new().idle(second), Timeout::Idle),
        (Timeouts::new().hold(second), Timeout::Hold),
        (Timeouts::new().total(second), Timeout::Total),
    ];
    for (timeouts, which) in cases {
        let filters = ExchangePlan::builder().request("keeps", || Keeps(None));
        let settings = StreamSettings::new().timeouts(timeouts);
        let (processor, mut reports) = observed(filters, settings);
        let mut peer = Peer::connect(&processor).await;
        let mut call = peer.open().await;
        call.send(head()).await;
        assert_eq!(line(&call.answer().await), "request head");
        call.send(request_body("abc", false)).await;
        let since = tokio::time::Instant::now();
        assert_eq!(line(&call.answer().await), "reply 504 ", "{which}");
        assert_eq!(since.elapsed().as_secs(), 1, "{which}");
        assert_eq!(call.ended().await.code(), Some(GrpcCode::Ok), "{which}");
        let report = soon(reports.recv()).await.unwrap();
        assert!(matches!(report.end, SessionEnd::Replied { .. }), "{report:?}");
    }
}
