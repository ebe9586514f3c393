//! One trace that breaks a rule, and the nearest one that does not.

use super::super::{Rule, follow, violations};
use super::mini::mini;

/// The rules that these lines break, each once, with the filter.
fn broken(text: &str) -> Vec<(Rule, String)> {
    let mut found: Vec<_> = violations(&mini(text))
        .into_iter()
        .map(|violation| (violation.rule, violation.filter.unwrap_or_else(|| "-".to_owned())))
        .collect();
    found.sort();
    found.dedup();
    found
}

fn rules(pairs: &[(Rule, &str)]) -> Vec<(Rule, String)> {
    pairs.iter().map(|&(rule, filter)| (rule, filter.to_owned())).collect()
}

/// A head that goes through A and B, and `d1`, which B holds.
const B_HOLDS_D1: &str = r#"
    chain A B
    step {"req_headers": {}}
    A req_headers buf=null -> Continue
    B req_headers buf=null -> Continue
    origin {"headers": {}, "end": false}
    step {"req_data": "d1"}
    A req_data recv=d1 buf=null -> Continue
    B req_data recv=d1 buf=null -> StopIterationAndBuffer
"#;

const A_HOLDS_D2: &str = r#"
    step {"req_data": "d2"}
    A req_data recv=d2 buf=d1 -> StopIterationAndBuffer
"#;

fn after_hold(rest: &str) -> String {
    format!("{B_HOLDS_D1}{rest}")
}

#[test]
fn i1_bytes_that_come_twice_are_found_and_new_ones_are_not() {
    let twice = r#"
        step {"fire": ["A", 1]}
        A event req_buf=d1d2 rsp_buf=null {
        A does continue_decoding
        B req_data recv=d1d2 buf=d1d2 alias -> StopIterationAndBuffer
        A did req_buf=d1d2 rsp_buf=null
        } -> -
    "#;
    assert_eq!(broken(&after_hold(&format!("{A_HOLDS_D2}{twice}"))), rules(&[(Rule::I1, "B")]));
    let once = r#"
        step {"req_data": "d2"}
        A req_data recv=d2 buf=d1 -> Continue
        B req_data recv=d2 buf=d1 -> StopIterationAndBuffer
    "#;
    assert_eq!(broken(&after_hold(once)), []);
}

#[test]
fn i1_added_bytes_that_never_go_on_are_found() {
    let text = |buf: &str, origin: &str| {
        format!(
            r#"
            chain A
            step {{"req_headers": {{}}}}
            A req_headers buf=null {{
            A does append_req_buffered PRE
            A did buf=PRE
            }} -> Continue buf=PRE
            origin {{"headers": {{}}, "end": false}}
            step {{"req_data": "d1", "end": true}}
            A req_data end recv=d1 buf=PRE {buf}
            origin {{"data": "{origin}", "end": true}}
            "#
        )
    };
    assert_eq!(broken(&text("-> Continue", "d1")), rules(&[(Rule::I1, "-")]));
    // Held first and let go in the next call, they are there.
    let held = r#"
        chain A
        step {"req_headers": {}}
        A req_headers buf=null {
        A does append_req_buffered PRE
        A did buf=PRE
        } -> StopIteration buf=PRE
        step {"req_data": "d1", "end": true}
        A req_data end recv=d1 buf=PRE -> Continue
        origin {"headers": {}, "end": false}
        origin {"data": "PREd1", "end": true}
    "#;
    assert_eq!(broken(held), []);
}

#[test]
fn i2_only_what_another_holds_may_not_be_drained() {
    let foreign = r#"
        step {"fire": ["A", 1]}
        A event req_buf=d1d2 rsp_buf=null {
        A does drain_req_buffered all
        A did req_buf= rsp_buf=null
        } -> - req_buf= rsp_buf=null
    "#;
    assert_eq!(broken(&after_hold(&format!("{A_HOLDS_D2}{foreign}"))), rules(&[(Rule::I2, "A")]));
    let own = foreign.replace("A does", "B does").replace("A did", "B did");
    let own = own.replace("A event", "B event").replace("\"A\"", "\"B\"").replace("d1d2", "d1");
    assert_eq!(broken(&after_hold(&own)), []);
}

