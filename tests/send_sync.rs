//! Which public types can be sent, shared and moved while borrowed by a future.
//!
//! Losing one of these is a breaking change that no other test would see. `tests/tidy.rs` checks
//! that every public type is listed.

use http::{Request, Response, request, response};
use http_body::Body;
use tidegate::async_filter::{AsyncFilter, Input, Output as AsyncOutput, Sees};
use tidegate::block::{BlockPool, BlockStats, ReadBlock};
use tidegate::body::{
    Driver, ExchangeFuture, ExchangeLayer, ExchangeService, FilteredBody, HttpEdge, Opening,
    PipedBody, Pump, RequestBody, ResponseBody, Timeouts,
};
use tidegate::buf::{BodyBuf, Chunks, Cursor};
use tidegate::chain::{
    BoundPlan, Chain, InputError, MessageTraits, Output, Plan, PlanBuilder, PlanError, Stats, Unmet,
};
use tidegate::error::{Error, ErrorKind, Origin, Timeout};
use tidegate::exchange::{
    BoundExchangePlan, Direction, EarlyResponse, ExchangePlan, ExchangePlanBuilder, Mail, Observer,
    Refused, RequestHalf, RequestSide, ResponseHalf, ResponseSide, Side as ExchangeSide,
};
use tidegate::ext_proc::automaton::{
    Breach, BufferedPen, Debt, DuplexPen, DuplexTrailersPen, HeadersPen, ImmediatePen, Lane,
    Ledger, MessagePart, OverridePen, Owes, Received, ReplacePen, StreamedPen, TrailersPen,
    Violation,
};
use tidegate::ext_proc::{mode, server, session, wire};
use tidegate::filter::{
    Capabilities, Capability, Declaration, EditError, EditErrorKind, FailOpen, Filter, Head,
    Interest, Interim, Keeping, LocalReply, Overflow, ResultError, Verdict, View,
};
use tidegate::flow::config::{
    BorderConfig, CallConfig, ConfigError, ConfigErrorKind, ConfigPlace, EasegressConfig,
    FallThroughConfig, FilterConfig, FilterNodeConfig, FlowConfig, JumpConfig, KindError, KindUse,
    Kinds, LimitsConfig, MarksConfig, NoSettings, NodeConfig, PipelineConfig, PlacePart, Settings,
    StatusRange, UnhandledConfig,
};
use tidegate::flow::{
    Call, FallThrough, Flow, FlowBuilder, FlowError, FlowErrorKind, Node, OnUnhandled, Pipeline,
    Place, Stage, StageEnd, Stages, Step, Summary, TraceEntry,
};
use tidegate::frame::{Frame, Outcome};
use tidegate::pipe::{Cut, Next, PipeStats, Receiver, SendError, Sender, TrySendError};
use tidegate::pool::{Lease, Pool, PoolStats};
use tidegate::resume::{ResumeHandle, ResumeSet, Resumed};
use tidegate::table::delta::{
    Agreement, Applied, Delta, Digest, Hello, Lookup, Mark, Receipt, Rejection, Replica, Scope,
    Session, SessionId, TooManyKeys, Value,
};
use tidegate::table::{
    Absent, Build, BuildError, Built, Cause, Change, Changes, Controller, Counters, Entry, Epoch,
    EpochStats, ExemptKey, Extensions, Fault, Mode, Pin, PublishError, Reader, Ready, Report,
    Snapshot, Table, Watch,
};
use tidegate::watermark::{Edge, Marks, MarksError, Side, Watermark, Weigh};

fn send<T: Send + ?Sized>() {}
fn sync<T: Sync + ?Sized>() {}
fn unpin<T: Unpin + ?Sized>() {}
fn is_static<T: 'static + ?Sized>() {}

/// What is handed around freely: from any thread, by any thread.
macro_rules! shared {
    ($($type:ty),* $(,)?) => { $( send::<$type>(); sync::<$type>(); unpin::<$type>(); )* };
}

/// What has one owner at a time, on any thread.
macro_rules! owned {
    ($($type:ty),* $(,)?) => { $( send::<$type>(); unpin::<$type>(); )* };
}

#[test]
fn buffers() {
    shared!(BodyBuf, Chunks<'static>, Cursor<'static>);
}

#[test]
fn frames_marks_and_errors() {
    shared!(Frame, Outcome, Error, ErrorKind, Origin, Timeout);
    shared!(Watermark, Marks, MarksError, Edge, Side);
}

#[test]
fn resumes() {
    shared!(ResumeHandle, ResumeSet, Resumed);
    is_static::<ResumeHandle>();
}

