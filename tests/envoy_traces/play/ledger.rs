//! The rules, checked on a run of our own, hop by hop (I1, I3, I4, I5, I8, I9).

use super::board::Board;
use super::kind::Kind;
use super::lane::Lane;
use crate::moment::Seen;
use crate::trace::wire::Fields;

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
    // A reply may go past filters: it has a status of its own.
    let is_its = !before.local && status(&lane.sink) == status(&lane.taken);
    if lane.sink.head.is_some() && is_its {
        let mut sink = lane.sink.clone();
        // Filters do not log it.
        sink.head.iter_mut().for_each(|head| drop(head.remove(":method")));
        if let Some(what) = broken(&before.gave, &sink, complete) {
            fault(format!("{} to sink", before.who), what);
        }
    }
    if breaks_length(&lane.sink, side.chain().is_bodiless()) {
        fault("sink".to_owned(), "another length than was declared (I12)");
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
    } else if let (Some(gave), Some(shown)) = (&gave.head, &shown.head)
        && !is_same_head(gave, shown)
    {
        Some("another head than was let go (I1)")
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

/// Whether one head is the other; a declared length may go on the way (I12).
fn is_same_head(gave: &Fields, shown: &Fields) -> bool {
    let lost = |name: &str| name == "content-length" && !shown.contains_key(name);
    let mut kept = gave.clone();
    kept.retain(|name, _| !lost(name));
    kept == *shown
}

/// A declared length at the sink is that of the body (I12).
fn breaks_length(sink: &Seen, bodiless: bool) -> bool {
    let declared = sink.head.as_ref().and_then(|head| head.get("content-length"));
    let Some(declared) = declared.and_then(|text| text.parse::<usize>().ok()) else { return false };
    let bytes = sink.body.len();
    bytes > declared || (sink.end && !bodiless && bytes < declared)
}

/// When nothing moves any more, each resume has been served (I6), and nobody holds more than the
/// limit that it set itself (I7).
pub(crate) fn check_served<H: Kind>(
    lane: &Lane<H>,
    limit_bytes: Option<u64>,
    board: &Board,
) -> Vec<String> {
    let is_live = lane.side.as_ref().is_some_and(|side| side.chain().outcome().is_none());
    if !is_live {
        return Vec::new();
    }
    let notes = board.lock();
    let own = notes.stations.iter().filter(|((direction, _), _)| *direction == H::DIRECTION);
    let mut faults = Vec::new();
    for ((direction, name), station) in own {
        if !station.asked.is_empty() {
            faults.push(format!("{direction:?} {name}: a resume was not served (I6)"));
        }
        let held_bytes = station.held.len() as u64;
        if station.rejects && limit_bytes.is_some_and(|limit_bytes| held_bytes > limit_bytes) {
            faults.push(format!("{direction:?} {name}: {held_bytes} bytes not refused (I7)"));
        }
    }
    faults
}

/// When nothing moves any more, everything that was let go has arrived, but for what queues before
/// a quiet hold (I8). For scenarios without a limit, in which nothing is over a mark.
pub(crate) fn check_live<'a, H: Kind>(
    lane: &Lane<H>,
    names: impl Iterator<Item = &'a str>,
    board: &Board,
) -> Vec<String> {
    let notes = board.lock();
    let Some(side) = &lane.side else { return Vec::new() };
    if side.chain().outcome().is_some() {
        return Vec::new();
    }
    let mut faults = Vec::new();
    let mut fault = |from: &str, to: &str| {
        faults
            .push(format!("{:?} {from} to {to}: what was let go stays behind (I8)", H::DIRECTION));
    };
    if side.chain().has_work() || lane.source_waits() {
        fault("source", "chain");
    }
    let (mut who, mut gave) = ("source", lane.taken.clone());
    for name in names {
        let station = notes.stations.get(&(H::DIRECTION, name.to_owned()));
        let shown = station.map(|station| station.shown.clone()).unwrap_or_default();
        let quiet = station.is_some_and(|station| station.quiet);
        // A reply begins at some filter.
        let local = station.is_some_and(|station| station.local);
        if !quiet && !local && is_behind(&shown, &gave) {
            fault(who, name);
        }
        (who, gave) = (name, station.map(|station| station.given.clone()).unwrap_or_default());
    }
    if is_behind(&lane.sink, &gave) {
        fault(who, "sink");
    }
    faults
}

