use std::{io::IoSlice, ops::Range, panic, thread};

use bytes::{Buf, Bytes};

use super::BodyBuf;
use crate::limits::{PACK_BELOW_BYTES, PACK_BLOCK_BYTES};
use crate::watermark::Weigh as _;

mod rest;

/// A short message in which every byte differs.
static MESSAGE: &[u8] = b"0123456789ab";

/// A large body for tests of identity.
static BODY: [u8; 4096] = {
    let mut body = [0; 4096];
    let mut i = 0;
    while i < body.len() {
        body[i] = (i % 251) as u8;
        i += 1;
    }
    body
};

/// `bytes` in segments that end where `cuts` has a bit.
fn cut(bytes: &'static [u8], cuts: u32) -> BodyBuf {
    let mut buf = BodyBuf::new();
    let mut start = 0;
    for end in 1..=bytes.len() {
        if end == bytes.len() || cuts & (1 << end) != 0 {
            buf.push(Bytes::from_static(&bytes[start..end]));
            start = end;
        }
    }
    buf
}

/// Every way to cut the first 8 bytes of the message, and with them the last of its segments
/// linked or in the open packing block.
fn every_cut(mut check: impl FnMut(&dyn Fn() -> BodyBuf, &[u8])) {
    let message = &MESSAGE[..8];
    for cuts in (0..1 << 8).step_by(2) {
        check(&|| cut(message, cuts), message);
        check(
            &|| {
                let mut buf = cut(&message[..5], cuts);
                buf.push_at_rest(Bytes::from_static(&message[5..]));
                buf
            },
            message,
        );
    }
}

/// Every range of a message.
fn every_range(len: usize) -> impl Iterator<Item = Range<usize>> {
    (0..=len).flat_map(move |start| (start..=len).map(move |end| start..end))
}

fn content(buf: &BodyBuf) -> Vec<u8> {
    buf.chunks().flatten().copied().collect()
}

/// The addresses of all segments of at least [`PACK_BELOW_BYTES`].
fn large_parts(buf: &BodyBuf) -> Vec<Range<*const u8>> {
    buf.chunks().filter(|c| c.len() >= PACK_BELOW_BYTES).map(<[u8]>::as_ptr_range).collect()
}

#[test]
fn exhaustive_split_and_move_at_every_offset() {
    every_cut(|make, message| {
        for n in 0..=message.len() {
            let mut buf = make();
            assert_eq!(buf.split_to(n), message[..n]);
            assert_eq!(buf, message[n..]);

            let mut buf = make();
            let mut other = BodyBuf::from("xy");
            buf.move_to(&mut other, n);
            assert_eq!(content(&other), [b"xy", &message[..n]].concat());
            assert_eq!(buf, message[n..]);

            let mut buf = make();
            assert_eq!(buf.copy_to_bytes(n), message[..n]);
            assert_eq!(buf, message[n..]);
        }
    });
}

#[test]
fn exhaustive_advance_and_truncate_at_every_offset() {
    every_cut(|make, message| {
        for n in 0..=message.len() {
            let mut buf = make();
            buf.advance(n);
            assert_eq!(buf, message[n..]);
            buf.push_at_rest(Bytes::from_static(b"z"));
            assert_eq!(content(&buf), [&message[n..], b"z"].concat());

            let mut buf = make();
            buf.truncate(n);
            assert_eq!(buf, message[..n]);
            buf.push(Bytes::from_static(b"z"));
            assert_eq!(content(&buf), [&message[..n], b"z"].concat());
        }
        let mut buf = make();
        buf.truncate(message.len() + 1);
        assert_eq!(buf, *message);
    });
}

