//! Servers that go away, are not well, or meet peers that do not keep up.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tidegate::ext_proc::server::ServingStatus;

use super::harness::client::{Call, Http};
use super::harness::origin::{Answers, Plan};
use super::harness::pattern::{client, origin};
use super::harness::received::{End, Reads};
use super::harness::rig::rig;
use super::harness::sending::{down, up};
use super::served::apart::{AILING, CHILD, GOING};
use super::served::serve::wait_until_idle;
use super::served::tap::RESET;

const MIB: u64 = 1 << 20;

/// P39: what is under way ends well, and then the server is gone.
#[test]
fn p39_a_server_that_goes_away_finishes_what_is_under_way() {
    rig().run(async {
        let going = rig().apart.going();
        let chunks = up(60_000).chunks(&[10_000]).pace(Duration::from_millis(100));
        let call = Call::post(Http::Two, chunks).via(Http::Two);
        let plan = Plan::sends(down(50_000).chunks(&[10_000]).pace(Duration::from_millis(50)));
        let under_way = rig().case(GOING, call, plan);
        let goes = async {
            while going.drain.live_streams() == 0 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            going.go.send(()).expect("the server is there");
        };
        let (mut case, ()) = tokio::join!(under_way, goes);
        case.assert_response(200, &origin(50_000));
        case.assert_request(&client(60_000)).await;
        let served = going.gone.await.expect("no panic");
        assert_eq!((served.failed, served.cut), (0, 0), "{served:?}");
        let call = Call::post(Http::Two, up(10)).via(Http::Two);
        let case = rig().case(GOING, call, Plan::default()).await;
        case.assert_status(500);
        assert!(!case.reached_origin(), "{case}");
    });
}

/// P20: streams that were answered have ended well, however Envoy ends them.
#[test]
fn p20_no_stream_of_a_message_that_passed_is_told_as_a_failure() {
    rig().run(async {
        for mode in ["NONE", "STREAMED", "BUFFERED", "BUFFERED_PARTIAL", "FULL_DUPLEX_STREAMED"] {
            let name = format!("ends_{mode}");
            for http in Http::BOTH.into_iter().cycle().take(8) {
                let call = Call::post(http, up(70_000)).via(http);
                let mut case = rig().case(&name, call, Plan::sends(down(70_000))).await;
                case.assert_response(200, &origin(70_000));
                case.assert_request(&client(70_000)).await;
            }
            let ends = wait_until_idle(&name).await.ends();
            assert_eq!(ends.len(), 8, "{mode}: {ends:?}");
            let well = ends.iter().all(|end| ["complete", "released"].contains(end));
            assert!(well, "{mode}: {ends:?}");
        }
    });
}

/// Scenario 90 `[graceful_*]`: an Envoy that waits for the server's status does not reset before.
#[test]
fn s90_an_envoy_that_closes_gracefully_gets_the_status() {
    const GUARD: &str = "envoy.reloadable_features.ext_proc_graceful_grpc_close";
    let runtime = format!(
        "layered_runtime:\n  layers:\n  - name: graceful\n    static_layer: {{ {GUARD}: true }}\n"
    );
    let envoy = rig().another("graceful", &runtime, |name| name.starts_with("look_"));
    rig().run(async {
        for http in Http::BOTH {
            for mode in ["NONE", "STREAMED", "BUFFERED", "FULL_DUPLEX_STREAMED"] {
                let call = Call::post(http, up(5000)).via(http);
                let listener = envoy.listener(&format!("look_{mode}"));
                let mut case = rig().case_at(listener, mode, call, Plan::sends(down(5000))).await;
                case.assert_response(200, &origin(5000));
                case.assert_request(&client(5000)).await;
                let said = case.said_of(|said| said.lines.iter().any(|line| line == "S ends 0 "));
                assert!(!said.await.lines.iter().any(|line| line == RESET), "{case}");
            }
        }
    });
}

