//! Models of `resume`: the wake word, the counters, the waker, and what goes from message to
//! message.

use std::sync::Arc;

use tidegate_loom_tests::kit::{Fuse, Hook, Model, Payload, Task, panics, spawn};
use tidegate_loom_tests::models;
use tidegate_loom_tests::resume::{ResumeHandle, ResumeSet, Resumed};

pub const MODELS: &[Model] = models!("resume";
    racing_poll: 36 Exhaustive;
    racing_recycle: 1050 Exhaustive;
    racing_close: 87 Exhaustive;
    racing_drop: 19 Exhaustive;
    burst_before_a_poll: 27 Exhaustive;
    h41_burst_racing_polls: 14_780 Exhaustive;
    burst_of_one_station: 30_500 Exhaustive;
    last_handle_racing_rest: 30 Exhaustive;
    last_of_two_handles: 7220 Exhaustive;
    resume_and_go_racing_stall: 85 Exhaustive;
    h42_resume_racing_last_drop: 8770 Exhaustive;
    h42_clone_racing_drop: 1380 Exhaustive;
    h43_task_migrates: 140 Exhaustive;
    fresh_waker_each_poll: 220 Exhaustive;
    h44_waker_polls_inline: 120 Exhaustive;
    h43_panicking_wake: 7720 Exhaustive;
    panicking_clone: 4 Exhaustive;
    h43_panicking_drop: 30 Exhaustive;
    panicking_wake_of_last_handle: 30 Exhaustive;
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

/// A thread that writes `value`, then does `work` with its handle.
fn on_thread(
    handle: ResumeHandle,
    payload: &Arc<Payload>,
    work: impl FnOnce(ResumeHandle) + Send + 'static,
) -> tidegate_loom_tests::kit::JoinHandle<()> {
    let payload = Arc::clone(payload);
    spawn(move || {
        payload.write(7);
        work(handle);
    })
}

fn payloads() -> [Arc<Payload>; 2] {
    [Arc::default(), Arc::default()]
}

/// A station ends while its handle resumes: nobody is woken for it twice, and once the end is
/// known to the handle's thread it answers `Gone`.
fn racing_close() {
    let (set, task) = (ResumeSet::new(2), Task::new());
    set.register(&task.waker());
    let handle = set.handle(1);
    let resumer = spawn(move || (handle.resume(), handle.resume(), handle));
    set.close_stations(0b10);
    let taken = set.take_pending();
    let (first, second, handle) = resumer.join().unwrap();
    assert_ne!(first, Resumed::AlreadyQueued);
    assert!(second != Resumed::Queued || taken == 0b10 && first == Resumed::Queued);
    assert_eq!(handle.resume(), Resumed::Gone);
    drop(handle);
    assert!(task.wakes() <= 1);
}

/// The message goes while a handle resumes: its waker is let go by both, a handle that is left
/// answers `Gone`, and wakes nobody.
fn racing_drop() {
    let (set, task) = (ResumeSet::new(1), Task::new());
    set.register(&task.waker());
    let handle = set.handle(0);
    let resumer = spawn(move || {
        handle.resume();
        handle
    });
    drop(set);
    let handle = resumer.join().unwrap();
    assert_eq!(task.wakers(), 0, "the waker outlived the message");
    let wakes = task.wakes();
    assert!(wakes <= 1);
    assert_eq!(handle.resume(), Resumed::Gone);
    drop(handle);
    assert_eq!(task.wakes(), wakes, "a dead task was woken");
}

/// Two resumes of two stations on two threads wake the resting task once; the poll finds both, and
/// what both wrote.
fn burst_before_a_poll() {
    let (set, task, [one, two]) = (ResumeSet::new(2), Task::new(), payloads());
    set.register(&task.waker());
    assert_eq!(set.take_pending(), 0);
    let resume = |handle: ResumeHandle| assert_eq!(handle.resume(), Resumed::Queued);
    // Handles that stay: the last one to go would wake, too.
    let (kept_0, kept_1) = (set.handle(0), set.handle(1));
    let first = on_thread(set.handle(0), &one, resume);
    let second = on_thread(set.handle(1), &two, resume);
    // Who polls has only the waker's word: the second resume may still be on its way.
    if task.take_woken() && set.take_pending() == 0b11 {
        assert_eq!((one.read(), two.read()), (7, 7));
        assert_eq!(task.wakes(), 1);
    }
    first.join().unwrap();
    second.join().unwrap();
    assert!(task.wakes() == 1);
    drop((kept_0, kept_1));
}

/// Two resumes race the driver's polls: neither is lost, none is taken twice, and a wake comes at
/// most once a registration.
fn h41_burst_racing_polls() {
    let (set, task, [one, two]) = (ResumeSet::new(2), Task::new(), payloads());
    let kept = [set.handle(0), set.handle(1)];
    let resume = |handle: ResumeHandle| assert_eq!(handle.resume(), Resumed::Queued);
    let first = on_thread(set.handle(0), &one, resume);
    let second = on_thread(set.handle(1), &two, resume);
    let mut taken = 0;
    let mut take = |pending: u64| {
        assert_eq!(taken & pending, 0, "a resume was taken twice");
        taken |= pending;
        for (bit, payload) in [(0b01, &one), (0b10, &two)] {
            assert!(pending & bit == 0 || payload.read() == 7);
        }
    };
    let mut polls = 1;
    take(poll(&set, &task));
    if task.take_woken() {
        polls += 1;
        take(poll(&set, &task));
    }
    first.join().unwrap();
    second.join().unwrap();
    assert!(task.wakes() <= polls);
    if task.take_woken() {
        take(poll(&set, &task));
    }
    assert_eq!(taken, 0b11, "a resume was lost");
    drop(kept);
}

/// Two handles of one station: it is asked once for both, or once for each, and whoever is told
/// that a resume was waiting already has its writes seen by the same call.
fn burst_of_one_station() {
    let (set, task, [one, two]) = (ResumeSet::new(1), Task::new(), payloads());
    let kept = set.handle(0);
    let answers = Arc::new([Payload::new(), Payload::new()]);
    let resume = |k: usize| {
        let answers = Arc::clone(&answers);
        move |handle: ResumeHandle| {
            let queued = handle.resume() == Resumed::Queued;
            answers[k].write(u64::from(queued));
        }
    };
    let first = on_thread(set.handle(0), &one, resume(0));
    let second = on_thread(set.handle(0), &two, resume(1));
    let mut calls = poll(&set, &task);
    first.join().unwrap();
    second.join().unwrap();
    if task.take_woken() {
        calls += poll(&set, &task);
    }
    assert_eq!(calls, answers[0].read() + answers[1].read());
    assert_eq!(set.take_pending(), 0);
    drop(kept);
}

/// The last handle goes while the driver goes to rest: the driver sees that nobody is left, and
/// what that handle's thread did before; or it is woken to see it.
fn last_handle_racing_rest() {
    let (set, task, payload) = (ResumeSet::new(1), Task::new(), Arc::new(Payload::new()));
    let dropper = on_thread(set.handle(0), &payload, drop);
    let mut live = rest(&set, &task);
    if !live {
        assert_eq!(payload.read(), 7);
    }
    dropper.join().unwrap();
    if live && task.take_woken() {
        live = rest(&set, &task);
    }
    assert!(!live, "a stall was not seen");
}

/// The same with two handles: one thread to see nobody left, and what both did before.
fn last_of_two_handles() {
    let (set, task, [one, two]) = (ResumeSet::new(1), Task::new(), payloads());
    let first = on_thread(set.handle(0), &one, drop);
    let second = on_thread(set.handle(0), &two, drop);
    let mut live = rest(&set, &task);
    if !live {
        assert_eq!((one.read(), two.read()), (7, 7));
    }
    first.join().unwrap();
    second.join().unwrap();
    if live && task.take_woken() {
        live = rest(&set, &task);
    }
    assert!(!live, "a stall was not seen");
    assert!(task.wakes() <= 1);
}

/// A handle resumes and goes at once: the driver never takes that for a stall.
fn resume_and_go_racing_stall() {
    let (set, task, payload) = (ResumeSet::new(1), Task::new(), Arc::new(Payload::new()));
    let resumer = on_thread(set.handle(0), &payload, |handle| {
        handle.resume();
    });
    let mut asked = poll(&set, &task) == 1;
    if !asked && !set.may_resume(0) {
        panic!("stalled, and a resume is waiting");
    }
    resumer.join().unwrap();
    if !asked && task.take_woken() {
        asked = poll(&set, &task) == 1;
    }
    assert!(asked, "a resume was lost");
    assert!(!set.may_resume(0));
}

/// One handle resumes and goes, the other just goes: no stall before the resume was taken.
fn h42_resume_racing_last_drop() {
    let (set, task, [one, two]) = (ResumeSet::new(1), Task::new(), payloads());
    let first = on_thread(set.handle(0), &one, |handle| {
        handle.resume();
    });
    let second = on_thread(set.handle(0), &two, drop);
    let mut asked = poll(&set, &task) == 1;
    if asked {
        assert_eq!(one.read(), 7);
    } else {
        assert!(set.may_resume(0), "stalled, and a resume is waiting");
    }
    first.join().unwrap();
    second.join().unwrap();
    if task.take_woken() {
        asked |= poll(&set, &task) == 1;
    }
    assert!(asked, "a resume was lost");
    assert!(!set.may_resume(0));
}

/// A handle is cloned on one thread, and the original goes there, while the clone goes to another
/// thread that resumes: the station is live all the time.
fn h42_clone_racing_drop() {
    let (set, task) = (ResumeSet::new(1), Task::new());
    let handle = set.handle(0);
    let cloner = spawn(move || {
        let clone = handle.clone();
        let resumer = spawn(move || {
            clone.resume();
            clone
        });
        drop(handle);
        resumer
    });
    let mut asked = poll(&set, &task) == 1;
    assert!(set.may_resume(0), "the clone was not counted");
    let clone = cloner.join().unwrap().join().unwrap();
    if task.take_woken() {
        asked |= poll(&set, &task) == 1;
    }
    assert!(asked && set.may_resume(0));
    drop(clone);
    assert!(!set.may_resume(0));
}

/// The message moves from one task to another between two polls: the resume is taken, or the task
/// that polled last is woken.
fn h43_task_migrates() {
    let (set, payload) = (ResumeSet::new(1), Arc::new(Payload::new()));
    let (before, after) = (Task::new(), Task::new());
    let kept = set.handle(0);
    let resumer = on_thread(set.handle(0), &payload, |handle| {
        handle.resume();
    });
    let mut taken = poll(&set, &before);
    taken |= poll(&set, &after);
    if taken != 0 {
        assert_eq!(payload.read(), 7);
    }
    resumer.join().unwrap();
    if taken == 0 {
        assert!(after.take_woken(), "the wake went to the task that is gone");
        taken = poll(&set, &after);
    }
    assert_eq!(taken, 1);
    assert_eq!(before.wakers(), 0, "the task that is gone is still referenced");
    drop(kept);
}

/// Each poll brings another waker of the same task: the newest one counts, the others are let go.
fn fresh_waker_each_poll() {
    let (set, task, payload) = (ResumeSet::new(1), Task::new(), Arc::new(Payload::new()));
    let kept = set.handle(0);
    let resumer = on_thread(set.handle(0), &payload, |handle| {
        handle.resume();
    });
    let mut taken = 0;
    for _ in 0..3 {
        taken |= poll(&set, &task);
        assert!(task.wakers() <= 2, "old wakers are kept");
    }
    resumer.join().unwrap();
    assert!(task.wakers() <= 1);
    if taken == 0 {
        assert!(task.take_woken());
        taken = poll(&set, &task);
    }
    assert_eq!((taken, payload.read()), (1, 7));
    drop(kept);
}

/// A waker that polls inside the wake, and whose drop resumes: no lock is held by either, and the
/// resume is not lost.
fn h44_waker_polls_inline() {
    let (set, task) = (Arc::new(ResumeSet::new(2)), Task::new());
    let (handle, other) = (set.handle(0), set.handle(1));
    let inline = Hook::new({
        let (weak, task, other) = (Arc::downgrade(&set), task.clone(), set.handle(1));
        move || {
            if let Some(set) = weak.upgrade() {
                let _taken = poll(&set, &task);
                other.resume();
            }
        }
    });
    inline.poll(|cx| set.register(cx.waker()));
    let resumer = spawn(move || {
        handle.resume();
        handle
    });
    set.register(&task.waker());
    drop(resumer.join().unwrap());
    let woken = task.take_woken();
    let pending = set.take_pending();
    assert!(woken || pending == 0, "a resume was lost");
    drop(other);
}

/// A wake that panics is one thread's matter: the other's resume is queued as well, and the next
/// poll finds both and is woken by the next resume.
fn h43_panicking_wake() {
    let (set, task) = (ResumeSet::new(2), Task::new());
    Fuse::Wake.lend(|waker| set.register(waker));
    let handles = [set.handle(0), set.handle(1)];
    let [first, second] = [0, 1].map(|k| {
        let handle = handles[k].clone();
        spawn(move || panics(|| _ = handle.resume()))
    });
    let taken = poll(&set, &task);
    let panicked = [first.join().unwrap(), second.join().unwrap()];
    assert!(panicked != [true, true], "one waker panicked twice");
    assert_eq!(taken & poll(&set, &task), 0);
    assert_eq!(set.take_pending(), 0);
    let wakes = task.wakes();
    assert_eq!(handles[0].resume(), Resumed::Queued);
    assert_eq!(task.wakes(), wakes + 1);
}

/// A waker that cannot be cloned leaves the one before, which the resume wakes.
fn panicking_clone() {
    let (set, task) = (ResumeSet::new(1), Task::new());
    set.register(&task.waker());
    let handle = set.handle(0);
    let resumer = spawn(move || {
        handle.resume();
        handle
    });
    assert!(panics(|| Fuse::Clone.lend(|waker| set.register(waker))));
    let handle = resumer.join().unwrap();
    assert_eq!(task.wakes(), 1);
    assert_eq!(poll(&set, &task), 1);
    assert_eq!((handle.resume(), task.wakes()), (Resumed::Queued, 2));
}

/// A waker that panics when it is let go has been replaced by the one that took its place.
fn h43_panicking_drop() {
    let (set, task) = (ResumeSet::new(1), Task::new());
    Fuse::Drop.lend(|waker| set.register(waker));
    let handle = set.handle(0);
    // A wake by value drops the waker in the resumer.
    let resumer = spawn(move || {
        panics(|| _ = handle.resume());
        handle
    });
    panics(|| set.register(&task.waker()));
    let mut taken = set.take_pending();
    let handle = resumer.join().unwrap();
    if taken == 0 {
        assert!(task.take_woken(), "the waker that was registered is gone");
        taken = poll(&set, &task);
    }
    assert_eq!(taken, 1);
    set.register(&task.waker());
    assert_eq!(handle.resume(), Resumed::Queued);
    assert!(task.take_woken());
}

/// The last handle goes while its thread unwinds, and the waker panics: the thread goes on
/// unwinding, and the stall is there to be seen.
fn panicking_wake_of_last_handle() {
    let (set, task) = (ResumeSet::new(1), Task::new());
    Fuse::Wake.lend(|waker| set.register(waker));
    let handle = set.handle(0);
    let dropper = spawn(move || panics(move || drop(handle)));
    let live = rest(&set, &task);
    assert!(!dropper.join().unwrap(), "a drop panicked");
    assert!(!live || !rest(&set, &task));
}

/// One poll of a driver that goes to rest and asks whether anybody can wake it.
fn rest(set: &ResumeSet, task: &Task) -> bool {
    set.register(&task.waker());
    set.may_resume(0)
}
