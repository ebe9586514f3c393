use std::task::Wake;

use crate::resume::ResumeHandle;
use crate::sync::{Arc, AtomicU32, Mutex, Ordering, lock};

/// What the wakers of one filter share with it.
///
/// A ring is noted first and resumes the filter second, so a ring is never lost: one that comes
/// before there is a resume handle is found by the filter when its poll returns.
pub(super) struct Bell {
    /// 1 since the last ring, until the filter looks. Written with `place` locked, so that who
    /// reads 1 finds the alarm of the ring in its place.
    rung: AtomicU32,
    place: Mutex<Place>,
}

/// Where the filter's alarm is, and what a ring does.
enum Place {
    /// With the filter, and nobody else was seen to have one: a ring is noted.
    Home,
    /// With the filter, and with others: a ring resumes the filter.
    Shared(ResumeHandle),
    /// With others only. When the last of them is dropped, the handle goes with it: nobody is left
    /// who could ring (rule I8).
    Away(ResumeHandle),
    /// A ring has brought it back: the filter finds it here.
    Returned(ResumeHandle, Arc<Alarm>),
    /// The message is over: rings do nothing.
    Over,
}

/// The waker of one filter's future.
pub(super) struct Alarm {
    bell: Arc<Bell>,
}

impl Bell {
    pub(super) fn new() -> (Arc<Self>, Arc<Alarm>) {
        let bell = Arc::new(Self { rung: AtomicU32::new(0), place: Mutex::new(Place::Home) });
        let alarm = Arc::new(Alarm { bell: Arc::clone(&bell) });
        (bell, alarm)
    }

    /// Whether it was rung since it was last asked. Asked before a poll, so that a ring that comes
    /// later is kept for the next.
    #[inline]
    pub(super) fn take_rung(&self) -> bool {
        // Ordering: Acquire pairs with the Release of `ring`, so that the poll sees what the
        // ringing thread wrote before.
        self.is_rung() && self.rung.swap(0, Ordering::Acquire) != 0
    }

    /// Whether it was rung, and nobody has looked yet.
    #[inline]
    pub(super) fn is_rung(&self) -> bool {
        // Ordering: Acquire, as in `take_rung`.
        self.rung.load(Ordering::Acquire) != 0
    }

    /// Others have the alarm too: rings resume the filter through `handle` from now on.
    pub(super) fn share(&self, handle: ResumeHandle) {
        self.put(Place::Shared(handle));
    }

    /// The filter is about to give up its own alarm. Answers whether it may: not if it was rung,
    /// or shares with nobody.
    pub(super) fn send_away(&self) -> bool {
        let mut place = lock(&self.place);
        match core::mem::replace(&mut *place, Place::Over) {
            Place::Shared(handle) if !self.is_rung() => {
                *place = Place::Away(handle);
                true
            }
            other => {
                *place = other;
                false
            }
        }
    }

    /// Nobody else has an alarm any more.
    pub(super) fn keep_home(&self) {
        self.put(Place::Home);
    }

    /// The alarm that a ring has brought back. The place stays shared: there may be clones.
    pub(super) fn take_returned(&self) -> Option<Arc<Alarm>> {
        let mut place = lock(&self.place);
        match core::mem::replace(&mut *place, Place::Home) {
            Place::Returned(handle, alarm) => {
                *place = Place::Shared(handle);
                Some(alarm)
            }
            other @ (Place::Home | Place::Shared(_) | Place::Away(_) | Place::Over) => {
                *place = other;
                None
            }
        }
    }

    /// The message is over: lets go of the handle.
    pub(super) fn close(&self) {
        self.put(Place::Over);
    }

    /// Makes a closed bell, whose alarms are all with the filter, as good as new.
    pub(super) fn reopen(&self) {
        self.put(Place::Home);
        // Ordering: Relaxed. Nobody else has the bell.
        self.rung.store(0, Ordering::Relaxed);
    }

    fn put(&self, new: Place) {
        let old = core::mem::replace(&mut *lock(&self.place), new);
        // Outside the lock: the last handle of a station wakes its task.
        drop(old);
    }

    fn ring(alarm: &Arc<Alarm>) {
        let bell = &alarm.bell;
        let handle = {
            let mut place = lock(&bell.place);
            // Ordering: Release publishes what the caller wrote before it rang. Within the lock,
            // so that `send_away` and this agree on who came first.
            bell.rung.store(1, Ordering::Release);
            match core::mem::replace(&mut *place, Place::Over) {
                Place::Away(handle) => {
                    let resume = handle.clone();
                    *place = Place::Returned(handle, Arc::clone(alarm));
                    Some(resume)
                }
                other => {
                    let resume = match &other {
                        Place::Shared(handle) | Place::Returned(handle, _) => Some(handle.clone()),
                        Place::Home | Place::Away(_) | Place::Over => None,
                    };
                    *place = other;
                    resume
                }
            }
        };
        if let Some(handle) = handle {
            // User code: outside the lock. What it answers does not matter: a filter that cannot
            // be asked any more needs no ring.
            let _: crate::resume::Resumed = handle.resume();
        }
    }
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        Bell::ring(&self);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        Bell::ring(self);
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        let mut place = lock(&self.bell.place);
        let left = match core::mem::replace(&mut *place, Place::Home) {
            Place::Away(handle) => Some(handle),
            other => {
                *place = other;
                None
            }
        };
        drop(place);
        // Outside the lock: the last handle of a station wakes its task.
        drop(left);
    }
}
