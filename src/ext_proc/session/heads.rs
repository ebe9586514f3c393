//! Heads as the engine has them, made of what came.
//!
//! This module never sees a chain.

use core::fmt;

use bytes::Bytes;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{Method, Request, Response, StatusCode, Uri, request, response};

use super::difference::{self, Rules};
use crate::exchange::Direction;
use crate::ext_proc::wire::{HeaderMutation, Section};
use crate::filter::Head;

/// What a session needs of a head besides what the engine does.
pub(super) trait SessionHead: Head + Clone {
    /// Of which message.
    const DIRECTION: Direction;

    /// What it has besides its fields.
    type Line;

    /// The head that `section` says.
    fn read(section: Box<Section>) -> Result<Self, HeadError>;

    /// What stands in for a head that the data plane does not show.
    fn unseen() -> Self;

    /// What it has besides its fields, and what is put to it for filters.
    fn line(&self) -> Self::Line;

    /// A head without fields.
    fn of_line(line: &Self::Line) -> Self;

    /// Where what comes with a message is put for the filters.
    fn extensions_mut(&mut self) -> &mut http::Extensions;

    /// Adds what makes `after` of `self`; answers how many changes cannot be said.
    fn difference(&self, after: &Self, rules: Rules, into: &mut HeaderMutation) -> u64;
}

impl SessionHead for request::Parts {
    const DIRECTION: Direction = Direction::Request;

    type Line = (Method, Uri);

    fn read(section: Box<Section>) -> Result<Self, HeadError> {
        let mut head = Self::unseen();
        let mut uri = http::uri::Parts::default();
        for (name, value) in section.pseudo {
            match &name[..] {
                b"method" => {
                    head.method = Method::from_bytes(&value).map_err(|_| HeadError(":method"))?;
                }
                b"path" => {
                    let path = PathAndQuery::from_maybe_shared(value);
                    uri.path_and_query = Some(path.map_err(|_| HeadError(":path"))?);
                }
                b"scheme" => {
                    let scheme = Scheme::try_from(&value[..]);
                    uri.scheme = Some(scheme.map_err(|_| HeadError(":scheme"))?);
                }
                b"authority" => {
                    let authority = Authority::from_maybe_shared(value);
                    uri.authority = Some(authority.map_err(|_| HeadError(":authority"))?);
                }
                // `:protocol` of extended CONNECT (RFC 8441), and what may come.
                _ => {}
            }
        }
        head.uri = uri_of(uri)?;
        head.headers = section.fields;
        Ok(head)
    }

    fn unseen() -> Self {
        Request::new(()).into_parts().0
    }

    fn line(&self) -> Self::Line {
        (self.method.clone(), self.uri.clone())
    }

    fn of_line((method, uri): &Self::Line) -> Self {
        let mut head = Self::unseen();
        head.method = method.clone();
        head.uri = uri.clone();
        head
    }

    fn extensions_mut(&mut self) -> &mut http::Extensions {
        &mut self.extensions
    }

    fn difference(&self, after: &Self, rules: Rules, into: &mut HeaderMutation) -> u64 {
        difference::request(self, after, rules, into)
    }
}

/// What the parts make: all of them, or what can be said without the others.
fn uri_of(mut parts: http::uri::Parts) -> Result<Uri, HeadError> {
    let is_asterisk = parts.path_and_query.as_ref().is_some_and(|path| path == "*");
    if parts.path_and_query.is_none() {
        // CONNECT: the authority alone.
        parts.scheme = None;
    } else if parts.scheme.is_none() || parts.authority.is_none() || is_asterisk {
        parts.scheme = None;
        parts.authority = None;
    }
    if parts.path_and_query.is_none() && parts.authority.is_none() {
        return Ok(Uri::from_static("/"));
    }
    Uri::from_parts(parts).map_err(|_| HeadError(":path"))
}

impl SessionHead for response::Parts {
    const DIRECTION: Direction = Direction::Response;

    type Line = StatusCode;

    fn read(section: Box<Section>) -> Result<Self, HeadError> {
        let mut head = Self::unseen();
        let status = section.pseudo.iter().find(|(name, _)| name == "status");
        let (_, status) = status.ok_or(HeadError(":status"))?;
        head.status = StatusCode::from_bytes(status).map_err(|_| HeadError(":status"))?;
        head.headers = section.fields;
        Ok(head)
    }

    fn unseen() -> Self {
        Response::new(()).into_parts().0
    }

    fn line(&self) -> Self::Line {
        self.status
    }

    fn of_line(line: &Self::Line) -> Self {
        let mut head = Self::unseen();
        head.status = *line;
        head
    }

    fn extensions_mut(&mut self) -> &mut http::Extensions {
        &mut self.extensions
    }

    fn difference(&self, after: &Self, rules: Rules, into: &mut HeaderMutation) -> u64 {
        difference::response(self, after, rules, into)
    }
}

/// A head that is none: the pseudo field that is missing or not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct HeadError(&'static str);

impl fmt::Display for HeadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is missing or not valid", self.0)
    }
}

impl std::error::Error for HeadError {}

/// The name of a filter, or of the field, for `details`: the data plane shows it in its log.
pub(super) fn details(by: Option<&str>) -> Bytes {
    match by {
        Some(name) => Bytes::from(format!("tidegate:{name}")),
        None => Bytes::from_static(b"tidegate"),
    }
}
