//! What somebody else's encoder writes.

use super::{Decoder, bytes, decoded, table};

const VECTORS: &str = include_str!("vectors.txt");

#[test]
fn blocks_of_another_encoder_are_read() {
    let lines = VECTORS.lines().filter(|line| !line.starts_with('#'));
    // Digits in several lines are one block.
    let text = lines.collect::<Vec<_>>().join("\n").replace("\n+ ", "");
    let mut blocks = 0;
    for connection in text.split("= ").skip(1) {
        let mut lines = connection.lines().peekable();
        let max_table_bytes = lines.next().and_then(|line| line.parse().ok()).expect("a number");
        let mut decoder = Decoder::new(max_table_bytes);
        while let Some(block) = lines.next() {
            let mut expected = Vec::new();
            while let Some(line) = lines.next_if(|line| line.contains(": ")) {
                expected.push(line);
            }
            let (found, _) = decoded(&mut decoder, &bytes(block)).expect(block);
            assert_eq!(found, expected, "{block}");
            assert!(table(&decoder).1 <= max_table_bytes);
            blocks += 1;
        }
    }
    assert_eq!(blocks, 48);
}
