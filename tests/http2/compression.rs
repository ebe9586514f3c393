//! Section 4.3 and RFC 7541: field blocks.

use crate::carrier::Server;
use crate::case::{COMPRESSION, Case, each, run};
use crate::client::Client;
use crate::frames::{GET, GOT, flag, get, headers};
use crate::hpack::{
    INDEXED, LATEST, NEVER_INDEXED, block, huffman_string, indexed, literal, number, string,
    table_bytes,
};
use crate::outcome::Expect;
use crate::record::End;

const SERVED: &[Expect] = &[Expect::Status(GOT)];

/// The size of the dynamic table that nobody has changed, in bytes (RFC 7541, section 6.3).
const TABLE_BYTES: usize = 4096;

fn whole(stream: u32, block: impl AsRef<[u8]>) -> Vec<u8> {
    headers(stream, flag::WHOLE, block.as_ref())
}

/// A request with `more` behind it.
fn and(more: &[u8]) -> Vec<u8> {
    whole(1, [&block(&GET), more].concat())
}

/// A literal with a name of its own and a value of these bytes as they are.
fn valued(value: &[u8]) -> Vec<u8> {
    [&[0], &string(b"x")[..], value].concat()
}

/// A value that says it is in Huffman's code.
fn code(code: &[u8]) -> Vec<u8> {
    valued(&[&number(0x80, 7, code.len())[..], code].concat())
}

pub(crate) fn cases() -> Vec<Case> {
    [wrong(), right()].into_iter().flatten().collect()
}

fn wrong() -> Vec<Case> {
    let case = |name, more: &[u8]| Case::new(name, COMPRESSION).send(and(more));
    let inserts = literal(INDEXED, b"x", b"y");
    vec![
        case("4.3 the entry 0", &[0x80]),
        case("4.3 an entry that was never inserted", &indexed(LATEST)),
        case("4.3 the name of an entry that was never inserted", &[0x7f, 0, 0]),
        case("4.3 an entry beyond all tables", &indexed(1_000_000)),
        case(
            "4.3 an entry that had to go",
            &[&inserts[..], &literal(INDEXED, b"z", &[b'z'; TABLE_BYTES]), &indexed(LATEST)]
                .concat(),
        ),
        case("4.3 a table above the limit", &[])
            .send(whole(3, [table_bytes(TABLE_BYTES + 1), block(&GET)].concat()))
            .about(3),
        case("4.3 a table that changes inside of a block", &table_bytes(0)),
        case("4.3 a number without an end", &[0xff, 0x80, 0x80, 0x80]),
        case("4.3 a number above 2^64", &[&[0xff][..], &[0xff; 10], &[0x7f]].concat()),
        case("4.3 a string beyond the block", &valued(&[10, b'a'])),
        case("4.3 a name beyond the block", &[0, 10, b'a']),
        case("4.3 a literal without a value", &[0, 1, b'x']),
        case("4.3 a string longer than anything", &valued(&[0x7f, 0xff, 0xff, 0xff, 0x7f])),
        case("4.3 Huffman: padded with zeros", &code(&[0b0001_1000])),
        case("4.3 Huffman: padded with a whole byte", &code(&[0b0001_1111, 0xff])),
        case("4.3 Huffman: the code of the end", &code(&[0xff; 4])),
        case("4.3 Huffman: the end between others", &code(&[0x1f, 0xff, 0xff, 0xff, 0xff, 0x1f])),
    ]
}

fn right() -> Vec<Case> {
    let case = |name, more: &[u8]| Case::new(name, SERVED).send(and(more));
    let inserts = literal(INDEXED, b"x", b"y");
    let sized = |sizes: &[usize]| {
        let sizes = sizes.iter().flat_map(|&bytes| table_bytes(bytes));
        whole(1, sizes.chain(block(&GET)).collect::<Vec<u8>>())
    };
    let huffman: Vec<u8> = GET
        .iter()
        .flat_map(|(name, value)| {
            let strings = [huffman_string(name.as_bytes()), huffman_string(value.as_bytes())];
            [vec![0], strings.concat()].concat()
        })
        .collect();
    // :method GET, :scheme http, :path /.
    let tabled = [indexed(2), indexed(6), indexed(4)].concat();
    vec![
        Case::new("4.3 fields of the static table", SERVED).send(whole(1, &tabled)),
        Case::new("4.3 Huffman's code", SERVED).send(whole(1, huffman)),
        case("4.3 a string of no bytes", &valued(&[0])),
        case("4.3 Huffman's code of no bytes", &valued(&[0x80])),
        case("4.3 a literal that nobody may index", &literal(NEVER_INDEXED, b"x", b"y")),
        case("4.3 an entry of the same block", &[&inserts[..], &indexed(LATEST)].concat()),
        case(
            "4.3 an entry larger than the table",
            &[
                &inserts[..],
                &literal(INDEXED, b"z", &[b'z'; TABLE_BYTES]),
                &inserts,
                &indexed(LATEST),
            ]
            .concat(),
        ),
        case("4.3 a name from the table", &[&inserts[..], &[0x0f, 47], &string(b"z")].concat()),
        Case::new("4.3 a table of no bytes", SERVED).send(sized(&[0])),
        Case::new("4.3 a table smaller, then as it was", SERVED).send(sized(&[0, TABLE_BYTES])),
        Case::new("4.3 an entry of a request before", SERVED)
            .about(3)
            .send(and(&inserts))
            .send(whole(3, [block(&GET), indexed(LATEST)].concat())),
        Case::new("4.3 an entry that a table of no bytes has dropped", COMPRESSION)
            .about(3)
            .send(and(&inserts))
            .send(whole(
                3,
                [table_bytes(0), table_bytes(TABLE_BYTES), block(&GET), indexed(LATEST)].concat(),
            )),
    ]
}

/// A client that has no room for a table is not sent entries of one: the record refuses them.
#[tokio::test]
async fn answers_keep_to_the_table_of_the_client() {
    each(async |carrier| {
        for bytes in [0, 64, 4096, u32::MAX] {
            let server = Server::start(carrier).await;
            let values = [(crate::frames::setting::HEADER_TABLE_SIZE, bytes)];
            let mut client = Client::connect(&server, &values).await;
            for stream in (1..20).step_by(2) {
                client.send(&get(stream)).await;
                let answer = client.answer(stream).await;
                assert_eq!(answer.end, Some(End::Whole));
                assert_eq!(answer.value(":status"), Some(u32::from(GOT)), "{carrier:?}");
            }
            // Made smaller under way.
            client.ask(&[(crate::frames::setting::HEADER_TABLE_SIZE, 0)]).await;
            client.send(&get(21)).await;
            assert_eq!(client.answer(21).await.value(":status"), Some(u32::from(GOT)));
        }
    })
    .await;
}

#[tokio::test]
async fn field_blocks() {
    run(cases).await;
}
