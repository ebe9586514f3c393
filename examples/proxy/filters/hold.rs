//! `hold=BYTES`: looks at the first BYTES bytes of a body, or at all of a shorter one, before
//! anything of the message goes on; a body that begins like a program is refused.
//!
//! A program is what begins with `MZ` (Windows) or `\x7fELF` (Linux). It is answered 403, in either
//! direction: the other side is never told of such a request, and a client never sees the head of
//! such a response. What is behind the first BYTES bytes is not looked at and costs nothing.
//!
//! A sender that waits for an answer before it sends BYTES bytes is not answered: the hold timeout
//! ends that.

use bytes::Buf;
use http::StatusCode;
use tidegate::{
    BodyBuf, Capability, Declaration, Filter, Head, Interest, LocalReply, Marks, Verdict, View,
};

use super::marks_for;

/// What programs begin with.
const MAGIC: [&[u8]; 2] = [b"MZ", b"\x7fELF"];

/// Holds a message until its first bytes have been seen.
#[derive(Debug)]
pub(crate) struct Hold {
    prefix: usize,
    marks: Marks,
}

impl Hold {
    /// Looks at `prefix` bytes. The marks are raised to have room for them.
    pub(crate) fn new(prefix: u64, marks: Marks) -> Self {
        Self {
            prefix: usize::try_from(prefix).unwrap_or(usize::MAX),
            marks: marks_for(marks, prefix, prefix),
        }
    }
}

impl<H: Head> Filter<H> for Hold {
    fn declare(&self) -> Declaration {
        Declaration::new()
            .interest(Interest::HEAD | Interest::DATA)
            .require(Capability::HoldHead)
            .require(Capability::SeeEnd)
            .marks(self.marks)
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        if view.is_local_reply() || view.input_ended() || self.prefix == 0 {
            view.drop_interest(Interest::DATA);
            return Verdict::PASS;
        }
        Verdict::HOLD
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        if view.body().len() < self.prefix && !view.input_ended() {
            return Verdict::HOLD;
        }
        if is_program(view.body(), self.prefix) {
            let text = "the body begins like a program\n";
            return view.reply(LocalReply::text(StatusCode::FORBIDDEN, text));
        }
        view.drop_interest(Interest::DATA);
        Verdict::PASS
    }
}

/// Whether the first `prefix` bytes say that this is a program.
fn is_program(body: &BodyBuf, prefix: usize) -> bool {
    MAGIC.iter().any(|magic| {
        let mut start = [0; 4];
        let start = &mut start[..magic.len()];
        let enough = prefix.min(body.len()) >= magic.len();
        enough && {
            body.cursor().copy_to_slice(start);
            start == *magic
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{super::testing::*, *};
    use http::{request, response};
    use tidegate::MessageTraits;

    fn holding<H: Head>(prefix: u64, marks: Marks) -> tidegate::Plan<H> {
        only("hold", move || Hold::new(prefix, marks))
    }

    #[test]
    fn the_output_does_not_depend_on_the_cut_or_the_marks() {
        for high in [0, 1, 64 << 10] {
            for prefix in [0, 1, 3, 9, 10, 1000] {
                for_each_cut(b"MyProgram", |pieces| {
                    let plan = holding::<request::Parts>(prefix, Marks::from_high(high));
                    let sent = run(&plan, pieces);
                    assert_eq!(sent.body(), b"MyProgram", "{prefix} {pieces:?}");
                    assert_eq!(sent.head().headers["content-length"], "9");
                });
            }
        }
    }

    #[test]
    fn programs_are_refused_in_both_directions() {
        for body in [&b"MZ-----"[..], b"\x7fELF---", b"MZ"] {
            for_each_cut(body, |pieces| {
                let sent = run_open(&holding::<request::Parts>(4, Marks::DEFAULT), pieces);
                assert_eq!(sent.replied(), Some(403), "{pieces:?}");
                assert!(sent.head.is_none() && sent.bytes.is_empty());

                let sent = run_open(&holding::<response::Parts>(4, Marks::DEFAULT), pieces);
                assert_eq!(sent.head().status, StatusCode::FORBIDDEN);
                assert_eq!(sent.body(), b"the body begins like a program\n");
            });
        }
    }

    #[test]
    fn only_the_prefix_is_looked_at() {
        for_each_cut(b"\x7fELF", |pieces| {
            let sent = run(&holding::<request::Parts>(3, Marks::DEFAULT), pieces);
            assert_eq!(sent.body(), b"\x7fELF");
        });
        assert_eq!(run(&holding::<request::Parts>(9, Marks::DEFAULT), &[b"-MZ"]).body(), b"-MZ");
    }

    #[test]
    fn the_head_waits_for_the_prefix() {
        let (plan, calls) = counted::<request::Parts, _>(|| Hold::new(3, Marks::DEFAULT));
        let mut chain = chain(&plan, MessageTraits::new());
        chain.handle_head(head(None), false).unwrap();
        chain.handle_data("ab".into(), false).unwrap();
        assert!(chain.poll_output().is_none() && chain.is_holding());
        chain.handle_data("c".into(), false).unwrap();
        chain.handle_data("defg".into(), true).unwrap();
        assert_eq!(calls(), 2, "no call behind the prefix");
        assert_eq!(drain(&mut chain).body(), b"abcdefg");
    }

    #[test]
    fn a_message_without_body_is_not_held() {
        let mut chain = chain(&holding::<request::Parts>(3, Marks::DEFAULT), MessageTraits::new());
        chain.handle_head(head(None), true).unwrap();
        assert!(drain(&mut chain).ended);
    }
}