/// As sendable as what goes through them.
#[test]
fn pipes() {
    /// An item that is not `Sync`.
    struct Item(core::cell::Cell<u8>);
    impl Weigh for Item {
        fn weight_bytes(&self) -> u64 {
            self.0.get().into()
        }
    }
    owned!(Sender<Item, Item, Item>, Receiver<Item, Item, Item>);
    owned!(Next<Item, Item, Item>, Cut<Item>, SendError<Item>, TrySendError<Item>);
    shared!(Sender<u8, u8, u8>, PipeStats);
}

#[test]
fn pools() {
    shared!(Pool<Vec<u8>>, Lease<Vec<u8>>, PoolStats);
    // Values go from thread to thread; nobody looks at one from two.
    shared!(Pool<std::cell::Cell<u8>>);
    shared!(ReadBlock, BlockPool, BlockStats);
    owned!(Lease<std::cell::Cell<u8>>);
}

#[test]
fn what_filters_handle() {
    shared!(Capabilities, Capability, Declaration, Interest, Interim, Keeping, Overflow, Verdict);
    shared!(EditError, EditErrorKind, FailOpen<()>, LocalReply, ResultError);
    owned!(View<'static, request::Parts>, View<'static, response::Parts>);
    send::<dyn Filter<request::Parts>>();
    send::<dyn Filter<response::Parts>>();
}

#[test]
fn async_filters() {
    type Pending = core::future::Pending<Result<(), Error>>;
    owned!(AsyncFilter<(), fn(Input, AsyncOutput) -> Pending, Pending>);
    shared!(Input, Input<request::Parts>, Input<response::Parts>, AsyncOutput);
    is_static::<Input>();
    is_static::<AsyncOutput>();
    fn both<H: Head>()
    where
        (): Sees<H>,
    {
    }
    both::<request::Parts>();
    both::<response::Parts>();
}

#[test]
fn plans() {
    fn both<H: Head>() {
        shared!(Plan<H>, BoundPlan<H>, PlanBuilder<H>);
        is_static::<BoundPlan<H>>();
    }
    both::<request::Parts>();
    both::<response::Parts>();
    shared!(PlanError, Unmet, MessageTraits);
}

#[test]
fn chains() {
    fn both<H: Head + Unpin>() {
        owned!(Chain<H>, Output<H>);
        is_static::<Chain<H>>();
    }
    both::<request::Parts>();
    both::<response::Parts>();
    shared!(InputError, Stats);
}

#[test]
fn flows() {
    shared!(Flow, FlowBuilder, Pipeline, Step, Call, OnUnhandled, Stages, FallThrough);
    shared!(Node<request::Parts>, Node<response::Parts>);
    shared!(FlowError, FlowErrorKind, Place, Stage, StageEnd, Summary, TraceEntry);
}

#[test]
fn halves_of_an_exchange() {
    shared!(Mail);
    owned!(RequestHalf, ResponseHalf);
    shared!(Direction, Observer, EarlyResponse);
    shared!(ExchangePlan, BoundExchangePlan);
    is_static::<BoundExchangePlan>();
    owned!(ExchangePlanBuilder, Refused);
    owned!(RequestSide, ResponseSide, ExchangeSide<request::Parts>);
    is_static::<RequestSide>();
}