#[test]
fn i2_bytes_do_not_go_backwards() {
    let text = |holder: &str, resume: &str| {
        format!(
            r#"
            chain A B C
            step {{"req_headers": {{}}}}
            A req_headers buf=null -> Continue
            B req_headers buf=null -> Continue
            C req_headers buf=null -> Continue
            origin {{"headers": {{}}, "end": false}}
            step {{"req_data": "d1"}}
            {holder}
            {resume}
            "#
        )
    };
    let a_holds = "A req_data recv=d1 buf=null -> StopIterationAndBuffer";
    let c_adds = r#"
            step {"fire": ["C", 1]}
            C event req_buf=d1 rsp_buf=null {
            C does append_req_buffered X
            C did req_buf=d1X rsp_buf=null
            } -> - req_buf=d1X
    "#;
    let a_resumes = r#"
            step {"fire": ["A", 1]}
            A event req_buf=d1X rsp_buf=null {
            A does continue_decoding
            B req_data recv=d1X buf=d1X alias -> StopIterationAndBuffer
            A did req_buf=d1X rsp_buf=null
            } -> -
    "#;
    let found = broken(&text(a_holds, &format!("{c_adds}{a_resumes}")));
    assert_eq!(found, rules(&[(Rule::I2, "B"), (Rule::I8, "-")]));
    assert_eq!(broken(&text(a_holds, &a_resumes.replace("d1X", "d1"))), []);
}

#[test]
fn i3_body_does_not_come_before_the_head() {
    let text = |head: &str| {
        format!(
            r#"
            chain A B
            step {{"req_headers": {{}}}}
            A req_headers buf=null -> Continue
            {head}
            step {{"req_data": "d1"}}
            A req_data recv=d1 buf=null -> Continue
            B req_data recv=d1 buf=null -> StopIterationAndBuffer
            "#
        )
    };
    // Let go by A, the head is B's; it was not handed over.
    let found = broken(&text(""));
    assert!(found.contains(&(Rule::I3, "B".to_owned())), "{found:?}");
    assert_eq!(broken(&text("B req_headers buf=null -> Continue")), []);
}

#[test]
fn i3_bytes_that_come_late_are_found() {
    let text = |first: &str, second: &str| {
        format!(
            r#"
            chain A B
            step {{"req_headers": {{}}}}
            A req_headers buf=null -> Continue
            B req_headers buf=null -> Continue
            origin {{"headers": {{}}, "end": false}}
            step {{"fire": ["A", 1]}}
            A event req_buf=null rsp_buf=null {{
            A does append_req_buffered X
            A did req_buf=X rsp_buf=null
            }} -> - req_buf=X rsp_buf=null
            {first}
            step {{"req_data": "d2"}}
            A req_data recv=d2 buf=X -> StopIterationAndBuffer
            step {{"fire": ["A", 2]}}
            A event req_buf=Xd2 rsp_buf=null {{
            A does continue_decoding
            B req_data recv=Xd2 buf=Xd2 alias -> Continue
            A did req_buf= rsp_buf=null
            }} -> - req_buf= rsp_buf=null
            origin {{"data": "Xd2", "end": false}}
            {second}
            "#
        )
    };
    let overtaking = r#"
            step {"req_data": "d1"}
            A req_data recv=d1 buf=X -> Continue
            B req_data recv=d1 buf=X -> Continue
            origin {"data": "d1", "end": false}
    "#;
    // X is late because nothing moved it when it was let go.
    assert_eq!(broken(&text(overtaking, "")), rules(&[(Rule::I3, "B"), (Rule::I8, "B")]));
    let behind = overtaking.replace("buf=X", "buf=");
    assert_eq!(broken(&text("", &behind)), rules(&[(Rule::I8, "B")]));
}

