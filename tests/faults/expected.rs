//! What has to come of each cell, written down before it runs: what both peers are told, and, of an
//! external processor, how it reports the stream.

use crate::case::Finding;
use crate::cell::{Cell, Edge, Fault, Phase, Side, Version};

/// What a peer has to be told; `None` of one that has failed, and hears nothing.
type Told = Option<&'static str>;

impl Cell {
    /// What is wrong with a finding.
    pub(crate) fn judge(self, finding: &Finding) -> Vec<String> {
        let mut wrong = finding.faults.clone();
        let mut expect = |who: &str, found: &str, expected: Told| {
            if let Some(expected) = expected
                && found != expected
            {
                wrong.push(format!("{who} has to be told `{expected}`, and was `{found}`"));
            }
        };
        if self.edge == Edge::ExtProc {
            expect("the embedder", &finding.origin, Some(self.report()));
        } else {
            let (client, origin) = self.told();
            expect("the client", &finding.client, client);
            expect("the origin", &finding.origin, origin);
        }
        if let Some(expected) = self.request_behind_a_failed_response() {
            expect("the embedder, of the request,", &finding.request, Some(expected));
        }
        for (peer, message) in
            [(&finding.origin, &finding.request), (&finding.client, &finding.response)]
        {
            // A processor's columns are other things.
            if self.edge != Edge::ExtProc && peer.ends_with("cut") && message == "complete" {
                wrong.push(format!("`{message}` is told of a message that is `{peer}`"));
            }
        }
        let failed = match self.failed_direction() {
            Some(Side::Client) => &finding.request,
            Some(Side::Origin) => &finding.response,
            None => return wrong,
        };
        if failed == "complete" || failed.contains(" + ") {
            wrong.push(format!("the message that fails is told as `{failed}`"));
        }
        wrong
    }

    /// How a request ends that is still under way when its response fails: with it. Over HTTP/2 an
    /// origin that only stalls still has room for what is left of the request.
    fn request_behind_a_failed_response(self) -> Told {
        let is_cut = self.edge != Edge::ExtProc
            && self.side == Side::Origin
            && self.phase == Phase::AfterResponseHead
            && !self.fault.is_of_filter();
        match (self.fault, self.version) {
            (Fault::Stalled, Version::Http2) => None,
            _ => is_cut.then_some("cancelled"),
        }
    }

    /// Which message cannot be complete, whatever else comes of the cell.
    fn failed_direction(self) -> Option<Side> {
        let is_over = match self.fault {
            Fault::Floods => true,
            fault if fault.is_of_filter() => false,
            // What the client sent was whole by then.
            _ => self.side == Side::Client && self.phase == Phase::AfterResponseHead,
        };
        (!is_over).then_some(self.side)
    }

    /// What the client and the origin are told over HTTP.
    fn told(self) -> (Told, Told) {
        let is_half_closed = self.fault == Fault::HalfClosed;
        match (self.fault.is_of_filter(), self.side) {
            (true, Side::Client) => {
                let (client, origin) = self.told_of_request_filter();
                (Some(client), Some(origin))
            }
            (true, Side::Origin) => {
                let (client, origin) = self.told_of_response_filter();
                (Some(client), Some(origin))
            }
            (false, Side::Client) => {
                let (client, origin) = self.told_of_client();
                (is_half_closed.then_some(client), Some(origin))
            }
            (false, Side::Origin) => {
                let (client, origin) = self.told_of_origin();
                (Some(client), is_half_closed.then_some(origin))
            }
        }
    }

    /// A message cut short is cut short for the other side too. A client that only stops sending is
    /// answered where it can be; on HTTP/2 its connection goes with it.
    fn told_of_client(self) -> (&'static str, &'static str) {
        let is_http2 = self.version == Version::Http2;
        match self.phase {
            Phase::BeforeHead | Phase::InHead => ("closed", "nothing"),
            Phase::AfterHead
            | Phase::MidBody
            | Phase::BeforeTrailers
            | Phase::Hold
            | Phase::Reload => (if is_http2 { "closed" } else { "400, whole" }, "cut"),
            Phase::Reply => (if is_http2 { "403, cut" } else { "403, whole" }, "cut"),
            Phase::AfterResponseHead => ("200, cut", "whole"),
        }
    }

