//! HTTP/1.1 by hand.

use super::{End, Role, Seen};

pub(super) fn head(role: Role) -> Vec<u8> {
    let text = match role {
        Role::Client => {
            "POST /it HTTP/1.1\r\nhost: origin\r\nte: trailers\r\nconnection: te\r\n\
             transfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n"
        }
        Role::Origin => "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n",
    };
    text.as_bytes().to_vec()
}

/// The head of an upload of declared length.
pub(super) fn head_declaring(bytes: usize) -> Vec<u8> {
    format!("POST /it HTTP/1.1\r\nhost: origin\r\ncontent-length: {bytes}\r\n\r\n").into_bytes()
}

/// The end of a chunked body with so many trailers.
pub(super) fn many_trailers(count: usize, bytes: usize) -> Vec<u8> {
    let value = "v".repeat(bytes);
    let fields: String = (0..count).map(|n| format!("x-{n}: {value}\r\n")).collect();
    format!("0\r\n{fields}\r\n").into_bytes()
}

pub(super) fn data(bytes: &[u8]) -> Vec<u8> {
    let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
    chunk.extend_from_slice(bytes);
    chunk.extend_from_slice(b"\r\n");
    chunk
}

/// What comes next.
enum Next {
    Head,
    Size,
    /// So many bytes of a chunk, and the line end behind it.
    Chunk(usize),
    Trailers,
    /// So many bytes of a body of known length.
    Length(usize),
    /// All that comes, until the connection ends.
    Rest,
    Nothing,
}

/// Reads one message.
pub(super) struct Reader {
    role: Role,
    next: Next,
}

impl Reader {
    pub(super) fn new(role: Role) -> Self {
        Self { role, next: Next::Head }
    }

    pub(super) fn ends_with_connection(&self) -> bool {
        matches!(self.next, Next::Rest)
    }

    /// Takes what it can from `came`.
    pub(super) fn read(&mut self, came: &mut Vec<u8>, seen: &mut Seen) {
        while self.step(came, seen) {}
        if matches!(self.next, Next::Nothing) {
            seen.end = End::Whole;
        }
    }

    fn step(&mut self, came: &mut Vec<u8>, seen: &mut Seen) -> bool {
        match self.next {
            Next::Nothing => false,
            Next::Head => {
                let Some(head) = take_until(came, b"\r\n\r\n") else { return false };
                self.head(&head, seen);
                true
            }
            Next::Size => {
                let Some(line) = take_until(came, b"\r\n") else { return false };
                let size = usize::from_str_radix(line.trim(), 16).expect("the size of a chunk");
                self.next = if size == 0 { Next::Trailers } else { Next::Chunk(size) };
                true
            }
            Next::Chunk(left) => {
                if came.is_empty() || left == 0 && came.len() < 2 {
                    return false;
                }
                if left == 0 {
                    assert_eq!(came.drain(..2).collect::<Vec<_>>(), b"\r\n", "behind a chunk");
                    self.next = Next::Size;
                    return true;
                }
                let n = left.min(came.len());
                seen.body.extend(came.drain(..n));
                self.next = Next::Chunk(left - n);
                true
            }
            Next::Trailers => {
                let Some(line) = take_until(came, b"\r\n") else { return false };
                if line.is_empty() {
                    self.next = Next::Nothing;
                }
                seen.trailers.extend_from_slice(line.as_bytes());
                true
            }
            Next::Length(left) => {
                let n = left.min(came.len());
                seen.body.extend(came.drain(..n));
                self.next = if left == n { Next::Nothing } else { Next::Length(left - n) };
                n > 0 || left == 0
            }
            Next::Rest => {
                seen.body.append(came);
                false
            }
        }
    }

    fn head(&mut self, head: &str, seen: &mut Seen) {
        let head = head.to_ascii_lowercase();
        if self.role == Role::Client {
            let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
            let status: u16 = status.expect("a status");
            if status < 200 {
                return;
            }
            seen.status = status;
        }
        seen.head = true;
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
        self.next = if head.contains("transfer-encoding: chunked") {
            Next::Size
        } else if let Some(length) = length {
            Next::Length(length.trim().parse().expect("a length"))
        } else if self.role == Role::Client {
            Next::Rest
        } else {
            Next::Nothing
        };
    }
}

/// What stands before `end`, which goes with it.
fn take_until(came: &mut Vec<u8>, end: &[u8]) -> Option<String> {
    let at = came.windows(end.len()).position(|window| window == end)?;
    let mut taken: Vec<u8> = came.drain(..at + end.len()).collect();
    taken.truncate(at);
    Some(String::from_utf8(taken).expect("text"))
}
