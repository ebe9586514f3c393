//! Each way in which a block is wrong, and its neighbours that are right.

use super::writer::integer;
use super::{Decoder, HpackError, bytes, decoded, table};

fn result(hex: &str) -> Result<Vec<String>, HpackError> {
    decoded(&mut Decoder::new(4096), &bytes(hex)).map(|(lines, _)| lines)
}

#[track_caller]
fn expect(hex: &str, error: HpackError) {
    assert_eq!(result(hex), Err(error), "{hex}");
}

#[test]
fn an_empty_block_has_no_fields() {
    assert_eq!(result(""), Ok(vec![]));
}

#[test]
fn an_index_of_nothing_is_refused() {
    // 0, the first behind the static table, and a large one; as a field, then as a name.
    for hex in ["80", "be", "ff 80 10", "ff 80 ff ff ff 0f", "7f 00 00", "0f ff 10 00"] {
        expect(hex, HpackError::BadIndex);
    }
    assert_eq!(result("82 bd"), Ok(vec![":method: GET".into(), "www-authenticate: ".into()]));
}

#[test]
fn integers_have_32_bits() {
    // 127 + what is behind it: as an index, the largest that is one, and one more.
    expect("ff 80 ff ff ff 0f", HpackError::BadIndex);
    expect("ff 81 ff ff ff 0f", HpackError::IntegerOverflow);
    // Zeros behind the fifth byte, which say nothing.
    expect("ff 80 80 80 80 00", HpackError::BadIndex);
    expect("ff 80 80 80 80 80 00", HpackError::IntegerOverflow);
    // What is written with more bytes than it needs is legal up to there: 31 + 31, an entry.
    assert_eq!(result("ff 80 80 00"), result("ff 00"));
    assert_eq!(result("0f 80 80 80 80 00 01 61"), Ok(vec!["accept-charset: a".into()]));
}

#[test]
fn a_block_that_ends_inside_a_field_is_refused() {
    for hex in ["ff", "ff 80", "40", "40 01", "40 01 61", "40 01 61 01", "04", "04 01", "3f", "7f"]
    {
        expect(hex, HpackError::Truncated);
    }
    // The length of a string is no reason to wait or to allocate: it has to be here.
    expect("04 7f ff ff ff ff 0e 61", HpackError::Truncated);
    expect("04 ff ff ff ff ff 0e 61", HpackError::Truncated);
}

#[test]
fn padding_is_less_than_a_byte_of_ones() {
    // "a" is 00011, "!" 11111110 00: with 3 and 6 bits of padding.
    assert_eq!(result("04 81 1f"), Ok(vec![":path: a".into()]));
    assert_eq!(result("04 82 fe 3f"), Ok(vec![":path: !".into()]));
    // Zeros, ones among them, and no string but padding.
    for hex in ["04 81 18", "04 81 1e", "04 81 1b", "04 82 fe 00", "04 81 ff", "04 82 1f ff"] {
        expect(hex, HpackError::BadHuffman);
    }
    // EOS, all of it and less.
    expect("04 84 ff ff ff ff", HpackError::BadHuffman);
    expect("04 83 ff ff ff", HpackError::BadHuffman);
    // A string of no bytes is no padding.
    assert_eq!(result("04 80"), Ok(vec![":path: ".into()]));
    // In a name as well.
    expect("00 81 ff 00", HpackError::BadHuffman);
}

#[test]
fn a_code_that_is_cut_is_refused() {
    // "!" has 10 bits, a line feed 30.
    expect("04 81 fe", HpackError::BadHuffman);
    expect("04 83 ff ff ff", HpackError::BadHuffman);
    assert_eq!(result("04 84 ff ff ff f3"), Ok(vec!["malformed".into()]));
}

#[test]
fn the_table_is_resized_at_the_beginning_only() {
    let resized = |limit: usize| {
        let mut block = Vec::new();
        integer(&mut block, 0x20, 5, limit);
        block
    };
    let mut decoder = Decoder::new(4096);
    let first = [resized(0), resized(4096), resized(100), vec![0x82]].concat();
    assert!(decoded(&mut decoder, &first).is_ok());
    let only = resized(4096);
    assert!(decoded(&mut decoder, &only).is_ok());
    let too_large = [resized(100), resized(4097)].concat();
    assert_eq!(decoded(&mut decoder, &too_large), Err(HpackError::TableSize));
    let behind = [vec![0x82], resized(100)].concat();
    assert_eq!(decoded(&mut Decoder::new(4096), &behind), Err(HpackError::TableSize));
    assert_eq!(decoded(&mut Decoder::new(0), &resized(1)), Err(HpackError::TableSize));
    assert_eq!(decoded(&mut Decoder::new(0), &resized(0)), Ok((vec![], 0)));
}

#[test]
fn a_smaller_table_lets_go_of_the_oldest() {
    let mut decoder = Decoder::new(4096);
    // Three of 34 bytes.
    let block = bytes("40 01 61 01 31  40 01 62 01 32  40 01 63 01 33");
    assert!(decoded(&mut decoder, &block).is_ok());
    assert_eq!(table(&decoder), (vec!["c: 3".into(), "b: 2".into(), "a: 1".into()], 102));
    // They fit 102 bytes.
    assert!(decoded(&mut decoder, &bytes("3f 47")).is_ok());
    assert_eq!(table(&decoder).1, 102);
    // 101 bytes, then all again: what is gone is gone.
    assert!(decoded(&mut decoder, &bytes("3f 46 3f e1 1f")).is_ok());
    assert_eq!(table(&decoder), (vec!["c: 3".into(), "b: 2".into()], 68));
    assert_eq!(decoded(&mut decoder, &bytes("bf")), Ok((vec!["b: 2".into()], 34)));
    assert_eq!(decoded(&mut decoder, &bytes("c0")), Err(HpackError::BadIndex));
}

#[test]
fn what_is_larger_than_the_table_empties_it() {
    let mut decoder = Decoder::new(70);
    let small = bytes("40 01 61 01 31");
    assert!(decoded(&mut decoder, &small).is_ok());
    assert_eq!(table(&decoder).1, 34);
    // 32 + 1 + 37 bytes fit, alone; one more does not.
    let large = |len: u8| [bytes("40 01 62"), vec![len], vec![b'x'; len.into()]].concat();
    let (lines, all) = decoded(&mut decoder, &large(37)).expect("no error");
    assert_eq!((lines.len(), all), (1, 70));
    assert_eq!(table(&decoder).1, 70);
    assert!(decoded(&mut decoder, &large(38)).is_ok(), "which is no error");
    assert_eq!(table(&decoder), (vec![], 0));
}

#[test]
fn a_name_may_come_from_the_entry_that_makes_room_for_it() {
    let mut decoder = Decoder::new(40);
    assert!(decoded(&mut decoder, &bytes("40 03 6b 65 79 01 31")).is_ok());
    assert_eq!(decoded(&mut decoder, &bytes("7e 01 32")), Ok((vec!["key: 2".into()], 36)));
    assert_eq!(table(&decoder), (vec!["key: 2".into()], 36));
}

#[test]
fn fields_before_an_error_are_told() {
    let mut told = Vec::new();
    let block = bytes("82 87 80 84");
    let result = Decoder::new(4096).decode(&block, |field, _| told.push(super::shown(&field)));
    assert_eq!(result, Err(HpackError::BadIndex));
    assert_eq!(told, [":method: GET", ":scheme: https"]);
}
