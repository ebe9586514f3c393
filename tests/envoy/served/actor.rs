//! The filters of these tests: one, that does what it is told.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, request, response};
use prost_types::value::Kind;
use tidegate::ext_proc::wire::Attributes;
use tidegate::{
    Capability, Declaration, Error, Filter, Head, Interest, LocalReply, Marks, ResumeHandle,
    Verdict, View,
};

use super::super::harness::pattern::flip;

/// Room for whatever a test holds or adds, in bytes.
const MARK_BYTES: u64 = 160 << 20;

/// What a replaced body is replaced by.
pub(crate) const REPLACEMENT: &str = "this stands in place of the body";

/// The text of a local reply.
pub(crate) const DENIED: &str = "denied by a filter";

/// What a filter does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// Looks at everything.
    Look,
    /// The same, with the default marks.
    LookModestly,
    /// Looks at heads.
    LookAtHeads,
    /// Turns the bits of each byte.
    Flip,
    /// Writes each byte twice.
    Double,
    /// Keeps the body until the end, then lets it go as it is.
    Gather,
    /// Keeps head and body until the end, then says in the head how many bytes there are.
    Measure,
    /// Keeps the head until the first bytes, then says in the head how many those are.
    Peek,
    /// Keeps head and body until the end, and replies 403 then.
    ReplyHolding,
    /// Puts [`REPLACEMENT`] in the place of the body.
    Replace,
    /// Takes the body away.
    Clear,
    /// Changes fields of the head: sets, appends, removes.
    EditHead,
    /// Sets fields of the hop.
    EditHop,
    /// Changes path and status.
    EditLine,
    /// Says in the head what the attributes are.
    ReadAttributes,
    /// Changes the trailers: sets, appends, removes.
    EditTrailers,
    /// Makes a POST of a request without body, and gives it [`REPLACEMENT`]; adds the same to a
    /// response without body.
    AddBody,
    /// Ends the message once this many bytes have passed.
    EndAfter(u64),
    /// Replies 403 there.
    ReplyAt(Place),
    /// Replies with this status at the head.
    ReplyStatus(u16),
    /// Fails there.
    FailAt(Place),
    /// Panics there.
    PanicAt(Place),
    /// Keeps everything, for good.
    HoldForEver,
    /// The same with the default marks.
    HoldModestly,
    /// Keeps everything for so many milliseconds from the first call on.
    HoldFor(u64),
    /// Declares nothing and does nothing: not even asked.
    Nothing,
}

/// A point of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Head,
    /// The first byte behind so many.
    After(u64),
    /// The end, with or without trailers.
    End,
}

/// A filter that does one thing.
#[derive(Debug)]
pub(crate) struct Actor {
    act: Act,
    /// How many bytes have passed.
    passed: u64,
    /// The body has been replaced.
    replaced: bool,
    handle: Option<ResumeHandle>,
}

impl Actor {
    pub(crate) fn new(act: Act) -> Self {
        Self { act, passed: 0, replaced: false, handle: None }
    }

    /// What happens at a place where a reply, a failure or a panic may be asked for.
    fn at<H: Head>(&self, place: Place, view: &mut View<'_, H>) -> Option<Verdict> {
        match self.act {
            Act::ReplyAt(at) if at == place => Some(deny(view)),
            Act::ReplyStatus(status) if place == Place::Head => {
                let status = StatusCode::from_u16(status).expect("a status");
                Some(view.reply(LocalReply::new(status)))
            }
            Act::FailAt(at) if at == place => {
                Some(view.fail(Error::filter_failed("as the test asks")))
            }
            Act::PanicAt(at) if at == place => panic!("as the test asks"),
            _ => None,
        }
    }

    fn place(&self) -> Option<Place> {
        match self.act {
            Act::ReplyAt(at) | Act::FailAt(at) | Act::PanicAt(at) => Some(at),
            _ => None,
        }
    }

    /// What happens to bytes that need not wait for any others.
    fn edit<H: Head>(&mut self, view: &mut View<'_, H>) -> Verdict {
        let mut body = view.take().expect("edits were declared");
        while let Some(segment) = body.pop_front() {
            let edited: Bytes = match self.act {
                Act::Flip => segment.iter().map(|&byte| flip(byte)).collect(),
                Act::Double => segment.iter().flat_map(|&byte| [byte; 2]).collect(),
                _ => continue,
            };
            view.push(edited).expect("there is room");
        }
        if self.act == Act::Replace && view.input_ended() && !self.replaced {
            self.replaced = true;
            view.push(Bytes::from_static(REPLACEMENT.as_bytes())).expect("there is room");
        }
        Verdict::PASS
    }

