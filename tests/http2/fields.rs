//! Section 8: messages, as fields and as a whole.

use crate::case::{Case, MALFORMED, run};
use crate::frames::{GET, GOT, PROCESS, data, flag, headers, open};
use crate::hpack::{block, literal};
use crate::outcome::Expect;

const SERVED: &[Expect] = &[Expect::Status(GOT)];

pub(crate) fn cases() -> Vec<Case> {
    [names(), values(), connection_specific(), pseudo(), trailers(), lengths()]
        .into_iter()
        .flatten()
        .collect()
}

fn malformed(name: &'static str, block: impl AsRef<[u8]>) -> Case {
    Case::new(name, MALFORMED).send(headers(1, flag::WHOLE, block.as_ref()))
}

/// A request with a field more.
fn and(name: &[u8], value: &[u8]) -> Vec<u8> {
    [block(&GET), literal(0, name, value)].concat()
}

fn names() -> Vec<Case> {
    vec![
        malformed("8.2.1 a capital in a name", and(b"X-name", b"value")),
        malformed("8.2.1 a name of no bytes", and(b"", b"value")),
        malformed("8.2.1 a space in a name", and(b"x name", b"value")),
        malformed("8.2.1 a colon in a name", and(b"x:name", b"value")),
        malformed("8.2.1 a byte above 0x7e in a name", and(b"x\xffname", b"value")),
        malformed("8.2.1 a control character in a name", and(b"x\0name", b"value")),
    ]
}

fn values() -> Vec<Case> {
    vec![
        malformed("8.2.1 NUL in a value", and(b"x", b"a\0b")),
        malformed("8.2.1 CR in a value", and(b"x", b"a\rb")),
        malformed("8.2.1 LF in a value", and(b"x", b"a\nb")),
        malformed("8.2.1 a space before a value", and(b"x", b" a")),
        malformed("8.2.1 a tab behind a value", and(b"x", b"a\t")),
        Case::new("8.2.1 a value of no bytes", SERVED).send(headers(
            1,
            flag::WHOLE,
            &and(b"x", b""),
        )),
        Case::new("8.2.1 bytes above 0x7f in a value", SERVED).send(headers(
            1,
            flag::WHOLE,
            &and(b"x", "ü".as_bytes()),
        )),
        Case::new("8.2.3 cookies in two fields", SERVED).send(headers(
            1,
            flag::WHOLE,
            &[and(b"cookie", b"a=b"), literal(0, b"cookie", b"c=d")].concat(),
        )),
    ]
}

fn connection_specific() -> Vec<Case> {
    vec![
        malformed("8.2.2 connection", and(b"connection", b"keep-alive")),
        malformed("8.2.2 proxy-connection", and(b"proxy-connection", b"keep-alive")),
        malformed("8.2.2 keep-alive", and(b"keep-alive", b"timeout=5")),
        malformed("8.2.2 transfer-encoding", and(b"transfer-encoding", b"chunked")),
        malformed("8.2.2 upgrade", and(b"upgrade", b"h2c")),
        malformed("8.2.2 te of gzip", and(b"te", b"gzip")),
        malformed("8.2.2 te of trailers and gzip", and(b"te", b"trailers, gzip")),
        Case::new("8.2.2 te of trailers", SERVED).send(headers(
            1,
            flag::WHOLE,
            &and(b"te", b"trailers"),
        )),
    ]
}

/// The fields of a request but for one.
fn without(name: &str) -> Vec<u8> {
    let rest: Vec<_> = GET.into_iter().filter(|field| field.0 != name).collect();
    block(&rest)
}

/// The same with another value for one.
fn with(name: &str, value: &str) -> Vec<u8> {
    block(&GET.map(|field| if field.0 == name { (name, value) } else { field }))
}

