//! Modules of Pingora that count and pass.
#![allow(dead_code, reason = "each binary uses its part")]

use std::any::Any;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use bytes::Bytes;
use pingora_core::modules::http::{
    HttpModule, HttpModuleBuilder, HttpModuleCtx, HttpModules, Module,
};
use pingora_core::{Error, Result};
use pingora_http::{RequestHeader, ResponseHeader};

use crate::rows::{Message, Script, Source};

/// Each module of a context has to be of another type: `N` makes it one.
#[derive(Default)]
struct Count<const N: usize>(u64);

#[async_trait]
impl<const N: usize> HttpModule for Count<N> {
    async fn request_header_filter(&mut self, head: &mut RequestHeader) -> Result<()> {
        self.0 += head.headers.len() as u64;
        Ok(())
    }

    async fn request_body_filter(&mut self, body: &mut Option<Bytes>, _: bool) -> Result<()> {
        self.0 += body.as_ref().map_or(0, Bytes::len) as u64;
        black_box(self.0);
        Ok(())
    }

    async fn response_header_filter(&mut self, head: &mut ResponseHeader, _: bool) -> Result<()> {
        self.0 += head.headers.len() as u64;
        Ok(())
    }

    fn response_body_filter(&mut self, body: &mut Option<Bytes>, _: bool) -> Result<()> {
        self.0 += body.as_ref().map_or(0, Bytes::len) as u64;
        black_box(self.0);
        Ok(())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
}

struct Builder<const N: usize>;

impl<const N: usize> HttpModuleBuilder for Builder<N> {
    fn init(&self) -> Module {
        Box::new(Count::<N>::default())
    }
}

/// So many modules that count and pass.
pub(crate) fn modules(count: usize) -> HttpModules {
    let mut modules = HttpModules::new();
    macro_rules! add {
        ($($n:literal)*) => { $(if $n < count { modules.add_module(Box::new(Builder::<$n>)) })* };
    }
    add!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
    modules
}

/// Runs what never waits.
pub(crate) fn ready<T>(future: impl Future<Output = T>) -> T {
    let Poll::Ready(done) = pin!(future).poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("nothing waits")
    };
    done
}

/// A request body through the modules, which may wait.
pub(crate) fn request(context: &mut HttpModuleCtx, chunk: Bytes) -> Bytes {
    let mut body = Some(chunk);
    passed(ready(context.request_body_filter(&mut body, false)));
    body.expect("the modules pass")
}

/// A response body through the modules, which cannot wait.
pub(crate) fn response(context: &mut HttpModuleCtx, chunk: Bytes) -> Bytes {
    let mut body = Some(chunk);
    passed(context.response_body_filter(&mut body, false));
    body.expect("the modules pass")
}

/// A chunk through the modules.
pub(crate) type Filter = fn(&mut HttpModuleCtx, Bytes) -> Bytes;

/// An endless message through `count` modules.
pub(crate) fn endless(count: usize, source: Source, filter: Filter) -> Box<dyn FnMut(u64)> {
    let mut context = modules(count).build_ctx();
    Box::new(move |chunks| {
        let mut out_bytes = 0;
        for _ in 0..chunks {
            let chunk = filter(&mut context, black_box(source.next()));
            out_bytes += black_box(chunk).len() as u64;
        }
        assert_eq!(out_bytes, chunks * source.chunk_bytes() as u64);
    })
}

/// A message with an end. Only modules of responses see trailers.
pub(crate) fn whole(count: usize, script: Script, filter: Filter) -> Message {
    let mut context = modules(count).build_ctx();
    let mut message = Message::default();
    for chunk in script.chunks {
        message.data(&filter(&mut context, chunk));
    }
    let mut trailers = Some(Box::new(script.trailers));
    let written = context.response_trailer_filter(&mut trailers);
    assert!(matches!(written, Ok(None)), "the modules pass");
    message.end(*trailers.expect("the modules pass"));
    message
}

pub(crate) fn passed(result: Result<(), Box<Error>>) {
    if let Err(error) = result {
        panic!("the modules pass: {error}");
    }
}