#[test]
fn exhaustive_edits_of_every_range() {
    every_cut(|make, message| {
        for range in every_range(message.len()) {
            let (before, after) = (&message[..range.start], &message[range.end..]);

            let mut buf = make();
            assert_eq!(buf.remove(range.clone()), message[range.clone()]);
            assert_eq!(content(&buf), [before, after].concat());

            let mut buf = make();
            buf.replace(range.clone(), Bytes::from_static(b"new"));
            assert_eq!(content(&buf), [before, b"new", after].concat());

            let mut buf = make();
            buf.replace(range.clone(), Bytes::new());
            assert_eq!(content(&buf), [before, after].concat());

            let mut out = vec![0; range.len()];
            make().copy_range_to(range.clone(), &mut out);
            assert_eq!(out, message[range]);
        }
        for at in 0..=message.len() {
            let mut buf = make();
            buf.insert(at, Bytes::from_static(b"new"));
            assert_eq!(content(&buf), [&message[..at], b"new", &message[at..]].concat());
        }
    });
}

#[test]
fn exhaustive_joins_of_every_two() {
    every_cut(|make, message| {
        for cuts in (0..1 << 5).step_by(2) {
            for packed in ["", "p"] {
                let made = || {
                    let mut buf = cut(b"ABCDE", cuts);
                    buf.push_at_rest(Bytes::from_static(packed.as_bytes()));
                    buf
                };
                let theirs = content(&made());

                let (mut buf, mut other) = (make(), made());
                buf.append(&mut other);
                assert_eq!(content(&buf), [message, &theirs].concat());
                assert!(other.is_empty());

                let (mut buf, mut other) = (make(), made());
                buf.append_at_rest(&mut other);
                assert_eq!(content(&buf), [message, &theirs].concat());
                assert!(other.is_empty());

                let (mut buf, mut other) = (make(), made());
                buf.prepend_buf(&mut other);
                assert_eq!(content(&buf), [&theirs, message].concat());
                assert!(other.is_empty());
            }
        }
    });
}

#[test]
fn exhaustive_whole_operations() {
    every_cut(|make, message| {
        let mut buf = make();
        assert_eq!(buf.flatten(), message);
        assert_eq!(buf.segment_count(), 1);
        assert_eq!(buf.to_bytes(), *message);
        assert_eq!(buf, *message);

        let mut buf = make();
        let segments: Vec<Bytes> = buf.segments().cloned().collect();
        assert_eq!(segments.concat(), message);
        buf.compact();
        assert_eq!(buf.segment_count(), 1);
        assert_eq!(buf, *message);
        assert_eq!(buf.clone(), make());

        let mut buf = make();
        let popped: Vec<Bytes> = std::iter::from_fn(|| buf.pop_front()).collect();
        assert_eq!(popped.concat(), message);

        let mut buf = make();
        buf.prepend(Bytes::from_static(b"z"));
        assert_eq!(content(&buf), [b"z", message].concat());
        buf.clear();
        assert_eq!((buf.len(), buf.segment_count()), (0, 0));
    });
}

/// Every needle over two letters up to 6 bytes, in every cut of a text that holds many of them
/// nearly: restarts inside a partial match are where searches over borders go wrong.
#[test]
fn exhaustive_find_in_every_cut() {
    static TEXT: &[u8] = b"aabaaabab";
    for cuts in (0..1 << TEXT.len()).step_by(2) {
        let buf = cut(TEXT, cuts);
        for (len, bits) in (0..=6).flat_map(|len| (0..1_u32 << len).map(move |bits| (len, bits))) {
            let needle: Vec<u8> =
                (0..len).map(|i| if bits >> i & 1 == 0 { b'a' } else { b'b' }).collect();
            for from in 0..=TEXT.len() {
                let expected = (from..=TEXT.len()).find(|&i| TEXT[i..].starts_with(&needle));
                assert_eq!(buf.find(&needle, from), expected, "{needle:?} from {from}");
            }
        }
    }
}

