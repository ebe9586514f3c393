//! What differs between requests and responses, for a scripted filter.

use http::{HeaderMap, request, response};
use tidegate::Head;

use crate::moment::is_compared;
use crate::trace::Direction;
use crate::trace::entry::Callback;
use crate::trace::wire::Fields;

pub(crate) trait Kind: Head + Sized {
    const DIRECTION: Direction;
    const HEADERS: Callback;
    const DATA: Callback;
    const TRAILERS: Callback;

    /// What the recorder keeps of a head that a filter sees.
    fn shown_fields(&self) -> Fields;

    /// What the recorder keeps of a head that a peer receives.
    fn received_fields(&self) -> Fields;
}

impl Kind for request::Parts {
    const DIRECTION: Direction = Direction::Request;
    const HEADERS: Callback = Callback::RequestHeaders;
    const DATA: Callback = Callback::RequestData;
    const TRAILERS: Callback = Callback::RequestTrailers;

    /// The recorder leaves the method out here.
    fn shown_fields(&self) -> Fields {
        fields(&self.headers)
    }

    fn received_fields(&self) -> Fields {
        let mut fields = fields(&self.headers);
        fields.insert(":method".to_owned(), self.method.to_string());
        fields
    }
}

impl Kind for response::Parts {
    const DIRECTION: Direction = Direction::Response;
    const HEADERS: Callback = Callback::ResponseHeaders;
    const DATA: Callback = Callback::ResponseData;
    const TRAILERS: Callback = Callback::ResponseTrailers;

    fn shown_fields(&self) -> Fields {
        self.received_fields()
    }

    fn received_fields(&self) -> Fields {
        let mut fields = fields(&self.headers);
        fields.insert(":status".to_owned(), self.status.as_str().to_owned());
        fields
    }
}

/// Fields that are compared.
pub(crate) fn fields(map: &HeaderMap) -> Fields {
    all_fields(map).into_iter().filter(|(name, _)| is_compared(name)).collect()
}

pub(crate) fn all_fields(map: &HeaderMap) -> Fields {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    map.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}