    fn bytes<H: Head>(&mut self, view: &mut View<'_, H>) -> Verdict {
        match self.act {
            Act::Flip | Act::Double | Act::Replace | Act::Clear => self.edit(view),
            Act::Gather if !view.input_ended() => Verdict::HOLD,
            Act::Measure | Act::ReplyHolding if !view.input_ended() => Verdict::HOLD,
            Act::Peek if view.body().is_empty() && !view.input_ended() => Verdict::HOLD,
            Act::Measure | Act::Peek => measure(view),
            Act::ReplyHolding => deny(view),
            Act::EndAfter(bytes) => self.end_after(bytes, view),
            Act::HoldFor(millis) => match &self.handle {
                None => {
                    let handle = self.handle.insert(view.resume_handle()).clone();
                    std::thread::spawn(move || {
                        std::thread::sleep(Duration::from_millis(millis));
                        handle.resume();
                    });
                    Verdict::HOLD
                }
                Some(_) => Verdict::HOLD,
            },
            Act::HoldForEver | Act::HoldModestly => {
                self.handle.get_or_insert_with(|| view.resume_handle());
                Verdict::HOLD
            }
            _ => self.passes(view),
        }
    }

    /// Lets bytes go, up to where something is to happen.
    fn passes<H: Head>(&mut self, view: &mut View<'_, H>) -> Verdict {
        let new = view.body().len() as u64;
        if let Some(Place::After(bytes)) = self.place()
            && self.passed + new > bytes
        {
            return self.at(Place::After(bytes), view).expect("it is this place");
        }
        self.passed += new;
        if view.input_ended() {
            return self.at(Place::End, view).unwrap_or(Verdict::PASS);
        }
        Verdict::PASS
    }

    fn end_after<H: Head>(&mut self, bytes: u64, view: &mut View<'_, H>) -> Verdict {
        let new = view.body().len() as u64;
        if self.passed + new < bytes {
            self.passed += new;
            return Verdict::PASS;
        }
        let keep = usize::try_from(bytes - self.passed).expect("a small number");
        let rest = view.body().len();
        view.remove(keep..rest).expect("edits were declared");
        Verdict::END
    }
}

fn deny<H: Head>(view: &mut View<'_, H>) -> Verdict {
    let mut reply = LocalReply::text(StatusCode::FORBIDDEN, DENIED);
    let by = HeaderValue::from_static("a filter");
    reply.head_mut().headers.insert("x-denied-by", by);
    view.reply(reply)
}

/// Says in the head how many bytes are here.
fn measure<H: Head>(view: &mut View<'_, H>) -> Verdict {
    let measured = HeaderValue::from(view.body().len());
    if let Some(head) = view.head_mut() {
        head.headers_mut().insert("x-measured", measured);
    }
    Verdict::PASS
}

/// What differs between requests and responses.
pub(crate) trait TestHead: Head {
    fn add_body(view: &mut View<'_, Self>) -> Verdict;

    /// Changes what a head has besides its fields.
    fn edit_line(&mut self);

    fn extensions(&self) -> &http::Extensions;
}

impl TestHead for request::Parts {
    fn add_body(view: &mut View<'_, Self>) -> Verdict {
        view.head_mut().expect("the head is here").method = Method::POST;
        view.push(Bytes::from_static(REPLACEMENT.as_bytes())).expect("there is room");
        Verdict::PASS
    }

    fn edit_line(&mut self) {
        self.uri = http::Uri::from_static("/changed?by=filter");
    }

    fn extensions(&self) -> &http::Extensions {
        &self.extensions
    }
}

impl TestHead for response::Parts {
    fn add_body(view: &mut View<'_, Self>) -> Verdict {
        view.push(Bytes::from_static(REPLACEMENT.as_bytes())).expect("there is room");
        Verdict::PASS
    }

    fn edit_line(&mut self) {
        self.status = StatusCode::ACCEPTED;
    }

