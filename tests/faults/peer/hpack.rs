//! As much of RFC 7541 as the cases need: literals are written, and fields read back.

/// Indexed fields of the static table.
pub(super) const POST: u8 = 0x83;
pub(super) const HTTP: u8 = 0x86;
pub(super) const STATUS_200: u8 = 0x88;

/// What the static table says of `:status`, from its index 8 on.
const STATUSES: [u16; 7] = [200, 204, 206, 304, 400, 404, 500];

/// Writes a field that nobody is to remember. Names and values are shorter than 127 bytes.
pub(super) fn literal(block: &mut Vec<u8>, name: &str, value: &str) {
    block.push(0);
    for text in [name, value] {
        block.push(u8::try_from(text.len()).expect("a short text"));
        block.extend_from_slice(text.as_bytes());
    }
}

/// The status of the first response on a connection, which refers to no field before it.
pub(super) fn status(block: &[u8]) -> u16 {
    // An encoder may begin by saying how large its table is.
    let first = block.iter().position(|byte| byte & 0xe0 != 0x20).expect("a field");
    let field = &block[first..];
    match field[0] {
        indexed @ 0x88..=0x8e => STATUSES[usize::from(indexed - 0x88)],
        0x48 | 0x08 | 0x18 => text(&field[1..]).0.parse().expect("a status"),
        other => panic!("{other:#x} is not how a status begins"),
    }
}

/// The value of the field of that name, if its name is written out.
pub(super) fn value(block: &[u8], name: &str) -> Option<String> {
    (0..block.len()).find_map(|at| {
        if !matches!(block[at], 0x00 | 0x10 | 0x40) || at + 1 == block.len() {
            return None;
        }
        let (found, len) = text(&block[at + 1..]);
        (found == name).then(|| text(&block[at + 1 + len..]).0)
    })
}

/// A string at the start of `coded`, and how many bytes it takes there.
fn text(coded: &[u8]) -> (String, usize) {
    let len = usize::from(coded[0] & 0x7f);
    let Some(bytes) = coded.get(1..=len) else { return (String::new(), coded.len()) };
    let text = if coded[0] & 0x80 == 0 { bytes.to_vec() } else { decoded(bytes) };
    (String::from_utf8_lossy(&text).into_owned(), 1 + len)
}

/// The characters of the code of RFC 7541, appendix B, in its order: those of five bits, of six, of
/// seven. A text ends where it has another one.
const CODE: [(usize, u32, &[u8]); 3] = [
    (5, 0, b"012aceiost"),
    (6, 0b01_0100, b" %-./3456789=A_bdfghlmnpru"),
    (7, 0b101_1100, b":BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz"),
];

fn decoded(coded: &[u8]) -> Vec<u8> {
    let bits: Vec<u32> =
        coded.iter().flat_map(|byte| (0..8).rev().map(move |n| u32::from(byte >> n & 1))).collect();
    let (mut at, mut text) = (0, Vec::new());
    let next = |at: usize| {
        CODE.iter().find_map(|(len, first, characters)| {
            let number = bits.get(at..at + len)?.iter().fold(0, |number, bit| number << 1 | bit);
            let place = usize::try_from(number.checked_sub(*first)?).ok()?;
            characters.get(place).map(|character| (*character, *len))
        })
    };
    while let Some((character, len)) = next(at) {
        text.push(character);
        at += len;
    }
    text
}

#[test]
fn the_example_of_the_rfc_is_read() {
    // RFC 7541, C.4.1 and C.6.1.
    let coded = [0x8c, 0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff];
    assert_eq!(text(&coded), ("www.example.com".to_owned(), 13));
    assert_eq!(text(&[0x82, 0x64, 0x02]), ("302".to_owned(), 3));
}
