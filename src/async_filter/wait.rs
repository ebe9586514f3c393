use core::task::{Context, Waker};

/// Who waits for something that a filter's callbacks bring: input, or room.
#[derive(Debug, Default)]
pub(super) enum Wait {
    /// Nobody.
    #[default]
    Nobody,
    /// The filter's future itself: to poll it is enough.
    Future,
    /// A part of the future that is polled with a waker of its own (`FuturesUnordered` and its
    /// kin): to poll the future is not enough, the part is to be woken first.
    Part(Waker),
}

impl Wait {
    /// Who waits, if it is the one with this context.
    ///
    /// Runs user code, where a part of the future has a waker of its own: not while the slot is
    /// away from its place.
    pub(super) fn of(cx: &Context<'_>, is_own: bool) -> Self {
        if is_own { Self::Future } else { Self::Part(cx.waker().clone()) }
    }

    #[inline]
    pub(super) fn is_waiting(&self) -> bool {
        !matches!(self, Self::Nobody)
    }

    /// A poll of the future begins: if it still waits, it will say so again.
    #[inline]
    pub(super) fn begin_poll(&mut self) {
        if matches!(self, Self::Future) {
            *self = Self::Nobody;
        }
    }

    /// What was waited for is there. Wakes a part of the future.
    #[inline]
    pub(super) fn serve(&mut self) {
        if let Self::Part(waker) = core::mem::take(self) {
            waker.wake();
        }
    }
}
