use proptest::prelude::*;

use super::{Edge, Marks, MarksError, Side, Watermark};
use crate::limits;

/// Follows the edges of one watermark as the pauses of its source: they must alternate.
#[derive(Debug, Default)]
struct Pauses {
    highs: u64,
    lows: u64,
}

impl Pauses {
    fn on(&mut self, edge: Option<Edge>) {
        match edge {
            Some(Edge::High) => self.highs += 1,
            Some(Edge::Low) => self.lows += 1,
            None => {}
        }
        let open = self.highs.checked_sub(self.lows).expect("a low edge follows a high one");
        assert!(open <= 1, "two high edges without a low one");
    }

    fn side(&self) -> Side {
        if self.highs == self.lows { Side::Below } else { Side::Above }
    }
}

#[test]
fn scenario_58_limit_and_one_more_then_drain_to_half() {
    let mut w = Watermark::new(Marks::from_high(10));
    assert_eq!(w.add(10), None);
    assert_eq!(w.add(1), Some(Edge::High));
    assert_eq!(w.sub(5), None, "6 is more than half");
    assert_eq!(w.add(20), None, "told already");
    assert_eq!(w.sub(20), None);
    assert_eq!(w.sub(1), Some(Edge::Low));
    assert_eq!(w.sub(5), None, "told already");
    assert_eq!((w.len_bytes(), w.side()), (0, Side::Below));
}

#[test]
fn scenario_59_raise_the_limit_while_paused() {
    let mut w = Watermark::new(Marks::from_high(4));
    assert_eq!(w.add(5), Some(Edge::High));
    assert_eq!(w.set_marks(Marks::from_high(8)), None);
    assert_eq!(w.set_marks(Marks::from_high(10)), Some(Edge::Low));
}

#[test]
fn scenario_59_lower_the_limit_while_running() {
    let mut w = Watermark::new(Marks::from_high(10));
    assert_eq!(w.add(5), None);
    assert_eq!(w.set_marks(Marks::from_high(5)), None);
    assert_eq!(w.set_marks(Marks::from_high(4)), Some(Edge::High));
    assert_eq!(w.set_marks(Marks::from_high(3)), None);
}

#[test]
fn scenario_65_move_between_two_watermarks() {
    let mut src = Watermark::new(Marks::from_high(10));
    let mut dst = Watermark::new(Marks::from_high(10));
    let mut told = Vec::new();
    let mut tell = |who, edge: Option<Edge>| told.extend(edge.map(|edge| (who, edge)));
    tell("src", src.add(11));
    // The mover takes first and gives then: the source is never over at both ends.
    for step in [6_u64, 5] {
        tell("src", src.sub(step));
        tell("dst", dst.add(step));
    }
    tell("dst", dst.sub(11));
    assert_eq!(
        told,
        [("src", Edge::High), ("src", Edge::Low), ("dst", Edge::High), ("dst", Edge::Low)]
    );
    assert_eq!((src.side(), dst.side()), (Side::Below, Side::Below));
}

#[test]
fn marks_are_checked() {
    assert_eq!(Marks::new(3, 2), Err(MarksError { low_bytes: 3, high_bytes: 2 }));
    assert_eq!(
        Marks::new(3, 2).unwrap_err().to_string(),
        "the low watermark of 3 bytes is above the high watermark of 2 bytes"
    );
    assert!(Marks::new(2, 2).is_ok());
    assert_eq!(Marks::from_high(7), Marks::new(3, 7).unwrap());
    assert_eq!(Marks::from_high(0), Marks::new(0, 0).unwrap());
    let default = Marks::default();
    assert_eq!(
        (default.low(), default.high()),
        (limits::DEFAULT_LOW_BYTES, limits::DEFAULT_HIGH_BYTES)
    );
}

#[test]
fn the_ends_of_the_range() {
    let mut never = Watermark::new(Marks::from_high(u64::MAX));
    assert_eq!(never.add(u64::MAX), None);
    let mut first_byte = Watermark::new(Marks::from_high(0));
    assert_eq!(first_byte.add(0), None);
    assert_eq!(first_byte.add(1), Some(Edge::High));
    assert_eq!(first_byte.sub(1), Some(Edge::Low));
}

#[test]
#[should_panic(expected = "no more is given back than was counted")]
fn giving_back_too_much_panics() {
    let mut w = Watermark::new(Marks::DEFAULT);
    let _ = w.add(1);
    let _ = w.sub(2);
}

#[test]
#[should_panic(expected = "a byte count fits u64")]
fn h50_counting_past_u64_panics() {
    let mut w = Watermark::new(Marks::DEFAULT);
    let _ = w.add(u64::MAX);
    let _ = w.add(1);
}

/// Every pair of marks up to 12, filled in every chunk size to 2 over and drained in every size.
#[test]
fn exhaustive_small_grid() {
    for high in 0..=12_u64 {
        for low in 0..=high {
            for (fill, drain) in (1..=14).flat_map(|fill| (1..=14).map(move |drain| (fill, drain)))
            {
                let mut w = Watermark::new(Marks::new(low, high).unwrap());
                while w.len_bytes() <= high + 1 {
                    let before = w.len_bytes();
                    let edge = w.add(fill);
                    let crossed = before <= high && w.len_bytes() > high;
                    assert_eq!(edge, crossed.then_some(Edge::High));
                }
                while w.len_bytes() > 0 {
                    let before = w.len_bytes();
                    let edge = w.sub(drain.min(before));
                    let crossed = before > low && w.len_bytes() <= low;
                    assert_eq!(edge, crossed.then_some(Edge::Low));
                }
                assert_eq!(w.side(), Side::Below);
            }
        }
    }
}

#[derive(Debug, Clone)]
enum Op {
    Add(u64),
    Sub(u64),
    SetLen(u64),
    SetMarks(u64, u64),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (0..20_u64).prop_map(Op::Add),
        4 => (0..20_u64).prop_map(Op::Sub),
        1 => (0..60_u64).prop_map(Op::SetLen),
        1 => (0..30_u64, 0..30_u64).prop_map(|(a, b)| Op::SetMarks(a.min(b), a.max(b))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Edges alternate, come only at crossings, and after each call the side is what the marks say.
    #[test]
    fn edges_are_those_of_the_model(ops in prop::collection::vec(op(), 0..64)) {
        let mut w = Watermark::new(Marks::from_high(20));
        let mut pauses = Pauses::default();
        let mut len = 0_u64;
        let (mut low, mut high) = (10, 20);
        for op in ops {
            let before = pauses.side();
            let edge = match op {
                Op::Add(n) => { len += n; w.add(n) }
                Op::Sub(n) => { let n = n.min(len); len -= n; w.sub(n) }
                Op::SetLen(n) => { len = n; w.set_len(n) }
                Op::SetMarks(l, h) => {
                    (low, high) = (l, h);
                    w.set_marks(Marks::new(l, h).unwrap())
                }
            };
            pauses.on(edge);
            prop_assert_eq!(w.len_bytes(), len);
            prop_assert_eq!(w.side(), pauses.side());
            let expected = match before {
                Side::Below => if len > high { Side::Above } else { Side::Below },
                Side::Above => if len <= low { Side::Below } else { Side::Above },
            };
            prop_assert_eq!(pauses.side(), expected);
        }
    }
}
