use crate::limits::WINDOW_LOW_BYTES;

/// How much a peer may send, and what it has not been told yet that it may.
#[derive(Debug)]
pub(in crate::http2) struct ReceiveWindow {
    /// What it may send, as it sees it, in bytes. Below 0 where it has been made smaller behind
    /// what was sent.
    left: i64,
    /// What has been read since it was last told, in bytes.
    released: u32,
    /// How little is left to the peer when it is told, in bytes.
    low: u32,
    /// How much it is told at least, in bytes.
    least: u32,
}

impl ReceiveWindow {
    /// Of `left` bytes for now, out of `size`, of one stream. The peer is told of what was read as
    /// late as one read before it runs dry, and of half of a small window: each time is a frame to
    /// write, and wakes who waits to send.
    pub(in crate::http2) fn new(left: u32, size: u32) -> Self {
        let low = (size / 2).clamp(1, WINDOW_LOW_BYTES);
        Self { left: left.into(), released: 0, low, least: low }
    }

    /// Of all streams together, each with one of `size` as well. What is left counts, and not only
    /// what was read: what some leave unread must not keep back what the others have read.
    pub(in crate::http2) fn shared(left: u32, all_sizes: u32, size: u32) -> Self {
        Self { least: Self::new(size, size).least, ..Self::new(left, all_sizes) }
    }

    /// So many bytes have come. Answers whether they were allowed; if not, nothing has changed.
    /// None always are (RFC 9113, section 6.9.1).
    #[must_use]
    pub(in crate::http2) fn take(&mut self, bytes: u32) -> bool {
        let fits = bytes == 0 || i64::from(bytes) <= self.left;
        if fits {
            self.left -= i64::from(bytes);
        }
        fits
    }

    /// So many bytes have been read. Answers by how much the window grows, if that is told now.
    #[must_use]
    pub(in crate::http2) fn release(&mut self, bytes: u32) -> Option<u32> {
        self.released = self.released.saturating_add(bytes);
        if self.left > self.low.into() || self.released < self.least {
            return None;
        }
        let grown = core::mem::take(&mut self.released);
        self.left += i64::from(grown);
        Some(grown)
    }

    /// What has been read, and it was not told, in bytes.
    #[cfg_attr(not(test), allow(dead_code, reason = "the model of both ends asks for it"))]
    pub(in crate::http2) const fn untold_bytes(&self) -> u32 {
        self.released
    }

    /// The peer has heard of a smaller window: `by` bytes smaller.
    pub(in crate::http2) fn shrink(&mut self, by: u32) {
        self.left -= i64::from(by);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_is_told_one_read_before_the_peer_runs_dry() {
        let mut window = ReceiveWindow::new(8 * WINDOW_LOW_BYTES, 8 * WINDOW_LOW_BYTES);
        assert!(window.take(7 * WINDOW_LOW_BYTES - 1));
        assert_eq!(window.release(7 * WINDOW_LOW_BYTES - 1), None);
        assert!(window.take(1));
        assert_eq!(window.release(1), Some(7 * WINDOW_LOW_BYTES));
        assert!(window.take(8 * WINDOW_LOW_BYTES) && !window.take(1));
    }

    /// Of three streams two leave all of theirs unread: the third goes on with its part.
    #[test]
    fn what_nobody_reads_does_not_keep_back_what_was_read() {
        let mut window = ReceiveWindow::shared(300, 300, 100);
        assert!(window.take(200), "and nobody reads it");
        for _ in 0..10 {
            assert!(window.take(100) && !window.take(1));
            assert_eq!(window.release(49), None);
            assert_eq!(window.release(51), Some(100), "it is less than half of all");
        }
    }

    #[test]
    fn of_a_small_window_half_is_told() {
        let mut window = ReceiveWindow::new(100, 100);
        assert!(window.take(60));
        assert!(!window.take(41), "more than is left");
        assert!(window.take(40), "all that is left");
        assert_eq!(window.release(49), None);
        assert_eq!(window.release(1), Some(50));
        assert!(window.take(50) && !window.take(1));
        assert_eq!(window.release(0), None);
        assert_eq!(window.release(50), Some(50));
    }

    #[test]
    fn a_window_of_one_byte_is_told_byte_by_byte() {
        let mut window = ReceiveWindow::new(1, 1);
        assert!(window.take(1));
        assert_eq!(window.release(1), Some(1));
        assert!(window.take(1));
    }

    #[test]
    fn a_window_that_shrinks_behind_what_was_sent_is_below_nothing() {
        let mut window = ReceiveWindow::new(65_535, 10);
        assert!(window.take(30));
        window.shrink(65_525);
        assert!(window.take(0) && !window.take(1));
        assert_eq!(window.release(20), Some(20), "10 - 30 + 20 bytes are left");
        assert!(window.take(0) && !window.take(1));
        assert_eq!(window.release(10), Some(10));
        assert!(window.take(10) && !window.take(1));
    }
}
