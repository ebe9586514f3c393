//! The sink of one side: what it was given, in which order.

use http::HeaderMap;
use tidegate::{Head, Output};

use super::marks::mark_of;
use crate::kit::Dir;

/// What the sink of one side saw.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) head: bool,
    pub(crate) status: Option<u16>,
    /// The length that the head declared, in bytes.
    pub(crate) declared_bytes: Option<usize>,
    pub(crate) mark: Option<u8>,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Option<HeaderMap>,
    pub(crate) informational: u32,
    /// The message looked complete.
    pub(crate) complete: bool,
    /// An end was given out, and not only visible.
    pub(crate) end_was_given: bool,
    pub(crate) reset: bool,
    /// A reply of a request that has no response.
    pub(crate) reply: bool,
    /// The side was dropped by its task before it was over.
    pub(crate) dropped: bool,
}

impl Seen {
    pub(crate) fn is_over(&self) -> bool {
        self.complete || self.reset || self.reply
    }

    pub(crate) fn take<H: Dir>(&mut self, output: Output<H>, alone: bool) {
        assert!(!self.is_over(), "C2: nothing follows the end: {self:?}");
        match output {
            Output::Informational(head) => {
                assert!(!self.head, "C3: 1xx comes before the head");
                self.mark = mark_of(head.headers());
                self.informational += 1;
            }
            Output::Head { head, end_of_stream } => {
                assert!(!self.head, "C3: there is one head");
                self.head = true;
                self.status = head.odd_status().map(|status| status.as_u16());
                self.declared_bytes = declared_bytes(&head);
                self.mark = mark_of(head.headers()).or(self.mark);
                self.complete = end_of_stream;
            }
            Output::Data(data) => {
                assert!(self.head, "C3: body comes behind the head");
                assert!(!data.is_empty(), "a piece of body is never empty");
                self.body.extend_from_slice(&data);
            }
            Output::Trailers(trailers) => {
                assert!(self.head, "C3: trailers come behind the head");
                assert!(!trailers.is_empty(), "trailers that are empty are a plain end");
                self.trailers = Some(trailers);
                self.complete = true;
            }
            Output::End => {
                assert!(self.head, "C3: the end comes behind the head");
                self.complete = true;
            }
            Output::Reply(_) => {
                assert!(alone && H::REQUEST, "the sides hand replies over themselves");
                self.reply = true;
            }
            Output::Reset(_) => self.reset = true,
        }
        self.end_was_given = self.complete;
    }
}

fn declared_bytes<H: Head>(head: &H) -> Option<usize> {
    head.headers().get(http::header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
