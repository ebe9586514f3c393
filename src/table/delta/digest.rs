use core::hash::{Hash, Hasher};

use super::Mark;

/// What a consumer holds, in a few words: two that hold the same have the same (G8).
///
/// It covers keys and which value of each is held, not what is in the values. It is the same on all
/// machines for keys that hash as the same bytes on all of them: numbers and text do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest {
    /// How many keys are known.
    pub keys: u64,
    /// Of all keys and their marks, in order.
    pub hash: u64,
}

impl Digest {
    /// Of `keys` in order, as one table has them. `None`: it is subscribed to, and not answered.
    pub(super) fn of<'a, K: Hash + 'a>(
        nonce: Option<u64>,
        keys: impl Iterator<Item = (&'a K, Option<Mark>)>,
    ) -> Self {
        let mut hash = Fnv::default();
        let mut count = 0;
        for (key, mark) in keys {
            count += 1;
            key.hash(&mut hash);
            let (kind, entered) = match mark {
                None => (0, 0),
                Some(Mark::Absent) => (1, 0),
                Some(Mark::Entered(entered)) => (2, entered),
            };
            hash.write_u64(nonce.unwrap_or_default());
            hash.write_u8(kind);
            hash.write_u64(entered);
        }
        Self { keys: count, hash: hash.finish() }
    }
}

/// FNV-1a: the hasher of std may change from one version to the next.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn write_u16(&mut self, n: u16) {
        self.write(&n.to_le_bytes());
    }

    fn write_u32(&mut self, n: u32) {
        self.write(&n.to_le_bytes());
    }

    fn write_u64(&mut self, n: u64) {
        self.write(&n.to_le_bytes());
    }

    fn write_u128(&mut self, n: u128) {
        self.write(&n.to_le_bytes());
    }

    fn write_usize(&mut self, n: usize) {
        self.write_u64(n as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
