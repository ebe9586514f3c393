//! The code of strings.

use super::super::huffman::decode;
use super::HpackError;
use super::naive::{CODES, coded};
use super::numbers::Numbers;

fn decoded(coded: &[u8]) -> Result<Vec<u8>, HpackError> {
    let mut out = Vec::new();
    decode(coded, &mut out).map(|()| out)
}

#[test]
fn every_symbol_is_read() {
    for symbol in 0..=u8::MAX {
        // At each place in a byte: "0" has 5 bits.
        for before in 0..8 {
            let string = [vec![b'0'; before], vec![symbol], b"x".to_vec()].concat();
            assert_eq!(decoded(&coded(&string)), Ok(string), "{symbol}");
        }
        assert_eq!(decoded(&coded(&[symbol; 9])), Ok(vec![symbol; 9]));
    }
}

#[test]
fn every_pair_of_symbols_is_read() {
    let all = (0..=u8::MAX).flat_map(|a| (0..=u8::MAX).map(move |b| [a, b]));
    for pair in all {
        assert_eq!(decoded(&coded(&pair)).as_deref(), Ok(&pair[..]));
    }
}

#[test]
fn what_is_written_takes_so_much_room_at_most() {
    let mut out = Vec::new();
    let string = vec![b'0'; 1600];
    assert_eq!(decode(&coded(&string), &mut out), Ok(()));
    assert_eq!((out.len(), out.capacity()), (1600, 1600));
}

/// Bits as bytes, with ones behind them.
fn bytes_of(bits: &[(u32, u32)]) -> Vec<u8> {
    let bits = bits.iter().flat_map(|(code, len)| (0..*len).rev().map(move |n| code >> n & 1));
    let bits: Vec<u32> = bits.collect();
    let byte = |bits: &[u32]| (0..8).fold(0, |byte, n| byte << 1 | bits.get(n).unwrap_or(&1));
    bits.chunks(8).map(|bits| byte(bits) as u8).collect()
}

#[test]
fn the_end_of_a_string_is_never_sent() {
    for before in 0..40 {
        let codes = [vec![CODES[usize::from(b'0')]; before], vec![CODES[256]]].concat();
        assert_eq!(decoded(&bytes_of(&codes)), Err(HpackError::BadHuffman));
        let more = [codes, vec![CODES[usize::from(b'a')]; 20]].concat();
        assert_eq!(decoded(&bytes_of(&more)), Err(HpackError::BadHuffman));
    }
}

#[test]
fn padding_is_ones_and_no_whole_byte() {
    for string in [&b"a"[..], b"ab", b"b", b"/.", b":", b"~", b"abc", b"\xff\n"] {
        let good = coded(string);
        let bits: u32 = string.iter().map(|byte| CODES[usize::from(*byte)].1).sum();
        let padding = good.len() as u32 * 8 - bits;
        for bit in 0..padding {
            let mut bad = good.clone();
            *bad.last_mut().expect("a byte") ^= 1 << bit;
            assert_eq!(decoded(&bad), Err(HpackError::BadHuffman), "{padding} bits, bit {bit}");
        }
        for more in 1..9 {
            let bad = [good.clone(), vec![0xff; more]].concat();
            assert_eq!(decoded(&bad), Err(HpackError::BadHuffman), "{more} bytes");
        }
    }
}

#[test]
fn random_strings_are_read() {
    for seed in 0..500 {
        let mut numbers = Numbers(seed);
        let most = [128, 256][numbers.below(2)];
        let len = numbers.below(200);
        let string: Vec<u8> = (0..len).map(|_| numbers.below(most) as u8).collect();
        assert_eq!(decoded(&coded(&string)), Ok(string));
    }
}
