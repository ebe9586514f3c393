//! The rows of the chain benchmarks: what is measured, shared by the timing and the counting
//! binary, so that both measure the same code.
//!
//! A row imitates one thing a proxy does with a chunk. Every row counts the bytes that come out,
//! and panics if they are not those that went in.

use std::hint::black_box;

use bytes::Bytes;
use http::request;
use tidegate::async_filter::{self, async_filter};
use tidegate::{
    Capabilities, Chain, Declaration, Error, Filter, Head, Interest, MessageTraits, Output, Plan,
    Verdict, View,
};

/// Bytes of one chunk.
pub(crate) const CHUNK_BYTES: usize = 16 * 1024;

static CHUNK: [u8; CHUNK_BYTES] = [7; CHUNK_BYTES];

/// Where the chunks come from.
#[derive(Clone)]
pub(crate) enum Source {
    /// Static memory: no reference count is touched.
    Static,
    /// One shared buffer: cloning and dropping touch a reference count.
    Shared(Bytes),
}

impl Source {
    /// A source of shared chunks.
    pub(crate) fn shared() -> Self {
        Self::Shared(Bytes::from(CHUNK.to_vec()))
    }

    pub(crate) fn next(&self) -> Bytes {
        match self {
            Self::Static => Bytes::from_static(&CHUNK),
            Self::Shared(chunk) => chunk.clone(),
        }
    }
}

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
        assert_eq!(out_bytes, chunks * CHUNK_BYTES as u64);
        black_box(self.hooks.iter().map(|hook| hook.seen_bytes()).sum::<u64>());
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
        assert_eq!(out_bytes, chunks * CHUNK_BYTES as u64);
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Pass(Interest),
    Hold,
    Async,
}
