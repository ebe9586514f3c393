//! An allocator that counts, and the resident memory of the process.
//!
//! The only unsafe code of the example, and none of the library's: `GlobalAlloc` is an unsafe
//! trait. Every call goes to the system's allocator with the arguments it came with.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

/// Which part of the demo a thread works for, so that the proxy's allocations can be told from
/// those of the origin and the client in the same process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Threads that never said: also everything outside the demo.
    Other = 0,
    /// The origin server.
    Origin = 1,
    /// The proxy.
    Proxy = 2,
    /// The client.
    Client = 3,
    /// The engine and its filters, inside the proxy.
    Engine = 4,
}

/// A count on its own cache line, so that the threads of two roles do not slow each other down.
#[repr(align(64))]
struct Count(AtomicU64);

static COUNTS: [Count; 5] = [const { Count(AtomicU64::new(0)) }; 5];

thread_local! {
    // Const and without a destructor: reading it allocates nothing and works at any time.
    static ROLE: Cell<Role> = const { Cell::new(Role::Other) };
    static LIVE: Cell<i64> = const { Cell::new(0) };
}

/// Counts what the current thread allocates from now on under `role`; returns the role before.
pub(crate) fn set_role(role: Role) -> Role {
    ROLE.replace(role)
}

/// How often threads of this role allocated or grew memory. Always 0 if [`Counting`] is not the
/// global allocator.
pub(crate) fn allocations(role: Role) -> u64 {
    COUNTS[role as usize].0.load(Relaxed)
}

/// Bytes that this thread allocated, less those it freed. Means something where all of a program
/// runs on one thread: in tests.
#[allow(dead_code, reason = "read by the tests of the proxy")]
pub(crate) fn live_bytes() -> i64 {
    LIVE.get()
}

/// The system's allocator, counted.
#[derive(Debug)]
pub(crate) struct Counting;

/// Counts an allocation of this thread.
fn count(size: usize) {
    COUNTS[ROLE.get() as usize].0.fetch_add(1, Relaxed);
    LIVE.set(LIVE.get() + size as i64);
}

/// Counts what this thread gives back.
fn uncount(size: usize) {
    LIVE.set(LIVE.get() - size as i64);
}

// SAFETY: every method passes its arguments on to `System` unchanged and returns what that
// returns; `count` and `uncount` neither allocate nor unwind.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller keeps the contract of `GlobalAlloc::alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        uncount(layout.size());
        count(new_size);
        // SAFETY: as above.
        unsafe { System.realloc(ptr, layout, new_size) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        uncount(layout.size());
        // SAFETY: as above.
        unsafe { System.dealloc(ptr, layout) }
    }
}

/// Resident memory of this process, now and at its peak, in bytes; `None` where there is no
/// `/proc/self/status`.
pub(crate) fn resident() -> Option<(u64, u64)> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kib * 1024)
    };
    Some((field("VmRSS:")?, field("VmHWM:")?))
}
