//! Peers that say byte for byte what a case wants said, over HTTP/1.1 and HTTP/2, and note what
//! they are told. They wait for nothing: [`Peer::pump`] deals with what has come.

mod hpack;
mod http1;
mod http2;

use crate::cell::Version;
use crate::net::{Plug, Taken};

/// Which end of an exchange a peer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Client,
    Origin,
}

/// How far the message that a peer is sent has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum End {
    /// It goes on.
    #[default]
    Open,
    /// It is whole by the framing of its protocol.
    Whole,
    /// It was cut off, and that can be seen.
    Cut,
}

/// The message that a peer is sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    /// Its head has come.
    pub(crate) head: bool,
    /// The status of a response.
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    /// The trailers, as text or still encoded; empty if there were none.
    pub(crate) trailers: Vec<u8>,
    pub(crate) end: End,
}

enum Reader {
    Http1(http1::Reader),
    Http2(http2::Reader),
}

/// One end of one connection with one exchange on it.
pub(crate) struct Peer {
    plug: Option<Plug>,
    role: Role,
    version: Version,
    reader: Reader,
    came: Vec<u8>,
    pub(crate) seen: Seen,
    /// It does not read.
    pub(crate) deaf: bool,
}

impl Peer {
    pub(crate) fn new(role: Role, version: Version, plug: Plug) -> Self {
        let reader = match version {
            Version::Http1 => Reader::Http1(http1::Reader::new(role)),
            Version::Http2 => Reader::Http2(http2::Reader::new(role)),
        };
        let (came, seen) = (Vec::new(), Seen::default());
        let mut peer = Self { plug: Some(plug), role, version, reader, came, seen, deaf: false };
        if version == Version::Http2 {
            peer.send(&http2::opening(role));
        }
        peer
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        if let Some(plug) = &mut self.plug {
            plug.send(bytes);
        }
    }

    /// Its head: an upload, or a 200.
    pub(crate) fn head(&self) -> Vec<u8> {
        match self.version {
            Version::Http1 => http1::head(self.role),
            Version::Http2 => http2::head(self.role),
        }
    }

    /// The head of an upload that declares its length.
    pub(crate) fn head_declaring(&self, bytes: usize) -> Vec<u8> {
        match self.version {
            Version::Http1 => http1::head_declaring(bytes),
            Version::Http2 => http2::head_declaring(bytes),
        }
    }

    /// So many trailers, each with a value of so many bytes, and the end.
    pub(crate) fn many_trailers(&self, count: usize, bytes: usize) -> Vec<u8> {
        match self.version {
            Version::Http1 => http1::many_trailers(count, bytes),
            Version::Http2 => http2::many_trailers(count, bytes),
        }
    }

    /// Ends a body without trailers.
    pub(crate) fn end(&self) -> Vec<u8> {
        match self.version {
            Version::Http1 => b"0\r\n\r\n".to_vec(),
            Version::Http2 => http2::end_stream(),
        }
    }

    /// A DATA frame without data (HTTP/2).
    pub(crate) fn empty_data(&self) -> Vec<u8> {
        http2::empty_data()
    }

    /// The head of a call of gRPC (HTTP/2).
    pub(crate) fn call(&self, path: &str) -> Vec<u8> {
        http2::call(path)
    }

    /// Ends what is sent on the stream (HTTP/2).
    pub(crate) fn end_stream(&mut self) {
        self.send(&http2::end_stream());
    }

    /// The value of a field of the trailers, or, where there are none, of the head (HTTP/2).
    pub(crate) fn trailer(&self, name: &str) -> Option<String> {
        hpack::value(&self.seen.trailers, name)
    }

    /// A piece of body.
    pub(crate) fn data(&self, bytes: &[u8]) -> Vec<u8> {
        match self.version {
            Version::Http1 => http1::data(bytes),
            Version::Http2 => http2::data(bytes),
        }
    }

    /// What stands between a body and its trailers.
    pub(crate) fn body_end(&self) -> Vec<u8> {
        match self.version {
            Version::Http1 => b"0\r\n".to_vec(),
            Version::Http2 => Vec::new(),
        }
    }

    /// The trailers, and the end.
    pub(crate) fn trailers(&self) -> Vec<u8> {
        match self.version {
            Version::Http1 => b"x-sum: 1\r\n\r\n".to_vec(),
            Version::Http2 => http2::trailers(),
        }
    }

    /// Deals with all that has come. Answers whether anything had.
    pub(crate) fn pump(&mut self) -> bool {
        !self.deaf && self.sip(usize::MAX)
    }

    /// The same for at most so many bytes, also where it is deaf.
    pub(crate) fn sip(&mut self, most: usize) -> bool {
        let Some(plug) = &mut self.plug else { return false };
        let (before, waited) = (self.came.len(), plug.waiting_bytes());
        let taken = plug.take(most, &mut self.came);
        let is_news = self.came.len() != before || plug.waiting_bytes() != waited;
        let answer = match &mut self.reader {
            Reader::Http1(reader) => {
                reader.read(&mut self.came, &mut self.seen);
                Vec::new()
            }
            Reader::Http2(reader) => reader.read(&mut self.came, &mut self.seen),
        };
        self.send(&answer);
        if taken != Taken::Open {
            let by_close = taken == Taken::Ended
                && matches!(&self.reader, Reader::Http1(reader) if reader.ends_with_connection());
            self.over(if by_close { End::Whole } else { End::Cut });
        }
        is_news || taken != Taken::Open
    }

    /// Its connection is over.
    fn over(&mut self, end: End) {
        self.plug = None;
        if self.seen.head && self.seen.end == End::Open {
            self.seen.end = end;
        }
    }

    /// Whether its connection is still there.
    pub(crate) fn is_connected(&self) -> bool {
        self.plug.is_some()
    }

    /// Closes.
    pub(crate) fn close(&mut self) {
        self.plug = None;
    }

    pub(crate) fn reset(&mut self) {
        if let Some(plug) = self.plug.take() {
            plug.reset();
        }
    }

    pub(crate) fn half_close(&mut self) {
        if let Some(plug) = &mut self.plug {
            plug.half_close();
        }
    }

    /// Resets the stream (HTTP/2).
    pub(crate) fn reset_stream(&mut self) {
        self.send(&http2::reset_stream());
    }
}
