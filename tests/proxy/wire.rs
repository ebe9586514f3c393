//! HTTP/1.1 by hand, on either end: what is sent is exactly what the case says.

use std::{future::Future, io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

use super::rig::listen;

/// A message as it came.
#[derive(Debug, Clone, Default)]
pub(super) struct Message {
    pub(super) head: String,
    pub(super) body: Vec<u8>,
    pub(super) trailers: String,
    /// Nothing is missing, by the message's own framing.
    pub(super) complete: bool,
}

impl Message {
    /// The status code of a response.
    pub(super) fn status(&self) -> u16 {
        self.head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0)
    }

    /// Whether the head has this line.
    pub(super) fn has(&self, line: &str) -> bool {
        self.head.lines().any(|other| other.eq_ignore_ascii_case(line))
    }

    /// Whether the head has a field of this name.
    pub(super) fn names(&self, name: &str) -> bool {
        self.field(name).is_some()
    }

    /// The value of a field.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (field, value) = line.split_once(':')?;
            field.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    /// The body as text.
    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// One end of a connection.
#[derive(Debug)]
pub(super) struct Wire {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Wire {
    /// Connects.
    pub(super) async fn to(addr: SocketAddr) -> Self {
        Self::on(TcpStream::connect(addr).await.unwrap())
    }

    fn on(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        Self { stream, read: Vec::new() }
    }

    /// Sends bytes.
    pub(super) async fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref()).await
    }

    /// Sends as many of these bytes as the other side takes before it pauses for so long.
    pub(super) async fn send_until_stuck(&mut self, bytes: &[u8], pause: Duration) -> usize {
        let mut sent = 0;
        while sent < bytes.len() {
            let write = self.stream.write(&bytes[sent..]);
            match tokio::time::timeout(pause, write).await {
                Ok(Ok(n)) => sent += n,
                Ok(Err(_)) | Err(_) => break,
            }
        }
        sent
    }

    /// Says that nothing more will be sent.
    pub(super) async fn finish(&mut self) {
        self.stream.shutdown().await.unwrap();
    }

    /// Closes with a reset, as a crashed peer does.
    pub(super) fn reset(self) {
        self.stream.set_zero_linger().unwrap();
    }

    /// Reads more; false at the end, however it comes.
    async fn more(&mut self) -> bool {
        matches!(self.stream.read_buf(&mut self.read).await, Ok(1..))
    }

    /// Reads until the other side closes or resets; what came.
    pub(super) async fn rest(&mut self) -> Vec<u8> {
        while self.more().await {}
        std::mem::take(&mut self.read)
    }

    /// Reads up to and with an empty line; what there is, if the connection ends before.
    pub(super) async fn head(&mut self) -> String {
        loop {
            if let Some(at) = self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = self.read.drain(..at + 4).collect::<Vec<_>>();
                return String::from_utf8_lossy(&head).into_owned();
            }
            if !self.more().await {
                return String::from_utf8_lossy(&std::mem::take(&mut self.read)).into_owned();
            }
        }
    }

    /// Reads a line, without its end.
    async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(at) = self.read.windows(2).position(|two| two == b"\r\n") {
                let line = self.read.drain(..at + 2).collect::<Vec<_>>();
                return Some(String::from_utf8_lossy(&line[..at]).into_owned());
            }
            if !self.more().await {
                return None;
            }
        }
    }

    /// Moves so many bytes to `to`; false if fewer came.
    async fn take(&mut self, bytes: usize, to: &mut Vec<u8>) -> bool {
        while self.read.len() < bytes {
            if !self.more().await {
                to.append(&mut self.read);
                return false;
            }
        }
        to.extend(self.read.drain(..bytes));
        true
    }

    /// Reads a message. Interim responses are skipped.
    pub(super) async fn message(&mut self) -> Message {
        let mut head = self.head().await;
        while head.starts_with("HTTP/1.1 1") {
            head = self.head().await;
        }
        self.body(head).await
    }

    /// Reads the rest of a message with this head.
    pub(super) async fn body(&mut self, head: String) -> Message {
        let mut message = Message { head, ..Message::default() };
        let length = message.field("content-length").and_then(|length| length.parse().ok());
        let without = matches!(message.status(), 204 | 304);
        message.complete = if !message.head.ends_with("\r\n\r\n") {
            false
        } else if message.field("transfer-encoding").is_some_and(|it| it.ends_with("chunked")) {
            self.chunks(&mut message).await.is_some()
        } else if let Some(length) = length.filter(|_| !without) {
            self.take(length, &mut message.body).await
        } else if message.head.starts_with("HTTP/") && !without {
            // Delimited by the end of the connection: a reset is told apart by nobody else.
            while self.more().await {}
            message.body = std::mem::take(&mut self.read);
            true
        } else {
            true
        };
        message
    }

    /// Reads chunks and trailers; `None` if they are cut off or malformed.
    async fn chunks(&mut self, message: &mut Message) -> Option<()> {
        loop {
            let size = usize::from_str_radix(self.line().await?.trim(), 16).ok()?;
            if size == 0 {
                break;
            }
            if !self.take(size, &mut message.body).await || !self.line().await?.is_empty() {
                return None;
            }
        }
        loop {
            let line = self.line().await?;
            if line.is_empty() {
                return Some(());
            }
            message.trailers.push_str(&line.to_ascii_lowercase());
            message.trailers.push('\n');
        }
    }
}

/// Sends a request and reads what is answered.
pub(super) async fn ask(to: SocketAddr, request: impl AsRef<[u8]>) -> Message {
    let mut wire = Wire::to(to).await;
    // A proxy that refuses may close before it has read all.
    let _ = wire.send(request).await;
    wire.message().await
}

/// A body in chunks, without its end.
pub(super) fn chunked(pieces: &[&[u8]]) -> Vec<u8> {
    let mut text = Vec::new();
    for piece in pieces {
        text.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        text.extend_from_slice(piece);
        text.extend_from_slice(b"\r\n");
    }
    text
}

/// An origin that does with each connection what the case says. Its tasks end with it.
pub(super) struct RawOrigin {
    pub(super) addr: SocketAddr,
    task: tokio::task::JoinHandle<()>,
}

impl RawOrigin {
    /// Starts it.
    pub(super) async fn start<F>(serve: impl Fn(Wire) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (listener, addr) = listen().await;
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                connections.spawn(serve(Wire::on(stream)));
                while connections.try_join_next().is_some_and(|done| done.is_ok()) {}
            }
        });
        Self { addr, task }
    }
}

impl Drop for RawOrigin {
    fn drop(&mut self) {
        self.task.abort();
    }
}
