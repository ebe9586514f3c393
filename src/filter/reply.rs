use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header, response};

/// A response made by a filter or by the engine instead of the upstream's.
#[derive(Debug)]
pub struct LocalReply {
    /// Boxed: replies are rare, and travel through results and enums.
    head: Box<response::Parts>,
    body: Bytes,
}

impl LocalReply {
    /// A reply with `status` and no body.
    #[must_use]
    pub fn new(status: StatusCode) -> Self {
        Self::from(Response::builder().status(status).body(Bytes::new()).unwrap_or_default())
    }

    /// A reply with a plain text body.
    #[must_use]
    pub fn text(status: StatusCode, text: impl Into<Bytes>) -> Self {
        let mut reply = Self::new(status);
        reply
            .head
            .headers
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        reply.set_body(text.into());
        reply
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.head.status
    }

    /// The head, to add fields.
    pub fn head_mut(&mut self) -> &mut response::Parts {
        &mut self.head
    }

    /// The length of the body, in bytes.
    #[must_use]
    pub fn body_bytes(&self) -> usize {
        self.body.len()
    }

    /// The head and the body.
    #[must_use]
    pub fn into_parts(self) -> (response::Parts, Bytes) {
        (*self.head, self.body)
    }

    /// Sets the body and the `content-length` that goes with it; a head that can hold no more
    /// fields goes without.
    fn set_body(&mut self, body: Bytes) {
        self.head.headers.remove(header::CONTENT_LENGTH);
        let length = HeaderValue::from(body.len());
        let _ = self.head.headers.try_insert(header::CONTENT_LENGTH, length);
        self.body = body;
    }
}

impl From<Response<Bytes>> for LocalReply {
    /// Takes the response as it is; `content-length` is set from the body.
    fn from(response: Response<Bytes>) -> Self {
        let (head, body) = response.into_parts();
        let mut reply = Self { head: Box::new(head), body: Bytes::new() };
        reply.set_body(body);
        reply
    }
}
