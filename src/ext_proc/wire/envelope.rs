use super::{Attributes, Metadata, ProtocolConfig};

/// What a message carries besides its part.
#[derive(Debug, Clone, Default)]
pub struct Envelope {
    /// The server must not answer.
    pub observability: bool,
    /// On the first message of a stream.
    pub protocol_config: Option<ProtocolConfig>,
    /// On the first message of a direction.
    pub attributes: Attributes,
    /// What the client forwards of the data plane's metadata. It may be on every message.
    pub metadata: Metadata,
}
