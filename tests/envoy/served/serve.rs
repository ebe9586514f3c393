//! The processors of the table, behind one port.

use std::convert::Infallible;
use std::error::Error;
use std::future::{Ready, pending, ready};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::service::Service;
use tidegate::ext_proc::server::{
    Carrier, ExternalProcessor, ProcessBody, StreamSettings, serve, serve_direct,
};
use tidegate::ext_proc::session::SessionEnd;
use tokio::net::TcpListener;

use super::super::harness::configuration::Configuration;
use super::super::harness::rig::rig;
use super::super::harness::transcript::Transcripts;
use super::carrier::{carrier, settings};
use super::tap::{Replies, Requests, Tap};

/// A processor made with the crate, and the listener that asks it.
#[derive(Clone)]
pub(crate) struct Served {
    /// Of the listener, and of the cluster of the processor.
    pub(crate) name: String,
    pub(crate) configuration: Configuration,
    processor: ExternalProcessor,
    /// Whether what is said is written down. Not for large bodies.
    tapped: bool,
    ends: Arc<Mutex<Vec<&'static str>>>,
}

impl Served {
    pub(crate) fn new(
        name: String,
        configuration: Configuration,
        processor: ExternalProcessor,
    ) -> Self {
        let ends = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&ends);
        let settings = StreamSettings::new().on_end(move |report| {
            told.lock().expect("no panic").push(match report.end {
                SessionEnd::Complete => "complete",
                SessionEnd::Replied { .. } => "replied",
                SessionEnd::Released => "released",
                SessionEnd::Abandoned => "abandoned",
                _ => "failed",
            });
        });
        let processor = processor.settings(settings);
        Self { name, configuration, processor, tapped: true, ends }
    }

    /// How its streams have ended so far.
    pub(crate) fn ends(&self) -> Vec<&'static str> {
        self.ends.lock().expect("no panic").clone()
    }

    /// Nobody listens to what is said.
    pub(crate) fn untapped(self) -> Self {
        Self { tapped: false, ..self }
    }
}

/// Waits until no stream of a processor is under way.
pub(crate) async fn wait_until_idle(name: &str) -> &'static Served {
    let served = rig().served.iter().find(|served| served.name == name).expect("a processor");
    while served.processor.drain().live_streams() > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    served
}

/// Listens, and serves on this runtime.
pub(crate) async fn start(served: Arc<Vec<Served>>, transcripts: Transcripts) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("a socket");
    let all = All { served, transcripts };
    match carrier() {
        Carrier::Direct => tokio::spawn(serve_direct(listener, all, settings(), pending())),
        _ => tokio::spawn(serve(listener, all, settings(), pending())),
    };
    address
}

/// All processors: which one is asked is in `:authority`, where Envoy puts the name of the cluster.
#[derive(Clone)]
struct All {
    served: Arc<Vec<Served>>,
    transcripts: Transcripts,
}

impl<B> Service<Request<B>> for All
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Response = Response<Replies<ProcessBody<Requests<B>>>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn call(&self, request: Request<B>) -> Self::Future {
        let name = request.uri().host().unwrap_or_default();
        let served = self.served.iter().find(|served| served.name == name);
        let Some(served) = served else { panic!("no processor {name:?}") };
        let tap = served.tapped.then(|| Tap::new(&self.transcripts));
        let request = request.map(|body| Requests::new(body, tap.clone()));
        let Ok(response) = served.processor.call(request).into_inner();
        ready(Ok(response.map(|body| Replies::new(body, tap))))
    }
}
