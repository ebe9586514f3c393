use std::thread;

use crate::sync::{Mutex, lock};

/// One job at a time, from one thread to another. It spins: nothing of std is in it that the
/// sanitizer does not see.
pub struct Queue<J>(Mutex<Place<J>>);

enum Place<J> {
    Empty,
    Job(J),
    Closed,
}

impl<J> Default for Queue<J> {
    fn default() -> Self {
        Self(Mutex::new(Place::Empty))
    }
}

impl<J> Queue<J> {
    /// Hands over a job, when the one before has been taken.
    pub fn give(&self, job: J) {
        let mut job = Some(job);
        while job.is_some() {
            {
                let mut place = lock(&self.0);
                if matches!(*place, Place::Empty)
                    && let Some(job) = job.take()
                {
                    *place = Place::Job(job);
                }
            }
            thread::yield_now();
        }
    }

    /// The next job; `None` once the queue is closed.
    pub fn take(&self) -> Option<J> {
        loop {
            {
                let mut place = lock(&self.0);
                if matches!(*place, Place::Closed) {
                    return None;
                }
                if let Place::Job(job) = std::mem::replace(&mut *place, Place::Empty) {
                    return Some(job);
                }
            }
            thread::yield_now();
        }
    }

    /// Ends it, when the last job has been taken.
    pub fn close(&self) {
        loop {
            {
                let mut place = lock(&self.0);
                if matches!(*place, Place::Empty) {
                    *place = Place::Closed;
                    return;
                }
            }
            thread::yield_now();
        }
    }
}
