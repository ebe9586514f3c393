//! Both directions of an exchange, from its making to its drop: heads, four chunks and trailers
//! each way.

use std::hint::black_box;

use http::{HeaderMap, request, response};
use tidegate::exchange::{BoundExchangePlan, ExchangePlan, Side};
use tidegate::{Capabilities, Filter, Head, MessageTraits, Output, Verdict, View};

use crate::lifecycle::{CHUNK_BYTES, CHUNKS, Floor, chunk, fields, head};

use super::{Row, Run, row};

pub(super) const ROWS: &[Row] = &[
    row("floor_exchange_0", "floor_exchange_0", "exchange", 200, || floor(0)),
    row("floor_exchange_8", "floor_exchange_8", "exchange", 200, || floor(8)),
    row("exchange_0", "floor_exchange_0", "exchange", 200, || exchanges(0)),
    row("exchange_8", "floor_exchange_8", "exchange", 200, || exchanges(8)),
];

/// Two messages by hand.
fn floor(hooks: usize) -> Run {
    let (mut up, mut down) = (Floor::new(hooks), Floor::new(hooks));
    Box::new(move |exchanges| {
        for _ in 0..exchanges {
            up.message();
            down.message();
        }
    })
}

/// Looks at everything, and passes it.
#[derive(Default)]
pub(crate) struct Pass(u64);

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

/// A plan with so many filters in each direction.
pub(crate) fn plan(filters: usize) -> BoundExchangePlan {
    let builder = (0..filters).fold(ExchangePlan::builder(), |builder, _| {
        builder.request("pass", Pass::default).response("pass", Pass::default)
    });
    let plan = builder.build().expect("few filters");
    plan.bind(Capabilities::ALL, Capabilities::ALL).expect("no needs")
}

fn exchanges(filters: usize) -> Run {
    let plan = plan(filters);
    Box::new(move |exchanges| {
        for _ in 0..exchanges {
            let traits = MessageTraits::new();
            let (mut up, mut down) = plan.exchange(traits, traits).expect("no needs");
            message::<request::Parts>(&mut up, head());
            let (mut status, ()) = http::Response::new(()).into_parts();
            status.headers = fields();
            message::<response::Parts>(&mut down, status);
        }
    })
}

fn message<H: Head>(side: &mut Side<H>, head: H) {
    side.handle_head(black_box(head), false).expect("the first head");
    let Some(Output::Head { head, .. }) = side.poll_output() else { panic!("no head") };
    black_box(head);
    let mut out_bytes = 0;
    for turn in 0..CHUNKS {
        side.handle_data(chunk(turn), false).expect("data is wanted");
        while let Some(data) = side.poll_data() {
            out_bytes += black_box(data).len();
        }
    }
    side.handle_trailers(black_box(fields())).expect("the end is taken");
    let Some(Output::Trailers(trailers)) = side.poll_output() else { panic!("no trailers") };
    assert_eq!((black_box(trailers).len(), out_bytes), (1, CHUNKS * CHUNK_BYTES));
}
