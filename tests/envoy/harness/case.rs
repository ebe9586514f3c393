//! What became of one request.

use std::fmt;
use std::time::Duration;

use tokio::sync::oneshot;

use super::client::Answer;
use super::origin::Seen;
use super::pattern::Content;
use super::rig::Rig;
use super::transcript::Transcript;

/// How long the origin may take to see the end of a request whose answer the client has.
const SETTLE: Duration = Duration::from_secs(5);

/// One request that is over at the client.
pub(crate) struct Case<'a> {
    rig: &'a Rig,
    what: String,
    number: u64,
    pub(crate) answer: Answer,
    seen: Option<oneshot::Receiver<Seen>>,
}

impl fmt::Display for Case<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, what, answer, .. } = self;
        write!(f, "case {number}: {what}: {answer:?}")?;
        let said = self.rig.transcripts.lines(*number);
        write!(f, "\n{}", said.join("\n"))
    }
}

impl<'a> Case<'a> {
    pub(crate) fn new(
        rig: &'a Rig,
        what: String,
        number: u64,
        answer: Answer,
        seen: oneshot::Receiver<Seen>,
    ) -> Self {
        Self { rig, what, number, answer, seen: Some(seen) }
    }

    /// What came to the origin; waits for its end.
    pub(crate) async fn seen(&mut self) -> Seen {
        let seen = self.seen.take().expect("asked once");
        match tokio::time::timeout(SETTLE, seen).await {
            Ok(Ok(seen)) => seen,
            _ => panic!("no request has ended at the origin; {self}"),
        }
    }

    /// Whether the origin was reached at all.
    pub(crate) fn reached_origin(&self) -> bool {
        self.rig.origin.forget(self.number)
    }

    /// Whether the origin has been reached by now.
    pub(crate) fn reached_origin_so_far(&self) -> bool {
        self.rig.origin.has_come(self.number)
    }

    /// What was said to the processor once `done` says that it is all.
    pub(crate) async fn said_of(&self, done: impl Fn(&Transcript) -> bool) -> Transcript {
        let waits = async {
            while !self.rig.transcripts.look(self.number, &done) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let waited = tokio::time::timeout(SETTLE, waits).await;
        assert!(waited.is_ok(), "not all was said: {self}");
        self.said()
    }

    /// What was said to the processor so far.
    pub(crate) fn said(&self) -> Transcript {
        self.rig.transcripts.of(self.number)
    }

    /// The response is `status` with `content`.
    pub(crate) fn assert_response(&self, status: u16, content: &Content) {
        assert_eq!(self.answer.status(), Some(status), "{self}");
        if let Some(fault) = self.answer.body().fault(content) {
            panic!("{fault}; {self}");
        }
    }

    pub(crate) fn assert_status(&self, status: u16) {
        assert_eq!(self.answer.status(), Some(status), "{self}");
    }

    /// The request came to the origin with `content`.
    pub(crate) async fn assert_request(&mut self, content: &Content) -> Seen {
        let seen = self.seen().await;
        if let Some(fault) = seen.body.fault(content) {
            panic!("at the origin: {fault}; {self}");
        }
        seen
    }
}
