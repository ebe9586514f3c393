//! Rule I11 at the edge: what a chunk allocates behind the `http_body` face, counted by the global
//! allocator.

#![allow(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, request};
use http_body::{Body, Frame};
use http_body_util::Full;
use tidegate::body::{ExchangeLayer, FilteredBody, RequestBody, Timeouts};
use tidegate::{Capabilities, Filter, Head, MessageTraits, Plan, ResumeHandle, Verdict, View};
use tower::{Layer, Service, service_fn};

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// Counts for each thread, so that tests do not see one another.
struct Counting;

// A test binary of its own: the library itself forbids unsafe code.
//
// SAFETY: forwards to `System` unchanged; the counter is a plain cell without destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's contract is that of `System`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the caller's contract is that of `System`.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

static CHUNK: [u8; 16 * 1024] = [7; 16 * 1024];

/// Never ends; is `Pending` before every second chunk.
struct Endless {
    waits: bool,
}

impl Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.waits = !self.waits;
        if self.waits {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&CHUNK)))))
    }
}

struct Pass;

impl<H: Head> Filter<H> for Pass {
    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        assert!(view.new_bytes() > 0);
        Verdict::PASS
    }
}

/// Holds every chunk and resumes itself through a handle made once.
#[derive(Default)]
struct Hold(Option<ResumeHandle>);

impl<H: Head> Filter<H> for Hold {
    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.0.get_or_insert_with(|| view.resume_handle()).resume();
        Verdict::HOLD
    }
}

fn plan<H: Head>() -> Plan<H> {
    Plan::builder()
        .filter("pass", || Pass)
        .filter("hold", Hold::default)
        .filter("pass", || Pass)
        .build()
        .expect("three filters")
}

/// How often 1000 chunks allocate, after 100 that warm up.
fn allocations<B>(body: &mut B) -> u64
where
    B: Body<Data = Bytes, Error = tidegate::Error> + Unpin,
{
    let mut cx = Context::from_waker(Waker::noop());
    let mut take = |chunks| {
        let mut taken = 0;
        while taken < chunks {
            match Pin::new(&mut *body).poll_frame(&mut cx) {
                Poll::Ready(Some(Ok(frame))) => taken += u32::from(frame.is_data()),
                Poll::Ready(other) => panic!("{other:?}"),
                Poll::Pending => {}
            }
        }
    };
    take(100);
    let before = ALLOCATIONS.get();
    take(1000);
    ALLOCATIONS.get() - before
}

#[test]
fn a_chunk_allocates_nothing() {
    let chain = plan::<request::Parts>().bind(Capabilities::ALL).unwrap();
    let chain = chain.chain(MessageTraits::new()).unwrap();
    let (head, ()) = Request::new(()).into_parts();
    let mut body = FilteredBody::new(chain, head, Endless { waits: false });
    assert_eq!(allocations(&mut body), 0);
}

#[tokio::test(start_paused = true)]
async fn a_chunk_with_timeouts_allocates_nothing() {
    let minute = Duration::from_secs(60);
    let chain = plan::<request::Parts>().bind(Capabilities::ALL).unwrap();
    let chain = chain.chain(MessageTraits::new()).unwrap();
    let (head, ()) = Request::new(()).into_parts();
    let mut body = FilteredBody::new(chain, head, Endless { waits: false })
        .timeouts(Timeouts::new().idle(minute).total(minute).hold(minute));
    assert_eq!(allocations(&mut body), 0);
}

#[test]
fn a_chunk_through_the_layer_allocates_nothing() {
    let layer = ExchangeLayer::new(plan(), plan()).unwrap();
    let mut service = layer.layer(service_fn(|request: Request<RequestBody<Endless>>| async {
        Ok::<_, Infallible>(Response::new(request.into_body()))
    }));
    let mut future = pin!(service.call(Request::new(Endless { waits: false })));
    let mut cx = Context::from_waker(Waker::noop());
    let response = loop {
        let mut head = pin!(poll_fn(|cx| future.as_mut().poll(cx)));
        if let Poll::Ready(response) = head.as_mut().poll(&mut cx) {
            break response.unwrap();
        }
    };
    // Through both chains: the inner service echoes.
    assert_eq!(allocations(&mut response.into_body()), 0);
}

/// What an exchange allocates when many have gone before it: as much with eight filters that are
/// recycled as with none. Among what is left are the header maps that the edge fills in
/// `content-length`, a place for each message, and the mailbox between them.
#[test]
fn an_exchange_through_the_layer_allocates_next_to_nothing() {
    struct Stays;
    impl<H: Head> Filter<H> for Stays {
        fn data(&mut self, _: &mut View<'_, H>) -> Verdict {
            Verdict::PASS
        }

        fn recycle(&mut self) -> bool {
            true
        }
    }
    fn plan<H: Head>(filters: usize) -> Plan<H> {
        let plan = (0..filters).fold(Plan::builder(), |plan, _| plan.filter("stays", || Stays));
        plan.build().expect("a plan")
    }
    type Echoed = Full<Bytes>;
    let mut cx = Context::from_waker(Waker::noop());
    let mut plain = service_fn(|request: Request<Echoed>| async {
        Ok::<_, Infallible>(Response::new(request.into_body()))
    });
    let layered = |filters| {
        ExchangeLayer::new(plan(filters), plan(filters)).unwrap().layer(service_fn(
            |request: Request<RequestBody<Echoed>>| async {
                Ok::<_, Infallible>(Response::new(request.into_body()))
            },
        ))
    };
    let mut count = |round: &mut dyn FnMut(&mut Context<'_>)| {
        (0..10).for_each(|_| round(&mut cx));
        let before = ALLOCATIONS.get();
        (0..100).for_each(|_| round(&mut cx));
        ALLOCATIONS.get() - before
    };
    let request = || Request::new(Full::new(Bytes::from_static(b"a body")));
    let alone = count(&mut |cx| {
        let Poll::Ready(answer) = pin!(plain.call(request())).poll(cx) else { panic!() };
        taken(answer.unwrap().into_body(), cx);
    });
    let through = [0, 8].map(|filters| {
        let mut layered = layered(filters);
        count(&mut |cx| {
            let Poll::Ready(answer) = pin!(layered.call(request())).poll(cx) else { panic!() };
            taken(answer.unwrap().into_body(), cx);
        })
    });
    assert_eq!(through[0], through[1], "filters that are recycled cost nothing");
    let per_exchange = (through[1] - alone) as f64 / 100.0;
    assert!(per_exchange <= 11.0, "{per_exchange} allocations an exchange");
}

fn taken<B>(mut body: B, cx: &mut Context<'_>)
where
    B: Body<Data = Bytes> + Unpin,
{
    while let Poll::Ready(Some(frame)) = Pin::new(&mut body).poll_frame(cx) {
        assert!(frame.is_ok());
    }
    assert!(body.is_end_stream());
}
