//! What filters change in heads, as the other side sees it; and what comes besides messages.

use super::harness::client::{Call, Http};
use super::harness::origin::Plan;
use super::harness::pattern::{client, origin};
use super::harness::rig::rig;
use super::harness::sending::{down, up};
use http::HeaderMap;

const MODES: [&str; 5] =
    ["NONE", "STREAMED", "BUFFERED", "BUFFERED_PARTIAL", "FULL_DUPLEX_STREAMED"];

fn values<'a>(fields: &'a HeaderMap, name: &str) -> Vec<&'a [u8]> {
    fields.get_all(name).iter().map(http::HeaderValue::as_bytes).collect()
}

/// What `edit_fields` of the actor makes of fields that had `x-list: first` and `x-remove: 1`.
fn assert_edited(fields: &HeaderMap, case: &impl std::fmt::Display) {
    assert_eq!(values(fields, "x-set"), [b"new"], "{case}");
    let list = values(fields, "x-list").join(&b", "[..]);
    let list: Vec<_> = list.split(|&byte| byte == b',').map(<[u8]>::trim_ascii).collect();
    assert_eq!(list, [&b"first"[..], b"second", b"behind"], "{case}");
    assert_eq!(values(fields, "x-remove"), [b""; 0], "{case}");
    assert_eq!(values(fields, "x-bytes"), [b"caf\xe9"], "{case}");
    assert_eq!(values(fields, "x-empty"), [b""], "{case}");
    assert_eq!(values(fields, "x-kept"), [b"as it was"], "{case}");
}

/// Scenario 88 `[hm_value, hm_both, hm_append, hm_empty]`, P10, P11, P13: set, append and remove do
/// what they say; lengths and fields of the hop stay Envoy's.
#[test]
fn s88_fields_are_set_appended_and_removed_in_both_directions() {
    rig().run(async {
        for http in Http::BOTH {
            for mode in MODES {
                let call = Call::post(http, up(500)).via(http);
                let call = call
                    .header("x-list", "first")
                    .header("x-list", "second")
                    .header("x-remove", "1")
                    .header("x-set", "old")
                    .header("x-kept", "as it was");
                let plan = Plan::sends(down(700))
                    .header("x-list", "first")
                    .header("x-list", "second")
                    .header("x-remove", "1")
                    .header("x-set", "old")
                    .header("x-kept", "as it was");
                let mut case = rig().case(&format!("edit_head_{mode}"), call, plan).await;
                case.assert_response(200, &origin(700));
                assert_edited(case.answer.headers(), &case);
                let seen = case.assert_request(&client(500)).await;
                assert_edited(seen.headers(), &case);
            }
        }
    });
}

/// P13: a filter that writes fields of the hop, or a length, breaks no framing.
#[test]
fn fields_of_the_hop_are_not_passed_on() {
    rig().run(async {
        for http in Http::BOTH {
            for mode in MODES {
                for length in [false, true] {
                    let (mut sends, mut answers) = (up(500), down(700));
                    if length {
                        (sends, answers) = (sends.with_length(), answers.with_length());
                    }
                    let call = Call::post(http, sends).via(http);
                    let listener = format!("edit_hop_{mode}");
                    let mut case = rig().case(&listener, call, Plan::sends(answers)).await;
                    case.assert_response(200, &origin(700));
                    let seen = case.assert_request(&client(500)).await;
                    for fields in [seen.headers(), case.answer.headers()] {
                        for name in ["keep-alive", "upgrade", "proxy-connection"] {
                            assert_eq!(values(fields, name), [b""; 0], "{name}: {case}");
                        }
                    }
                }
            }
        }
    });
}

/// Scenario 59 `[smug_up, smug_short]`, P12: where Envoy keeps the length, no filter of ours can
/// change it.
#[test]
fn s59_a_length_that_envoy_keeps_is_kept_with_its_body() {
    rig().run(async {
        for http in Http::BOTH {
            let call = Call::post(http, up(500).with_length()).via(http);
            let plan = Plan::sends(down(700).with_length());
            let mut case = rig().case("keep_length_STREAMED", call, plan).await;
            case.assert_response(200, &origin(700).flipped());
            assert_eq!(case.answer.header("content-length"), Some("700"), "{case}");
            let seen = case.assert_request(&client(500).flipped()).await;
            assert_eq!(seen.header("content-length"), Some("500"), "{case}");
        }
    });
}

