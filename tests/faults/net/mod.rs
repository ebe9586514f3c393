//! A network in this thread: sockets that behave as those of TCP do, whose peers are in the test.
//!
//! It stands where `examples/proxy/net.rs` does, so that the edges run on it as they are. Every
//! thread has its own, so cases do not meet. Nothing takes time: a runtime whose clock is paused
//! advances it when all that was sent has been dealt with.

mod lane;
mod plug;
mod socket;

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::future::{Ready, poll_fn, ready};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use tower::Service;

pub(crate) use lane::dice;
pub(crate) use plug::{Plug, Taken};
pub(crate) use socket::TcpStream;

/// Connections that were made and not accepted yet.
#[derive(Default)]
struct Backlog {
    waiting: VecDeque<TcpStream>,
    waker: Option<Waker>,
}

#[derive(Default)]
struct Network {
    listening: HashMap<SocketAddr, Arc<Mutex<Backlog>>>,
    /// What a connection to these addresses comes to: the other ends.
    plugs: HashMap<SocketAddr, VecDeque<Plug>>,
    ports: u16,
}

thread_local! {
    static NETWORK: RefCell<Network> = RefCell::default();
}

fn free_address() -> SocketAddr {
    NETWORK.with_borrow_mut(|network| {
        network.ports += 1;
        SocketAddr::from(([10, 0, 0, 1], network.ports))
    })
}

/// An address at which tests are the server: what connects to it comes out of [`called`].
pub(crate) fn origin_address() -> SocketAddr {
    let address = free_address();
    NETWORK.with_borrow_mut(|network| network.plugs.insert(address, VecDeque::new()));
    address
}

/// The next connection that was made to `address`.
pub(crate) fn called(address: SocketAddr) -> Option<Plug> {
    NETWORK.with_borrow_mut(|network| network.plugs.get_mut(&address)?.pop_front())
}

/// Connects to a listener, as a client of the test.
pub(crate) fn dial(address: SocketAddr) -> Plug {
    let (plug, socket) = socket::pair();
    let backlog = NETWORK.with_borrow(|network| Arc::clone(&network.listening[&address]));
    let mut backlog = backlog.lock().unwrap();
    backlog.waiting.push_back(socket);
    if let Some(waker) = backlog.waker.take() {
        waker.wake();
    }
    plug
}

/// Where connections come in.
pub(crate) struct TcpListener {
    address: SocketAddr,
    backlog: Arc<Mutex<Backlog>>,
}

impl TcpListener {
    /// Listens on a port of its own, whatever is asked for.
    #[allow(clippy::unused_async, reason = "as that of tokio")]
    pub(crate) async fn bind(_: SocketAddr) -> io::Result<Self> {
        let (address, backlog) = (free_address(), Arc::<Mutex<Backlog>>::default());
        let same = Arc::clone(&backlog);
        NETWORK.with_borrow_mut(|network| network.listening.insert(address, same));
        Ok(Self { address, backlog })
    }

    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }

    pub(crate) async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let socket = poll_fn(|cx| {
            let mut backlog = self.backlog.lock().unwrap();
            match backlog.waiting.pop_front() {
                Some(socket) => Poll::Ready(socket),
                None => {
                    backlog.waker = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await;
        Ok((socket, SocketAddr::from(([10, 0, 0, 2], 1))))
    }
}

impl Drop for TcpListener {
    fn drop(&mut self) {
        NETWORK.with_borrow_mut(|network| network.listening.remove(&self.address));
    }
}

/// Makes connections for an edge.
#[derive(Debug, Clone)]
pub(crate) struct Connector;

/// A connector; here nothing takes long enough to wait for.
pub(crate) fn connector(_wait: Duration) -> Connector {
    Connector
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = Ready<io::Result<TokioIo<TcpStream>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let address = uri.authority().and_then(|authority| authority.as_str().parse().ok());
        let refused = || Err(io::ErrorKind::ConnectionRefused.into());
        ready(address.map_or_else(refused, |address: SocketAddr| {
            let (plug, socket) = socket::pair();
            NETWORK.with_borrow_mut(|network| match network.plugs.get_mut(&address) {
                Some(plugs) => {
                    plugs.push_back(plug);
                    Ok(TokioIo::new(socket))
                }
                None => refused(),
            })
        }))
    }
}

/// How many sockets the edges have open.
pub(crate) fn open_sockets() -> usize {
    socket::open()
}
