use crate::filter::LocalReply;

/// How a message begins when it leaves its chain.
#[derive(Debug)]
pub enum Opening<H> {
    /// With this head; the body is what it was taken from.
    Head(H),
    /// Not at all: a request filter answers itself. The body has ended.
    Reply(LocalReply),
}
