//! What becomes of names and values; and what is written.

use http::StatusCode;
use http::header::{self, HeaderName, HeaderValue};

use super::super::reader::Reader;
use super::hpack::{HpackError, encode_field, encode_status};
use super::writer::integer;
use super::{Decoder, Field, decoded, table};

/// A literal that is kept.
fn literal(name: &[u8], value: &[u8]) -> Vec<u8> {
    let mut block = vec![0x40];
    for string in [name, value] {
        integer(&mut block, 0, 7, string.len());
        block.extend_from_slice(string);
    }
    block
}

fn field(name: &[u8], value: &[u8]) -> String {
    let mut decoder = Decoder::new(4096);
    let (lines, bytes) = decoded(&mut decoder, &literal(name, value)).expect("a legal block");
    assert_eq!(bytes, name.len() + value.len() + 32);
    // As an index it is the same.
    assert_eq!(decoded(&mut decoder, &[0xbe]), Ok((lines.clone(), bytes)));
    lines.concat()
}

#[test]
fn pseudo_fields_are_told_apart() {
    assert_eq!(field(b":method", b"GET"), ":method: GET");
    assert_eq!(field(b":method", b"get-it"), ":method: get-it");
    assert_eq!(field(b":scheme", b"ftp"), ":scheme: ftp");
    assert_eq!(field(b":authority", b"a:1"), ":authority: a:1");
    assert_eq!(field(b":path", b"*"), ":path: *");
    assert_eq!(field(b":status", b"\n"), ":status: ?");
    assert_eq!(field(b":protocol", b"websocket"), ":protocol: ?");
}

#[test]
fn what_is_no_field_is_malformed() {
    let names: [&[u8]; 10] =
        [b"", b"A", b"aBc", b" a", b"a:", b":", b":Path", b":paths", b"\xe4", b"a\0"];
    for name in names {
        assert_eq!(field(name, b"x"), "malformed", "{}", name.escape_ascii());
    }
    let values: [&[u8]; 9] = [b" ", b" a", b"a\t", b"\ta", b"a ", b"a\rb", b"a\n", b"\0", b"\x7f"];
    for value in values {
        for name in [&b"a"[..], b"te", b":path", b":scheme", b":authority", b":method"] {
            assert_eq!(field(name, value), "malformed", "{}", value.escape_ascii());
        }
    }
    assert_eq!(field(b":method", b""), "malformed");
    assert_eq!(field(b":method", b"G(T"), "malformed");
}

#[test]
fn values_are_bytes() {
    assert_eq!(field(b"a", b""), "a: ");
    assert_eq!(field(b"a", b"b \t c"), r"a: b \t c");
    assert_eq!(field(b"a", b"\x80\xff"), r"a: \x80\xff");
    assert_eq!(field(&[b'n'; 300], &[b'v'; 900]).len(), 300 + 2 + 900);
}

#[test]
fn a_path_that_is_written_out_again_is_the_same() {
    let mut decoder = Decoder::new(4096);
    let mut expect = |block: &[u8], line: &str, bytes: usize| {
        assert_eq!(decoded(&mut decoder, block), Ok((vec![line.to_owned()], bytes)));
    };
    for _ in 0..3 {
        // By the number of the name, with the name, and as one that begins like the other.
        expect(b"\x04\x02/b", ":path: /b", 39);
        expect(b"\0\x05:path\x02/c", ":path: /c", 39);
        expect(b"\x04\x03/bc", ":path: /bc", 40);
        expect(b"\x04\x02/\0", "malformed", 39);
        // It is remembered by itself.
        expect(b"\x04\x02/b", ":path: /b", 39);
        expect(b"\x06\x02/b", ":scheme: /b", 41);
        expect(b"\x14\x02/b", ":path: /b", 39);
    }
    let twice = decoded(&mut decoder, b"\x04\x02/b\x04\x02/b");
    assert_eq!(twice, Ok((vec![":path: /b".to_owned(); 2], 78)));
    // Cut short, or with a length that reaches further than what is there.
    assert_eq!(decoded(&mut decoder, b"\x04\x02/"), Err(HpackError::Truncated));
}

