//! HPACK, the compression of header fields in HTTP/2 (RFC 7541).
//!
//! Reading is all of it. Writing is without state: literals only, so that nothing the peer says of
//! its table matters.

mod decoder;
mod dynamic_table;
mod encoder;
mod field;
mod hpack_error;
mod huffman;
mod reader;
mod static_table;
#[cfg(test)]
mod tests;

pub(crate) use decoder::Decoder;
pub(crate) use encoder::{NO_TABLE, encode_field, encode_status};
pub(crate) use field::Field;
#[cfg(test)]
use hpack_error::HpackError;