/// Scenario 68 `[ir_status100]`, P38: no final answer has such a status.
#[test]
fn s68_a_reply_that_is_no_final_answer_fails_the_request() {
    rig().run(async {
        for http in Http::BOTH {
            let call = Call::get(http).via(http);
            let case = rig().case("reply_100", call, Plan::default()).await;
            case.assert_status(502);
        }
    });
}

/// Scenario 87 `[hm_disallow_err]`, and the rules that only ignore.
#[test]
fn s87_changes_that_the_rules_of_envoy_forbid_are_ignored_or_fail_the_request() {
    rig().run(async {
        for http in Http::BOTH {
            let call = Call::get(http).via(http).header("x-kept", "as it was");
            let mut case = rig().case("rules", call.clone(), Plan::sends(down(3))).await;
            case.assert_response(200, &origin(3));
            let seen = case.seen().await;
            assert_eq!((seen.header("x-set"), seen.header("x-kept")), (None, Some("as it was")));
            let case = rig().case("rules_error", call, Plan::sends(down(3))).await;
            case.assert_status(500);
            assert!(!case.reached_origin(), "{case}");
        }
    });
}

/// Path, method and status.
#[test]
fn path_and_status_are_changed_and_the_method_where_envoy_takes_it() {
    rig().run(async {
        for http in Http::BOTH {
            let call = Call::get(http).via(http);
            let mut case = rig().case("edit_line", call, Plan::sends(down(3))).await;
            case.assert_response(202, &origin(3));
            assert_eq!(case.seen().await.head.uri.path(), "/changed", "{case}");
        }
    });
}

/// Scenario 9 `[attrs]`: on the first message of each direction, and readable by filters.
#[test]
fn s09_attributes_and_metadata_reach_the_filters() {
    rig().run(async {
        for http in Http::BOTH {
            let call = Call::post(http, up(10)).via(http);
            let mut case = rig().case("attributes", call, Plan::sends(down(10))).await;
            case.assert_response(200, &origin(10));
            let seen = case.assert_request(&client(10)).await;
            let said = case.said();
            let with =
                |message: &&crate::messages::ProcessingRequest| !message.attributes.is_empty();
            assert_eq!(said.requests.iter().filter(with).count(), 2, "{:?}", said.lines);
            let path = seen.header("x-attribute-path").unwrap_or_default();
            assert!(path.starts_with("/?case="), "{path:?} {case}");
            assert_eq!(case.answer.header("x-attribute-code"), Some("200"), "{case}");
        }
    });
}

/// Scenario 6 `[hdr_skip_body_*, fds_hdr_skip]`: the first message is one of body.
#[test]
fn s06_bodies_are_edited_where_heads_are_not_shown() {
    rig().run(async {
        for http in Http::BOTH {
            for mode in ["STREAMED", "BUFFERED", "FULL_DUPLEX_STREAMED"] {
                let call = Call::post(http, up(3000)).via(http);
                let listener = format!("skip_heads_{mode}");
                let mut case = rig().case(&listener, call, Plan::sends(down(4000))).await;
                case.assert_response(200, &origin(4000).flipped());
                case.assert_request(&client(3000).flipped()).await;
                let said = case.said();
                said.announced();
                assert_eq!(said.shown('Q'), ["B(3000,1)"], "{case}");
                assert_eq!(said.shown('P'), ["B(4000,1)"], "{case}");
            }
        }
    });
}

/// Scenario 7 `[trailers_only_mode]`: the stream opens with the trailers.
#[test]
fn s07_trailers_are_edited_where_nothing_else_is_shown() {
    rig().run(async {
        for http in Http::BOTH {
            let call = Call::post(http, up(3000).with_trailers("up")).via(http);
            let plan = Plan::sends(down(10).with_trailers("down"));
            let mut case = rig().case("only_trailers", call, plan).await;
            case.assert_response(200, &origin(10));
            let seen = case.assert_request(&client(3000)).await;
            assert_eq!(seen.body.trailer("x-set"), Some("new"), "{case}");
            assert_eq!(case.answer.body().trailer("x-set"), None, "{case}");
            let said = case.said();
            assert_eq!(said.announced(), (0, 0));
            assert_eq!((said.shown('Q'), said.shown('P')), (vec!["T".to_owned()], vec![]));
        }
    });
}
