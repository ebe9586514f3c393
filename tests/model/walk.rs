//! Small spaces, walked whole.

use super::case::{
    ALL_CAPABILITIES, Action, Answer, Case, Finish, HeadSpec, Informs, Length, Op, Script, Step,
};

/// Every kind of answer, with every flag that means something on it.
pub(crate) fn every_answer() -> Vec<Step> {
    let plain = |answer| Step { answer, ..Step::default() };
    let mut all = vec![
        plain(Answer::End),
        plain(Answer::Reply { status: 403, body: 0 }),
        plain(Answer::Reply { status: 403, body: 5 }),
        plain(Answer::Fail),
        plain(Answer::Panic),
        Step { again: true, ..plain(Answer::Pass) },
        plain(Answer::Pass),
    ];
    for answer in [Answer::Hold, Answer::First(0), Answer::First(1), Answer::FirstAll] {
        all.push(plain(answer));
        all.push(Step { reject: true, ..plain(answer) });
        all.push(Step { quiet: true, ..plain(answer) });
    }
    all.push(Step { again: true, ..plain(Answer::Hold) });
    all
}

/// The shapes of a message of `bytes` bytes: what comes behind the head, and how it ends.
pub(crate) fn shapes(bytes: u8) -> Vec<Vec<Op>> {
    let half = bytes / 2;
    let data = |n, end| Op::Data { n, end, force: true };
    vec![
        vec![Op::Head { end: false }, data(bytes, true)],
        vec![Op::Head { end: false }, data(half, false), data(bytes - half, false), Op::End],
        vec![Op::Head { end: false }, data(bytes, false), Op::Trailers(1)],
        vec![Op::Head { end: false }, Op::Take(9), data(half, false), data(bytes - half, true)],
    ]
}

/// Every way to cut `bytes` bytes into pieces.
pub(crate) fn every_split(bytes: u8) -> Vec<Vec<u8>> {
    (0..1_u32 << (bytes - 1))
        .map(|cuts| {
            let mut pieces = vec![1];
            for at in 0..bytes - 1 {
                if cuts & (1 << at) == 0 {
                    *pieces.last_mut().expect("there is a first piece") += 1;
                } else {
                    pieces.push(1);
                }
            }
            pieces
        })
        .collect()
}

/// A filter that wants and can do everything, and answers `steps`.
pub(crate) fn filter(steps: Vec<Step>) -> Script {
    Script {
        interest: 7,
        blind: false,
        // Not the adding of trailers: what has it sees no end but in `trailers`.
        prefers: ALL_CAPABILITIES & !super::case::ADD_TRAILERS,
        low: 2,
        high: 4,
        steps,
        informs: Informs::Pass,
        panics_in_close: false,
        panics_in_drop: false,
    }
}

/// `step` as a call that gives a handle away.
pub(crate) fn with_handle(mut step: Step) -> Step {
    step.actions.insert(0, Action::Handle);
    step
}

/// A case of these filters and operations.
pub(crate) fn case(request: bool, body_bytes: u8, filters: Vec<Script>, ops: Vec<Op>) -> Case {
    Case {
        request,
        bodiless: false,
        edge: ALL_CAPABILITIES,
        message: ALL_CAPABILITIES,
        no_trailers: false,
        announced: None,
        output_marks: (4, 8),
        max_frame_bytes: 4,
        head: HeadSpec { status: 200, length: Length::Absent },
        body_bytes: usize::from(body_bytes),
        filters,
        ops,
        finish: Finish::Drain,
    }
}
