//! `delay=MS`: holds each message so long before anything of it goes on.
//!
//! The message is delayed once, at its head: what arrives meanwhile queues up to the marks and
//! then goes on at full speed. A timer task resumes the filter; it ends with the message. Where
//! the delay is longer than `--hold-timeout-ms`, the timeout comes first.

use std::time::Duration;

use tidegate::{Capability, Declaration, Filter, Head, Interest, Marks, Outcome, Verdict, View};
use tokio::task::AbortHandle;

/// Holds a message until a timer resumes it.
#[derive(Debug)]
pub(crate) struct Delay {
    time: Duration,
    marks: Marks,
    timer: Option<AbortHandle>,
}

impl Delay {
    /// Holds each message for `time`.
    pub(crate) fn new(time: Duration, marks: Marks) -> Self {
        Self { time, marks, timer: None }
    }

    /// No timer outlives its message.
    fn stop(&mut self) {
        if let Some(timer) = self.timer.take() {
            timer.abort();
        }
    }
}

impl<H: Head> Filter<H> for Delay {
    fn declare(&self) -> Declaration {
        Declaration::new().interest(Interest::HEAD).require(Capability::HoldHead).marks(self.marks)
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        if self.time.is_zero() {
            return Verdict::PASS;
        }
        let (time, handle) = (self.time, view.resume_handle());
        let timer = tokio::spawn(async move {
            tokio::time::sleep(time).await;
            handle.resume();
        });
        self.timer = Some(timer.abort_handle());
        Verdict::HOLD
    }

    fn resume(&mut self, _view: &mut View<'_, H>) -> Verdict {
        self.timer = None;
        Verdict::PASS
    }

    fn close(&mut self, _outcome: &Outcome) {
        self.stop();
    }
}

impl Drop for Delay {
    /// After a panic there is no close call.
    fn drop(&mut self) {
        self.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::{super::testing::*, *};
    use http::request;
    use tidegate::MessageTraits;

    const TIME: Duration = Duration::from_secs(3);

    fn delayed(marks: Marks) -> tidegate::Chain<request::Parts> {
        let plan = only("delay", move || Delay::new(TIME, marks));
        let mut chain = chain(&plan, MessageTraits::new());
        chain.handle_head(head(None), false).unwrap();
        chain
    }

    fn tasks() -> usize {
        tokio::runtime::Handle::current().metrics().num_alive_tasks()
    }

    #[tokio::test(start_paused = true)]
    async fn everything_waits_for_the_timer_and_then_nothing_does() {
        for high in [0, 2, 64 << 10] {
            let mut chain = delayed(Marks::from_high(high));
            chain.handle_data("abc".into(), false).unwrap();
            assert_eq!(chain.wants_input(), high > 3);
            tokio::time::sleep(TIME / 2).await;
            chain.handle_resumes();
            assert!(chain.poll_output().is_none());
            tokio::time::sleep(TIME).await;
            chain.handle_resumes();
            chain.handle_data("def".into(), true).unwrap();
            assert_eq!(drain(&mut chain).body(), b"abcdef");
            assert_eq!(tasks(), 0);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_queued_up_does_not_depend_on_the_cut() {
        for_each_cut(b"some body", |pieces| {
            let mut chain = delayed(Marks::DEFAULT);
            for piece in pieces {
                chain.handle_data(piece.to_vec().into(), false).unwrap();
            }
            chain.handle_end().unwrap();
            assert!(chain.poll_output().is_none());
            chain.handle_resume(0);
            assert_eq!(drain(&mut chain).body(), b"some body");
        });
    }

    #[tokio::test(start_paused = true)]
    async fn the_timer_ends_with_the_message() {
        let mut chain = delayed(Marks::DEFAULT);
        assert_eq!(tasks(), 1);
        chain.cancel();
        tokio::task::yield_now().await;
        assert_eq!(tasks(), 0);
        drop(delayed(Marks::DEFAULT));
        tokio::task::yield_now().await;
        assert_eq!(tasks(), 0);
    }
}
