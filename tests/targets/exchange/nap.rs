//! The async filter of the target.

use std::future::poll_fn;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use http::StatusCode;
use tidegate::async_filter::{Input, Output};
use tidegate::{Error, LocalReply};

use crate::kit::executor::yield_now;

use super::case::Answer;
use super::marks::{ADDED, REPLIED};
use super::world::{FilterId, World};

/// Counts the future while it lives.
struct Alive(Arc<World>);

impl Alive {
    fn new(world: &Arc<World>, id: FilterId) -> Self {
        let mut state = world.lock();
        state.alive += 1;
        let record = &mut state.records[id];
        record.started += 1;
        record.is_async = true;
        // What it does not take goes by.
        record.passes_by = true;
        drop(state);
        Self(Arc::clone(world))
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.lock().alive -= 1;
    }
}

/// Waits until the third task wakes it.
async fn nap(world: &World) {
    let mut slept = false;
    poll_fn(|cx| {
        if core::mem::replace(&mut slept, true) {
            return Poll::Ready(());
        }
        world.add_nap(cx.waker().clone());
        Poll::Pending
    })
    .await;
}

/// Sends what it takes, and does a step of its program before each piece.
pub(crate) async fn napping(
    world: Arc<World>,
    id: FilterId,
    mut input: Input,
    mut output: Output,
) -> Result<(), Error> {
    let _alive = Alive::new(&world, id);
    let program = world.lock().programs[id].clone();
    let mut steps = program.steps.into_iter();
    loop {
        match steps.next().map(|step| step.answer) {
            Some(Answer::Hold | Answer::First(_)) => nap(&world).await,
            Some(Answer::HoldAlone) => yield_now().await,
            Some(Answer::End) => {
                world.record(id, |record| record.ended = true);
                return output.end();
            }
            Some(Answer::Reply) => {
                world.record(id, |record| record.replied = true);
                let body = Bytes::from_static(&[REPLIED; 3]);
                return output.reply(LocalReply::text(StatusCode::FORBIDDEN, body));
            }
            Some(Answer::Fail) => return Err(Error::filter_failed("on purpose")),
            Some(Answer::Panic) => {
                world.record(id, |record| record.panicked = true);
                resume_unwind(Box::new("on purpose"));
            }
            Some(Answer::Pass) | None => {}
        }
        let chunk = input.next().await?;
        let of_reply = input.is_local_reply()?;
        let new = chunk.as_deref().unwrap_or_default();
        let is_of_message = world.record(id, |record| {
            record.let_go.extend_from_slice(new);
            record.show(new, of_reply)
        });
        if !is_of_message {
            world.broken(|| format!("filter {id} sees bytes that a reply has replaced"));
        }
        let Some(chunk) = chunk else { break };
        output.send(chunk).await?;
    }
    if program.suffix_bytes > 0 {
        let suffix = vec![ADDED; usize::from(program.suffix_bytes)];
        world.record(id, |record| record.let_go.extend_from_slice(&suffix));
        output.send(Bytes::from(suffix)).await?;
    }
    Ok(())
}
