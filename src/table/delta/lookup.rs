use crate::table::Entry;

/// What a replica knows of a key.
#[derive(Debug)]
pub enum Lookup<'a, P> {
    /// It is not subscribed to.
    NotSubscribed,
    /// It is, and was not answered yet: nobody knows whether there is an entry.
    Unanswered,
    /// There is no entry.
    Absent,
    /// There is one.
    Present(&'a Entry<P>),
}
