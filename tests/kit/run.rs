//! One message through a chain of scripts, step by step.

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use tidegate::chain::{InputError, PlanBuilder, Stats};
use tidegate::resume::Resumed;
use tidegate::{
    Capabilities, Chain, Error, ErrorKind, Filter, LocalReply, Marks, MessageTraits, Origin,
    Outcome, Output, Plan,
};

use super::script::Log;
use super::{Dir, Script, render};

/// What a run is made of; [`Run::new`] for the usual case.
pub(crate) struct Stage<H: Dir> {
    plan: PlanBuilder<H>,
    /// All filters, and whether they log.
    names: Vec<(&'static str, bool)>,
    traits: MessageTraits,
    edge: Capabilities,
    log: Log,
}

impl<H: Dir> Stage<H> {
    pub(crate) fn new(scripts: impl IntoIterator<Item = Script<H>>) -> Self {
        let stage = Self {
            plan: Plan::builder(),
            names: Vec::new(),
            traits: MessageTraits::new(),
            edge: Capabilities::ALL,
            log: Log::default(),
        };
        scripts.into_iter().fold(stage, Self::script)
    }

    /// Adds a script behind the filters there are.
    pub(crate) fn script(mut self, script: Script<H>) -> Self {
        self.names.push((script.name, true));
        self.plan = self.plan.filter(script.name, script.into_factory(&self.log));
        self
    }

    /// Adds a filter that is no script, and logs nothing.
    pub(crate) fn raw<F: Filter<H> + 'static>(
        mut self,
        name: &'static str,
        make: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self {
        self.names.push((name, false));
        self.plan = self.plan.filter(name, make);
        self
    }

    pub(crate) fn plan(self) -> Plan<H> {
        self.plan.build().expect("a plan")
    }

    pub(crate) fn traits(mut self, traits: MessageTraits) -> Self {
        self.traits = traits;
        self
    }

    pub(crate) fn edge(mut self, edge: Capabilities) -> Self {
        self.edge = edge;
        self
    }

    /// Marks of the output queue, with the low one at half.
    pub(crate) fn output_high(mut self, bytes: u64) -> Self {
        self.plan = self.plan.output_marks(Marks::from_high(bytes));
        self
    }

    pub(crate) fn max_frame(mut self, bytes: usize) -> Self {
        self.plan = self.plan.max_frame_bytes(bytes);
        self
    }

    pub(crate) fn run(self) -> Run<H> {
        let plan = self.plan.build().expect("a plan");
        let bound = plan.held_bound_bytes();
        let bound_plan = plan.bind(self.edge).expect("an edge that can do it");
        let chain = bound_plan.chain(self.traits).expect("a message that can do it");
        Run {
            chain,
            names: self.names,
            log: self.log,
            bound,
            sink: Vec::new(),
            pieces: Vec::new(),
            head: None,
            reply: None,
            sink_open: true,
            seen: Seen::default(),
            finished: false,
        }
    }
}

/// A message on its way. Each step drives the chain and takes all output (unless
/// [`hold_sink`](Self::hold_sink)), then [`calls`](Self::calls) and [`sink`](Self::sink) compare
/// what happened since they were last asked. [`finish`](Self::finish) must end it: it checks that
/// nothing was left unlooked at.
pub(crate) struct Run<H: Dir> {
    pub(crate) chain: Chain<H>,
    names: Vec<(&'static str, bool)>,
    log: Log,
    bound: u64,
    sink: Vec<String>,
    pieces: Vec<Bytes>,
    head: Option<H>,
    reply: Option<LocalReply>,
    sink_open: bool,
    seen: Seen,
    finished: bool,
}

/// What the sink has seen, to check the order of outputs.
#[derive(Default)]
struct Seen {
    head: bool,
    end: bool,
    bytes: u64,
}

impl<H: Dir> Run<H> {
    pub(crate) fn new(scripts: impl IntoIterator<Item = Script<H>>) -> Self {
        Stage::new(scripts).run()
    }

    // Input.

