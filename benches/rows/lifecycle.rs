//! The rows of the lifecycle benchmark: state and 8 filters, a head with one field, 4 chunks of
//! 16 KiB, trailers with one field, drop.
//!
//! Every row makes both header maps, and panics if what comes out is not what went in.
#![allow(dead_code, unused_imports, reason = "each binary uses its part")]

#[path = "source.rs"]
mod source;

use std::hint::black_box;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, request};
use tidegate::{BoundPlan, Capabilities, Filter, Head, MessageTraits, Output, Plan, Verdict, View};

pub(crate) use source::{CHUNK_BYTES, Message, Script, Source};

/// Chunks of one message.
pub(crate) const CHUNKS: usize = 4;

/// Where a message arrives.
pub(crate) trait Sink: Default {
    fn data(&mut self, chunk: Bytes);
    fn end(&mut self, trailers: HeaderMap);
}

/// What has arrived, counted.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    bytes: usize,
    trailers: usize,
}

impl Counted {
    /// Fails unless it is a whole message.
    #[track_caller]
    pub(crate) fn check(&self) {
        assert_eq!(*self, Self { bytes: CHUNKS * CHUNK_BYTES, trailers: 1 });
    }
}

impl Sink for Counted {
    fn data(&mut self, chunk: Bytes) {
        self.bytes += black_box(chunk).len();
    }

    fn end(&mut self, trailers: HeaderMap) {
        self.trailers += black_box(trailers).len();
    }
}

impl Sink for Message {
    fn data(&mut self, chunk: Bytes) {
        Self::data(self, &chunk);
    }

    fn end(&mut self, trailers: HeaderMap) {
        Self::end(self, trailers);
    }
}

/// Fails unless `message` is the one that every row carries.
#[track_caller]
pub(crate) fn check(message: &Message) {
    let script = Script::new(CHUNKS, CHUNK_BYTES);
    Script { trailers: fields(), ..script }.expect(message);
}

/// Chunk `n` of a message.
pub(crate) fn chunk(n: usize) -> Bytes {
    black_box(source::different(n))
}

pub(crate) fn fields() -> HeaderMap {
    let field = (HeaderName::from_static("x-field"), HeaderValue::from_static("1"));
    let mut map = HeaderMap::with_capacity(1);
    map.insert(field.0, field.1);
    map
}

pub(crate) fn head() -> request::Parts {
    let (mut head, ()) = http::Request::new(()).into_parts();
    head.headers = fields();
    head
}

/// What every row spends on its two header maps.
pub(crate) fn header_maps() {
    black_box(head());
    black_box(fields());
}

/// The floor: filters that are there already, a virtual call each on head, chunks and trailers
/// where they lie. No state, no holding, no limits, no end. Unfair to the chain on purpose.
pub(crate) struct Floor {
    hooks: Vec<Box<dyn Hook>>,
    /// Where the hooks wait between messages.
    free: Vec<Vec<Box<dyn Hook>>>,
}

trait Hook {
    fn head(&mut self, head: &mut request::Parts);
    fn data(&mut self, chunk: &mut Bytes);
    fn trailers(&mut self, trailers: &mut HeaderMap);
    fn reset(&mut self);
}

struct Count(u64);

impl Hook for Count {
    #[inline(never)]
    fn head(&mut self, head: &mut request::Parts) {
        self.0 += head.headers.len() as u64;
    }

    #[inline(never)]
    fn data(&mut self, chunk: &mut Bytes) {
        self.0 += chunk.len() as u64;
    }

    #[inline(never)]
    fn trailers(&mut self, trailers: &mut HeaderMap) {
        self.0 += trailers.len() as u64;
    }

    #[inline(never)]
    fn reset(&mut self) {
        self.0 = 0;
    }
}

impl Floor {
    /// A floor with `hooks` filters.
    pub(crate) fn new(hooks: usize) -> Self {
        let hooks = (0..hooks).map(|_| Box::new(Count(0)) as Box<dyn Hook>).collect();
        Self { hooks: Vec::new(), free: vec![hooks] }
    }

    /// Carries one message.
    pub(crate) fn message(&mut self) {
        self.carry::<Counted>().check();
    }

    /// The same, and what arrives.
    pub(crate) fn carry<S: Sink>(&mut self) -> S {
        self.hooks = self.free.pop().expect("one message at a time");
        let mut head = black_box(head());
        self.hooks.iter_mut().for_each(|hook| hook.head(&mut head));
        black_box(head);
        let mut sink = S::default();
        for n in 0..CHUNKS {
            let mut chunk = chunk(n);
            self.hooks.iter_mut().for_each(|hook| hook.data(&mut chunk));
            sink.data(chunk);
        }
        let mut trailers = black_box(fields());
        self.hooks.iter_mut().for_each(|hook| hook.trailers(&mut trailers));
        sink.end(trailers);
        self.hooks.iter_mut().for_each(|hook| hook.reset());
        self.free.push(std::mem::take(&mut self.hooks));
        sink
    }
}

/// A filter that looks at everything, counts and passes.
#[derive(Default)]
struct Pass(u64);

impl<H: Head> Filter<H> for Pass {
    #[inline(never)]
    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.0 += view.head().map_or(0, |head| head.headers().len()) as u64;
        Verdict::PASS
    }

    #[inline(never)]
    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.0 += view.new_bytes() as u64;
        Verdict::PASS
    }

    #[inline(never)]
    fn trailers(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.0 += view.trailers().map_or(0, HeaderMap::len) as u64;
        Verdict::PASS
    }

    #[inline(never)]
    fn recycle(&mut self) -> bool {
        self.0 = 0;
        true
    }
}

/// Messages of one plan, one after the other.
pub(crate) struct Messages(BoundPlan<request::Parts>);

impl Messages {
    /// `recycled`: each has the chain and the filters of the one before.
    pub(crate) fn new(filters: usize, recycled: bool) -> Self {
        let builder = Plan::builder().keep_chains(usize::from(recycled));
        let builder =
            (0..filters).fold(builder, |builder, _| builder.filter("pass", Pass::default));
        let plan = builder.build().expect("few filters");
        Self(plan.bind(Capabilities::ALL).expect("no needs"))
    }

    /// Carries one message, as an edge does.
    pub(crate) fn message(&self) {
        self.carry::<Counted>().check();
    }

    /// The same, and what arrives.
    pub(crate) fn carry<S: Sink>(&self) -> S {
        let mut chain = self.0.chain(MessageTraits::new()).expect("no needs");
        chain.handle_head(black_box(head()), false).expect("the first head");
        let Some(Output::Head { head, .. }) = chain.poll_output() else { panic!("no head") };
        black_box(head);
        let mut sink = S::default();
        for n in 0..CHUNKS {
            chain.handle_data(chunk(n), false).expect("data is wanted");
            while let Some(data) = chain.poll_data() {
                sink.data(data);
            }
        }
        chain.handle_trailers(black_box(fields())).expect("the end is taken");
        let Some(Output::Trailers(trailers)) = chain.poll_output() else { panic!("no trailers") };
        sink.end(trailers);
        sink
    }
}