#[test]
fn a_needle_straddles_many_segments() {
    let text: Vec<u8> = [b"a".repeat(300), b"b".to_vec(), b"a".repeat(300)].concat();
    for size in [1, 2, 3, 7, 64, 200] {
        let buf: BodyBuf = text.chunks(size).map(Bytes::copy_from_slice).collect();
        for (before, after) in [(0, 5), (5, 0), (63, 0), (0, 63), (100, 100), (300, 300)] {
            let needle = [b"a".repeat(before), b"b".to_vec(), b"a".repeat(after)].concat();
            assert_eq!(buf.find(&needle, 0), Some(300 - before), "{before}, {after} in {size}s");
            assert_eq!(buf.find(&needle, 301 - before), None);
        }
    }
}

#[test]
fn a_cursor_seeks_to_every_offset() {
    every_cut(|make, message| {
        let buf = make();
        for (a, b) in (0..=8).flat_map(|a| (0..=8).map(move |b| (a, b))) {
            let mut cursor = buf.cursor();
            cursor.seek(a);
            assert_eq!(cursor.peek_byte(), message.get(a).copied());
            cursor.seek(b);
            assert_eq!((cursor.position(), cursor.remaining()), (b, message.len() - b));
            let mut out = [0; 10];
            let n = cursor.read(&mut out);
            assert_eq!(out[..n], message[b..]);
            assert_eq!(cursor.read_byte(), None);
        }
    });
}

/// Zero copy is claimed for segments of [`PACK_BELOW_BYTES`] and more: their bytes lie where they
/// lay after every operation but flattening, also between small ones, at rest, and compacted.
#[test]
fn segments_of_512_bytes_are_never_copied() {
    let small = || Bytes::copy_from_slice(b"small");
    let large = |at: usize, len| Bytes::from_static(&BODY[at..at + len]);
    let make = || {
        let mut buf = BodyBuf::new();
        for part in [small(), large(0, 512), small(), large(512, 600), small(), small()] {
            buf.push(part);
        }
        buf
    };
    let lies = large_parts(&make());
    assert_eq!(lies, [BODY[..512].as_ptr_range(), BODY[512..1112].as_ptr_range()]);

    type Op = fn(&mut BodyBuf) -> BodyBuf;
    let ops: [(&str, Op); 12] = [
        ("append", |b| take_with(|to| to.append(b))),
        ("append_at_rest", |b| take_with(|to| assert!(to.append_at_rest(b) > 0))),
        ("append_at_rest twice", |b| {
            let mut once = take_with(|to| assert!(to.append_at_rest(b) > 0));
            take_with(|to| assert!(to.append_at_rest(&mut once) > 0))
        }),
        ("prepend_buf", |b| take_with(|to| to.prepend_buf(b))),
        ("move_to", |b| take_with(|to| b.move_to(to, b.len() - 1))),
        ("split_to", |b| b.split_to(b.len() - 1)),
        ("remove", |b| b.remove(1..b.len() - 1)),
        ("insert", |b| {
            b.insert(2, Bytes::from_static(b"x"));
            b.clone()
        }),
        ("replace", |b| {
            b.replace(0..3, Bytes::from_static(b"x"));
            b.clone()
        }),
        ("compact", |b| {
            b.compact();
            b.clone()
        }),
        ("pop and push at rest", |b| {
            take_with(|to| {
                while let Some(segment) = b.pop_front() {
                    to.push_at_rest(segment);
                }
            })
        }),
        ("segments", |b| b.segments().cloned().collect()),
    ];
    for (name, op) in ops {
        assert_eq!(large_parts(&op(&mut make())), lies, "{name}");
    }

    // Cuts keep the bytes in place too.
    for n in 1..=512 {
        let mut buf = BodyBuf::from(large(0, 1024));
        assert_eq!(buf.split_to(n).chunk().as_ptr_range(), BODY[..n].as_ptr_range(), "{n}");
        assert_eq!(large_parts(&buf), [BODY[n..1024].as_ptr_range()]);
    }
    let one = BodyBuf::from(large(0, 1024)).flatten().as_ptr_range();
    assert_eq!(one, BODY[..1024].as_ptr_range());
}

fn take_with(fill: impl FnOnce(&mut BodyBuf)) -> BodyBuf {
    let mut to = BodyBuf::new();
    fill(&mut to);
    to
}

