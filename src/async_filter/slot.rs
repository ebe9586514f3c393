use core::any::Any;
use core::mem;
use core::task::{Context, Waker};
use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, request, response};

use super::wait::Wait;
use crate::buf::BodyBuf;
use crate::filter::{Capabilities, Capability, Head, LocalReply, View};
use crate::limits;

/// What a filter's future can reach: everything in the view, lent for the time of one poll, and
/// what the future asks for.
#[derive(Default)]
pub(super) struct Slot {
    /// The message that tokens have to name.
    pub(super) message: u64,
    /// The waker that the future is polled with.
    pub(super) own_waker: Option<Waker>,
    /// Shown, and not taken yet.
    pub(super) input: BodyBuf,
    /// Sent in this poll.
    pub(super) output: BodyBuf,
    pub(super) tail: Tail,
    pub(super) head: LentHead,
    pub(super) facts: Facts,
    /// What input and output may have together when the poll returns, in bytes.
    limit_bytes: u64,
    /// The high mark of the station, in bytes.
    pub(super) high_bytes: u64,
    pub(super) input_wait: Wait,
    pub(super) room_wait: Wait,
    /// The room that is waited for, in bytes.
    pub(super) wanted_bytes: u64,
    pub(super) asked: Asked,
}

/// What the input has shown of its end.
#[derive(Debug, Default)]
pub(super) enum Tail {
    #[default]
    Awaited,
    /// With the trailers that came, or an empty map to fill where they may be added.
    Shown(Option<HeaderMap>),
}

/// The head, while it stands at this filter.
#[derive(Debug, Default)]
pub(super) enum LentHead {
    #[default]
    Gone,
    Request(request::Parts),
    Response(response::Parts),
}

/// What does not change during a message.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Facts {
    pub(super) granted: Capabilities,
    pub(super) bodiless: bool,
    pub(super) local_reply: bool,
    pub(super) declared_bytes: Option<u64>,
}

/// What the future asks for besides sending bytes.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) release_head: bool,
    /// Head or trailers were given out to be edited.
    pub(super) edited: bool,
    pub(super) declared_bytes: Option<u64>,
    /// Told when the head goes.
    pub(super) result: Option<Cow<'static, str>>,
    /// Kept until the end of the input has been shown.
    pub(super) trailers: Option<HeaderMap>,
    pub(super) ending: Ending,
}

/// Whether the future has put an end to the message.
#[derive(Debug, Default)]
pub(super) enum Ending {
    #[default]
    No,
    Declared,
    Replied(Box<LocalReply>),
}

impl Slot {
    /// A message begins.
    pub(super) fn open<H: Head>(&mut self, message: u64, view: &View<'_, H>) {
        self.message = message;
        self.facts = Facts {
            granted: Capability::ALL
                .into_iter()
                .filter(|&capability| view.granted(capability))
                .fold(Capabilities::NONE, Capabilities::with),
            bodiless: view.is_bodiless(),
            local_reply: view.is_local_reply(),
            declared_bytes: view.declared_bytes(),
        };
    }

    /// Whether the future waits for what the filter's callbacks bring, and for nothing else.
    #[inline]
    pub(super) fn is_served(&self) -> bool {
        self.input_wait.is_waiting() || self.room_wait.is_waiting()
    }

    /// A poll begins: takes what the view has. Answers how many bytes that are.
    #[inline]
    pub(super) fn borrow<H: Head>(&mut self, view: &mut View<'_, H>) -> usize {
        let lent_bytes = view.body().len();
        let room_bytes = if self.facts.bodiless { 0 } else { view.room_bytes() };
        self.limit_bytes = room_bytes.saturating_add(lent_bytes as u64);
        self.high_bytes = view.high_bytes();
        view.lend(&mut self.input);
        self.input_wait.begin_poll();
        self.room_wait.begin_poll();
        let input_ended = view.input_ended();
        let (head, trailers) = view.lend_fields();
        if let Some(head) = head {
            self.head = LentHead::take(head);
        }
        if input_ended {
            self.tail = Tail::Shown(trailers.map(mem::take));
        }
        lent_bytes
    }

