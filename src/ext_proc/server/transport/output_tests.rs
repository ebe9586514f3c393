use core::task::Waker;
use std::collections::VecDeque;

use bytes::Bytes;

use super::*;
use crate::ext_proc::wire::{ReplyBody, ReplyFrame};
use crate::limits::{MAX_LENT_SEGMENTS, MIN_LENT_BYTES};
use crate::unwind::drop_contained;

/// Takes up to so many bytes at once; waits when there is no number.
#[derive(Default)]
struct Socket {
    turns: VecDeque<Turn>,
    came: Vec<u8>,
    /// Where the slices lay.
    places: Vec<core::ops::Range<usize>>,
}

enum Turn {
    Take(usize),
    Wait,
    Fail,
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut room = match self.turns.pop_front() {
            Some(Turn::Wait) => return Poll::Pending,
            Some(Turn::Fail) => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            Some(Turn::Take(room)) => room,
            None => usize::MAX,
        };
        let before = self.came.len();
        for slice in slices {
            let n = slice.len().min(room);
            room -= n;
            self.came.extend_from_slice(&slice[..n]);
            let start = slice.as_ptr().addr();
            self.places.push(start..start + slice.len());
        }
        Poll::Ready(Ok(self.came.len() - before))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn output(turns: impl Into<VecDeque<Turn>>) -> Output<Socket> {
    let socket = Socket { turns: turns.into(), ..Socket::default() };
    Output::new(socket, Lent::default())
}

fn cx() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

fn segment(len: usize, seed: usize) -> Bytes {
    (0..len).map(|i| (seed + i % 251) as u8).collect()
}

fn lend(output: &Output<Socket>, segment: &Bytes) {
    let body = ReplyBody::from(segment.clone());
    output.lent.lend(&ReplyFrame::of_body(body));
}

fn write_all(output: &mut Output<Socket>, bytes: &[u8]) {
    let mut left = bytes;
    while !left.is_empty() {
        match output.write(&mut cx(), &[IoSlice::new(left)]) {
            Poll::Ready(Ok(n)) => left = &left[n..],
            Poll::Ready(Err(error)) => panic!("{error}"),
            // The next turn of the socket is another.
            Poll::Pending => {}
        }
    }
}

fn lies_in(place: &core::ops::Range<usize>, segment: &Bytes) -> bool {
    let start = segment.as_ptr().addr();
    place.start >= start && place.end <= start + segment.len()
}

/// As h2 writes: the head and a little of the payload from its own buffer, the rest in pieces of a
/// frame, with borders of segments in the middle of frames.
#[test]
fn what_was_lent_is_written_from_where_it_lies() {
    let (first, second) = (segment(20_000, 1), segment(9_000, 2));
    let mut output = output([]);
    lend(&output, &first);
    lend(&output, &second);
    for piece in [&b"head"[..], &first[..16_000], b"head", &first[16_000..], &second[..5_000]] {
        write_all(&mut output, piece);
    }
    write_all(&mut output, &second[5_000..]);
    assert!(output.drain(&mut cx()).is_ready());
    let all = [b"head", &first[..16_000], b"head", &first[16_000..], &second[..]].concat();
    assert!(output.socket.came == all);
    let is_lent = |place: &&_| lies_in(place, &first) || lies_in(place, &second);
    assert_eq!(output.socket.places.iter().filter(is_lent).count(), 4);
    drop(output);
    assert!(first.is_unique() && second.is_unique(), "nothing is kept");
}

#[test]
fn short_writes_and_waits_change_no_byte() {
    for step in [1, 7, 1_000, 4_096, 70_000] {
        let turns = (0..100_000).map(|n| if n % 3 == 0 { Turn::Wait } else { Turn::Take(step) });
        let mut output = output(turns.collect::<VecDeque<_>>());
        let mut all = Vec::new();
        for n in 0..if step < 1_000 { 4 } else { 40 } {
            let segment = segment(MIN_LENT_BYTES + n * 97, n);
            if n % 4 != 3 {
                lend(&output, &segment);
            }
            for piece in [&b"a head"[..], &segment] {
                write_all(&mut output, piece);
                all.extend_from_slice(piece);
            }
            let _ = output.drain(&mut cx());
        }
        while output.drain(&mut cx()).is_pending() {}
        assert!(output.socket.came == all, "{step} at once");
        assert_eq!((output.queue.len(), output.queue.copied_bytes()), (0, 0));
    }
}

#[test]
fn more_than_a_connection_keeps_is_copied() {
    let segments: Vec<Bytes> = (0..MAX_LENT_SEGMENTS + 10).map(|n| segment(3_000, n)).collect();
    let mut output = output([]);
    for segment in &segments {
        lend(&output, segment);
    }
    let kept = segments.iter().filter(|segment| !segment.is_unique()).count();
    assert_eq!(kept, MAX_LENT_SEGMENTS);
    for segment in &segments {
        write_all(&mut output, segment);
    }
    assert!(output.drain(&mut cx()).is_ready());
    assert!(output.socket.came == segments.concat());
}

#[test]
fn what_waits_to_be_written_is_bounded() {
    let mut output = output((0..100).map(|_| Turn::Wait).collect::<VecDeque<_>>());
    let segment = segment(100_000, 0);
    for _ in 0..10 {
        lend(&output, &segment);
    }
    let mut taken = 0;
    while let Poll::Ready(n) = output.write(&mut cx(), &[IoSlice::new(&segment)]) {
        taken += n.expect("no error");
    }
    assert_eq!((taken, output.queue.len()), (TRANSPORT_WRITE_BYTES, TRANSPORT_WRITE_BYTES));
}

#[test]
fn an_error_goes_to_the_next_who_writes_and_nothing_is_kept() {
    let segment = segment(50_000, 0);
    let mut output = output([Turn::Take(10_000), Turn::Fail]);
    lend(&output, &segment);
    write_all(&mut output, &segment);
    assert!(output.flush(&mut cx()), "the socket has failed");
    assert!(segment.is_unique(), "what cannot be written is gone");
    let error = match output.write(&mut cx(), &[IoSlice::new(b"more")]) {
        Poll::Ready(Err(error)) => error.kind(),
        _ => panic!("the error is told"),
    };
    assert_eq!(error, io::ErrorKind::BrokenPipe);
}

#[test]
fn segments_that_wait_go_with_the_connection() {
    let segment = segment(50_000, 0);
    let mut output = output([Turn::Wait]);
    lend(&output, &segment);
    write_all(&mut output, &segment);
    assert!(!output.flush(&mut cx()) && !segment.is_unique());
    drop(output);
    assert!(segment.is_unique());
}

/// A stale entry lies where nothing else can, and is never taken for something else.
#[test]
fn bytes_that_were_not_lent_are_copied() {
    let (lent, other) = (segment(4_000, 1), segment(4_000, 2));
    let mut output = output([]);
    lend(&output, &lent);
    write_all(&mut output, &other);
    write_all(&mut output, &lent[..600]);
    write_all(&mut output, &lent[700..]);
    // Before what has been written: nobody does so, and it is right all the same.
    write_all(&mut output, &lent[..700]);
    assert!(output.drain(&mut cx()).is_ready());
    assert!(output.socket.came == [&other[..], &lent[..600], &lent[700..], &lent[..700]].concat());
    assert!(output.socket.places.iter().all(|place| !lies_in(place, &other)));
}

/// A peer that reads as fast as is written, and never catches up.
#[test]
fn a_socket_that_always_leaves_something_does_not_keep_what_it_has_taken() {
    let mut output = output([]);
    let all = segment(64 * 1024, 0);
    let mut sent = Vec::new();
    for round in 0..100 {
        output.socket.turns = [Turn::Take(64 * 1024 - usize::from(round == 0)), Turn::Wait].into();
        write_all(&mut output, &all);
        sent.extend_from_slice(&all);
        assert!(!output.flush(&mut cx()), "no error");
        assert_eq!(output.queue.len(), 1, "one byte is left in round {round}");
        let kept = output.queue.copied_bytes();
        assert!(kept <= TRANSPORT_WRITE_BYTES + 2 * all.len(), "{kept} bytes in round {round}");
    }
    output.socket.turns.clear();
    assert!(!output.flush(&mut cx()), "no error");
    assert!(output.socket.came == sent, "all bytes, in order");
}

/// A frame of HTTP/2 ends where it likes, and h2 copies what is short: nobody asks for it here.
#[test]
fn a_short_rest_of_a_segment_does_not_keep_the_segment() {
    let all = segment(16_000, 1);
    let mut output = output([]);
    lend(&output, &all);
    write_all(&mut output, &all[..15_900]);
    write_all(&mut output, &all[15_900..]);
    assert!(!output.flush(&mut cx()), "no error");
    assert!(output.socket.came == all);
    assert!(lies_in(&output.socket.places[0], &all));
    assert!(all.is_unique(), "nothing is kept");
}

/// Memory of a user that goes wrong when it goes.
struct Owner(Vec<u8>);

impl AsRef<[u8]> for Owner {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        panic!("as told");
    }
}

#[test]
fn segments_whose_memory_panics_when_it_goes_end_nothing() {
    let owned = |seed| Bytes::from_owner(Owner(segment(3_000, seed).to_vec()));
    let mut output = output([]);
    // Displaced by others, written, left over, and given up.
    for seed in 0..=MAX_LENT_SEGMENTS {
        lend(&output, &owned(seed));
    }
    output.lent.clear();
    for turn in [Turn::Take(10_000), Turn::Fail] {
        let written = owned(7);
        lend(&output, &written);
        write_all(&mut output, &written);
        drop_contained(written);
        output.socket.turns = [turn].into();
        output.flush(&mut cx());
    }
    assert_eq!(output.queue.len(), 0);
}
