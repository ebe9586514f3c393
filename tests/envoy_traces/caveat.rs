//! Differences that are no broken rule: where tidegate was decided otherwise, or where the
//! recording shows its own machinery. The list is closed, and each has a test on the trace.

use std::collections::BTreeMap;
use std::fmt;

use crate::compare::{Difference, Part, Place};
use crate::moment::Moment;
use crate::play::limit_bytes;
use crate::trace::entry::{Callback, Do, Enter, Exit, Stated};
use crate::trace::{
    Direction, Entry, Input, Place as Bytes, Protocol, Status, Step, Text, Trace, Verb,
};

/// Why a difference is none of the rules I1 to I14.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Caveat {
    /// The recorder's wrapper does not tell a filter of its own reply.
    ReplierNotCalled,
    /// A reply of the response direction goes to the client at once; ours goes through the filters
    /// that have had no head.
    ReplyPastLaterFilters,
    /// Replies of the engine have a text in Envoy, and none here.
    EngineReplyText,
    /// An upstream that broke off before the client had a head is a 503 in Envoy, a 502 here.
    UpstreamStatus,
    /// A filter that breaks a message off resets the stream in Envoy; here it fails the message,
    /// which is answered.
    ResetByFilter,
    /// HTTP/1: Envoy closes a broken connection after a while.
    LateClose,
    /// A filter that may change the length takes `content-length` away, whether or not it does.
    LengthDropped,
    /// Envoy holds a piece more than its limit, and reads on until then.
    SoftLimit,
    /// An end that came apart, and has nothing before it but the head, is shown with the head.
    EndWithHead,
    /// Envoy calls a filter with a piece that is empty and no end, and its answer moves something.
    EmptyPiece,
    /// Envoy lets a filter edit what it is not shown yet, because it stopped everything.
    UnseenEdited,
}

impl Caveat {
    pub(crate) const ALL: [Self; 11] = [
        Self::ReplierNotCalled,
        Self::ReplyPastLaterFilters,
        Self::EngineReplyText,
        Self::UpstreamStatus,
        Self::ResetByFilter,
        Self::LateClose,
        Self::LengthDropped,
        Self::SoftLimit,
        Self::EndWithHead,
        Self::EmptyPiece,
        Self::UnseenEdited,
    ];

    /// Whether the trace shows how exactly this difference comes about. Of the others it shows
    /// that something else went on from there.
    pub(crate) fn is_narrow(self) -> bool {
        match self {
            Self::ReplierNotCalled
            | Self::ReplyPastLaterFilters
            | Self::EngineReplyText
            | Self::UpstreamStatus
            | Self::ResetByFilter
            | Self::LateClose
            | Self::LengthDropped
            | Self::SoftLimit
            | Self::EndWithHead => true,
            Self::EmptyPiece | Self::UnseenEdited => false,
        }
    }

    /// Whether the trace shows that this is what makes the difference.
    pub(crate) fn holds(self, trace: &Trace, envoy: &[Moment], one: &Difference) -> bool {
        match self {
            Self::ReplierNotCalled => replier_not_called(trace, one),
            Self::ReplyPastLaterFilters => reply_past_later_filters(trace, one),
            Self::EngineReplyText => engine_reply_text(trace, one),
            Self::UpstreamStatus => upstream_status(trace, one),
            Self::ResetByFilter => reset_by_filter(trace, one),
            Self::LateClose => late_close(trace, envoy, one),
            Self::LengthDropped => length_dropped(trace, one),
            Self::SoftLimit => soft_limit(trace, one),
            Self::EndWithHead => end_with_head(trace, one),
            Self::EmptyPiece => empty_piece(trace, one),
            Self::UnseenEdited => unseen_edited(trace, one),
        }
    }
}

impl fmt::Display for Caveat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ReplierNotCalled => {
                "the recorder's wrapper does not call a filter for its own local reply; tidegate \
                 shows it to the whole response chain"
            }
            Self::ReplyPastLaterFilters => {
                "a reply made while response headers are held goes to the client past all filters; \
                 here the filters behind the replier that have had no head see it"
            }
            Self::EngineReplyText => "Envoy's own 413 and 500 have a text; tidegate's have no body",
            Self::UpstreamStatus => {
                "an upstream that breaks off is a 503 with a text in Envoy, an empty 502 here"
            }
            Self::ResetByFilter => {
                "a filter that breaks off resets the stream in Envoy; here the message fails, and \
                 the client is answered 500 as long as it has no head"
            }
            Self::LateClose => {
                "Envoy closes a broken HTTP/1 connection after a second, not at once"
            }
            Self::LengthDropped => {
                "`content-length` is taken off the head where a filter may change the length, \
                 before it is known whether it does (I12)"
            }
            Self::SoftLimit => {
                "Envoy's buffer goes over its limit by what was in flight, so more is read before \
                 the pause; here the rest waits at the source"
            }
            Self::EndWithHead => {
                "an end with nothing before it but a held head is shown together with that head"
            }
            Self::EmptyPiece => {
                "Envoy calls a filter with an empty piece that is no end, and the answer moves or \
                 adds something; tidegate does not ask about nothing"
            }
            Self::UnseenEdited => {
                "a filter that stopped everything edits what queues for it unseen; here it can \
                 edit only what it was shown"
            }
        })
    }
}

