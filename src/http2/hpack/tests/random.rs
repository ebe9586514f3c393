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
