//! The scenarios of the specification, groups A to H, and where each is shown.

/// Where a scenario is shown, or why it is not here.
enum Shown {
    /// By this test, and by those beside it whose names begin with the number.
    By(&'static str),
    /// A server made with the crate cannot write what the scenario is about: the reason.
    Unwritable(&'static str),
    /// It is about a client of the protocol.
    OfClients,
}

use Shown::{By, OfClients, Unwritable};

const ONE_EACH: &str = "pens answer each message once, in order, in its mode's form (`automaton`)";
const NO_GOOD_END: &str = "a stream with bytes that are owed never ends with OK (P7): see 55";
const NO_STREAMED_REPLY: &str = "streamed immediate responses are not offered";

/// In their order, from 1 on.
const SCENARIOS: [Shown; 90] = [
    // A. Message shapes.
    By("s01_a_get_in_none_is_two_heads_and_two_answers"),
    By("s02_s03_a_request_without_body_is_one_head_in_every_mode"),
    By("s02_s03_a_request_without_body_is_one_head_in_every_mode"),
    By("s04_an_empty_body_without_length_is_one_empty_message_that_is_answered"),
    By("s05_a_response_without_body_by_definition_is_one_head"),
    By("s06_bodies_are_edited_where_heads_are_not_shown"),
    By("s07_trailers_are_edited_where_nothing_else_is_shown"),
    By("s08_the_first_message_announces_the_modes"),
    By("s09_attributes_and_metadata_reach_the_filters"),
    By("s10_a_request_without_a_route_shows_the_404"),
    By("s11_an_upstream_that_refuses_shows_the_503_with_its_body"),
    By("s12_s62_a_response_passes_before_its_request_has_ended"),
    // B. BUFFERED.
    By("s13_a_length_is_kept_where_nothing_is_changed"),
    By("s14_a_body_in_chunks_is_one_message"),
    By("s15_s16_s17_a_changed_body_goes_with_its_new_length"),
    By("s15_s16_s17_a_changed_body_goes_with_its_new_length"),
    By("s15_s16_s17_a_changed_body_goes_with_its_new_length"),
    By("s18_trailers_behind_a_whole_body_are_shown_and_can_be_changed"),
    By("s19_trailers_that_are_skipped_pass_by"),
    By("s20_a_request_over_the_default_limit_is_answered_413"),
    By("s21_a_head_that_is_held_is_changed_by_what_the_body_says"),
    Unwritable("CONTINUE_AND_REPLACE is written with heads that end their message only"),
    By("s23_a_message_of_more_than_4_mib_is_taken"),
    By("s24_a_body_that_a_filter_makes_too_large_is_answered_413"),
    Unwritable(NO_GOOD_END),
    By("s26_s66_a_reply_to_a_response_body_that_is_held_takes_its_place"),
    // C. BUFFERED_PARTIAL.
    By("s27_a_small_body_is_whole_in_partial_mode"),
    By("s28_what_is_over_the_limit_passes_by_unchanged"),
    By("s29_trailers_are_shown_in_partial_mode"),
    By("s30_a_head_that_is_held_is_changed_in_partial_mode"),
    // D. STREAMED.
    By("s31_each_piece_is_answered_and_the_length_is_gone"),
    By("s32_a_body_of_200_000_bytes_passes_and_can_be_changed"),
    By("s33_trailers_end_a_body_in_pieces_whether_they_are_shown_or_not"),
    By("s34_body_may_come_before_the_head_is_answered"),
    By("s35_pieces_are_cleared_and_the_last_one_is_replaced"),
    By("s36_a_body_that_is_kept_goes_out_with_the_last_answer"),
    Unwritable(ONE_EACH),
    Unwritable(ONE_EACH),
    Unwritable(ONE_EACH),
    Unwritable(
        "no filter is granted to hold the head in STREAMED, and answers to bodies change none",
    ),
    By("s41_s60_a_filter_that_holds_stops_a_client_that_sends_without_end"),
    Unwritable(NO_GOOD_END),
    By("s43_s57_a_failing_filter_is_a_500_also_with_failure_mode_allow"),
    // E. FULL_DUPLEX_STREAMED.
    By("s44_a_body_of_6_mb_passes_and_ends_with_its_end"),
    By("s45_the_head_is_answered_when_the_whole_body_is_there"),
    By("s46_trailers_are_answered_behind_the_body_and_can_be_changed"),
    By("s47_a_body_in_bytes_may_go_out_in_one_piece"),
    Unwritable(ONE_EACH),
    Unwritable(ONE_EACH),
    Unwritable("behind an end there is no pen for the body"),
    Unwritable("trailers are answered when all of the body was"),
    Unwritable("trailers are answered where they came; no mode grants to add them (P6)"),
    By("s53_a_filter_may_end_the_body_before_its_sender_does"),
    By("s54_a_request_that_is_held_for_good_ends_with_envoys_idle_timeout"),
    By("s55_a_request_that_fails_amid_its_body_is_complete_nowhere"),
    OfClients,
    By("s43_s57_a_failing_filter_is_a_500_also_with_failure_mode_allow"),
    By("s58_full_duplex_by_a_route_carries_trailers_behind_the_body"),
    By("s59_a_length_that_envoy_keeps_is_kept_with_its_body"),
    By("s41_s60_a_filter_that_holds_stops_a_client_that_sends_without_end"),
    Unwritable("CONTINUE_AND_REPLACE is written with heads that end their message only"),
    By("s12_s62_a_response_passes_before_its_request_has_ended"),
    By("s63_a_client_that_gives_up_ends_the_stream_and_the_upstream_request"),
    // F. Replies.
    By("s64_a_reply_at_the_head_is_all_that_happens"),
    By("s65_a_reply_to_a_body_that_is_held_keeps_the_request_from_the_upstream"),
    By("s66_a_reply_at_the_response_head_takes_its_place"),
    By("s67_a_reply_that_envoy_does_not_take_fails_the_request_or_is_passed_over"),
    By("s68_a_reply_that_is_no_final_answer_fails_the_request"),
    Unwritable(NO_STREAMED_REPLY),
    Unwritable(NO_STREAMED_REPLY),
    By("s71_a_get_becomes_a_post_with_a_body"),
    Unwritable("a head's answer has a body where it replaces the message, and only there"),
    // G. Mode overrides.
    By("s73_s77_from_none_to_each_mode_that_shows_the_body"),
    By("s74_an_override_of_the_request_leaves_the_response_as_it_was"),
    By("s75_an_override_that_would_be_ignored_is_not_sent"),
    By("s76_an_override_that_is_listed_is_taken"),
    By("s73_s77_from_none_to_each_mode_that_shows_the_body"),
    By("s78_a_response_head_can_be_left_out"),
    By("s79_an_override_goes_by_itself_where_the_head_is_held_for_the_body"),
    // H. Errors and timers.
    By("s80_a_filter_that_is_late_meets_envoys_timeout"),
    By("s81_a_filter_that_is_late_is_given_more_time_where_envoy_allows_it"),
    Unwritable(ONE_EACH),
    By("s83_without_a_server_requests_fail_or_pass_as_configured"),
    By("s84_a_response_that_fails_is_a_500_before_its_head_has_gone_and_cut_behind_it"),
    Unwritable("behind the last answer the stream is over"),
    Unwritable("metadata goes with the answer to a head, and windows are not spoken of"),
    By("s87_changes_that_the_rules_of_envoy_forbid_are_ignored_or_fail_the_request"),
    By("s88_fields_are_set_appended_and_removed_in_both_directions"),
    By("s89_an_observer_sees_what_passes_and_answers_nothing"),
    By("s90_an_envoy_that_closes_gracefully_gets_the_status"),
];

/// The text of every file with scenarios.
const FILES: [&str; 9] = [
    include_str!("buffered.rs"),
    include_str!("duplex.rs"),
    include_str!("failures.rs"),
    include_str!("heads.rs"),
    include_str!("operation.rs"),
    include_str!("overrides.rs"),
    include_str!("replies.rs"),
    include_str!("shapes.rs"),
    include_str!("streamed.rs"),
];

#[test]
fn every_scenario_is_shown_or_has_a_reason() {
    let tests: Vec<&str> = FILES
        .iter()
        .flat_map(|text| text.lines())
        .filter_map(|line| line.strip_prefix("fn ")?.strip_suffix("() {"))
        .collect();
    for (number, shown) in (1..).zip(&SCENARIOS) {
        let prefix = format!("s{number:02}_");
        let names =
            |test: &&&str| test.starts_with(&prefix) || test.contains(&format!("_{prefix}"));
        let found: Vec<_> = tests.iter().filter(names).collect();
        match shown {
            By(name) => {
                assert!(found.contains(&name), "scenario {number}: {name} is not among {found:?}");
            }
            Unwritable(why) => {
                assert!(!why.is_empty() && found.is_empty(), "scenario {number}: {found:?}");
            }
            OfClients => assert!(found.is_empty(), "scenario {number}: {found:?}"),
        }
    }
}
