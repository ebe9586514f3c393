//! Cases as data, and what runs them.

use std::collections::HashMap;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::carrier::{Carrier, Server};
use crate::client::Client;
use crate::deviations::deviation;
use crate::frames::code::{FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, PROTOCOL_ERROR, STREAM_CLOSED};
use crate::frames::{code, open, settings};
use crate::outcome::{Expect, Outcome};

/// What a client does, and what may come of it.
pub(crate) struct Case {
    /// Section of RFC 9113, and what happens.
    pub(crate) name: &'static str,
    greets: Option<Vec<(u16, u32)>>,
    steps: Vec<Step>,
    stream: u32,
    expects: &'static [Expect],
}

enum Step {
    Send(Vec<u8>),
    /// Sends bytes with SETTINGS of these values in them.
    Ask(Vec<(u16, u32)>, Vec<u8>),
    /// Waits for the answer to a stream, all of it.
    Answered(u32),
    /// Waits for the head of the answer to a stream.
    Begun(u32),
    /// Sends no more.
    Finish,
}

/// An error of the connection.
pub(crate) const PROTOCOL: &[Expect] = &[Expect::Goaway(PROTOCOL_ERROR)];
pub(crate) const SIZE: &[Expect] = &[Expect::Goaway(FRAME_SIZE_ERROR)];
pub(crate) const COMPRESSION: &[Expect] = &[Expect::Goaway(code::COMPRESSION_ERROR)];

/// Nothing comes of it.
pub(crate) const LIVES: &[Expect] = &[Expect::Lives];

/// A connection may end for what ends a stream (section 5.4.1).
pub(crate) const FLOW: &[Expect] =
    &[Expect::Reset(FLOW_CONTROL_ERROR), Expect::Goaway(FLOW_CONTROL_ERROR)];

/// Behind the end of a stream, or of its request (section 5.1).
pub(crate) const OVER: &[Expect] = &[Expect::Reset(STREAM_CLOSED), Expect::Goaway(STREAM_CLOSED)];

/// A request that is none (section 8.1.1). A server may say so in words.
pub(crate) const MALFORMED: &[Expect] = &[Expect::Reset(PROTOCOL_ERROR), Expect::Status(400)];

/// How long to wait for what has to come. Nothing waits so long that goes well.
const GUARD: Duration = Duration::from_secs(60);

impl Case {
    /// On a connection that is set up; about stream 1.
    pub(crate) fn new(name: &'static str, expects: &'static [Expect]) -> Self {
        Self { name, greets: Some(Vec::new()), steps: Vec::new(), stream: 1, expects }
    }

    /// On a socket, with nothing sent.
    pub(crate) fn raw(name: &'static str, expects: &'static [Expect]) -> Self {
        Self { greets: None, ..Self::new(name, expects) }
    }

    /// The same with stream 1 open.
    pub(crate) fn opened(name: &'static str, expects: &'static [Expect]) -> Self {
        Self::new(name, expects).send(open(1))
    }

    /// With settings of the client.
    pub(crate) fn settings(mut self, values: &[(u16, u32)]) -> Self {
        self.greets = Some(values.to_vec());
        self
    }

    /// About `stream`.
    pub(crate) fn about(mut self, stream: u32) -> Self {
        self.stream = stream;
        self
    }

    fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    pub(crate) fn send(self, bytes: impl Into<Vec<u8>>) -> Self {
        self.step(Step::Send(bytes.into()))
    }

    /// Sends SETTINGS, which will be acknowledged, if they are right.
    pub(crate) fn ask(self, values: &[(u16, u32)]) -> Self {
        self.ask_in(values, settings(values))
    }

    /// The same within `bytes`.
    pub(crate) fn ask_in(self, values: &[(u16, u32)], bytes: impl Into<Vec<u8>>) -> Self {
        self.step(Step::Ask(values.to_vec(), bytes.into()))
    }

    pub(crate) fn answered(self, stream: u32) -> Self {
        self.step(Step::Answered(stream))
    }

    pub(crate) fn begun(self, stream: u32) -> Self {
        self.step(Step::Begun(stream))
    }

    pub(crate) fn finish(self) -> Self {
        self.step(Step::Finish)
    }

    async fn play(&self, server: &Server, may_live: bool) -> Outcome {
        let mut client = match &self.greets {
            Some(values) => Client::connect(server, values).await,
            None => Client::dial(server).await,
        };
        for step in &self.steps {
            match step {
                Step::Send(bytes) => client.send(bytes).await,
                Step::Ask(values, bytes) => {
                    client.record.ask(values);
                    client.send(bytes).await;
                }
                Step::Answered(stream) => {
                    client.answer(*stream).await;
                }
                Step::Begun(stream) => {
                    let begun = client.until(|record| record.streams.contains_key(stream)).await;
                    assert!(begun, "{}: closed", self.name);
                }
                Step::Finish => client.finish().await,
            }
        }
        client.outcome(self.stream, may_live).await
    }

    async fn run(&self, server: &Server) -> Result<(), String> {
        let does = deviation(server.carrier, self.name).map(|known| &known.does);
        let may_live = self.expects.iter().chain(does).any(|it| matches!(it, Expect::Lives));
        let played = tokio::time::timeout(GUARD, self.play(server, may_live)).await;
        self.judge(server.carrier, &played.unwrap_or(Outcome::Silence))
    }

    fn judge(&self, carrier: Carrier, outcome: &Outcome) -> Result<(), String> {
        judge(carrier, self.name, self.expects, outcome)
    }
}

/// Whether `outcome` is one of `expects`, or the known deviation from them.
pub(crate) fn judge(
    carrier: Carrier,
    name: &str,
    expects: &[Expect],
    outcome: &Outcome,
) -> Result<(), String> {
    let conforms = expects.iter().any(|expect| expect.matches(outcome));
    match (conforms, deviation(carrier, name)) {
        (true, None) => Ok(()),
        (false, Some(known)) if known.does.matches(outcome) => Ok(()),
        (true, Some(_)) => Err(format!("{carrier:?}, {name}: no longer deviates")),
        (false, _) => Err(format!("{carrier:?}, {name}: {outcome:?}, not of {expects:?}")),
    }
}

/// Runs `cases` against every carrier, each on a connection of its own.
pub(crate) async fn run(cases: fn() -> Vec<Case>) {
    let mut findings = Vec::new();
    for &carrier in Carrier::ALL {
        let server = std::sync::Arc::new(Server::start(carrier).await);
        let (mut running, mut names) = (JoinSet::new(), HashMap::new());
        for case in cases() {
            let server = server.clone();
            let name = case.name;
            let task = running.spawn(async move { case.run(&server).await });
            names.insert(task.id(), name);
        }
        while let Some(ended) = running.join_next().await {
            match ended {
                Ok(found) => findings.extend(found.err()),
                Err(panicked) => {
                    let name = names[&panicked.id()];
                    findings.push(format!("{carrier:?}, {name}: {panicked}"));
                }
            }
        }
        assert!(Client::connect(&server, &[]).await.lives().await, "{carrier:?}");
    }
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
}

/// Runs `play` for every carrier, within the guard.
pub(crate) async fn each(play: impl AsyncFn(Carrier)) {
    for &carrier in Carrier::ALL {
        let played = tokio::time::timeout(GUARD, play(carrier)).await;
        assert!(played.is_ok(), "{carrier:?}: nothing comes in {GUARD:?}");
    }
}