fn pseudo() -> Vec<Case> {
    let twice = |name: &str| {
        let value = GET.into_iter().find(|field| field.0 == name).unwrap().1;
        [block(&[(name, value)]), block(&GET)].concat()
    };
    let late = [without(":path"), block(&[("x", "y"), (":path", "/")])].concat();
    let connect = |more: &[(&str, &str)]| [block(&[(":method", "CONNECT")]), block(more)].concat();
    vec![
        malformed("8.3 an unknown pseudo-header field", and(b":unknown", b"x")),
        malformed("8.3 a pseudo-header field of responses", and(b":status", b"200")),
        malformed("8.3 a pseudo-header field behind others", late),
        malformed("8.3.1 no :method", without(":method")),
        malformed("8.3.1 no :scheme", without(":scheme")),
        malformed("8.3.1 no :path", without(":path")),
        malformed("8.3.1 no field at all but one", literal(0, b"x", b"y")),
        malformed("8.3.1 two :method", twice(":method")),
        malformed("8.3.1 two :scheme", twice(":scheme")),
        malformed("8.3.1 two :path", twice(":path")),
        malformed("8.3.1 two :authority", twice(":authority")),
        malformed("8.3.1 :path of no bytes", with(":path", "")),
        malformed("8.3.1 :path that does not begin with a slash", with(":path", "relative")),
        malformed("8.3.1 :path with a space", with(":path", "/a b")),
        malformed("8.3.1 :method that is none", with(":method", "GE T")),
        malformed("8.3.1 :method of no bytes", with(":method", "")),
        malformed("8.3.1 :scheme that is none", with(":scheme", "ht tp")),
        malformed("8.3.1 :authority that is none", with(":authority", "a b")),
        Case::new("8.3.1 no :authority", SERVED).send(headers(
            1,
            flag::WHOLE,
            &without(":authority"),
        )),
        Case::new("8.3.1 OPTIONS of everything", &[Expect::Status(GOT)]).send(headers(
            1,
            flag::WHOLE,
            &block(&[(":method", "OPTIONS"), (":scheme", "http"), (":path", "*")]),
        )),
        malformed("8.5 CONNECT without :authority", connect(&[])),
        malformed(
            "8.5 CONNECT with :scheme and :path",
            connect(&[(":scheme", "http"), (":path", "/"), (":authority", "processor")]),
        ),
        malformed(
            "8.3 :protocol that was not negotiated",
            connect(&[
                (":protocol", "websocket"),
                (":scheme", "http"),
                (":path", "/"),
                (":authority", "processor"),
            ]),
        ),
    ]
}

fn trailers() -> Vec<Case> {
    let case = |name, name_in, value| {
        Case::opened(name, MALFORMED).send(headers(1, flag::WHOLE, &literal(0, name_in, value)))
    };
    vec![
        case("8.3 a pseudo-header field in trailers", b":method", b"GET"),
        case("8.3 an unknown pseudo-header field in trailers", b":unknown", b"x"),
        case("8.2.1 a capital in trailers", b"X-name", b"value"),
        case("8.2.2 connection in trailers", b"connection", b"close"),
    ]
}

/// Section 8.1.1: what `content-length` promises is what comes.
fn lengths() -> Vec<Case> {
    let process = |length: &str, flags: u8| {
        let block = [block(&PROCESS), block(&[("content-length", length)])].concat();
        headers(1, flags | flag::END_HEADERS, &block)
    };
    let case = |name, length: &str| Case::new(name, MALFORMED).send(process(length, 0));
    let (end, short) = (flag::END_STREAM, [0, 0, 0]);
    let trailers = headers(1, flag::WHOLE, &literal(0, b"x", b"y"));
    let length = |value: &[u8]| literal(0, b"content-length", value);
    let get = |lengths: &[Vec<u8>]| [block(&GET), lengths.concat()].concat();
    vec![
        Case::new("8.1.1 no DATA where some is promised", MALFORMED).send(process("5", end)),
        case("8.1.1 less DATA than promised", "5").send(data(1, end, &short)),
        case("8.1.1 less DATA than promised, in two frames", "5")
            .send([data(1, 0, &short), data(1, end, b"")].concat()),
        case("8.1.1 more DATA than promised", "2").send(data(1, end, &short)),
        case("8.1.1 more DATA than promised, before the end", "2").send(data(1, 0, &short)),
        case("8.1.1 less DATA than promised, then trailers", "5")
            .send([data(1, 0, &short), trailers].concat()),
        case("8.1.1 padding is not what was promised", "5").send(data(
            1,
            end | flag::PADDED,
            &[2, 0, 0, 0, 0, 0],
        )),
        malformed("8.1.1 two lengths", get(&[length(b"0"), length(b"1")])),
        malformed("8.1.1 a length that is no number", get(&[length(b"zero")])),
        malformed("8.1.1 a length below 0", get(&[length(b"-1")])),
        malformed("8.1.1 a length above 2^64", get(&[length(b"99999999999999999999")])),
        Case::new("8.1.1 as much DATA as promised", &[Expect::Grpc(0)])
            .send(process("0", 0))
            .send(data(1, end, b"")),
        Case::new("8.1.1 padding does not count", &[Expect::Grpc(0)])
            .send(process("0", 0))
            .send(data(1, end | flag::PADDED, &[3, 0, 0, 0])),
        Case::opened("8.1 DATA behind trailers", crate::case::OVER)
            .about(0)
            .send(headers(1, flag::WHOLE, &literal(0, b"x", b"y")))
            .answered(1)
            .send(data(1, 0, b"x")),
    ]
}

#[tokio::test]
async fn messages() {
    run(cases).await;
}

/// What the cases are compared with: nothing is wrong with their requests as such.
#[test]
fn a_field_is_left_out() {
    assert_ne!(without(":path"), block(&GET));
    assert_eq!(with(":path", "/"), block(&GET));
    assert!(open(1).len() > block(&PROCESS).len());
}
