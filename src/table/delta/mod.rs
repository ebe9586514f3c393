//! From a table to its consumers: deltas, and the copies that they keep.
//!
//! On the side of the table each consumer has a [`Session`]; on its own side it has a [`Replica`].
//! Between them go [`Hello`], subscriptions, [`Delta`]s and answers, over whatever the embedder has
//! for it. All types are plain data.
//!
//! | who | does | and tells the other side |
//! |---|---|---|
//! | consumer | [`Replica::hello`] | [`Session::open`]: which keys it wants, and what it holds of them |
//! | consumer | [`Replica::subscribe`], [`Replica::unsubscribe`] | [`Session::subscribe`], [`Session::unsubscribe`] |
//! | session | [`Session::poll_delta`] | [`Replica::apply`] |
//! | consumer | applied it, or had it before | [`Session::ack`] |
//! | consumer | does not want it | [`Session::nack`] |
//! | consumer | is not where it begins | [`Session::resync`] |
//! | session | has waited too long for an answer | [`Session::resend`] |
//! | consumer | now and then, [`Replica::digest`] | [`Session::check`] |
//!
//! # What may go wrong on the way
//!
//! Deltas and answers may be lost, come twice and in any order, also those of a session that is
//! over. What the consumer asks for has to come, and in order, or the connection has to break: then
//! it says hello again. A request that got lost nevertheless is found by a digest.
//!
//! # Why a drop is not forgotten
//!
//! What a session knows of a key is what *this consumer* has said of it, not the version of the
//! table's entry (G1). So a consumer that drops a key and asks again is answered, though nothing
//! has changed: a producer that goes by versions alone says nothing, and the consumer waits for
//! ever (Envoy Gateway #5595).
//!
//! # Deltas are of state
//!
//! A delta has the whole value of each key that may differ, and the values are those of the table
//! when it is made. So nothing is queued for a slow consumer: what it missed is one value a key,
//! the newest. One delta is under way at a time. If no answer comes, another one says the same and
//! what has changed since; it also names keys of which it is in doubt whether the lost one has
//! come. So it fits a copy that has the lost one and a copy that does not: any epoch from
//! [`Delta::from`] to [`Delta::to`]. Elsewhere it is refused, and the session makes a full one.
//!
//! # Costs
//!
//! A session keeps a few words for each key and no plan. A delta that was made keeps its plans
//! alive until it is applied or dropped. To make one looks at each subscribed key once, which is a
//! lookup in the table.
//!
//! # Example
//!
//! ```
//! use tidegate::table::delta::{Applied, Lookup, Replica, Scope, Session};
//! use tidegate::table::{Changes, Entry, Table};
//!
//! let table = Table::new(0x5eed);
//! let mut changes = Changes::new();
//! changes.set("/api", Entry::ready("plan 1"));
//! table.publish(&changes)?;
//!
//! let mut replica = Replica::new(0xc0de, Scope::Subscribed);
//! replica.subscribe("/api");
//! let mut session = Session::open(&table, replica.hello())?;
//! let delta = session.next_delta().expect("it is to be answered");
//! let receipt = delta.receipt;
//! assert_eq!(replica.apply(delta), Applied::Applied);
//! assert!(session.ack(receipt));
//! assert!(matches!(replica.get(&"/api"), Lookup::Present(entry) if entry.plan().is_ok()));
//! assert!(session.next_delta().is_none(), "nothing more to say");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
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
