//! The choices of a seed.

/// Numbers that look random and are the same in every run (`SplitMix64`).
struct Rng(u64);

impl Rng {
    fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// Writes the choices of `seed` to `choices`: of any length up to `most`, short ones more often.
pub(crate) fn draw(seed: u64, most: usize, choices: &mut Vec<u8>) {
    let mut rng = Rng(seed.wrapping_mul(0xd134_2543_de82_ef95) ^ 0x5851_f42d_4c95_7f2d);
    let shape = rng.word();
    let most = (most >> (shape % 6)).max(1) as u64;
    let len = (1 + (shape >> 8) % most) as usize;
    choices.clear();
    while choices.len() < len {
        choices.extend_from_slice(&rng.word().to_le_bytes());
    }
    choices.truncate(len);
}
