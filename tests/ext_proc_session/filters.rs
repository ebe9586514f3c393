//! Filters that do one thing.

use bytes::Bytes;
use http::{HeaderValue, StatusCode, request, response};
use tidegate::exchange::ExchangePlan;
use tidegate::{Capability, Declaration, Filter, Head, Interest, LocalReply, Verdict, View};

/// Passes everything, and looks at everything.
pub(crate) struct Pass;

impl<H: Head> Filter<H> for Pass {}

/// Puts `>` before each piece of body, and says so in the head.
pub(crate) struct Mark;

impl<H: Head> Filter<H> for Mark {
    fn declare(&self) -> Declaration {
        Declaration::new().require(Capability::ChangeLength)
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        if let Some(head) = view.head_mut() {
            head.headers_mut().insert("x-marked", HeaderValue::from_static("yes"));
        }
        Verdict::PASS
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        if view.new_bytes() > 0 {
            view.insert(view.new_at(), Bytes::from_static(b">")).expect("there is room");
        }
        Verdict::PASS
    }
}

/// Keeps the body, and the head, to the end.
pub(crate) struct KeepAll;

impl<H: Head> Filter<H> for KeepAll {
    fn declare(&self) -> Declaration {
        Declaration::new().require(Capability::KeepToEnd)
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        if view.input_ended() { Verdict::PASS } else { Verdict::pass_first(0) }
    }
}

/// Holds every other piece until the next one comes.
#[derive(Default)]
pub(crate) struct EverySecond {
    seen: u32,
}

impl<H: Head> Filter<H> for EverySecond {
    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.seen += 1;
        if view.input_ended() || self.seen.is_multiple_of(2) {
            Verdict::PASS
        } else {
            Verdict::pass_first(0)
        }
    }
}

/// Refuses a body with an `x` in it.
pub(crate) struct NoX;

impl<H: Head> Filter<H> for NoX {
    fn declare(&self) -> Declaration {
        Declaration::new().prefer(Capability::HoldHead).prefer(Capability::KeepToEnd)
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        if view.body().find(b"x", 0).is_some() {
            return view.reply(LocalReply::text(StatusCode::IM_A_TEAPOT, "no x\n"));
        }
        Verdict::PASS
    }
}

/// Refuses every head.
pub(crate) struct Deny;

impl<H: Head> Filter<H> for Deny {
    fn declare(&self) -> Declaration {
        Declaration::new().interest(Interest::HEAD)
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        view.reply(LocalReply::text(StatusCode::FORBIDDEN, "no\n"))
    }
}

/// Panics at the first body.
pub(crate) struct Panics;

impl<H: Head> Filter<H> for Panics {
    fn data(&mut self, _: &mut View<'_, H>) -> Verdict {
        panic!("a filter's own")
    }
}

/// Gives a message without body one.
pub(crate) struct GiveBody;

impl<H: Head> Filter<H> for GiveBody {
    fn declare(&self) -> Declaration {
        Declaration::new().require(Capability::ChangeLength)
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        if view.input_ended() {
            view.insert(0, Bytes::from_static(b"given")).expect("there is room");
        }
        Verdict::PASS
    }
}

/// Renames the trailer `a` to `b`.
pub(crate) struct RenameTrailer;

impl<H: Head> Filter<H> for RenameTrailer {
    fn trailers(&mut self, view: &mut View<'_, H>) -> Verdict {
        if let Some(trailers) = view.trailers_mut()
            && let Some(value) = trailers.remove("a")
        {
            trailers.insert("b", value);
        }
        Verdict::PASS
    }
}

/// The same filter for both directions.
pub(crate) fn pair<F>(make: impl Fn() -> F + Send + Sync + Clone + 'static) -> ExchangePlan
where
    F: Filter<request::Parts> + Filter<response::Parts> + 'static,
{
    let other = make.clone();
    ExchangePlan::builder().pair("it", move || (make(), other())).build().expect("a plan")
}
