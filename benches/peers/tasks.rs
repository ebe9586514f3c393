//! A task and a channel a filter.

use std::hint::black_box;

use bytes::Bytes;
use http::HeaderMap;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::rows::{Message, Script, Source};

/// What one does without async filters: a task a filter, each behind a channel, on one thread.
pub(crate) struct Tasks {
    runtime: Runtime,
    first: Sender<Item>,
    last: Receiver<Item>,
    source: Source,
}

impl Tasks {
    pub(crate) fn new(filters: usize, room: usize, source: Source) -> Self {
        let runtime = Builder::new_current_thread().build().expect("a runtime");
        let (first, mut last) = channel::<Item>(room);
        for _ in 0..filters {
            let (sender, receiver) = channel(room);
            let mut input = std::mem::replace(&mut last, receiver);
            runtime.spawn(async move {
                while let Some(chunk) = input.recv().await {
                    if sender.send(chunk).await.is_err() {
                        return;
                    }
                }
            });
        }
        Self { runtime, first, last, source }
    }

    pub(crate) fn run(&mut self, chunks: u64) {
        let Self { runtime, first, last, source } = self;
        let feed = async {
            for _ in 0..chunks {
                first.send(Item::Data(black_box(source.next()))).await.expect("the tasks live on");
            }
        };
        let drain = async {
            let mut out_bytes = 0;
            for _ in 0..chunks {
                let Some(Item::Data(chunk)) = black_box(last.recv().await) else {
                    panic!("the tasks live on")
                };
                out_bytes += chunk.len() as u64;
            }
            out_bytes
        };
        let ((), out_bytes) = runtime.block_on(async { tokio::join!(feed, drain) });
        assert_eq!(out_bytes, chunks * source.chunk_bytes() as u64);
    }

    /// Carries a message with an end.
    pub(crate) fn whole(self, script: Script) -> Message {
        let Self { runtime, first, mut last, .. } = self;
        runtime.block_on(async move {
            let feed = async move {
                for chunk in script.chunks {
                    first.send(Item::Data(chunk)).await.expect("the tasks live on");
                }
                let trailers = Item::Trailers(Box::new(script.trailers));
                first.send(trailers).await.expect("the tasks live on");
            };
            let drain = async move {
                let mut message = Message::default();
                while let Some(item) = last.recv().await {
                    match item {
                        Item::Data(chunk) => message.data(&chunk),
                        Item::Trailers(trailers) => message.end(*trailers),
                    }
                }
                message
            };
            tokio::join!(feed, drain).1
        })
    }
}

/// What goes from task to task.
enum Item {
    Data(Bytes),
    /// Boxed, so that an item is no larger than `Bytes`.
    Trailers(Box<HeaderMap>),
}
