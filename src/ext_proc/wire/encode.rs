//! Replies to bytes.

use core::mem;

use super::backward::{Backward, written};
use super::head::{Head, INLINE_BYTES};
use super::header_mutation::SetField;
use super::reply::{BodyChange, Part};
use super::{HeaderMutation, Reply, ReplyBody, ReplyFrame, WireError};
use crate::exchange::Direction;

/// What one field of a mutation costs at most besides its name and value, in bytes: four lengths of
/// five bytes, their keys, and two numbers.
const SET_FIELD_BYTES: usize = 32;

/// `OVERWRITE_IF_EXISTS_OR_ADD`.
const OVERWRITE: u64 = 2;

/// `CONTINUE_AND_REPLACE`.
const REPLACE: u64 = 1;

/// Writes a reply. Its body, if it has one, goes on as it is.
///
/// # Errors
///
/// [`WireError::TooLong`] if it would have more than 4 GiB.
#[inline]
pub fn encode(mut reply: Reply) -> Result<ReplyFrame, WireError> {
    encode_taken(&mut reply)
}

/// As [`encode()`], of a reply that lies somewhere: its body is taken out.
#[inline]
pub(in crate::ext_proc) fn encode_taken(reply: &mut Reply) -> Result<ReplyFrame, WireError> {
    let head = write_head(&[], reply)?;
    Ok(ReplyFrame { head, body: take_body(&mut reply.part) })
}

/// What stands before the body, behind frames that are written already.
pub(super) fn write_head(before: &[u8], reply: &Reply) -> Result<Head, WireError> {
    let Reply { part, mode_override, dynamic_metadata } = reply;
    let metadata_bytes = dynamic_metadata.as_ref().map_or(0, |encoded| encoded.len());
    let room = match room(part, metadata_bytes) {
        // What can be joined leaves enough for what stands before it.
        INLINE_BYTES => INLINE_BYTES,
        more => more + before.len(),
    };
    written(room, |out| {
        // Backwards: what is written first stands last. So nothing but the body follows the head.
        write_part(out, part);
        if let Some(encoded) = dynamic_metadata {
            out.bytes(8, encoded);
        }
        if let Some(modes) = mode_override {
            out.message(9, |out| {
                for (field, mode) in (1..=6).rev().zip(modes.iter().rev()) {
                    out.int32(field, *mode);
                }
            });
        }
        let bytes = out.written();
        let len = u32::try_from(bytes).map_err(|_| WireError::TooLong { bytes })?;
        let [a, b, c, d] = len.to_be_bytes();
        out.array([0, a, b, c, d]);
        if !before.is_empty() {
            out.slice(before);
        }
        Ok(())
    })
}

/// The body, which goes on as it is.
pub(super) fn take_body(part: &mut Part) -> ReplyBody {
    match part {
        Part::Headers { replace: Some(body), .. } | Part::Immediate { body, .. } => mem::take(body),
        Part::Body { change, .. } => match change {
            BodyChange::Replace(body) | BodyChange::Streamed { body, .. } => mem::take(body),
            BodyChange::Unchanged | BodyChange::Clear => ReplyBody::new(),
        },
        Part::Headers { replace: None, .. }
        | Part::Trailers { .. }
        | Part::OverrideOnly
        | Part::MessageTimeout(_) => ReplyBody::new(),
    }
}

/// As many bytes as the reply has at most without its body, or what lies inline.
fn room(part: &Part, metadata_bytes: usize) -> usize {
    let (mutation, details_bytes) = match part {
        Part::Headers { mutation, .. }
        | Part::Body { mutation, .. }
        | Part::Trailers { mutation, .. }
            if !mutation.is_empty() =>
        {
            (mutation, 0)
        }
        Part::Immediate { mutation, details, .. } => (mutation, details.len()),
        Part::Headers { .. }
        | Part::Body { .. }
        | Part::Trailers { .. }
        | Part::OverrideOnly
        | Part::MessageTimeout(_) => return INLINE_BYTES + metadata_bytes,
    };
    let set = mutation.set.iter().map(|set| SET_FIELD_BYTES + set.name.len() + set.value.len());
    let removed = mutation.remove.iter().map(|name| SET_FIELD_BYTES + name.len());
    let more: usize = set.chain(removed).sum::<usize>() + details_bytes + metadata_bytes;
    INLINE_BYTES + more
}

