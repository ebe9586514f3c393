//! Where two courses of one scenario differ.

use std::collections::BTreeSet;
use std::fmt;

use crate::moment::{Moment, Seen};
use crate::trace::Direction;

/// Who saw it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// The origin, or the client.
    Sink,
    Filter(String),
}

/// What of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    Head,
    Body,
    End,
    Trailers,
    Reset,
}

/// A step after which one place has seen something else of one part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) direction: Direction,
    pub(crate) place: Place,
    /// From 0.
    pub(crate) step: usize,
    pub(crate) part: Part,
    /// What Envoy's had seen by then.
    pub(crate) envoy: Seen,
    /// What ours had seen by then.
    pub(crate) ours: Seen,
}

impl Difference {
    /// Who saw it, in words.
    pub(crate) fn who(&self) -> &str {
        match (&self.place, self.direction) {
            (Place::Sink, Direction::Request) => "the origin",
            (Place::Sink, Direction::Response) => "the client",
            (Place::Filter(name), _) => name,
        }
    }
}

impl Seen {
    fn is_same(&self, other: &Self, part: Part) -> bool {
        match part {
            Part::Head => self.head == other.head,
            Part::Body => self.body == other.body,
            Part::End => self.end == other.end,
            Part::Trailers => self.trailers == other.trailers,
            Part::Reset => self.reset == other.reset,
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { direction, step, part, envoy, ours, .. } = self;
        let who = self.who();
        write!(f, "{direction:?}, step {step}, {part:?} of {who}: Envoy {envoy}, ours {ours}")
    }
}

/// For each direction, place and part the first, and each time that one of the two has changed
/// since and they still differ: a reason for the first is none for what follows. `loose`: sizes
/// depend on timing, so only what there is in the end counts.
pub(crate) fn differences(envoy: &[Moment], ours: &[Moment], loose: bool) -> Vec<Difference> {
    assert_eq!(envoy.len(), ours.len(), "one moment a step");
    let from = if loose { envoy.len().saturating_sub(1) } else { 0 };
    let mut found: Vec<Difference> = Vec::new();
    for step in from..envoy.len() {
        for (direction, place) in places(&envoy[step], &ours[step]) {
            let a = seen(&envoy[step], direction, &place);
            let b = seen(&ours[step], direction, &place);
            for part in parts(&a, &b, loose) {
                let is_it = |one: &&Difference| {
                    (one.direction, &one.place, one.part) == (direction, &place, part)
                };
                let last = found.iter().rev().find(is_it);
                let is_known = last
                    .is_some_and(|one| one.envoy.is_same(&a, part) && one.ours.is_same(&b, part));
                if !is_known {
                    let (place, envoy, ours) = (place.clone(), a.clone(), b.clone());
                    found.push(Difference { direction, place, step, part, envoy, ours });
                }
            }
        }
    }
    found
}

fn places(a: &Moment, b: &Moment) -> BTreeSet<(Direction, Place)> {
    let filters = a.filters.keys().chain(b.filters.keys());
    let filters = filters.map(|(direction, name)| (*direction, Place::Filter(name.clone())));
    filters.chain(Direction::BOTH.map(|direction| (direction, Place::Sink))).collect()
}

fn seen(moment: &Moment, direction: Direction, place: &Place) -> Seen {
    match place {
        Place::Sink => moment.sink(direction).clone(),
        Place::Filter(name) => moment.filter(direction, name),
    }
}

fn parts(a: &Seen, b: &Seen, loose: bool) -> Vec<Part> {
    let all = [Part::Head, Part::Body, Part::End, Part::Trailers, Part::Reset];
    let is_same = |part| match part {
        Part::Body if loose => a.body.len() == b.body.len(),
        part => a.is_same(b, part),
    };
    all.into_iter().filter(|part| !is_same(*part)).collect()
}
