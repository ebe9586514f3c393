//! Drives filters without any I/O: for their unit tests.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use bytes::Bytes;
use http::{HeaderMap, header, request, response};
use tidegate::{
    Capabilities, Chain, Declaration, Filter, Head, LocalReply, MessageTraits, Outcome, Output,
    Plan, Verdict, View,
};

/// Heads that a test can make.
pub(super) trait TestHead: Head {
    fn empty() -> Self;
}

impl TestHead for request::Parts {
    fn empty() -> Self {
        http::Request::new(()).into_parts().0
    }
}

impl TestHead for response::Parts {
    fn empty() -> Self {
        http::Response::new(()).into_parts().0
    }
}

/// A head that declares a length, or none.
pub(super) fn head<H: TestHead>(declared: Option<usize>) -> H {
    let mut head = H::empty();
    if let Some(bytes) = declared {
        head.headers_mut().insert(header::CONTENT_LENGTH, bytes.into());
    }
    head
}

/// A plan of one filter.
pub(super) fn only<H: Head, F: Filter<H> + 'static>(
    name: &str,
    make: impl Fn() -> F + Send + Sync + 'static,
) -> Plan<H> {
    Plan::builder().filter(name, make).build().unwrap()
}

/// A filter whose data calls are counted.
pub(super) struct Counted<F> {
    pub(super) filter: F,
    pub(super) calls: Arc<AtomicU64>,
}

impl<H: Head, F: Filter<H>> Filter<H> for Counted<F> {
    fn declare(&self) -> Declaration {
        self.filter.declare()
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.filter.head(view)
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.calls.fetch_add(1, Relaxed);
        self.filter.data(view)
    }
}

/// A plan of one filter, and how often it was shown data.
pub(super) fn counted<H: Head, F: Filter<H> + 'static>(
    make: impl Fn() -> F + Send + Sync + 'static,
) -> (Plan<H>, impl Fn() -> u64) {
    let calls = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&calls);
    let plan = only("counted", move || Counted { filter: make(), calls: Arc::clone(&calls) });
    (plan, move || counter.load(Relaxed))
}

/// A chain at an edge that can do everything.
pub(super) fn chain<H: Head>(plan: &Plan<H>, traits: MessageTraits) -> Chain<H> {
    plan.bind(Capabilities::ALL).unwrap().chain(traits).unwrap()
}

/// What came out of a chain.
pub(super) struct Sent<H> {
    pub(super) head: Option<H>,
    pub(super) bytes: Vec<u8>,
    pub(super) trailers: HeaderMap,
    /// The message is complete, as the receiver sees it.
    pub(super) ended: bool,
    pub(super) reply: Option<LocalReply>,
    pub(super) outcome: Outcome,
}

impl<H: Head> Sent<H> {
    fn new() -> Self {
        Self {
            head: None,
            bytes: Vec::new(),
            trailers: HeaderMap::new(),
            ended: false,
            reply: None,
            outcome: Outcome::Cancelled,
        }
    }

    pub(super) fn head(&self) -> &H {
        self.head.as_ref().expect("a head came out")
    }

    /// The body of a complete message.
    pub(super) fn body(&self) -> &[u8] {
        assert!(self.ended, "the message is complete: {:?}", self.outcome);
        &self.bytes
    }

    /// The status of the reply that came out in place of a request.
    pub(super) fn replied(&self) -> Option<u16> {
        self.reply.as_ref().map(|reply| reply.status().as_u16())
    }

    /// Takes one output; false if there is none.
    fn take(&mut self, chain: &mut Chain<H>) -> bool {
        match chain.poll_output() {
            Some(Output::Head { head, end_of_stream }) => {
                self.head = Some(head);
                self.ended = end_of_stream;
            }
            Some(Output::Data(data)) => self.bytes.extend_from_slice(&data),
            Some(Output::Trailers(trailers)) => {
                self.trailers = trailers;
                self.ended = true;
            }
            Some(Output::End) => self.ended = true,
            Some(Output::Reply(reply)) => self.reply = Some(reply),
            Some(Output::Reset(_) | Output::Informational(_)) => {}
            None => return false,
        }
        true
    }
}

/// Takes everything that comes out now.
pub(super) fn drain<H: Head>(chain: &mut Chain<H>) -> Sent<H> {
    let mut sent = Sent::new();
    while sent.take(chain) {}
    sent.outcome = chain.outcome().cloned().unwrap_or(Outcome::Cancelled);
    sent
}

/// Carries a body in these pieces, whose length its head declares.
pub(super) fn run<H: TestHead>(plan: &Plan<H>, pieces: &[&[u8]]) -> Sent<H> {
    let declared = pieces.iter().map(|piece| piece.len()).sum();
    carry(plan, head(Some(declared)), pieces)
}

/// Carries a body in these pieces, whose length nobody knows.
pub(super) fn run_open<H: TestHead>(plan: &Plan<H>, pieces: &[&[u8]]) -> Sent<H> {
    carry(plan, head(None), pieces)
}

/// Carries a message. Every second cut ends with its last piece, the others with an end of its
/// own; every third meets a sink that takes nothing while the source is wanted.
fn carry<H: TestHead>(plan: &Plan<H>, head: H, pieces: &[&[u8]]) -> Sent<H> {
    let mut chain = chain(plan, MessageTraits::new());
    let bound = plan.held_bound_bytes();
    let with_last = pieces.len().is_multiple_of(2) && !pieces.is_empty();
    let lazy = pieces.len().is_multiple_of(3);
    let mut sent = Sent::new();
    let mut left = pieces.iter();
    chain.handle_head(head, false).unwrap();
    let mut ended = false;
    while chain.outcome().is_none() {
        let wanted = chain.wants_input() && !ended;
        if (!lazy || !wanted) && sent.take(&mut chain) {
            continue;
        }
        assert!(chain.wants_input() && !ended, "nothing can go on: {chain:?}");
        match left.next() {
            Some(piece) => {
                ended = with_last && left.len() == 0;
                chain.handle_data(Bytes::copy_from_slice(piece), ended).unwrap();
            }
            None => {
                ended = true;
                chain.handle_end().unwrap();
            }
        }
        assert!(chain.held_bytes() <= bound, "{} over {bound}", chain.held_bytes());
    }
    while sent.take(&mut chain) {}
    sent.outcome = chain.outcome().cloned().unwrap();
    assert_eq!(chain.held_bytes(), 0, "nothing is kept behind the end");
    sent
}

/// Calls `check` with every cut of `body` into pieces, some with an empty one at the end.
pub(super) fn for_each_cut(body: &[u8], check: impl Fn(&[&[u8]])) {
    let borders = body.len().saturating_sub(1);
    for cut in 0..1u32 << borders {
        let mut pieces = Vec::new();
        let mut from = 0;
        for at in (0..borders).filter(|at| cut & 1 << at != 0) {
            pieces.push(&body[from..=at]);
            from = at + 1;
        }
        pieces.push(&body[from..]);
        check(&pieces);
        if cut.is_multiple_of(5) {
            pieces.push(&[]);
            check(&pieces);
        }
    }
}

/// Numbers that are the same in every run.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `below`.
    pub(super) fn below(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (z >> 32) as usize % below
    }

    /// Cuts `body` into pieces of at most `longest` bytes.
    pub(super) fn cut<'a>(&mut self, mut body: &'a [u8], longest: usize) -> Vec<&'a [u8]> {
        let mut pieces = Vec::new();
        while !body.is_empty() {
            let (piece, rest) = body.split_at(self.below(longest.min(body.len())) + 1);
            pieces.push(piece);
            body = rest;
        }
        pieces
    }
}
