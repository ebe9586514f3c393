//! Finds the route of a request, once, and answers where there is none to serve it.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::uri::Authority;
use http::{HeaderValue, Request, Response, StatusCode, header, request};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use tidegate::body::ResponseBody;
use tidegate::table::{self, Entry, Reader};
use tower::Service;

use super::Routes;
use super::flight::{Flight, Held};
use super::plan::Plan;
use super::tally::Tally;
use crate::gateway::ends::failure::ForwardError;

/// Says how a response was served, where that is not as the file wants it (G11).
const SERVED: &str = "x-served";

/// One reader for each processor: a lookup takes the next one in turn, so that hardly ever one is
/// waited for.
pub(crate) struct Readers {
    readers: Vec<Mutex<Reader<String, Plan>>>,
    next: AtomicUsize,
}

impl Readers {
    pub(crate) fn new(table: &Routes) -> Self {
        let count = std::thread::available_parallelism().map_or(2, usize::from);
        let readers = (0..count).map(|_| Mutex::new(table.reader())).collect();
        Self { readers, next: AtomicUsize::new(0) }
    }

    /// Lets go of old epochs, which an idle reader would keep.
    pub(crate) fn rest(&self) {
        for reader in &self.readers {
            reader.lock().unwrap_or_else(PoisonError::into_inner).rest();
        }
    }

    /// What serves a request: the longest path of its host, or else of any host.
    fn find(&self, parts: &request::Parts) -> Option<table::Pin<String, Plan>> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.readers.len();
        let mut reader = self.readers[turn].lock().unwrap_or_else(PoisonError::into_inner);
        first(&mut reader, || keys(parts))
    }
}

/// What is under the first of `keys` that is there, all of them looked up on one epoch: a route
/// may move from one key to another between two of them, and what is found under the second would
/// then be meant for other requests.
fn first<P, I: Iterator<Item = String>>(
    reader: &mut Reader<String, P>,
    keys: impl Fn() -> I,
) -> Option<table::Pin<String, P>> {
    loop {
        let epoch = reader.epoch();
        let found = keys().find_map(|key| reader.pin(&key).ok());
        let seen = found.as_ref().map_or_else(|| reader.epoch(), table::Pin::epoch);
        if seen == epoch {
            return found;
        }
    }
}

/// The keys that a request may be found under, the first one first.
fn keys(parts: &request::Parts) -> impl Iterator<Item = String> {
    let named = || {
        let field = parts.headers.get(header::HOST)?;
        Authority::try_from(field.as_bytes()).ok()
    };
    let authority = parts.uri.authority().cloned().or_else(named);
    let host = authority.map(|authority| authority.host().to_ascii_lowercase());
    let path = parts.uri.path().trim_end_matches('/').to_owned();
    host.into_iter().chain(["*".to_owned()]).flat_map(move |host| {
        let ends: Vec<usize> = path.match_indices('/').map(|(at, _)| at).skip(1).collect();
        let mut prefixes = vec![path.clone()];
        prefixes.extend(ends.into_iter().rev().map(|end| path[..end].to_owned()));
        prefixes.push(String::new());
        prefixes.into_iter().map(move |path| format!("{host}{path}/"))
    })
}

/// The service of a connection. A clone is the same.
#[derive(Clone)]
pub(crate) struct Router {
    readers: Arc<Readers>,
    tally: Arc<Tally>,
}

/// The body of an answer: the upstream's through its flow, or a word of the gateway.
type Answer = Either<Held<ResponseBody<Incoming>>, Full<Bytes>>;

impl Router {
    pub(crate) fn new(readers: Arc<Readers>, tally: Arc<Tally>) -> Self {
        Self { readers, tally }
    }
}

impl Service<Request<Incoming>> for Router {
    type Response = Response<Answer>;
    type Error = ForwardError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Answer>, ForwardError>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), ForwardError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        let (parts, body) = request.into_parts();
        let Some(pin) = self.readers.find(&parts) else {
            let answer = word(StatusCode::NOT_FOUND, "no route\n".to_owned());
            return Box::pin(async { Ok(answer) });
        };
        let flight = Flight::new(pin, &self.tally);
        let plan = match flight.pin().plan() {
            Ok(plan) => plan,
            Err(fault) => {
                let mut answer = word(StatusCode::SERVICE_UNAVAILABLE, format!("{fault}\n"));
                answer.headers_mut().insert(SERVED, HeaderValue::from_static("failed"));
                return Box::pin(async { Ok(answer) });
            }
        };
        let answer = plan.call(Request::from_parts(parts, body), &flight);
        Box::pin(async move {
            let mut response = answer.await?;
            if let Some(how) = how(flight.pin().entry()) {
                response.headers_mut().insert(SERVED, HeaderValue::from_static(how));
            }
            Ok(response.map(Either::Left))
        })
    }
}

fn how(entry: &Entry<Plan>) -> Option<&'static str> {
    match entry {
        Entry::Failed(_) => Some("failed"),
        Entry::Ready(ready) if ready.stale().is_some() => Some("stale"),
        Entry::Ready(ready) if ready.is_degraded() => Some("degraded"),
        Entry::Ready(_) => None,
    }
}

fn word(status: StatusCode, text: String) -> Response<Answer> {
    let mut response = Response::new(Either::Right(Full::from(text)));
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_path_of_the_host_comes_first() {
        let request = Request::get("/a/b?c").header("host", "Shop:80").body(()).unwrap();
        let keys: Vec<String> = keys(&request.into_parts().0).collect();
        assert_eq!(keys, ["shop/a/b/", "shop/a/", "shop/", "*/a/b/", "*/a/", "*/"]);
    }

    #[test]
    fn all_keys_of_a_request_are_looked_up_on_one_epoch() {
        let table = table::Table::new(0);
        let publish = |routes: &[(&str, &'static str)]| {
            let mut changes = table::Changes::whole();
            for (key, plan) in routes {
                changes.set((*key).to_owned(), Entry::ready(*plan));
            }
            table.publish(&changes).unwrap();
        };
        publish(&[("*/", "for all")]);
        let turn = AtomicUsize::new(0);
        let keys = || {
            ["shop/", "*/"].into_iter().map(|key| {
                // Between the two, the shop gets a route of its own.
                if turn.fetch_add(1, Ordering::Relaxed) == 1 {
                    publish(&[("shop/", "for the shop"), ("*/", "for others")]);
                }
                key.to_owned()
            })
        };
        let pin = first(&mut table.reader(), keys).unwrap();
        assert_eq!(pin.plan().unwrap(), &"for the shop");
    }
}
