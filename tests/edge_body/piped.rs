//! Bodies that cross from one task to another.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use http::request;
use http_body::Body;
use tidegate::body::{FilteredBody, PipedBody, Pump, pipe_body};
use tidegate::limits::PIPE_ITEM_COST_BYTES;
use tidegate::pipe::PipeStats;
use tidegate::{Error, ErrorKind, Marks, Origin};

use crate::support::{
    CHECK, Collected, Source, Step, Task, chain, collect, collect_async, head_of, no_filters,
    request_head,
};

/// Room for one frame at a time.
fn one() -> Marks {
    Marks::from_high(0)
}

fn poll_pump<B>(task: &Arc<Task>, pump: &mut Pump<B>) -> Poll<PipeStats>
where
    Pump<B>: Future<Output = PipeStats> + Unpin,
{
    task.run(|cx| Pin::new(&mut *pump).poll(cx))
}

/// Both ends, each polled only when it was woken.
fn across<B>(mut pump: Pump<B>, mut body: PipedBody) -> (Collected, PipeStats)
where
    Pump<B>: Future<Output = PipeStats> + Unpin,
{
    let (pumping, taking) = (Task::new(), Task::new());
    let mut all = Collected::default();
    let mut pumped = poll_pump(&pumping, &mut pump);
    let mut taken = taking.run(|cx| all.poll(&mut body, cx));
    while pumped.is_pending() || taken.is_pending() {
        assert!(pumping.is_woken() || taking.is_woken(), "a wake was lost");
        if pumping.is_woken() && pumped.is_pending() {
            pumped = poll_pump(&pumping, &mut pump);
        }
        if taking.is_woken() && taken.is_pending() {
            taken = taking.run(|cx| all.poll(&mut body, cx));
        }
    }
    let Poll::Ready(stats) = pumped else { unreachable!() };
    (all, stats)
}

const STEPS: [Step; 6] = [
    Step::Data(b"one "),
    Step::Data(b""),
    Step::Yield,
    Step::Data(b"two "),
    Step::Data(b"three"),
    Step::Trailers("sum"),
];

#[test]
fn data_and_trailers_cross_in_order() {
    for marks in [one(), Marks::DEFAULT] {
        let (pump, body) = pipe_body(Source::new(STEPS), marks, Origin::Upstream);
        let (all, stats) = across(pump, body);
        assert_eq!((all.text(), all.error.is_none()), ("one two three", true));
        assert_eq!(all.trailers.unwrap()[CHECK], "sum");
        assert_eq!(stats.items, 3);
    }
}

#[test]
fn a_chain_runs_where_the_pump_is_polled() {
    let plan = no_filters::<request::Parts>();
    let mut source = FilteredBody::new(chain(&plan), request_head(), Source::new(STEPS));
    head_of(&mut source);
    let (pump, body) = pipe_body(source, one(), Origin::Upstream);
    let (all, _) = across(pump, body);
    assert_eq!((all.text(), all.trailers.is_some()), ("one two three", true));
}

#[test]
fn an_error_comes_behind_the_data_and_stays_what_it_is() {
    let broken = || Source::new([Step::Data(b"one"), Step::Error]);
    let (pump, body) = pipe_body(broken(), Marks::DEFAULT, Origin::Upstream);
    let (all, _) = across(pump, body);
    let error = all.error.as_ref().unwrap();
    assert_eq!(
        (all.text(), error.kind(), error.origin()),
        ("one", ErrorKind::Reset, Origin::Upstream)
    );
    assert_eq!(std::error::Error::source(error).unwrap().to_string(), "the source broke");

    // An error of the crate keeps its origin: that of the chain, not the one given here.
    let plan = no_filters::<request::Parts>();
    let mut source = FilteredBody::new(chain(&plan), request_head(), broken());
    head_of(&mut source);
    let (pump, body) = pipe_body(source, Marks::DEFAULT, Origin::Upstream);
    let (all, _) = across(pump, body);
    assert_eq!((all.text(), all.error.as_ref().unwrap().origin()), ("one", Origin::Downstream));
}

#[test]
fn a_pump_that_is_dropped_is_an_error_and_no_end() {
    for polls in 0..4 {
        let source = Source::new([Step::Data(b"one"), Step::Gate, Step::Data(b"two")]);
        let state = source.state();
        let (mut pump, mut body) = pipe_body(source, Marks::DEFAULT, Origin::Upstream);
        for _ in 0..polls {
            assert!(Task::new().poll(|cx| Pin::new(&mut pump).poll(cx)).is_pending());
        }
        drop(pump);
        assert!(state.is_dropped());
        let all = collect(&mut body);
        assert_eq!(all.text(), if polls == 0 { "" } else { "one" });
        assert_eq!(all.error.unwrap().kind(), ErrorKind::Reset);
        assert!(!body.is_end_stream());
    }
}

#[test]
fn a_body_that_is_dropped_drops_the_source() {
    // The pump waits for the source.
    let source = Source::new([Step::Data(b"one"), Step::Gate]);
    let state = source.state();
    let (mut pump, body) = pipe_body(source, Marks::DEFAULT, Origin::Upstream);
    let task = Task::new();
    assert!(poll_pump(&task, &mut pump).is_pending());
    drop(body);
    assert!(task.is_woken());
    assert!(poll_pump(&task, &mut pump).is_ready());
    assert!(state.is_dropped());

    // The pump waits for room.
    let source = Source::new(STEPS);
    let state = source.state();
    let (mut pump, body) = pipe_body(source, one(), Origin::Upstream);
    assert!(poll_pump(&task, &mut pump).is_pending());
    drop(body);
    assert!(task.is_woken());
    let Poll::Ready(stats) = poll_pump(&task, &mut pump) else { panic!() };
    assert!(state.is_dropped());
    assert_eq!((stats.items, stats.dropped_items), (1, 1));
}

