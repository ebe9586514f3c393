//! `http2_connection`: a server's end of a connection, between a client and a driver.
//!
//! In a half of the cases the client keeps to the rules, and all that it says has to come as it was
//! sent. In the other half it sends what it likes now and then. In both: no panic, nothing written
//! that the peer's windows and limits do not allow, nothing given back that has not come, no slot
//! that is somebody else's, no answer much longer than its question. The model is that of the
//! module's own tests.

use super::choices::Choices;
use super::target::Target;
use crate::http2::protocol::World;

pub(crate) const TARGET: Target =
    Target { name: "http2_connection", run, describe, most_choices: 1500 };

fn each_step(choices: &[u8], mut each: impl FnMut(&World)) {
    let mut choices = Choices::new(choices);
    let may_break = choices.percent(50);
    let mut world = World::new(&mut |end| choices.below(end));
    while !choices.is_empty() && !world.is_broken {
        world.run(1, may_break, &mut |end| choices.below(end));
        each(&world);
    }
    world.end();
}

fn run(choices: &[u8]) {
    each_step(choices, |_| {});
}

fn describe(choices: &[u8], text: &mut String) {
    let mut told = 0;
    each_step(choices, |world| {
        if world.log.len() > told {
            text.push_str(&format!("comes: {}\n", world.log[told..].escape_ascii()));
            told = world.log.len();
        }
    });
}