#[test]
fn packing_copies_below_512_and_merges() {
    let mut buf = BodyBuf::new();
    assert_eq!(buf.push_at_rest(Bytes::from_static(&BODY[..PACK_BELOW_BYTES])), 0);
    assert_eq!(buf.push_at_rest(Bytes::from_static(&BODY[..PACK_BELOW_BYTES - 1])), 511);
    assert_eq!(buf.push_at_rest(Bytes::from_static(b"x")), 1);
    assert_eq!(buf.push_at_rest(Bytes::new()), 0);
    assert_eq!((buf.segment_count(), buf.copied_bytes()), (2, 512));
    let mut packed = 0;
    while packed < 3 * PACK_BLOCK_BYTES {
        packed += buf.push_at_rest(Bytes::from_static(&BODY[..100]));
    }
    assert_eq!(buf.segment_count(), 1 + 4, "a block each");
}

#[test]
fn packed_bytes_keep_their_place_when_others_are_pushed() {
    let mut buf = BodyBuf::new();
    for part in ["a", "b"] {
        buf.push_at_rest(Bytes::from_static(part.as_bytes()));
    }
    buf.push(Bytes::from_static(b"c"));
    buf.push_at_rest(Bytes::from_static(b"d"));
    buf.prepend(Bytes::from_static(b"_"));
    assert_eq!(buf, b"_abcd");
    assert_eq!(buf.segment_count(), 4, "_ ab c d");
}

#[test]
fn passing_copies_nothing_however_small() {
    let mut buf = BodyBuf::new();
    let mut other = BodyBuf::new();
    for i in 0..100 {
        buf.push(Bytes::from_static(&MESSAGE[i % 8..][..1]));
    }
    other.append(&mut buf);
    while let Some(segment) = other.pop_front() {
        assert!(MESSAGE.as_ptr_range().contains(&segment.as_ptr()));
        buf.push(segment);
    }
    assert_eq!(buf.copied_bytes() + other.copied_bytes(), 0);
}

#[test]
fn empty_segments_are_dropped_at_the_door() {
    let mut buf = BodyBuf::new();
    buf.push(Bytes::new());
    buf.prepend(Bytes::new());
    buf.insert(0, Bytes::new());
    buf.push_at_rest(Bytes::new());
    buf.append(&mut BodyBuf::new());
    buf.prepend_buf(&mut BodyBuf::new());
    assert_eq!((buf.len(), buf.segment_count(), buf.pop_front()), (0, 0, None));
    buf.push(Bytes::from_static(b"x"));
    buf.push(Bytes::new());
    assert_eq!(buf.segment_count(), 1);
}

#[test]
fn debug_shows_counts_and_no_body() {
    let buf = BodyBuf::from_iter(["secret", "token"].map(Bytes::from));
    let shown = format!("{buf:?} {:?} {:?}", buf.chunks(), buf.cursor());
    assert!(shown.starts_with("BodyBuf { len: 11, segments: 2, copied_bytes: 0, .. }"));
    assert!(!shown.contains("secret") && !shown.contains("token"));
}

#[test]
fn equality_is_of_bytes_not_of_cuts() {
    assert_eq!(cut(MESSAGE, 0b1010), cut(MESSAGE, 0b0110_0100));
    assert_ne!(cut(MESSAGE, 0), cut(&MESSAGE[1..], 0));
    assert_ne!(BodyBuf::from("ab"), BodyBuf::from("ac"));
    assert_eq!(BodyBuf::from(vec![1, 2]), [1, 2]);
}

