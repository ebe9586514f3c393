//! What is owed: which messages may come, and which answers may be written.
//!
//! A [`Lane`] is one direction of one stream, a [`Ledger`] both and what concerns the stream. The
//! same lane serves who answers and who checks: [`Lane::owes`] gives out a pen that has only the
//! answers which are legal now, [`Lane::reply`] checks an answer somebody else wrote, and both go
//! through one transition. So what a pen writes is accepted by whoever checks.
//!
//! # What may come
//!
//! Order and number are checked, pace is not: a client that asks before it has been answered is
//! owed the same answers. Columns are what comes; an empty cell is a [`Violation`].
//!
//! | has come | headers | headers, last | body | body, last | trailers |
//! |---|---|---|---|---|---|
//! | nothing | headers (2) | end (2) | body (1, 3) | end (1, 3) | end (1, 5) |
//! | headers | | | body (3) | end (3) | end (5) |
//! | body | | | body (3, 4) | end (3, 4) | end (5) |
//! | end | | | | | |
//!
//! 1. Only with header mode SKIP. 2. Only with SEND. 3. Not with NONE. 4. Not with BUFFERED and
//!    BUFFERED_PARTIAL: one body message. 5. Only with trailer mode SEND.
//!
//! # What is owed
//!
//! One answer for each message, in their order, in all modes but FULL_DUPLEX_STREAMED:
//!
//! | owed | an answer comes | then owed |
//! |---|---|---|
//! | nothing | | |
//! | headers, then n bodies | headers | bodies (n), if n is 0 trailers if they came, else nothing |
//! | headers that are the end | headers, CONTINUE_AND_REPLACE | closed |
//! | bodies (n > 1) | body | bodies (n - 1) |
//! | bodies (1) | body | trailers if they came, else nothing |
//! | trailers | trailers | closed |
//!
//! In FULL_DUPLEX_STREAMED the answer to the head comes first, then any number of pieces, then one
//! end, which has the form of the end that came:
//!
//! | owed | an answer comes | then owed |
//! |---|---|---|
//! | headers | headers | an end; closed if the head was the end |
//! | an end | piece | an end |
//! | an end | piece with `end_of_stream`, unless trailers came | closed |
//! | an end | trailers, if they came | closed |
//!
//! A direction that is *closed* owes nothing whatever comes: an end that was written before the
//! client's cuts the message, and what was under way meanwhile is thrown away (Envoy 1.40.0 does
//! the same). From spec section 3 (R1-R5, R9) and Envoy 1.40.0 as it was run.
//!
//! This module never sees a byte of a body that comes, does no I/O and reads no clock.

mod answer;
mod breach;
mod debt;
mod lane;
mod ledger;
mod message_part;
mod owes;
mod pens;
mod received;
mod state;
#[cfg(test)]
mod tests;
mod violation;

pub use breach::Breach;
pub use debt::Debt;
pub use lane::Lane;
pub use ledger::Ledger;
pub use message_part::MessagePart;
pub use owes::Owes;
pub use pens::{
    BufferedPen, DuplexPen, DuplexTrailersPen, HeadersPen, ImmediatePen, OverridePen, ReplacePen,
    StreamedPen, TrailersPen,
};
pub use received::Received;
pub use violation::Violation;
