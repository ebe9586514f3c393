//! H32, H34, H35: what a head says of the length, and what comes. The rule (I12) is one: a message
//! that looks whole at the sink has as many bytes as its head says, and no byte beyond them ever
//! reaches the sink.

use bytes::Bytes;
use http::{HeaderMap, StatusCode, response};
use tidegate::{
    Capabilities, Capability, Chain, Declaration, Error, ErrorKind, Filter, MessageTraits, Origin,
    Outcome, Output, Plan, Verdict, View,
};

use crate::kit::{Dir, both};

/// What a sink was given, and whether it looks whole.
#[derive(Debug, Default)]
struct Sunk {
    declared_bytes: Option<u64>,
    bytes: u64,
    whole: bool,
    cut: bool,
}

impl Sunk {
    /// Takes all output there is.
    fn take<H: Dir>(&mut self, chain: &mut Chain<H>) {
        loop {
            match chain.poll_output() {
                Some(Output::Head { head, end_of_stream }) => {
                    let declared = head.headers().get("content-length");
                    self.declared_bytes =
                        declared.map(|value| value.to_str().unwrap().parse().unwrap());
                    self.whole |= end_of_stream;
                }
                Some(Output::Data(data)) => self.bytes += data.len() as u64,
                Some(Output::Trailers(_) | Output::End) => self.whole = true,
                Some(Output::Reset(_)) => self.cut = true,
                Some(Output::Informational(_) | Output::Reply(_)) => panic!("nobody replied"),
                None if chain.has_work() => {}
                None => break,
            }
            assert!(!(self.whole && self.cut), "whole and cut");
            if let Some(declared_bytes) = self.declared_bytes {
                assert!(self.bytes <= declared_bytes, "a byte beyond the declared length");
                assert!(!self.whole || self.bytes == declared_bytes, "a well-formed lie");
            }
        }
    }
}

fn chain<H: Dir>(plan: Plan<H>) -> Chain<H> {
    let bound = plan.bind(Capabilities::ALL).expect("an edge that can do it");
    bound.chain(MessageTraits::new()).expect("a message that can do it")
}

/// Keeps everything to the end, or nothing.
struct Keeper {
    keeps: bool,
}

impl<H: Dir> Filter<H> for Keeper {
    fn declare(&self) -> Declaration {
        Declaration::new().require(Capability::HoldHead).require(Capability::KeepToEnd)
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        if self.keeps && !view.input_ended() { Verdict::HOLD } else { Verdict::PASS }
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        if self.keeps && !view.input_ended() { Verdict::HOLD } else { Verdict::PASS }
    }
}

fn kept<H: Dir>(keeps: &[bool]) -> Plan<H> {
    let plan = keeps.iter().enumerate().fold(Plan::builder(), |plan, (k, &keeps)| {
        plan.filter(format!("keeper {k}"), move || Keeper { keeps })
    });
    plan.build().expect("a plan")
}

const FILTERS: [&[bool]; 5] = [&[], &[false], &[true], &[true, false], &[false, true, true]];

/// How the input goes on behind its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// With the last data, or with the head.
    Flag,
    Alone,
    Trailers,
    Reset,
    Gone,
}

const ENDINGS: [Ending; 5] =
    [Ending::Flag, Ending::Alone, Ending::Trailers, Ending::Reset, Ending::Gone];

/// A message: what it declares, its pieces, its end. What the sink got, and the outcome.
fn carry<H: Dir>(
    mut chain: Chain<H>,
    declared: Option<usize>,
    pieces: &[usize],
    ending: Ending,
) -> (Sunk, Chain<H>) {
    let mut sunk = Sunk::default();
    let head = declared.map_or_else(H::plain, H::declaring);
    let flag = ending == Ending::Flag;
    chain.handle_head(head, flag && pieces.is_empty()).expect("the head is taken");
    sunk.take(&mut chain);
    for (at, &len) in pieces.iter().enumerate() {
        let last = flag && at + 1 == pieces.len();
        // Refused once the message has failed.
        let _ = chain.handle_data(Bytes::from(vec![b'x'; len]), last);
        sunk.take(&mut chain);
    }
    match ending {
        Ending::Flag => {}
        Ending::Alone => drop(chain.handle_end()),
        Ending::Trailers => {
            let mut trailers = HeaderMap::new();
            trailers.insert("x-sum", "1".parse().unwrap());
            let _ = chain.handle_trailers(trailers);
        }
        Ending::Reset => chain.handle_reset(Error::new(ErrorKind::Reset, Origin::Downstream)),
        Ending::Gone => chain.cancel(),
    }
    sunk.take(&mut chain);
    (sunk, chain)
}

