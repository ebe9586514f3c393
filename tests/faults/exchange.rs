//! One exchange over HTTP between two peers of the test, brought to the phase of a cell; then the
//! fault, and what came of it.

use std::net::SocketAddr;
use std::time::Duration;

use crate::cell::{Cell, Fault, Phase, Side, Version};
use crate::net;
use crate::peer::{End, Peer, Role, Seen};

/// Both bodies are these two pieces.
pub(crate) const PIECES: [&[u8]; 2] = [b"the first piece ", b"2222"];

/// How much is sent to who does not read: more than everybody on the way keeps, and, over HTTP/2,
/// less than the window of a stream, which nobody gives back.
pub(crate) const fn much_bytes(version: Version) -> usize {
    match version {
        Version::Http1 => 4 << 20,
        Version::Http2 => 900_000,
    }
}

/// In how many steps time passes, and how much in each: longer than any timeout, all together.
const STEPS: usize = 40;
const STEP: Duration = Duration::from_secs(5);

/// An edge that is served, between a client and an origin.
pub(crate) struct Exchange<'a> {
    cell: Cell,
    origin_address: SocketAddr,
    origin_version: Version,
    pub(crate) client: Peer,
    pub(crate) origin: Option<Peer>,
    /// What a reload does; nothing where there is none.
    reload: &'a dyn Fn(),
}

/// What was told to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) client: String,
    pub(crate) origin: String,
    /// The rules that were broken.
    pub(crate) lies: Vec<String>,
}

impl<'a> Exchange<'a> {
    pub(crate) fn new(
        cell: Cell,
        edge: SocketAddr,
        origin_address: SocketAddr,
        origin_version: Version,
        reload: &'a dyn Fn(),
    ) -> Self {
        let client = Peer::new(Role::Client, cell.version, net::dial(edge));
        Self { cell, origin_address, origin_version, client, origin: None, reload }
    }

    /// Lets everybody do what there is to do, without time.
    async fn settle(&mut self) {
        let mut quiet = 0;
        while quiet < 2 {
            // The clock stands still until nobody has anything to do.
            tokio::time::sleep(Duration::from_millis(1)).await;
            let mut is_news = self.client.pump();
            if let Some(plug) = net::called(self.origin_address) {
                assert!(self.origin.is_none(), "a second connection to the origin");
                self.origin = Some(Peer::new(Role::Origin, self.origin_version, plug));
                is_news = true;
            }
            is_news |= self.origin.as_mut().is_some_and(Peer::pump);
            quiet = if is_news { 0 } else { quiet + 1 };
        }
    }

    async fn client_says(&mut self, what: impl FnOnce(&Peer) -> Vec<u8>) {
        let bytes = what(&self.client);
        self.client.send(&bytes);
        self.settle().await;
    }

    async fn origin_says(&mut self, what: impl FnOnce(&Peer) -> Vec<u8>) {
        if let Some(origin) = &mut self.origin {
            let bytes = what(origin);
            origin.send(&bytes);
            self.settle().await;
        }
    }

    /// Plays the exchange up to the fault, and then to its end.
    pub(crate) async fn play(&mut self) {
        self.settle().await;
        if self.cell.fault.is_of_filter() {
            self.play_all().await;
        } else {
            match self.cell.side {
                Side::Client => self.play_client_fault().await,
                Side::Origin => self.play_origin_fault().await,
            }
        }
        for _ in 0..STEPS {
            tokio::time::sleep(STEP).await;
            self.settle().await;
        }
    }

    /// Both peers say everything; a filter goes wrong on the way.
    async fn play_all(&mut self) {
        self.client_says(Peer::head).await;
        self.client_says(|client| client.data(PIECES[0])).await;
        if self.cell.phase == Phase::AfterResponseHead {
            self.begin_response().await;
        }
        if self.cell.phase == Phase::Reload {
            (self.reload)();
        }
        self.end_request().await;
        self.answer().await;
    }

    async fn end_request(&mut self) {
        self.client_says(|client| client.data(PIECES[1])).await;
        self.client_says(Peer::body_end).await;
        self.client_says(Peer::trailers).await;
    }

    async fn begin_response(&mut self) {
        self.origin_says(Peer::head).await;
        self.origin_says(|origin| origin.data(PIECES[0])).await;
    }

    /// The origin answers a request that is whole, or the rest of what it began.
    async fn answer(&mut self) {
        let Some(origin) = &self.origin else { return };
        if self.cell.phase != Phase::AfterResponseHead || self.cell.side == Side::Origin {
            if origin.seen.end != End::Whole {
                return;
            }
            self.begin_response().await;
        }
        self.origin_says(|origin| origin.data(PIECES[1])).await;
        self.origin_says(Peer::body_end).await;
        self.origin_says(Peer::trailers).await;
    }

