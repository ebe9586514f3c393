//! The rows of the async filter benchmarks: shared by the timing and the counting binary.
//!
//! Every row counts the bytes that come out, and panics if they are not those that went in.

use std::hint::black_box;

use bytes::Bytes;
use http::request;
use tidegate::async_filter::{Input, Output, async_filter};
use tidegate::{
    Capabilities, Chain, Declaration, Error, MessageTraits, Output as Given, Plan,
};

static CHUNK: [u8; 16 * 1024] = [7; 16 * 1024];

/// Takes each chunk and sends it.
pub(crate) async fn pass(mut input: Input, mut output: Output) -> Result<(), Error> {
    while let Some(chunk) = input.next().await? {
        output.send(chunk).await?;
    }
    Ok(())
}

/// A message whose head has gone through a number of async filters.
pub(crate) struct Carry {
    chain: Chain<request::Parts>,
    chunk: Bytes,
}

impl Carry {
    /// Through so many filters.
    pub(crate) fn new(filters: usize, shared: bool) -> Self {
        let mut plan = Plan::<request::Parts>::builder();
        for k in 0..filters {
            plan = plan.filter(k.to_string(), async_filter(Declaration::new(), pass));
        }
        let plan = plan.build().expect("a plan").bind(Capabilities::ALL).expect("an edge");
        let mut chain = plan.chain(MessageTraits::new()).expect("a chain");
        let (head, ()) = http::Request::new(()).into_parts();
        chain.handle_head(head, false).expect("the head is taken");
        assert!(matches!(chain.poll_output(), Some(Given::Head { .. })));
        let chunk =
            if shared { Bytes::from(CHUNK.to_vec()) } else { Bytes::from_static(&CHUNK) };
        Self { chain, chunk }
    }

    /// Carries `chunks` chunks.
    pub(crate) fn run(&mut self, chunks: u64) {
        let mut out_bytes = 0;
        for _ in 0..chunks {
            self.chain.handle_data(black_box(self.chunk.clone()), false).expect("data is taken");
            while let Some(output) = self.chain.poll_output() {
                let Given::Data(data) = black_box(output) else { panic!("data is all there is") };
                out_bytes += data.len() as u64;
            }
        }
        assert_eq!(out_bytes, chunks * CHUNK.len() as u64);
    }
}