/// All ways to cut up to `most` bytes into up to three pieces, empty ones among them.
fn all_pieces(most: usize) -> Vec<Vec<usize>> {
    let mut all: Vec<Vec<usize>> = vec![vec![]];
    let mut from = 0;
    for _ in 0..3 {
        let longer: Vec<Vec<usize>> = all[from..]
            .iter()
            .flat_map(|pieces| (0..=most).map(move |len| [&pieces[..], &[len]].concat()))
            .filter(|pieces| pieces.iter().sum::<usize>() <= most)
            .collect();
        from = all.len();
        all.extend(longer);
    }
    all
}

/// Envoy CVE-2026-48743 (a length, and no data at all), pingora CVE-2026-2835, HAProxy
/// CVE-2021-40346: every declared length with every body that is as long, longer and shorter,
/// ended in every way. Whole exactly if the body ended and is as long as declared.
fn h35_a_declared_length_is_kept_or_the_message_is_cut<H: Dir>() {
    for keeps in FILTERS {
        for declared in 0..=3 {
            for pieces in all_pieces(5) {
                for ending in ENDINGS {
                    let (sunk, chain) =
                        carry(chain::<H>(kept(keeps)), Some(declared), &pieces, ending);
                    let case = format!("{keeps:?}, declared {declared}, {pieces:?}, {ending:?}");
                    let bytes: usize = pieces.iter().sum();
                    let ended = !matches!(ending, Ending::Reset | Ending::Gone);
                    let whole = ended && bytes == declared;
                    assert_eq!(sunk.whole, whole, "{case}: {sunk:?}");
                    let outcome = chain.outcome().expect("the message is over");
                    // To take all that was declared and go is to have had it all (I9).
                    let had_all = ending == Ending::Gone
                        && bytes == declared
                        && sunk.declared_bytes == Some(sunk.bytes);
                    assert_eq!(outcome.is_complete(), whole || had_all, "{case}: {outcome:?}");
                    if bytes > declared {
                        let kind = ErrorKind::LengthExceeded { declared_bytes: declared as u64 };
                        assert_eq!(outcome.error().map(Error::kind), Some(kind), "{case}");
                    }
                }
            }
        }
    }
}

/// pingora CVE-2026-2833, Envoy CVE-2025-64763: bytes behind a switch of protocols are no body. A
/// 101 is a head without one, and what follows it does not pass a chain.
#[test]
fn h35_no_body_follows_a_switch_of_protocols() {
    for keeps in FILTERS {
        let mut chain = chain::<response::Parts>(kept(keeps));
        let mut head = response::Parts::plain();
        head.status = StatusCode::SWITCHING_PROTOCOLS;
        chain.handle_head(head, false).expect("the head is taken");
        let mut sunk = Sunk::default();
        chain.handle_data(Bytes::from_static(b"smuggled"), false).expect("an input in order");
        sunk.take(&mut chain);
        assert!(sunk.cut && sunk.bytes == 0, "{sunk:?}");
        let error = chain.outcome().and_then(Outcome::error).expect("it failed");
        assert_eq!(error.kind(), ErrorKind::BodyForbidden);
    }
}

