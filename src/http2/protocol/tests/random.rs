//! Random connections, with all that both ends keep in mind beside.

use bytes::BytesMut;

use super::world::world_of_both::drained;
use super::world::{Draw, World};
use crate::http2::Broken;
use crate::http2::protocol::{Event, Protocol, ProtocolSettings};

/// A sequence that is the same in each run.
pub(super) struct Numbers(pub(super) u64);

impl Numbers {
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        if end == 0 { 0 } else { (self.0 >> 33) as usize % end }
    }
}

/// Runs a world. Answers all that its client has sent, and how many events that was.
fn ran(steps: usize, may_break: bool, draw: &mut Draw<'_>) -> (Vec<u8>, usize) {
    let mut world = World::new(draw);
    world.run(steps, may_break, draw);
    let ran = (world.log.clone(), world.events);
    world.end();
    ran
}

#[test]
fn a_client_that_keeps_to_the_rules_is_understood_and_no_window_leaks() {
    let mut events = 0;
    for seed in 0..150 {
        let mut numbers = Numbers(seed);
        events += ran(400, false, &mut |end| numbers.below(end)).1;
    }
    assert!(events > 5_000, "{events} events");
}

#[test]
fn one_that_does_not_changes_nothing_of_what_may_be_written() {
    let mut events = 0;
    for seed in 0..200 {
        let mut numbers = Numbers(seed);
        events += ran(300, true, &mut |end| numbers.below(end)).1;
    }
    assert!(events > 2_000, "{events} events");
}

/// What has come to be known, bodies joined; and all that was written.
#[derive(Debug, PartialEq)]
struct Outcome {
    events: Vec<String>,
    broken: Option<Broken>,
    output: Vec<u8>,
}

/// Of a connection whose driver does nothing.
fn outcome(input: &[u8], mut piece: impl FnMut() -> usize) -> Outcome {
    let settings =
        ProtocolSettings { max_streams: 6, window_bytes: 300_000, max_frame_bytes: 16_384 };
    let mut protocol = Protocol::new(settings);
    let (mut events, mut body): (Vec<String>, (usize, Vec<u8>)) = Default::default();
    let (mut came, mut left, mut broken) = (BytesMut::new(), input, None);
    while !left.is_empty() && broken.is_none() {
        let (now, later) = left.split_at(piece().clamp(1, left.len()));
        came.extend_from_slice(now);
        left = later;
        loop {
            match protocol.read(&mut came) {
                Ok(Some(Event::Data { slot, bytes, ends })) => {
                    if body.0 != slot {
                        events.push(format!("{body:?}"));
                        body = (slot, Vec::new());
                    }
                    body.1.extend_from_slice(&bytes);
                    if ends {
                        body.1.extend_from_slice(b"end");
                    }
                }
                Ok(Some(event)) => {
                    events.push(format!("{body:?}"));
                    body.1.clear();
                    events.push(format!("{event:?}, {:?}", protocol.take_request()));
                }
                Ok(None) => break,
                Err(error) => {
                    broken = Some(error);
                    break;
                }
            }
        }
    }
    events.push(format!("{body:?}"));
    Outcome { events, broken, output: drained(&mut protocol) }
}

#[test]
fn what_comes_byte_by_byte_means_the_same() {
    let (mut whole, mut broken) = (0, 0);
    for seed in 0..200 {
        let mut numbers = Numbers(seed);
        let (input, _) = ran(150, seed % 2 == 0, &mut |end| numbers.below(end));
        let expected = outcome(&input, || usize::MAX);
        assert_eq!(outcome(&input, || 1), expected, "seed {seed}");
        assert_eq!(outcome(&input, || numbers.below(5000)), expected, "seed {seed}");
        match expected.broken {
            Some(_) => broken += 1,
            None => whole += 1,
        }
    }
    assert!(whole > 30 && broken > 30, "{whole} whole, {broken} broken");
}
