//! The engine's side of a comparison: its chain made from a case, its answers as plain data.

use std::sync::Arc;

use tidegate::chain::InputError;
use tidegate::{Capabilities, Capability, Chain, Marks, MessageTraits, Output, Plan};

use super::case::Case;
use super::filter::{Blind, Scripted, World};
use super::log::{Ended, Failure, Given, Levels, Taken};
use super::parts::{TestHead, fields_of};

/// The chain of `case`, whose plan this is, and what it may hold at most, in bytes.
pub(crate) fn chain<H: TestHead>(case: &Case, plan: &Plan<H>) -> (Chain<H>, u64) {
    let mut traits = MessageTraits::new();
    for (bit, capability) in Capability::ALL.into_iter().enumerate() {
        if case.message & (1 << bit) == 0 {
            traits = traits.without(capability);
        }
    }
    if case.bodiless {
        traits = traits.bodiless();
    }
    if case.no_trailers {
        traits = traits.without_trailers();
    }
    let bound = plan.bind(capabilities(case.edge)).expect("nothing is required");
    (bound.chain(traits).expect("nothing is required"), plan.held_bound_bytes())
}

/// The plan of `case` and of all that have the same filters.
pub(crate) fn plan<H: TestHead>(case: &Case, world: &Arc<World>) -> Plan<H> {
    let (low, high) = case.output_marks;
    let mut builder = Plan::<H>::builder()
        .output_marks(Marks::new(low, high).expect("low is at most high"))
        .max_frame_bytes(case.max_frame_bytes);
    for (k, script) in case.filters.iter().enumerate() {
        let (script, world) = (Arc::new(script.clone()), Arc::clone(world));
        let name = format!("f{k}");
        builder = if script.blind {
            builder.filter(name, move || Blind(Scripted::new(k, &script, &world)))
        } else {
            builder.filter(name, move || Scripted::new(k, &script, &world))
        };
    }
    builder.build().expect("a plan of at most 6 filters")
}

fn capabilities(bits: u8) -> Capabilities {
    let mut set = Capabilities::NONE;
    for (bit, capability) in Capability::ALL.into_iter().enumerate() {
        if bits & (1 << bit) != 0 {
            set = set.with(capability);
        }
    }
    set
}

pub(crate) fn levels<H: TestHead>(chain: &Chain<H>) -> Levels {
    let mut levels = Levels {
        wants_input: chain.wants_input(),
        has_work: chain.has_work(),
        input_stopped: chain.input_stopped(),
        is_holding: chain.is_holding(),
        // After the outcome nobody asks.
        is_end_stream: chain.outcome().is_none() && chain.is_end_stream(),
        remaining_bytes: chain.remaining_bytes().filter(|_| chain.outcome().is_none()),
        held_bytes: chain.held_bytes(),
        input_bytes: 0,
        output_bytes: 0,
        discarded_bytes: 0,
        unsent_trailers: 0,
        dropped_informational: 0,
        outcome: chain.outcome().map(Ended::of),
    };
    levels.count(chain.stats());
    levels
}

pub(crate) fn given<H: TestHead>(output: Output<H>) -> Given {
    match output {
        Output::Head { head, end_of_stream } => Given::Head { head: head.seen(), end_of_stream },
        Output::Informational(head) => Given::Informational(head.seen()),
        Output::Data(data) => Given::Data(data.to_vec()),
        Output::Trailers(trailers) => Given::Trailers(fields_of(&trailers)),
        Output::End => Given::End,
        Output::Reply(reply) => {
            let (head, body) = reply.into_parts();
            Given::Reply { status: head.status.as_u16(), body: body.to_vec() }
        }
        Output::Reset(error) => Given::Reset(Failure::of(&error)),
    }
}

pub(crate) fn taken(result: Result<(), InputError>) -> Taken {
    match result {
        Ok(()) => Taken::Yes,
        Err(InputError::NotWanted(bytes)) => Taken::NotWanted(bytes.to_vec()),
        Err(InputError::Ended) => Taken::Ended,
        Err(InputError::OutOfOrder) => Taken::OutOfOrder,
        Err(InputError::NotInformational) => Taken::NotInformational,
    }
}