#[test]
fn i4_bytes_of_an_upper_holder_go_only_when_it_says_so() {
    let lower_resumes = r#"
        step {"fire": ["B", 1]}
        B event req_buf=d1d2 rsp_buf=null {
        B does continue_decoding
        B did req_buf= rsp_buf=null
        } -> - req_buf= rsp_buf=null
        origin {"data": "d1d2", "end": false}
    "#;
    assert_eq!(
        broken(&after_hold(&format!("{A_HOLDS_D2}{lower_resumes}"))),
        rules(&[(Rule::I4, "A")])
    );
    assert_eq!(broken(&after_hold(&lower_resumes.replace("d1d2", "d1"))), []);
}

#[test]
fn i4_a_head_passes_its_holder_only_when_it_says_so() {
    let text = |filter: &str| {
        format!(
            r#"
            chain A B
            step {{"req_headers": {{}}}}
            A req_headers buf=null -> StopIteration
            step {{"fire": ["{filter}", 1]}}
            {filter} event req_buf=null rsp_buf=null {{
            {filter} does continue_decoding
            B req_headers buf=null -> Continue
            {filter} did req_buf=null rsp_buf=null
            }} -> -
            origin {{"headers": {{}}, "end": false}}
            "#
        )
    };
    assert_eq!(broken(&text("B")), rules(&[(Rule::I4, "A")]));
    assert_eq!(broken(&text("A")), []);
}

#[test]
fn i5_the_end_goes_only_after_its_holder() {
    let text = |answer: &str, end: bool| {
        after_hold(&format!(
            r#"
            step {{"req_end": true}}
            A req_data end recv= buf=d1 -> {answer}
            step {{"fire": ["B", 1]}}
            B event req_buf=d1 rsp_buf=null {{
            B does continue_decoding
            B did req_buf= rsp_buf=null
            }} -> - req_buf= rsp_buf=null
            origin {{"data": "d1", "end": {end}}}
            "#
        ))
    };
    let hold = "StopIterationAndBuffer";
    assert_eq!(broken(&text(hold, true)), rules(&[(Rule::I5, "A")]));
    assert_eq!(broken(&text(hold, false)), []);
}

#[test]
fn i5_an_end_that_nobody_sent_is_found() {
    let text = |end: &str| {
        format!(
            r#"
            chain A
            step {{"req_headers": {{}}}}
            A req_headers {end} buf=null -> StopIteration
            "#
        )
    };
    assert_eq!(broken(&text("end")), rules(&[(Rule::I5, "A")]));
    assert_eq!(broken(&text("")), []);
}

