//! What has to have come of a case.

use tidegate::ext_proc::session::SessionEnd;

use crate::case::{Case, Direction, Start};
use crate::data_plane::{Body, Lane, PeerEnd, Wrong};
use crate::filter::Kind;
use crate::message::value;
use crate::stage::Stage;

pub(crate) fn judge(case: &Case, stage: &Stage) -> Result<(), Wrong> {
    let plane = &stage.plane;
    // P7, scenario 92: complete, or visibly failed.
    for (name, lane) in [("origin", &plane.request), ("client", &plane.response)] {
        if lane.peer.end == PeerEnd::Open {
            return Err(format!("the {name} waits for ever"));
        }
    }
    let is_response_ours = plane.replied.is_some();
    check(&case.request, &plane.request).map_err(|wrong| format!("request: {wrong}"))?;
    if !is_response_ours {
        check(&case.response, &plane.response).map_err(|wrong| format!("response: {wrong}"))?;
    }
    // Scenario 93.
    let bound = stage.plan.held_bound_bytes() + longest_piece(case);
    if stage.most_held_bytes > bound {
        return Err(format!("{} bytes held, the bound is {bound}", stage.most_held_bytes));
    }
    if stage.session.held_bytes() != 0 {
        return Err(format!("{} bytes held at the end", stage.session.held_bytes()));
    }
    let breaks = |direction: &Direction| direction.filters.iter().any(|each| each.breaks());
    let unsaid = |direction: &Direction| is_head_unsaid(case, direction);
    if case.fault.is_some()
        || [&case.request, &case.response].into_iter().any(|each| breaks(each) || unsaid(each))
    {
        return Ok(());
    }
    untroubled(case, stage)
}

/// A body that is empty and that trailers follow is not asked about: a head that was held for it
/// has no answer left, and the message fails.
fn is_head_unsaid(case: &Case, direction: &Direction) -> bool {
    let is_whole = matches!(direction.plane_mode().body, Body::Buffered | Body::Partial);
    is_whole
        && !case.habits.asks_about_empty
        && direction.message.body().is_empty()
        && direction.message.trailers().is_some()
        && direction.filters.iter().any(|each| each.holds_head())
}

fn longest_piece(case: &Case) -> u64 {
    let pieces = case.request.message.body().len().max(case.response.message.body().len());
    pieces.min(case.settings.cut_bytes) as u64
}

/// Scenario 91: where nothing went wrong, everything arrives, and everything was answered.
fn untroubled(case: &Case, stage: &Stage) -> Result<(), Wrong> {
    let plane = &stage.plane;
    if plane.replied.is_some() {
        return Err(format!("the client got {:?}: {:?}", plane.replied, stage.session.end()));
    }
    if plane.response.peer.end != PeerEnd::Complete {
        return Err(format!("the client was cut off: {:?}", stage.session.end()));
    }
    if plane.response.owes() {
        return Err("the response is complete, and something is owed for it".into());
    }
    if case.start != Start::Late {
        return Ok(());
    }
    if plane.request.peer.end != PeerEnd::Complete || plane.request.owes() {
        return Err("the request is not complete".into());
    }
    match stage.session.end() {
        Some(SessionEnd::Complete | SessionEnd::Released) => Ok(()),
        end => Err(format!("P20: all was answered, and the session ended with {end:?}")),
    }
}

/// What a peer got, if it believes that it got everything.
fn check(direction: &Direction, lane: &Lane) -> Result<(), Wrong> {
    let peer = &lane.peer;
    if peer.end != PeerEnd::Complete {
        return Ok(());
    }
    let filters = &direction.filters;
    let body = direction.message.body();
    let shown = match direction.plane_mode().body {
        Body::None => &body[..0],
        // What is beyond the limit passes by.
        Body::Partial => &lane.shown[..],
        Body::Streamed | Body::Buffered | Body::Duplex => &body[..],
    };
    let behind = &body[shown.len()..];
    let mut expected = filters.iter().fold(shown.to_vec(), |body, each| each.apply(body));
    expected.extend_from_slice(behind);
    if filters.contains(&Kind::Stop) {
        // How much that is depends on the cut: at least nothing is out of order.
        let wraps = filters.contains(&Kind::Wrap);
        return match wraps || expected.starts_with(&peer.body) {
            true => Ok(()),
            false => Err(format!("{:?} is no beginning of {expected:?}", peer.body)),
        };
    }
    if peer.body != expected {
        let text = String::from_utf8_lossy;
        return Err(format!(
            "P7: complete, with {:?}, not {:?}",
            text(&peer.body),
            text(&expected)
        ));
    }
    let fields = peer.fields.as_ref().expect("a message that is complete has a head");
    let is_bodiless = direction.message.chunks.is_empty();
    if let Some(length) = value(fields, "content-length")
        && length != peer.body.len().to_string()
        && !is_bodiless
    {
        return Err(format!("content-length {length} for {} bytes", peer.body.len()));
    }
    check_fields(direction, lane)
}

fn check_fields(direction: &Direction, lane: &Lane) -> Result<(), Wrong> {
    let (peer, filters) = (&lane.peer, &direction.filters);
    let fields = peer.fields.as_ref().expect("a head");
    let has = |kind: Kind| filters.contains(&kind);
    let shows_head = direction.plane_mode().sends_headers;
    if value(fields, "x-mark").is_some() != (has(Kind::MarkHead) && shows_head) {
        return Err(format!("the head was not marked as it should be: {fields:?}"));
    }
    let counts = has(Kind::Count) && !lane.shown.is_empty();
    if counts && value(fields, "x-bytes").is_none() {
        return Err(format!("the body was not counted: {fields:?}"));
    }
    let is_cut = filters.iter().any(|each| matches!(each, Kind::CutAt(_)));
    if is_cut {
        return Ok(());
    }
    let mut expected = direction.message.trailers().cloned();
    if let (Some(trailers), true) = (&mut expected, has(Kind::MarkTrailers)) {
        trailers.push(("x-mark".to_owned(), "1".to_owned()));
    }
    if peer.trailers != expected {
        return Err(format!("trailers {:?}, not {expected:?}", peer.trailers));
    }
    Ok(())
}
