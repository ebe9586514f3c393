//! What people use today to put layers around a body.

pub(crate) mod layers;

use std::convert::Infallible;
use std::hint::black_box;

use bytes::Bytes;
use http_body::Frame;
use http_body_util::Channel;
use http_body_util::channel::Sender;
use http_body_util::combinators::UnsyncBoxBody;

use crate::rows::{Endless, Message, Script, Scripted, Source, take, whole};
use crate::{Way, turn};
use layers::{boxed, nested};

/// Room of a channel, in frames.
const ROOM: usize = 16;

/// All peers.
pub(crate) const WAYS: &[Way] = &[
    Way {
        name: "http_body_util_static",
        note: "http-body-util's `map_frame`, a type a layer: filters known when the program is \
               built. No holding, no limits, no back-pressure of its own",
        endless: |filters, source| {
            let bytes = source.chunk_bytes();
            nested!(filters, Endless(source), |body| turn(bytes, body))
        },
        whole: |filters, script| nested!(filters, Scripted::new(script), whole),
    },
    Way {
        name: "http_body_util_boxed",
        note: "the same with each layer boxed: filters chosen at run time",
        endless: |filters, source| turn(source.chunk_bytes(), boxed(filters, Endless(source))),
        whole: |filters, script| whole(boxed(filters, Scripted::new(script))),
    },
    Way {
        name: "http_body_util_channel_boxed",
        note: "the boxed layers behind a `Channel` with room for 16 frames, the way to \
               back-pressure; filled and emptied 16 at a time, which no task switch interrupts",
        endless: |filters, source| {
            let mut channelled = Channelled::new(filters);
            Box::new(move |chunks| channelled.run(&source, chunks))
        },
        whole: |filters, script| Channelled::new(filters).whole(script),
    },
];

/// Boxed layers behind a channel.
struct Channelled {
    sender: Sender<Bytes, Infallible>,
    body: UnsyncBoxBody<Bytes, Infallible>,
}

impl Channelled {
    fn new(layers: usize) -> Self {
        let (sender, channel) = Channel::new(ROOM);
        Self { sender, body: boxed(layers, channel) }
    }

    /// Carries `chunks` chunks, a multiple of the room.
    fn run(&mut self, source: &Source, chunks: u64) {
        for _ in 0..chunks / ROOM as u64 {
            for _ in 0..ROOM {
                self.send(Frame::data(black_box(source.next())));
            }
            take(&mut self.body, ROOM as u64, source.chunk_bytes());
        }
    }

    /// Carries a message that the room is enough for.
    fn whole(mut self, script: Script) -> Message {
        script.chunks.into_iter().for_each(|chunk| self.send(Frame::data(chunk)));
        self.send(Frame::trailers(script.trailers));
        drop(self.sender);
        whole(self.body)
    }

    fn send(&mut self, frame: Frame<Bytes>) {
        assert!(self.sender.try_send(frame).is_ok(), "there is room for 16");
    }
}
