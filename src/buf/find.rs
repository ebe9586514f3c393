//! Searching across segments, in time linear in both lengths whatever they contain.

use memchr::memmem;

use super::BodyBuf;

/// Needles up to this many bytes keep their table on the stack.
const STACK_NEEDLE_BYTES: usize = 64;

impl BodyBuf {
    /// The offset of the first match of `needle` at or behind `from`, also across segments.
    ///
    /// An empty needle matches at `from`. O(len + needle): inside a segment it runs at memchr's
    /// speed, over borders byte by byte. Copies nothing; allocates only for needles above 64 bytes
    /// that may straddle a border.
    ///
    /// # Panics
    ///
    /// If `from` is more than [`len`](Self::len).
    #[must_use]
    #[track_caller]
    pub fn find(&self, needle: &[u8], from: usize) -> Option<usize> {
        self.check_offset(from);
        if needle.len() > self.len - from {
            return None;
        }
        if needle.is_empty() {
            return Some(from);
        }
        let finder = memmem::Finder::new(needle);
        if needle.len() < 2 || self.segment_count() < 2 {
            return self.find_inside(&finder, from);
        }
        if needle.len() <= STACK_NEEDLE_BYTES {
            let mut table = [0; STACK_NEEDLE_BYTES];
            self.find_across(&finder, Straddle::new(needle, &mut table[..needle.len()]), from)
        } else {
            let mut table = vec![0; needle.len()];
            self.find_across(&finder, Straddle::new(needle, &mut table), from)
        }
    }

    /// For needles that cannot straddle a border.
    fn find_inside(&self, finder: &memmem::Finder<'_>, from: usize) -> Option<usize> {
        let mut base = 0;
        for chunk in self.chunks() {
            let skip = from.saturating_sub(base).min(chunk.len());
            if let Some(at) = finder.find(&chunk[skip..]) {
                return Some(base + skip + at);
            }
            base += chunk.len();
        }
        None
    }

    fn find_across(
        &self,
        finder: &memmem::Finder<'_>,
        mut straddle: Straddle<'_>,
        from: usize,
    ) -> Option<usize> {
        let mut base = 0;
        for whole in self.chunks() {
            let skip = from.saturating_sub(base).min(whole.len());
            let chunk = &whole[skip..];
            let start = base + skip;
            base += whole.len();
            // A match that begins before this segment begins before any match inside it.
            if let Some(end) = straddle.enter(chunk) {
                return Some(start + end - straddle.needle.len());
            }
            if let Some(at) = finder.find(chunk) {
                return Some(start + at);
            }
            straddle.leave(chunk);
        }
        None
    }
}

/// Follows the needle over borders (Knuth, Morris, Pratt): how much of it the bytes seen so far end
/// with.
struct Straddle<'a> {
    needle: &'a [u8],
    /// `table[i]` is the length of the longest proper prefix of `needle` that ends `needle[..=i]`.
    table: &'a [usize],
    /// How many bytes of the needle the bytes before the next segment end with. Invariant: less
    /// than the needle.
    matched: usize,
}

impl<'a> Straddle<'a> {
    fn new(needle: &'a [u8], table: &'a mut [usize]) -> Self {
        let mut matched = 0;
        for i in 1..needle.len() {
            matched = step(needle, table, matched, needle[i]);
            table[i] = matched;
        }
        Self { needle, table, matched: 0 }
    }

    /// Reads into a segment while a match that began before it is open. Returns where in the
    /// segment that match ends.
    fn enter(&mut self, chunk: &[u8]) -> Option<usize> {
        let mut matched = self.matched;
        for (i, &byte) in chunk.iter().enumerate() {
            if matched <= i {
                // What is open began in this segment: the search inside will see it.
                return None;
            }
            matched = step(self.needle, self.table, matched, byte);
            if matched == self.needle.len() {
                return Some(i + 1);
            }
        }
        None
    }

    /// Reads the end of a segment without a match: what may begin there.
    fn leave(&mut self, chunk: &[u8]) {
        let longest = self.needle.len() - 1;
        if chunk.len() >= longest {
            // Nothing that began before this segment is still open.
            self.matched = 0;
        }
        for &byte in &chunk[chunk.len().saturating_sub(longest)..] {
            self.matched = step(self.needle, self.table, self.matched, byte);
        }
    }
}

/// The next state: how much of the needle is matched after `byte`.
fn step(needle: &[u8], table: &[usize], matched: usize, byte: u8) -> usize {
    let mut matched = matched;
    while matched > 0 && needle[matched] != byte {
        matched = table[matched - 1];
    }
    if needle[matched] == byte { matched + 1 } else { 0 }
}