/// HAProxy CVE-2026-90678: a length that is copied before its bytes are there. A producer that is
/// short of its word by any number of bytes is cut, with and without a length that filters keep;
/// what the sink was given is what came.
fn h32_nothing_is_framed_before_it_is_there<H: Dir>() {
    for keeps in FILTERS {
        for declared in [None, Some(4)] {
            for came in 0..4 {
                for ending in [Ending::Reset, Ending::Gone, Ending::Alone, Ending::Trailers] {
                    let pieces = vec![1; came];
                    let chain = chain::<H>(kept(keeps));
                    let (sunk, _) = carry(chain, declared, &pieces, ending);
                    let case = format!("{keeps:?}, {declared:?}, {came} came, {ending:?}");
                    let ended = matches!(ending, Ending::Alone | Ending::Trailers);
                    assert_eq!(sunk.whole, ended && declared.is_none(), "{case}: {sunk:?}");
                    assert!(sunk.bytes <= came as u64, "{case}: {sunk:?}");
                    assert!(sunk.cut || ending == Ending::Gone || sunk.whole, "{case}");
                }
            }
        }
    }
}

/// Makes the body longer or shorter by so many bytes, and says so in one of four ways.
#[derive(Clone, Copy)]
struct Changer {
    by: i64,
    says: Says,
}

/// What a filter that changes the length has declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Says {
    /// Only that it edits bytes: the declared length stays.
    Edits,
    Changes,
    /// And the new length, truly.
    Declares,
    /// And another one.
    Lies,
    /// Nothing at all: its edits are refused.
    Nothing,
}

const SAYS: [Says; 5] = [Says::Edits, Says::Changes, Says::Declares, Says::Lies, Says::Nothing];

const BYTES: usize = 4;

impl<H: Dir> Filter<H> for Changer {
    fn declare(&self) -> Declaration {
        let declaration = Declaration::new();
        match self.says {
            Says::Nothing => declaration,
            Says::Edits => declaration.require(Capability::EditBytes),
            Says::Changes | Says::Declares | Says::Lies => {
                declaration.require(Capability::ChangeLength)
            }
        }
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        let bytes = (BYTES as u64).saturating_add_signed(self.by);
        match self.says {
            Says::Declares => assert!(view.set_declared_bytes(bytes)),
            Says::Lies => assert!(view.set_declared_bytes(bytes + 1)),
            Says::Edits | Says::Changes | Says::Nothing => {}
        }
        Verdict::PASS
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        if view.input_ended() {
            let edit = if self.by < 0 {
                let len = view.body().len();
                let cut = usize::try_from(-self.by).unwrap().min(len);
                view.remove(len - cut..len).map(drop)
            } else {
                view.push(Bytes::from(vec![b'+'; usize::try_from(self.by).unwrap()]))
            };
            assert_eq!(edit.is_err(), self.says == Says::Nothing, "an edit nobody declared");
        }
        Verdict::PASS
    }
}

/// nginx CVE-2026-42926 (a body that was set, behind the length of another): a filter that makes
/// the body longer or shorter, whatever it declared before, alone and behind another one.
fn h34_no_length_outlives_a_change_of_the_body<H: Dir>() {
    for says in SAYS {
        for by in [-2, -1, 0, 1, 2] {
            for before in [false, true] {
                for declared in [None, Some(BYTES)] {
                    let changer = Changer { by, says };
                    let mut plan = Plan::builder();
                    if before {
                        // Takes the length away itself: nothing is left to lie about.
                        let other = Changer { by: 0, says: Says::Changes };
                        plan = plan.filter("before", move || other);
                    }
                    let plan = plan.filter("changer", move || changer).build().expect("a plan");
                    // `Sunk` asserts that no length is a lie.
                    let (sunk, _) =
                        carry(chain::<H>(plan), declared, &[1, BYTES - 1], Ending::Flag);
                    let case = format!("{says:?} by {by}, behind another: {before}, {declared:?}");
                    let stays = declared.is_some() && !before && says == Says::Edits;
                    let truth = match says {
                        Says::Nothing | Says::Changes | Says::Declares => true,
                        Says::Edits => by == 0 || !stays,
                        Says::Lies => false,
                    };
                    assert_eq!(sunk.whole, truth, "{case}: {sunk:?}");
                    assert_ne!(sunk.cut, truth, "{case}: {sunk:?}");
                }
            }
        }
    }
}

both!(
    h32_nothing_is_framed_before_it_is_there,
    h34_no_length_outlives_a_change_of_the_body,
    h35_a_declared_length_is_kept_or_the_message_is_cut,
);
