//! How calls, outputs and outcomes read in a log.

use http::HeaderMap;
use tidegate::{BodyBuf, Error, ErrorKind, Outcome};

use super::Dir;

/// Body bytes as text; longer ones with runs counted: `{x*600}`.
pub(crate) fn text(bytes: &[u8]) -> String {
    const PLAIN: usize = 40;
    const RUN: usize = 8;
    if bytes.len() <= PLAIN {
        return String::from_utf8_lossy(bytes).replace('\n', "\\n");
    }
    let mut out = String::new();
    for run in bytes.chunk_by(|a, b| a == b) {
        let shown = String::from_utf8_lossy(&run[..1]).into_owned();
        if run.len() < RUN {
            out.push_str(&shown.repeat(run.len()));
        } else {
            out.push_str(&format!("{{{shown}*{}}}", run.len()));
        }
    }
    out
}

/// All bytes of a buffer.
pub(crate) fn bytes(body: &BodyBuf) -> Vec<u8> {
    body.chunks().flatten().copied().collect()
}

/// `H(0)`, or `H[500 local](0)` for a head that is not the plain one.
pub(crate) fn head<H: Dir>(head: &H, local: bool, end: bool) -> String {
    let mut notes: Vec<String> =
        head.odd_status().iter().map(|status| status.as_str().to_owned()).collect();
    if local {
        notes.push("local".to_owned());
    }
    let notes = if notes.is_empty() { String::new() } else { format!("[{}]", notes.join(" ")) };
    format!("H{notes}({})", u8::from(end))
}

/// `I[103]`: an informational head.
pub(crate) fn informational<H: Dir>(head: &H) -> String {
    format!("I[{}]", head.odd_status().map_or(0, |status| status.as_u16()))
}

/// `x-sum: 1, x-more: 2`.
pub(crate) fn fields(map: &HeaderMap) -> String {
    let fields: Vec<String> = map
        .iter()
        .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
        .collect();
    fields.join(", ")
}

/// `complete`, `replaced 403 by A`, `failed A panicked`, …
pub(crate) fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Complete { discarded_bytes, unsent_trailers } => {
            let mut out = "complete".to_owned();
            if *discarded_bytes > 0 {
                out.push_str(&format!(" -{discarded_bytes}"));
            }
            if *unsent_trailers > 0 {
                out.push_str(&format!(" unsent {unsent_trailers}"));
            }
            out
        }
        Outcome::Reset(error) => format!("reset {}", self::error(error)),
        Outcome::EndUnseen => "end unseen".to_owned(),
        Outcome::Cancelled => "cancelled".to_owned(),
        Outcome::Limit(error) => format!("limit {}", self::error(error)),
        Outcome::Stalled(error) => format!("stalled {}", self::error(error)),
        Outcome::TimedOut(error) => format!("timed out {}", self::error(error)),
        Outcome::Failed(error) => format!("failed {}", self::error(error)),
        Outcome::Replaced { by: Some(by), status } => {
            format!("replaced {} by {by}", status.as_u16())
        }
        Outcome::Replaced { by: None, status } => format!("replaced {}", status.as_u16()),
        other => format!("{other:?}"),
    }
}

/// The filter, if one is named, and a word or two for the kind.
pub(crate) fn error(error: &Error) -> String {
    let kind = match error.kind() {
        ErrorKind::Reset => "reset".to_owned(),
        ErrorKind::Limit { limit_bytes, .. } => format!("limit {limit_bytes}"),
        ErrorKind::LengthExceeded { declared_bytes } => format!("over {declared_bytes}"),
        ErrorKind::LengthShort { declared_bytes, actual_bytes } => {
            format!("short {actual_bytes}/{declared_bytes}")
        }
        ErrorKind::LengthInvalid => "invalid length".to_owned(),
        ErrorKind::BodyForbidden => "body forbidden".to_owned(),
        ErrorKind::Stalled => "stalled".to_owned(),
        ErrorKind::TimedOut(timeout) => format!("{timeout} timeout"),
        ErrorKind::Panicked => "panicked".to_owned(),
        ErrorKind::Undeclared { capability } => format!("undeclared {capability}"),
        ErrorKind::Filter => "filter".to_owned(),
        ErrorKind::ReplyTooLate => "reply too late".to_owned(),
        ErrorKind::AnsweredEarly => "answered early".to_owned(),
        other => format!("{other:?}"),
    };
    match error.filter() {
        Some(filter) => format!("{filter} {kind}"),
        None => kind,
    }
}
