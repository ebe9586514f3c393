//! `limit=BYTES`: refuses bodies over so many bytes.
//!
//! A request that is too long is answered 413, a response is replaced by a 502: at its head, if it
//! declares its length, else when one byte too many has come. Where the response head has gone by
//! then, the message is cut off so that nobody takes it for complete.

use http::{StatusCode, header};
use tidegate::{
    Declaration, Error, ErrorKind, Filter, Head, Interest, LocalReply, Origin, Verdict, View,
    body::Direction,
};

/// Counts the bytes of a message that does not say how long it is.
#[derive(Debug)]
pub(crate) struct Limit {
    limit: u64,
    seen: u64,
}

impl Limit {
    /// Lets messages of at most `limit` bytes pass.
    pub(crate) fn new(limit: u64) -> Self {
        Self { limit, seen: 0 }
    }

    /// The verdict over a message that is too long. `head`: it says so itself.
    fn refuse<H: Head>(&self, view: &mut View<'_, H>, head: bool) -> Verdict {
        let limit = self.limit;
        let text = format!("the body is over the limit of {limit} bytes\n");
        if Direction::of::<H>() == Direction::Request {
            return view.reply(LocalReply::text(StatusCode::PAYLOAD_TOO_LARGE, text));
        }
        if head {
            return view.reply(LocalReply::text(StatusCode::BAD_GATEWAY, text));
        }
        // Whether the head has gone is for the edge to know: it answers 502, or cuts off.
        let kind = ErrorKind::Limit { limit: "limit", limit_bytes: limit };
        view.fail(Error::new(kind, Origin::Upstream))
    }
}

impl<H: Head> Filter<H> for Limit {
    fn declare(&self) -> Declaration {
        Declaration::new().interest(Interest::HEAD | Interest::DATA)
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        // A local reply is this proxy's own.
        if view.is_local_reply() {
            view.drop_interest(Interest::DATA);
            return Verdict::PASS;
        }
        match declared(view) {
            Some(declared) if declared > self.limit => return self.refuse(view, true),
            // The chain holds the message to it: nothing is left to count.
            Some(_) => view.drop_interest(Interest::DATA),
            None => {}
        }
        Verdict::PASS
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.seen = self.seen.saturating_add(view.new_bytes() as u64);
        if self.seen > self.limit { self.refuse(view, false) } else { Verdict::PASS }
    }
}

/// The length the message is held to. None for a message without body by definition, whatever its
/// head says, and none where a filter before may have changed the length: it took the field away.
fn declared<H: Head>(view: &View<'_, H>) -> Option<u64> {
    let declared = view.declared_bytes()?;
    view.head()?.headers().contains_key(header::CONTENT_LENGTH).then_some(declared)
}

#[cfg(test)]
mod tests {
    use super::{super::testing::*, *};
    use http::{request, response};
    use tidegate::{MessageTraits, Outcome};

    fn limited<H: Head>(limit: u64) -> tidegate::Plan<H> {
        only("limit", move || Limit::new(limit))
    }

    #[test]
    fn up_to_the_limit_everything_passes() {
        for_each_cut(b"12345678", |pieces| {
            let sent = run(&limited::<request::Parts>(8), pieces);
            assert_eq!(sent.body(), b"12345678");
            assert!(sent.outcome.is_complete());
        });
    }

    #[test]
    fn one_byte_more_is_answered_or_cut_off_however_it_is_cut() {
        for_each_cut(b"12345678", |pieces| {
            let sent = run(&limited::<request::Parts>(7), pieces);
            assert_eq!(sent.replied(), Some(413), "{pieces:?}");
            assert!(sent.head.is_none(), "declared: nothing went on");

            let sent = run_open(&limited::<request::Parts>(7), pieces);
            assert_eq!(sent.replied(), Some(413), "{pieces:?}");
            assert!(sent.bytes.len() <= 7 && !sent.ended);

            let sent = run_open(&limited::<response::Parts>(7), pieces);
            assert!(sent.bytes.len() <= 7 && !sent.ended);
            let kind = ErrorKind::Limit { limit: "limit", limit_bytes: 7 };
            assert_eq!(sent.outcome.error().map(Error::kind), Some(kind));
        });
    }

    #[test]
    fn a_response_that_declares_too_much_is_replaced() {
        let sent = run(&limited::<response::Parts>(7), &[b"12345678"]);
        assert_eq!(sent.head().status, StatusCode::BAD_GATEWAY);
        assert!(matches!(sent.outcome, Outcome::Replaced { .. }));
        assert!(sent.body().starts_with(b"the body is over the limit"), "and is not limited");
    }

    #[test]
    fn the_length_of_no_body_is_not_limited() {
        let mut chain = chain(&limited::<response::Parts>(7), MessageTraits::new().bodiless());
        let head = http::Response::builder().header("content-length", "9000").body(()).unwrap();
        chain.handle_head(head.into_parts().0, true).unwrap();
        let sent = drain(&mut chain);
        assert_eq!(sent.head().headers["content-length"], "9000");
        assert!(sent.ended);
    }

    #[test]
    fn a_declared_length_costs_no_calls() {
        let (plan, calls) = counted::<request::Parts, _>(|| Limit::new(7));
        assert!(run(&plan, &[b"ab", b"c"]).ended);
        assert_eq!(calls(), 0);
        assert!(run_open(&plan, &[b"ab", b"c"]).ended);
        assert_eq!(calls(), 2);
    }
}
