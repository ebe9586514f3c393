//! Filters, and processors with them.

use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use tidegate::exchange::{ExchangePlan, ExchangePlanBuilder};
use tidegate::ext_proc::mode::{DirectionMode, ProcessingMode};
use tidegate::ext_proc::server::{ExternalProcessor, StreamReport, StreamSettings};
use tidegate::ext_proc::session::{SessionPlan, SessionSettings};
use tidegate::{Capability, Declaration, Filter, Head, Interest, LocalReply, Verdict, View};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// The head of an upload.
pub(crate) const POST: [(&str, &str); 4] =
    [(":method", "POST"), (":path", "/"), (":scheme", "http"), (":authority", "origin")];

/// `filters` in `mode`, in both directions.
pub(crate) fn processor(mode: DirectionMode, filters: ExchangePlanBuilder) -> ExternalProcessor {
    let settings = SessionSettings::new(ProcessingMode::new(mode, mode));
    ExternalProcessor::new(SessionPlan::new(filters.build().unwrap(), settings).unwrap())
}

/// The processor in full duplex, and what it reports.
pub(crate) fn observed(
    filters: ExchangePlanBuilder,
    settings: StreamSettings,
) -> (ExternalProcessor, UnboundedReceiver<StreamReport>) {
    let (tell, reports) = unbounded_channel();
    let settings = settings.on_end(move |report: &StreamReport| {
        let _ = tell.send(report.clone());
    });
    (processor(DirectionMode::full_duplex(), filters).settings(settings), reports)
}

/// No filters, heads only.
pub(crate) fn passing() -> ExternalProcessor {
    processor(DirectionMode::heads_only(), ExchangePlan::builder())
}

/// Marks the head.
pub(crate) struct Mark;

impl<H: Head> Filter<H> for Mark {
    fn declare(&self) -> Declaration {
        Declaration::new().interest(Interest::HEAD)
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        if let Some(head) = view.head_mut() {
            head.headers_mut().insert("x-mark", HeaderValue::from_static("1"));
        }
        Verdict::PASS
    }
}

/// Makes capitals of the body.
pub(crate) struct Capitals;

impl<H: Head> Filter<H> for Capitals {
    fn declare(&self) -> Declaration {
        Declaration::new().interest(Interest::DATA).require(Capability::EditBytes)
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        let all = 0..view.body().len();
        let mut bytes = vec![0; all.end];
        view.body().copy_range_to(all.clone(), &mut bytes);
        bytes.make_ascii_uppercase();
        match view.replace(all, Bytes::from(bytes)) {
            Ok(()) => Verdict::PASS,
            Err(error) => view.fail(tidegate::Error::filter_failed(error)),
        }
    }
}

/// Refuses what has `/secret` for its path.
pub(crate) struct Guard;

impl Filter<http::request::Parts> for Guard {
    fn declare(&self) -> Declaration {
        Declaration::new().interest(Interest::HEAD)
    }

    fn head(&mut self, view: &mut View<'_, http::request::Parts>) -> Verdict {
        if view.head().is_some_and(|head| head.uri.path() == "/secret") {
            return view.reply(LocalReply::text(StatusCode::FORBIDDEN, "no\n"));
        }
        Verdict::PASS
    }
}

/// Panics at the head.
pub(crate) struct Panics;

impl<H: Head> Filter<H> for Panics {
    fn declare(&self) -> Declaration {
        Declaration::new().interest(Interest::HEAD)
    }

    fn head(&mut self, _: &mut View<'_, H>) -> Verdict {
        panic!("as planned");
    }
}

/// Holds everything until the message ends, which may be never.
pub(crate) struct Holds;

impl<H: Head> Filter<H> for Holds {
    fn declare(&self) -> Declaration {
        Declaration::new().interest(Interest::DATA).require(Capability::KeepToEnd)
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        if view.input_ended() { Verdict::PASS } else { Verdict::HOLD }
    }
}

/// Panics at the first byte.
pub(crate) struct PanicsAtBody;

impl<H: Head> Filter<H> for PanicsAtBody {
    fn declare(&self) -> Declaration {
        Declaration::new().interest(Interest::DATA)
    }

    fn data(&mut self, _: &mut View<'_, H>) -> Verdict {
        panic!("as planned");
    }
}
