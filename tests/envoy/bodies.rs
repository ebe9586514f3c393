//! Large bodies, small chunks, slow peers, in every mode and both directions.

use std::time::Duration;

use super::harness::client::{Call, Http};
use super::harness::origin::Plan;
use super::harness::pattern::{client, origin};
use super::harness::received::Reads;
use super::harness::rig::rig;
use super::harness::sending::{Sending, down, up};

const MODES: [&str; 5] =
    ["NONE", "STREAMED", "BUFFERED", "BUFFERED_PARTIAL", "FULL_DUPLEX_STREAMED"];

const LARGE: u64 = 64 << 20;

/// 64 MiB through a processor that looks at everything. In BUFFERED with raised limits and windows.
async fn large(mode: &str, http: Http) {
    let listener = format!("look_{mode}_large");
    let call = Call::post(http, up(LARGE)).via(http);
    let mut case = rig().case(&listener, call, Plan::default().expects(client(LARGE))).await;
    case.assert_response(200, &origin(0));
    case.assert_request(&client(LARGE)).await;
    let call = Call::get(http).via(http).expects(origin(LARGE));
    let case = rig().case(&listener, call, Plan::sends(down(LARGE))).await;
    case.assert_response(200, &origin(LARGE));
}

#[test]
fn bodies_of_64_mib_pass_in_none() {
    rig().run(async {
        for http in Http::BOTH {
            large("NONE", http).await;
        }
    });
}

#[test]
fn bodies_of_64_mib_pass_in_streamed() {
    rig().run(async {
        for http in Http::BOTH {
            large("STREAMED", http).await;
        }
    });
}

#[test]
fn bodies_of_64_mib_pass_in_buffered_with_raised_limits() {
    rig().run(async {
        for http in Http::BOTH {
            large("BUFFERED", http).await;
        }
    });
}

#[test]
fn bodies_of_64_mib_pass_in_buffered_partial() {
    rig().run(async {
        for http in Http::BOTH {
            large("BUFFERED_PARTIAL", http).await;
        }
    });
}

#[test]
fn bodies_of_64_mib_pass_in_full_duplex() {
    rig().run(async {
        for http in Http::BOTH {
            large("FULL_DUPLEX_STREAMED", http).await;
        }
    });
}

/// Trailers, empty bodies, single bytes, in each mode, between each pair of protocols.
#[test]
fn bodies_of_all_shapes_pass_in_every_mode_between_all_protocols() {
    rig().run(async {
        for mode in MODES {
            for (http, to) in
                [Http::One, Http::Two].into_iter().flat_map(|a| Http::BOTH.map(|b| (a, b)))
            {
                for trailers in [false, true] {
                    for (bytes, chunk) in [(0, 1), (60, 1), (150_000, 16_000)] {
                        shape(mode, [http, to], trailers, bytes, chunk).await;
                    }
                }
            }
            // Envoy has understood all that it was answered.
            for counter in ["spurious_msgs_received", "streams_failed", "message_timeouts"] {
                let count = rig().envoy.counter(&format!("look_{mode}"), counter);
                assert_eq!(count, 0, "{mode}: {counter}");
            }
        }
    });
}

async fn shape(mode: &str, [http, to]: [Http; 2], trailers: bool, bytes: u64, chunk: usize) {
    let ends = |body: Sending, sum| {
        let body = body.chunks(&[chunk]);
        if trailers { body.with_trailers(sum) } else { body }
    };
    let call = Call::post(http, ends(up(bytes), "up")).via(to);
    let plan = Plan::sends(ends(down(bytes), "down"));
    let mut case = rig().case(&format!("look_{mode}"), call, plan).await;
    case.assert_response(200, &origin(bytes));
    let seen = case.assert_request(&client(bytes)).await;
    assert_eq!(seen.body.trailer("x-sum"), trailers.then_some("up"), "{case}");
    let came = case.answer.body().trailer("x-sum");
    assert_eq!(came, trailers.then_some("down"), "{case}");
}

/// A client that reads 2 MiB a second, or nothing for a second, then an origin that does.
#[test]
fn slow_peers_get_everything() {
    rig().run(async {
        let bytes = 3 << 20;
        let ways = [Reads::Slowly(2 << 20), Reads::After(Duration::from_secs(1))];
        let modes = MODES.into_iter().flat_map(|mode| Http::BOTH.map(|http| (mode, http)));
        let cases = modes.flat_map(|(mode, http)| ways.map(|slow| (mode, http, slow)));
        let cases = cases.map(|(mode, http, slow)| async move {
            let listener = format!("look_{mode}_large");
            let call = Call::get(http).via(http).reads(slow).expects(origin(bytes));
            let case = rig().case(&listener, call, Plan::sends(down(bytes))).await;
            case.assert_response(200, &origin(bytes));
            let call = Call::post(http, up(bytes)).via(http);
            let plan = Plan::default().reads(slow).expects(client(bytes));
            let mut case = rig().case(&listener, call, plan).await;
            case.assert_status(200);
            case.assert_request(&client(bytes)).await;
        });
        all(cases).await;
    });
}

/// Peers that pause.
#[test]
fn bodies_in_slow_chunks_pass() {
    rig().run(async {
        let cases = MODES.into_iter().flat_map(|mode| Http::BOTH.map(|http| (mode, http)));
        let cases = cases.map(|(mode, http)| async move {
            let slow = |body: Sending| body.chunks(&[1, 700, 9]).pace(Duration::from_millis(30));
            let call = Call::post(http, slow(up(4000))).via(http);
            let plan = Plan::sends(slow(down(5000)));
            let mut case = rig()
                .case(
                    &format!("{}_{mode}", if mode == "NONE" { "look" } else { "flip" }),
                    call,
                    plan,
                )
                .await;
            let (mut sent, mut answered) = (client(4000), origin(5000));
            if mode != "NONE" {
                (sent, answered) = (sent.flipped(), answered.flipped());
            }
            case.assert_response(200, &answered);
            case.assert_request(&sent).await;
        });
        all(cases).await;
    });
}

/// Waits for all of them at once.
pub(crate) async fn all(cases: impl Iterator<Item = impl Future<Output = ()>>) {
    let mut cases: Vec<_> = cases.map(Box::pin).collect();
    std::future::poll_fn(|cx| {
        cases.retain_mut(|case| case.as_mut().poll(cx).is_pending());
        if cases.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}