/// Writes the part, all but the body at its end.
fn write_part(out: &mut Backward<'_>, part: &Part) {
    match part {
        Part::Headers { direction, mutation, replace, clear_route_cache } => {
            out.message(of(*direction, 1, 2), |out| {
                out.message(1, |out| {
                    let status = if replace.is_some() { REPLACE } else { 0 };
                    if let Some(body) = replace {
                        out.message(3, |out| out.body(1, body.len()));
                    }
                    write_common(out, status, mutation, *clear_route_cache);
                });
            });
        }
        Part::Body { direction, mutation, change, clear_route_cache } => {
            out.message(of(*direction, 3, 4), |out| {
                out.message(1, |out| {
                    write_change(out, change);
                    write_common(out, 0, mutation, *clear_route_cache);
                });
            });
        }
        Part::Trailers { direction, mutation } => {
            out.message(of(*direction, 5, 6), |out| write_mutation(out, 1, mutation));
        }
        Part::Immediate { status, mutation, body, grpc_status, details } => {
            out.message(7, |out| {
                if !body.is_empty() {
                    out.body(3, body.len());
                }
                if !details.is_empty() {
                    out.bytes(5, details);
                }
                if let Some(status) = *grpc_status {
                    out.message(4, |out| out.number(1, status.into()));
                }
                write_mutation(out, 2, mutation);
                out.message(1, |out| out.number(1, status.as_u16().into()));
            });
        }
        Part::OverrideOnly => {}
        Part::MessageTimeout(timeout) => out.message(10, |out| {
            out.number(2, timeout.subsec_nanos().into());
            out.number(1, timeout.as_secs());
        }),
    }
}

const fn of(direction: Direction, request: u8, response: u8) -> u8 {
    match direction {
        Direction::Request => request,
        Direction::Response => response,
    }
}

/// A `BodyMutation`, if it changes anything, without the body at its end.
fn write_change(out: &mut Backward<'_>, change: &BodyChange) {
    match change {
        BodyChange::Unchanged => {}
        BodyChange::Clear => out.message(3, |out| out.number(2, 1)),
        BodyChange::Replace(body) => out.message(3, |out| out.body(1, body.len())),
        BodyChange::Streamed { body, end_of_stream } => out.message(3, |out| {
            out.message(3, |out| {
                if !body.is_empty() {
                    out.body(1, body.len());
                }
                out.number(2, (*end_of_stream).into());
            });
        }),
    }
}

/// What a `CommonResponse` has before its body.
fn write_common(
    out: &mut Backward<'_>,
    status: u64,
    mutation: &HeaderMutation,
    clear_route_cache: bool,
) {
    out.number(5, clear_route_cache.into());
    write_mutation(out, 2, mutation);
    out.number(1, status);
}

/// A `HeaderMutation`, if it changes anything.
#[inline]
fn write_mutation(out: &mut Backward<'_>, field: u8, mutation: &HeaderMutation) {
    if !mutation.is_empty() {
        write_changes(out, field, mutation);
    }
}

#[inline(never)]
fn write_changes(out: &mut Backward<'_>, field: u8, mutation: &HeaderMutation) {
    out.message(field, |out| {
        for name in mutation.remove.iter().rev() {
            out.bytes(2, name);
        }
        for set in mutation.set.iter().rev() {
            out.message(1, |out| write_set(out, set));
        }
    });
}

