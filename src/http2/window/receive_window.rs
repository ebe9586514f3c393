/// How much a peer may send, and what it has not been told yet that it may.
#[derive(Debug)]
pub(in crate::http2) struct ReceiveWindow {
    /// What it may send, as it sees it, in bytes. Below 0 where it has been made smaller behind
    /// what was sent.
    left: i64,
    /// What has been read since it was last told, in bytes.
    released: u32,
    /// From how much on it is told, in bytes.
    told_from: u32,
}

impl ReceiveWindow {
    /// Of `left` bytes for now, out of `size`. It is told of what was read when that is half of
    /// `size`: more often costs both ends frames, and less often lets it run dry.
    pub(in crate::http2) fn new(left: u32, size: u32) -> Self {
        Self { left: left.into(), released: 0, told_from: (size / 2).max(1) }
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
        if self.released < self.told_from {
            return None;
        }
        let grown = core::mem::take(&mut self.released);
        self.left += i64::from(grown);
        Some(grown)
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
    fn what_was_read_is_told_from_half_of_the_window_on() {
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
