//! The cells: what goes wrong, where, when and over which protocol.

/// What is between the two peers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edge {
    Proxy,
    Gateway,
    ExtProc,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    Http1,
    Http2,
}

impl Version {
    pub(crate) const ALL: [Self; 2] = [Self::Http1, Self::Http2];
}

/// Which peer fails; of filters, in which direction's chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Origin,
}

impl Side {
    pub(crate) const ALL: [Self; 2] = [Self::Client, Self::Origin];
}

/// How far the exchange is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    BeforeHead,
    InHead,
    AfterHead,
    MidBody,
    BeforeTrailers,
    Hold,
    Reply,
    /// The response has begun. The request is whole where the client fails, and not whole where
    /// the origin or a filter does.
    AfterResponseHead,
    Reload,
}

impl Phase {
    pub(crate) const ALL: [Self; 9] = [
        Self::BeforeHead,
        Self::InHead,
        Self::AfterHead,
        Self::MidBody,
        Self::BeforeTrailers,
        Self::Hold,
        Self::Reply,
        Self::AfterResponseHead,
        Self::Reload,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::BeforeHead => "before the head",
            Self::InHead => "in the head",
            Self::AfterHead => "behind the head",
            Self::MidBody => "in the body",
            Self::BeforeTrailers => "between body and trailers",
            Self::Hold => "during a hold",
            Self::Reply => "during a local reply",
            Self::AfterResponseHead => "the response has begun",
            Self::Reload => "in the body, behind a reload",
        }
    }
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A peer closes its connection.
    Gone,
    /// A peer's connection is reset.
    Reset,
    /// A peer resets its stream and keeps the connection.
    StreamReset,
    /// A peer neither reads nor writes any more.
    Stalled,
    /// A peer ends what it sends on its connection, and goes on reading.
    HalfClosed,
    /// A filter panics.
    Panics,
    /// A filter written as a future waits for what never comes.
    Hangs,
    /// A filter gives out each byte by itself.
    Floods,
    /// A filter holds, keeps its handle and never uses it.
    NeverResumes,
    /// A filter holds and drops its handle.
    DropsHandle,
}

impl Fault {
    pub(crate) const OF_PEERS: [Self; 5] =
        [Self::Gone, Self::Reset, Self::StreamReset, Self::Stalled, Self::HalfClosed];

    pub(crate) const OF_FILTERS: [Self; 5] =
        [Self::Panics, Self::Hangs, Self::Floods, Self::NeverResumes, Self::DropsHandle];

    pub(crate) fn is_of_filter(self) -> bool {
        Self::OF_FILTERS.contains(&self)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Reset => "reset",
            Self::StreamReset => "stream reset",
            Self::Stalled => "stalled",
            Self::HalfClosed => "half-closed",
            Self::Panics => "panics",
            Self::Hangs => "hangs",
            Self::Floods => "floods",
            Self::NeverResumes => "never resumes",
            Self::DropsHandle => "drops its handle",
        }
    }
}

/// One cell of the matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) edge: Edge,
    pub(crate) version: Version,
    pub(crate) side: Side,
    pub(crate) phase: Phase,
    pub(crate) fault: Fault,
}

impl Cell {
    /// Every combination at an edge.
    pub(crate) fn all(edge: Edge) -> impl Iterator<Item = Self> {
        let faults = || Fault::OF_PEERS.into_iter().chain(Fault::OF_FILTERS);
        Side::ALL.into_iter().flat_map(move |side| {
            Phase::ALL.into_iter().flat_map(move |phase| {
                faults().flat_map(move |fault| {
                    Version::ALL.into_iter().map(move |version| Self {
                        edge,
                        version,
                        side,
                        phase,
                        fault,
                    })
                })
            })
        })
    }

    /// Why there is no such cell, if there is none.
    pub(crate) fn cannot_be(self) -> Option<&'static str> {
        self.edge_cannot().or_else(|| {
            if self.fault.is_of_filter() { self.filter_cannot() } else { self.peer_cannot() }
        })
    }

    fn edge_cannot(self) -> Option<&'static str> {
        match (self.edge, self.version) {
            (Edge::Gateway, Version::Http2) if self.side == Side::Origin => {
                Some("the gateway speaks HTTP/1.1 to its upstreams")
            }
            (Edge::ExtProc, Version::Http1) => Some("gRPC is HTTP/2"),
            (Edge::Proxy | Edge::ExtProc, _) if self.phase == Phase::Reload => {
                Some("only the gateway reloads")
            }
            (Edge::ExtProc, _) if !self.fault.is_of_filter() && self.side == Side::Origin => {
                self.one_peer_cannot()
            }
            _ => None,
        }
    }

    /// Both messages come from one data plane, on one stream.
    fn one_peer_cannot(self) -> Option<&'static str> {
        match self.phase {
            Phase::Reply => Some("a reply answers both messages: see the client's side"),
            Phase::AfterResponseHead => Some("both messages are under way: see the client's side"),
            _ => None,
        }
    }

    fn peer_cannot(self) -> Option<&'static str> {
        match (self.phase, self.fault) {
            (_, Fault::StreamReset) if self.version == Version::Http1 => {
                Some("HTTP/1.1 has no streams")
            }
            (_, Fault::StreamReset) if self.edge == Edge::ExtProc => None,
            (Phase::BeforeHead, Fault::StreamReset) if self.side == Side::Client => {
                Some("a stream begins with its head")
            }
            (Phase::InHead, Fault::StreamReset) => {
                Some("nothing may stand between the frames of a head (RFC 9113, section 4.3)")
            }
            _ => None,
        }
    }

    fn filter_cannot(self) -> Option<&'static str> {
        match (self.phase, self.fault, self.side) {
            (Phase::BeforeHead, _, _) => Some("no filter is called before a head"),
            (Phase::AfterHead, _, _) => Some("a filter is called with something: see the body"),
            (Phase::AfterResponseHead, _, Side::Origin) => {
                Some("a response has begun wherever its body is: see the body")
            }
            (Phase::Reply, Fault::Panics, Side::Client) => None,
            (Phase::Reply, _, Side::Client) => {
                Some("a request that was replied to is closed, and asked nothing more")
            }
            (Phase::InHead | Phase::BeforeTrailers, Fault::Floods, _) => {
                Some("there are no bytes in a head or in trailers")
            }
            _ => None,
        }
    }
}
