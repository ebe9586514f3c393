//! That a message ends, and is answered, as somebody wanted it: also where the recording went
//! another way and cannot tell (I1, I9).

use http::{request, response};
use tidegate::{ErrorKind, Head, Outcome};

use super::board::Notes;
use super::kind::Kind;
use super::lane::Lane;
use crate::moment::Seen;

/// Checks both directions after a step. `limited`: the scenario sets a limit, and a message that
/// goes over it is ended too.
pub(crate) fn check(
    request: &Lane<request::Parts>,
    response: &Lane<response::Parts>,
    limited: bool,
    notes: &Notes,
) -> Vec<String> {
    let mut faults = Vec::new();
    let by_limit = limited && [outcome(request), outcome(response)].into_iter().any(is_over_limit);
    let is_wanted = by_limit || notes.broken_off || !notes.replies.is_empty();
    // A request that is answered is not needed any more.
    let answered = outcome(response).is_some_and(Outcome::is_complete);
    for (direction, outcome, is_wanted) in [
        ("Request", outcome(request), is_wanted || answered),
        ("Response", outcome(response), is_wanted),
    ] {
        if let Some(outcome) = outcome
            && !outcome.is_complete()
            && !is_wanted
        {
            faults.push(format!("{direction}: ended by nobody, {outcome:?} (I1)"));
        }
    }
    if !is_made_by_somebody(&response.sink, &response.taken, by_limit, notes) {
        faults.push(format!("Response: a head that nobody made, {} (I1)", response.sink));
    }
    faults
}

fn outcome<H: Head + Kind>(lane: &Lane<H>) -> Option<&Outcome> {
    lane.side.as_ref().and_then(|side| side.chain().outcome())
}

fn is_over_limit(outcome: Option<&Outcome>) -> bool {
    let error = outcome.and_then(Outcome::error);
    error.is_some_and(|error| matches!(error.kind(), ErrorKind::Limit { .. }))
}

/// Whether the head that the client has is the origin's, a filter's, or one of the answers that
/// the engine has for what happened.
fn is_made_by_somebody(client: &Seen, origin: &Seen, over_limit: bool, notes: &Notes) -> bool {
    let Some(head) = &client.head else { return true };
    let same = |other: &crate::trace::wire::Fields| {
        [":status", "x-s-local"].iter().all(|name| head.get(*name) == other.get(*name))
    };
    let status = head.get(":status").map_or("", String::as_str);
    let by_limit = over_limit && ["413", "500"].contains(&status);
    let by_failure = notes.broken_off && ["400", "500", "502"].contains(&status);
    origin.head.as_ref().is_some_and(same)
        || notes.replies.iter().any(same)
        || ((by_limit || by_failure) && client.body.is_empty() && client.trailers.is_none())
}

#[cfg(test)]
mod tests {
    use super::is_made_by_somebody;
    use crate::moment::Seen;
    use crate::play::board::Notes;
    use crate::trace::Text;

    fn with_status(status: &str) -> Seen {
        let head = Some([(":status".to_owned(), status.to_owned())].into());
        Seen { head, ..Seen::default() }
    }

    #[test]
    fn a_status_that_nobody_made_is_found() {
        let (origin, nobody) = (with_status("200"), Notes::default());
        let made = |client: &Seen, over_limit, notes: &Notes| {
            is_made_by_somebody(client, &origin, over_limit, notes)
        };
        assert!(made(&Seen::default(), false, &nobody));
        assert!(made(&with_status("200"), false, &nobody));
        for status in ["403", "413", "500", "502"] {
            assert!(!made(&with_status(status), false, &nobody), "{status}");
        }
        assert!(made(&with_status("413"), true, &nobody));
        assert!(!made(&with_status("502"), true, &nobody));
        let text = Seen { body: Text("no".into()), ..with_status("413") };
        assert!(!made(&text, true, &nobody));
        let notes = Notes { broken_off: true, ..Notes::default() };
        assert!(made(&with_status("502"), false, &notes));
        let replies = vec![with_status("403").head.unwrap_or_default()];
        assert!(made(&with_status("403"), false, &Notes { replies, ..Notes::default() }));
    }
}
