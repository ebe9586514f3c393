//! Heads that come again, beside a server that remembers none.

use super::Server;
use super::random::Numbers;
use super::world::frame;
use crate::http2::protocol::last_head::LastHead;

/// A block of fields, mostly one that can be read.
fn block(numbers: &mut Numbers) -> Vec<u8> {
    let mut block = Vec::new();
    match numbers.below(40) {
        // Sizes of the table: all of it, one that holds an entry, and none.
        0..4 => block.extend([0x3f, 0xe1, 0x1f]),
        4..6 => block.extend([0x3f, 40 - 31]),
        6 => block.push(0x20),
        _ => {}
    }
    block.extend([0x82 + (numbers.below(2) as u8), 0x86 + (numbers.below(2) as u8)]);
    match numbers.below(8) {
        0 => block.push(0x85),
        1 => block.extend([0x44, 2, b'/', b'a' + numbers.below(3) as u8]),
        // No path at all.
        2 => {}
        _ => block.push(0x84),
    }
    for _ in 0..numbers.below(4) {
        let (name, value) = (b'a' + numbers.below(2) as u8, b'a' + numbers.below(3) as u8);
        match numbers.below(12) {
            0..3 => block.extend([0x40, 1, name, 1, value]),
            3 => block.extend([0x10, 1, name, 1, value]),
            4 => block.extend([0, 1, b'A', 1, value]),
            // `content-length`, by its name in the table.
            5..7 => block.extend([0x0f, 28 - 15, 1, b'0' + numbers.below(2) as u8]),
            // The first entry of the table, or the second: there may be none.
            _ => block.push(0xbe + (numbers.below(8) / 7) as u8),
        }
    }
    block
}

/// What a server makes of a head: its events, and what it takes it for.
fn made_of(server: &mut Server, head: &[u8]) -> String {
    let events = server.read(head);
    let request = server.protocol.take_request();
    format!("{events:?} {request:?} {:?}", server.written())
}

#[test]
fn who_remembers_a_head_takes_it_for_the_same_as_who_does_not() {
    let (mut known, mut broken) = (0, 0);
    for seed in 0..400 {
        let mut numbers = Numbers(seed);
        let mut servers = [Server::new(1_000, 65_535), Server::new(1_000, 65_535)];
        let mut blocks: Vec<_> = (0..3).map(|_| block(&mut numbers)).collect();
        let first = [0x82, 0x86, 0x84, 0x40, 1, b'x', 1, b'x', 0x40, 1, b'y', 1, b'y'];
        let first = frame::frame(frame::HEADERS, frame::END_HEADERS, 1, &first);
        assert_eq!(made_of(&mut servers[0], &first), made_of(&mut servers[1], &first));
        for id in (3..100).step_by(2) {
            if numbers.below(6) == 0 {
                let at = numbers.below(3);
                blocks[at] = block(&mut numbers);
            }
            // The first comes most of the time.
            let block = &blocks[numbers.below(6).saturating_sub(3)];
            let flags =
                frame::END_HEADERS | if numbers.below(2) == 0 { frame::END_STREAM } else { 0 };
            let head = frame::frame(frame::HEADERS, flags, id, block);
            let [remembers, forgets] = &mut servers;
            let changes = remembers.protocol.decoder.table_changes();
            known += usize::from(remembers.protocol.last_head.get(block, changes).is_some());
            forgets.protocol.last_head = LastHead::default();
            let made = made_of(remembers, &head);
            assert_eq!(made, made_of(forgets, &head), "seed {seed}, {block:x?}");
            if made.starts_with("Err") {
                broken += 1;
                break;
            }
        }
    }
    assert!(known > 500 && (20..350).contains(&broken), "{known} known, {broken} broken");
}
