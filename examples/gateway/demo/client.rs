//! A client that looks at answers.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::{Client as Pooled, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;

use crate::gateway::ends::BoxError;

/// A client of the gateway, with connections of its own.
#[derive(Clone)]
pub(super) struct Client {
    gateway: SocketAddr,
    pooled: Pooled<HttpConnector, Full<Bytes>>,
}

impl Client {
    pub(super) fn new(gateway: SocketAddr) -> Self {
        Self { gateway, pooled: Pooled::builder(TokioExecutor::new()).build_http() }
    }

    /// Sends `body` to `path`; an error unless an answer comes whole.
    pub(super) async fn send(&self, path: &str, body: Bytes) -> Result<Response<Bytes>, BoxError> {
        let uri = format!("http://{}{path}", self.gateway);
        let request = Request::post(uri).body(Full::from(body))?;
        let (head, body) = self.pooled.request(request).await?.into_parts();
        Ok(Response::from_parts(head, body.collect().await?.to_bytes()))
    }

    /// What the route at `path` answers, in a few words.
    pub(super) async fn ask(&self, path: &str) -> Result<String, BoxError> {
        let response = self.send(path, Bytes::from_static(b"ask")).await?;
        let mut words = vec![response.status().as_str().to_owned()];
        if response.status() == StatusCode::OK {
            let same = field(&response, "x-request-plan") == field(&response, "x-plan");
            words.push(if same { field(&response, "x-plan") } else { "two plans" }.to_owned());
            words.push(field(&response, "x-translated").to_owned());
        }
        words.extend(Some(field(&response, "x-served").to_owned()).filter(|how| !how.is_empty()));
        Ok(words.join(" "))
    }
}

/// The value of a field; empty if it is not there.
pub(super) fn field<'a, B>(response: &'a Response<B>, name: &str) -> &'a str {
    response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