    async fn play_client_fault(&mut self) {
        let phase = self.cell.phase;
        if phase == Phase::BeforeHead {
            return self.fail(Side::Client).await;
        }
        if phase == Phase::InHead {
            self.client_says(|client| half(client.head())).await;
            return self.fail(Side::Client).await;
        }
        self.client_says(Peer::head).await;
        if phase == Phase::AfterHead {
            return self.fail(Side::Client).await;
        }
        // What does not read until it fails is in the middle of the reply.
        self.client.deaf = phase == Phase::Reply;
        self.client_says(|client| client.data(PIECES[0])).await;
        match phase {
            Phase::BeforeTrailers => {
                self.client_says(|client| client.data(PIECES[1])).await;
                self.client_says(Peer::body_end).await;
            }
            Phase::AfterResponseHead => {
                self.end_request().await;
                self.begin_response().await;
            }
            Phase::Reload => (self.reload)(),
            _ => {}
        }
        self.fail(Side::Client).await;
        if phase == Phase::AfterResponseHead {
            let much = vec![b'm'; much_bytes(self.origin_version)];
            self.origin_says(|origin| origin.data(&much)).await;
            self.origin_says(Peer::body_end).await;
            self.origin_says(Peer::trailers).await;
        } else {
            self.answer().await;
        }
    }

    async fn play_origin_fault(&mut self) {
        let phase = self.cell.phase;
        self.client_says(Peer::head).await;
        self.client.deaf = phase == Phase::Reply;
        self.client_says(|client| client.data(PIECES[0])).await;
        match phase {
            Phase::BeforeHead | Phase::Reply => {}
            Phase::InHead => self.origin_says(|origin| half(origin.head())).await,
            Phase::AfterHead => {
                self.end_request().await;
                self.origin_says(Peer::head).await;
            }
            Phase::MidBody | Phase::Hold | Phase::Reload => {
                self.end_request().await;
                self.begin_response().await;
            }
            Phase::BeforeTrailers => {
                self.end_request().await;
                self.begin_response().await;
                self.origin_says(|origin| origin.data(PIECES[1])).await;
                self.origin_says(Peer::body_end).await;
            }
            Phase::AfterResponseHead => self.begin_response().await,
        }
        if phase == Phase::Reload {
            (self.reload)();
        }
        self.fail(Side::Origin).await;
        self.client.deaf = false;
        self.settle().await;
        if matches!(phase, Phase::BeforeHead | Phase::InHead | Phase::AfterResponseHead) {
            if self.cell.fault == Fault::Stalled {
                let much = vec![b'm'; much_bytes(self.cell.version)];
                self.client_says(|client| client.data(&much)).await;
            }
            self.end_request().await;
        }
    }

    async fn fail(&mut self, side: Side) {
        let peer = match side {
            Side::Client => &mut self.client,
            Side::Origin => match &mut self.origin {
                Some(origin) => origin,
                None => return,
            },
        };
        match self.cell.fault {
            Fault::Gone => peer.close(),
            Fault::Reset => peer.reset(),
            Fault::StreamReset => peer.reset_stream(),
            Fault::Stalled => peer.deaf = true,
            Fault::HalfClosed => peer.half_close(),
            Fault::Panics
            | Fault::Hangs
            | Fault::Floods
            | Fault::NeverResumes
            | Fault::DropsHandle => unreachable!("a peer does not"),
        }
        peer.deaf |= self.cell.fault == Fault::Stalled;
        if self.cell.fault != Fault::Stalled {
            peer.deaf = false;
        }
        self.settle().await;
    }

    /// What the peers were told; the one that failed is not asked, if it was not there to hear it.
    pub(crate) fn told(&self) -> Told {
        let failed = |side| {
            let is_deaf = self.cell.fault != Fault::HalfClosed && !self.cell.fault.is_of_filter();
            is_deaf && self.cell.side == side
        };
        let mut lies = Vec::new();
        let client = if failed(Side::Client) {
            "–".to_owned()
        } else {
            lies.extend(lie("client", &self.client.seen));
            response(&self.client)
        };
        let origin = match &self.origin {
            None => "nothing".to_owned(),
            Some(_) if failed(Side::Origin) => "–".to_owned(),
            Some(origin) => {
                lies.extend(lie("origin", &origin.seen));
                request(origin)
            }
        };
        Told { client, origin, lies }
    }
}

/// The first half.
fn half(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(bytes.len() / 2);
    bytes
}

fn response(client: &Peer) -> String {
    let seen = &client.seen;
    match (seen.head, seen.end) {
        (false, End::Cut) => "closed".to_owned(),
        (false, _) if !client.is_connected() => "closed".to_owned(),
        (false, _) => "nothing".to_owned(),
        (true, End::Open) => format!("{}, open", seen.status),
        (true, End::Cut) => format!("{}, cut", seen.status),
        (true, End::Whole) => format!("{}, whole", seen.status),
    }
}

fn request(origin: &Peer) -> String {
    match (origin.seen.head, origin.seen.end) {
        (false, _) => "nothing".to_owned(),
        (true, End::Open) => "open".to_owned(),
        (true, End::Cut) => "cut".to_owned(),
        (true, End::Whole) => "whole".to_owned(),
    }
}

/// What is wrong with a message that looks whole, or with the beginning of one that does not.
fn lie(who: &str, seen: &Seen) -> Option<String> {
    let whole = PIECES.concat();
    let is_of_peer = who == "origin" || seen.status == 200;
    match seen.end {
        End::Whole if is_of_peer && (seen.body != whole || seen.trailers.is_empty()) => {
            Some(format!("the {who}'s message is whole, and not what was sent"))
        }
        // Bytes of a long body are not looked at one by one.
        End::Open | End::Cut if is_of_peer && !seen.body.is_empty() => {
            let n = seen.body.len().min(whole.len());
            let is_start = seen.body[..n].starts_with(&PIECES[0][..n.min(PIECES[0].len())]);
            (!is_start).then(|| format!("the {who} was sent what nobody sent"))
        }
        _ => None,
    }
}