/// A `HeaderValueOption`. The value goes into `raw_value`: Envoy does not read the other one.
///
/// Envoy 1.40.0 reads only `append`, other readers only `append_action`, and some refuse a message
/// with both: so that one of them is written which says the same by what the other is without it.
fn write_set(out: &mut Backward<'_>, set: &SetField) {
    // An empty value stays, with every reader.
    out.number(4, set.value.is_empty().into());
    if set.append {
        out.message(2, |out| out.number(1, 1));
    } else {
        out.number(3, OVERWRITE);
    }
    out.message(1, |out| {
        out.bytes(3, &set.value);
        out.bytes(1, &set.name);
    });
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::{Buf, Bytes};
    use prost::Message as _;

    use super::*;
    use crate::buf::BodyBuf;

    /// What no pen writes: the fields of a `ProcessingResponse` besides its part.
    #[derive(Clone, PartialEq, prost::Message)]
    struct Besides {
        #[prost(message, optional, tag = "4")]
        response_body: Option<()>,
        #[prost(message, optional, tag = "8")]
        dynamic_metadata: Option<prost_types::Struct>,
        #[prost(message, optional, tag = "10")]
        override_message_timeout: Option<prost_types::Duration>,
    }

    fn read(reply: Reply) -> Besides {
        let mut frame = encode(reply).expect("a short reply");
        let mut bytes = frame.copy_to_bytes(frame.remaining());
        assert_eq!((bytes.get_u8(), bytes.get_u32() as usize), (0, bytes.len()));
        Besides::decode(bytes).expect("a message")
    }

    #[test]
    fn a_timeout_has_seconds_and_nanoseconds() {
        let timeout = Duration::new(3, 400_000_000);
        let read = read(Reply::of(Part::MessageTimeout(timeout)));
        let expected = prost_types::Duration { seconds: 3, nanos: 400_000_000 };
        assert_eq!(read.override_message_timeout, Some(expected));
        assert_eq!((read.response_body, read.dynamic_metadata), (None, None));
    }

    #[test]
    fn metadata_goes_with_a_body_behind_it() {
        let value = prost_types::Value {
            kind: Some(prost_types::value::Kind::StringValue("x".repeat(300))),
        };
        let metadata = prost_types::Struct { fields: [("a".to_owned(), value)].into() };
        let part = Part::Body {
            direction: Direction::Response,
            mutation: HeaderMutation::new(),
            change: BodyChange::Replace(Bytes::from(vec![7; 5000]).into()),
            clear_route_cache: false,
        };
        let dynamic_metadata = Some(metadata.encode_to_vec().into());
        let read = read(Reply { dynamic_metadata, ..Reply::of(part) });
        assert_eq!((read.response_body, read.dynamic_metadata), (Some(()), Some(metadata)));
    }

    #[test]
    fn an_override_has_ten_bytes_for_a_negative_number_and_none_for_0() {
        let mode_override = Some([-1, 0, 2, i32::MIN, -3, 1]);
        let reply = Reply { mode_override, ..Reply::of(Part::OverrideOnly) };
        let mut frame = encode(reply).expect("a short reply");
        let bytes = frame.copy_to_bytes(frame.remaining());
        let numbers = 3 * 11 + 2 * 2;
        assert_eq!(bytes[..7], [0, 0, 0, 0, numbers + 2, 9 << 3 | 2, numbers]);
        assert_eq!(bytes[7..9], [1 << 3, 0xff]);
        assert_eq!(bytes.len(), 7 + usize::from(numbers));
    }

    fn mutation(fields: usize) -> HeaderMutation {
        let mut mutation = HeaderMutation::new();
        for _ in 0..fields {
            mutation.set(vec![b'n'; 70], vec![b'v'; 40]);
            mutation.remove(vec![b'r'; 90]);
        }
        mutation
    }

    fn parts(mutation: impl Fn() -> HeaderMutation, details: usize) -> [Part; 4] {
        let (direction, clear_route_cache) = (Direction::Response, true);
        let (change, replace) = (BodyChange::Clear, Some(ReplyBody::new()));
        [
            Part::Headers { direction, mutation: mutation(), replace, clear_route_cache },
            Part::Body { direction, mutation: mutation(), change, clear_route_cache },
            Part::Trailers { direction, mutation: mutation() },
            Part::Immediate {
                status: http::StatusCode::FORBIDDEN,
                mutation: mutation(),
                body: ReplyBody::new(),
                grpc_status: Some(7),
                details: vec![b'd'; details].into(),
            },
        ]
    }

    /// What has more room than was made for it is written twice; room that is not used is memory.
    #[test]
    fn as_much_room_is_made_as_a_reply_needs_and_little_more() {
        for (fields, metadata, details) in [
            (0, 0, 0),
            (0, 900, 0),
            (0, 0, 700),
            (1, 0, 0),
            (1, 900, 700),
            (9, 0, 700),
            (9, 900, 0),
        ] {
            for part in parts(|| mutation(fields), details) {
                let room = room(&part, metadata);
                let dynamic_metadata = (metadata > 0).then(|| vec![0; metadata].into());
                let mode_override = Some([1, 2, 3, 4, 5, 1]);
                let reply = Reply { part, dynamic_metadata, mode_override };
                let which = format!("{reply:?}");
                let bytes = encode(reply).expect("a short reply").head.left().len();
                assert!(bytes <= room, "{bytes} bytes, room for {room}: {which}");
                let most = bytes + INLINE_BYTES + 2 * fields * SET_FIELD_BYTES;
                assert!(room <= most, "{bytes} bytes, room for {room}: {which}");
            }
        }
    }

    /// What the inline head is made for.
    #[test]
    fn the_longest_reply_without_a_mutation_lies_inline() {
        let mebibyte = Bytes::from(vec![7; 1 << 20]);
        let long: BodyBuf = std::iter::repeat_n(mebibyte, 300).collect();
        let part = Part::Body {
            direction: Direction::Response,
            mutation: HeaderMutation::new(),
            change: BodyChange::Streamed { body: long.into(), end_of_stream: true },
            clear_route_cache: true,
        };
        let reply = Reply { mode_override: Some([1, 2, 3, 4, 5, 1]), ..Reply::of(part) };
        let frame = encode(reply).expect("less than 4 GiB");
        assert!(matches!(frame.head, Head::Inline { .. }), "{frame:?}");
    }
}
