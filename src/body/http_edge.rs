use http::{Method, Version, request};

use super::trailers::accepts_trailers;
use crate::chain::MessageTraits;
use crate::filter::{Capabilities, Capability};

/// What the HTTP implementation around a chain can do, in each direction.
///
/// Without [`Capability::AddTrailers`] a side is taken for one that cannot be sent trailers at all:
/// those that come with a message are taken off and counted.
///
/// A plan is bound to this once. What differs from message to message is withdrawn where the
/// message begins: see [`request_traits`](Self::request_traits) and
/// [`response_traits`](Self::response_traits).
///
/// # Trailers with hyper
///
/// HTTP/2 carries trailers as they are. HTTP/1 does if the message is chunked (so: HTTP/1.1, and no
/// `content-length`), its head names the fields in `trailer`, and, for a response, the request said
/// `te: trailers`. The layer sees to the first two for the fields that filters
/// [declare](crate::Declaration::trailer); a client that does not say `te: trailers` cannot be sent
/// any, and then filters are not granted [`Capability::AddTrailers`] for that message. Trailers of
/// a response that its head does not announce are taken off for an HTTP/1 client, and counted in
/// the outcome. Which HTTP the server of a request speaks is the inner service's to know, and so is
/// what becomes of trailers there. An HTTP/1.0 client without a `content-length` takes the close of
/// the connection for the end: a message cut short cannot be told from a complete one there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HttpEdge {
    request: Capabilities,
    response: Capabilities,
}

impl HttpEdge {
    /// hyper on both sides, HTTP/1 and HTTP/2: everything, in both directions.
    pub const HYPER: Self = Self::new(Capabilities::ALL, Capabilities::ALL);

    /// A side that carries data only, in both directions: everything but adding trailers.
    pub const DATA_ONLY: Self = Self::new(WITHOUT_TRAILERS, WITHOUT_TRAILERS);

    /// An edge that can do `request` on the way to the server and `response` on the way back.
    #[must_use]
    pub const fn new(request: Capabilities, response: Capabilities) -> Self {
        Self { request, response }
    }

    /// What it can do on the way to the server.
    #[must_use]
    pub const fn request(self) -> Capabilities {
        self.request
    }

    /// What it can do on the way back.
    #[must_use]
    pub const fn response(self) -> Capabilities {
        self.response
    }

    /// What this request cannot have: trailers, on HTTP/1.0, which has no chunked bodies.
    #[must_use]
    pub fn request_traits(self, request: &request::Parts) -> MessageTraits {
        let traits = MessageTraits::new();
        if is_before_http11(request.version) || !self.request.has(Capability::AddTrailers) {
            return traits.without_trailers();
        }
        traits
    }

    /// What the response to this request cannot have: a body, if the method is HEAD; trailers, if
    /// the client does not accept them (RFC 9110, 6.5.1) or speaks HTTP/1.0. On HTTP/2, trailers
    /// that come from the server are sent to any client; there they need no permission to be
    /// understood.
    #[must_use]
    pub fn response_traits(self, request: &request::Parts) -> MessageTraits {
        let mut traits = MessageTraits::new();
        if request.method == Method::HEAD {
            traits = traits.bodiless();
        }
        let accepted = accepts_trailers(&request.headers);
        let is_http1 = request.version < Version::HTTP_2;
        let cannot_send = is_before_http11(request.version)
            || !self.response.has(Capability::AddTrailers)
            || (is_http1 && !accepted);
        if cannot_send {
            traits.without_trailers()
        } else if accepted {
            traits
        } else {
            traits.without(Capability::AddTrailers)
        }
    }
}

impl Default for HttpEdge {
    fn default() -> Self {
        Self::HYPER
    }
}

const WITHOUT_TRAILERS: Capabilities = Capabilities::ALL.without(Capability::AddTrailers);

fn is_before_http11(version: Version) -> bool {
    version < Version::HTTP_11
}
