//! Random blocks, against the naive decoder.

use super::beside::Beside;
use super::numbers::Numbers;
use super::writer::Writer;

const SIZES: [usize; 4] = [0, 100, 500, 4096];

#[test]
fn legal_blocks_say_what_was_written() {
    let mut fields = 0;
    for seed in 0..100 {
        let mut numbers = Numbers(seed);
        let max_table_bytes = SIZES[numbers.below(SIZES.len())];
        let (mut writer, mut beside) = (Writer::new(max_table_bytes), Beside::new(max_table_bytes));
        for _ in 0..20 {
            let (block, pairs) = writer.block(&mut |end| numbers.below(end));
            assert_eq!(beside.decode(&block), Ok(pairs.clone()), "seed {seed}");
            fields += pairs.len();
        }
    }
    assert!(fields > 8000, "{fields} fields");
}

#[test]
fn a_block_that_is_cut_says_a_part_or_is_wrong() {
    let (mut parts, mut wrong) = (0, 0);
    for seed in 0..100 {
        let mut numbers = Numbers(seed);
        let (block, pairs) = Writer::new(4096).block(&mut |end| numbers.below(end));
        if block.len() > 400 {
            continue;
        }
        for len in 0..block.len() {
            match Beside::new(4096).decode(&block[..len]) {
                Ok(some) => {
                    assert_eq!(some, pairs[..some.len()]);
                    parts += 1;
                }
                Err(_) => wrong += 1,
            }
        }
    }
    assert!(parts > 100 && wrong > 1000, "{parts} parts, {wrong} wrong");
}

#[test]
fn damaged_blocks_and_noise_are_read_alike() {
    for seed in 0..700 {
        let mut numbers = Numbers(seed);
        let max_table_bytes = SIZES[numbers.below(SIZES.len())];
        let (mut writer, mut beside) = (Writer::new(max_table_bytes), Beside::new(max_table_bytes));
        for _ in 0..10 {
            let (mut block, _) = writer.clone().block(&mut |end| numbers.below(end));
            if numbers.below(4) == 0 {
                block = (0..numbers.below(40)).map(|_| numbers.below(256) as u8).collect();
            }
            for _ in 0..numbers.below(3).min(block.len()) {
                let at = numbers.below(block.len());
                block[at] = numbers.below(256) as u8;
            }
            writer.follow(&block);
            if beside.decode(&block).is_err() {
                break;
            }
        }
    }
}

/// How a path can be written: by the two numbers of its name, with it in two ways, and by a number
/// that the table gives away.
const PATH_NAMES: [&[u8]; 8] = [
    b"\x04",
    b"\x05",
    b"\0\x05:path",
    b"\0\x84\xb9\x58\xd3\x3f",
    b"\x0f\x2f",
    b"\x0f\x30",
    b"\x14",
    b"\x44",
];

/// Each begins like another; one is coded, one is malformed, and one is too long to be remembered.
const PATH_VALUES: [&[u8]; 8] = [
    b"\x01/",
    b"\x02/a",
    b"\x03/a/",
    b"\x03/a\n",
    b"\x81\x63",
    b"\x02/a\x44\x01/",
    b"\0",
    b"\x7f\xad\x01",
];

#[test]
fn paths_that_are_written_out_again_are_read_alike() {
    let (mut good, mut wrong) = (0, 0);
    for seed in 0..400 {
        let mut numbers = Numbers(seed);
        let mut beside = Beside::new(SIZES[2 + numbers.below(2)]);
        // The two that are named by their numbers are there.
        beside.decode(b"\x44\x01/\x40\x01n\x01v").expect("a legal block");
        for _ in 0..40 {
            let mut block = Vec::new();
            for _ in 0..numbers.below(6) {
                if numbers.below(8) == 0 {
                    // Others move the numbers of the table.
                    block.extend_from_slice(b"\x40\x01n\x01v");
                }
                block.extend_from_slice(PATH_NAMES[numbers.below(PATH_NAMES.len())]);
                let value = PATH_VALUES[numbers.below(PATH_VALUES.len())];
                block.extend_from_slice(value);
                if value.starts_with(b"\x7f") {
                    block.extend_from_slice(&[b'p'; 300]);
                }
            }
            if numbers.below(20) == 0 {
                block.truncate(numbers.below(block.len() + 1));
            }
            if beside.decode(&block).is_err() {
                wrong += 1;
                break;
            }
            good += 1;
        }
    }
    assert!(good > 1000 && wrong > 100, "{good} good, {wrong} wrong");
}