#[test]
fn i6_a_resume_with_the_end_alone_has_to_move_it() {
    let text = |end: bool| {
        let origin = if end { r#"origin {"data": "", "end": true}"# } else { "" };
        format!(
            r#"
            chain A
            step {{"req_headers": {{}}}}
            A req_headers buf=null -> Continue
            origin {{"headers": {{}}, "end": false}}
            step {{"req_end": true}}
            A req_data end recv= buf=null -> StopIterationAndBuffer buf=
            step {{"fire": ["A", 1]}}
            A event req_buf= rsp_buf=null {{
            A does continue_decoding
            A did req_buf= rsp_buf=null
            }} -> -
            {origin}
            "#
        )
    };
    assert_eq!(broken(&text(false)), rules(&[(Rule::I6, "A"), (Rule::I8, "-")]));
    assert_eq!(broken(&text(true)), []);
}

#[test]
fn i6_a_resume_that_moves_nothing_of_a_holder_is_found() {
    let resume = |after: &str, origin: &str| {
        after_hold(&format!(
            r#"
            step {{"fire": ["B", 1]}}
            B event req_buf=d1 rsp_buf=null {{
            B does continue_decoding
            B did req_buf={after} rsp_buf=null
            }} -> - req_buf={after} rsp_buf=null
            {origin}
            step {{"req_reset": true}}
            "#
        ))
    };
    assert_eq!(broken(&resume("d1", "")), rules(&[(Rule::I6, "B"), (Rule::I8, "-")]));
    assert_eq!(broken(&resume("", r#"origin {"data": "d1", "end": false}"#)), []);
}

#[test]
fn i6_a_request_whose_response_has_ended_is_over() {
    let text = |end: &str| {
        after_hold(&format!(
            r#"
            step {{"rsp_headers": {{}}}}
            B rsp_headers {end} buf=null -> StopIteration
            step {{"fire": ["B", 1]}}
            B event req_buf=d1 rsp_buf=null {{
            B does continue_decoding
            B did req_buf=d1 rsp_buf=null
            }} -> -
            "#
        ))
        .replace(r#""rsp_headers": {}"#, &format!(r#""rsp_headers": {{"end": {}}}"#, end == "end"))
    };
    assert_eq!(broken(&text("")), rules(&[(Rule::I6, "B"), (Rule::I8, "-")]));
    assert_eq!(broken(&text("end")), []);
}

#[test]
fn i6_a_resume_inside_a_call_counts_only_if_the_call_holds() {
    let text = |answer: &str, origin: &str| {
        format!(
            r#"
            chain A
            step {{"req_headers": {{}}}}
            A req_headers buf=null -> Continue
            origin {{"headers": {{}}, "end": false}}
            step {{"req_data": "d1"}}
            A req_data recv=d1 buf=null {{
            A does continue_decoding
            A did recv=d1 buf=null
            }} -> {answer}
            {origin}
            "#
        )
    };
    assert_eq!(broken(&text("StopIterationAndBuffer", "")), rules(&[(Rule::I6, "A")]));
    assert_eq!(broken(&text("Continue", r#"origin {"data": "d1", "end": false}"#)), []);
}

#[test]
fn i7_a_limit_is_of_one_holder() {
    let text = |limit_bytes: usize, rest: &str| {
        let hold = after_hold(rest);
        format!("opts {{\"listener_buffer_limit\": {limit_bytes}}}\n{hold}")
    };
    let refusal = "A local_reply code=null details=request_payload_too_large -> Continue";
    let two_holders = format!("{A_HOLDS_D2}{refusal}");
    assert_eq!(broken(&text(3, &two_holders)), rules(&[(Rule::I7, "B")]));
    assert_eq!(broken(&text(4, A_HOLDS_D2)), []);
    // A filter that holds more than the limit is to be refused.
    assert_eq!(broken(&text(1, "")), rules(&[(Rule::I7, "B")]));
    assert_eq!(broken(&text(1, refusal)), []);
    assert_eq!(broken(&text(2, "")), []);
}

#[test]
fn i8_what_all_let_go_has_to_arrive() {
    let text = |rest: &str| {
        format!(
            r#"
            chain A
            step {{"req_headers": {{}}}}
            A req_headers buf=null -> Continue
            origin {{"headers": {{}}, "end": false}}
            step {{"req_end": true}}
            A req_data end recv= buf=null -> {rest}
            "#
        )
    };
    assert_eq!(broken(&text("Continue")), rules(&[(Rule::I8, "-")]));
    assert_eq!(broken(&text("StopIterationAndBuffer buf=")), []);
    assert_eq!(broken(&text("Continue\norigin {\"data\": \"\", \"end\": true}")), []);
}

/// The end waits behind bytes that the peer has no room for.
#[test]
fn i8_a_peer_without_room_is_no_fault() {
    let text = |call: &str, arrived: &str| {
        format!(
            r#"
            chain A
            step {{"req_headers": {{}}}}
            A req_headers buf=null -> Continue
            origin {{"headers": {{}}, "end": false}}
            step {{"req_data": "d1", "end": true}}
            {call}
            {arrived}
            "#
        )
    };
    let all = r#"origin {"data": "d1", "end": false}"#;
    let passed = "A req_data end recv=d1 buf=null -> Continue";
    assert_eq!(broken(&text(passed, "")), []);
    assert_eq!(broken(&text(passed, all)), rules(&[(Rule::I8, "-")]));
    let resumed = r#"
            A req_data end recv=d1 buf=null -> StopIterationAndBuffer
            step {"fire": ["A", 1]}
            A event req_buf=d1 rsp_buf=null {
            A does continue_decoding
            A did req_buf= rsp_buf=null
            } -> - req_buf=
    "#;
    assert_eq!(broken(&text(resumed, "")), []);
    assert_eq!(broken(&text(resumed, all)), rules(&[(Rule::I6, "A"), (Rule::I8, "-")]));
}

#[test]
fn i9_each_filter_is_closed_once() {
    let text = |rest: &str| {
        format!(
            r#"
            chain A
            step {{"req_headers": {{"end": true}}}}
            A req_headers end buf=null -> Continue
            origin {{"headers": {{}}, "end": true}}
            step {{"client_close": true}}
            {rest}
            "#
        )
    };
    let close = violations(&mini(&text("A destroy\nA destroy")));
    assert_eq!(close.iter().map(|v| v.rule).collect::<Vec<_>>(), [Rule::I9]);
    let late = violations(&mini(&text("A destroy\nA event -> -")));
    assert_eq!(late.iter().map(|v| v.rule).collect::<Vec<_>>(), [Rule::I9]);
    let never = r#"
        chain A
        step {"req_headers": {"end": true}}
        A req_headers end buf=null -> Continue
        origin {"headers": {}, "end": true}
        step {"client_close": true}
        B destroy
    "#;
    assert_eq!(broken(never), rules(&[(Rule::I9, "A")]));
    assert_eq!(broken(&text("A destroy")), []);
}

#[test]
fn i10_a_resume_is_served_after_the_call_that_asked() {
    let text = |answer: &str| {
        after_hold(&format!(
            r#"
            step {{"req_data": "d2"}}
            A req_data recv=d2 buf=d1 -> Continue
            B req_data recv=d2 buf=d1 {{
            B does continue_decoding
            B did recv=d2 buf=
            }} -> {answer} buf=
            origin {{"data": "d1", "end": false}}
            "#
        ))
    };
    assert_eq!(broken(&text("StopIterationAndBuffer")), rules(&[(Rule::I10, "B")]));
    assert_eq!(broken(&text("StopIterationNoBuffer")), []);
}

#[test]
fn i12_a_length_is_kept_or_not_told() {
    let text = |length: &str| {
        format!(
            r#"
            chain A
            step {{"req_headers": {{}}}}
            A req_headers buf=null -> Continue
            origin {{"headers": {length}, "end": false}}
            step {{"req_data": "d1", "end": true}}
            A req_data end recv=d1 buf=null {{
            A does append_req_received X
            A did recv=d1X buf=null
            }} -> Continue recv=d1X buf=null
            origin {{"data": "d1X", "end": true}}
            "#
        )
    };
    assert_eq!(broken(&text(r#"{"content-length": "2"}"#)), rules(&[(Rule::I12, "-")]));
    assert_eq!(broken(&text(r#"{"content-length": "4"}"#)), rules(&[(Rule::I12, "-")]));
    assert_eq!(broken(&text(r#"{"content-length": "3"}"#)), []);
    assert_eq!(broken(&text("{}")), []);
}

/// What contradicts itself proves nothing, and is refused.
#[test]
fn a_trace_that_cannot_be_followed_is_an_error() {
    for (from, to) in [
        ("A req_data recv=d1 buf=null", "A req_data recv=d2 buf=null"),
        ("B req_data recv=d1 buf=null", "B req_data recv=d1 buf=X"),
        ("B req_data recv=d1 buf=null", "B req_data recv=d1X buf=null"),
        ("A req_headers buf=null ->", "A req_headers buf=X ->"),
    ] {
        assert!(B_HOLDS_D1.contains(from), "{from}");
        let text = B_HOLDS_D1.replace(from, to);
        assert!(follow(&mini(&text)).is_err(), "{text}");
    }
    let unsent = r#"origin {"data": "d1", "end": false}"#;
    assert!(follow(&mini(&after_hold(unsent))).is_err());
    assert_eq!(follow(&mini(B_HOLDS_D1)), Ok(Vec::new()));
}