    fn extensions(&self) -> &http::Extensions {
        &self.extensions
    }
}

/// Fields that are not the business of who passes a message on, with values that would break it.
fn edit_hop_fields(fields: &mut http::HeaderMap) {
    for (name, value) in [
        ("connection", "close, x-kept"),
        ("keep-alive", "timeout=1"),
        ("proxy-connection", "close"),
        ("te", "gzip"),
        ("transfer-encoding", "gzip, chunked"),
        ("upgrade", "h2c"),
    ] {
        let name = http::HeaderName::from_static(name);
        fields.insert(name, HeaderValue::from_static(value));
    }
}

/// Says what the attributes are.
fn read_attributes<H: TestHead>(head: &mut H) {
    let Some(attributes) = head.extensions().get::<Attributes>().cloned() else { return };
    let attributes = attributes.get("envoy.filters.http.ext_proc").expect("a struct");
    for (name, value) in attributes.into_iter().flat_map(|attributes| attributes.fields) {
        let text = match value.kind {
            Some(Kind::StringValue(text)) => text,
            Some(Kind::NumberValue(number)) => number.to_string(),
            other => format!("{other:?}"),
        };
        let name = match &*name {
            "request.path" => "x-attribute-path",
            "response.code" => "x-attribute-code",
            other => panic!("{other}: {text}"),
        };
        let text = HeaderValue::from_str(&text).expect("a value");
        head.headers_mut().insert(name, text);
    }
}

/// Sets, appends and removes.
fn edit_fields(fields: &mut http::HeaderMap) {
    fields.insert("x-set", HeaderValue::from_static("new"));
    fields.append("x-list", HeaderValue::from_static("behind"));
    fields.remove("x-remove");
    // Obs-text is a value, too: RFC 9110, 5.5.
    fields.insert("x-bytes", HeaderValue::from_bytes(b"caf\xe9").expect("a value"));
    fields.insert("x-empty", HeaderValue::from_static(""));
}

impl<H: TestHead> Filter<H> for Actor {
    fn declare(&self) -> Declaration {
        match self.act {
            Act::LookModestly => return Declaration::new(),
            Act::HoldModestly => {
                return Declaration::new().interest(Interest::DATA).require(Capability::KeepToEnd);
            }
            _ => {}
        }
        let declaration = Declaration::new().marks(Marks::from_high(MARK_BYTES));
        let bodies = Interest::DATA | Interest::TRAILERS;
        match self.act {
            Act::Look | Act::ReplyAt(_) | Act::FailAt(_) | Act::PanicAt(_) => {
                let head = self.place() == Some(Place::Head);
                declaration.interest(if head { Interest::HEAD } else { Interest::ALL })
            }
            Act::LookAtHeads
            | Act::EditHead
            | Act::EditHop
            | Act::EditLine
            | Act::ReadAttributes => declaration.interest(Interest::HEAD),
            Act::Flip => declaration.interest(bodies).require(Capability::EditBytes),
            Act::ReplyStatus(_) => declaration.interest(Interest::HEAD),
            Act::Double | Act::Clear => {
                declaration.interest(bodies).require(Capability::ChangeLength)
            }
            Act::Replace => {
                let declaration = declaration.interest(bodies).require(Capability::SeeEnd);
                declaration.require(Capability::ChangeLength)
            }
            Act::EndAfter(_) => declaration.interest(bodies).require(Capability::ChangeLength),
            Act::Gather => declaration.interest(bodies).require(Capability::KeepToEnd),
            Act::Peek => declaration.require(Capability::HoldHead),
            Act::Measure | Act::HoldForEver | Act::HoldFor(_) | Act::ReplyHolding => {
                declaration.require(Capability::KeepToEnd).require(Capability::HoldHead)
            }
            Act::EditTrailers => {
                let interest = Interest::TRAILERS;
                declaration.interest(interest).require(Capability::SeeTrailers)
            }
            Act::AddBody => declaration.interest(Interest::HEAD).require(Capability::ChangeLength),
            Act::LookModestly | Act::HoldModestly | Act::Nothing => {
                declaration.interest(Interest::NONE)
            }
        }
    }

    fn head(&mut self, view: &mut View<'_, H>) -> Verdict {
        if let Some(verdict) = self.at(Place::Head, view) {
            return verdict;
        }
        let ended = view.input_ended();
        match self.act {
            Act::Measure | Act::Peek | Act::HoldForEver | Act::HoldFor(_) | Act::ReplyHolding => {
                self.bytes(view)
            }
            Act::EditHop => {
                edit_hop_fields(view.head_mut().expect("the head is here").headers_mut());
                Verdict::PASS
            }
            Act::EditLine => {
                view.head_mut().expect("the head is here").edit_line();
                Verdict::PASS
            }
            Act::ReadAttributes => {
                read_attributes(view.head_mut().expect("the head is here"));
                Verdict::PASS
            }
            Act::EditHead => {
                edit_fields(view.head_mut().expect("the head is here").headers_mut());
                Verdict::PASS
            }
            Act::AddBody if ended => H::add_body(view),
            _ if ended => self.at(Place::End, view).unwrap_or(Verdict::PASS),
            _ => Verdict::PASS,
        }
    }

    fn data(&mut self, view: &mut View<'_, H>) -> Verdict {
        self.bytes(view)
    }

    fn trailers(&mut self, view: &mut View<'_, H>) -> Verdict {
        if self.act == Act::EditTrailers {
            edit_fields(view.trailers_mut().expect("they are here"));
            return Verdict::PASS;
        }
        self.bytes(view)
    }
}
