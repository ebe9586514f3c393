//! Messages that lie in one piece, and are as Envoy writes them: read at once.
//!
//! This module never finds anything malformed: what it does not know is read step by step, and says
//! there what is wrong with it.

use crate::exchange::Direction;
use crate::ext_proc::wire::varint::Varint;
use crate::ext_proc::wire::{Envelope, ProtocolConfig};

/// A message that can be read at once.
pub(super) struct Whole<'a> {
    pub(super) direction: Direction,
    pub(super) part: WholePart<'a>,
    pub(super) end_of_stream: bool,
    /// What it carries besides; `None` if that is nothing.
    pub(super) envelope: Option<Box<Envelope>>,
}

pub(super) enum WholePart<'a> {
    /// A head: its section.
    Headers(&'a [u8]),
    /// A body, and how many bytes of the message stand behind it.
    Body { body: &'a [u8], behind_bytes: usize },
}

impl<'a> Whole<'a> {
    pub(super) fn read(message: &'a [u8]) -> Option<Self> {
        let (key, mut rest) = message.split_first()?;
        let part = take(&mut rest)?;
        let (direction, (part, end_of_stream)) = match key {
            0x12 => (Direction::Request, head(part)?),
            0x1a => (Direction::Response, head(part)?),
            0x22 => (Direction::Request, body(part, rest.len())?),
            0x2a => (Direction::Response, body(part, rest.len())?),
            _ => return None,
        };
        Some(Self { direction, part, end_of_stream, envelope: envelope(rest)? })
    }
}

/// A field of bytes, behind its key.
#[inline]
fn take<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = usize::try_from(Varint::take(bytes).ok()?).ok()?;
    let (field, rest) = bytes.split_at_checked(len)?;
    *bytes = rest;
    Some(field)
}

/// An `HttpHeaders`: a section, and whether it is the end.
fn head(part: &[u8]) -> Option<(WholePart<'_>, bool)> {
    let [0x0a, rest @ ..] = part else { return None };
    let mut rest = rest;
    let section = WholePart::Headers(take(&mut rest)?);
    match rest {
        [] => Some((section, false)),
        [0x18, end @ 0..0x80] => Some((section, *end != 0)),
        _ => None,
    }
}

/// An `HttpBody`: bytes, if there are any, and whether they are the last. So many bytes stand
/// behind it.
fn body(part: &[u8], behind_bytes: usize) -> Option<(WholePart<'_>, bool)> {
    let mut rest = part;
    let mut body = &[][..];
    if let [0x0a, bytes @ ..] = rest {
        rest = bytes;
        body = take(&mut rest)?;
    }
    let behind_bytes = behind_bytes + rest.len();
    let part = WholePart::Body { body, behind_bytes };
    match rest {
        [] => Some((part, false)),
        [0x10, end @ 0..0x80] => Some((part, *end != 0)),
        _ => None,
    }
}

/// What stands behind the part. Attributes, and metadata that is not empty, have limits: they are
/// not read here.
fn envelope(behind: &[u8]) -> Option<Option<Box<Envelope>>> {
    let mut rest = behind;
    // Envoy puts an empty one into each message.
    if let [0x42, 0, behind @ ..] = rest {
        rest = behind;
    }
    let mut observability = false;
    if let [0x50, observes @ 0..0x80, behind @ ..] = rest {
        observability = *observes != 0;
        rest = behind;
    }
    let mut protocol_config = None;
    if let [0x5a, behind @ ..] = rest {
        rest = behind;
        protocol_config = Some(config(take(&mut rest)?)?);
    }
    if !rest.is_empty() {
        return None;
    }
    let is_something = observability || protocol_config.is_some();
    let envelope = || Envelope { observability, protocol_config, ..Envelope::default() };
    Some(is_something.then(|| Box::new(envelope())))
}

/// A `ProtocolConfiguration`: numbers that are 0 are not written.
fn config(mut rest: &[u8]) -> Option<ProtocolConfig> {
    let mut number = |key: u8| match rest {
        [found, number @ 0..0x80, behind @ ..] if *found == key => {
            rest = behind;
            *number
        }
        _ => 0,
    };
    let config = ProtocolConfig {
        request_body_mode: number(0x08).into(),
        response_body_mode: number(0x10).into(),
        send_body_without_waiting: number(0x18) != 0,
    };
    rest.is_empty().then_some(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Envoy 1.40.0 writes it, an empty metadata and all.
    #[test]
    fn heads_and_bodies_of_envoy_are_read_at_once() {
        let head = b"\x12\x07\x0a\x03abc\x18\x01\x42\x00\x5a\x04\x08\x04\x10\x02";
        let whole = Whole::read(head).expect("a head");
        assert!(matches!(whole.part, WholePart::Headers(b"abc")));
        assert!(whole.direction == Direction::Request && whole.end_of_stream);
        let config = whole.envelope.and_then(|envelope| envelope.protocol_config);
        let expected = ProtocolConfig {
            request_body_mode: 4,
            response_body_mode: 2,
            send_body_without_waiting: false,
        };
        assert_eq!(config, Some(expected));

        let whole = Whole::read(b"\x2a\x06\x0a\x02ab\x10\x01\x42\x00").expect("a body");
        assert!(matches!(whole.part, WholePart::Body { body: b"ab", behind_bytes: 4 }));
        assert!(whole.direction == Direction::Response && whole.end_of_stream);
        assert!(whole.envelope.is_none());
    }

    #[test]
    fn both_directions_are_read_at_once_with_and_without_an_end() {
        let ends: [(&[u8], bool); 3] = [(b"", false), (b"\0", false), (b"\x01", true)];
        for (key, direction, end_key) in [
            (0x12, Direction::Request, 0x18),
            (0x1a, Direction::Response, 0x18),
            (0x22, Direction::Request, 0x10),
            (0x2a, Direction::Response, 0x10),
        ] {
            for (end, ends) in ends {
                let end_key = if end.is_empty() { &[][..] } else { &[end_key] };
                let part = [b"\x0a\x02ab", end_key, end].concat();
                let len = u8::try_from(part.len()).expect("a short part");
                let message = [&[key, len][..], &part].concat();
                let whole = Whole::read(&message).expect("it is read at once");
                assert_eq!((whole.direction, whole.end_of_stream), (direction, ends));
            }
        }
    }

    #[test]
    fn whatever_else_comes_is_left_to_be_read_step_by_step() {
        let messages: [&[u8]; 9] = [
            b"",
            b"\x12\x01\x0a",
            b"\x22\x04\x0a\x03ab",
            // Twice.
            b"\x22\x08\x0a\x02ab\x0a\x02ab",
            b"\x22\x02\x0a\x00\x22\x02\x0a\x00",
            b"\x22\x04\x0a\x02ab\x42\x00\x42\x00",
            // With a limit: attributes, metadata.
            b"\x12\x05\x0a\x03abc\x4a\x00",
            b"\x12\x05\x0a\x03abc\x42\x02ab",
            // What nobody knows.
            b"\x22\x06\x0a\x02ab\x78\x01",
        ];
        for message in messages {
            assert!(Whole::read(message).is_none(), "{message:?}");
        }
    }
}
