//! Hides what follows `password=` on each line of standard input.
//!
//! ```sh
//! printf 'user=a\npassword=hunter2\n' | cargo run --example redact
//! ```
//!
//! The filter is an `async fn`; the chain around it is driven without any runtime.

use std::io::{Read, Write};

use bytes::Bytes;
use http::request;
use tidegate::async_filter::{Input, Output, async_filter};
use tidegate::{
    BodyBuf, Capabilities, Capability, Declaration, Error, MessageTraits, Output as Given, Plan,
};

/// Longer lines fail the message: what the filter keeps is bounded.
const MAX_LINE_BYTES: usize = 8 * 1024;

/// Lines may be cut anywhere, and the last one may have no end. Nothing is copied.
pub(crate) async fn redact(mut input: Input, mut output: Output) -> Result<(), Error> {
    let mut rest = BodyBuf::new();
    loop {
        let chunk = input.next().await?;
        let ended = chunk.is_none();
        rest.push(chunk.unwrap_or_default());
        while let Some(line_bytes) = line_bytes(&rest, ended)? {
            let mut line = rest.split_to(line_bytes);
            if let Some(at) = line.find(b"password=", 0) {
                let end = line.find(b"\n", at).unwrap_or(line.len());
                line.replace(at + 9..end, Bytes::from_static(b"***"));
            }
            output.send_all(line).await?;
        }
        if ended {
            return Ok(());
        }
    }
}

fn line_bytes(rest: &BodyBuf, ended: bool) -> Result<Option<usize>, Error> {
    match rest.find(b"\n", 0) {
        Some(at) if at < MAX_LINE_BYTES => Ok(Some(at + 1)),
        None if rest.len() < MAX_LINE_BYTES => {
            Ok(if ended && !rest.is_empty() { Some(rest.len()) } else { None })
        }
        _ => Err(Error::filter_failed("a line is too long")),
    }
}

/// The filter, as a plan has it.
pub(crate) fn plan() -> Result<Plan<request::Parts>, Box<dyn std::error::Error>> {
    let declaration = Declaration::new().require(Capability::ChangeLength);
    Ok(Plan::builder().filter("redact", async_filter(declaration, redact)).build()?)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut chain = plan()?.bind(Capabilities::ALL)?.chain(MessageTraits::new())?;
    chain.handle_head(http::Request::new(()).into_parts().0, false)?;
    let (mut stdin, mut stdout) = (std::io::stdin().lock(), std::io::stdout().lock());
    let mut block = [0; 4096];
    loop {
        while let Some(output) = chain.poll_output() {
            match output {
                Given::Data(data) => stdout.write_all(&data)?,
                Given::End => return Ok(stdout.flush()?),
                Given::Reset(error) => return Err(error.into()),
                Given::Head { .. }
                | Given::Informational(_)
                | Given::Trailers(_)
                | Given::Reply(_) => {}
            }
        }
        if chain.wants_input() {
            match stdin.read(&mut block)? {
                0 => chain.handle_end()?,
                bytes => chain.handle_data(Bytes::copy_from_slice(&block[..bytes]), false)?,
            }
        }
    }
}