#[test]
fn a_path_that_is_written_out_again_is_not_copied_again() {
    let mut decoder = Decoder::new(4096);
    for block in [&b"\x04\x02/b"[..], b"\0\x05:path\x02/c"] {
        let mut path = || {
            let mut path = None;
            decoder.decode(block, |field, _| path = Some(field)).expect("a legal block");
            match path {
                Some(Field::Path(path)) => path,
                other => panic!("{other:?}"),
            }
        };
        let (first, second) = (path(), path());
        assert_eq!(first.as_bytes().as_ptr(), second.as_bytes().as_ptr());
    }
}

#[test]
fn a_number_of_the_table_is_not_remembered_as_the_path() {
    let mut decoder = Decoder::new(4096);
    let mut expect = |block: &[u8], line: &str| {
        let (lines, _) = decoded(&mut decoder, block).expect("a legal block");
        assert_eq!(lines, [line]);
    };
    expect(&literal(b":path", b"/a"), ":path: /a");
    expect(b"\x0f\x2f\x02/b", ":path: /b");
    expect(&literal(b"key", b"a"), "key: a");
    expect(b"\x0f\x2f\x02/b", "key: /b");
    expect(b"\x0f\x30\x02/b", ":path: /b");
}

#[test]
fn a_malformed_field_leaves_its_name() {
    let mut decoder = Decoder::new(4096);
    let mut expect = |block: &[u8], line: &str, bytes: usize| {
        assert_eq!(decoded(&mut decoder, block), Ok((vec![line.to_owned()], bytes)));
    };
    expect(&literal(b"key", b"a\n"), "malformed", 37);
    expect(b"\x7e\x01b", "key: b", 36);
    expect(&literal(b":path", b"\0"), "malformed", 38);
    expect(b"\x7e\x02/b", ":path: /b", 39);
    // A name that is none stays none, and counts.
    expect(&literal(b"Key", b"a"), "malformed", 36);
    expect(b"\x7e\x02bc", "malformed", 37);
    let (lines, bytes) = table(&decoder);
    let expected = ["malformed", "malformed", ":path: /b", "malformed", "key: b", "malformed"];
    assert_eq!((&lines[..], bytes), (&expected.map(String::from)[..], 223));
}

#[test]
fn what_is_never_to_be_kept_is_sensitive() {
    let value = |block: &[u8]| {
        let mut found = None;
        let result = Decoder::new(4096).decode(block, |field, _| match field {
            Field::Regular(_, value) => found = Some(value.is_sensitive()),
            other => panic!("{other:?}"),
        });
        assert_eq!(result, Ok(()));
        found
    };
    assert_eq!(value(b"\x10\x01a\x01b"), Some(true));
    assert_eq!(value(b"\x1f\x08\x01b"), Some(true), "authorization");
    assert_eq!(value(b"\x00\x01a\x01b"), Some(false));
    assert_eq!(value(b"\x40\x01a\x01b"), Some(false));
}

#[test]
fn a_long_string_leaves_no_room_behind() {
    let mut decoder = Decoder::new(4096);
    let coded = super::naive::coded(&[b'a'; 10_000]);
    let mut block = vec![0x04];
    integer(&mut block, 0x80, 7, coded.len());
    block.extend(coded);
    let before = format!("{decoder:?}");
    assert_eq!(decoded(&mut decoder, &block).map(|(_, bytes)| bytes), Ok(10_037));
    assert_eq!(format!("{decoder:?}"), before);
}