/// All entries up to a step, in order.
fn until(trace: &Trace, step: usize) -> impl Iterator<Item = &Entry> {
    trace.steps.iter().filter(move |record| record.step <= step).flat_map(|record| &record.filters)
}

fn enters(trace: &Trace, step: usize) -> impl Iterator<Item = &Enter> {
    until(trace, step).filter_map(|entry| match entry {
        Entry::Enter(enter) => Some(enter),
        _ => None,
    })
}

fn dos(trace: &Trace, step: usize) -> impl Iterator<Item = &Do> {
    until(trace, step).filter_map(|entry| match entry {
        Entry::Do(act) => Some(act),
        _ => None,
    })
}

/// Local replies until a step: what Envoy says of each.
fn replies(trace: &Trace, step: usize) -> impl Iterator<Item = &str> {
    let hooks = enters(trace, step).filter(|enter| enter.cb == Callback::LocalReply);
    hooks.filter_map(|enter| enter.details.as_deref())
}

fn field<'a>(seen: &'a crate::moment::Seen, name: &str) -> Option<&'a str> {
    seen.head.as_ref()?.get(name).map(String::as_str)
}

/// It replied itself, its response callbacks were never called, and ours was shown its reply.
fn replier_not_called(trace: &Trace, one: &Difference) -> bool {
    let Place::Filter(name) = &one.place else { return false };
    let replied = dos(trace, one.step)
        .any(|act| act.f == *name && matches!(act.verb, Verb::LocalReply { .. }));
    one.direction == Direction::Response
        && replied
        && one.envoy.head.is_none()
        && field(&one.ours, "x-s-local") == Some(name)
        && trace.client_received.body.0.starts_with(&one.ours.body.0)
}

/// A response had begun when the reply was made; this filter had no head, and never gets one; ours
/// was shown the head that the client got.
fn reply_past_later_filters(trace: &Trace, one: &Difference) -> bool {
    let Place::Filter(_) = &one.place else { return false };
    let mut begun = false;
    let in_response = enters(trace, one.step).any(|enter| {
        begun |= enter.cb == Callback::ResponseHeaders;
        begun && enter.cb == Callback::LocalReply
    });
    let client = trace.client_received.headers.as_ref().and_then(|head| head.get(":status"));
    one.direction == Direction::Response
        && in_response
        && one.envoy.head.is_none()
        && field(&one.ours, ":status") == client.map(String::as_str)
        && trace.client_received.body.0.starts_with(&one.ours.body.0)
}

/// Both made the same reply of the engine, and what differs is its text.
fn engine_reply_text(trace: &Trace, one: &Difference) -> bool {
    let by_limit = replies(trace, one.step).any(|details| details.ends_with("_payload_too_large"));
    let same_status = field(&one.envoy, ":status") == field(&one.ours, ":status");
    let texts: [&[u8]; 3] = [b"", b"Payload Too Large", b"Internal Server Error"];
    one.direction == Direction::Response
        && by_limit
        && same_status
        && matches!(field(&one.ours, ":status"), Some("413" | "500"))
        && texts.contains(&one.envoy.body.0.as_slice())
        && matches!(one.part, Part::Head | Part::Body)
        && field(&one.ours, "content-length") == Some("0")
        && one.ours.body.is_empty()
}

fn upstream_status(trace: &Trace, one: &Difference) -> bool {
    let by_reset = replies(trace, one.step).any(|details| details.starts_with("upstream_reset"));
    one.direction == Direction::Response
        && by_reset
        && field(&one.envoy, ":status") == Some("503")
        && field(&one.ours, ":status") == Some("502")
        && one.ours.body.is_empty()
        && one.envoy.body.0.starts_with(b"upstream connect error")
        && matches!(one.part, Part::Head | Part::Body)
}

fn reset_by_filter(trace: &Trace, one: &Difference) -> bool {
    let resets = dos(trace, one.step).any(|act| act.verb == Verb::ResetStream);
    one.direction == Direction::Response
        && resets
        && one.envoy.head.is_none()
        && field(&one.ours, ":status") == Some("500")
        && one.ours.body.is_empty()
        && one.ours.end
}

/// It comes later, and nothing else does.
fn late_close(trace: &Trace, envoy: &[Moment], one: &Difference) -> bool {
    let in_the_end = envoy.last().is_some_and(|moment| moment.sink(one.direction).reset);
    trace.script.proto.down == Protocol::H1
        && one.direction == Direction::Response
        && one.place == Place::Sink
        && one.part == Part::Reset
        && one.ours.reset
        && in_the_end
        && trace.received(one.direction).closed.is_some()
}

