//! The rules, checked on a run of our own, hop by hop (I1, I3, I4, I5, I9).

use super::board::Board;
use super::kind::Kind;
use super::lane::Lane;
use crate::moment::Seen;

/// What stands before a hop, and whose message it is.
struct Before {
    who: String,
    gave: Seen,
    local: bool,
}

/// Checks one direction. `names` in the order in which its messages meet the filters.
pub(crate) fn check<'a, H: Kind>(
    lane: &Lane<H>,
    names: impl Iterator<Item = &'a str>,
    board: &Board,
) -> Vec<String> {
    let notes = board.lock();
    let Some(side) = &lane.side else { return Vec::new() };
    let complete = side.chain().outcome().is_some_and(tidegate::Outcome::is_complete);
    let mut faults = Vec::new();
    let mut fault = |hop: String, what: &str| {
        faults.push(format!("{:?} {hop}: {what}", H::DIRECTION));
    };
    let mut before = Before { who: "source".to_owned(), gave: lane.taken.clone(), local: false };
    let mut grown_bytes = 0;
    for name in names {
        let Some(station) = notes.stations.get(&(H::DIRECTION, name.to_owned())) else { continue };
        if !station.started {
            continue;
        }
        grown_bytes += station.grown_bytes;
        let hop = format!("{} to {name}", before.who);
        // A reply begins where it was made: there is nothing before it to compare with.
        if station.local == before.local
            && let Some(what) = broken(&before.gave, &station.shown, complete)
        {
            fault(hop, what);
        }
        let (gave, local) = (station.given.clone(), station.local);
        before = Before { who: name.to_owned(), gave, local };
    }
    // A reply may go past filters.
    let is_its = !before.local && status(&lane.sink) == status(&before.gave);
    if lane.sink.head.is_some() && is_its {
        let mut sink = lane.sink.clone();
        // Of a head only whether it came: a sink sees fields that filters do not log.
        sink.head = sink.head.and_then(|_| before.gave.head.clone());
        if let Some(what) = broken(&before.gave, &sink, complete) {
            fault(format!("{} to sink", before.who), what);
        }
    }
    // Bytes of a reply are none of the message.
    let replied = lane.sink.head.is_some() && !is_its;
    let stats = side.chain().stats();
    let (had, moved) = (
        stats.input_bytes.cast_signed() + grown_bytes,
        (stats.output_bytes + stats.discarded_bytes).cast_signed(),
    );
    if side.chain().outcome().is_some() && !replied && moved != had {
        fault("all".to_owned(), &format!("{had} bytes had, {moved} accounted for (I1)"));
    }
    faults
}

fn status(seen: &Seen) -> Option<&String> {
    seen.head.as_ref().and_then(|head| head.get(":status"))
}

/// What is wrong between what one gave and the next was shown.
fn broken(gave: &Seen, shown: &Seen, complete: bool) -> Option<&'static str> {
    let (gave_body, shown_body) = (&gave.body.0, &shown.body.0);
    if shown.head.is_some() && gave.head.is_none() {
        Some("a head that was held (I4)")
    } else if shown.head.is_none() && (!shown_body.is_empty() || shown.end) {
        Some("body before the head (I3)")
    } else if !gave_body.starts_with(shown_body) {
        Some("other bytes than were let go (I1, I3, I4)")
    } else if shown.end && !gave.end {
        Some("an end that was held (I5)")
    } else if shown.end && gave_body.len() != shown_body.len() {
        Some("an end before the last byte (I5)")
    } else if shown.end && gave.trailers != shown.trailers {
        Some("other trailers than were let go (I5)")
    } else if complete && !(shown.end && gave.end) {
        Some("complete without an end (I9)")
    } else {
        None
    }
}

/// Each started filter is closed once, and no other (I9).
pub(crate) fn check_closes(board: &Board) -> Vec<String> {
    let notes = board.lock();
    let wrong = notes.stations.iter().filter(|(_, s)| s.closed != u32::from(s.started));
    wrong.map(|((d, name), s)| format!("{d:?} {name}: {} closes (I9)", s.closed)).collect()
}
