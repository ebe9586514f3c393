/// Choices of one task, which owns them. Exhausted, it always chooses 0.
pub(crate) struct Dice {
    bytes: Vec<u8>,
    at: usize,
}

impl Dice {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, at: 0 }
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        let byte = self.bytes.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        usize::from(byte) % n
    }

    /// What an item weighs: nothing, little, much, or more than anything can.
    pub(crate) fn weight_bytes(&mut self) -> u64 {
        let little = self.below(256) as u64;
        match self.below(16) {
            0..=4 => 0,
            5..=9 => little % 20,
            10..=13 => little + 40,
            14 => little << 40,
            _ => u64::MAX - little,
        }
    }
}
