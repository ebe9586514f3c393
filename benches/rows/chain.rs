//! The rows of the chain benchmarks: what is measured, shared by the timing and the counting
//! binary, so that both measure the same code.
//!
//! A row imitates one thing a proxy does with a chunk. Every row counts the bytes that come out,
//! and panics if they are not those that went in; what it makes of a whole message is compared
//! before.
#![allow(dead_code, unused_imports, reason = "each binary uses its part")]

#[path = "source.rs"]
mod source;

use std::hint::black_box;

use bytes::Bytes;
use http::request;
use tidegate::async_filter::{self, async_filter};
use tidegate::{
    Capabilities, Chain, Declaration, Error, Filter, Head, Interest, MessageTraits, Output, Plan,
    Verdict, View,
};

pub(crate) use source::{CHUNK_BYTES, Message, SIZES, SOURCES, Script, Source};

/// The floor: what is left when everything that can be left out is left out. A virtual call per
/// filter on the chunk where it lies; no holding, no end, no trailers, no limits. Unfair to the
/// chain on purpose.
pub(crate) struct Floor {
    hooks: Vec<Box<dyn Hook>>,
    source: Source,
}

trait Hook {
    fn data(&mut self, chunk: &mut Bytes);
    fn seen_bytes(&self) -> u64;
}

struct Count(u64);

impl Hook for Count {
    #[inline(never)]
    fn data(&mut self, chunk: &mut Bytes) {
        self.0 += chunk.len() as u64;
    }

    fn seen_bytes(&self) -> u64 {
        self.0
    }
}

impl Floor {
    /// A floor with `hooks` calls per chunk.
    pub(crate) fn new(hooks: usize, source: Source) -> Self {
        let hooks = (0..hooks).map(|_| Box::new(Count(0)) as Box<dyn Hook>).collect();
        Self { hooks, source }
    }

    /// Carries `chunks` chunks.
    pub(crate) fn run(&mut self, chunks: u64) {
        let mut out_bytes = 0;
        for _ in 0..chunks {
            let mut chunk = black_box(self.source.next());
            for hook in &mut self.hooks {
                hook.data(&mut chunk);
            }
            out_bytes += black_box(chunk).len() as u64;
        }
        assert_eq!(out_bytes, chunks * self.source.chunk_bytes() as u64);
        black_box(self.hooks.iter().map(|hook| hook.seen_bytes()).sum::<u64>());
    }

    /// Carries a message with an end. The trailers pass by.
    pub(crate) fn whole(hooks: usize, script: Script) -> Message {
        let mut floor = Self::new(hooks, Source::Static);
        let mut message = Message::default();
        for mut chunk in script.chunks {
            floor.hooks.iter_mut().for_each(|hook| hook.data(&mut chunk));
            message.data(&chunk);
        }
        message.end(script.trailers);
        message
    }
}

/// The floor of floors: hooks that are known when the program is built, merged into one loop by the
/// compiler. Nothing that is chosen at run time can have it.
pub(crate) struct Merged<const N: usize> {
    hooks: [u64; N],
    source: Source,
}

impl<const N: usize> Merged<N> {
    /// A floor with `N` hooks.
    pub(crate) fn new(source: Source) -> Self {
        Self { hooks: [0; N], source }
    }

    /// Carries `chunks` chunks.
    pub(crate) fn run(&mut self, chunks: u64) {
        let mut out_bytes = 0;
        for _ in 0..chunks {
            let mut chunk = black_box(self.source.next());
            self.hook(&mut chunk);
            out_bytes += black_box(chunk).len() as u64;
        }
        assert_eq!(out_bytes, chunks * self.source.chunk_bytes() as u64);
    }

    #[inline]
    fn hook(&mut self, chunk: &mut Bytes) {
        self.hooks.iter_mut().for_each(|seen_bytes| *seen_bytes += chunk.len() as u64);
        black_box(&mut self.hooks);
    }

    /// Carries a message with an end. The trailers pass by.
    pub(crate) fn whole(script: Script) -> Message {
        let mut floor = Self::new(Source::Static);
        let mut message = Message::default();
        for mut chunk in script.chunks {
            floor.hook(&mut chunk);
            message.data(&chunk);
        }
        message.end(script.trailers);
        message
    }
}

/// A filter that counts and passes.
struct Pass {
    interest: Interest,
    seen_bytes: u64,
}

impl<H: Head> Filter<H> for Pass {
    fn declare(&self) -> Declaration {
        Declaration::new().interest(self.interest)
    }

    #[inline(never)]
    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.seen_bytes += view.new_bytes() as u64;
        Verdict::PASS
    }
}

