use http::{Request, Response, StatusCode, request, response};
use tidegate::Head;

/// A direction, as scripts see it.
pub(crate) trait Dir: Head + Sized {
    /// Whether this is the request direction.
    const REQUEST: bool;

    /// A head that declares nothing: `POST /` or `200`.
    fn plain() -> Self;

    /// The status, where it is another one than that of [`plain`](Self::plain).
    fn odd_status(&self) -> Option<StatusCode>;

    /// Sets the status, where there is one.
    fn set_status(&mut self, status: StatusCode);

    /// A head with one field.
    fn with(name: &'static str, value: &str) -> Self {
        let mut head = Self::plain();
        head.set(name, value);
        head
    }

    /// A head with a declared length.
    fn declaring(bytes: usize) -> Self {
        Self::with("content-length", &bytes.to_string())
    }

    /// Appends a field.
    fn set(&mut self, name: &'static str, value: &str) {
        self.headers_mut().append(name, value.parse().expect("a field value"));
    }

    /// The value of a field, if it is there once.
    fn get(&self, name: &str) -> Option<&str> {
        let mut all = self.headers().get_all(name).iter();
        let value = all.next()?;
        assert!(all.next().is_none(), "one value of {name}");
        Some(value.to_str().expect("a field value in ASCII"))
    }
}

impl Dir for request::Parts {
    const REQUEST: bool = true;

    fn plain() -> Self {
        Request::post("/").body(()).expect("a request").into_parts().0
    }

    fn odd_status(&self) -> Option<StatusCode> {
        None
    }

    fn set_status(&mut self, _: StatusCode) {}
}

impl Dir for response::Parts {
    const REQUEST: bool = false;

    fn plain() -> Self {
        Response::new(()).into_parts().0
    }

    fn odd_status(&self) -> Option<StatusCode> {
        (self.status != StatusCode::OK).then_some(self.status)
    }

    fn set_status(&mut self, status: StatusCode) {
        self.status = status;
    }
}
