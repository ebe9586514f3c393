//! Clients that keep to the protocol, or nearly, and mean harm: what the proxy lets them do, and
//! one step more. `docs/budgets.md` names these beside the budgets of the engine.

use std::time::Duration;

use tidegate::body::Timeouts;

use crate::board::Board;
use crate::case::{self, Finding};
use crate::cell::Version;
use crate::exchange::much_bytes;
use crate::filters::Part;
use crate::net;
use crate::peer::{End, Peer, Role};
use crate::proxy::{self, IDLE, Served};

/// Both ends of a connection through the proxy.
struct Stage {
    served: Served,
    version: Version,
    client: Peer,
    origin: Option<Peer>,
}

impl Stage {
    async fn start(version: Version, parts: (Part, Part), timeouts: Timeouts) -> Self {
        let served = proxy::serve(version, parts, timeouts).await;
        let client = Peer::new(Role::Client, version, net::dial(served.address));
        Self { served, version, client, origin: None }
    }

    /// Lets everybody do what there is to do.
    async fn settle(&mut self) {
        let mut quiet = 0;
        while quiet < 2 {
            tokio::time::sleep(Duration::from_micros(1)).await;
            let mut is_news = self.client.pump();
            if let Some(plug) = net::called(self.served.origin) {
                self.origin = Some(Peer::new(Role::Origin, self.version, plug));
                is_news = true;
            }
            is_news |= self.origin.as_mut().is_some_and(Peer::pump);
            quiet = if is_news { 0 } else { quiet + 1 };
        }
    }

    async fn say(&mut self, what: impl FnOnce(&Peer) -> Vec<u8>) {
        let bytes = what(&self.client);
        self.client.send(&bytes);
        self.settle().await;
    }

    async fn answer(&mut self, what: impl FnOnce(&Peer) -> Vec<u8>) {
        if let Some(origin) = &mut self.origin {
            let bytes = what(origin);
            origin.send(&bytes);
            self.settle().await;
        }
    }

    async fn wait(&mut self, time: Duration) {
        tokio::time::sleep(time).await;
        self.settle().await;
    }

    /// How the request has come to the origin.
    fn request(&self) -> (usize, End) {
        self.origin.as_ref().map_or((0, End::Open), |it| (it.seen.body.len(), it.seen.end))
    }

    /// How the response has come to the client.
    fn response(&self) -> (u16, usize, End) {
        let seen = &self.client.seen;
        (seen.status, seen.body.len(), seen.end)
    }

    /// All exchanges are over, and nothing is left.
    async fn finish(mut self) -> Finding {
        self.settle().await;
        let faults = self.served.faults();
        drop((self.client, self.origin));
        self.served.stop().await;
        let (request, response) = Board::here().outcomes();
        Finding { request, response, faults, ..Finding::default() }
    }
}

/// Runs a case over each protocol; what it leaves behind.
fn over_both(play: impl AsyncFn(Version) -> Finding) {
    for version in Version::ALL {
        let finding = case::run_any(7, async || play(version).await);
        assert!(finding.faults.is_empty(), "{version:?}: {finding:?}");
    }
}

const PASSING: (Part, Part) = (Part::Nothing, Part::Nothing);

#[test]
fn a_client_that_sends_a_byte_before_each_idle_timeout_is_slow_and_one_later_is_cut() {
    over_both(async |version| {
        let mut stage = Stage::start(version, PASSING, proxy::timeouts()).await;
        stage.say(Peer::head).await;
        for n in 1..=5 {
            stage.wait(IDLE - Duration::from_millis(10)).await;
            stage.say(|client| client.data(b"x")).await;
            assert_eq!(stage.request(), (n, End::Open));
        }
        stage.wait(IDLE + Duration::from_millis(10)).await;
        assert_eq!(stage.request(), (5, End::Cut));
        assert_eq!(stage.response().0, 408);
        stage.finish().await
    });
}

#[test]
fn the_total_timeout_ends_a_client_however_regularly_it_dribbles() {
    let total = Duration::from_secs(100);
    over_both(async |version| {
        let timeouts = proxy::timeouts().total(total);
        let mut stage = Stage::start(version, PASSING, timeouts).await;
        stage.say(Peer::head).await;
        for n in 1..=9 {
            stage.wait(Duration::from_secs(11)).await;
            stage.say(|client| client.data(b"x")).await;
            assert_eq!(stage.request(), (n, End::Open), "within the total of {total:?}");
        }
        stage.wait(Duration::from_millis(1_100)).await;
        assert_eq!(stage.request(), (9, End::Cut));
        assert_eq!(stage.response().0, 408);
        stage.finish().await
    });
}