/// A filter that holds every chunk until it is resumed.
struct Hold;

impl<H: Head> Filter<H> for Hold {
    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        black_box(view.new_bytes());
        Verdict::HOLD
    }
}

/// Takes each chunk and sends it.
async fn copy(
    mut input: async_filter::Input,
    mut output: async_filter::Output,
) -> Result<(), Error> {
    while let Some(chunk) = input.next().await? {
        output.send(chunk).await?;
    }
    Ok(())
}

/// A chain of one message that never ends, and what is done with a chunk.
pub(crate) struct Carry {
    chain: Chain<request::Parts>,
    source: Source,
    /// The station that is resumed after every `batch` chunks, if any.
    resume: Option<usize>,
    batch: u64,
}

impl Carry {
    /// `filters` filters that count and pass. Imitates a chain of loggers and meters.
    pub(crate) fn passing(filters: usize, source: Source) -> Self {
        Self::new(vec![Kind::Pass(Interest::ALL); filters], source, None, 1)
    }

    /// `filters` async filters that take each chunk and send it. Imitates body filters written as
    /// `async fn`.
    pub(crate) fn asynchronous(filters: usize, source: Source) -> Self {
        Self::new(vec![Kind::Async; filters], source, None, 1)
    }

    /// `filters` filters that look at heads only. Imitates routing and header filters.
    pub(crate) fn uninterested(filters: usize, source: Source) -> Self {
        Self::new(vec![Kind::Pass(Interest::HEAD); filters], source, None, 1)
    }

    /// One filter among `passing` passing ones holds `batch` chunks and is then resumed. Imitates
    /// an inspector that waits for an answer.
    pub(crate) fn holding(passing: usize, batch: u64, source: Source) -> Self {
        let mut kinds = vec![Kind::Pass(Interest::ALL); passing];
        kinds.insert(passing / 2, Kind::Hold);
        Self::new(kinds, source, Some(passing / 2), batch)
    }

    fn new(kinds: Vec<Kind>, source: Source, resume: Option<usize>, batch: u64) -> Self {
        let mut builder = Plan::builder();
        for kind in kinds {
            builder = match kind {
                Kind::Pass(interest) => {
                    builder.filter("pass", move || Pass { interest, seen_bytes: 0 })
                }
                Kind::Hold => builder.filter("hold", || Hold),
                Kind::Async => builder.filter("async", async_filter(Declaration::new(), copy)),
            };
        }
        let plan = builder.build().expect("few filters");
        let plan = plan.bind(Capabilities::ALL).expect("no needs");
        let mut chain = plan.chain(MessageTraits::new()).expect("no needs");
        // A handle keeps the holder from being a stall; the row resumes it directly.
        let (head, ()) = http::Request::new(()).into_parts();
        chain.handle_head(head, false).expect("the first head");
        assert!(matches!(chain.poll_output(), Some(Output::Head { .. })));
        Self { chain, source, resume, batch }
    }

    /// Carries `chunks` chunks, a multiple of the batch.
    pub(crate) fn run(&mut self, chunks: u64) {
        let mut out_bytes = 0;
        for _ in 0..chunks / self.batch {
            for _ in 0..self.batch {
                let chunk = black_box(self.source.next());
                self.chain.handle_data(chunk, false).expect("the chain is open");
            }
            if let Some(station) = self.resume {
                self.chain.handle_resume(station);
            }
            while let Some(data) = self.chain.poll_data() {
                out_bytes += black_box(data).len() as u64;
            }
            // As an edge does before it looks at the source again.
            if let Some(output) = self.chain.poll_output() {
                panic!("only data: {output:?}");
            }
            assert!(self.chain.wants_input());
        }
        assert_eq!(out_bytes, chunks * self.source.chunk_bytes() as u64);
    }

    /// Carries a message with an end, and ends with it.
    pub(crate) fn whole(mut self, script: Script) -> Message {
        let mut message = Message::default();
        for chunk in script.chunks {
            self.chain.handle_data(chunk, false).expect("the chain is open");
            self.drain(&mut message);
        }
        self.chain.handle_trailers(script.trailers).expect("the end is taken");
        self.drain(&mut message);
        message
    }

    fn drain(&mut self, message: &mut Message) {
        if let Some(station) = self.resume {
            self.chain.handle_resume(station);
        }
        while let Some(output) = self.chain.poll_output() {
            match output {
                Output::Data(data) => message.data(&data),
                Output::Trailers(trailers) => message.end(trailers),
                other => panic!("data and trailers: {other:?}"),
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Pass(Interest),
    Hold,
    Async,
}
