//! Group H: filters that fail, panic, or are late, and Envoys that lose patience.

use std::time::Duration;

use super::harness::case::Case;
use super::harness::client::{Call, Http};
use super::harness::origin::Plan;
use super::harness::pattern::{client, origin};
use super::harness::received::End;
use super::harness::rig::rig;
use super::harness::sending::{down, up};

/// The client sees that something went wrong: an error status, or a response that broke off.
fn assert_failed(case: &Case<'_>) {
    match case.answer.status() {
        Some(500) => assert_eq!(case.answer.body().end, End::Complete, "{case}"),
        _ => assert!(case.answer.broke_off(), "{case}"),
    }
}

/// P7, scenario 55: bytes that were not given back are never lost under a 200.
#[test]
fn s55_a_request_that_fails_amid_its_body_is_complete_nowhere() {
    rig().run(async {
        for http in Http::BOTH {
            for mode in ["STREAMED", "BUFFERED", "BUFFERED_PARTIAL", "FULL_DUPLEX_STREAMED"] {
                for what in ["fail", "panic"] {
                    let chunks = up(300_000).chunks(&[50_000]).pace(Duration::from_millis(20));
                    let call = Call::post(http, chunks).via(http);
                    let listener = format!("{what}_q_mid_{mode}");
                    let case = rig().case(&listener, call, Plan::default()).await;
                    case.assert_status(500);
                    let mut case = case;
                    if case.reached_origin_so_far() {
                        let seen = case.seen().await;
                        assert!(matches!(seen.body.end, End::Failed(_)), "{case} {:?}", seen.body);
                    }
                }
            }
        }
    });
}

/// P7, the response.
#[test]
fn s55_a_response_that_fails_amid_its_body_is_never_whole_and_short() {
    rig().run(async {
        for http in Http::BOTH {
            for mode in ["STREAMED", "BUFFERED", "BUFFERED_PARTIAL", "FULL_DUPLEX_STREAMED"] {
                for what in ["fail", "panic"] {
                    let chunks = down(300_000).chunks(&[50_000]).pace(Duration::from_millis(20));
                    let call = Call::get(http).via(http);
                    let listener = format!("{what}_p_mid_{mode}");
                    let case = rig().case(&listener, call, Plan::sends(chunks)).await;
                    assert_failed(&case);
                }
            }
        }
    });
}

/// Scenarios 43 `[err_mid_str, err_mid_str_fo]` and 57 `[err_fds_hdr_fo, err_mid_fds_fo]`: the
/// failure of a filter is answered by the server, which has not failed: `failure_mode_allow` does
/// not let a request pass that a filter could not decide.
#[test]
fn s43_s57_a_failing_filter_is_a_500_also_with_failure_mode_allow() {
    rig().run(async {
        for http in Http::BOTH {
            for mode in ["NONE", "STREAMED", "BUFFERED", "FULL_DUPLEX_STREAMED"] {
                for at in ["head", "first", "mid"] {
                    if mode == "NONE" && at != "head" {
                        continue;
                    }
                    let chunks = up(300_000).chunks(&[50_000]).pace(Duration::from_millis(20));
                    let call = Call::post(http, chunks).via(http);
                    let listener = format!("open_q_{at}_{mode}");
                    let case = rig().case(&listener, call, Plan::default()).await;
                    case.assert_status(500);
                }
            }
        }
    });
}

/// Scenario 80 `[to_hdr, to_hdr_fo]`: in the modes that have a timer.
#[test]
fn s80_a_filter_that_is_late_meets_envoys_timeout() {
    rig().run(async {
        for http in Http::BOTH {
            let call = Call::post(http, up(100)).via(http);
            let case = rig().case("hold_q_BUFFERED", call.clone(), Plan::default()).await;
            case.assert_status(504);
            assert!(!case.reached_origin(), "{case}");
            let mut case = rig().case("hold_open_q_BUFFERED", call, Plan::sends(down(5))).await;
            case.assert_response(200, &origin(5));
            case.assert_request(&client(100)).await;
        }
    });
}

/// Scenario 81 `[to_omt_*]`, P34: the server asks for more time, in a message of its own.
#[test]
fn s81_a_filter_that_is_late_is_given_more_time_where_envoy_allows_it() {
    rig().run(async {
        for http in Http::BOTH {
            let call = Call::post(http, up(100)).via(http);
            let mut case = rig().case("more_time", call, Plan::sends(down(5))).await;
            case.assert_response(200, &origin(5));
            case.assert_request(&client(100)).await;
            let said = case.said();
            let asked = said.replies.iter().filter(|it| it.override_message_timeout.is_some());
            assert_eq!(asked.count(), 1, "{case}");
        }
    });
}

/// Scenario 83 `[dead, dead_fo, dead_status]`: nobody there. What the README says of it is this.
#[test]
fn s83_without_a_server_requests_fail_or_pass_as_configured() {
    rig().run(async {
        for http in Http::BOTH {
            for (listener, status) in [("dead", 500), ("dead_status", 503), ("dead_open", 200)] {
                let call = Call::post(http, up(100)).via(http);
                let case = rig().case(listener, call, Plan::sends(down(5))).await;
                case.assert_status(status);
            }
        }
    });
}

/// Scenario 84 `[err_resp_body_after_hdrs, err_respbody_sent]`.
#[test]
fn s84_a_response_that_fails_is_a_500_before_its_head_has_gone_and_cut_behind_it() {
    rig().run(async {
        for http in Http::BOTH {
            let plan =
                || Plan::sends(down(300_000).chunks(&[50_000]).pace(Duration::from_millis(20)));
            let call = Call::get(http).via(http);
            let case = rig().case("fail_p_mid_BUFFERED", call.clone(), plan()).await;
            case.assert_status(500);
            let case = rig().case("fail_p_mid_STREAMED", call, plan()).await;
            assert!(case.answer.broke_off(), "{case}");
        }
    });
}

/// Scenario 89 `[obs_*]`, P26: the server sees, and answers nothing.
#[test]
fn s89_an_observer_sees_what_passes_and_answers_nothing() {
    rig().run(async {
        for http in Http::BOTH {
            for trailers in [false, true] {
                let (mut sends, mut answers) = (up(3000), down(4000));
                if trailers {
                    sends = sends.with_trailers("up");
                    answers = answers.with_trailers("down");
                }
                let call = Call::post(http, sends).via(http);
                let mut case = rig().case("observe_STREAMED", call, Plan::sends(answers)).await;
                case.assert_response(200, &origin(4000));
                case.assert_request(&client(3000)).await;
                // Envoy does not wait for the observer.
                let said = case.said_of(|said| {
                    let ended = |shown: Vec<String>| {
                        shown.last().is_some_and(|last| last == "T" || last.ends_with(",1)"))
                    };
                    ended(said.shown('Q')) && ended(said.shown('P'))
                });
                let said = said.await;
                assert_eq!(said.replies_in_short(), [""; 0], "{case}");
                assert!(said.requests.iter().all(|message| message.observability_mode));
                assert_eq!((said.bytes_of('Q'), said.bytes_of('P')), (3000, 4000), "{case}");
            }
        }
    });
}
