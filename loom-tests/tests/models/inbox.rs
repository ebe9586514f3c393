//! Models of `inbox`: the task of a connection gives what came of a request, and whoever has the
//! body reads or drops it in another task.

use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use http::HeaderMap;
use tidegate_loom_tests::http2::{Inbox, InboxBody};
use tidegate_loom_tests::kit::{Fuse, Hook, Model, Payload, Task, panics, spawn};
use tidegate_loom_tests::models;

pub const MODELS: &[Model] = models!("inbox";
    racing_reader: 19 Exhaustive;
    racing_failure: 69 Exhaustive;
    racing_drop: 8 Exhaustive;
    drop_racing_failure: 14 Exhaustive;
    drop_of_what_was_read_in_part: 34 Exhaustive;
    reader_migrates: 4 Exhaustive;
    waker_looks_inline: 14 Exhaustive;
    panicking_drop: 4 Exhaustive;
    drop_racing_reuse: 9 Exhaustive;
);

const PIECES: [&[u8]; 2] = [b"ab", b"cde"];

/// The task of the connection: it looks only when the place was woken.
struct Connection {
    inbox: Inbox,
    place: Task,
    released_bytes: usize,
    has_seen_it_gone: bool,
}

/// The task that has the body: it polls once, and then only when it was woken.
struct Reader {
    body: InboxBody,
    task: Task,
    read: Vec<Bytes>,
    end: Option<End>,
}

#[derive(Debug, PartialEq, Eq)]
enum End {
    Whole,
    Failed,
}

fn stream() -> (Connection, Reader) {
    let place = Task::new();
    let (inbox, body) = Inbox::new(place.waker());
    let connection = Connection { inbox, place, released_bytes: 0, has_seen_it_gone: false };
    (connection, Reader { body, task: Task::new(), read: Vec::new(), end: None })
}

impl Connection {
    fn push(&mut self, piece: &'static [u8], ends: bool) {
        let waiting = self.inbox.push(Bytes::from_static(piece), ends);
        waiting.into_iter().for_each(|waker| waker.wake());
        self.look_if_woken();
    }

    /// As it ends a stream: it looks, and not again.
    fn fail(&mut self) {
        let waiting = self.inbox.fail();
        self.look();
        waiting.into_iter().for_each(|waker| waker.wake());
    }

    fn look(&mut self) {
        let looked = self.inbox.look();
        self.released_bytes += looked.read_bytes;
        self.has_seen_it_gone |= looked.is_gone;
    }

    fn look_if_woken(&mut self) {
        while self.place.take_woken() {
            self.look();
        }
    }
}

impl Reader {
    /// Until there is nothing.
    fn poll(&mut self) {
        while self.end.is_none() {
            match self.task.poll(|cx| self.body.poll(cx)) {
                Poll::Ready(Some(Ok(frame))) => self.read.extend(frame.into_data().ok()),
                Poll::Ready(Some(Err(_))) => self.end = Some(End::Failed),
                Poll::Ready(None) => self.end = Some(End::Whole),
                Poll::Pending => return,
            }
        }
    }

    fn poll_if_woken(&mut self) {
        while self.task.take_woken() {
            self.poll();
        }
    }
}

/// All of a body is read in its order, whenever it comes, and the connection hears of each byte.
fn racing_reader() {
    let (mut connection, mut reader) = stream();
    let payload = Arc::new(Payload::new());
    let other = spawn({
        let payload = Arc::clone(&payload);
        move || {
            reader.poll();
            reader.poll_if_woken();
            if reader.read.len() == PIECES.len() {
                assert_eq!(payload.read(), 7);
            }
            reader
        }
    });
    connection.push(PIECES[0], false);
    payload.write(7);
    connection.push(PIECES[1], true);
    let mut reader = other.join().unwrap();
    reader.poll_if_woken();
    assert_eq!(reader.end, Some(End::Whole), "the wake was lost");
    assert_eq!(reader.read, PIECES);
    connection.look_if_woken();
    assert_eq!(connection.released_bytes, 5);
}

/// A stream that fails is heard of, behind some of what came; and when it has failed, each byte has
/// been read or never will be.
fn racing_failure() {
    let (mut connection, mut reader) = stream();
    let other = spawn(move || {
        reader.poll();
        reader.poll_if_woken();
        reader
    });
    connection.push(PIECES[0], false);
    connection.push(PIECES[1], false);
    connection.fail();
    assert_eq!(connection.released_bytes, 5);
    let mut reader = other.join().unwrap();
    reader.poll_if_woken();
    assert_eq!(reader.end, Some(End::Failed), "the wake was lost");
    assert_eq!(reader.read, PIECES[..reader.read.len()]);
    connection.look_if_woken();
    assert_eq!(connection.released_bytes, 5);
}

/// A body is dropped while more of it comes: the connection hears that nobody reads, and of all
/// bytes, those too that come behind that.
fn racing_drop() {
    let (mut connection, reader) = stream();
    let other = spawn(move || drop(reader));
    for piece in PIECES {
        connection.push(piece, false);
    }
    other.join().unwrap();
    connection.look_if_woken();
    assert!(connection.has_seen_it_gone);
    assert_eq!(connection.released_bytes, 5);
    connection.push(PIECES[1], true);
    assert_eq!(connection.released_bytes, 8);
}

