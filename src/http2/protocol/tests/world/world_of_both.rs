use core::task::{Context, Poll, Waker};

use bytes::BytesMut;

use super::Draw;
use super::client::{Client, Sent};
use super::driver::Driver;
use super::heard::Heard;
use super::noise::noise;
use super::written::Written;
use crate::http2::Broken;
use crate::http2::protocol::{Event, Protocol, ProtocolSettings};

/// A connection, with both who use it.
pub(crate) struct World {
    protocol: Protocol,
    settings: ProtocolSettings,
    input: BytesMut,
    client: Client,
    driver: Driver,
    heard: Heard,
    written: Written,
    /// Streams that the driver has ended: what comes for them means nothing.
    ended: Vec<u32>,
    pub(crate) is_broken: bool,
    /// How much came, and was written for it, in bytes.
    came: usize,
    echoed: usize,
    /// All that the client has sent.
    pub(crate) log: Vec<u8>,
    /// How many events there were.
    pub(crate) events: usize,
}

const WINDOWS: [u32; 6] = [1, 100, 20_000, 65_535, 65_536, 300_000];

/// How much is written at most for each byte that came, if the driver writes nothing.
const MAX_ECHO: usize = 3;

impl World {
    pub(crate) fn new(draw: &mut Draw<'_>) -> Self {
        let settings = ProtocolSettings {
            max_streams: 1 + draw(6) as u32,
            window_bytes: WINDOWS[draw(WINDOWS.len())],
            max_frame_bytes: 16_384,
        };
        let window = settings.max_streams.saturating_mul(settings.window_bytes).max(65_535);
        let mut world = Self {
            protocol: Protocol::new(settings),
            settings,
            input: BytesMut::new(),
            client: Client::new(settings.window_bytes),
            driver: Driver::default(),
            heard: Heard::new(),
            written: Written::new(window),
            ended: Vec::new(),
            is_broken: false,
            came: 0,
            echoed: 0,
            log: Vec::new(),
            events: 0,
        };
        world.take_output();
        world
    }

    /// Goes on for some steps. `may_break`: the client keeps to the rules only mostly.
    pub(crate) fn run(&mut self, steps: usize, may_break: bool, draw: &mut Draw<'_>) {
        for _ in 0..steps {
            if self.is_broken {
                return;
            }
            match draw(32) {
                0..12 => self.client_step(draw),
                12..20 => {
                    let most = if draw(4) == 0 { 9 } else { 20_000 };
                    self.deliver(1 + draw(most));
                }
                20 if may_break && draw(3) == 0 => {
                    self.client.is_legal = false;
                    let noise = noise(draw);
                    self.client.write(&noise);
                }
                21 if draw(16) == 0 => self.protocol.leave(),
                22 if draw(4) == 0 => self.protocol.ping(),
                _ => self.ended.extend(self.driver.step(&mut self.protocol, draw)),
            }
            self.take_output();
        }
    }

    fn client_step(&mut self, draw: &mut Draw<'_>) {
        let under_way =
            self.client.sent.iter().filter(|(_, sent)| matches!(sent, Sent::Request { .. }));
        let all = self.driver.live() + under_way.count();
        self.client.step(all < self.settings.max_streams as usize, draw);
    }

    /// Lets all that is under way come, ends all streams, and checks that nothing is missing.
    pub(crate) fn end(mut self) {
        for _ in 0..4 {
            self.deliver(usize::MAX);
            self.ended.extend(self.driver.end(&mut self.protocol));
            self.take_output();
            self.client.read(usize::MAX);
        }
        self.deliver(usize::MAX);
        if !self.client.is_legal {
            return;
        }
        self.client.check_answered();
        let ended = &self.ended;
        self.client.sent.retain(|(id, _)| !ended.contains(id));
        assert!(self.client.sent.is_empty(), "did not come: {:?}", self.client.sent);
        assert_eq!(self.protocol.live_streams(), 0);
        let all = i64::from(self.settings.max_streams) * i64::from(self.settings.window_bytes);
        let left = self.written.left(&self.heard);
        let untold = i64::from(self.protocol.untold_bytes());
        assert_eq!(left + untold, all.max(65_535), "of the window of the connection");
        // What is left when all is read lets a client of each stream go on.
        let least = i64::from(self.settings.window_bytes / 2).min(65_536);
        assert!(left >= least, "{left} of the window of the connection");
    }

