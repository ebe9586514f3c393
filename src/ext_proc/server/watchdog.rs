//! Ends streams that are blocked where nobody polls them.
//!
//! While hyper waits for a window of the client it does not poll the body, so nothing in there can
//! see the time go by. One task looks at all streams of a processor, a few times in each timeout;
//! clones with another timeout have another. A chunk costs no clock and no timer for it: a look
//! only counts the looks since the last poll.
//!
//! This module never runs longer than there are streams.

use core::time::Duration;

use tokio::runtime::Handle;

use super::shared::Shared;
use crate::limits::STALL_LOOKS;
use crate::sync::{Arc, Weak};

/// Sees to it that a watchdog runs. None does outside a tokio runtime.
pub(super) fn start(shared: &Arc<Shared>, timeout: Duration) {
    let Ok(runtime) = Handle::try_current() else { return };
    if let Some(number) = shared.start_watchdog(timeout) {
        let running = Running { shared: Arc::downgrade(shared), number };
        drop(runtime.spawn(watch(running, timeout)));
    }
}

async fn watch(running: Running, timeout: Duration) {
    let between = (timeout / STALL_LOOKS).max(Duration::from_millis(1));
    loop {
        tokio::time::sleep(between).await;
        let Some(shared) = running.shared.upgrade() else { return };
        if !shared.look(running.number, timeout) {
            return;
        }
    }
}

/// So that a watchdog which goes with its runtime does not count as one that runs.
struct Running {
    shared: Weak<Shared>,
    number: u64,
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(shared) = self.shared.upgrade() {
            shared.stop_watchdog(self.number);
        }
    }
}