/// A body is dropped while its stream fails: one of the two drops what was not read.
fn drop_racing_failure() {
    let (mut connection, reader) = stream();
    connection.push(PIECES[0], false);
    let other = spawn(move || drop(reader));
    connection.push(PIECES[1], false);
    connection.fail();
    assert_eq!(connection.released_bytes, 5);
    other.join().unwrap();
    connection.look_if_woken();
    assert!(connection.has_seen_it_gone);
    assert_eq!(connection.released_bytes, 5);
}

/// A body that has been read in part, and whose reader waits or does not, is dropped: the reader's
/// waker goes with it.
fn drop_of_what_was_read_in_part() {
    let (mut connection, mut reader) = stream();
    let task = reader.task.clone();
    let other = spawn(move || {
        reader.poll();
        drop(reader);
    });
    for piece in PIECES {
        connection.push(piece, false);
    }
    other.join().unwrap();
    assert_eq!(task.wakers(), 0);
    connection.look_if_woken();
    assert!(connection.has_seen_it_gone);
    assert_eq!(connection.released_bytes, 5);
}

/// A body is dropped while the connection gives its inbox to the next stream as soon as it can:
/// nothing of the last one comes to that, and it is not left by who left the last.
fn drop_racing_reuse() {
    let (mut connection, reader) = stream();
    connection.push(PIECES[0], true);
    let last = reader.task.clone();
    let other = spawn(move || {
        let mut reader = reader;
        reader.poll();
        drop(reader);
    });
    // Its response is sent.
    connection.look();
    let mut other = Some(other);
    if !connection.has_seen_it_gone {
        other.take().unwrap().join().unwrap();
        connection.look_if_woken();
    }
    assert!(connection.has_seen_it_gone);
    assert_eq!(connection.released_bytes, 2);
    let next = connection.inbox.retired();
    assert!(next.is_some() || other.is_some(), "nobody has it");
    if let Some((inbox, body)) = next {
        assert_eq!(last.wakers(), 0);
        assert!(poll_with(&body, std::task::Waker::noop()).is_pending());
        assert!(inbox.push(Bytes::from_static(PIECES[1]), true).is_some());
        other.into_iter().for_each(|other| other.join().unwrap());
        let mut reader = Reader { body, task: Task::new(), read: Vec::new(), end: None };
        reader.poll();
        assert_eq!(
            (&reader.read[..], reader.end),
            (&[Bytes::from_static(PIECES[1])][..], Some(End::Whole))
        );
        let looked = inbox.look();
        assert_eq!((looked.read_bytes, looked.is_gone), (3, false));
    }
}

/// The body goes from one task to another: the one that polled last is woken, also for trailers.
fn reader_migrates() {
    let (connection, mut reader) = stream();
    reader.poll();
    reader.task = Task::new();
    let other = spawn(move || {
        let waiting = connection.inbox.end(HeaderMap::new());
        waiting.into_iter().for_each(|waker| waker.wake());
    });
    reader.poll();
    other.join().unwrap();
    assert!(reader.end.is_some() || reader.task.take_woken(), "the new task does not hear of it");
    reader.poll();
    assert_eq!(reader.end, Some(End::Whole));
}

/// A reader's waker that asks the inbox when it is woken and when it is dropped: nothing is locked
/// then.
fn waker_looks_inline() {
    let (connection, reader) = stream();
    let inbox = Arc::new(connection.inbox);
    let hook = Hook::new({
        let inbox = Arc::clone(&inbox);
        move || {
            inbox.look();
        }
    });
    assert!(hook.poll(|cx| reader.body.poll(cx)).is_pending());
    let other = spawn(move || {
        let waiting = inbox.push(Bytes::from_static(PIECES[0]), true);
        waiting.into_iter().for_each(|waker| waker.wake());
    });
    let mut reader = reader;
    reader.poll();
    other.join().unwrap();
    reader.poll_if_woken();
    assert_eq!((reader.read, reader.end), (vec![Bytes::from_static(PIECES[0])], Some(End::Whole)));
}

/// A reader's waker that panics when it is dropped: the connection hears that the body is gone.
fn panicking_drop() {
    let (mut connection, reader) = stream();
    assert!(Fuse::Drop.lend(|waker| poll_with(&reader.body, waker)).is_pending());
    let other = spawn(move || assert!(!panics(|| drop(reader))));
    // Whoever takes the waker drops it.
    let waiting = connection.inbox.push(Bytes::from_static(PIECES[0]), false);
    let _ = panics(|| waiting.into_iter().for_each(|waker| waker.wake()));
    other.join().unwrap();
    connection.look_if_woken();
    assert!(connection.has_seen_it_gone);
    assert_eq!(connection.released_bytes, 2);
}

fn poll_with(body: &InboxBody, waker: &std::task::Waker) -> Poll<()> {
    body.poll(&std::task::Context::from_waker(waker)).map(drop)
}
