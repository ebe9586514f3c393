use std::collections::VecDeque;

use bytes::Bytes;

use crate::limits;

/// Follows the bytes of a body through a chain, to know whether what comes out is what went in.
///
/// A piece that passes keeps its memory, so pieces are compared by where they lie. The entry holds
/// on to what went in: otherwise a filter's own piece could take its place in memory, and be taken
/// for it. Bytes that were packed count as edited, which costs a copy on the wire and is not wrong.
#[derive(Debug, Default)]
pub(super) struct Passage {
    /// What has gone in and not come out.
    inside: VecDeque<Bytes>,
    inside_bytes: u64,
    verdict: Verdict,
}

/// What is known of the message that is being answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Verdict {
    /// All that has come out is what went in.
    #[default]
    Same,
    /// Something else has come out.
    Other,
}

impl Passage {
    /// A piece goes in, to a chain that holds `held_bytes`. What is inside and not held there was
    /// dropped, or a filter has it in hand: if that is more than a frame, it counts as edited, as
    /// it would be kept here for as long as its message goes on.
    pub(super) fn enter(&mut self, piece: &Bytes, held_bytes: u64) {
        let unheld_bytes = self.inside_bytes.saturating_sub(held_bytes);
        if unheld_bytes > limits::MAX_FRAME_BYTES as u64 {
            self.differ();
        }
        if self.verdict == Verdict::Same {
            self.inside_bytes += piece.len() as u64;
            self.inside.push_back(piece.clone());
        }
    }

    /// A piece comes out.
    pub(super) fn leave(&mut self, piece: &Bytes) {
        let mut rest = &piece[..];
        while self.verdict == Verdict::Same && !rest.is_empty() {
            let is_next = |front: &Bytes| front.as_ptr() == rest.as_ptr();
            let Some(front) = self.inside.front_mut().filter(|front| is_next(front)) else {
                return self.differ();
            };
            let bytes = front.len().min(rest.len());
            rest = &rest[bytes..];
            self.inside_bytes -= bytes as u64;
            if bytes == front.len() {
                self.inside.pop_front();
            } else {
                // Cut in two where a filter let a part go.
                drop(front.split_to(bytes));
            }
        }
    }

    /// Whether all that went in has come out, and nothing else. The next message begins.
    pub(super) fn end_message(&mut self) -> bool {
        let same = self.verdict == Verdict::Same && self.inside.is_empty();
        // What is still inside belongs to the message that was answered without it. When it comes
        // out, it will be no piece of the next one.
        self.inside.clear();
        self.inside_bytes = 0;
        self.verdict = Verdict::Same;
        same
    }

    fn differ(&mut self) {
        self.verdict = Verdict::Other;
        self.inside.clear();
        self.inside_bytes = 0;
    }
}
