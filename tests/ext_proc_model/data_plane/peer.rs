//! Who gets a message: the origin, or the client.

use crate::message::Fields;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Peer {
    pub(crate) fields: Option<Fields>,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Option<Fields>,
    pub(crate) end: PeerEnd,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum PeerEnd {
    #[default]
    Open,
    /// Well formed, whether it is what was sent or not.
    Complete,
    /// Visibly cut: a reset, or a connection that was closed.
    Aborted,
}

impl Peer {
    pub(crate) fn head(&mut self, fields: Fields, ends: bool) {
        assert!(self.fields.is_none() && self.end == PeerEnd::Open, "a second head");
        self.fields = Some(fields);
        if ends {
            self.complete();
        }
    }

    pub(crate) fn data(&mut self, bytes: &[u8], ends: bool) {
        assert!(self.fields.is_some() && self.end == PeerEnd::Open, "body out of turn: {self:?}");
        self.body.extend_from_slice(bytes);
        if ends {
            self.complete();
        }
    }

    pub(crate) fn trailers(&mut self, fields: Fields) {
        assert!(self.fields.is_some() && self.end == PeerEnd::Open, "trailers out of turn");
        self.trailers = Some(fields);
        self.complete();
    }

    fn complete(&mut self) {
        self.end = PeerEnd::Complete;
    }

    pub(crate) fn abort(&mut self) {
        if self.end == PeerEnd::Open {
            self.end = PeerEnd::Aborted;
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.end != PeerEnd::Open
    }
}
