//! What a run holds is within what its flow states (rule I7), whatever its filters do: add, keep,
//! hold, reply, fail, one behind the other.

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use tidegate::error::Timeout;
use tidegate::flow::{Flow, Node};
use tidegate::{
    Capability, Declaration, Error, ErrorKind, Filter, Head, LocalReply, Marks, Origin, Verdict,
    View,
};

use crate::drawn::{DrawnNode, MakeNode, case, flow};
use crate::rig::sides;
use crate::rng::Rng;

const FRAME_BYTES: usize = 50;

/// Takes and adds what it may, and does anything else now and then.
struct Greedy {
    results: Vec<&'static str>,
    says: &'static str,
    high_bytes: u64,
    rng: Rng,
}

impl Greedy {
    fn act<H: Head>(&mut self, view: &mut View<'_, H>) -> Verdict {
        let _ = view.set_result(self.says);
        let more = self.rng.below(self.high_bytes as usize + 1);
        match self.rng.below(6) {
            0 | 1 => drop(view.push(Bytes::from(vec![1; more]))),
            2 => drop(view.set_kept_bytes(more as u64)),
            3 => drop(view.push(Bytes::from(vec![1; self.high_bytes as usize]))),
            _ => {}
        }
        match self.rng.below(60) {
            0..2 => {
                let body = vec![2; self.rng.below(3000)];
                view.reply(LocalReply::text(StatusCode::CONFLICT, body))
            }
            2 => view.fail(Error::filter_failed("no")),
            3..25 => Verdict::HOLD,
            25..30 => Verdict::pass_first(self.rng.below(100)),
            30..35 => Verdict::HOLD.again(),
            35..38 => Verdict::HOLD.or_reject(),
            _ => Verdict::PASS,
        }
    }
}

impl<H: Head> Filter<H> for Greedy {
    fn declare(&self) -> Declaration {
        let all = [Capability::HoldHead, Capability::EditBytes, Capability::ChangeLength];
        let marks = Marks::from_high(self.high_bytes);
        let declaration =
            all.into_iter().fold(Declaration::new().marks(marks), Declaration::prefer);
        self.results.iter().fold(declaration, |declaration, &name| declaration.result(name))
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        // A handle that is never gone: it is never stuck.
        std::mem::forget(view.resume_handle());
        self.act(view)
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.act(view)
    }

    fn resume(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.act(view)
    }
}

struct Makes {
    seed: u64,
}

impl MakeNode for Makes {
    fn node<H: Head>(&self, drawn: &DrawnNode) -> Node<H> {
        let seed = drawn.name.bytes().fold(self.seed, |seed, byte| seed * 31 + u64::from(byte));
        let high_bytes = [20, 100, 1000, 4000][Rng::new(seed).below(4)];
        let (results, says) = (drawn.results.clone(), drawn.says);
        Node::new(&drawn.name, move || {
            let results = results.clone();
            Greedy { results, says, high_bytes, rng: Rng::new(seed ^ 77) }
        })
    }
}

fn most_held(flow: &Flow, rng: &mut Rng) -> u64 {
    let (mut request, mut response) = sides(flow);
    let mut most = 0;
    let head = Request::new(()).into_parts().0;
    let _ = request.handle_head(head, false);
    for _ in 0..300 {
        let bytes = Bytes::from(vec![0; 1 + rng.below(2 * FRAME_BYTES)]);
        match rng.below(60) {
            0 => {
                let head = Response::new(()).into_parts().0;
                let _ = response.handle_head(head, false);
            }
            1 => response.handle_timeout(Timeout::Hold),
            2 => response.handle_reset(Error::new(ErrorKind::Reset, Origin::Upstream)),
            3 => {
                let body = vec![3; rng.below(4000)];
                response.handle_reply(LocalReply::text(StatusCode::OK, body));
            }
            4 => drop(response.handle_end()),
            5..30 if request.wants_input() => drop(request.handle_data(bytes, false)),
            30..50 if response.wants_input() => drop(response.handle_data(bytes, false)),
            50 => drop(response.poll_output()),
            51 => drop(request.poll_output()),
            52 => {
                let cx = std::task::Context::from_waker(std::task::Waker::noop());
                let _ = response.poll_mail(&cx);
            }
            _ => {}
        }
        most = most.max(request.chain().held_bytes() + response.chain().held_bytes());
    }
    most
}

#[test]
fn i7_nothing_that_filters_do_passes_the_bound() {
    let marks = Marks::new(50, 100).unwrap();
    let (mut ran, mut close) = (0, 0);
    for seed in 0..1000 {
        let case = case(seed);
        let build = || {
            let flow = flow(&case, &Makes { seed }).output_marks(marks, marks);
            flow.max_frame_bytes(FRAME_BYTES).build()
        };
        let Ok(flow) = build() else { continue };
        let bound = flow.held_bound_bytes();
        let most = most_held(&flow, &mut Rng::new(seed));
        assert!(most <= bound, "seed {seed}: held {most} of {bound}: {case:#?}");
        ran += usize::from(most > 0);
        close += usize::from(most * 5 > bound * 2);
    }
    assert!(ran > 50 && close > 20, "{ran} {close}");
}