    /// Before the response's head the client is answered, behind it the response is cut.
    fn told_of_origin(self) -> (&'static str, &'static str) {
        let is_stalled = self.fault == Fault::Stalled;
        match self.phase {
            Phase::BeforeHead | Phase::InHead => {
                (if is_stalled { "504, whole" } else { "502, whole" }, "cut")
            }
            Phase::AfterHead
            | Phase::MidBody
            | Phase::BeforeTrailers
            | Phase::Hold
            | Phase::Reload => ("200, cut", "whole"),
            Phase::Reply => ("403, whole", "cut"),
            Phase::AfterResponseHead => ("200, cut", "cut"),
        }
    }

    /// The status for a filter that goes wrong: 504 where only a timeout ends it.
    fn status(self) -> &'static str {
        match self.fault {
            Fault::Hangs | Fault::NeverResumes => "504, whole",
            _ => "500, whole",
        }
    }

    fn told_of_request_filter(self) -> (&'static str, &'static str) {
        match (self.fault, self.phase) {
            // It has replied before it panics, and is told no more.
            (Fault::Panics, Phase::Reply) => ("403, whole", "cut"),
            (Fault::Floods, _) => ("200, whole", "whole"),
            (_, Phase::InHead) => (self.status(), "nothing"),
            // The origin has answered all by the time that the timeout comes.
            (Fault::Hangs | Fault::NeverResumes, Phase::AfterResponseHead) => ("200, whole", "cut"),
            (_, Phase::AfterResponseHead) => ("200, cut", "cut"),
            _ => (self.status(), "cut"),
        }
    }

    fn told_of_response_filter(self) -> (&'static str, &'static str) {
        match (self.fault, self.phase) {
            (Fault::Floods, Phase::Reply) => ("403, whole", "cut"),
            (Fault::Floods, _) => ("200, whole", "whole"),
            (_, Phase::InHead) => (self.status(), "whole"),
            (_, Phase::Reply) => (self.status(), "cut"),
            _ => ("200, cut", "whole"),
        }
    }

    /// How an external processor reports the stream.
    fn report(self) -> &'static str {
        if self.fault.is_of_filter() { self.report_of_filter() } else { self.report_of_peer() }
    }

    /// That a message has not ended is no debt of the processor's: a stream that is gone is
    /// released, unless a filter keeps something of it. A half-close says that no more comes of a
    /// message, which is therefore given up.
    fn report_of_peer(self) -> &'static str {
        let is_request = self.side == Side::Client;
        match (self.phase, self.fault) {
            (Phase::BeforeHead | Phase::InHead, Fault::Stalled) => {
                if is_request {
                    "failed: TimedOut(Idle) by internal"
                } else {
                    "replied 504"
                }
            }
            (Phase::InHead, Fault::HalfClosed) => "failed: Reset by processor",
            (Phase::BeforeHead | Phase::InHead, _) => "released",
            (Phase::Reply, _) => "replied 403",
            (Phase::Hold, Fault::Stalled) if is_request => "replied 504",
            (Phase::Hold, Fault::Stalled) => "failed: TimedOut(Hold) by internal",
            (Phase::Hold, _) | (_, Fault::HalfClosed) => "abandoned",
            (Phase::AfterResponseHead, Fault::Stalled) => "failed: TimedOut(Idle) by internal",
            (_, Fault::Stalled) if is_request => "replied 408",
            (_, Fault::Stalled) => "failed: TimedOut(Idle) by internal",
            _ => "released",
        }
    }

    fn report_of_filter(self) -> &'static str {
        let is_late = match (self.side, self.phase) {
            (Side::Client, phase) => phase == Phase::AfterResponseHead,
            (Side::Origin, phase) => !matches!(phase, Phase::InHead | Phase::Reply),
        };
        match (self.fault, self.phase) {
            (Fault::Panics, Phase::Reply) if self.side == Side::Client => "replied 403",
            (Fault::Floods, Phase::Reply) => "replied 403",
            (Fault::Floods, _) => "complete",
            (Fault::Panics, _) if is_late => "failed: Panicked by filter",
            (Fault::DropsHandle, _) if is_late => "failed: Stalled by filter",
            (Fault::Panics | Fault::DropsHandle, _) => "replied 500",
            // The whole response has been answered by then, where it does not wait for the request.
            _ if self.side == Side::Client || is_late => "failed: TimedOut(Hold) by internal",
            _ => "replied 504",
        }
    }
}
