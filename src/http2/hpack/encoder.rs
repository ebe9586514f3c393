//! Writes fields that no table keeps, without Huffman's code: RFC 7541, section 6.2.2.

use http::{HeaderName, HeaderValue, StatusCode};

use super::static_table;

/// The first bytes of fields.
const INDEXED: u8 = 0x80;
const WITHOUT_INDEXING: u8 = 0;
const NEVER_INDEXED: u8 = 0x10;

/// How many bits the index of a name and the length of a string have in their first byte.
const NAME_BITS: u32 = 4;
const LENGTH_BITS: u32 = 7;

/// What stands before the first field that is ever written: the table has no room, and so whatever
/// the peer says of its size changes nothing (RFC 7541, section 4.2).
pub(crate) const NO_TABLE: u8 = 0x20;

/// Writes `:status`.
pub(crate) fn encode_status(out: &mut Vec<u8>, status: StatusCode) {
    match static_table::index_of_status(status) {
        Some(index) => out.push(INDEXED | index),
        None => {
            out.push(WITHOUT_INDEXING | static_table::STATUS);
            string(out, status.as_str().as_bytes());
        }
    }
}

/// Writes one field. A sensitive value stays out of the tables of all who pass it on.
pub(crate) fn encode_field(out: &mut Vec<u8>, name: &HeaderName, value: &HeaderValue) {
    let first = if value.is_sensitive() { NEVER_INDEXED } else { WITHOUT_INDEXING };
    match static_table::index_of(name) {
        Some(index) => integer(out, first, NAME_BITS, index.into()),
        None => {
            out.push(first);
            string(out, name.as_str().as_bytes());
        }
    }
    string(out, value.as_bytes());
}

fn string(out: &mut Vec<u8>, bytes: &[u8]) {
    integer(out, 0, LENGTH_BITS, bytes.len());
    out.extend_from_slice(bytes);
}

/// Writes an integer, which begins in the lower `prefix_bits` of a byte that is `first` else:
/// section 5.1.
#[inline]
#[allow(clippy::cast_possible_truncation, reason = "it is below the largest of a byte")]
pub(super) fn integer(out: &mut Vec<u8>, first: u8, prefix_bits: u32, value: usize) {
    let largest = u8::MAX >> (u8::BITS - prefix_bits);
    match value.checked_sub(largest.into()) {
        None => out.push(first | value as u8),
        Some(left) => {
            out.push(first | largest);
            continued(out, left);
        }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "of each number the lower bits are written")]
fn continued(out: &mut Vec<u8>, mut left: usize) {
    while left >= 0x80 {
        out.push(left as u8 | 0x80);
        left >>= 7;
    }
    out.push(left as u8);
}
