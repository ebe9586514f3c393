//! Many streams on a few sockets, on several threads: those that are reset, those that are read
//! late, and filters that are woken from elsewhere. Each byte is checked.

use bytes::Bytes;
use tidegate::exchange::ExchangePlan;
use tidegate::ext_proc::mode::{BodyMode, DirectionMode};
use tidegate::ext_proc::server::ServeSettings;
use tidegate::resume::ResumeHandle;
use tidegate::{Capability, Declaration, Filter, Head, Interest, Verdict, View};
use tokio::net::TcpStream;

use super::peer::{Call, Peer, soon};
use super::serving::serve;
use crate::messages::{
    Mutation, ProcessingResponse, ResponsePart, protocol_config, request_body, request_headers,
};
use crate::stage::{POST, processor};

/// Holds every second time it is asked, until another thread says so.
#[derive(Default)]
struct Later {
    handle: Option<ResumeHandle>,
    holds: bool,
}

impl<H: Head> Filter<H> for Later {
    fn declare(&self) -> Declaration {
        Declaration::new().interest(Interest::DATA).require(Capability::KeepToEnd)
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.holds = !self.holds;
        if !self.holds {
            return Verdict::PASS;
        }
        let handle = self.handle.get_or_insert_with(|| view.resume_handle()).clone();
        tokio::spawn(async move {
            tokio::task::yield_now().await;
            handle.resume();
        });
        Verdict::HOLD
    }
}

/// A sequence that is the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) as usize % end
    }
}

/// What a stream sends, which no other does.
fn piece(numbers: &mut Numbers, stream: usize) -> Bytes {
    let len = [1, 100, 2_047, 2_048, 5_000, 16_384, 40_000][numbers.below(7)];
    let first = numbers.below(256);
    (0..len).map(|i| (first + i * (stream % 7 + 1)) as u8).collect()
}

fn streamed(answer: ProcessingResponse) -> Bytes {
    let Some(ResponsePart::RequestBody(part)) = answer.response else { return Bytes::new() };
    let change = part.response.and_then(|common| common.body_mutation);
    match change.and_then(|change| change.mutation) {
        Some(Mutation::StreamedResponse(piece)) => piece.body,
        other => panic!("{other:?}"),
    }
}

async fn run(mut call: Call, stream: usize) {
    let mut numbers = Numbers(stream as u64);
    let number = BodyMode::FullDuplexStreamed.number();
    call.send(request_headers(&POST, false).first(protocol_config(number, number))).await;
    let end = if stream.is_multiple_of(5) { numbers.below(15) } else { usize::MAX };
    let (mut sent, mut came) = (Vec::new(), Vec::new());
    for n in 0..15 {
        if n == end {
            return call.reset();
        }
        let bytes = piece(&mut numbers, stream);
        // The same memory twice, too.
        for _ in 0..=numbers.below(2) {
            sent.extend_from_slice(&bytes);
            call.send(request_body(bytes.clone(), false)).await;
        }
        // Others are read behind all others.
        while numbers.below(3) > 0 && came.len() < sent.len() {
            came.extend_from_slice(&streamed(call.answer().await));
        }
        if stream.is_multiple_of(3) {
            tokio::task::yield_now().await;
        }
    }
    call.send(request_body("", true)).await;
    while came.len() < sent.len() {
        came.extend_from_slice(&streamed(call.answer().await));
    }
    assert!(came == sent, "stream {stream}: {} bytes, {} came", sent.len(), came.len());
}

async fn crowd(peer: &mut Peer, first: usize) {
    let mut streams = tokio::task::JoinSet::new();
    for stream in first..first + 24 {
        let call = peer.open().await;
        streams.spawn(run(call, stream));
    }
    while let Some(ended) = streams.join_next().await {
        ended.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_of_many_streams_gets_its_own_bytes() {
    let plain = processor(DirectionMode::full_duplex(), ExchangePlan::builder());
    let filters = ExchangePlan::builder().pair("later", || (Later::default(), Later::default()));
    let later = processor(DirectionMode::full_duplex(), filters);
    for (n, processor) in [plain, later].iter().enumerate() {
        let running = serve(processor, ServeSettings::new()).await;
        let mut wide = Peer::dial(running.address).await;
        let socket = TcpStream::connect(running.address).await.unwrap();
        let mut narrow = Peer::over(socket, |client| {
            client.initial_stream_window_size(3_000).initial_connection_window_size(70_000);
        })
        .await;
        let first = n * 1_000;
        tokio::join!(crowd(&mut wide, first), crowd(&mut narrow, first + 100));
        // The server goes first. A client that does, while it is still written to, resets the
        // socket, and that counts as a connection that failed.
        running.shutdown.send(()).unwrap();
        let served = soon(running.server).await.unwrap();
        drop((wide, narrow));
        assert_eq!((served.connections, served.cut, served.failed), (2, 0, 0), "{served:?}");
        processor.drain().idle().await;
    }
}
