use std::task::Waker;

use super::alarm::{Alarm, Bell};
use super::slot::Slot;
use crate::filter::{Head, View};
use crate::sync::{Arc, Ordering, fence};

/// The filter's end of its waker: made once, used for every poll and every message.
///
/// A resume handle is asked for only when a poll has left a clone of the waker behind: a filter
/// whose future waits for nothing but its input and output pays for no handle.
#[derive(Default)]
pub(super) struct Waking {
    bell: Option<Arc<Bell>>,
    /// What is polled with. `None` before the first poll, and while only others have it.
    own: Option<Own>,
    reach: Reach,
}

struct Own {
    alarm: Arc<Alarm>,
    waker: Waker,
}

/// Who can ring, as far as the filter has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Reach {
    /// Only the filter's own future, inside its poll.
    #[default]
    Inside,
    /// Others too: a resume handle is in place.
    Outside,
}

/// What the filter itself has of its alarm: one reference, one waker, and one waker in the slot.
const OWN_REFERENCES: usize = 3;

impl Waking {
    /// Whether the filter was woken since this was last asked.
    #[inline]
    pub(super) fn take_rung(&self) -> bool {
        self.bell.as_ref().is_some_and(|bell| bell.take_rung())
    }

    /// Sees to it that there is a waker to poll with, and that the slot knows it.
    #[inline]
    pub(super) fn prepare(&mut self, slot: &mut Slot) {
        if self.own.is_none() {
            self.prepare_anew(slot);
        }
    }

    #[cold]
    fn prepare_anew(&mut self, slot: &mut Slot) {
        let returned = self.bell.as_ref().and_then(|bell| bell.take_returned());
        let alarm = returned.unwrap_or_else(|| {
            let (bell, alarm) = Bell::new();
            if let Some(old) = self.bell.replace(bell) {
                old.close();
            }
            self.reach = Reach::Inside;
            alarm
        });
        let waker = Waker::from(Arc::clone(&alarm));
        slot.own_waker = Some(waker.clone());
        self.own = Some(Own { alarm, waker });
    }

    /// The waker to poll with.
    #[inline]
    pub(super) fn waker(&self) -> &Waker {
        self.own.as_ref().map_or(Waker::noop(), |own| &own.waker)
    }

    /// The future is pending. Makes sure that a wake reaches the filter, and that the filter does
    /// not pass for live when nobody can wake it. Answers whether it was woken already.
    ///
    /// `served`: the future also waits for its input or for room, so the engine comes back to it.
    #[inline]
    pub(super) fn after_pending<H: Head>(
        &mut self,
        view: &mut View<'_, H>,
        slot: &mut Slot,
        served: bool,
    ) -> bool {
        let (Some(own), Some(bell)) = (&self.own, &self.bell) else { return false };
        if Arc::strong_count(&own.alarm) <= OWN_REFERENCES {
            // Ordering: Acquire pairs with the Release with which the last other reference was
            // dropped: a ring of it is seen below.
            fence(Ordering::Acquire);
            if self.reach == Reach::Outside && !served {
                // Nobody can wake it. A handle that is of use to nobody must not hide the stall.
                self.reach = Reach::Inside;
                bell.keep_home();
            }
            return bell.is_rung();
        }
        self.after_pending_outside(view, slot, served)
    }

    #[cold]
    fn after_pending_outside<H: Head>(
        &mut self,
        view: &mut View<'_, H>,
        slot: &mut Slot,
        served: bool,
    ) -> bool {
        let Some(bell) = &self.bell else { return false };
        if self.reach == Reach::Inside {
            self.reach = Reach::Outside;
            bell.share(view.resume_handle());
        }
        if !served && bell.send_away() {
            slot.own_waker = None;
            self.own = None;
        }
        // A ring from before the handle was in place has resumed nobody. One from after it finds
        // the handle.
        bell.is_rung()
    }

    /// The message is over: rings do nothing from now on.
    pub(super) fn close(&self) {
        if let Some(bell) = &self.bell {
            bell.close();
        }
    }

    /// Makes ready for the next message. A bell that others can still ring is not used again; nor
    /// is one whose slot was lost, as then it cannot be told from the references whether they can.
    pub(super) fn recycle(&mut self, slot: Option<&mut Slot>) {
        self.reach = Reach::Inside;
        match (&self.bell, &self.own) {
            (Some(bell), Some(own))
                if slot.is_some() && Arc::strong_count(&own.alarm) <= OWN_REFERENCES =>
            {
                // Ordering: Acquire, so that what the last other holder did comes before.
                fence(Ordering::Acquire);
                bell.reopen();
            }
            _ => {
                self.bell = None;
                self.own = None;
                if let Some(slot) = slot {
                    slot.own_waker = None;
                }
            }
        }
    }
}

impl Drop for Waking {
    fn drop(&mut self) {
        self.close();
    }
}
