//! gRPC's frames: a byte that says whether the message is compressed, four with its length, the
//! message.

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// The prefix of a frame, in bytes.
pub(crate) const PREFIX_BYTES: usize = 5;

/// A message in its frame.
pub(crate) fn frame(message: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(PREFIX_BYTES + message.len());
    frame.put_u8(0);
    frame.put_u32(u32::try_from(message.len()).expect("a message of less than 4 GiB"));
    frame.put_slice(message);
    frame.freeze()
}

/// As prost encodes it, in its frame.
pub(crate) fn message_frame(message: &impl prost::Message) -> Bytes {
    frame(&message.encode_to_vec())
}

/// Takes frames apart, however they were cut.
#[derive(Debug, Default)]
pub(crate) struct Frames(BytesMut);

impl Frames {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// The next whole message, without its frame.
    pub(crate) fn next_bytes(&mut self) -> Option<Bytes> {
        let prefix = self.0.get(..PREFIX_BYTES)?;
        assert_eq!(prefix[0], 0, "a compressed message");
        let len = u32::from_be_bytes([prefix[1], prefix[2], prefix[3], prefix[4]]) as usize;
        if self.0.len() < PREFIX_BYTES + len {
            return None;
        }
        self.0.advance(PREFIX_BYTES);
        Some(self.0.split_to(len).freeze())
    }

    /// The next whole message, decoded.
    ///
    /// # Panics
    ///
    /// If it is not a `M`.
    pub(crate) fn next<M: prost::Message + Default>(&mut self) -> Option<M> {
        self.next_bytes().map(|message| M::decode(message).expect("a message as it should be"))
    }

    /// What is left of a frame that is not whole, in bytes.
    pub(crate) fn rest_bytes(&self) -> usize {
        self.0.len()
    }

    /// Every message in `bytes`, which ends with one.
    pub(crate) fn all<M: prost::Message + Default>(bytes: &[u8]) -> Vec<M> {
        let mut frames = Self::default();
        frames.push(bytes);
        let all = std::iter::from_fn(|| frames.next()).collect();
        assert_eq!(frames.rest_bytes(), 0, "the last frame is cut");
        all
    }
}
