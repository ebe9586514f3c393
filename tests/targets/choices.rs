//! A byte string as a source of choices.

/// Choices that are left. Exhausted, it always chooses 0.
pub(crate) struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Nothing is left to choose from: a script ends here.
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        let Some((&byte, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        byte
    }

    pub(crate) fn word(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }

    /// A number less than `end`, or 0. Takes two bytes where one is not enough.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let drawn = usize::from(if end > 256 { self.word() } else { self.byte().into() });
        if end == 0 { 0 } else { drawn % end }
    }

    /// True in that share of cases; false once exhausted.
    pub(crate) fn percent(&mut self, share: usize) -> bool {
        usize::from(self.byte()) * 100 / 256 >= 100 - share
    }

    /// Which entries of a table of operations this case uses: in half of the cases all, otherwise a
    /// random half. What never happens lets other things happen more often, and in a row.
    pub(crate) fn swarm(&mut self) -> Swarm {
        if !self.percent(50) {
            return Swarm { left_out: 0 };
        }
        let mut bits = [0; 8];
        bits.fill_with(|| self.byte());
        Swarm { left_out: u64::from_le_bytes(bits) }
    }
}

/// The entries of a table of operations that are left out, one bit each.
#[derive(Clone, Copy)]
pub(crate) struct Swarm {
    left_out: u64,
}

impl Swarm {
    /// One of `table`: the next one that is not left out, from a random place on. Of all left out:
    /// any.
    pub(crate) fn pick<T: Copy>(self, table: &[T], choices: &mut Choices<'_>) -> T {
        let first = choices.below(table.len());
        let from = (0..table.len()).map(|i| (first + i) % table.len());
        let mut allowed = from.filter(|i| self.left_out & (1 << (i % 64)) == 0);
        table[allowed.next().unwrap_or(first)]
    }
}
