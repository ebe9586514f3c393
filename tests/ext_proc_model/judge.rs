//! What has to have come of a case.

use tidegate::ext_proc::mode::BodyMode;
use tidegate::ext_proc::session::SessionEnd;

use crate::case::{Case, Direction, Start, Wish, plane_mode};
use crate::data_plane::{Body, Lane, Mode, PeerEnd, Wrong};
use crate::filter::Kind;
use crate::message::{End, value};
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
    let mode = case.served();
    let is_ignored = mode != case.mode() && !plane.has_taken();
    let request = Shown { mode: plane_mode(mode.request), is_ignored };
    check(&case.request, &plane.request, request).map_err(|wrong| format!("request: {wrong}"))?;
    if !is_response_ours {
        let response = Shown { mode: plane_mode(mode.response), is_ignored };
        check(&case.response, &plane.response, response)
            .map_err(|wrong| format!("response: {wrong}"))?;
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
    let unsaid = is_head_unsaid(case, &case.request, request.mode)
        || is_head_unsaid(case, &case.response, plane_mode(mode.response));
    let breaks = breaks(&case.request) || breaks(&case.response);
    if case.fault.is_some() || breaks || unsaid || plane.has_ignored() {
        return Ok(());
    }
    if mode != case.mode() {
        if !is_servable(case) {
            return Ok(());
        }
        if case.start != Start::Local && !plane.has_taken() {
            return Err("another mode was wanted, and not asked for".into());
        }
    }
    untroubled(case, stage)
}

/// Whether what another mode is wanted for can be done. A reply that comes before the request's
/// head is for filters of the announced mode; and a head that is held for a body of full duplex
/// holds up what asks for it.
fn is_servable(case: &Case) -> bool {
    let is_duplex = case.served().request.body() == BodyMode::FullDuplexStreamed;
    let holds = is_duplex
        && case.wish != Some(Wish::TakenAlone)
        && case.request.filters.contains(&Kind::Count);
    let has_filters = !case.request.filters.is_empty() || !case.response.filters.is_empty();
    !holds && (case.start != Start::Local || !has_filters)
}

/// What the server went by.
#[derive(Clone, Copy)]
struct Shown {
    mode: Mode,
    /// The data plane went by another mode, and did not say so; or it was never asked.
    is_ignored: bool,
}

/// A body that is empty and that trailers follow is not asked about: a head that was held for it,
/// and a body that it is given, have no answer left, and the message fails.
fn is_head_unsaid(case: &Case, direction: &Direction, mode: Mode) -> bool {
    let gives = direction.filters.contains(&Kind::Give);
    if gives && direction.message.body().is_empty() && direction.message.trailers().is_some() {
        return true;
    }
    let is_whole = matches!(mode.body, Body::Buffered | Body::Partial);
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
fn check(direction: &Direction, lane: &Lane, server: Shown) -> Result<(), Wrong> {
    let peer = &lane.peer;
    if peer.end != PeerEnd::Complete {
        return Ok(());
    }
    let filters = &direction.filters;
    let body = direction.message.body();
    let shown = match server.mode.body {
        // Nothing is shown of a head that is the whole message, if no heads are.
        _ if direction.message.end == End::WithHead && !server.mode.sends_headers => {
            return if peer.body.is_empty() { Ok(()) } else { Err("a body from nowhere".into()) };
        }
        _ if server.is_ignored => &lane.shown[..],
        Body::None => &body[..0],
        // What is beyond the limit passes by.
        Body::Partial => &lane.shown[..],
        Body::Streamed | Body::Buffered | Body::Duplex => &body[..],
    };
    let behind = &body[shown.len()..];
    let whole = |gives: bool| {
        let applied = filters.iter().filter(|each| gives || **each != Kind::Give);
        let body = applied.fold(shown.to_vec(), |body, each| each.apply(body));
        [&body[..], behind].concat()
    };
    let mut expected = whole(true);
    // An end that is not said to be one does not count: where trailers follow, it need not be.
    let is_unsaid = direction.message.trailers().is_some() || server.is_ignored;
    if is_unsaid && peer.body != expected {
        expected = whole(false);
    }
    if filters.contains(&Kind::Stop) {
        // How much that is depends on the cut: at least nothing is out of order.
        let wraps = filters.iter().any(|each| matches!(each, Kind::Wrap | Kind::AskWrap));
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
    if server.is_ignored {
        return Ok(());
    }
    let fields = peer.fields.as_ref().expect("a message that is complete has a head");
    let is_bodiless = direction.message.chunks.is_empty();
    if let Some(length) = value(fields, "content-length")
        && length != peer.body.len().to_string()
        && !is_bodiless
    {
        return Err(format!("content-length {length} for {} bytes", peer.body.len()));
    }
    check_fields(direction, lane, server.mode)
}

fn check_fields(direction: &Direction, lane: &Lane, mode: Mode) -> Result<(), Wrong> {
    let (peer, filters) = (&lane.peer, &direction.filters);
    let fields = peer.fields.as_ref().expect("a head");
    let has = |kind: Kind| filters.contains(&kind);
    let is_marked = filters.iter().any(|each| each.marks_head()) && mode.sends_headers;
    if value(fields, "x-mark").is_some() != is_marked {
        return Err(format!("the head was not marked as it should be: {fields:?}"));
    }
    let counts = has(Kind::Count) && !lane.shown.is_empty();
    if counts && value(fields, "x-bytes").is_none() {
        return Err(format!("the body was not counted: {fields:?}"));
    }
    if filters.iter().any(|each| each.cuts()) {
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