#[test]
fn a_status_is_an_index_or_three_digits() {
    for code in 100..1000 {
        let status = StatusCode::from_u16(code).expect("a status");
        let mut out = Vec::new();
        encode_status(&mut out, status);
        let (line, bytes) = decoded(&mut Decoder::new(0), &out).expect("a legal block");
        assert_eq!((line.concat().as_str(), bytes), (":status: ?", 42));
        match out[..] {
            [index] => {
                let (name, value) =
                    super::naive::Table::new(0).get((index & 0x7f).into()).expect("one");
                assert_eq!(name, b":status");
                assert_eq!(value, status.as_str().as_bytes());
            }
            [8, 3, ref digits @ ..] => assert_eq!(digits, status.as_str().as_bytes()),
            _ => panic!("{out:?}"),
        }
        assert_eq!(out.len() == 1, [200, 204, 206, 304, 400, 404, 500].contains(&code));
    }
}

#[test]
fn what_is_written_is_read_and_kept_by_nobody() {
    let long = "v".repeat(3000);
    let values = ["", "application/grpc", "0", "with space", &long];
    let known = (15..62).map(|index| super::naive::Table::new(0).get(index).expect("one").0);
    let names = known.chain([b"grpc-status".to_vec(), b"n".repeat(200)]);
    let mut decoder = Decoder::new(4096);
    for name in names {
        let name = HeaderName::from_lowercase(&name).expect("a name");
        for value in values {
            let mut out = Vec::new();
            let mut value = HeaderValue::from_str(value).expect("a value");
            for is_sensitive in [false, true] {
                value.set_sensitive(is_sensitive);
                let from = out.len();
                encode_field(&mut out, &name, &value);
                assert_eq!(out[from] & 0xf0, if is_sensitive { 0x10 } else { 0 });
            }
            let line = super::shown(&Field::Regular(name.clone(), value));
            let (lines, _) = decoded(&mut decoder, &out).expect("a legal block");
            assert_eq!(lines, [line.clone(), line]);
        }
    }
    assert_eq!(table(&decoder), (vec![], 0));
}

#[test]
fn integers_are_written_as_the_rfc_has_it() {
    for prefix_bits in 1..=8 {
        for value in (0..20_000).chain([u32::MAX as usize - 1, u32::MAX as usize]) {
            let (mut out, mut expected) = (Vec::new(), Vec::new());
            super::super::encoder::integer(&mut out, 0, prefix_bits, value);
            integer(&mut expected, 0, prefix_bits, value);
            assert_eq!(out, expected, "{value}");
            assert_eq!(Reader::new(&out).integer(prefix_bits), Ok(value));
        }
    }
}

#[test]
fn usual_names_are_written_as_their_index() {
    let mut out = Vec::new();
    encode_field(&mut out, &header::SERVER, &HeaderValue::from_static("a"));
    encode_field(&mut out, &header::CONTENT_TYPE, &HeaderValue::from_static("application/grpc"));
    encode_field(&mut out, &HeaderName::from_static("grpc-status"), &HeaderValue::from_static("0"));
    let expected = b"\x0f\x27\x01a\x0f\x10\x10application/grpc\x00\x0bgrpc-status\x010";
    assert_eq!(out.escape_ascii().to_string(), expected.escape_ascii().to_string());
}

#[test]
fn the_static_table_is_the_rfcs() {
    let mut decoder = Decoder::new(0);
    for index in 1..62_usize {
        let (name, value) = super::naive::Table::new(0).get(index).expect("one");
        let (lines, bytes) = decoded(&mut decoder, &[0x80 | index as u8]).expect("an index");
        assert_eq!(bytes, name.len() + value.len() + 32, "{index}");
        let (name, value) = (name.escape_ascii(), value.escape_ascii());
        let line = match index {
            8..15 => ":status: ?".to_owned(),
            _ => format!("{name}: {value}"),
        };
        assert_eq!(lines, [line], "{index}");
        // As a name, with a value that it does not have.
        let mut block = Vec::new();
        integer(&mut block, 0x40, 6, index);
        block.extend_from_slice(b"\x03FOO");
        let (lines, _) = decoded(&mut decoder, &block).expect("a literal");
        let line = match index {
            8..15 => ":status: ?".to_owned(),
            _ => format!("{name}: FOO"),
        };
        assert_eq!(lines, [line], "{index}");
    }
}
