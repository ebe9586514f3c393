//! The gRPC service around sessions, over real HTTP/2: hyper's client at the other end of a pipe.
//! All of it on each carrier: the name of a test begins with the one that it is about.
//! Rules in the comments are the pitfalls P1 to P40 and hazards of the architecture page.
#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]
#![allow(clippy::duplicate_mod, reason = "each carrier has the same tests")]

#[path = "../kit/ext_proc/mod.rs"]
mod messages;

#[path = "../kit/queue.rs"]
mod queue;

#[path = "../support/counting.rs"]
mod counting;

use tidegate::ext_proc::server::Carrier;

mod answers;
mod direct;
mod mounted;
mod stage;

#[path = "."]
mod on_hyper {
    /// What serves in these tests.
    const CARRIER: super::Carrier = super::Carrier::Hyper;

    mod calls;
    mod crowd;
    mod ends;
    mod health;
    mod hostile;
    mod modes;
    pub(crate) mod peer;
    mod serving;
    mod stalls;
}

#[path = "."]
mod on_direct {
    /// What serves in these tests.
    const CARRIER: super::Carrier = super::Carrier::Direct;

    mod calls;
    mod crowd;
    mod ends;
    mod health;
    mod hostile;
    mod modes;
    mod peer;
    mod serving;
    mod stalls;
}
