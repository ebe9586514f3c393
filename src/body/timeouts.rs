use core::time::Duration;

/// How long one message may take. All are off by default.
///
/// What the message did is looked at when its consumer asks for the next frame and there is none: a
/// consumer that does not ask is not waited for, and does not make the message idle. The total is
/// the exception: it also counts the time in which the consumer did not ask, and is enforced when
/// it asks again.
///
/// A timeout needs the timer of a tokio runtime.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// The longest wait for the source in which no byte moved: none came in, none went out, and no
    /// filter let go of any.
    pub idle: Option<Duration>,
    /// The longest a message may take, from its start to its end.
    pub total: Option<Duration>,
    /// The longest wait for a filter that holds, in which no byte moved. Being asked again and
    /// holding again is no movement.
    pub hold: Option<Duration>,
}

impl Timeouts {
    /// No timeout at all.
    #[must_use]
    pub const fn new() -> Self {
        Self { idle: None, total: None, hold: None }
    }

    /// Sets the longest wait for the source in which no byte moved.
    #[must_use]
    pub const fn idle(mut self, after: Duration) -> Self {
        self.idle = Some(after);
        self
    }

    /// Sets the longest a message may take.
    #[must_use]
    pub const fn total(mut self, after: Duration) -> Self {
        self.total = Some(after);
        self
    }

    /// Sets the longest wait for a filter that holds, in which no byte moved.
    #[must_use]
    pub const fn hold(mut self, after: Duration) -> Self {
        self.hold = Some(after);
        self
    }

    pub(super) const fn is_off(&self) -> bool {
        self.idle.is_none() && self.total.is_none() && self.hold.is_none()
    }
}
