//! What the direct carrier promises to services and transports of any kind, in a pipe.

use std::convert::Infallible;
use std::error::Error;
use std::future::{Future, pending};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use http::{Request, Response};
use http_body::{Body, Frame};
use hyper::service::service_fn;
use tidegate::ext_proc::server::{DirectBody, ServeSettings, serve_direct_connection};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufWriter, DuplexStream};
use tokio::task::{JoinHandle, coop};

use crate::frames::{HEAD_BYTES, PREFACE, data, flag, frame, get, kind, open, setting, settings};

/// How long a test waits for what has to come. The clock is a paused one: it passes at once where
/// nothing else goes on.
const GUARD: Duration = Duration::from_secs(5);

/// A pipe in each direction that has room for all that a test sends.
const PIPE_BYTES: usize = 1024 * 1024;

/// What a service is here.
type Answer<B> = Result<Response<B>, Infallible>;

/// Serves the other end of a pipe.
fn serve<B>(
    far: impl AsyncRead + AsyncWrite + Send + 'static,
    service: impl Fn(Request<DirectBody>) -> Answer<B> + Send + Sync + 'static,
) -> JoinHandle<()>
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let service = service_fn(move |request| std::future::ready(service(request)));
    tokio::spawn(async move {
        let settings = ServeSettings::new();
        let _ = serve_direct_connection(far, service, &settings, pending()).await;
    })
}

/// What a client says first, and then `frames`.
fn greeting(values: &[(u16, u32)], frames: &[u8]) -> Vec<u8> {
    [PREFACE, &settings(values), frames].concat()
}

/// A frame that came: its kind, its flags, its stream and its payload.
type Came = (u8, u8, u32, Vec<u8>);

/// The next frame of `stream`.
async fn next(near: &mut DuplexStream, stream: u32) -> Came {
    let came = async {
        loop {
            let mut head = [0; HEAD_BYTES];
            near.read_exact(&mut head).await.unwrap();
            let bytes = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
            let mut payload = vec![0; bytes];
            near.read_exact(&mut payload).await.unwrap();
            let of = u32::from_be_bytes(head[5..].try_into().unwrap());
            if of == stream {
                return (head[3], head[4], of, payload);
            }
        }
    };
    tokio::time::timeout(GUARD, came).await.expect("nothing comes")
}

/// A body that says of its end and its frames what it is told to.
struct Told<E, P>(E, P);

