//! From a table to its consumers: deltas, and the copies that they keep.
//!
//! This module never queues: what is said next is made of the table as it is then.

mod agreement;
mod applied;
#[expect(clippy::module_inception, reason = "a file is named after its type")]
mod delta;
mod digest;
mod hello;
mod lookup;
mod mark;
mod receipt;
mod rejection;
mod replica;
mod scope;
mod session;
mod session_id;
mod too_many_keys;
mod value;

pub use agreement::Agreement;
pub use applied::Applied;
pub use delta::Delta;
pub use digest::Digest;
pub use hello::Hello;
pub use lookup::Lookup;
pub use mark::Mark;
pub use receipt::Receipt;
pub use rejection::Rejection;
pub use replica::Replica;
pub use scope::Scope;
pub use session::Session;
pub use session_id::SessionId;
pub use too_many_keys::TooManyKeys;
pub use value::Value;
