//! Bodies that move from task to task (`--pipe`).
//!
//! What the engine gives out is moved into a pipe by a task of its own; hyper takes it from there.
//! So filters of a large body run beside the connection that sends it, on another core if there is
//! one. Without `--pipe` a body is polled by who sends it, and nothing is in between.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tidegate::{
    Marks, Origin,
    body::{PipedBody, pipe_body},
    pipe::PipeStats,
};

use super::BoxError;

/// Whether bodies go through pipes, and what went through them. A clone shares the count.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pipes {
    marks: Option<Marks>,
    count: Arc<Count>,
}

#[derive(Debug, Default)]
struct Count {
    bodies: AtomicU64,
    chunks: AtomicU64,
    wakes: AtomicU64,
}

impl Pipes {
    /// Pipes with these marks; none without.
    pub(crate) fn new(marks: Option<Marks>) -> Self {
        Self { marks, count: Arc::default() }
    }

    /// The body as it goes on: through a pipe, if there is something to wait for. Call it on a
    /// runtime.
    pub(crate) fn through<B>(&self, body: B, origin: Origin) -> Through<B>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let Some(marks) = self.marks.filter(|_| !body.is_end_stream()) else {
            return Through::Direct { body };
        };
        let (pump, piped) = pipe_body(body, marks, origin);
        let count = Arc::clone(&self.count);
        tokio::spawn(async move { count.add(pump.await) });
        Through::Piped { body: piped }
    }

    /// Chunks that went through pipes, and wakes for them on both sides; `None` without pipes.
    pub(crate) fn chunks_and_wakes(&self) -> Option<(u64, u64)> {
        self.marks.map(|_| (self.count.chunks.load(Relaxed), self.count.wakes.load(Relaxed)))
    }

    /// Logs what went through.
    pub(crate) fn report(&self) {
        if let Some((chunks, wakes)) = self.chunks_and_wakes() {
            let bodies = self.count.bodies.load(Relaxed);
            tracing::info!(bodies, chunks, wakes, "piped");
        }
    }
}

impl Count {
    fn add(&self, stats: PipeStats) {
        self.bodies.fetch_add(1, Relaxed);
        self.chunks.fetch_add(stats.items, Relaxed);
        self.wakes.fetch_add(stats.sender_wakes + stats.receiver_wakes, Relaxed);
    }
}

pin_project! {
    /// A body, directly or through a pipe.
    #[project = ThroughProj]
    #[derive(Debug)]
    pub(crate) enum Through<B> {
        /// Polled where it is taken.
        Direct {
            #[pin]
            body: B,
        },
        /// From another task.
        Piped {
            body: PipedBody,
        },
    }
}

impl<B> Body for Through<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.project() {
            ThroughProj::Direct { body } => {
                body.poll_frame(cx).map(|frame| frame.map(|frame| frame.map_err(Into::into)))
            }
            ThroughProj::Piped { body } => Pin::new(body)
                .poll_frame(cx)
                .map(|frame| frame.map(|frame| frame.map_err(Into::into))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Direct { body } => body.is_end_stream(),
            Self::Piped { body } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Direct { body } => body.size_hint(),
            Self::Piped { body } => body.size_hint(),
        }
    }
}