/// Only the declared length differs: ours has none, and a filter of this direction may edit.
fn length_dropped(trace: &Trace, one: &Difference) -> bool {
    let (Some(envoy), Some(ours)) = (&one.envoy.head, &one.ours.head) else { return false };
    let mut without = envoy.clone();
    let declared = without.remove("content-length").is_some();
    let edits = trace.script.chain.iter().flat_map(|filter| &filter.cb).any(|(kind, acts)| {
        acts.values().any(|act| {
            let takes = act.status == Some(Status::StopIterationNoBuffer);
            (takes && kind.direction() == Some(one.direction))
                || act.verbs.iter().any(|verb| match verb {
                    Verb::Append(direction, ..) | Verb::Drain(direction, ..) => {
                        *direction == one.direction
                    }
                    _ => false,
                })
        })
    });
    one.part == Part::Head && declared && edits && without == *ours
}

/// Only how much was read before a pause, and Envoy's buffer was over its limit.
fn soft_limit(trace: &Trace, one: &Difference) -> bool {
    let Some(limit_bytes) = limit_bytes(trace) else { return false };
    let is_over = |buf: &Stated| buf.bytes().len() as u64 > limit_bytes;
    let was_over = until(trace, one.step).any(|entry| match entry {
        Entry::Enter(Enter { cb, buf, .. }) | Entry::Exit(Exit { cb, buf, .. }) => {
            cb.direction() == Some(one.direction) && is_over(buf)
        }
        Entry::Do(_) | Entry::Did(_) | Entry::Note(_) => false,
    });
    let (envoy, ours) = (&one.envoy.body.0, &one.ours.body.0);
    trace.script.loose && one.part == Part::Body && was_over && envoy.starts_with(ours)
}

/// The end of the source had come, and ours has seen the head and the end but no byte.
fn end_with_head(trace: &Trace, one: &Difference) -> bool {
    let sent = trace.script.steps.iter().take(one.step + 1);
    let end_came = sent.into_iter().any(|step| match step {
        Step::Input(direction, Input::End | Input::Data { end: true, .. }) => {
            *direction == one.direction
        }
        _ => false,
    });
    matches!(one.place, Place::Filter(_))
        && one.part == Part::End
        && end_came
        && one.ours.end
        && one.ours.head.is_some()
        && one.ours.head == one.envoy.head
        && one.ours.body.is_empty()
        && one.envoy.body.is_empty()
}

/// What a filter answered last, in one direction.
fn stopped(status: Status) -> bool {
    match status {
        Status::StopIteration
        | Status::StopAllIterationAndBuffer
        | Status::StopAllIterationAndWatermark
        | Status::StopIterationAndBuffer
        | Status::StopIterationAndWatermark
        | Status::StopIterationNoBuffer => true,
        Status::Continue
        | Status::ContinueAndDontEndStream
        | Status::ContinueAndResetStream
        | Status::Nothing => false,
    }
}

/// A filter that had stopped answered such a piece with Continue, or one added to such a piece.
fn empty_piece(trace: &Trace, one: &Difference) -> bool {
    let mut stops: BTreeMap<&str, bool> = BTreeMap::new();
    let mut empty: BTreeMap<&str, bool> = BTreeMap::new();
    for entry in until(trace, one.step) {
        match entry {
            Entry::Enter(enter) if enter.cb.direction() == Some(one.direction) => {
                let nothing = enter.recv.as_ref().is_some_and(Text::is_empty);
                empty.insert(&enter.f, nothing && enter.end == Some(false));
            }
            Entry::Exit(exit) if exit.cb.direction() == Some(one.direction) => {
                let had_stopped = stops.insert(&exit.f, stopped(exit.ret)).unwrap_or(false);
                let adds = exit.recv.as_ref().is_some_and(|bytes| !bytes.is_empty());
                let was_empty = empty.get(exit.f.as_str()).copied().unwrap_or(false);
                if was_empty && (adds || (had_stopped && !stopped(exit.ret))) {
                    return true;
                }
            }
            Entry::Enter(_) | Entry::Exit(_) | Entry::Do(_) | Entry::Did(_) | Entry::Note(_) => {}
        }
    }
    false
}

/// A filter whose last answer stopped everything edited the buffer.
fn unseen_edited(trace: &Trace, one: &Difference) -> bool {
    let mut quiet: BTreeMap<&str, bool> = BTreeMap::new();
    for entry in until(trace, one.step) {
        match entry {
            Entry::Exit(exit) if exit.cb.direction() == Some(one.direction) => {
                let all = [Status::StopAllIterationAndBuffer, Status::StopAllIterationAndWatermark];
                quiet.insert(&exit.f, all.contains(&exit.ret));
            }
            Entry::Do(act) => {
                let edits = matches!(act.verb, Verb::Drain(direction, Bytes::Buffered, _)
                    if direction == one.direction);
                if edits && quiet.get(act.f.as_str()).copied().unwrap_or(false) {
                    return true;
                }
            }
            Entry::Enter(_) | Entry::Exit(_) | Entry::Did(_) | Entry::Note(_) => {}
        }
    }
    false
}
