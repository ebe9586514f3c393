use super::{Flags, Kind};

/// The first nine bytes of a frame (RFC 9113, section 4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http2) struct FrameHead {
    /// Of the payload, in bytes.
    pub(in crate::http2) len: u32,
    pub(in crate::http2) kind: Kind,
    pub(in crate::http2) flags: Flags,
    /// 0 is the connection.
    pub(in crate::http2) stream: u32,
}

impl FrameHead {
    /// How long it is.
    pub(in crate::http2) const BYTES: usize = 9;

    /// The bit before the number of a stream means nothing.
    const STREAM_BITS: u32 = (1 << 31) - 1;

    pub(in crate::http2) const fn read(bytes: [u8; Self::BYTES]) -> Self {
        let [l0, l1, l2, kind, flags, s0, s1, s2, s3] = bytes;
        Self {
            len: u32::from_be_bytes([0, l0, l1, l2]),
            kind: Kind::of(kind),
            flags: Flags(flags),
            stream: u32::from_be_bytes([s0, s1, s2, s3]) & Self::STREAM_BITS,
        }
    }

    pub(in crate::http2) const fn write(self) -> [u8; Self::BYTES] {
        let [_, l0, l1, l2] = self.len.to_be_bytes();
        let [s0, s1, s2, s3] = self.stream.to_be_bytes();
        [l0, l1, l2, self.kind.number(), self.flags.0, s0, s1, s2, s3]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for kind in (0..=0x10).map(Kind::of) {
            let head = FrameHead { len: 0x12_34_56, kind, flags: Flags(0x25), stream: 0x7fff_fffe };
            assert_eq!(FrameHead::read(head.write()), head);
        }
    }

    #[test]
    fn the_bit_before_the_stream_means_nothing() {
        let head = FrameHead::read([0, 0, 8, 6, 1, 0x80, 0, 0, 3]);
        assert_eq!(head, FrameHead { len: 8, kind: Kind::Ping, flags: Flags::ACK, stream: 3 });
    }
}
