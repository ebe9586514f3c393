//! Flows behind the tower edge.

use std::convert::Infallible;
use std::time::Duration;

use http::{Request, Response, request, response};
use tidegate::body::{ExchangeLayer, HttpEdge, RequestBody, Timeouts};
use tidegate::flow::{Call, Flow, Pipeline, StageEnd};
use tokio::time::Instant;
use tower::{Layer, ServiceExt, service_fn};

use crate::rig::{Act, Log};
use crate::support::{Source, Step, collect_async};

const SECOND: Duration = Duration::from_secs(1);

/// What the client gets, and when, of a response that says something and never ends.
async fn exchange(flow: &Flow, timeouts: Timeouts) -> (u16, String, bool, Duration) {
    let layer =
        ExchangeLayer::of_plan(HttpEdge::HYPER, flow.plan()).unwrap().response_timeouts(timeouts);
    let service = layer.layer(service_fn(|_: Request<RequestBody<Source>>| async {
        Ok::<_, Infallible>(Response::new(Source::new([Step::Data(b"pong"), Step::Gate])))
    }));
    let begin = Instant::now();
    let response = service.oneshot(Request::new(Source::of("ping"))).await.unwrap();
    let status = response.status().as_u16();
    let body = collect_async(&mut response.into_body()).await;
    (status, body.text().to_owned(), body.error.is_some(), begin.elapsed())
}

/// A node that holds all, and in after one with a page and one that says so at the end.
fn flow(log: &Log) -> Flow {
    let main = Pipeline::new()
        .request(log.node::<request::Parts>("auth", &[], Act::Says("")))
        .call(Call::new("call"))
        .response(log.node::<response::Parts>("holds", &[], Act::Stalls));
    let after = Pipeline::new()
        .response(log.node("page", &[], Act::Edits(503)))
        .response(log.node("access-log", &[], Act::Says("")));
    log.build(Flow::builder("shop").main(main).after(after))
}

#[tokio::test(start_paused = true)]
async fn what_takes_the_place_of_a_response_that_timed_out_is_given_out_whole() {
    for timeouts in
        [Timeouts::new().total(SECOND), Timeouts::new().idle(SECOND), Timeouts::new().hold(SECOND)]
    {
        let log = Log::default();
        let seen = exchange(&flow(&log), timeouts).await;
        assert_eq!(log.all("head"), ["auth", "holds", "page", "access-log"]);
        assert_eq!(seen, (503, "page".to_owned(), false, SECOND), "{timeouts:?}");
        let [summary] = log.summaries().try_into().unwrap();
        assert_eq!(summary.main, Some(StageEnd::Failed));
        assert_eq!(summary.status.map(|status| status.as_u16()), Some(503));
    }
}