#[test]
fn a_client_that_reads_a_little_in_each_minute_is_slow_and_one_that_does_not_is_cut() {
    over_both(async |version| {
        let mut stage = Stage::start(version, PASSING, proxy::timeouts()).await;
        stage.say(Peer::head).await;
        stage.say(Peer::end).await;
        stage.answer(Peer::head).await;
        stage.client.deaf = true;
        let much = vec![b'm'; much_bytes(version)];
        stage.answer(|origin| origin.data(&much)).await;
        for _ in 0..4 {
            stage.wait(Duration::from_secs(59)).await;
            assert!(stage.client.sip(1_000), "it is still served");
        }
        stage.settle().await;
        assert_eq!(Board::here().outcomes().1, "–", "in four minutes");
        stage.wait(Duration::from_secs(121)).await;
        assert_eq!(Board::here().outcomes().1, "cancelled", "behind a minute or two");
        stage.finish().await
    });
}

#[test]
fn a_body_of_single_bytes_passes_within_the_bound() {
    const BYTES: usize = 20_000;
    for parts in [PASSING, (Part::HoldToEnd, Part::HoldToEnd)] {
        over_both(async |version| {
            let mut stage = Stage::start(version, parts, proxy::timeouts()).await;
            stage.say(Peer::head).await;
            stage.say(|client| client.data(b"x").repeat(BYTES)).await;
            stage.say(Peer::end).await;
            assert_eq!(stage.request(), (BYTES, End::Whole));
            stage.answer(Peer::head).await;
            stage.answer(|origin| origin.data(b"x").repeat(BYTES)).await;
            stage.answer(Peer::end).await;
            assert_eq!(stage.response(), (200, BYTES, End::Whole));
            stage.finish().await
        });
    }
}

#[test]
fn a_few_empty_frames_pass_and_a_flood_of_them_ends_the_connection() {
    for (count, is_whole) in [(100, true), (1_000_000, false)] {
        let finding = case::run_any(7, async || {
            let mut stage = Stage::start(Version::Http2, PASSING, proxy::timeouts()).await;
            stage.say(Peer::head).await;
            stage.say(|client| client.empty_data().repeat(count)).await;
            stage.say(|client| client.data(b"x")).await;
            stage.say(Peer::end).await;
            let expected = if is_whole { (1, End::Whole) } else { (0, End::Cut) };
            assert_eq!(stage.request(), expected, "{count} empty frames");
            stage.answer(Peer::head).await;
            stage.answer(Peer::end).await;
            stage.wait(IDLE * 2).await;
            stage.finish().await
        });
        assert!(finding.faults.is_empty(), "{count}: {finding:?}");
    }
}

#[test]
fn as_many_trailers_as_hyper_takes_pass_and_more_cut_the_message() {
    // So many fields, and so many bytes of each. The limits are hyper's: 16 KiB, and over HTTP/1.1
    // so many fields.
    for (count, bytes, is_whole) in [(90, 10, true), (4_000, 10, false), (600, 100, false)] {
        over_both(async |version| {
            let mut stage = Stage::start(version, PASSING, proxy::timeouts()).await;
            stage.say(Peer::head).await;
            stage.say(|client| client.data(b"body")).await;
            stage.say(|client| client.many_trailers(count, bytes)).await;
            let end = if is_whole { End::Whole } else { End::Cut };
            assert_eq!(stage.request(), (4, end), "{version:?}: {count} of {bytes} bytes");
            stage.answer(Peer::head).await;
            stage.answer(Peer::end).await;
            stage.wait(IDLE * 2).await;
            stage.finish().await
        });
    }
}

#[test]
fn a_length_that_is_kept_passes_and_one_byte_more_or_less_is_no_whole_message() {
    for (sent, is_whole) in [(10, true), (9, false), (11, false)] {
        over_both(async |version| {
            let mut stage = Stage::start(version, PASSING, proxy::timeouts()).await;
            stage.say(|client| client.head_declaring(10)).await;
            let is_http1 = version == Version::Http1;
            let body = vec![b'b'; sent];
            stage.say(|client| if is_http1 { body.clone() } else { client.data(&body) }).await;
            if is_http1 {
                stage.client.half_close();
                stage.settle().await;
            } else {
                stage.say(Peer::end).await;
            }
            let (came, end) = stage.request();
            // Over HTTP/1.1 what is beyond the length is no part of the message.
            let is_whole = is_whole || is_http1 && sent > 10;
            assert_eq!(end, if is_whole { End::Whole } else { End::Cut }, "{sent} of 10");
            assert!(came <= 10);
            stage.wait(IDLE * 4).await;
            stage.finish().await
        });
    }
}
