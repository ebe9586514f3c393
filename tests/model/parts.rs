//! The parts of test messages: heads, bytes, fields, replies.

use std::ops::Range;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request, response};
use tidegate::buf::BodyBuf;
use tidegate::chain::InputError;
use tidegate::{Chain, Head, LocalReply};

use super::log::{Fields, HeadSeen};

/// A head that tests can make and read.
pub(crate) trait TestHead: Head + Sized {
    fn make(status: u16) -> Self;
    fn status(&self) -> u16;
    fn set_status(&mut self, status: u16);
    /// Gives a head before the final one, where the direction has such.
    fn inform(chain: &mut Chain<Self>, status: u16) -> Option<Result<(), InputError>>;

    fn seen(&self) -> HeadSeen {
        let text = |value: &HeaderValue| value.to_str().unwrap_or("?").to_owned();
        HeadSeen {
            status: self.status(),
            length: joined(self.headers().get_all(header::CONTENT_LENGTH).iter().map(text)),
            tags: self.headers().get_all("x-tag").iter().map(|tag| tag.as_bytes()[0]).collect(),
        }
    }
}

impl TestHead for request::Parts {
    fn make(_: u16) -> Self {
        http::Request::new(()).into_parts().0
    }

    fn status(&self) -> u16 {
        0
    }

    fn set_status(&mut self, _: u16) {}

    fn inform(_: &mut Chain<Self>, _: u16) -> Option<Result<(), InputError>> {
        None
    }
}

impl TestHead for response::Parts {
    fn make(status: u16) -> Self {
        let mut head = http::Response::new(()).into_parts().0;
        head.set_status(status);
        head
    }

    fn status(&self) -> u16 {
        self.status.as_u16()
    }

    fn set_status(&mut self, status: u16) {
        self.status = StatusCode::from_u16(status).unwrap_or_default();
    }

    fn inform(chain: &mut Chain<Self>, status: u16) -> Option<Result<(), InputError>> {
        Some(chain.handle_informational(Self::make(status)))
    }
}

/// Bytes that filter `station` adds: no two neighbours alike, and unlike those of the others.
pub(crate) fn added_bytes(station: usize, from: u64, n: usize) -> Vec<u8> {
    (0..n as u64).map(|i| ((from + i) * 5 + 97 * (station as u64 + 1)) as u8).collect()
}

/// The local reply of the tests.
pub(crate) fn reply(status: u16, body: u8) -> LocalReply {
    let status = StatusCode::from_u16(status).unwrap_or_default();
    if body == 0 { LocalReply::new(status) } else { LocalReply::text(status, reply_body(body)) }
}

/// Bytes that no source and no filter gives.
pub(crate) fn reply_body(n: u8) -> Vec<u8> {
    (0..n).map(|i| i ^ 0xa5).collect()
}

/// The values of one field, as a list.
pub(crate) fn joined(values: impl Iterator<Item = String>) -> Option<String> {
    values.reduce(|list, value| list + "," + &value)
}

pub(crate) fn field_name(i: usize) -> HeaderName {
    HeaderName::try_from(format!("t-{i}")).expect("letters and digits are a field name")
}

pub(crate) fn fields_of(map: &HeaderMap) -> Fields {
    let text = |value: &HeaderValue| value.to_str().unwrap_or("?").to_owned();
    map.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
}

/// The part of a view of `len` bytes that an action means.
pub(crate) fn range(at: u8, of: u8, len: usize) -> Range<usize> {
    let start = usize::from(at) % (len + 1);
    start..(start + usize::from(of)).min(len)
}

pub(crate) fn bytes_of(body: &BodyBuf) -> Vec<u8> {
    body.chunks().flat_map(<[u8]>::to_vec).collect()
}
