//! `replace=OLD:NEW`: puts NEW in the place of each OLD, also where OLD spans chunks.
//!
//! Occurrences are found from the front and do not overlap; what was put in is not looked at again.
//! Nothing is copied: what is between two occurrences goes on as the segments it came in, and NEW
//! is one shared segment.
//!
//! What is held is the end of the input, if an occurrence may begin there: less than OLD. Where NEW
//! is longer than OLD and there is no room for it now, the rest is held as well, and looked at when
//! the engine asks again.

use std::sync::Arc;

use bytes::{Buf, Bytes};
use tidegate::{
    BodyBuf, Capability, Declaration, Filter, Head, Interest, Marks, Verdict, View,
    filter::{EditError, EditErrorKind},
};

use super::marks_for;

/// What to look for and what to put there.
#[derive(Debug)]
pub(crate) struct Rule {
    old: Bytes,
    new: Bytes,
    /// `borders[i]`: the longest proper prefix of `old` that ends `old[..=i]`.
    borders: Box<[usize]>,
}

impl Rule {
    /// A rule to replace `old`, which must not be empty.
    pub(crate) fn new(old: Bytes, new: Bytes) -> Self {
        let mut borders = vec![0; old.len()];
        for i in 1..old.len() {
            borders[i] = step(&old, &borders, borders[i - 1], old[i]);
        }
        Self { old, new, borders: borders.into() }
    }

    /// How many bytes at the end of `body` may be the beginning of an occurrence. Less than `old`,
    /// which is not in `body` behind `from`; what is before that does not count.
    fn open_end(&self, body: &BodyBuf, from: usize) -> usize {
        let window = (body.len() - from).min(self.old.len() - 1);
        let mut cursor = body.cursor();
        cursor.seek(body.len() - window);
        let mut matched = 0;
        while cursor.has_remaining() {
            for &byte in cursor.slice() {
                matched = step(&self.old, &self.borders, matched, byte);
            }
            cursor.advance(cursor.slice().len());
        }
        matched
    }
}

/// How much of `old` the input ends with after `byte`, if it ended with `matched` before (Knuth,
/// Morris, Pratt). Never called with all of `old` matched.
fn step(old: &[u8], borders: &[usize], mut matched: usize, byte: u8) -> usize {
    while matched > 0 && old[matched] != byte {
        matched = borders[matched - 1];
    }
    matched + usize::from(old[matched] == byte)
}

/// Replaces by a rule.
#[derive(Debug)]
pub(crate) struct Replace {
    rule: Arc<Rule>,
    marks: Marks,
}

impl Replace {
    /// Replaces by `rule`. The marks are raised to have room for OLD and for NEW.
    pub(crate) fn new(rule: Arc<Rule>, marks: Marks) -> Self {
        let marks = marks_for(marks, rule.old.len() as u64 - 1, rule.new.len() as u64);
        Self { rule, marks }
    }

    /// Looks at everything in the view: what is held was not let go because it was not done.
    fn look<H: Head>(&self, view: &mut View<'_, H>) -> Verdict {
        let rewritten = match view.body().find(&self.rule.old, 0) {
            None => Ok(Done { bytes: 0, full: false }),
            Some(_) => self.rewrite(view),
        };
        match rewritten {
            Ok(Done { bytes, full: true }) => Verdict::pass_first(bytes),
            Ok(_) if view.input_ended() => Verdict::PASS,
            Ok(done) => match self.rule.open_end(view.body(), done.bytes) {
                0 => Verdict::PASS,
                open => Verdict::pass_first(view.body().len() - open),
            },
            Err(error) => view.fail(error),
        }
    }

    /// Replaces from the front, as far as there is room. The bytes still to be looked at are taken
    /// out and said to be kept, so that they stay charged: edits in place would walk over all that
    /// is done for every occurrence.
    fn rewrite<H: Head>(&self, view: &mut View<'_, H>) -> Result<Done, EditError> {
        let Rule { old, new, .. } = &*self.rule;
        let mut rest = view.take()?;
        let mut between = BodyBuf::new();
        view.set_kept_bytes(rest.len() as u64)?;
        let mut full = false;
        while let Some(at) = rest.find(old, 0) {
            rest.move_to(&mut between, at);
            view.set_kept_bytes((rest.len() - old.len()) as u64)?;
            give(view, &mut between)?;
            match view.push(new.clone()) {
                Ok(()) => rest.advance(old.len()),
                Err(error) if error.kind() == EditErrorKind::Full => {
                    full = true;
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        let bytes = view.body().len();
        view.set_kept_bytes(0)?;
        give(view, &mut rest)?;
        Ok(Done { bytes, full })
    }
}

/// How far a view was rewritten: its first bytes are done. Full: there was no room for more.
#[derive(Debug, Clone, Copy)]
struct Done {
    bytes: usize,
    full: bool,
}

/// Puts bytes back that were taken out.
fn give<H: Head>(view: &mut View<'_, H>, bytes: &mut BodyBuf) -> Result<(), EditError> {
    while let Some(segment) = bytes.pop_front() {
        view.push(segment)?;
    }
    Ok(())
}

impl<H: Head> Filter<H> for Replace {
    fn declare(&self) -> Declaration {
        Declaration::new()
            .interest(Interest::DATA)
            .require(Capability::ChangeLength)
            .require(Capability::SeeEnd)
            .marks(self.marks)
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.look(view)
    }

    fn resume(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.look(view)
    }
}

#[cfg(test)]
mod tests;
