//! `inbox` of a connection and `departure` of a server, which only their own folders can name.
//!
//! This module never does anything but pass on.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::HeaderMap;
use http_body::Frame;

use crate::sync::Arc;

/// Why the body of a request has no end: what `inbox` names it by in its folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DirectError;

impl fmt::Display for DirectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it has failed")
    }
}

#[allow(dead_code, clippy::all)]
#[path = "../../src/http2/connection/inbox.rs"]
mod inbox;

#[allow(dead_code, clippy::all)]
#[path = "../../src/ext_proc/server/departure.rs"]
mod departure;

/// What has come of a request and nobody has read: the connection's side.
pub struct Inbox(Arc<inbox::Inbox>);

/// What the connection finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Looked {
    /// What has been read since the last time, in bytes.
    pub read_bytes: usize,
    /// Whether nobody will read any more.
    pub is_gone: bool,
}

impl Inbox {
    /// Of a stream whose place `place` wakes, and its body.
    pub fn new(place: Waker) -> (Self, InboxBody) {
        let inbox = Arc::new(inbox::Inbox::new(place, false));
        (Self(Arc::clone(&inbox)), InboxBody(inbox))
    }

    /// For the next stream, with its body, if nobody has that of the last one.
    pub fn retired(self) -> Option<(Self, InboxBody)> {
        let inbox = inbox::Inbox::retired(self.0)?;
        Some((Self(Arc::clone(&inbox)), InboxBody(inbox)))
    }

    /// A piece has come.
    pub fn push(&self, piece: Bytes, ends: bool) -> Option<Waker> {
        self.0.push(piece, ends)
    }

    /// The end has come.
    pub fn end(&self, trailers: HeaderMap) -> Option<Waker> {
        self.0.end(Box::new(trailers))
    }

    /// Nothing more comes, and there is no end.
    pub fn fail(&self) -> Option<Waker> {
        self.0.fail(DirectError)
    }

    /// What has become of what came.
    pub fn look(&self) -> Looked {
        let inbox::Looked { read_bytes, is_gone } = self.0.look();
        Looked { read_bytes, is_gone }
    }
}

/// The body of a request: dropped, nobody reads it any more.
pub struct InboxBody(Arc<inbox::Inbox>);

impl InboxBody {
    /// The next of it.
    pub fn poll(&self, cx: &Context<'_>) -> Poll<Option<Result<Frame<Bytes>, DirectError>>> {
        self.0.poll(cx)
    }
}

impl Drop for InboxBody {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// When connections have to go.
#[derive(Clone)]
pub struct Departure(Arc<departure::Departure>);

impl Departure {
    /// Of a server that stays.
    #[allow(clippy::new_without_default, reason = "as it is in the engine")]
    pub fn new() -> Self {
        Self(departure::Departure::new())
    }

    /// For one connection.
    pub fn wait(&self) -> Departing {
        Departing(departure::Departure::wait(&self.0))
    }

    /// They have to go.
    pub fn tell(&self) {
        self.0.tell();
    }
}

/// Ready when connections have to go.
pub struct Departing(departure::Departing);

impl Departing {
    /// Whether they have to.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx)
    }
}
