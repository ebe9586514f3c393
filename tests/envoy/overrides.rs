//! Group G: modes that the server asks for, exchange by exchange.

use super::harness::client::{Call, Http};
use super::harness::origin::Plan;
use super::harness::pattern::{client, origin};
use super::harness::rig::rig;
use super::harness::sending::{Sending, down, up};
use super::served::actor::REPLACEMENT;

/// What Envoy was asked for: the numbers of the two body modes.
fn asked(said: &super::harness::transcript::Transcript) -> Option<(i32, i32)> {
    let mode = said.replies.iter().find_map(|reply| reply.mode_override)?;
    Some((mode.request_body_mode, mode.response_body_mode))
}

/// Scenarios 73 `[mo_none_to_buf, mo_none_to_str_data_early]` and 77 `[mo_none_to_fds_tr]`.
#[test]
fn s73_s77_from_none_to_each_mode_that_shows_the_body() {
    rig().run(async {
        for http in Http::BOTH {
            for (mode, number) in [("STREAMED", 1), ("BUFFERED", 2), ("FULL_DUPLEX_STREAMED", 4)] {
                for trailers in [false, true] {
                    let ends =
                        |body: Sending| if trailers { body.with_trailers("t") } else { body };
                    let call = Call::post(http, ends(up(30_000))).via(http);
                    let plan = Plan::sends(ends(down(40_000)));
                    let mut case = rig().case(&format!("override_to_{mode}"), call, plan).await;
                    case.assert_response(200, &origin(40_000).flipped());
                    let seen = case.assert_request(&client(30_000).flipped()).await;
                    let came = [&seen.body, case.answer.body()].map(|it| it.trailer("x-sum"));
                    assert_eq!(came, [trailers.then_some("t"); 2], "{case}");
                    let said = case.said();
                    assert_eq!(said.announced(), (0, 0), "{case}");
                    assert_eq!(asked(&said), Some((number, number)), "{case}");
                }
            }
        }
    });
}

/// Scenario 74 `[mo_drops_respbody]`, P16: ours fill all fields, so the other direction stays.
#[test]
fn s74_an_override_of_the_request_leaves_the_response_as_it_was() {
    rig().run(async {
        for http in Http::BOTH {
            let call = Call::post(http, up(30_000)).via(http);
            let mut case = rig().case("override_request", call, Plan::sends(down(40_000))).await;
            case.assert_response(200, &origin(40_000).flipped());
            case.assert_request(&client(30_000).flipped()).await;
            let said = case.said();
            assert_eq!(asked(&said), Some((1, 2)), "{case}");
            assert_eq!(said.shown('P'), ["H(e=0)", "B(40000,1)"], "{case}");
        }
    });
}

/// Scenario 75 `[mo_not_allowed, mo_list_mismatch, mo_from_fds_ignored]`, P17: what Envoy would
/// ignore is not sent.
#[test]
fn s75_an_override_that_would_be_ignored_is_not_sent() {
    rig().run(async {
        for http in Http::BOTH {
            for listener in ["override_not_allowed", "override_not_listed"] {
                let call = Call::post(http, up(30_000)).via(http);
                let mut case = rig().case(listener, call, Plan::sends(down(40_000))).await;
                case.assert_response(200, &origin(40_000));
                case.assert_request(&client(30_000)).await;
                assert_eq!(asked(&case.said()), None, "{case}");
            }
            let call = Call::post(http, up(30_000)).via(http);
            let plan = Plan::sends(down(40_000));
            let mut case = rig().case("override_from_duplex", call, plan).await;
            case.assert_response(200, &origin(40_000).flipped());
            case.assert_request(&client(30_000).flipped()).await;
            assert_eq!(asked(&case.said()), None, "{case}");
        }
    });
}

/// Scenario 76 `[mo_list_match_need_all, mo_list_explicit]`, P19.
#[test]
fn s76_an_override_that_is_listed_is_taken() {
    rig().run(async {
        for http in Http::BOTH {
            let call = Call::post(http, up(30_000)).via(http);
            let mut case = rig().case("override_listed", call, Plan::sends(down(40_000))).await;
            case.assert_response(200, &origin(40_000).flipped());
            case.assert_request(&client(30_000).flipped()).await;
            assert_eq!(asked(&case.said()), Some((2, 2)), "{case}");
        }
    });
}

/// Scenario 78 `[mo_resphdr_skip]`.
#[test]
fn s78_a_response_head_can_be_left_out() {
    rig().run(async {
        for http in Http::BOTH {
            let call = Call::post(http, up(300)).via(http);
            let mut case = rig().case("override_skip_response", call, Plan::sends(down(40))).await;
            case.assert_response(200, &origin(40));
            case.assert_request(&client(300)).await;
            assert_eq!(case.said().shown('P'), [""; 0], "{case}");
        }
    });
}

/// Scenario 79 `[mo_standalone_none_to_fds]`: the answer to the head comes behind the body, and
/// still changes it.
#[test]
fn s79_an_override_goes_by_itself_where_the_head_is_held_for_the_body() {
    rig().run(async {
        for http in Http::BOTH {
            for trailers in [false, true] {
                let ends = |body: Sending| if trailers { body.with_trailers("t") } else { body };
                let call = Call::post(http, ends(up(30_000))).via(http);
                let plan = Plan::sends(ends(down(40_000)));
                let mut case = rig().case("override_alone", call, plan).await;
                case.assert_response(200, &origin(40_000));
                assert_eq!(case.answer.header("x-measured"), Some("40000"), "{case}");
                let seen = case.assert_request(&client(30_000)).await;
                assert_eq!(seen.header("x-measured"), Some("30000"), "{case}");
                let came = [&seen.body, case.answer.body()].map(|it| it.trailer("x-sum"));
                assert_eq!(came, [trailers.then_some("t"); 2], "{case}");
                let said = case.said();
                assert_eq!(asked(&said), Some((4, 4)), "{case}");
                assert!(said.replies[0].response.is_none(), "{case}");
            }
        }
    });
}

/// Both go in one message, of which Envoy takes the mode first (2.4).
#[test]
fn a_get_that_is_given_a_body_can_have_its_mode_chosen() {
    rig().run(async {
        for http in Http::BOTH {
            let call = Call::get(http).via(http);
            let mut case = rig().case("override_add_body", call, Plan::sends(down(9))).await;
            case.assert_response(200, &origin(9).flipped());
            let seen = case.seen().await;
            assert_eq!(seen.body.body(), REPLACEMENT.as_bytes(), "{case}");
            let said = case.said();
            assert_eq!(asked(&said), Some((2, 2)), "{case}");
            assert_eq!(said.shown('P'), ["H(e=0)", "B(9,1)"], "{case}");
        }
    });
}
