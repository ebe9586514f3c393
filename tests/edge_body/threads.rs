//! Chains on a runtime with threads: resumed from anywhere, moved from thread to thread.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::request;
use http_body::{Body, Frame};
use tidegate::body::FilteredBody;
use tidegate::{Filter, Head, Plan, Verdict, View};

use crate::support::{chain, collect_async, request_head};

/// Holds every chunk, and is resumed by another task.
struct Elsewhere(u64);

impl<H: Head> Filter<H> for Elsewhere {
    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        let handle = view.resume_handle();
        self.0 += 1;
        match self.0 % 3 {
            0 => drop(tokio::spawn(async move { handle.resume() })),
            1 => drop(tokio::spawn(async move {
                tokio::task::yield_now().await;
                handle.resume();
            })),
            _ => drop(tokio::task::spawn_blocking(move || handle.resume())),
        }
        Verdict::HOLD.quiet()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filters_are_resumed_from_other_threads() {
    let plan = Plan::<request::Parts>::builder()
        .filter("a", || Elsewhere(0))
        .filter("b", || Elsewhere(1))
        .build()
        .unwrap();
    let done = Arc::new(AtomicU64::new(0));
    let mut tasks = Vec::new();
    for _ in 0..200 {
        let (chain, done) = (chain(&plan), Arc::clone(&done));
        tasks.push(tokio::spawn(async move {
            let (sender, receiver) = tokio::sync::mpsc::channel(1);
            tokio::spawn(async move {
                for k in 0..20_u8 {
                    let data = Bytes::from(vec![k; 100]);
                    if sender.send(data).await.is_err() {
                        break;
                    }
                }
            });
            let source = Chunks(receiver);
            let mut body = FilteredBody::new(chain, request_head(), source);
            let all = collect_async(&mut body).await;
            assert!(all.error.is_none(), "{:?}", all.error);
            let expected: Vec<u8> = (0..20).flat_map(|k| [k; 100]).collect();
            assert!(all.data == expected);
            done.fetch_add(1, SeqCst);
        }));
    }
    // A lost wakeup would otherwise hang the test.
    let limit = std::time::Duration::from_secs(60);
    for task in tasks {
        tokio::time::timeout(limit, task).await.expect("a wakeup was lost").unwrap();
    }
    assert_eq!(done.load(SeqCst), 200);
}

struct Chunks(tokio::sync::mpsc::Receiver<Bytes>);

impl Body for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(cx).map(|data| data.map(|data| Ok(Frame::data(data))))
    }
}
