use core::time::Duration;

use hyper::server::conn::http2::Builder;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::Carrier;
#[cfg(feature = "ext-proc-direct")]
use crate::http2::Http2Settings;
use crate::limits::{
    DEFAULT_DRAIN_SECONDS, DEFAULT_KEEP_ALIVE_SECONDS, MAX_SERVED_CONNECTIONS,
    MAX_SERVED_FRAME_BYTES, MAX_SERVED_STREAMS, SEND_BUFFER_BYTES, STREAM_WINDOW_BYTES,
};

/// How [`serve`](super::serve()) serves.
///
/// # Memory
///
/// What one stream can hold besides its session is what the client has sent and nobody has read
/// ([`stream_window_bytes`](Self::stream_window_bytes)), and what it was sent and has not read
/// ([`send_buffer_bytes`](Self::send_buffer_bytes), and one reply). So a connection holds at most
///
/// ```text
/// max_streams * (stream_window + send_buffer + reply + held bound of the plan)
/// ```
///
/// With the defaults the first three are 512 + 128 + 61 KiB = 701 KiB: 5.5 MiB for 8 stalled
/// streams, and 175 MiB for a connection with all its 256. That counts payload: an answer of few
/// bytes costs its frame while it waits to be sent (some 400 bytes, of which 14 count), so a client
/// that makes many such answers and reads none can have a send buffer cost thirty times as much.
/// Lower it where clients are not trusted. The window of the connection is that of
/// all its streams together, so that one which is not read does not stop the others. Besides, each
/// connection has a buffer of [`TRANSPORT_READ_BYTES`](crate::limits::TRANSPORT_READ_BYTES), up to
/// [`TRANSPORT_WRITE_BYTES`](crate::limits::TRANSPORT_WRITE_BYTES) that the socket has not taken,
/// and up to [`MAX_LENT_SEGMENTS`](crate::limits::MAX_LENT_SEGMENTS) segments of replies, each with
/// the frame that it is a part of. What was sent is not among them: this counts what streams leave
/// behind that were reset, until the connection has no stream.
///
/// On [the direct carrier](super::Carrier) nothing is copied into a send buffer: what a stream has
/// made and not sent is one reply, and [`send_buffer_bytes`](Self::send_buffer_bytes) means
/// nothing. What came and was not read is copied out of what it was read into, and joined where it
/// came in short pieces: it costs at most twice what it is long. A stream whose answer is sent
/// counts among `max_streams` until the body of its request is dropped. Besides, a connection has
/// its read buffer (twice as long where it was full at a bad time), up to
/// [`TRANSPORT_WRITE_BYTES`](crate::limits::TRANSPORT_WRITE_BYTES) with one frame more and the
/// answers to what one read brought, up to 110 KiB for fields, and up to 1 KiB for each stream that
/// was ever under way beside others, which is kept for the next one. What was read is held by the
/// session as slices of buffers of
/// [`TRANSPORT_READ_BYTES`](crate::limits::TRANSPORT_READ_BYTES): a filter that keeps few bytes of
/// each keeps the buffers, unless they are below
/// [`PACK_BELOW_BYTES`](crate::limits::PACK_BELOW_BYTES).
#[derive(Debug, Clone)]
pub struct ServeSettings {
    pub(super) max_connections: usize,
    max_streams: u32,
    stream_window_bytes: u32,
    send_buffer_bytes: usize,
    pub(super) max_frame_bytes: u32,
    keep_alive: Option<Duration>,
    pub(super) drain: Duration,
    pub(super) carrier: Carrier,
}

impl ServeSettings {
    /// The defaults of [`limits`](crate::limits).
    #[must_use]
    pub const fn new() -> Self {
        Self {
            max_connections: MAX_SERVED_CONNECTIONS,
            max_streams: MAX_SERVED_STREAMS,
            stream_window_bytes: STREAM_WINDOW_BYTES,
            send_buffer_bytes: SEND_BUFFER_BYTES,
            max_frame_bytes: MAX_SERVED_FRAME_BYTES,
            keep_alive: Some(Duration::from_secs(DEFAULT_KEEP_ALIVE_SECONDS)),
            drain: Duration::from_secs(DEFAULT_DRAIN_SECONDS),
            carrier: Carrier::Hyper,
        }
    }

    /// Sets how many connections there can be at once; more wait to be accepted. At least 1.
    #[must_use]
    pub const fn max_connections(mut self, connections: usize) -> Self {
        self.max_connections = if connections == 0 { 1 } else { connections };
        self
    }

