use bytes::Bytes;
use http::HeaderMap;

/// A head or trailers as they come in a message: pseudo fields apart.
///
/// The values are `raw_value` where a field has one, else `value`.
#[derive(Debug, Clone, Default)]
pub struct Section {
    /// The fields whose names begin with a colon, without it, in the order in which they came.
    pub pseudo: Vec<(Bytes, Bytes)>,
    /// All others.
    pub fields: HeaderMap,
}
