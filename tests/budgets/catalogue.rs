//! The budgets, and the tests of each: files in `tests`, and names in them.

/// A bound.
pub(crate) struct Budget {
    /// What is tried.
    pub(crate) what: &'static str,
    /// What bounds it, and by how much.
    pub(crate) bound: &'static str,
    /// The tests at the limit.
    pub(crate) at: &'static [(&'static str, &'static str)],
    /// The tests past it.
    pub(crate) past: &'static [(&'static str, &'static str)],
}

const fn budget(
    what: &'static str,
    bound: &'static str,
    at: &'static [(&'static str, &'static str)],
    past: &'static [(&'static str, &'static str)],
) -> Budget {
    Budget { what, bound, at, past }
}

pub(crate) const BUDGETS: &[Budget] = &[
    budget(
        "makes a station hold more and more",
        "its high mark (64 KiB): the source is paused, or 413 / 500",
        &[
            ("scenarios/limits.rs", "scenario_58_at_the_limit_and_one_past_it"),
            ("features/bounds.rs", "at_the_mark_and_one_past_it"),
        ],
        &[
            ("scenarios/limits.rs", "scenario_57_over_the_limit_and_held_is_rejected_once"),
            ("hazards/pressure.rs", "h07_a_source_that_ignores_the_pause_gets_its_bytes_back"),
        ],
    ),
    budget(
        "makes a whole message hold more and more",
        "`held_bound_bytes`: twice the sum of the high marks, and one frame",
        &[("features/bounds.rs", "the_stated_bound_is_reached_and_not_passed")],
        &[
            ("features/bounds.rs", "greedy_filters_stay_within_the_stated_bound"),
            ("hazards/pressure.rs", "h08_the_bound_holds_in_every_mode"),
        ],
    ),
    budget(
        "sends one huge frame",
        "`max_frame_bytes` (64 KiB): it enters in pieces",
        &[("features/bounds.rs", "large_frames_are_split_without_copying")],
        &[("hazards/pressure.rs", "h14_a_piece_larger_than_the_marks_gets_through")],
    ),
    budget(
        "sends very many tiny chunks, which rest",
        "packing below 512 B, a cap on segments: twice the payload, and 20 KiB a buffer",
        &[
            ("hazards/small_chunks.rs", "h01_small_chunks_cost_at_most_twice_their_bytes"),
            ("faults/hostile.rs", "a_body_of_single_bytes_passes_within_the_bound"),
        ],
        &[("hazards/small_chunks.rs", "h01_a_filter_that_shreds_its_body_leaves_no_bookkeeping")],
    ),
    budget(
        "sends slices that keep large read buffers",
        "copied out below 512 B: 32 times the held payload, and the bookkeeping",
        &[
            ("budgets/retained.rs", "i11_the_worst_slice_is_the_smallest_that_is_not_copied"),
            ("budgets/retained.rs", "i11_retained_memory_is_at_most_32_times_what_is_held"),
        ],
        &[
            ("budgets/retained.rs", "i11_slices_of_one_byte_keep_no_block"),
            ("hazards/small_chunks.rs", "h02_the_rest_that_a_filter_holds_pins_no_read_buffer"),
        ],
    ),
    budget(
        "sends chunks and frames without payload",
        "dropped at the entrance, 96 B each in a pipe; h2 ends a connection that floods",
        &[
            ("hazards/floods.rs", "h12_frames_without_payload_cost_nothing"),
            (
                "faults/hostile.rs",
                "a_few_empty_frames_pass_and_a_flood_of_them_ends_the_connection",
            ),
        ],
        &[
            ("hazards/floods.rs", "h12_items_without_weight_do_not_pass_the_mark_of_a_pipe"),
            (
                "faults/hostile.rs",
                "a_few_empty_frames_pass_and_a_flood_of_them_ends_the_connection",
            ),
        ],
    ),
    budget(
        "sends too many trailers, or too large ones",
        "the edge's: hyper's 16 KiB and number of fields; what a map of fields holds is no panic",
        &[
            ("hazards/floods.rs", "h13_a_full_map_of_fields_passes"),
            ("faults/hostile.rs", "as_many_trailers_as_hyper_takes_pass_and_more_cut_the_message"),
        ],
        &[
            ("hazards/floods.rs", "h13_a_field_that_does_not_fit_is_no_panic"),
            ("faults/hostile.rs", "as_many_trailers_as_hyper_takes_pass_and_more_cut_the_message"),
        ],
    ),
    budget(
        "sends too many informational heads",
        "`MAX_INFORMATIONAL_HEADS` (64): more are dropped and counted",
        &[("features/informational.rs", "any_number_goes_through_all_filters_before_the_head")],
        &[
            ("features/informational.rs", "beyond_the_limit_they_are_dropped_and_counted"),
            ("hazards/floods.rs", "h12_informational_heads_are_bounded"),
        ],
    ),
    budget(
        "sends more than it declared, or less",
        "counted at both ends: an error before the byte too many, or before the end, goes on",
        &[
            ("features/length.rs", "declared_length_is_held_to"),
            (
                "faults/hostile.rs",
                "a_length_that_is_kept_passes_and_one_byte_more_or_less_is_no_whole_message",
            ),
        ],
        &[
            ("hazards/length.rs", "h35_a_declared_length_is_kept_or_the_message_is_cut"),
            (
                "faults/hostile.rs",
                "a_length_that_is_kept_passes_and_one_byte_more_or_less_is_no_whole_message",
            ),
        ],
    ),
    budget(
        "a filter expands what it is given",
        "its own high mark a call, `Full` while anything behind is over",
        &[
            ("features/edits.rs", "one_call_may_add_the_high_mark"),
            ("hazards/expansion.rs", "h11_expansion_is_stopped_inside_the_loop_and_loses_nothing"),
        ],
        &[
            ("features/edits.rs", "more_than_the_high_mark_is_too_large"),
            ("hazards/expansion.rs", "h11_a_filter_that_ignores_full_adds_no_more"),
        ],
    ),
    budget(
        "a filter keeps bytes of its own",
        "`set_kept_bytes`, charged to its marks; at most `MAX_KEPT_BYTES`",
        &[("features/edits.rs", "kept_bytes_are_charged")],
        &[("features/edits.rs", "kept_bytes_have_a_limit")],
    ),
    budget(
        "a filter keeps a task busy",
        "`MAX_CALLS_PER_DRIVE` (1024) calls, then the task is given back",
        &[("features/work.rs", "one_drive_is_bounded")],
        &[
            ("features/work.rs", "again_does_not_starve_the_filters_before"),
            ("edge_body/wakes.rs", "work_that_a_filter_asks_of_itself_is_spread_over_polls"),
        ],
    ),
    budget(
        "says nothing (slow-loris up)",
        "the idle timeout",
        &[
            ("edge_body/clock.rs", "bytes_start_the_idle_time_anew"),
            (
                "faults/hostile.rs",
                "a_client_that_sends_a_byte_before_each_idle_timeout_is_slow_and_one_later_is_cut",
            ),
        ],
        &[
            ("edge_body/clock.rs", "a_source_that_says_nothing_is_idle"),
            (
                "faults/hostile.rs",
                "a_client_that_sends_a_byte_before_each_idle_timeout_is_slow_and_one_later_is_cut",
            ),
        ],
    ),
    budget(
        "dribbles for ever",
        "the total timeout",
        &[("faults/hostile.rs", "the_total_timeout_ends_a_client_however_regularly_it_dribbles")],
        &[
            ("edge_body/clock.rs", "the_total_counts_while_bytes_move"),
            ("faults/hostile.rs", "the_total_timeout_ends_a_client_however_regularly_it_dribbles"),
        ],
    ),
    budget(
        "a filter holds for ever",
        "the hold timeout; without a handle, a stall at once",
        &[("edge_body/clock.rs", "bytes_that_come_to_a_holder_start_its_time_anew")],
        &[
            ("edge_body/clock.rs", "a_filter_that_holds_too_long_is_timed_out"),
            (
                "hazards/pressure.rs",
                "h14_a_filter_that_waits_for_more_than_its_mark_is_a_named_stall",
            ),
        ],
    ),
    budget(
        "reads nothing (slow-loris down)",
        "back-pressure to the source; the examples give up a socket in one to two minutes",
        &[
            ("proxy/slow.rs", "a_client_that_does_not_read_stops_the_origin"),
            (
                "faults/hostile.rs",
                "a_client_that_reads_a_little_in_each_minute_is_slow_and_one_that_does_not_is_cut",
            ),
        ],
        &[
            (
                "faults/hostile.rs",
                "a_client_that_reads_a_little_in_each_minute_is_slow_and_one_that_does_not_is_cut",
            ),
            ("hazards/gone.rs", "h10_time_in_which_nobody_reads_counts_for_the_total"),
        ],
    ),
    budget(
        "a processor's client leaves answers lying",
        "the stall timeout of the stream (60 s), one look late at most",
        &[(
            "ext_proc_server/stalls.rs",
            "a_client_that_reads_a_little_in_each_timeout_is_slow_and_not_stalled",
        )],
        &[
            (
                "ext_proc_server/stalls.rs",
                "a_client_that_never_reads_is_cut_off_and_its_filters_closed",
            ),
            ("ext_proc_server/stalls.rs", "t17_eight_stalled_streams_hold_less_than_10_mib"),
        ],
    ),
    budget(
        "a processor's client fills a stream while a filter waits",
        "`queue_high_bytes` and the windows; then the stall timeout",
        &[("ext_proc_server/stalls.rs", "a_client_is_not_read_while_a_filter_holds")],
        &[
            ("ext_proc_server/stalls.rs", "filters_that_hold_both_directions_up_are_ended"),
            ("ext_proc_server/stalls.rs", "a_stream_that_is_not_read_does_not_stop_another"),
        ],
    ),
    budget(
        "a processor's client sends large heads or metadata",
        "`WireLimits`: bytes and fields of a head, bytes of what is beside it",
        &[("ext_proc_wire/hostile.rs", "a_head_has_so_many_bytes_and_fields_at_most")],
        &[
            ("ext_proc_wire/hostile.rs", "a_head_has_so_many_bytes_and_fields_at_most"),
            ("ext_proc_wire/hostile.rs", "attributes_and_metadata_have_one_limit_together"),
        ],
    ),
    budget(
        "a processor's client says lengths that never come",
        "nothing is reserved; an unknown field is skipped",
        &[("ext_proc_wire/hostile.rs", "a_length_alone_costs_no_memory")],
        &[
            ("ext_proc_wire/hostile.rs", "a_long_unknown_field_is_not_kept"),
            ("ext_proc_server/hostile.rs", "a_first_message_that_does_not_end_is_refused"),
        ],
    ),
    budget(
        "a processor is to keep a whole body",
        "`max_whole_bytes`, then 413",
        &[("ext_proc_session/kept.rs", "who_keeps_a_whole_body_undeclared_is_told_at_once")],
        &[("ext_proc_session/kept.rs", "a_body_that_is_too_long_to_be_kept_whole_is_answered_413")],
    ),
];
