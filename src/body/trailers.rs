//! Whether a client accepts trailers.
//!
//! This module never changes a field.

use http::header::TE;
use http::{HeaderMap, HeaderName};

/// Whether a request with these fields says `te: trailers` (RFC 9110, 10.1.4).
pub(super) fn accepts_trailers(headers: &HeaderMap) -> bool {
    has_token(headers, &TE, "trailers")
}

/// Whether a field of comma-separated items has `token` among them.
pub(super) fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|item| item.trim().eq_ignore_ascii_case(token))
}
