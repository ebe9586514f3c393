//! Asks an extension what it makes of a route: one GET, on a connection of its own.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// The longest time to connect, and then for each read and write.
const WAIT: Duration = Duration::from_millis(500);

/// The longest answer, in bytes: a status, some fields, a line.
const MOST_BYTES: u64 = 16 * 1024;

/// Why there is no answer that could be used.
#[derive(Debug)]
pub(crate) enum AskError {
    /// It is down, or does not speak HTTP.
    Down(io::Error),
    /// It does not want the route.
    Refused(String),
}

/// The line that the extension at `address` answers for the route `key`.
pub(crate) fn ask(address: SocketAddr, key: &str) -> Result<String, AskError> {
    let answer = exchange(address, key).map_err(AskError::Down)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).unwrap_or_default();
    let body = body.trim().to_owned();
    match status.as_bytes() {
        b"200" if head.starts_with("HTTP/1.1 ") => Ok(body),
        [b'4', _, _] => Err(AskError::Refused(format!("{status}: {body}"))),
        _ => Err(AskError::Down(io::Error::other(format!("it answered `{status}`")))),
    }
}

fn exchange(address: SocketAddr, key: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, WAIT)?;
    stream.set_read_timeout(Some(WAIT))?;
    stream.set_write_timeout(Some(WAIT))?;
    let request = format!(
        "GET /translate HTTP/1.1\r\nhost: {address}\r\nx-route: {key}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.take(MOST_BYTES).read_to_string(&mut answer)?;
    Ok(answer)
}
