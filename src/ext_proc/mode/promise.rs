/// What an embedder knows of the messages, and no configuration says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Promise {
    /// Nothing: any message may end in trailers.
    #[default]
    Nothing,
    /// No message of this direction ends in trailers, for example because its peers speak HTTP/1.1
    /// and never send any. A message that does all the same fails; nothing of it is lost silently.
    NoTrailers,
}
