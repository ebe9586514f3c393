//! What random filters do: to a whole body, as an async filter, and as a callback filter.

use std::sync::Mutex;

use bytes::Bytes;
use http::HeaderMap;
use tidegate::async_filter::{Input, Output, async_filter};
use tidegate::chain::PlanBuilder;
use tidegate::{Capability, Declaration, Error, Filter, Head, Marks, View};

use crate::kit::*;
use crate::napping::Naps;
use crate::stage::{Drops, editor};

/// What a filter does. What becomes of the body depends on its bytes only, not on its pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    Copy,
    Upper,
    /// Each byte twice.
    Double,
    /// `<` before and `>` behind.
    Wrap,
    /// The length before it all.
    CountFirst,
    /// Every n-th byte.
    Every(usize),
    /// The first n bytes in upper case; then it returns.
    UpperFirst(usize),
    /// The first n bytes; then it ends the message, if there is more.
    CutAfter(usize),
    /// The length as a trailer.
    Sum,
    /// Waits for the end and lets all pass meanwhile.
    Watch,
}

impl Work {
    pub(crate) fn random(rng: &mut Rng) -> Self {
        let n = 1 + rng.below(60);
        match rng.below(10) {
            0 => Self::Copy,
            1 => Self::Upper,
            2 => Self::Double,
            3 => Self::Wrap,
            4 => Self::CountFirst,
            5 => Self::Every(n),
            6 => Self::UpperFirst(n),
            7 => Self::CutAfter(n),
            8 => Self::Sum,
            _ => Self::Watch,
        }
    }

    /// The model: the whole body and the trailers at once.
    pub(crate) fn whole(
        self,
        mut body: Vec<u8>,
        mut trailers: Option<String>,
    ) -> (Vec<u8>, Option<String>) {
        match self {
            Self::Copy | Self::Watch => {}
            Self::Upper => body.make_ascii_uppercase(),
            Self::Double => body = body.iter().flat_map(|&byte| [byte, byte]).collect(),
            Self::Wrap => body = [b"<", &*body, b">"].concat(),
            Self::CountFirst => body = [body.len().to_string().as_bytes(), &*body].concat(),
            Self::Every(n) => body = body.into_iter().step_by(n).collect(),
            Self::UpperFirst(n) => {
                let n = n.min(body.len());
                body[..n].make_ascii_uppercase();
            }
            Self::CutAfter(n) if body.len() > n => {
                body.truncate(n);
                trailers = None;
            }
            Self::CutAfter(_) => {}
            Self::Sum => trailers = Some(body.len().to_string()),
        }
        (body, trailers)
    }

    /// Adds the filter: by callbacks, where `callback` says so and there is such a one.
    pub(crate) fn add_to<H: Dir>(
        self,
        plan: PlanBuilder<H>,
        k: usize,
        callback: bool,
        naps: Naps,
        drops: Drops,
        rng: &mut Rng,
    ) -> PlanBuilder<H> {
        if callback && matches!(self, Self::Copy | Self::Upper | Self::Every(_)) {
            return plan.filter(format!("{k} callbacks"), move || Callbacks { work: self, at: 0 });
        }
        let marks = match self {
            Self::CountFirst => Marks::default(),
            _ => Marks::from_high(1 + rng.below(100) as u64),
        };
        let mut declaration = editor().marks(marks);
        if self == Self::Sum {
            declaration = declaration.require(Capability::AddTrailers);
        }
        if rng.below(2) == 0 {
            declaration = declaration.require(Capability::HoldHead);
        }
        let naps = Mutex::new(Some(naps));
        let make = move |input: Input, output: Output| {
            let naps = naps.lock().expect("naps").take().expect("one message");
            let guard = drops.guard();
            async move {
                let _guard = guard;
                self.run(input, output, naps).await
            }
        };
        plan.filter(format!("{k} async"), async_filter(declaration, make))
    }

    async fn run(self, mut input: Input, mut output: Output, mut naps: Naps) -> Result<(), Error> {
        match self {
            Self::Watch => {
                naps.awaiting(input.trailers()).await?;
                naps.maybe().await;
                return Ok(());
            }
            Self::CountFirst => {
                let body = naps.awaiting(input.collect(60_000)).await?;
                naps.awaiting(output.send(body.len().to_string())).await?;
                return naps.awaiting(output.send_all(body)).await;
            }
            Self::Wrap => naps.awaiting(output.send("<")).await?,
            _ => {}
        }
        let mut at = 0;
        while let Some(chunk) = naps.awaiting(input.next()).await? {
            let begin = at;
            at += chunk.len();
            match self {
                Self::CutAfter(n) if at > n => {
                    naps.awaiting(output.send(chunk.slice(..n.saturating_sub(begin)))).await?;
                    return output.end();
                }
                Self::UpperFirst(n) if at >= n => {
                    let mut chunk = chunk.to_vec();
                    chunk[..n - begin].make_ascii_uppercase();
                    return naps.awaiting(output.send(chunk)).await;
                }
                _ => naps.awaiting(output.send(self.piece(chunk, begin))).await?,
            }
        }
        match self {
            Self::Wrap => naps.awaiting(output.send(">")).await,
            Self::Sum => {
                let mut map = HeaderMap::new();
                map.insert("x-sum", at.into());
                output.set_trailers(map)
            }
            _ => Ok(()),
        }
    }

    /// What becomes of a piece that begins at `begin`.
    fn piece(self, chunk: Bytes, begin: usize) -> Bytes {
        match self {
            Self::Upper | Self::UpperFirst(_) => chunk.to_ascii_uppercase().into(),
            Self::Double => chunk.iter().flat_map(|&byte| [byte, byte]).collect(),
            Self::Every(n) => {
                let first = (n - begin % n) % n;
                chunk.iter().skip(first).step_by(n).copied().collect()
            }
            _ => chunk,
        }
    }
}

/// The same by callbacks.
struct Callbacks {
    work: Work,
    at: usize,
}

impl<H: Head> Filter<H> for Callbacks {
    fn declare(&self) -> Declaration {
        editor()
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        let mut body = view.take().expect("a granted edit");
        while let Some(chunk) = body.pop_front() {
            let begin = self.at;
            self.at += chunk.len();
            view.push(self.work.piece(chunk, begin)).expect("it does not grow");
        }
        PASS
    }
}

/// The same works give the same, in pieces or in one.
#[test]
fn pieces_add_up() {
    for work in [Work::Copy, Work::Upper, Work::Double, Work::Every(3)] {
        let body = b"abcdefghij".to_vec();
        for cut in 0..body.len() {
            let pieces = [
                work.piece(Bytes::copy_from_slice(&body[..cut]), 0),
                work.piece(Bytes::copy_from_slice(&body[cut..]), cut),
            ];
            assert_eq!(pieces.concat(), work.whole(body.clone(), None).0, "{work:?} cut at {cut}");
        }
    }
}
