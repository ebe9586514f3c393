use bytes::Bytes;
use http::HeaderMap;

use crate::error::Error;
use crate::filter::LocalReply;

/// What an edge has to do next. Given out by [`Chain::poll_output`](super::Chain::poll_output) in
/// this order: informational heads, head, data, then one of the ends; or a reply or a reset at any
/// point.
#[derive(Debug)]
pub enum Output<H> {
    /// Send an informational head (1xx); the final one follows. Only for responses, and only where
    /// the edge gave the chain one. An edge that cannot send it drops it.
    Informational(H),
    /// Send the head. `end_of_stream`: nothing follows, and the message is complete.
    Head {
        /// The head.
        head: H,
        /// Whether the message ends with its head.
        end_of_stream: bool,
    },
    /// Send a piece of body; never empty.
    Data(Bytes),
    /// Send the trailers. The message is complete.
    Trailers(HeaderMap),
    /// End the message. It is complete.
    End,
    /// Answer with this reply instead; the last output of a request chain. Hand it to the
    /// response chain of the exchange with [`Chain::handle_reply`](super::Chain::handle_reply).
    Reply(LocalReply),
    /// End the message so that the peer cannot take it for complete. The last output.
    Reset(Error),
}
