use super::MAX_WINDOW_BYTES;

/// How much a peer may be sent, in bytes. Below 0 where it has made the window smaller behind what
/// was sent (RFC 9113, section 6.9.2).
#[derive(Debug)]
pub(in crate::http2) struct SendWindow(i64);

impl SendWindow {
    pub(in crate::http2) fn new(bytes: u32) -> Self {
        Self(bytes.into())
    }

    /// How much may be sent now, in bytes.
    pub(in crate::http2) fn room(&self) -> usize {
        usize::try_from(self.0).unwrap_or(0)
    }

    /// So many bytes are sent: there was room for them. For none there always is (RFC 9113, section
    /// 6.9.1).
    pub(in crate::http2) fn take(&mut self, bytes: u32) {
        debug_assert!(
            bytes == 0 || i64::from(bytes) <= self.0,
            "{bytes} bytes in a window of {}",
            self.0
        );
        self.0 -= i64::from(bytes);
    }

    /// The window grows, or shrinks. Answers whether it is one there can be.
    #[must_use]
    pub(in crate::http2) fn change(&mut self, by: i64) -> bool {
        self.0 += by;
        self.0 <= i64::from(MAX_WINDOW_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_may_be_below_nothing_but_not_above_its_most() {
        let mut window = SendWindow::new(10);
        window.take(10);
        assert_eq!(window.room(), 0);
        assert!(window.change(-7));
        assert_eq!(window.room(), 0, "7 below");
        window.take(0);
        assert!(window.change(8));
        assert_eq!(window.room(), 1);
        assert!(window.change(i64::from(MAX_WINDOW_BYTES) - 1));
        assert!(!window.change(1));
    }
}
