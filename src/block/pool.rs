use core::fmt;
use core::num::NonZeroUsize;

use bytes::BytesMut;

use super::{BlockStats, ReadBlock};
use crate::limits;
use crate::pool::{Pool, PoolStats};
use crate::sync::{AtomicU64, Ordering};

/// Blocks of one size, for code that reads itself. See the [module](super).
///
/// # Examples
///
/// ```
/// use bytes::BufMut;
/// use core::num::NonZeroUsize;
/// use tidegate::block::BlockPool;
///
/// let size = NonZeroUsize::new(64 * 1024).expect("not 0");
/// let pool = BlockPool::new(size, 32);
/// let mut block = pool.take();
/// // Imagine a socket here.
/// block.room().put_slice(b"hello");
/// let chunk = block.split();
/// assert_eq!(chunk, "hello");
/// assert_eq!(block.room_bytes(), 64 * 1024 - 5);
/// ```
pub struct BlockPool {
    block_bytes: NonZeroUsize,
    pool: Pool<BytesMut>,
    made: AtomicU64,
    pinned: AtomicU64,
}

impl BlockPool {
    /// A pool that keeps up to `blocks` blocks of `block_bytes` bytes. Allocates nothing yet.
    ///
    /// To find a block free each time, keep some more than are in flight at once: those that
    /// queue in chains, and those being read into.
    #[must_use]
    pub fn new(block_bytes: NonZeroUsize, blocks: usize) -> Self {
        Self {
            block_bytes,
            pool: Pool::new(blocks),
            made: AtomicU64::new(0),
            pinned: AtomicU64::new(0),
        }
    }

    /// An empty block with all of its room: one of which no slice is left, or else a new one.
    ///
    /// Looks at no more than [`limits::BLOCKS_TRIED`] kept blocks, those that came back first.
    #[must_use]
    pub fn take(&self) -> ReadBlock {
        let mut pinned = [const { None }; limits::BLOCKS_TRIED];
        let mut free = None;
        for place in &mut pinned {
            let Some(mut bytes) = self.pool.take_oldest() else { break };
            // What was read and not taken is dropped.
            bytes.clear();
            if bytes.try_reclaim(self.block_bytes.get()) {
                free = Some(bytes);
                break;
            }
            *place = Some(bytes);
        }
        self.put_back(pinned, free.is_some());
        let bytes = free.unwrap_or_else(|| {
            // Ordering: Relaxed. A statistic.
            self.made.fetch_add(1, Ordering::Relaxed);
            BytesMut::with_capacity(self.block_bytes.get())
        });
        ReadBlock::new(self.pool.lend(bytes))
    }

    /// Puts back what was looked at in vain. The order stays, so that the next to come free is
    /// found first; but where none was free, the oldest goes behind the others: it may be pinned
    /// for long.
    fn put_back(&self, pinned: [Option<BytesMut>; limits::BLOCKS_TRIED], found: bool) {
        for (place, bytes) in pinned.into_iter().enumerate().rev() {
            let Some(bytes) = bytes else { continue };
            // Ordering: Relaxed. A statistic.
            self.pinned.fetch_add(1, Ordering::Relaxed);
            if place == 0 && !found {
                self.pool.put(bytes);
            } else {
                self.pool.put_oldest(bytes);
            }
        }
    }

    /// The size of a block, in bytes.
    #[must_use]
    pub fn block_bytes(&self) -> usize {
        self.block_bytes.get()
    }

    /// The most bytes that it keeps when nobody reads: all its blocks.
    #[must_use]
    pub fn bound_bytes(&self) -> usize {
        self.block_bytes.get().saturating_mul(self.pool.capacity())
    }

    /// What has been counted so far; while others take blocks, not of one moment.
    #[must_use]
    pub fn stats(&self) -> BlockStats {
        // Ordering: Relaxed. Statistics.
        let pinned = self.pinned.load(Ordering::Relaxed);
        // Ordering: Relaxed. As above.
        let made = self.made.load(Ordering::Relaxed);
        let PoolStats { reused: taken, refused, kept, .. } = self.pool.stats();
        BlockStats { reused: taken.saturating_sub(pinned), made, pinned, refused, kept }
    }
}

impl fmt::Debug for BlockPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockPool")
            .field("block_bytes", &self.block_bytes)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