    /// Sets how many streams one connection can have at once. Envoy opens another connection when
    /// it needs more. At least 1, as no request could be served; 0 counts as 1.
    #[must_use]
    pub const fn max_streams(mut self, streams: u32) -> Self {
        self.max_streams = if streams == 0 { 1 } else { streams };
        self
    }

    /// Sets how much the client may send on one stream before it is read, in bytes. At least 1, as
    /// nothing could come, and at most 2^31 - 1 (RFC 9113, section 6.9.1); what is beyond counts as
    /// the nearest of these.
    #[must_use]
    pub const fn stream_window_bytes(mut self, bytes: u32) -> Self {
        self.stream_window_bytes = match bytes {
            0 => 1,
            1..=MAX_WINDOW_BYTES => bytes,
            _ => MAX_WINDOW_BYTES,
        };
        self
    }

    /// Sets how much of what one stream is sent can wait for its window, in bytes. What is taken
    /// from the session at once is whole, so that it can be one reply more. At least 1, as nothing
    /// could leave, and at most 2^32 - 1; what is beyond counts as the nearest of these.
    #[must_use]
    pub const fn send_buffer_bytes(mut self, bytes: usize) -> Self {
        self.send_buffer_bytes = match bytes {
            0 => 1,
            // hyper panics above.
            1..=MAX_SEND_BUFFER_BYTES => bytes,
            _ => MAX_SEND_BUFFER_BYTES,
        };
        self
    }

    /// Sets the largest HTTP/2 frame that is read, in bytes: 16 KiB to 16 MiB - 1 (RFC 9113,
    /// section 6.5.2); what is beyond counts as the nearest of these. Envoy sends 16 KiB at most.
    #[must_use]
    pub const fn max_frame_bytes(mut self, bytes: u32) -> Self {
        self.max_frame_bytes = match bytes {
            0..0x4000 => 0x4000,
            0x100_0000.. => 0xff_ffff,
            _ => bytes,
        };
        self
    }

    /// Sets how often a client is asked whether it is still there: one that does not answer for 20
    /// seconds is gone, with its streams. `None`: never.
    #[must_use]
    pub const fn keep_alive(mut self, every: Option<Duration>) -> Self {
        self.keep_alive = every;
        self
    }

    /// Sets how long streams under way have to finish once the server goes away. What is left then
    /// is cut off.
    #[must_use]
    pub const fn drain(mut self, within: Duration) -> Self {
        self.drain = within;
        self
    }

    /// Sets what carries HTTP/2, where
    /// [`ExternalProcessor::serve`](super::ExternalProcessor::serve) serves. The functions
    /// [`serve`](super::serve()) and `serve_direct` are each for one carrier.
    #[must_use]
    pub const fn carrier(mut self, carrier: Carrier) -> Self {
        self.carrier = carrier;
        self
    }

    /// What a connection is served with on hyper, for those who accept connections themselves.
    #[must_use]
    pub fn http2(&self) -> Builder<TokioExecutor> {
        self.http2_on(TokioExecutor::new())
    }

    /// The same, with streams that run on `executor`.
    pub(super) fn http2_on<E>(&self, executor: E) -> Builder<E> {
        let all_windows = self.max_streams.saturating_mul(self.stream_window_bytes);
        let mut http2 = Builder::new(executor);
        http2
            .timer(TokioTimer::new())
            .max_concurrent_streams(self.max_streams)
            .initial_stream_window_size(self.stream_window_bytes)
            .initial_connection_window_size(all_windows.min(MAX_WINDOW_BYTES))
            .max_send_buf_size(self.send_buffer_bytes)
            .max_frame_size(self.max_frame_bytes)
            .keep_alive_interval(self.keep_alive)
            .auto_date_header(false);
        http2
    }
}

#[cfg(feature = "ext-proc-direct")]
impl ServeSettings {
    /// What a connection is served with on the direct carrier.
    pub(super) const fn direct(&self) -> Http2Settings {
        Http2Settings {
            max_streams: self.max_streams,
            window_bytes: self.stream_window_bytes,
            max_frame_bytes: self.max_frame_bytes,
            keep_alive: self.keep_alive,
        }
    }
}

/// What hyper takes.
const MAX_SEND_BUFFER_BYTES: usize = u32::MAX as usize;

/// RFC 9113, section 6.9.1.
const MAX_WINDOW_BYTES: u32 = (1 << 31) - 1;

impl Default for ServeSettings {
    fn default() -> Self {
        Self::new()
    }
}
