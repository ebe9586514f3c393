//! Filters of the model that are async functions: each asks somebody, and waits for the answer.

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use tidegate::async_filter::{Input, Output};
use tidegate::{Declaration, Error, ErrorKind, LocalReply, Marks, Origin};

use super::filter::{Kind, World};

type Work = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// Makes filters of `kind`, which [is one](Kind::is_future).
pub(crate) fn future(
    kind: Kind,
    marks: Marks,
    world: &Arc<World>,
) -> (Declaration, impl Fn(Input, Output) -> Work + Send + Sync + use<>) {
    let world = Arc::clone(world);
    let declaration = Declaration::new().marks(marks);
    let declaration = kind.needs().iter().fold(declaration, |all, each| all.require(*each));
    let make = move |input: Input, output: Output| -> Work {
        Box::pin(work(kind, Arc::clone(&world), input, output))
    };
    (declaration, make)
}

async fn work(
    kind: Kind,
    world: Arc<World>,
    mut input: Input,
    mut output: Output,
) -> Result<(), Error> {
    match kind {
        Kind::AskHead => {
            world.ask().await;
            let marked = |fields: &mut http::HeaderMap| {
                fields.insert("x-mark", HeaderValue::from_static("1"));
            };
            return input.headers(marked);
        }
        Kind::AskReply(chunks) => {
            for _ in 0..chunks {
                let Some(chunk) = input.next().await? else { return Ok(()) };
                output.send(chunk).await?;
            }
            world.ask().await;
            return output.reply(LocalReply::text(StatusCode::FORBIDDEN, "no"));
        }
        Kind::AskFail => {
            let _ = input.next().await?;
            world.ask().await;
            return Err(Error::new(ErrorKind::Filter, Origin::Filter));
        }
        Kind::AskGather => {
            let mut all = Vec::new();
            while let Some(chunk) = input.next().await? {
                all.extend_from_slice(&chunk);
            }
            world.ask().await;
            return output.send(all).await;
        }
        _ => {}
    }
    let mut bytes = 0;
    while let Some(mut chunk) = input.next().await? {
        if kind == Kind::AskWrap && bytes == 0 {
            output.send(Bytes::from_static(b"<")).await?;
        }
        bytes += chunk.len();
        world.ask().await;
        match kind {
            Kind::AskCutAt(at) if bytes >= at => {
                chunk.truncate(chunk.len() - (bytes - at));
                output.send(chunk).await?;
                return output.end();
            }
            Kind::AskUpper => chunk = chunk.to_ascii_uppercase().into(),
            _ => {}
        }
        output.send(chunk).await?;
    }
    if kind == Kind::AskWrap && bytes > 0 {
        world.ask().await;
        output.send(Bytes::from_static(b">")).await?;
    }
    Ok(())
}
