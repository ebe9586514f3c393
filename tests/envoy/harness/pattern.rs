//! Bodies as functions of the position: what is at byte `n` is known without what came before.

use std::sync::LazyLock;

use bytes::Bytes;

/// After how many bytes a body repeats: a prime, so that no chunk size divides it.
const PERIOD: usize = 1_048_573;

/// The longest piece that [`Content::piece`] gives, in bytes.
pub(crate) const MAX_PIECE: usize = 1 << 20;

/// What a body is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Source {
    /// What a client sends.
    Client,
    /// What an origin sends.
    Origin,
}

/// What has been done to it on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Shape {
    Plain,
    /// Each byte with its bits turned: as long as it was.
    Flipped,
    /// Each byte twice.
    Doubled,
}

/// A body: `bytes` of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Content {
    pub(crate) source: Source,
    pub(crate) shape: Shape,
    pub(crate) bytes: u64,
}

impl Content {
    pub(crate) const fn new(source: Source, bytes: u64) -> Self {
        Self { source, shape: Shape::Plain, bytes }
    }

    /// The same, turned.
    pub(crate) const fn flipped(self) -> Self {
        Self { shape: Shape::Flipped, ..self }
    }

    /// The same with each byte twice.
    pub(crate) const fn doubled(self) -> Self {
        Self { shape: Shape::Doubled, bytes: self.bytes * 2, ..self }
    }

    /// At most `len` bytes from `at` on, and at most [`MAX_PIECE`]; empty at the end.
    pub(crate) fn piece(&self, at: u64, len: usize) -> Bytes {
        let left = usize::try_from(self.bytes.saturating_sub(at)).unwrap_or(MAX_PIECE);
        let len = len.min(left).min(MAX_PIECE);
        let (block, period) = self.block();
        let start = usize::try_from(at % period as u64).expect("a period fits");
        block.slice(start..start + len)
    }

    /// Where `bytes` differ from what stands at `at`, as a position in the body.
    pub(crate) fn difference(&self, at: u64, mut bytes: &[u8]) -> Option<u64> {
        let mut at = at;
        while !bytes.is_empty() {
            let expected = self.piece(at, bytes.len());
            if expected.is_empty() {
                return Some(at);
            }
            let (now, rest) = bytes.split_at(expected.len());
            if now != expected {
                let place = now.iter().zip(&expected).position(|(a, b)| a != b);
                return place.map(|place| at + place as u64);
            }
            at += now.len() as u64;
            bytes = rest;
        }
        None
    }

    /// All of it. For small bodies.
    pub(crate) fn to_vec(self) -> Vec<u8> {
        let mut all = Vec::new();
        while (all.len() as u64) < self.bytes {
            all.extend_from_slice(&self.piece(all.len() as u64, MAX_PIECE));
        }
        all
    }

    /// The bytes of one period and a piece behind it, and the period.
    fn block(&self) -> (&'static Bytes, usize) {
        static BLOCKS: LazyLock<[Bytes; 6]> = LazyLock::new(|| {
            let [client, origin] = [0x6a09_e667, 0xbb67_ae85].map(base);
            let blocks = |base: &[u8]| [plain(base), flipped(base), doubled(base)];
            let ([a, b, c], [d, e, f]) = (blocks(&client), blocks(&origin));
            [a, b, c, d, e, f]
        });
        let source = match self.source {
            Source::Client => 0,
            Source::Origin => 3,
        };
        match self.shape {
            Shape::Plain => (&BLOCKS[source], PERIOD),
            Shape::Flipped => (&BLOCKS[source + 1], PERIOD),
            Shape::Doubled => (&BLOCKS[source + 2], 2 * PERIOD),
        }
    }
}

/// What a client sends in so many bytes.
pub(crate) const fn client(bytes: u64) -> Content {
    Content::new(Source::Client, bytes)
}

/// What an origin sends in so many bytes.
pub(crate) const fn origin(bytes: u64) -> Content {
    Content::new(Source::Origin, bytes)
}

/// A filter's side of [`Shape::Flipped`].
pub(crate) const fn flip(byte: u8) -> u8 {
    !byte
}

fn base(seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut bytes = Vec::with_capacity(PERIOD + 8);
    while bytes.len() < PERIOD {
        // splitmix64.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bytes.extend_from_slice(&(z ^ (z >> 31)).to_le_bytes());
    }
    bytes.truncate(PERIOD);
    bytes
}

fn plain(base: &[u8]) -> Bytes {
    [base, base].concat().into()
}

fn flipped(base: &[u8]) -> Bytes {
    base.iter().chain(base).map(|&byte| flip(byte)).collect()
}

fn doubled(base: &[u8]) -> Bytes {
    base.iter().chain(base).flat_map(|&byte| [byte; 2]).collect()
}

#[test]
fn a_piece_is_the_same_wherever_it_is_cut() {
    for content in [
        Content::new(Source::Client, 3_000_000),
        Content::new(Source::Origin, 3_000_000).flipped(),
        Content::new(Source::Client, 1_500_000).doubled(),
    ] {
        let all = content.to_vec();
        assert_eq!(all.len(), 3_000_000);
        for (at, len) in [(0, 7), (1_048_570, 100), (2_097_140, 70_000), (2_999_999, 5)] {
            let piece = content.piece(at, len);
            assert!(all[usize::try_from(at).unwrap()..].starts_with(&piece), "{content:?} at {at}");
        }
        assert_eq!(content.difference(0, &all), None);
        let mut wrong = all.clone();
        wrong.remove(2_000_000);
        assert!(content.difference(0, &wrong).is_some_and(|at| at.abs_diff(2_000_000) < 8));
        wrong = all;
        wrong.push(0);
        assert_eq!(content.difference(0, &wrong), Some(3_000_000));
    }
}