/// Whether not all of what one gave is what the next has.
fn is_behind(has: &Seen, gave: &Seen) -> bool {
    (gave.head.is_some() && has.head.is_none())
        || gave.body.len() > has.body.len()
        || (gave.end && !has.end)
}

/// Each started filter is closed once, and no other (I9).
pub(crate) fn check_closes(board: &Board) -> Vec<String> {
    let notes = board.lock();
    let wrong = notes.stations.iter().filter(|(_, s)| s.closed != u32::from(s.started));
    wrong.map(|((d, name), s)| format!("{d:?} {name}: {} closes (I9)", s.closed)).collect()
}

#[cfg(test)]
mod tests {
    use super::{breaks_length, broken, is_behind};
    use crate::moment::Seen;
    use crate::trace::Text;

    fn seen(head: bool, body: &str, end: bool) -> Seen {
        let head = head.then(Default::default);
        Seen { head, body: Text(body.into()), end, ..Seen::default() }
    }

    #[track_caller]
    fn finds(rule: &str, gave: &Seen, shown: &Seen, complete: bool) {
        let found = broken(gave, shown, complete).unwrap_or_default();
        assert!(found.contains(rule), "{rule} is to be found in {found:?}");
    }

    #[test]
    fn each_broken_rule_of_a_hop_is_found() {
        let gave = seen(true, "d1d2", true);
        assert_eq!(broken(&gave, &gave, true), None);
        assert_eq!(broken(&gave, &seen(true, "d1", false), false), None);
        finds("I4", &seen(false, "", false), &seen(true, "", false), false);
        finds("I3", &gave, &seen(false, "d1", false), false);
        finds("I1", &gave, &seen(true, "d2", false), false);
        finds("I1", &gave, &seen(true, "d1d2d2", false), false);
        finds("I5", &seen(true, "d1", false), &seen(true, "d1", true), false);
        finds("I5", &gave, &seen(true, "d1", true), false);
        finds("I9", &gave, &seen(true, "d1d2", false), true);
        let mut trailers = gave.clone();
        trailers.trailers = Some([("x-t".to_owned(), "1".to_owned())].into());
        finds("I5", &trailers, &gave, false);
    }

    #[test]
    fn another_head_is_found_and_a_lost_length_is_none() {
        let head = |fields: &[(&str, &str)]| {
            let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            Seen { head: Some(fields.iter().map(own).collect()), ..Seen::default() }
        };
        let gave = head(&[("content-length", "2"), ("x-a", "1")]);
        assert_eq!(broken(&gave, &head(&[("x-a", "1")]), false), None);
        finds("another head", &gave, &head(&[("content-length", "2")]), false);
        finds("another head", &gave, &head(&[("content-length", "3"), ("x-a", "1")]), false);
        finds("another head", &head(&[]), &gave, false);
    }

    #[test]
    fn a_length_that_is_not_that_of_the_body_is_found() {
        let mut sink = seen(true, "d1", false);
        sink.head = Some([("content-length".to_owned(), "3".to_owned())].into());
        assert!(!breaks_length(&sink, false));
        sink.end = true;
        assert!(breaks_length(&sink, false));
        assert!(!breaks_length(&sink, true));
        sink.body = Text("d1d2".into());
        assert!(breaks_length(&sink, true));
    }

    #[test]
    fn what_stays_behind_is_found() {
        let gave = seen(true, "d1", true);
        assert!(!is_behind(&gave, &gave));
        assert!(is_behind(&seen(false, "", false), &gave));
        assert!(is_behind(&seen(true, "d", false), &gave));
        assert!(is_behind(&seen(true, "d1", false), &gave));
    }
}
