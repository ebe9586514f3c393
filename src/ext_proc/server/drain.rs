use core::fmt;
use core::future::poll_fn;
use core::task::{Context, Poll};

use super::DrainPhase;
use super::shared::Shared;
use crate::sync::Arc;

/// How a processor goes away without failing a request (P39).
///
/// A stream that is refused fails its request, since Envoy does not open another. So there are two
/// steps: [`leave`](Self::leave) tells the health service's clients, and
/// [`refuse`](Self::refuse) comes when they have had time to go elsewhere. Where HTTP/2's GOAWAY
/// tells them, as [`serve`](super::serve()) does, the second step is not needed at all.
///
/// Cheap to clone; all clones, and those of the processor, share one state.
#[derive(Clone)]
pub struct Drain(Arc<Shared>);

impl Drain {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        Self(Arc::clone(shared))
    }

    /// The health service says `NOT_SERVING` from now on.
    pub fn leave(&self) {
        self.0.advance(DrainPhase::Leaving);
    }

    /// New streams are refused with `UNAVAILABLE` from now on. Those under way go on.
    pub fn refuse(&self) {
        self.0.advance(DrainPhase::Refusing);
    }

    /// How far it has come.
    #[must_use]
    pub fn phase(&self) -> DrainPhase {
        self.0.phase()
    }

    /// How many streams are under way; calls of the health service are not counted.
    #[must_use]
    pub fn live_streams(&self) -> usize {
        self.0.live()
    }

    /// Waits until no stream is under way. Cancel safe.
    pub async fn idle(&self) {
        let mut waiting = Waiting::new(&self.0);
        poll_fn(|cx| waiting.poll(cx, |shared| shared.live() == 0)).await;
    }
}

impl fmt::Debug for Drain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drain")
            .field("phase", &self.phase())
            .field("live_streams", &self.live_streams())
            .finish()
    }
}

/// One who waits for a change of what is shared.
pub(super) struct Waiting {
    shared: Arc<Shared>,
    id: u64,
}

impl Waiting {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        Self { shared: Arc::clone(shared), id: shared.signal().subscribe() }
    }

    /// Ready once `done` says so; it is asked behind each change.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        mut done: impl FnMut(&Shared) -> bool,
    ) -> Poll<()> {
        loop {
            // Before the question: a change behind it is news to `register`.
            let seen = self.shared.signal().number();
            if done(&self.shared) {
                return Poll::Ready(());
            }
            if self.shared.signal().register(self.id, Some(seen), cx.waker()).is_none() {
                return Poll::Pending;
            }
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.shared.signal().unsubscribe(self.id);
    }
}
