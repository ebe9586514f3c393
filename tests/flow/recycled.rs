//! Chains that served other exchanges before: nothing of those is left, whatever they came to.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use tidegate::flow::{Flow, Node, Summary};
use tidegate::{Capability, Declaration, Error, Filter, Head, LocalReply, Outcome, Verdict, View};

use crate::drawn::{DrawnNode, MakeNode, case, flow};
use crate::rig::{Log, Seen, drain_request, drain_response, exchange, sides};
use crate::rng::Rng;

/// Does in each exchange what its number says.
struct Fickle {
    name: String,
    results: Vec<&'static str>,
    number: Arc<AtomicU64>,
    log: Log,
    choice: usize,
    is_late: bool,
}

impl Fickle {
    fn say<H: Head>(&self, view: &mut View<'_, H>) {
        let picked = self.choice / 16 % (self.results.len() + 1);
        let _ = view.set_result(self.results.get(picked).copied().unwrap_or(""));
    }

    fn act<H: Head>(&mut self, view: &mut View<'_, H>) -> Verdict {
        match self.choice % 16 {
            0 => view.reply(LocalReply::text(StatusCode::CONFLICT, "fickle")),
            1 => view.fail(Error::filter_failed("no")),
            2 => Verdict::HOLD,
            3 => panic!("{} panics", self.name),
            4 => {
                let _ = view.push(Bytes::from_static(b"more"));
                Verdict::PASS
            }
            5 | 6 if !view.input_ended() => Verdict::HOLD,
            _ => Verdict::PASS,
        }
    }
}

impl<H: Head> Filter<H> for Fickle {
    fn declare(&self) -> Declaration {
        let all = [Capability::HoldHead, Capability::EditBytes, Capability::ChangeLength];
        let declaration = all.into_iter().fold(Declaration::new(), Declaration::prefer);
        self.results.iter().fold(declaration, |declaration, &name| declaration.result(name))
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.log.note(format!("head {}", self.name));
        let seed = self.name.bytes().fold(self.number.load(Relaxed), |seed, byte| {
            seed.wrapping_mul(31).wrapping_add(u64::from(byte))
        });
        let mut rng = Rng::new(seed);
        (self.choice, self.is_late) = (rng.below(1 << 16), rng.below(2) == 0);
        self.say(view);
        if self.is_late { Verdict::PASS } else { self.act(view) }
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        // Also of one that is kept: a node that is left out is never called.
        self.log.note(format!("data {}", self.name));
        self.say(view);
        self.act(view)
    }

    fn close(&mut self, outcome: &Outcome) {
        self.log.note(format!("closed {} {outcome:?}", self.name));
    }

    fn recycle(&mut self) -> bool {
        !self.choice.is_multiple_of(3)
    }
}

struct Makes<'a> {
    log: &'a Log,
    number: Arc<AtomicU64>,
}

impl MakeNode for Makes<'_> {
    fn node<H: Head>(&self, drawn: &DrawnNode) -> Node<H> {
        let (name, results) = (drawn.name.clone(), drawn.results.clone());
        let (log, number) = (self.log.clone(), Arc::clone(&self.number));
        Node::new(&drawn.name, move || Fickle {
            name: name.clone(),
            results: results.clone(),
            number: Arc::clone(&number),
            log: log.clone(),
            choice: 0,
            is_late: false,
        })
    }
}

/// An exchange of which each piece is taken before the next one comes: on the fast path.
fn piecewise(flow: &Flow) -> Seen {
    let (mut request, mut response) = sides(flow);
    let mut seen = Seen::default();
    let _ = request.handle_head(Request::new(()).into_parts().0, false);
    for _ in 0..3 {
        drain_request(&mut request, &mut seen);
        let _ = request.handle_data(Bytes::from_static(b"ping"), false);
    }
    let _ = request.handle_end();
    drain_request(&mut request, &mut seen);
    if seen.called {
        let _ = response.handle_head(Response::new(()).into_parts().0, false);
        for _ in 0..3 {
            drain_response(&mut response, &mut seen);
            let _ = response.handle_data(Bytes::from_static(b"pong"), false);
        }
        let _ = response.handle_end();
    }
    drain_response(&mut response, &mut seen);
    drain_request(&mut request, &mut seen);
    seen
}

/// All that a summary says, but for the peak: a chain that has a table already looks more closely.
fn told(summary: &Summary) -> String {
    let mut summary = summary.clone();
    summary.request_stats.peak_held_bytes = 0;
    summary.response_stats.peak_held_bytes = 0;
    format!("{summary:?}")
}

#[test]
fn an_exchange_on_chains_of_others_is_as_one_on_chains_of_its_own() {
    let (mut ran, mut reused) = (0, 0);
    for seed in 0..400 {
        let case = case(seed);
        let build = |chains: usize| {
            let (log, number) = (Log::default(), Arc::new(AtomicU64::new(0)));
            let makes = Makes { log: &log, number: Arc::clone(&number) };
            let drawn = || flow(&case, &makes).keep_chains(chains);
            drawn().build().ok()?;
            Some((log.build(drawn()), log, number))
        };
        let (Some((kept, kept_log, kept_number)), Some((own, own_log, own_number))) =
            (build(2), build(0))
        else {
            continue;
        };
        for number in 0..12 {
            kept_number.store(seed * 100 + number, Relaxed);
            own_number.store(seed * 100 + number, Relaxed);
            let (on_kept, on_own) = if number.is_multiple_of(2) {
                (exchange(&kept, case.upstream), exchange(&own, case.upstream))
            } else {
                (piecewise(&kept), piecewise(&own))
            };
            assert_eq!(on_kept, on_own, "seed {seed} exchange {number}: {case:#?}");
        }
        for what in ["head", "data", "closed"] {
            assert_eq!(kept_log.all(what), own_log.all(what), "seed {seed}: {case:#?}");
        }
        let (kept_all, own_all) = (kept_log.summaries(), own_log.summaries());
        assert_eq!(kept_all.len(), 12, "seed {seed}");
        for (number, (on_kept, on_own)) in kept_all.iter().zip(&own_all).enumerate() {
            let (on_kept, on_own) = (told(on_kept), told(on_own));
            assert_eq!(on_kept, on_own, "seed {seed} exchange {number}: {case:#?}");
        }
        ran += 1;
        reused += kept.plan().response().recycling().reused;
    }
    assert!(ran > 100 && reused > 1000, "{ran} {reused}");
}
