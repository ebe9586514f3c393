use bytes::Bytes;

use super::ProtocolConfig;

/// What a message carries besides its part.
#[derive(Debug, Clone, Default)]
pub struct Envelope {
    /// The server must not answer.
    pub observability: bool,
    /// On the first message of a stream.
    pub protocol_config: Option<ProtocolConfig>,
    /// `map<string, Struct>`, encoded, one slice for each entry; on the first message of a
    /// direction.
    pub attributes: Vec<Bytes>,
    /// `core.v3.Metadata`, encoded. Empty if the client forwards no namespace.
    pub metadata: Bytes,
}