impl<E, P> Body for Told<E, P>
where
    E: Fn() -> bool,
    P: FnMut(&mut Context<'_>) -> Poll<Option<Bytes>> + Unpin,
    Self: Unpin,
{
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        (self.1)(cx).map(|data| data.map(|data| Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        (self.0)()
    }
}

/// A body of nothing, whose end its head says.
fn nothing() -> http_body_util::Empty<Bytes> {
    http_body_util::Empty::new()
}

#[tokio::test(start_paused = true)]
async fn a_transport_that_gathers_sends_what_it_has() {
    let (mut near, far) = tokio::io::duplex(PIPE_BYTES);
    serve(BufWriter::new(far), |_| Ok(Response::new(nothing())));
    near.write_all(&greeting(&[], &get(1))).await.unwrap();
    let (kind, flags, ..) = next(&mut near, 1).await;
    assert_eq!((kind, flags), (kind::HEADERS, flag::WHOLE));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_ends_its_side_has_what_was_answered_before() {
    let (mut near, far) = tokio::io::duplex(PIPE_BYTES);
    near.write_all(&greeting(&[], &get(1))).await.unwrap();
    near.shutdown().await.unwrap();
    serve(far, |_| Ok(Response::new(nothing())));
    let (kind, flags, ..) = next(&mut near, 1).await;
    assert_eq!((kind, flags), (kind::HEADERS, flag::WHOLE));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_ends_its_side_and_reads_nothing_does_not_stay() {
    // Not even the settings find room.
    let (mut near, far) = tokio::io::duplex(16);
    let serving = serve(far, |_| Ok(Response::new(nothing())));
    near.write_all(&greeting(&[], &get(1))).await.unwrap();
    near.shutdown().await.unwrap();
    tokio::time::timeout(GUARD, serving).await.expect("it stays").unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_body_that_ends_behind_its_head_has_its_end_sent() {
    let (mut near, far) = tokio::io::duplex(PIPE_BYTES);
    serve(far, |_| {
        let asked = AtomicUsize::new(0);
        let ends = move || asked.fetch_add(1, Ordering::Relaxed) > 0;
        Ok(Response::new(Told(ends, |_: &mut Context<'_>| Poll::Ready(None))))
    });
    near.write_all(&greeting(&[], &get(1))).await.unwrap();
    let (kind, flags, ..) = next(&mut near, 1).await;
    assert_eq!((kind, flags), (kind::HEADERS, flag::END_HEADERS));
    let end = next(&mut near, 1).await;
    assert_eq!(end, (kind::DATA, flag::END_STREAM, 1, Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_takes_all_that_a_task_may_do_does_not_keep_back_what_others_sent() {
    let (mut near, far) = tokio::io::duplex(PIPE_BYTES);
    let busy = |cx: &mut Context<'_>| {
        // Pending when the budget of the poll is used up, and woken for the next one.
        loop {
            ready!(pin!(coop::consume_budget()).poll(cx));
        }
    };
    serve(far, move |_| Ok(Response::new(Told(|| false, busy))));
    near.write_all(&greeting(&[], &[get(1), get(3)].concat())).await.unwrap();
    let (kind, ..) = next(&mut near, 3).await;
    assert_eq!(kind, kind::HEADERS);
}

#[tokio::test(start_paused = true)]
async fn fields_of_one_hop_are_not_sent() {
    let (mut near, far) = tokio::io::duplex(PIPE_BYTES);
    serve(far, |_| {
        let response = Response::builder().header("x-kept", "this").header("te", "trailers");
        let response = response.header("connection", "dropped").header("upgrade", "dropped");
        let response = response.header("keep-alive", "dropped").header("te", "dropped");
        let response = response.header("proxy-connection", "dropped");
        Ok(response.header("transfer-encoding", "dropped").body(nothing()).unwrap())
    });
    near.write_all(&greeting(&[], &get(1))).await.unwrap();
    let (.., fields) = next(&mut near, 1).await;
    let fields = String::from_utf8_lossy(&fields);
    assert!(fields.contains("x-kept") && fields.contains("trailers"), "{fields}");
    assert!(!fields.contains("dropped"), "{fields}");
}

#[tokio::test(start_paused = true)]
async fn windows_that_open_and_shut_have_a_stream_polled_once() {
    let (mut near, far) = tokio::io::duplex(PIPE_BYTES);
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    serve(far, move |_| {
        let count = Arc::clone(&count);
        let ends = move || {
            count.fetch_add(1, Ordering::Relaxed);
            false
        };
        let data = |_: &mut Context<'_>| Poll::Ready(Some(Bytes::from_static(b"data")));
        Ok(Response::new(Told(ends, data)))
    });
    let shut = [(setting::INITIAL_WINDOW_SIZE, 0)];
    near.write_all(&greeting(&shut, &get(1))).await.unwrap();
    assert_eq!(next(&mut near, 1).await.0, kind::HEADERS);
    let before = asked.load(Ordering::Relaxed);
    let toggles = [settings(&[(setting::INITIAL_WINDOW_SIZE, 1)]), settings(&shut)].concat();
    near.write_all(&[toggles.repeat(500), get(3)].concat()).await.unwrap();
    assert_eq!(next(&mut near, 3).await.0, kind::HEADERS);
    let polls = asked.load(Ordering::Relaxed) - before;
    assert!(polls < 20, "{polls}");
}

/// Memory whose end panics.
struct Sore;

impl AsRef<[u8]> for Sore {
    fn as_ref(&self) -> &[u8] {
        &[0; 4096]
    }
}

impl Drop for Sore {
    fn drop(&mut self) {
        panic!("as it is told to");
    }
}

#[tokio::test(start_paused = true)]
async fn segments_that_panic_when_they_go_do_so_one_by_one() {
    let (mut near, far) = tokio::io::duplex(1024);
    let data = |_: &mut Context<'_>| Poll::Ready(Some(Bytes::from_owner(Sore)));
    let serving = serve(far, move |_| Ok(Response::new(Told(|| false, data))));
    near.write_all(&greeting(&[], &get(1))).await.unwrap();
    assert_eq!(next(&mut near, 1).await.0, kind::HEADERS);
    // Several are queued. Two panics at once would end the process.
    serving.abort();
    assert!(serving.await.unwrap_err().is_cancelled());
}

/// What has come of a body that nobody read before a GET was answered.
async fn pieces(frames: &[u8]) -> Vec<Bytes> {
    let (mut near, far) = tokio::io::duplex(PIPE_BYTES);
    let (bodies, mut body) = tokio::sync::mpsc::unbounded_channel();
    serve(far, move |request| {
        if request.method() == "POST" {
            bodies.send(request.into_body()).unwrap();
        }
        Ok(Response::new(nothing()))
    });
    near.write_all(&greeting(&[], &open(1))).await.unwrap();
    let body = body.recv().await.unwrap();
    assert_eq!(next(&mut near, 1).await.0, kind::HEADERS);
    near.write_all(&[frames, &data(1, flag::END_STREAM, b""), &get(3)].concat()).await.unwrap();
    assert_eq!(next(&mut near, 3).await.0, kind::HEADERS);
    let mut pieces = Vec::new();
    let mut body = pin!(body);
    while let Some(frame) = std::future::poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        pieces.push(frame.unwrap().into_data().unwrap());
    }
    pieces
}

#[tokio::test(start_paused = true)]
async fn short_pieces_that_nobody_takes_are_joined() {
    let bytes: Vec<u8> = (0..20_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    let frames: Vec<u8> = bytes.iter().flat_map(|&byte| data(1, 0, &[byte])).collect();
    let pieces = pieces(&frames).await;
    assert!(pieces.concat() == bytes);
    assert!(pieces.len() < 10, "{} pieces of {} bytes", pieces.len(), bytes.len());
}

#[tokio::test(start_paused = true)]
async fn pieces_that_nobody_takes_do_not_keep_what_they_were_read_into() {
    let round = [data(1, 0, &[b'x'; 1024]), frame(kind::UNKNOWN, 0, 0, &[0; 60_000])].concat();
    for piece in pieces(&round.repeat(10)).await {
        let bytes = piece.len();
        let kept = piece.try_into_mut().expect("it is somebody else's as well").capacity();
        assert!(kept <= 2 * bytes, "{bytes} bytes keep {kept}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_comes_for_a_body_that_was_dropped_takes_no_room_of_others() {
    let (mut near, far) = tokio::io::duplex(PIPE_BYTES);
    let service = service_fn(|request| async {
        drop(request);
        pending::<Answer<http_body_util::Empty<Bytes>>>().await
    });
    tokio::spawn(async move {
        let settings = ServeSettings::new().max_streams(1).stream_window_bytes(65_535);
        let _ = serve_direct_connection(far, service, &settings, pending()).await;
    });
    near.write_all(&greeting(&[], &open(1))).await.unwrap();
    // The settings, and what says that they were heard.
    for _ in 0..2 {
        assert_eq!(next(&mut near, 0).await.0, kind::SETTINGS);
    }
    for _ in 0..3 {
        near.write_all(&data(1, 0, &[b'x'; 16_000])).await.unwrap();
    }
    assert_eq!(next(&mut near, 0).await.0, kind::WINDOW_UPDATE);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_takes_all_that_a_task_may_do_does_not_end_others_that_just_began() {
    let (mut near, far) = tokio::io::duplex(PIPE_BYTES);
    serve(far, move |request| {
        // Kept, so that nothing has woken the stream before it is polled.
        let kept = request.into_body();
        let busy = move |cx: &mut Context<'_>| {
            let _kept = &kept;
            loop {
                ready!(pin!(coop::consume_budget()).poll(cx));
            }
        };
        Ok(Response::new(Told(|| false, busy)))
    });
    let requests: Vec<u8> = (1..10).step_by(2).flat_map(get).collect();
    near.write_all(&greeting(&[], &requests)).await.unwrap();
    for stream in (1..10).step_by(2) {
        assert_eq!(next(&mut near, stream).await.0, kind::HEADERS);
    }
}

/// Pieces of a body that are not what they say.
enum Bad {
    /// Fewer than it says.
    Fewer,
    /// The memory of the first half panics when it is not needed any more.
    Sore(Option<Bytes>),
}

impl Buf for Bad {
    fn remaining(&self) -> usize {
        200
    }

    fn chunk(&self) -> &[u8] {
        match self {
            Self::Fewer => b"",
            Self::Sore(first) => first.as_deref().map_or(&[0; 100], |first| &first[..100]),
        }
    }

    fn advance(&mut self, _: usize) {
        if let Self::Sore(first) = self {
            drop(first.take());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_piece_that_panics_ends_its_stream_and_leaves_no_half_of_a_frame() {
    let (mut near, far) = tokio::io::duplex(PIPE_BYTES);
    serve(far, |request| {
        let body = match request.method().as_str() {
            "GET" => Bad::Sore(Some(Bytes::from_owner(Sore))),
            _ => Bad::Fewer,
        };
        Ok(Response::new(http_body_util::Full::new(body)))
    });
    near.write_all(&greeting(&[], &[get(1), open(3), get(5)].concat())).await.unwrap();
    for stream in [1, 3, 5] {
        assert_eq!(next(&mut near, stream).await.0, kind::HEADERS);
        let (kind, .., reason) = next(&mut near, stream).await;
        assert_eq!((kind, &reason[..]), (kind::RST_STREAM, &2_u32.to_be_bytes()[..]));
    }
}