    /// Gives the server some of what the client has sent.
    fn deliver(&mut self, most: usize) {
        if self.is_broken {
            return;
        }
        let some = self.client.wire.len().min(most);
        let bytes: Vec<u8> = self.client.wire.drain(..some).collect();
        self.log.extend_from_slice(&bytes);
        self.input.extend_from_slice(&bytes);
        loop {
            let mut before = self.input.to_vec();
            let read = self.protocol.read(&mut self.input);
            before.truncate(before.len() - self.input.len());
            self.heard.hear(&before);
            self.check_echo(before.len());
            let event = match read {
                Ok(event) => event,
                Err(broken) => return self.broken(broken),
            };
            if let Some(event) = &event {
                self.take_in(event);
                self.take_output();
            }
            self.driver.check_room(&self.protocol);
            if event.is_none() {
                break;
            }
        }
        assert!(self.protocol.live_streams() <= self.settings.max_streams as usize);
    }

    /// What is written for nothing but what came is bounded by that.
    fn check_echo(&mut self, came: usize) {
        self.came += came;
        self.echoed += self.protocol.output().len();
        let (came, echoed) = (self.came, self.echoed);
        assert!(echoed <= MAX_ECHO * came, "{echoed} bytes for {came}");
        self.take_output();
    }

    fn broken(&mut self, broken: Broken) {
        assert!(!self.client.is_legal, "{broken}");
        self.is_broken = true;
        self.protocol.break_off(broken);
        self.take_output();
    }

    fn take_in(&mut self, event: &Event) {
        self.events += 1;
        let Some(id) = self.driver.take_in(&mut self.protocol, event) else { return };
        if self.client.is_legal {
            self.check_order(id, event);
        }
    }

    /// It is what was sent next, of what still means something.
    fn check_order(&mut self, id: u32, event: &Event) {
        let sent = &mut self.client.sent;
        while sent.front().is_some_and(|(id, _)| self.ended.contains(id)) {
            sent.pop_front();
        }
        let (expected, next) = sent.front_mut().expect("something was sent");
        assert_eq!(*expected, id, "{event:?}");
        match (event, next) {
            (Event::Request { ends, .. }, Sent::Request { ends: expected }) => {
                assert_eq!(ends, expected);
            }
            (Event::Data { bytes, ends, .. }, Sent::Data { bytes: left, ends: is_last }) => {
                assert!(left.drain(..bytes.len()).eq(bytes.iter().copied()), "{event:?}");
                assert_eq!(*ends, *is_last && left.is_empty());
                if !left.is_empty() {
                    return;
                }
            }
            (Event::Trailers { trailers, .. }, Sent::Trailers) => {
                assert_eq!(trailers["x-n"], id.to_string());
            }
            (Event::Reset { reason, .. }, Sent::Reset(expected)) => {
                assert_eq!(reason.0, *expected);
            }
            (event, sent) => panic!("{event:?} in the place of {sent:?}"),
        }
        sent.pop_front();
    }

    /// What was written is checked, and is the client's to read.
    fn take_output(&mut self) {
        let bytes = drained(&mut self.protocol);
        let frames = self.written.check(&bytes, &self.heard);
        self.client.unread.extend(frames);
    }
}

pub(in crate::http2) fn drained(protocol: &mut Protocol) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut cx = Context::from_waker(Waker::noop());
    let drained = protocol.output().drain(&mut bytes, &mut cx);
    assert!(matches!(drained, Poll::Ready(Ok(()))), "memory takes all");
    bytes
}
