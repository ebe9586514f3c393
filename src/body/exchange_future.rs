use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::error::Error as StdError;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::heads::{Client, request_leaves, response_leaves};
use super::length::declare_length;
use super::open::{Pending, bare, open};
use super::settings::Settings;
use super::{Opening, RequestBody, ResponseBody};
use crate::exchange::answer::answer_for;
use crate::sync::Arc;

pin_project! {
    /// The response of an [`ExchangeService`](super::ExchangeService), up to its head.
    ///
    /// # Cancel safety
    ///
    /// Dropping it cancels the exchange: both messages end as cancelled, the call of the inner
    /// service is dropped.
    pub struct ExchangeFuture<S, B, R>
    where
        S: Service<Request<RequestBody<B>>>,
    {
        #[pin]
        step: Step<S, S::Future, B>,
        // Until it is returned. Its chain has been made, but not started, before the inner service
        // is called: a need that cannot be met must not cost a call.
        response: Option<ResponseBody<R>>,
        client: Client,
        settings: Arc<Settings>,
    }
}

pin_project! {
    #[project = StepProj]
    enum Step<S, F, B> {
        // The request's head has not left its chain.
        Request { pending: Option<Pending<S, B>> },
        // The inner service has been called.
        Inner { #[pin] call: F },
        // The response, or a reply, is in the response chain.
        Response,
    }
}

impl<S, B, R> ExchangeFuture<S, B, R>
where
    S: Service<Request<RequestBody<B>>, Response = Response<R>>,
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
    R: Body<Data = Bytes> + Unpin,
    R::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    pub(super) fn new(service: S, request: Request<B>, settings: Arc<Settings>) -> Self {
        let (head, source) = request.into_parts();
        let client = Client::of(&head);
        let (pending, response) = open(&settings, service, head, source, client);
        let step = match pending {
            Some(_) => Step::Request { pending },
            None => Step::Response,
        };
        Self { step, response: Some(response), client, settings }
    }
}

impl<S, B, R> Future for ExchangeFuture<S, B, R>
where
    S: Service<Request<RequestBody<B>>, Response = Response<R>>,
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
    R: Body<Data = Bytes> + Unpin,
    R::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    type Output = Result<Response<ResponseBody<R>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let response = this.response.as_mut().expect("polled after it was ready");
            match this.step.as_mut().project() {
                StepProj::Request { pending } => {
                    let next = ready!(poll_request(pending, response, this.settings, cx));
                    this.step.set(next);
                }
                StepProj::Inner { call } => {
                    if poll_news(response, cx).is_ready() {
                        // Dropping the call resets what it has begun.
                        this.step.set(Step::Response);
                        continue;
                    }
                    let answer = ready!(call.poll(cx));
                    this.step.set(Step::Response);
                    if poll_news(response, cx).is_ready() {
                        // The call failed, or answered, because its request did.
                        continue;
                    }
                    match answer {
                        Ok(answer) => start_response(response, answer, *this.client),
                        Err(error) => {
                            *this.response = None;
                            return Poll::Ready(Err(error));
                        }
                    }
                }
                StepProj::Response => {
                    let result = ready!(Pin::new(&mut *response).poll_head(cx));
                    let reply = match result {
                        Ok(Opening::Head(mut head)) => {
                            let mut body = this.response.take().expect("was there above");
                            response_leaves(this.settings, *this.client, &mut head, &mut body);
                            return Poll::Ready(Ok(Response::from_parts(head, body)));
                        }
                        // Its side answers for a response that fails in here; these are for
                        // the sake of completeness.
                        Ok(Opening::Reply(reply)) => reply,
                        Err(error) => answer_for(&error, false),
                    };
                    *response = bare(this.settings, *this.client, reply);
                }
            }
        }
    }
}

/// Ready with the next step when the request's head has left its chain, or will not.
fn poll_request<S, B, R>(
    slot: &mut Option<Pending<S, B>>,
    response: &mut ResponseBody<R>,
    settings: &Settings,
    cx: &mut Context<'_>,
) -> Poll<Step<S, S::Future, B>>
where
    S: Service<Request<RequestBody<B>>>,
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
    R: Unpin,
{
    let pending = slot.as_mut().expect("present until the inner service is called");
    let unanswered = match ready!(Pin::new(&mut pending.body).poll_head(cx)) {
        Ok(Opening::Head(mut head)) => {
            let Pending { mut service, mut body, may_add_trailers } =
                slot.take().expect("was there above");
            request_leaves(settings, &mut head, &mut body, may_add_trailers);
            Pin::new(response).driver_mut().start_clock();
            return Poll::Ready(Step::Inner {
                call: service.call(Request::from_parts(head, body)),
            });
        }
        Ok(Opening::Reply(reply)) => reply,
        Err(error) => answer_for(&error, false),
    };
    // What is to be answered was posted, by a side that knows more of it.
    if poll_news(response, cx).is_pending() {
        Pin::new(response).driver_mut().handle_reply(unanswered);
    }
    Poll::Ready(Step::Response)
}

/// What ends the call of the inner service before it has answered: mail, or the total timeout.
fn poll_news<R>(response: &mut ResponseBody<R>, cx: &mut Context<'_>) -> Poll<()>
where
    R: Unpin,
{
    Pin::new(response).driver_mut().poll_news(cx)
}

fn start_response<R>(response: &mut ResponseBody<R>, answer: Response<R>, client: Client)
where
    R: Body<Data = Bytes> + Unpin,
    R::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    let (mut head, source) = answer.into_parts();
    let source = if client.is_head {
        // Services may answer HEAD as they answer GET: the body only says how long it would be.
        declare_length(&mut head, &source);
        None
    } else {
        Some(source)
    };
    Pin::new(response).driver_mut().start(head, source);
}

impl<S, B, R> fmt::Debug for ExchangeFuture<S, B, R>
where
    S: Service<Request<RequestBody<B>>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let step = match &self.step {
            Step::Request { .. } => "request head",
            Step::Inner { .. } => "inner service",
            Step::Response => "response head",
        };
        f.debug_struct("ExchangeFuture").field("step", &step).finish_non_exhaustive()
    }
}
