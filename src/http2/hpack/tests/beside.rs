//! The decoder beside the naive one, block by block.
//!
//! The fuzz target has this file too.

use super::hpack::{Decoder, Field, HpackError};
use super::naive::{self, Pair, Table};

/// Both decoders of a connection.
pub(crate) struct Beside {
    decoder: Decoder,
    naive: Table,
    max_table_bytes: usize,
}

/// A field as both know it: what a request may have, or a word on what it may not.
#[derive(Debug, PartialEq)]
enum Seen {
    Field(Pair),
    /// Its value is not told.
    Named(&'static str),
    Malformed,
}

impl Beside {
    pub(crate) fn new(max_table_bytes: usize) -> Self {
        let (decoder, naive) = (Decoder::new(max_table_bytes), Table::new(max_table_bytes));
        Self { decoder, naive, max_table_bytes }
    }

    /// Decodes a block. Panics if they do not agree about all of it. Answers what it said, or what
    /// was wrong, behind which nothing is to be decoded.
    pub(crate) fn decode(&mut self, block: &[u8]) -> Result<Vec<Pair>, HpackError> {
        let (pairs, expected) = naive::decode(&mut self.naive, block);
        let mut seen = Vec::new();
        let result =
            self.decoder.decode(block, |field, bytes| seen.push((self::seen(field), bytes)));
        let all: Vec<_> = pairs.iter().map(|pair| (allowed(pair), naive::size(pair))).collect();
        assert_eq!(seen, all, "the fields of {}", block.escape_ascii());
        match (result, expected) {
            (Ok(()), Ok(())) => {
                self.check_table();
                Ok(pairs)
            }
            (Err(error), Err(expected)) if format!("{error:?}") == expected => Err(error),
            (result, expected) => panic!("{result:?} and {expected:?}: {}", block.escape_ascii()),
        }
    }

    /// Both have the same table: each index says the same, and the first that says nothing is one.
    fn check_table(&mut self) {
        let mut table_bytes = 0;
        for (index, pair) in (62..).zip(&self.naive.sent) {
            let (field, bytes) = indexed(&mut self.decoder, index).expect("an entry");
            assert_eq!(seen(field), allowed(pair), "index {index}");
            assert_eq!(bytes, naive::size(pair), "index {index}");
            table_bytes += bytes;
        }
        assert!(table_bytes <= self.max_table_bytes, "{table_bytes} bytes");
        let beyond = indexed(&mut self.decoder, 62 + self.naive.sent.len());
        assert!(matches!(beyond, Err(HpackError::BadIndex)), "{beyond:?}");
    }
}

/// The field with that index. The table stays as it is.
fn indexed(decoder: &mut Decoder, index: usize) -> Result<(Field, usize), HpackError> {
    let mut block = Vec::new();
    super::writer::integer(&mut block, 0x80, 7, index);
    let mut found = None;
    decoder.decode(&block, |field, bytes| found = Some((field, bytes)))?;
    Ok(found.expect("one field"))
}

fn seen(of: Field) -> Seen {
    let field = |name: &str, value: &[u8]| Seen::Field((name.as_bytes().to_vec(), value.to_vec()));
    match of {
        Field::Method(method) => field(":method", method.as_str().as_bytes()),
        Field::Scheme(value) => field(":scheme", value.as_bytes()),
        Field::Authority(value) => field(":authority", value.as_bytes()),
        Field::Path(value) => field(":path", value.as_bytes()),
        Field::Status => Seen::Named(":status"),
        Field::Protocol => Seen::Named(":protocol"),
        Field::Regular(name, value) => field(name.as_str(), value.as_bytes()),
        Field::Malformed => Seen::Malformed,
    }
}

/// What is to be told of a field: RFC 9113, sections 8.2.1 and 8.3, and what `http` can carry.
fn allowed(pair: &Pair) -> Seen {
    let (name, value) = pair;
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~\"".contains(byte);
    let is_name = |byte: &u8| is_token(byte) && !byte.is_ascii_uppercase();
    let is_text = |byte: &u8| *byte == b'\t' || *byte >= b' ' && *byte != 0x7f;
    let is_space = |byte: &u8| b" \t".contains(byte);
    let is_value = value.iter().all(is_text)
        && !value.first().is_some_and(is_space)
        && !value.last().is_some_and(is_space);
    let is_method = !value.is_empty() && value.iter().all(|byte| is_token(byte) && *byte != b'"');
    let is_good = match &name[..] {
        b":status" => return Seen::Named(":status"),
        b":protocol" => return Seen::Named(":protocol"),
        b":method" => is_method,
        b":scheme" | b":authority" | b":path" => is_value,
        _ => !name.is_empty() && name.iter().all(is_name) && is_value,
    };
    if is_good { Seen::Field(pair.clone()) } else { Seen::Malformed }
}
