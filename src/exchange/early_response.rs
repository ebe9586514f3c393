use core::time::Duration;

/// What becomes of a request that is still being sent when the client has its answer.
///
/// It applies when the response has left its chain whole (its end was taken, or it is an answer
/// past the filters) while the request is not over: its upstream has not taken all of it, and no
/// reply took its place. A request that has come in whole, or whose end a filter has declared, is
/// not over as long as something of it is kept; there is nothing to drain then. It does not apply
/// to a response that the client did not get whole: then the request is reset and its source let
/// go at once, whatever is set here.
///
/// The default is [`Forward`](Self::Forward): only the two ends know whether the rest of the
/// request is still wanted, and each can say so (an HTTP/2 server by a reset after its response,
/// RFC 9113, 8.1; an HTTP/1 server by closing, RFC 9112, 9.6). It is what hyper does without an
/// engine in between; Envoy stops. Nothing is kept for longer by it: back-pressure and timeouts
/// still apply.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EarlyResponse {
    /// The request chain ends: what it keeps is dropped and counted, its upstream sees a reset and
    /// never an end, the source is let go.
    Stop,
    /// As `Stop`, but the source is read on and what it gives is dropped, so that a client which
    /// reads its answer only after it has sent all gets that far (RFC 9112, 9.3), and a connection
    /// that is closed loses no answer (9.6). The upstream sees the reset when that is over.
    Drain {
        /// How much body is dropped in this way, in bytes. A source that gives more is let go; the
        /// piece that goes beyond it, which has been read by then, is dropped and counted too.
        max_bytes: u64,
        /// The longest it may take.
        max_time: Duration,
    },
    /// The request goes on as if nothing had happened. One whose response did not come from the
    /// upstream (a local reply, an answer past the filters) is reset nevertheless: there is nobody
    /// to go on for.
    #[default]
    Forward,
}
