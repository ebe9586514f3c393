use std::collections::HashSet;

use http::{HeaderMap, HeaderName};

use super::finish::Cause;
use super::informational::Informational;
use crate::buf::BodyBuf;
#[cfg(feature = "ext-proc")]
use crate::unwind::contained;
use crate::unwind::drop_contained;

/// What stands or waits between the stations. A message has it while its head is under way; later
/// only if more happens to it than to be passed on chunk by chunk.
pub(super) struct Lobby<H>(Option<Box<Standing<H>>>);

pub(super) struct Standing<H> {
    /// Heads before the final one, if there were any.
    informational: Option<Box<Informational<H>>>,
    /// The one head slot; `head_at` says whose it is.
    pub(super) head: Option<H>,
    /// The one trailers slot; `tail_at` says whose it is. `None` at the tail: a plain end.
    pub(super) trailers: Option<HeaderMap>,
    /// What the source gave and no station has yet; also the body of a local reply.
    entrance: BodyBuf,
    /// The bytes of the wave that is under way. Empty between waves.
    pub(super) transit: BodyBuf,
    /// The trailer fields that the edge has announced, if no others can be sent.
    pub(super) announced: Option<HashSet<HeaderName>>,
    /// Who replied, while the reply is under way.
    pub(super) reply_cause: Option<Cause>,
}

impl<H> Lobby<H> {
    pub(super) const fn new() -> Self {
        Self(None)
    }

    /// All of it, made if there is none.
    #[inline]
    pub(super) fn open(&mut self) -> &mut Standing<H> {
        self.0.get_or_insert_with(Box::default)
    }

    pub(super) fn informational(&self) -> Option<&Informational<H>> {
        self.0.as_ref()?.informational.as_deref()
    }

    pub(super) fn informational_mut(&mut self) -> &mut Informational<H> {
        self.open().informational.get_or_insert_default()
    }

    /// Whether a head before the final one waits for the sink.
    pub(super) fn has_informational(&self) -> bool {
        self.informational().is_some_and(Informational::waits)
    }

    pub(super) fn pop_informational(&mut self) -> Option<H> {
        self.0.as_mut()?.informational.as_mut()?.pop()
    }

    pub(super) fn head(&self) -> Option<&H> {
        self.0.as_ref()?.head.as_ref()
    }

    pub(super) fn head_mut(&mut self) -> Option<&mut H> {
        self.0.as_mut()?.head.as_mut()
    }

    pub(super) fn take_head(&mut self) -> Option<H> {
        self.0.as_mut()?.head.take()
    }

    /// Drops the head where it stands.
    #[cfg(feature = "ext-proc")]
    pub(super) fn drop_head(&mut self) {
        if let Some(standing) = self.0.as_deref_mut() {
            contained(|| standing.head = None);
        }
    }

    pub(super) fn put_head(&mut self, head: H) {
        let slot = &mut self.open().head;
        if let Some(before) = slot.take() {
            drop_contained(before);
        }
        *slot = Some(head);
    }

    pub(super) fn trailers(&self) -> Option<&HeaderMap> {
        self.0.as_ref()?.trailers.as_ref()
    }

    pub(super) fn has_trailers(&self) -> bool {
        self.trailers().is_some()
    }

    pub(super) fn take_trailers(&mut self) -> Option<HeaderMap> {
        self.0.as_mut()?.trailers.take()
    }

    pub(super) fn put_trailers(&mut self, trailers: Option<HeaderMap>) {
        if let Some(before) = self.take_trailers() {
            drop_contained(before);
        }
        if trailers.is_some() {
            self.open().trailers = trailers;
        }
    }

    /// The fields that may leave, and the trailers, if there are both.
    pub(super) fn announced_and_trailers(
        &mut self,
    ) -> Option<(&HashSet<HeaderName>, &mut HeaderMap)> {
        let standing = self.0.as_deref_mut()?;
        Some((standing.announced.as_ref()?, standing.trailers.as_mut()?))
    }

    pub(super) fn take_reply_cause(&mut self) -> Option<Cause> {
        self.0.as_mut()?.reply_cause.take()
    }

    pub(super) fn transit(&mut self) -> &mut BodyBuf {
        &mut self.open().transit
    }

    pub(super) fn transit_len(&self) -> usize {
        self.0.as_ref().map_or(0, |standing| standing.transit.len())
    }

    pub(super) fn entrance(&mut self) -> &mut BodyBuf {
        &mut self.open().entrance
    }

    pub(super) fn entrance_len(&self) -> usize {
        self.0.as_ref().map_or(0, |standing| standing.entrance.len())
    }

    /// Entrance and transit, where the first gives to the second.
    pub(super) fn ways(&mut self) -> (&mut BodyBuf, &mut BodyBuf) {
        let standing = self.open();
        (&mut standing.entrance, &mut standing.transit)
    }

    /// Whether nothing stands or waits, and nothing is known that will be needed.
    fn is_vacant(&self) -> bool {
        self.0.as_deref().is_none_or(|standing| {
            let Standing {
                informational,
                head,
                trailers,
                entrance,
                transit,
                announced,
                reply_cause,
            } = standing;
            informational.is_none()
                && head.is_none()
                && trailers.is_none()
                && entrance.is_empty()
                && transit.is_empty()
                && announced.is_none()
                && reply_cause.is_none()
        })
    }

    /// Gives its memory back, if nothing in it will be needed.
    pub(super) fn shut(&mut self) {
        if self.is_vacant() {
            self.0 = None;
        }
    }

    /// Drops what stands and waits; the memory stays.
    pub(super) fn clear(&mut self) {
        if let Some(standing) = self.0.as_deref_mut() {
            if let Some(informational) = &mut standing.informational {
                informational.clear();
            }
            if let Some(head) = standing.head.take() {
                drop_contained(head);
            }
            if let Some(trailers) = standing.trailers.take() {
                drop_contained(trailers);
            }
            standing.entrance.discard();
            standing.transit.discard();
        }
    }

    /// Forgets a message that is over, for the next one.
    pub(super) fn reset(&mut self) {
        self.clear();
        if let Some(standing) = self.0.as_deref_mut() {
            standing.informational = None;
            standing.announced = None;
            standing.reply_cause = None;
            standing.entrance.reset();
            standing.transit.reset();
        }
    }

    /// What it costs after [`reset`](Self::reset) besides its own size, in bytes.
    pub(super) fn kept_bytes(&self) -> usize {
        self.0
            .as_ref()
            .map_or(0, |standing| standing.entrance.kept_bytes() + standing.transit.kept_bytes())
    }
}

impl<H> Default for Lobby<H> {
    fn default() -> Self {
        Self::new()
    }
}

impl<H> Default for Standing<H> {
    fn default() -> Self {
        Self {
            informational: None,
            head: None,
            trailers: None,
            entrance: BodyBuf::new(),
            transit: BodyBuf::new(),
            announced: None,
            reply_cause: None,
        }
    }
}
