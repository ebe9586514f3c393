//! The module `http2::hpack` of the library, without its tests.

#[path = "../../../src/http2/hpack/decoder.rs"]
mod decoder;
#[path = "../../../src/http2/hpack/dynamic_table.rs"]
mod dynamic_table;
#[path = "../../../src/http2/hpack/encoder.rs"]
mod encoder;
#[path = "../../../src/http2/hpack/field.rs"]
mod field;
#[path = "../../../src/http2/hpack/hpack_error.rs"]
mod hpack_error;
#[path = "../../../src/http2/hpack/huffman.rs"]
mod huffman;
#[path = "../../../src/http2/hpack/reader.rs"]
mod reader;
#[path = "../../../src/http2/hpack/static_table.rs"]
mod static_table;

pub(crate) use decoder::Decoder;
pub(crate) use encoder::{NO_TABLE, encode_field, encode_status};
pub(crate) use field::Field;
pub(crate) use hpack_error::HpackError;
