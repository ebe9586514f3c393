//! Filters of the load: one that is resumed from elsewhere, one that goes wrong where a request
//! says so.

use http::request;
use tidegate::{
    Capability, Declaration, Filter, Head, Interest, Outcome, ResumeHandle, Verdict, View,
};

/// Holds every third time that bytes come, until a task of its own says so.
#[derive(Debug, Default)]
pub(crate) struct Later {
    handle: Option<ResumeHandle>,
    calls: u32,
}

impl<H: Head> Filter<H> for Later {
    fn declare(&self) -> Declaration {
        Declaration::new().interest(Interest::DATA).require(Capability::KeepToEnd)
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.calls += 1;
        if !self.calls.is_multiple_of(3) {
            return Verdict::PASS;
        }
        let handle = self.handle.get_or_insert_with(|| view.resume_handle()).clone();
        tokio::spawn(async move {
            tokio::task::yield_now().await;
            handle.resume();
        });
        Verdict::HOLD
    }

    fn close(&mut self, _: &Outcome) {
        self.handle = None;
        self.calls = 0;
    }

    fn recycle(&mut self) -> bool {
        true
    }
}

/// What a request asks of [`Wrong`].
pub(crate) const FAULT: &str = "x-fault";

/// Panics, or holds and loses its handle, at the head of a request that says so.
#[derive(Debug)]
pub(crate) struct Wrong;

impl Filter<request::Parts> for Wrong {
    fn declare(&self) -> Declaration {
        Declaration::new().interest(Interest::HEAD).require(Capability::HoldHead)
    }

    fn head(&mut self, view: &mut View<'_, request::Parts>) -> Verdict {
        let fault = view.head().and_then(|head| head.headers.get(FAULT));
        match fault.map(http::HeaderValue::as_bytes) {
            Some(b"panic") => panic!("as planned"),
            Some(b"lose") => {
                drop(view.resume_handle());
                Verdict::HOLD.quiet()
            }
            _ => Verdict::PASS,
        }
    }

    fn recycle(&mut self) -> bool {
        true
    }
}
