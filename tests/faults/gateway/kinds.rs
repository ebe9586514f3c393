//! The kinds of the gateway, and those of the cells.

#[path = "../../../examples/gateway/kinds.rs"]
mod stock;

use std::convert::Infallible;

use http::HeaderValue;
use serde::Deserialize;
use tidegate::body::Direction;
use tidegate::flow::Summary;
use tidegate::flow::config::{KindError, Kinds, NoSettings};

use crate::board::Board;
use crate::filters::{Actor, Part, hangs};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    part: Part,
}

/// All of them.
pub(crate) fn kinds(translation: Option<HeaderValue>) -> Result<Kinds, KindError> {
    let mut kinds = stock::kinds(translation)?;
    kinds.both("probe", |_: NoSettings| Ok::<_, Infallible>(Board::probe))?;
    kinds.both("actor", |Settings { part }: Settings| {
        Ok::<_, Infallible>(move || Actor::new(part))
    })?;
    kinds.both("hangs", |Settings { part }: Settings| match part {
        Part::Hang(moment) => Ok(hangs(moment)),
        _ => Err("no part of a filter that hangs"),
    })?;
    kinds.finalizer("told", |_: NoSettings| {
        let board = Board::here();
        Ok::<_, Infallible>(move |summary: &Summary| {
            board.tell(Direction::Request, &summary.request, &summary.request_stats);
            board.tell(Direction::Response, &summary.response, &summary.response_stats);
        })
    })?;
    Ok(kinds)
}
