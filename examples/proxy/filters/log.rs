//! `log`: one line when a head passes, one when its message ends.

use std::any::Any;

use http::{request, response};
use tidegate::{Declaration, Filter, Head, Interest, Outcome, Verdict, View, body::Direction};

/// Counts what passes and logs it; changes and holds nothing.
#[derive(Debug, Default)]
pub(crate) struct Log {
    bytes: u64,
    chunks: u64,
    trailers: usize,
}

impl<H: Head> Filter<H> for Log {
    fn declare(&self) -> Declaration {
        Declaration::new().interest(Interest::ALL)
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        if let Some(head) = view.head() {
            let local = view.is_local_reply();
            tracing::info!(way = %Direction::of::<H>(), local, "{}", first_line(head));
        }
        Verdict::PASS
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        let new = view.new_bytes();
        self.bytes += new as u64;
        self.chunks += u64::from(new > 0);
        Verdict::PASS
    }

    fn trailers(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.trailers = view.trailers().map_or(0, http::HeaderMap::len);
        Verdict::PASS
    }

    fn close(&mut self, outcome: &Outcome) {
        let Self { bytes, chunks, trailers } = self;
        let way = tracing::field::display(Direction::of::<H>());
        match outcome {
            Outcome::Complete { .. } => {
                tracing::info!(way, bytes, chunks, trailers, "complete");
            }
            Outcome::Replaced { by, status } => {
                let by = by.as_deref().unwrap_or("another part");
                tracing::info!(way, bytes, chunks, %status, by, "replaced");
            }
            other => match other.error() {
                Some(error) => tracing::info!(way, bytes, chunks, %error, "failed"),
                None => tracing::info!(way, bytes, chunks, "given up"),
            },
        }
    }
}

/// What a head says first.
fn first_line<H: Head>(head: &H) -> String {
    let head: &dyn Any = head;
    if let Some(request) = head.downcast_ref::<request::Parts>() {
        format!("{} {}", request.method, request.uri)
    } else if let Some(response) = head.downcast_ref::<response::Parts>() {
        response.status.to_string()
    } else {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::testing::*, *};

    #[test]
    fn changes_nothing_however_the_body_is_cut() {
        let plan = only::<request::Parts, _>("log", Log::default);
        for_each_cut(b"some body", |pieces| {
            let sent = run(&plan, pieces);
            assert_eq!(sent.body(), b"some body");
            assert_eq!(sent.head().headers["content-length"], "9");
        });
    }

    #[test]
    fn names_what_a_head_is() {
        let request = http::Request::put("/a?b").body(()).unwrap().into_parts().0;
        assert_eq!(first_line(&request), "PUT /a?b");
        let response = http::Response::new(()).into_parts().0;
        assert_eq!(first_line(&response), "200 OK");
    }
}