/// Scenarios 41 `[bp_str_noreply]` and 60 `[bp_fds_*]`, P23: a filter that holds as much as it may
/// stops the stream and by it the client.
#[test]
fn s41_s60_a_filter_that_holds_stops_a_client_that_sends_without_end() {
    const BYTES: u64 = 1 << 40;
    /// What Envoy and the sockets keep, and some.
    const MOST: u64 = 64 * MIB;
    rig().run(async {
        for mode in ["STREAMED", "FULL_DUPLEX_STREAMED"] {
            for http in Http::BOTH {
                let body = up(BYTES);
                let taken = body.taken();
                let call = Call::post(http, body).via(http);
                let name = format!("hold_modestly_{mode}");
                let (_, answer, _seen) = rig().begin(&name, call, Plan::default());
                let stops = async {
                    let mut before = 0;
                    loop {
                        tokio::time::sleep(Duration::from_millis(700)).await;
                        let now = taken.load(Ordering::Relaxed);
                        assert!(now < MOST, "{mode} {http:?}: {now} bytes were taken");
                        if now > 0 && now == before {
                            return;
                        }
                        before = now;
                    }
                };
                tokio::select! {
                    () = stops => {}
                    _ = answer => panic!("an answer to a request that does not end"),
                }
            }
        }
    });
}

/// Envoy's health check of gRPC, and the health service of the server.
#[test]
fn a_server_that_is_not_well_is_left_alone_until_it_is() {
    rig().run(async {
        let health = rig().apart.ailing.health();
        for (status, expected) in [
            (ServingStatus::Serving, 200),
            (ServingStatus::NotServing, 500),
            (ServingStatus::Serving, 200),
        ] {
            health.set("", status);
            loop {
                let case = rig().case(AILING, Call::get(Http::One), Plan::default()).await;
                if case.answer.status() == Some(expected) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    });
}

/// T17: eight streams in full duplex whose consumer takes 1 MiB a second, and whose producer sends
/// whatever is taken.
#[test]
fn t17_slow_consumers_cost_the_server_little_memory() {
    const STREAMS: usize = 8;
    const LIMIT: u64 = 10 * MIB;
    rig().run(async {
        let child = &rig().apart.child;
        for http in Http::BOTH {
            for is_response in [false, true] {
                // Connections, and what the process needs once.
                let call = Call::post(http, up(100_000)).via(http);
                let case = rig().case(CHILD, call, Plan::sends(down(100_000))).await;
                case.assert_response(200, &origin(100_000));
                let before = child.resident_bytes();
                let streams = (0..STREAMS).map(|_| endless(http, is_response));
                let mut most = before;
                let streams = super::bodies::all(streams);
                tokio::pin!(streams);
                loop {
                    tokio::select! {
                        () = &mut streams => break,
                        () = tokio::time::sleep(Duration::from_millis(50)) => {
                            most = most.max(child.resident_bytes());
                        }
                    }
                }
                let growth = most - before;
                assert!(growth <= LIMIT, "{http:?}, response {is_response}: {growth} bytes");
            }
        }
    });
}

/// A body that does not end, of which one side takes 2 MiB, 1 MiB a second.
async fn endless(http: Http, is_response: bool) {
    const BYTES: u64 = 1 << 40;
    let slow = Reads::SlowlySome(MIB, 2 * MIB);
    if is_response {
        let call = Call::get(http).via(http).reads(slow).expects(origin(BYTES));
        let case = rig().case(CHILD, call, Plan::sends(down(BYTES))).await;
        case.assert_status(200);
        let body = case.answer.body();
        assert_eq!((&body.end, body.different_at()), (&End::Left, None), "{case}");
    } else {
        let call = Call::post(http, up(BYTES)).via(http);
        let plan = Plan::default().reads(slow).expects(client(BYTES));
        let (_, answer, seen) = rig().begin(CHILD, call, plan);
        let body = tokio::select! {
            // Then the client gives up.
            seen = seen => seen.expect("the origin has read").body,
            _ = answer => panic!("an answer to a request that does not end"),
        };
        assert_eq!((&body.end, body.different_at()), (&End::Left, None), "{body:?}");
    }
}

/// P25: both directions are on one stream. A request that goes nowhere, with every buffer on its
/// way full, does not keep the response back.
#[test]
fn p25_an_origin_that_answers_and_does_not_read_is_heard() {
    rig().run(async {
        for http in Http::BOTH {
            let call = Call::post(http, up(1 << 40)).via(http);
            let nothing = Reads::Nothing(Duration::from_secs(3));
            let mut plan = Plan::sends(down(50)).answers(Answers::AtOnce).reads(nothing);
            // Until then the buffers are full.
            plan.delay = Duration::from_millis(700);
            let case = rig().case("look_quiet_FULL_DUPLEX_STREAMED", call, plan).await;
            case.assert_response(200, &origin(50));
        }
    });
}