#[test]
fn tables() {
    shared!(Table<String, BoundExchangePlan>, Snapshot<String, BoundExchangePlan>);
    shared!(Reader<String, BoundExchangePlan>, Pin<String, BoundExchangePlan>, Watch);
    shared!(Entry<BoundExchangePlan>, Ready<BoundExchangePlan>, Changes<String, u8>);
    shared!(Absent, Counters, Epoch, EpochStats, Fault, PublishError);
    is_static::<Pin<String, BoundExchangePlan>>();
    type Text = Box<dyn Build<String, String, Plan = u8> + Send + Sync>;
    type Builder = fn(&u8, &u8, &Extensions) -> Result<Built<BoundExchangePlan>, BuildError>;
    is_static::<Text>();
    shared!(Controller<u8, u8, Builder>, Built<BoundExchangePlan>, BuildError, Extensions);
    shared!(Report<u8>, Change<u8>, Cause, Mode, ExemptKey);
    shared!(Session<u8, BoundExchangePlan>, Replica<u8, BoundExchangePlan>);
    shared!(Delta<u8, BoundExchangePlan>, Value<BoundExchangePlan>, Hello<u8>);
    shared!(Lookup<'static, BoundExchangePlan>);
    shared!(Agreement, Applied, Digest, Mark, Receipt, Rejection, Scope, SessionId, TooManyKeys);
}

#[test]
fn bodies() {
    /// As sendable and movable as their source.
    fn of<B: Body + Send + Unpin, H: Head + Unpin>() {
        owned!(FilteredBody<B, H>, Driver<B, H>, Opening<H>);
    }
    of::<Source, request::Parts>();
    of::<Source, response::Parts>();
    owned!(RequestBody<Source>, ResponseBody<Source>);
    shared!(HttpEdge, Timeouts);
    owned!(RequestBody<Source>, ResponseBody<Source>, Pump<Source>, PipedBody);
    shared!(Direction, HttpEdge, Observer, Timeouts);
}

#[test]
fn what_is_owed() {
    shared!(Lane, Ledger, Received, Owes<'static>, Violation, Breach, Debt, MessagePart);
    shared!(HeadersPen<'static>, ReplacePen<'static>, BufferedPen<'static>, StreamedPen<'static>);
    shared!(DuplexPen<'static>, DuplexTrailersPen<'static>, TrailersPen<'static>);
    shared!(ImmediatePen<'static>, OverridePen<'static>);
}

#[test]
fn sessions() {
    shared!(session::SessionPlan, session::SessionSettings, session::BindError);
    shared!(session::SessionOutput, session::SessionEnd, session::ChosenMode);
    is_static::<session::ChooseMode>();
    owned!(session::Session);
}

#[test]
fn flows_from_text() {
    shared!(FlowConfig, FilterConfig, PipelineConfig, NodeConfig, FilterNodeConfig, CallConfig);
    shared!(JumpConfig, StatusRange, UnhandledConfig, FallThroughConfig, BorderConfig);
    shared!(EasegressConfig, LimitsConfig, MarksConfig, Settings, NoSettings);
    shared!(ConfigPlace, PlacePart, KindUse, KindError);
    shared!(Kinds, ConfigError, ConfigErrorKind);
}

/// A body that is not `Sync`, as hyper's are not promised to be.
type Source = http_body_util::combinators::UnsyncBoxBody<bytes::Bytes, std::io::Error>;

#[test]
fn modes_of_ext_proc() {
    shared!(mode::BodyMode, mode::SendMode, mode::DirectionMode, mode::ProcessingMode);
    shared!(mode::ModeField, mode::ModeError, mode::Announced, mode::Disagreement);
    shared!(mode::Terms, mode::Promise, mode::Need, mode::ModeUnmet);
    shared!(mode::FilterConfig, mode::ConfigError, mode::Caution, mode::RouteCacheAction);
    shared!(mode::MutationRules, mode::MetadataOptions, mode::RouteConfig, mode::RouteOverrides);
    shared!(mode::AllowedMode, mode::ModeOverride, mode::OverrideMoment, mode::OverrideRefusal);
}

#[test]
fn messages_of_ext_proc() {
    shared!(wire::Decoder, wire::Event, wire::Envelope, wire::Section, wire::ProtocolConfig);
    shared!(wire::Attributes, wire::Metadata, wire::StructError, wire::WireLimits);
    shared!(wire::WireError, wire::WireLimit, wire::Malformed);
    shared!(wire::Reply, wire::HeaderMutation, wire::ReplyFrame);
    shared!(wire::GrpcStatus, wire::GrpcCode, wire::ReplyBody, wire::DynamicMetadata);
}

#[test]
fn servers_of_ext_proc() {
    shared!(server::ExternalProcessor, server::BytesProcessor, server::StreamSettings);
    shared!(server::Drain, server::DrainPhase, server::Health, server::ServingStatus);
    shared!(server::ServeSettings, server::Served, server::StreamError, server::StreamReport);
    shared!(server::Carrier, server::DirectBody, server::DirectError);
    // As sendable and movable as a body of hyper's.
    owned!(server::ProcessBody<Source>, server::BytesBody<Source>);
}

#[test]
fn layers() {
    shared!(ExchangeLayer, ExchangeService<()>);
}

/// As sendable as the service, its future, and both bodies.
#[test]
fn exchanges() {
    fn of<S, B, R>()
    where
        S: tower::Service<Request<RequestBody<B>>, Response = Response<R>, Future: Send> + Send,
        B: Send + Unpin,
        R: Send + Unpin,
    {
        send::<ExchangeFuture<S, B, R>>();
    }
    fn service<S>(_: S)
    where
        S: tower::Service<
                Request<RequestBody<Source>>,
                Response = Response<RequestBody<Source>>,
                Future: Send,
            > + Send,
    {
        of::<S, Source, RequestBody<Source>>();
    }
    service(tower::service_fn(async |request: Request<RequestBody<Source>>| {
        Ok::<_, std::convert::Infallible>(Response::new(request.into_body()))
    }));
}
