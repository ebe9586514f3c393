//! The fields that everybody knows: RFC 7541, appendix A.

use http::header::{self, HeaderName, HeaderValue};
use http::{Method, StatusCode};

use super::dynamic_table::ENTRY_BYTES;
use super::field::{Field, Name, Pseudo};

/// How many there are: indexes begin with 1.
pub(super) const LEN: usize = 61;

/// Where the regular ones begin.
const FIRST_REGULAR: usize = 15;

/// The names of the regular ones. Their values are empty but that of [`ACCEPT_ENCODING`].
static REGULAR: [HeaderName; LEN + 1 - FIRST_REGULAR] = [
    header::ACCEPT_CHARSET,
    header::ACCEPT_ENCODING,
    header::ACCEPT_LANGUAGE,
    header::ACCEPT_RANGES,
    header::ACCEPT,
    header::ACCESS_CONTROL_ALLOW_ORIGIN,
    header::AGE,
    header::ALLOW,
    header::AUTHORIZATION,
    header::CACHE_CONTROL,
    header::CONTENT_DISPOSITION,
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::CONTENT_LENGTH,
    header::CONTENT_LOCATION,
    header::CONTENT_RANGE,
    header::CONTENT_TYPE,
    header::COOKIE,
    header::DATE,
    header::ETAG,
    header::EXPECT,
    header::EXPIRES,
    header::FROM,
    header::HOST,
    header::IF_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_NONE_MATCH,
    header::IF_RANGE,
    header::IF_UNMODIFIED_SINCE,
    header::LAST_MODIFIED,
    header::LINK,
    header::LOCATION,
    header::MAX_FORWARDS,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::RANGE,
    header::REFERER,
    header::REFRESH,
    header::RETRY_AFTER,
    header::SERVER,
    header::SET_COOKIE,
    header::STRICT_TRANSPORT_SECURITY,
    header::TRANSFER_ENCODING,
    header::USER_AGENT,
    header::VARY,
    header::VIA,
    header::WWW_AUTHENTICATE,
];

const ACCEPT_ENCODING: usize = 16;

/// The name of the statuses.
pub(super) const STATUS: u8 = 8;

/// The field, and what it counts for in bytes.
#[inline]
pub(super) fn field(index: usize) -> Option<(Field, usize)> {
    let (field, bytes) = match index {
        1 => (Field::Authority(const { HeaderValue::from_static("") }), 10),
        2 => (Field::Method(Method::GET), 10),
        3 => (Field::Method(Method::POST), 11),
        4 => (Field::Path(const { HeaderValue::from_static("/") }), 6),
        5 => (Field::Path(const { HeaderValue::from_static("/index.html") }), 16),
        6 => (Field::Scheme(const { HeaderValue::from_static("http") }), 11),
        7 => (Field::Scheme(const { HeaderValue::from_static("https") }), 12),
        8..FIRST_REGULAR => (Field::Status, 10),
        _ => {
            let name = REGULAR.get(index.checked_sub(FIRST_REGULAR)?)?;
            let value = match index {
                ACCEPT_ENCODING => const { HeaderValue::from_static("gzip, deflate") },
                _ => const { HeaderValue::from_static("") },
            };
            let bytes = name.as_str().len() + value.len();
            (Field::Regular(name.clone(), value), bytes)
        }
    };
    Some((field, bytes + ENTRY_BYTES))
}

#[inline]
pub(super) fn name(index: usize) -> Option<Name> {
    Some(Name::Pseudo(match index {
        1 => Pseudo::Authority,
        2 | 3 => Pseudo::Method,
        4 | 5 => Pseudo::Path,
        6 | 7 => Pseudo::Scheme,
        8..FIRST_REGULAR => Pseudo::Status,
        _ => {
            let name = REGULAR.get(index.checked_sub(FIRST_REGULAR)?)?;
            return Some(Name::Regular(name.clone()));
        }
    }))
}

/// The regular names that responses mostly have. To look for the others costs more than their few
/// bytes.
static USUAL: [(HeaderName, u8); 4] = [
    (header::CONTENT_TYPE, 31),
    (header::CONTENT_LENGTH, 28),
    (header::DATE, 33),
    (header::SERVER, 54),
];

/// The index of a regular name, if it is one that is looked for.
pub(super) fn index_of(name: &HeaderName) -> Option<u8> {
    USUAL.iter().find(|(known, _)| known == name).map(|&(_, index)| index)
}

/// The index of a whole status.
pub(super) fn index_of_status(status: StatusCode) -> Option<u8> {
    Some(match status {
        StatusCode::OK => STATUS,
        StatusCode::NO_CONTENT => 9,
        StatusCode::PARTIAL_CONTENT => 10,
        StatusCode::NOT_MODIFIED => 11,
        StatusCode::BAD_REQUEST => 12,
        StatusCode::NOT_FOUND => 13,
        StatusCode::INTERNAL_SERVER_ERROR => 14,
        _ => return None,
    })
}