#[test]
fn offsets_out_of_range_panic_and_say_so() {
    type Op = fn(&mut BodyBuf);
    let ops: [(&str, Op); 11] = [
        ("offset 4", |b| drop(b.split_to(4))),
        ("offset 4", |b| b.move_to(&mut BodyBuf::new(), 4)),
        ("offset 4", |b| b.advance(4)),
        ("offset 4", |b| b.insert(4, Bytes::from_static(b"x"))),
        ("offset 4", |b| assert_eq!(b.find(b"", 4), None)),
        ("offset 4", |b| b.cursor().seek(4)),
        ("offset 4", |b| drop(b.copy_to_bytes(4))),
        ("range 1..4", |b| drop(b.remove(1..4))),
        ("range 2..1", |b| b.replace(Range { start: 2, end: 1 }, Bytes::new())),
        ("range 1..4", |b| b.copy_range_to(1..4, &mut [0; 3])),
        ("destination", |b| b.copy_range_to(1..3, &mut [0; 3])),
    ];
    for (says, op) in ops {
        let panic = panic::catch_unwind(|| op(&mut BodyBuf::from("abc"))).unwrap_err();
        let message = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
        assert!(message.as_ref().is_some_and(|m| m.contains(says)), "{message:?}");
    }
}

/// I14: teardown is iterative, and joining long chains does not recurse.
#[test]
fn a_million_segments_on_a_small_stack() {
    let work = || {
        let long = || -> BodyBuf { (0..1_000_000).map(|_| Bytes::from_static(b"x")).collect() };
        let (mut a, mut b) = (long(), long());
        a.append(&mut b);
        assert_eq!((a.len(), b.len()), (2_000_000, 0));
        assert_eq!(a.find(b"xy", 0), None);
        assert_eq!(a.settle(), 2_000_000);
        drop(a);
        drop(long());
    };
    let thread = thread::Builder::new().stack_size(64 * 1024).spawn(work);
    thread.expect("a thread starts").join().expect("the work does not panic");
}

#[test]
fn a_buffer_is_told_from_other_bytes() {
    let (buf, other) = (cut(MESSAGE, 0b1000), *b"0123456789aX");
    assert!(buf == MESSAGE[..] && buf == MESSAGE && buf == *b"0123456789ab");
    let (slice, array) = (&other[..], &other);
    assert!(buf != other[..] && buf != slice && buf != other && buf != array);
    assert!(buf != MESSAGE[..11] && buf != cut(&BODY[..12], 0));
}

#[test]
fn a_buffer_is_read_as_other_crates_read() {
    let mut buf = cut(MESSAGE, 0b1000);
    let mut slices = [IoSlice::new(b""); 3];
    assert_eq!((Buf::remaining(&buf), buf.weight_bytes()), (12, 12));
    assert_eq!(buf.chunks_vectored(&mut slices), 2);
    assert_eq!((&*slices[0], &*slices[1]), (&MESSAGE[..3], &MESSAGE[3..]));
    assert_eq!(buf.chunks_vectored(&mut slices[..1]), 1);
    Buf::advance(&mut buf, 5);
    assert_eq!(buf, MESSAGE[5..]);
    assert_eq!(BodyBuf::from(MESSAGE), *MESSAGE);
}

#[test]
fn an_edit_of_nothing_cuts_nothing() {
    let mut buf = BodyBuf::from(MESSAGE);
    assert!(buf.remove(2..2).is_empty());
    buf.replace(2..2, Bytes::new());
    buf.insert(2, Bytes::new());
    assert_eq!((buf.segment_count(), content(&buf)), (1, MESSAGE.to_vec()));
}

#[test]
fn chunks_say_how_many_are_left() {
    every_cut(|make, message| {
        let buf = make();
        let mut chunks = buf.chunks();
        for left in (1..=buf.segment_count()).rev() {
            assert_eq!((chunks.len(), chunks.size_hint()), (left, (left, Some(left))));
            assert!(chunks.next().is_some());
        }
        assert_eq!((chunks.len(), chunks.next()), (0, None));
        let mut cursor = buf.cursor();
        for &byte in message {
            assert_eq!((cursor.peek_byte(), cursor.read_byte()), (Some(byte), Some(byte)));
        }
        assert_eq!((cursor.peek_byte(), cursor.read_byte()), (None, None));
    });
}