    /// A poll has ended: gives back what it has left. Answers how many bytes were sent.
    #[inline]
    pub(super) fn give_back<H: Head>(
        &mut self,
        view: &mut View<'_, H>,
        lent_bytes: usize,
    ) -> usize {
        let sent_bytes = self.output.len();
        // What was taken may have become anything.
        if sent_bytes != 0 || self.input.len() != lent_bytes || mem::take(&mut self.asked.edited) {
            view.note_change();
        }
        if sent_bytes == 0 {
            view.give_back(&mut self.input, lent_bytes);
        } else {
            if !self.input.is_empty() {
                self.output.append(&mut self.input);
            }
            view.give_back(&mut self.output, lent_bytes);
        }
        let (head, trailers) = view.lend_fields();
        if let Some(head) = head {
            mem::take(&mut self.head).put(head);
        }
        if let Tail::Shown(Some(lent)) = &mut self.tail
            && let Some(trailers) = trailers
        {
            *trailers = mem::take(lent);
        }
        sent_bytes
    }

    /// Whether the future has this waker from us.
    #[inline]
    pub(super) fn is_own(&self, cx: &Context<'_>) -> bool {
        self.own_waker.as_ref().is_some_and(|own| own.will_wake(cx.waker()))
    }

    /// Puts `bytes` behind what was sent.
    #[inline]
    pub(super) fn send(&mut self, bytes: Bytes) {
        if self.output.is_empty() {
            self.output.push(bytes);
        } else {
            self.send_more(bytes);
        }
    }

    /// Very many small ones in one poll: keeps their bookkeeping within its bound. Packed one
    /// behind the other, and not again and again, which would leave holes in the blocks.
    fn send_more(&mut self, bytes: Bytes) {
        if self.output.is_open() || self.output.segment_count() >= limits::SEGMENTS_AT_REST {
            self.output.push_at_rest(bytes);
        } else {
            self.output.push(bytes);
        }
    }

    /// How many bytes can be sent now.
    #[inline]
    pub(super) fn room_bytes(&self) -> u64 {
        self.limit_bytes.saturating_sub((self.input.len() + self.output.len()) as u64)
    }

    #[inline]
    pub(super) fn ended(&self) -> bool {
        matches!(self.tail, Tail::Shown(_))
    }

    /// The message is over: lets go of everything but the storage and the waker.
    pub(super) fn close(&mut self) {
        self.message = 0;
        self.input.clear();
        self.output.clear();
        self.tail = Tail::Awaited;
        self.head = LentHead::Gone;
        self.input_wait = Wait::Nobody;
        self.room_wait = Wait::Nobody;
        self.asked = Asked::default();
    }
}

impl LentHead {
    fn take<H: Head>(head: &mut H) -> Self {
        let head: &mut dyn Any = head;
        if let Some(head) = head.downcast_mut::<request::Parts>() {
            return Self::Request(mem::replace(head, Request::new(()).into_parts().0));
        }
        match head.downcast_mut::<response::Parts>() {
            Some(head) => Self::Response(mem::replace(head, Response::new(()).into_parts().0)),
            None => Self::Gone,
        }
    }

    fn put<H: Head>(self, place: &mut H) {
        let place: &mut dyn Any = place;
        match self {
            Self::Gone => {}
            Self::Request(head) => {
                if let Some(place) = place.downcast_mut() {
                    *place = head;
                }
            }
            Self::Response(head) => {
                if let Some(place) = place.downcast_mut() {
                    *place = head;
                }
            }
        }
    }

    pub(super) fn is_here(&self) -> bool {
        !matches!(self, Self::Gone)
    }

    pub(super) fn headers_mut(&mut self) -> Option<&mut HeaderMap> {
        match self {
            Self::Gone => None,
            Self::Request(head) => Some(&mut head.headers),
            Self::Response(head) => Some(&mut head.headers),
        }
    }

    pub(super) fn as_any_mut(&mut self) -> Option<&mut dyn Any> {
        match self {
            Self::Gone => None,
            Self::Request(head) => Some(head),
            Self::Response(head) => Some(head),
        }
    }
}