    /// A plain head.
    pub(crate) fn head(&mut self, end: bool) -> &mut Self {
        self.head_of(H::plain(), end)
    }

    pub(crate) fn head_of(&mut self, head: H, end: bool) -> &mut Self {
        self.chain.handle_head(head, end).expect("the head is taken");
        self.settle()
    }

    pub(crate) fn data(&mut self, text: &'static str) -> &mut Self {
        self.frame(Bytes::from_static(text.as_bytes()), false)
    }

    /// Data and the end in one.
    pub(crate) fn data_end(&mut self, text: &'static str) -> &mut Self {
        self.frame(Bytes::from_static(text.as_bytes()), true)
    }

    pub(crate) fn frame(&mut self, bytes: Bytes, end: bool) -> &mut Self {
        self.chain.handle_data(bytes, end).expect("data is taken");
        self.settle()
    }

    /// Data that must be refused; the bytes must come back.
    pub(crate) fn refused(&mut self, text: &'static str) -> &mut Self {
        match self.chain.handle_data(Bytes::from_static(text.as_bytes()), false) {
            Err(InputError::NotWanted(bytes)) => assert_eq!(bytes, text, "the bytes come back"),
            other => panic!("expected NotWanted, got {other:?}"),
        }
        self.settle()
    }

    pub(crate) fn end(&mut self) -> &mut Self {
        self.chain.handle_end().expect("the end is taken");
        self.settle()
    }

    pub(crate) fn trailers(&mut self, name: &'static str, value: &str) -> &mut Self {
        let mut map = HeaderMap::new();
        map.append(HeaderName::from_static(name), value.parse().expect("a field value"));
        self.chain.handle_trailers(map).expect("trailers are taken");
        self.settle()
    }

    /// Resumes a filter through its handle.
    pub(crate) fn resume(&mut self, name: &str) -> &mut Self {
        assert_eq!(self.ask(name), Resumed::Queued, "a resume of {name}");
        self
    }

    /// Resumes a filter that can no longer be asked.
    pub(crate) fn gone(&mut self, name: &str) -> &mut Self {
        assert_eq!(self.ask(name), Resumed::Gone, "a resume of {name}");
        self
    }

    /// Resumes a filter, whatever comes of it.
    pub(crate) fn ask(&mut self, name: &str) -> Resumed {
        // The handle leaves the log for the call, so that no lock is held while it wakes.
        let handle = self.log.lock().handles.get(name).cloned();
        let resumed = handle.unwrap_or_else(|| panic!("{name} was never called")).resume();
        self.chain.handle_resumes();
        self.settle();
        resumed
    }

    /// Drops the handle of a filter, as one who forgot it would.
    pub(crate) fn drop_handle(&mut self, name: &str) -> &mut Self {
        let handle = self.log.lock().handles.remove(name);
        drop(handle.unwrap_or_else(|| panic!("{name} left no handle")));
        // The last handle wakes the driver, which then looks again.
        self.chain.handle_resumes();
        self.settle()
    }

    pub(crate) fn reply(&mut self, reply: LocalReply) -> &mut Self {
        self.chain.handle_reply(reply);
        self.settle()
    }

    pub(crate) fn reset(&mut self) -> &mut Self {
        self.chain.handle_reset(Error::new(ErrorKind::Reset, Origin::Downstream));
        self.settle()
    }

    pub(crate) fn cancel(&mut self) -> &mut Self {
        self.chain.cancel();
        self.settle()
    }

    pub(crate) fn set_high(&mut self, name: &str, bytes: u64) -> &mut Self {
        let station = self.station(name);
        self.chain.set_marks(station, Marks::from_high(bytes));
        self.settle()
    }

    pub(crate) fn station(&self, name: &str) -> usize {
        self.names.iter().position(|(each, _)| *each == name).expect("a filter of this chain")
    }

    // Output.

    /// From now on outputs stay in the chain.
    pub(crate) fn hold_sink(&mut self) -> &mut Self {
        self.sink_open = false;
        self
    }

