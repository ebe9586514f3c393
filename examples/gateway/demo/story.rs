//! Envoy Gateway #5595, step by step, and what the table makes of it.
//!
//! Two routes go through one extension that is fail-closed. Every answer on the way from one step
//! to the next is that of the step before or that of the step: no third one, and never none.

use std::time::{Duration, Instant};

use super::rig::{LIMIT, Rig, Route};
use crate::gateway::ends::BoxError;
use crate::gateway::event::Event;

/// How long nothing may happen where nothing has to: some looks at the file.
const QUIET: Duration = Duration::from_millis(300);

const PATHS: [&str; 2] = ["/one", "/two"];

const fn version(version: usize) -> Route {
    Route { version, faulty: false }
}

/// What both routes answered last, and how often they were asked.
struct Story {
    before: [String; 2],
    asked: u64,
}

/// Plays it.
pub(super) async fn play(rig: &mut Rig) -> Result<u64, BoxError> {
    let mut story = Story { before: Default::default(), asked: 0 };
    println!("{:<58}{:<22}route two", "", "route one");
    story.step(rig, "both routes are built", ["200 v1 guard-1", "200 v1 guard-1"]).await?;

    rig.kill_extension().await?;
    tokio::time::sleep(QUIET).await;
    let same = ["200 v1 guard-1", "200 v1 guard-1"];
    story.step(rig, "the extension is killed, nothing is edited", same).await?;

    rig.write([version(2), version(1)])?;
    let failed = ["503 failed", "503 failed"];
    story.step(rig, "route one is edited: its build finds the extension down", failed).await?;

    rig.start_extension().await?;
    rig.write([version(3), version(1)])?;
    let served = ["200 v3 guard-2", "200 v1 guard-2"];
    story.step(rig, "the extension is back, and route one is edited again", served).await?;

    rig.kill_extension().await?;
    rig.write([version(4), version(1)])?;
    story.step(rig, "the extension is killed, and route one is edited", failed).await?;

    rig.start_extension().await?;
    let served = ["200 v4 guard-3", "200 v1 guard-3"];
    story.step(rig, "the extension is back, nothing is edited", served).await?;
    tell(rig);

    rig.write_broken()?;
    match rig.event_that(|event| matches!(event, Event::Refused(_))).await? {
        Event::Refused(error) if error.mark.is_some() => println!("    {}", Event::Refused(error)),
        event => return Err(format!("a broken file: {event}").into()),
    }
    story.step(rig, "the file is broken", served).await?;

    rig.write([Route { version: 5, faulty: true }, version(2)])?;
    let stale = ["200 v4 guard-3 stale", "200 v2 guard-3"];
    story.step(rig, "route one names what is not there, route two is edited", stale).await?;
    tell(rig);

    rig.write([version(5), version(2)])?;
    story.step(rig, "route one is mended", ["200 v5 guard-3", "200 v2 guard-3"]).await?;
    let is_mended =
        |event: &Event| matches!(event, Event::Published(report) if report.faults.is_empty());
    println!("    {}", rig.event_that(is_mended).await?);
    Ok(story.asked)
}

/// Prints what the gateway has told.
fn tell(rig: &mut Rig) {
    for event in rig.events() {
        println!("    {event}");
    }
}

impl Story {
    /// Waits until both routes answer as they have to.
    async fn step(&mut self, rig: &Rig, what: &str, want: [&str; 2]) -> Result<(), BoxError> {
        let start = Instant::now();
        loop {
            let mut got = [String::new(), String::new()];
            for (got, path) in got.iter_mut().zip(PATHS) {
                *got = rig.client.ask(path).await?;
                self.asked += 1;
            }
            for ((got, before), want) in got.iter().zip(&self.before).zip(want) {
                if got != before && got != want {
                    return Err(format!("{what}: {got}, but expected {want}").into());
                }
            }
            if got == want {
                println!("{what:<58}{:<22}{}", got[0], got[1]);
                self.before = got;
                return Ok(());
            }
            if start.elapsed() > LIMIT {
                return Err(format!("{what}: still {got:?}, but expected {want:?}").into());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
