//! Easegress's rules as they are written down, node by node, on strings: an interpreter that knows
//! nothing of chains, stations or tables.

/// One entry of a flow.
#[derive(Debug, Clone)]
pub(crate) struct RefNode {
    /// `END` is an end.
    pub(crate) name: String,
    pub(crate) jumps: Vec<(String, String)>,
}

/// What a pipeline came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) stopped: bool,
    pub(crate) failed: bool,
}

/// Section 4.4, with the flag in two. `run` says the result of the node of that number and name.
pub(crate) fn run_flow(
    nodes: &[RefNode],
    continue_unhandled: bool,
    mut run: impl FnMut(usize, &str) -> String,
) -> Ended {
    let mut next = String::new();
    let mut ended = Ended::default();
    for (number, node) in nodes.iter().enumerate() {
        if !next.is_empty() && next != node.name {
            continue;
        }
        if node.name == "END" {
            run(number, "END");
            ended.stopped = true;
            break;
        }
        let result = run(number, &node.name);
        match node.jumps.iter().find(|(known, _)| *known == result) {
            Some((_, target)) => {
                next = target.clone();
                if next == "END" {
                    ended.stopped = true;
                    break;
                }
            }
            None if !result.is_empty() && !continue_unhandled => {
                ended.failed = true;
                break;
            }
            None => next.clear(),
        }
    }
    ended
}

/// Section 4.5: which of main and after run. `before` and `main` are run by the callbacks.
pub(crate) fn run_wrapper(
    fall_before: bool,
    fall_main: bool,
    before: Option<&mut dyn FnMut() -> bool>,
    main: &mut dyn FnMut() -> bool,
    after: Option<&mut dyn FnMut() -> bool>,
) {
    let mut ended = false;
    if let Some(before) = before {
        ended = before();
    }
    if !ended || fall_before {
        ended = main();
    }
    if let Some(after) = after
        && (!ended || fall_main)
    {
        after();
    }
}