    /// Takes all output, now and after each step.
    pub(crate) fn open_sink(&mut self) -> &mut Self {
        self.sink_open = true;
        self.settle()
    }

    /// Takes one output while the sink is held.
    pub(crate) fn take_one(&mut self) -> &mut Self {
        let output = self.chain.poll_output().expect("an output");
        self.record(output);
        self.check_bound();
        self
    }

    /// After an input that was given to the chain directly.
    pub(crate) fn cut_in(&mut self) -> &mut Self {
        self.settle()
    }

    fn settle(&mut self) -> &mut Self {
        self.check_bound();
        if self.sink_open {
            // Far more turns than any script needs: a chain that is never done fails here.
            for _ in 0..10_000 {
                match self.chain.poll_output() {
                    Some(output) => self.record(output),
                    None if self.chain.has_work() => {}
                    None => return self,
                }
                self.check_bound();
            }
            panic!("the chain does not come to rest");
        }
        self
    }

    fn check_bound(&self) {
        let held = self.chain.held_bytes();
        assert!(held <= self.bound, "{held} bytes held, {} stated", self.bound);
    }

    fn record(&mut self, output: Output<H>) {
        assert!(!self.seen.end, "an output after the end: {}", self.seen.bytes);
        let entry = match output {
            Output::Informational(head) => {
                assert!(!self.seen.head, "informational heads come before the final one");
                render::informational(&head)
            }
            Output::Head { head, end_of_stream } => {
                assert!(!self.seen.head, "one head");
                self.seen.head = true;
                self.seen.end = end_of_stream;
                let entry = render::head(&head, false, end_of_stream);
                self.head = Some(head);
                entry
            }
            Output::Data(bytes) => {
                assert!(self.seen.head, "the head comes first");
                assert!(!bytes.is_empty(), "data is never empty");
                self.seen.bytes += bytes.len() as u64;
                self.pieces.push(bytes);
                return;
            }
            Output::Trailers(map) => self.seen_end(format!("T({})", render::fields(&map))),
            Output::End => self.seen_end("end".to_owned()),
            Output::Reply(reply) => {
                self.seen.end = true;
                let status = reply.status().as_u16();
                let entry = format!("reply({status},{})", reply.body_bytes());
                self.reply = Some(reply);
                entry
            }
            Output::Reset(error) => {
                self.seen.end = true;
                format!("reset({})", render::error(&error))
            }
        };
        self.flush_pieces();
        self.sink.push(entry);
    }

    fn seen_end(&mut self, entry: String) -> String {
        assert!(self.seen.head, "the head comes first");
        self.seen.end = true;
        entry
    }

    fn flush_pieces(&mut self) {
        if !self.pieces.is_empty() {
            let body = self.pieces.concat();
            self.pieces.clear();
            self.sink.push(format!("D(\"{}\")", render::text(&body)));
        }
    }

    // Comparing.

    /// The calls since the last look, in order, separated by blanks.
    #[track_caller]
    pub(crate) fn calls(&mut self, expected: &str) -> &mut Self {
        let actual = std::mem::take(&mut self.log.lock().calls).join(" ");
        assert_eq!(actual, words(expected), "calls (left) are not those required (right)");
        self
    }

    /// What the sink took since the last look. Neighbouring pieces of body are shown as one: how
    /// they are cut is not promised.
    #[track_caller]
    pub(crate) fn sink(&mut self, expected: &str) -> &mut Self {
        self.flush_pieces();
        let actual = std::mem::take(&mut self.sink).join(" ");
        assert_eq!(actual, words(expected), "the sink (left) did not get what it must (right)");
        self
    }

    /// Calls and sink in one.
    #[track_caller]
    pub(crate) fn expect(&mut self, calls: &str, sink: &str) -> &mut Self {
        self.calls(calls).sink(sink)
    }

    /// Forgets the calls since the last look, where random scripts make them; says how many.
    pub(crate) fn drop_calls(&mut self) -> usize {
        std::mem::take(&mut self.log.lock().calls).len()
    }

