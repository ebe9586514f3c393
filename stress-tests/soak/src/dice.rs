//! Numbers that are the same in each run with the same seed.

/// Splitmix64.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        // What is drawn from the sum, and not the sum: streams whose states are some steps apart
        // would draw the same, one behind the other.
        let state = Self(seed).roll() ^ Self(!stream).roll();
        Self(Self(state).roll())
    }

    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.roll() % end as u64) as usize
    }

    /// How long a body is: mostly short, now and then long.
    pub(crate) fn length(&mut self) -> usize {
        match self.below(100) {
            0..30 => 0,
            30..70 => 1 + self.below(1_024),
            70..98 => self.below(65_536),
            _ => self.below(1_048_576),
        }
    }
}
