//! The module `socket` of the library: what is of use without a task.

#[path = "../../../src/socket/write_queue.rs"]
mod write_queue;

pub(crate) use write_queue::WriteQueue;
