use bytes::Bytes;
use http::StatusCode;

use crate::ext_proc::automaton::Ledger;
use crate::ext_proc::wire::{HeaderMutation, Part, Reply, ReplyBody};

/// Answers the client in the origin's place, which ends the stream.
#[derive(Debug)]
#[must_use]
pub struct ImmediatePen<'a> {
    ledger: &'a mut Ledger,
}

impl<'a> ImmediatePen<'a> {
    pub(in crate::ext_proc::automaton) fn new(ledger: &'a mut Ledger) -> Self {
        Self { ledger }
    }

    /// The whole answer. `grpc_status` goes to clients that speak gRPC. Envoy turns a status below
    /// 200 into 200 (P38), and the spaces of `details` into underscores.
    #[must_use]
    pub fn answer(
        self,
        status: StatusCode,
        mutation: HeaderMutation,
        body: impl Into<ReplyBody>,
        grpc_status: Option<u32>,
        details: Bytes,
    ) -> Reply {
        let body = body.into();
        self.ledger.end();
        Reply::of(Part::Immediate { status, mutation, body, grpc_status, details })
    }
}
