//! The examples of RFC 7541, appendix C.

use super::super::encoder::integer;
use super::super::reader::Reader;
use super::{Decoder, bytes, decoded, table};

/// A block, its fields, and the table behind it: entries, bytes.
struct Example<'a> {
    block: &'a str,
    fields: &'a [&'a str],
    table: (&'a [&'a str], usize),
}

/// Decodes the blocks of a connection.
fn check(max_table_bytes: usize, examples: &[Example<'_>]) {
    let mut decoder = Decoder::new(max_table_bytes);
    for Example { block, fields, table: (entries, table_bytes) } in examples {
        let (lines, all) = decoded(&mut decoder, &bytes(block)).expect(block);
        assert_eq!(lines, *fields, "{block}");
        let (found, found_bytes) = table(&decoder);
        assert_eq!(found, *entries, "{block}");
        assert_eq!(found_bytes, *table_bytes, "{block}");
        // A status is dropped, and has three digits.
        let size = |line: &String| 30 + line.len() + 2 * usize::from(line.ends_with('?'));
        assert_eq!(all, lines.iter().map(size).sum::<usize>(), "{block}");
    }
}

#[test]
fn c1_integers() {
    for (prefix_bits, value, hex) in [(5, 10, "0a"), (5, 1337, "1f 9a 0a"), (8, 42, "2a")] {
        assert_eq!(Reader::new(&bytes(hex)).integer(prefix_bits), Ok(value));
        let mut out = Vec::new();
        integer(&mut out, 0, prefix_bits, value);
        assert_eq!(out, bytes(hex));
    }
}

#[test]
fn c2_each_kind_of_field() {
    let custom = "custom-key: custom-header";
    check(
        4096,
        &[Example {
            block: "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572",
            fields: &[custom],
            table: (&[custom], 55),
        }],
    );
    let not_kept =
        |block: &str, fields: &[&str]| check(4096, &[Example { block, fields, table: (&[], 0) }]);
    not_kept("040c 2f73 616d 706c 652f 7061 7468", &[":path: /sample/path"]);
    not_kept("1008 7061 7373 776f 7264 0673 6563 7265 74", &["password: secret"]);
    not_kept("82", &[":method: GET"]);
}

const AUTHORITY: &str = ":authority: www.example.com";
const NO_CACHE: &str = "cache-control: no-cache";
const CUSTOM: &str = "custom-key: custom-value";

/// The requests of C.3 and C.4, which differ in how their strings are written.
fn check_requests(blocks: [&str; 3]) {
    let http = [":method: GET", ":scheme: http", ":path: /", AUTHORITY];
    let [a, b, c] = blocks;
    let second = [&http[..], &[NO_CACHE]].concat();
    let third = [":method: GET", ":scheme: https", ":path: /index.html", AUTHORITY, CUSTOM];
    check(
        4096,
        &[
            Example { block: a, fields: &http, table: (&[AUTHORITY], 57) },
            Example { block: b, fields: &second, table: (&[NO_CACHE, AUTHORITY], 110) },
            Example { block: c, fields: &third, table: (&[CUSTOM, NO_CACHE, AUTHORITY], 164) },
        ],
    );
}

#[test]
fn c3_requests_without_huffman_coding() {
    check_requests([
        "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        "8286 84be 5808 6e6f 2d63 6163 6865",
        "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
    ]);
}

#[test]
fn c4_requests_with_huffman_coding() {
    check_requests([
        "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
        "8286 84be 5886 a8eb 1064 9cbf",
        "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
    ]);
}

const STATUS: &str = ":status: ?";
const PRIVATE: &str = "cache-control: private";
const DATE_21: &str = "date: Mon, 21 Oct 2013 20:13:21 GMT";
const DATE_22: &str = "date: Mon, 21 Oct 2013 20:13:22 GMT";
const LOCATION: &str = "location: https://www.example.com";
const GZIP: &str = "content-encoding: gzip";
const COOKIE: &str = "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1";

/// The responses of C.5 and C.6, with a table of 256 bytes that makes room twice.
fn check_responses(blocks: [&str; 3]) {
    let [a, b, c] = blocks;
    check(
        256,
        &[
            Example {
                block: a,
                fields: &[STATUS, PRIVATE, DATE_21, LOCATION],
                table: (&[LOCATION, DATE_21, PRIVATE, STATUS], 222),
            },
            Example {
                block: b,
                fields: &[STATUS, PRIVATE, DATE_21, LOCATION],
                table: (&[STATUS, LOCATION, DATE_21, PRIVATE], 222),
            },
            Example {
                block: c,
                fields: &[STATUS, PRIVATE, DATE_22, LOCATION, GZIP, COOKIE],
                table: (&[COOKIE, GZIP, DATE_22], 215),
            },
        ],
    );
}

#[test]
fn c5_responses_without_huffman_coding() {
    check_responses([
        "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a \
         3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        "4803 3330 37c1 c0bf",
        "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 \
         677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 \
         553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31",
    ]);
}

#[test]
fn c6_responses_with_huffman_coding() {
    check_responses([
        "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e \
         919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
        "4883 640e ffc1 c0bf",
        "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 \
         821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed \
         4ee5 b106 3d50 07",
    ]);
}
