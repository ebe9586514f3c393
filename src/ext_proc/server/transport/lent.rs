use core::mem;
use std::collections::VecDeque;

use bytes::{Buf, Bytes};

use crate::ext_proc::wire::ReplyFrame;
use crate::limits::{MAX_LENT_SEGMENTS, MIN_LENT_BYTES};
use crate::sync::{Arc, Mutex, lock};
use crate::unwind::{drop_contained, drop_each_contained};

tokio::task_local! {
    static OF_CONNECTION: Lent;
}

/// The segments that a connection's streams have given to hyper, and that have not been written:
/// what is written is looked up here by its address, and goes out without a copy.
///
/// It may forget any segment: that is copied then. One whose stream was reset stays until others
/// take its place, or until the connection has no stream: so what a connection keeps alive is
/// [`MAX_LENT_SEGMENTS`] segments, with the buffers in which they were read.
#[derive(Clone, Default)]
pub(in crate::ext_proc::server) struct Lent(Arc<Mutex<VecDeque<Bytes>>>);

impl Lent {
    /// What `work` asks for with [`Lent::current`].
    pub(super) fn scope<T>(&self, work: impl FnOnce() -> T) -> T {
        OF_CONNECTION.sync_scope(self.clone(), work)
    }

    /// That of the connection whose task this is, if it has one.
    pub(in crate::ext_proc::server) fn current() -> Option<Self> {
        OF_CONNECTION.try_with(Self::clone).ok()
    }

    /// A reply goes to hyper.
    pub(in crate::ext_proc::server) fn lend(&self, frame: &ReplyFrame) {
        let segments = frame.few_segments();
        let mut segments = segments.iter().filter(|segment| segment.len() >= MIN_LENT_BYTES);
        let Some(first) = segments.next() else { return };
        for segment in core::iter::once(first).chain(segments) {
            let mut lent = lock(&self.0);
            let oldest = if lent.len() == MAX_LENT_SEGMENTS { lent.pop_front() } else { None };
            lent.push_back(segment.clone());
            drop(lent);
            // Whose memory it is may be the user's to say, and what is done when it goes.
            drop_contained(oldest);
        }
    }

    /// The segment that lies where `slice` does, if it is one of those here. It is as long.
    pub(super) fn take(&self, slice: &[u8]) -> Option<Bytes> {
        if slice.len() < MIN_TAKEN_BYTES {
            return None;
        }
        let mut lent = lock(&self.0);
        let at = lent.iter().position(|segment| offset(segment, slice).is_some())?;
        let segment = lent.get_mut(at)?;
        // What lies before it has been written.
        segment.advance(offset(segment, slice)?);
        if segment.len() - slice.len() >= MIN_TAKEN_BYTES {
            return Some(segment.split_to(slice.len()));
        }
        // Nobody will ask for a rest that is shorter, and it would keep the whole segment.
        let mut segment = lent.remove(at)?;
        segment.truncate(slice.len());
        Some(segment)
    }

    /// No stream is left.
    pub(super) fn clear(&self) {
        let all = mem::take(&mut *lock(&self.0));
        drop_each_contained(all.into_iter());
    }
}

/// What is shorter is copied: to find it costs more.
const MIN_TAKEN_BYTES: usize = 512;

/// Where `slice` begins in `segment`, if all of it lies there. A segment that is alive has its
/// memory to itself: so these are the same bytes.
fn offset(segment: &Bytes, slice: &[u8]) -> Option<usize> {
    let offset = slice.as_ptr().addr().checked_sub(segment.as_ptr().addr())?;
    (offset.checked_add(slice.len())? <= segment.len()).then_some(offset)
}