    #[track_caller]
    pub(crate) fn wants(&mut self, wanted: bool) -> &mut Self {
        assert_eq!(self.chain.wants_input(), wanted, "wants_input()");
        self
    }

    #[track_caller]
    pub(crate) fn holds(&mut self, bytes: u64) -> &mut Self {
        assert_eq!(self.chain.held_bytes(), bytes, "held_bytes()");
        self
    }

    /// The pieces the sink took since the last look, as they were given out.
    pub(crate) fn take_pieces(&mut self) -> Vec<Bytes> {
        std::mem::take(&mut self.pieces)
    }

    /// The head the sink took.
    #[track_caller]
    pub(crate) fn sunk_head(&self) -> &H {
        self.head.as_ref().expect("the sink has the head")
    }

    /// The reply a request chain gave out.
    #[track_caller]
    pub(crate) fn take_reply(&mut self) -> LocalReply {
        self.reply.take().expect("a reply")
    }

    pub(crate) fn stats(&self) -> Stats {
        self.chain.stats()
    }

    /// How many calls the scripts have had.
    pub(crate) fn count(&self) -> u64 {
        self.log.lock().count
    }

    /// The log, to look at when the run is over.
    pub(crate) fn log(&self) -> Log {
        self.log.clone()
    }

    /// The names of the filters that were dropped so far.
    pub(crate) fn drops(&self) -> String {
        self.log.lock().drops.join(" ")
    }

    /// Drops the chain as a server whose client is gone does, and answers what the filters were
    /// told then.
    pub(crate) fn abandon(mut self) -> String {
        self.finished = true;
        let log = self.log.clone();
        drop(self);
        std::mem::take(&mut log.lock().closes).join(" ")
    }

    /// The outcome, and the close of every filter in chain order.
    #[track_caller]
    pub(crate) fn finish(self, outcome: &str) -> Stats {
        let scripts: Vec<&str> =
            self.names.iter().filter(|(_, logs)| *logs).map(|(name, _)| *name).collect();
        let all = scripts.join(" ");
        self.finish_closing(&all, outcome)
    }

    /// The outcome, and the close of the named filters in this order.
    #[track_caller]
    pub(crate) fn finish_closing(mut self, names: &str, outcome: &str) -> Stats {
        self.finished = true;
        let actual = self.chain.outcome().map_or_else(|| "none".to_owned(), render::outcome);
        assert_eq!(actual, outcome, "outcome (left) is not the one required (right)");
        let closes = std::mem::take(&mut self.log.lock().closes).join(" ");
        let expected: Vec<String> =
            names.split_whitespace().map(|name| format!("{name}.close({outcome})")).collect();
        assert_eq!(closes, expected.join(" "), "closes (left), required (right)");
        self.calls("").sink("");
        assert!(!self.chain.wants_input(), "a finished message wants nothing");
        assert!(self.chain.poll_output().is_none(), "nothing comes after the end");
        let stats = self.chain.stats();
        if self.names.iter().all(|(_, logs)| *logs) {
            assert_eq!(stats.calls, self.count(), "every call is counted");
        }
        assert_eq!(stats.output_bytes, self.seen.bytes, "every byte given out is counted");
        assert!(stats.peak_held_bytes <= self.bound, "the peak is within the stated bound");
        if self.chain.outcome().is_some_and(Outcome::is_complete) {
            assert!(self.seen.end, "a complete message has its end at the sink");
            assert_eq!(self.chain.held_bytes(), 0, "nothing is left of a complete message");
        }
        // Dropping the chain is not a second end.
        let log = self.log.clone();
        drop(self);
        let after = std::mem::take(&mut log.lock().closes).join(" ");
        assert_eq!(after, "", "each filter is closed once");
        stats
    }
}

impl<H: Dir> Drop for Run<H> {
    fn drop(&mut self) {
        assert!(self.finished || std::thread::panicking(), "a run ends with `finish`");
    }
}

/// One blank between words, none around.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
