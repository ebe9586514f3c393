//! Over memory that takes some bytes at once, with a clock that stands still.

mod bodies;
mod client;
mod clocks;
mod ends;
mod inboxes;
mod panics;
mod places;
mod reply;
mod streams;
mod texts;
mod windows;

use core::convert::Infallible;
use core::time::Duration;

use http::{Request, Response};
use hyper::service::service_fn;
use tokio::io::{duplex, split};
use tokio::task::JoinHandle;

use super::{Connection, ConnectionEnd, DirectBody, Http2Settings};
use client::Client;
use reply::Reply;

type Ended = JoinHandle<Result<(), ConnectionEnd>>;

const KEEP_ALIVE: Duration = Duration::from_secs(60);

/// A connection that answers with `answer`, over a pipe of so many bytes, and the task that it is.
fn served<F>(
    bytes: usize,
    leave: impl Future<Output = ()> + Send + 'static,
    answer: impl Fn(Request<DirectBody>) -> F + Send + Sync + 'static,
) -> (Client, Ended)
where
    F: Future<Output = Reply> + Send + 'static,
{
    served_at_once(300, bytes, leave, answer)
}

/// The same with at most so many streams at once, whose windows together are that of all of them.
fn served_at_once<F>(
    max_streams: u32,
    bytes: usize,
    leave: impl Future<Output = ()> + Send + 'static,
    answer: impl Fn(Request<DirectBody>) -> F + Send + Sync + 'static,
) -> (Client, Ended)
where
    F: Future<Output = Reply> + Send + 'static,
{
    let (near, far) = duplex(bytes);
    let settings = Http2Settings {
        max_streams,
        window_bytes: 65_535,
        max_frame_bytes: 16_384,
        keep_alive: Some(KEEP_ALIVE),
    };
    let service = service_fn(move |request| {
        let answer = answer(request);
        async move { Ok::<_, Infallible>(Response::new(answer.await)) }
    });
    let connection = Connection::new(split(far), service, &settings, leave);
    (Client::new(near), tokio::spawn(connection))
}
