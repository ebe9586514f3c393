//! Models of `resume`.

use tidegate_loom_tests::kit::{Model, Payload, Task, spawn};
use tidegate_loom_tests::models;
use tidegate_loom_tests::resume::{ResumeSet, Resumed};

use std::sync::Arc;

pub const MODELS: &[Model] = models!("resume";
    racing_poll: 30 Exhaustive;
    racing_recycle: 1000 Exhaustive;
);

/// A resume that races the driver's poll is taken by it, or wakes its task; what was written before
/// the resume is seen by whoever is asked for it.
fn racing_poll() {
    let (set, task, payload) = (ResumeSet::new(1), Task::new(), Arc::new(Payload::new()));
    let handle = set.handle(0);
    let resumer = spawn({
        let payload = Arc::clone(&payload);
        move || {
            payload.write(7);
            assert_eq!(handle.resume(), Resumed::Queued);
        }
    });
    let mut taken = poll(&set, &task);
    if taken != 0 {
        assert_eq!(payload.read(), 7);
    }
    resumer.join().unwrap();
    if task.take_woken() {
        taken |= poll(&set, &task);
        assert_eq!(payload.read(), 7);
    }
    assert_eq!(taken, 1, "the resume was lost");
}

/// A message ends and its set is recycled while a handle resumes and goes. The next message never
/// sees that resume, and its task is not woken by it; a set that is reused has all behind it.
fn racing_recycle() {
    let (mut set, old, new) = (ResumeSet::new(1), Task::new(), Task::new());
    let payload = Arc::new(Payload::new());
    set.register(&old.waker());
    let handle = set.handle(0);
    let resumer = spawn({
        let payload = Arc::clone(&payload);
        move || {
            handle.resume();
            payload.write(7);
            drop(handle);
        }
    });
    if set.recycle(1) {
        assert_eq!(payload.read(), 7, "a set was reused while its handle was in use");
    } else {
        set = ResumeSet::new(1);
    }
    assert_eq!(poll(&set, &new), 0, "an old resume reached the next message");
    resumer.join().unwrap();
    assert_eq!((poll(&set, &new), new.wakes()), (0, 0));
    assert_eq!(old.wakers(), 0, "the old waker is kept");
    let next = set.handle(0);
    assert_eq!((next.resume(), new.wakes()), (Resumed::Queued, 1));
}

/// One poll of a driver that goes to rest: register, then look.
fn poll(set: &ResumeSet, task: &Task) -> u64 {
    set.register(&task.waker());
    set.take_pending()
}
