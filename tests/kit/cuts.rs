//! Whether a filter depends on where the network cut the body. It must not.

use bytes::Bytes;
use http::HeaderMap;
use tidegate::{BoundPlan, Capabilities, Filter, MessageTraits, Output, Plan};

use super::{Dir, Rng, render};

/// How the input ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    WithLastPiece,
    Alone,
    Trailers,
}

/// Which cuts are tried.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cuts {
    /// Up to this length all `2^(n-1)` cuts are tried, beyond it only some.
    pub(crate) all_up_to: usize,
    /// How many random cuts are tried beyond it.
    pub(crate) random: usize,
}

impl Default for Cuts {
    fn default() -> Self {
        Self { all_up_to: 10, random: 500 }
    }
}

/// Everything of a message that may not depend on the cut.
#[derive(Debug, PartialEq, Eq)]
struct Carried {
    fields: HeaderMap,
    body: String,
    trailers: Option<HeaderMap>,
    ended: bool,
    outcome: String,
}

/// Carries `input` through a chain of the one filter, cut in every way there is (in some, if it is
/// long), with a plain end and with trailers, and panics where the sink gets anything else than
/// from the whole input in one piece.
pub(crate) fn assert_any_cut_gives_the_same<H: Dir, F: Filter<H> + 'static>(
    cuts: Cuts,
    input: &'static [u8],
    make: impl Fn() -> F + Send + Sync + 'static,
) {
    let plan = Plan::builder().filter("filter", make).build().expect("a plan");
    let plan = plan.bind(Capabilities::ALL).expect("an edge that can do all");
    for ending in [Ending::WithLastPiece, Ending::Alone, Ending::Trailers] {
        let whole = carry(&plan, &[input], ending);
        each_cut(cuts, input, |pieces| {
            let cut = carry(&plan, pieces, ending);
            let lens: Vec<usize> = pieces.iter().map(|piece| piece.len()).collect();
            assert_eq!(cut, whole, "cut into {lens:?}, {ending:?}");
        });
    }
}

/// Calls `try_cut` with the pieces of every cut.
fn each_cut(cuts: Cuts, input: &'static [u8], mut try_cut: impl FnMut(&[&'static [u8]])) {
    let borders = input.len().saturating_sub(1);
    if input.len() <= cuts.all_up_to {
        for mask in 0..1_u64 << borders {
            try_cut(&pieces(input, |at| mask & (1 << (at - 1)) != 0));
        }
        return;
    }
    try_cut(&pieces(input, |_| true));
    let mut rng = Rng::new(input.len() as u64);
    for _ in 0..cuts.random {
        // Dense cuts and rare ones.
        let one_in = 1 + rng.below(borders);
        try_cut(&pieces(input, |_| rng.below(one_in) == 0));
    }
}

fn pieces(input: &'static [u8], mut cut_at: impl FnMut(usize) -> bool) -> Vec<&'static [u8]> {
    let mut pieces = Vec::new();
    let mut start = 0;
    for at in 1..input.len() {
        if cut_at(at) {
            pieces.push(&input[start..at]);
            start = at;
        }
    }
    pieces.push(&input[start..]);
    pieces
}

fn carry<H: Dir>(plan: &BoundPlan<H>, pieces: &[&'static [u8]], ending: Ending) -> Carried {
    let mut chain = plan.chain(MessageTraits::new()).expect("a chain");
    let mut carried = Carried {
        fields: HeaderMap::new(),
        body: String::new(),
        trailers: None,
        ended: false,
        outcome: String::new(),
    };
    let mut body = Vec::new();
    let mut take = |chain: &mut tidegate::Chain<H>| {
        loop {
            match chain.poll_output() {
                Some(Output::Head { head, end_of_stream }) => {
                    carried.fields = head.headers().clone();
                    carried.ended = end_of_stream;
                }
                Some(Output::Data(bytes)) => body.extend_from_slice(&bytes),
                Some(Output::Trailers(map)) => {
                    carried.trailers = Some(map);
                    carried.ended = true;
                }
                Some(Output::End) => carried.ended = true,
                Some(Output::Informational(_)) => panic!("none was given"),
                Some(Output::Reply(_) | Output::Reset(_)) => carried.ended = false,
                None if chain.has_work() => {}
                None => return,
            }
        }
    };
    chain.handle_head(H::plain(), false).expect("the head is taken");
    take(&mut chain);
    for (index, piece) in pieces.iter().enumerate() {
        let last = index + 1 == pieces.len() && ending == Ending::WithLastPiece;
        if chain.input_stopped() {
            break;
        }
        chain.handle_data(Bytes::from_static(piece), last).expect("data is taken");
        take(&mut chain);
    }
    if !chain.input_stopped() {
        match ending {
            Ending::WithLastPiece => {}
            Ending::Alone => chain.handle_end().expect("the end is taken"),
            Ending::Trailers => {
                let mut map = HeaderMap::new();
                map.append("x-from-source", "1".parse().expect("a field value"));
                chain.handle_trailers(map).expect("trailers are taken");
            }
        }
        take(&mut chain);
    }
    carried.body = render::text(&body);
    carried.outcome = chain.outcome().map_or_else(|| "none".to_owned(), render::outcome);
    carried
}