#[test]
fn a_source_is_not_read_beyond_the_room() {
    let source = Source::new((0..9).map(|_| Step::Data(b"0123456789")));
    let state = source.state();
    // Over with the third.
    let two_bytes = 2 * (10 + PIPE_ITEM_COST_BYTES);
    let (mut pump, mut body) = pipe_body(source, Marks::from_high(two_bytes), Origin::Upstream);
    let task = Task::new();
    assert!(poll_pump(&task, &mut pump).is_pending());
    assert_eq!(state.polls(), 3);
    assert!(poll_pump(&task, &mut pump).is_pending());
    assert_eq!(state.polls(), 3, "asked again without a reason");
    let frame = Task::new().poll(|cx| Pin::new(&mut body).poll_frame(cx));
    assert!(frame.is_ready() && !task.is_woken(), "not low yet");
    let (all, _) = across(pump, body);
    assert_eq!(all.data.len(), 80);
}

#[test]
fn a_source_that_is_always_ready_lets_others_run() {
    let source = Source::new((0..1000).map(|_| Step::Data(b"x")));
    let state = source.state();
    let (mut pump, _body) = pipe_body(source, Marks::from_high(1 << 20), Origin::Upstream);
    let task = Task::new();
    assert!(task.poll(|cx| Pin::new(&mut pump).poll(cx)).is_pending());
    assert!(task.is_woken() && state.polls() < 100);
}

#[test]
fn hints_and_ends_are_true() {
    // Nothing to wait for: seen before the pump runs.
    let (pump, body) = pipe_body(Source::empty(), one(), Origin::Upstream);
    assert!(body.is_end_stream());
    assert_eq!(body.size_hint().exact(), Some(0));
    assert_eq!(across(pump, body).0.frames, 0);

    let source = Source::new([Step::Data(b"one"), Step::Data(b"three")]).exact(8).telling_end();
    let (mut pump, mut body) = pipe_body(source, Marks::DEFAULT, Origin::Upstream);
    assert_eq!((body.size_hint().exact(), body.is_end_stream()), (Some(8), false));
    assert!(poll_pump(&Task::new(), &mut pump).is_ready());
    let mut next = || {
        let frame = Task::new().poll(|cx| Pin::new(&mut body).poll_frame(cx));
        let Poll::Ready(Some(Ok(frame))) = frame else { panic!() };
        (frame.into_data().unwrap(), body.size_hint().exact(), body.is_end_stream())
    };
    assert_eq!(next(), ("one".into(), Some(5), false));
    assert_eq!(next(), ("three".into(), Some(0), true));

    // Trailers follow: not at the end, though no data is to come.
    let source = Source::new([Step::Data(b"one"), Step::Trailers("sum")]);
    let (mut pump, mut body) = pipe_body(source, Marks::DEFAULT, Origin::Upstream);
    assert!(poll_pump(&Task::new(), &mut pump).is_ready());
    assert!(Task::new().poll(|cx| Pin::new(&mut body).poll_frame(cx)).is_ready());
    assert!(!body.is_end_stream());
    assert_eq!(collect(&mut body).trailers.unwrap()[CHECK], "sum");
    assert!(body.is_end_stream());

    // More than was said: nothing more is said.
    let source = Source::new([Step::Data(b"three"), Step::Gate]).exact(3);
    let (mut pump, mut body) = pipe_body(source, Marks::DEFAULT, Origin::Upstream);
    assert!(poll_pump(&Task::new(), &mut pump).is_pending());
    assert!(Task::new().poll(|cx| Pin::new(&mut body).poll_frame(cx)).is_ready());
    assert_eq!((body.size_hint().lower(), body.size_hint().upper()), (0, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_cross_threads() {
    let mut tasks = Vec::new();
    for n in 0..100_u64 {
        tasks.push(tokio::spawn(async move {
            let steps = (0..50).map(|_| Step::Data(b"0123456789")).chain([Step::Trailers("sum")]);
            let (pump, mut body) =
                pipe_body(Source::new(steps), Marks::from_high(n * 10), Origin::Upstream);
            let pumped = tokio::spawn(pump);
            let all = collect_async(&mut body).await;
            assert_eq!((all.data.len(), all.error.is_none()), (500, true));
            assert_eq!(all.trailers.unwrap()[CHECK], "sum");
            assert_eq!(pumped.await.unwrap().items, 50);
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
}

/// The body of a task that panics does not look complete.
#[tokio::test]
async fn a_pump_whose_task_panics_is_an_error() {
    struct Panics;
    impl Body for Panics {
        type Data = bytes::Bytes;
        type Error = Error;
        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> Poll<Option<Result<http_body::Frame<bytes::Bytes>, Error>>> {
            panic!("on purpose")
        }
    }
    let (pump, mut body) = pipe_body(Panics, Marks::DEFAULT, Origin::Upstream);
    assert!(tokio::spawn(pump).await.is_err());
    assert_eq!(collect_async(&mut body).await.error.unwrap().kind(), ErrorKind::Reset);
}
