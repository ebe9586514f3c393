use http::HeaderMap;

use super::{View, ViewParts};
use crate::filter::{Head, Odd, Verdict};

/// What the chain sees of a view between two calls.
impl<'a, H> View<'a, H> {
    #[inline]
    pub(crate) fn new(parts: ViewParts<'a, H>) -> Self {
        let ViewParts { body, new_at, station, growth, input_ended, head, trailers, desk } = parts;
        Self {
            body,
            new_at,
            station,
            edited: None,
            edits: 0,
            growth,
            input_ended,
            head,
            trailers,
            desk,
        }
    }

    /// The next call is to the filter of station `k`.
    #[inline]
    pub(crate) fn set_station(&mut self, k: u8) {
        self.station = k;
    }

    /// `None` if the call edited nothing and answered `PASS`.
    #[inline]
    pub(crate) fn odd(&self, verdict: Verdict) -> Option<Odd> {
        Odd::new(verdict.bits() | self.edits)
    }

    /// Whether an edit was tried in any call with this view.
    #[inline]
    pub(crate) const fn is_edited(&self) -> bool {
        self.edited.is_some()
    }

    /// Takes the declared length off the head, behind a filter that may break it (rule I12).
    pub(crate) fn take_length_off(&mut self)
    where
        H: Head,
    {
        if let Some(head) = self.head.as_deref_mut() {
            head.headers_mut().remove(http::header::CONTENT_LENGTH);
            self.desk.took_length_off = true;
        }
    }

    /// Whether a callback asked for something that the chain has to see to.
    #[inline]
    pub(crate) const fn has_asked(&self) -> bool {
        self.desk.touched
    }

    /// Whether trailers are shown that have no field left.
    #[inline]
    pub(crate) fn has_empty_trailers(&self) -> bool {
        self.trailers.as_deref().is_some_and(HeaderMap::is_empty)
    }

    /// The station whose filter is called.
    #[inline]
    pub(crate) fn station(&self) -> u8 {
        self.station
    }

    /// By how many bytes the call has made the body, with what the filter keeps, grow or shrink.
    pub(crate) fn grown_bytes(&self) -> i64
    where
        H: Head,
    {
        match self.edited {
            Some(edited) if edited.station == self.station => {
                self.ledger_bytes().wrapping_sub(edited.ledger_bytes).cast_signed()
            }
            Some(_) | None => 0,
        }
    }

    /// The filter has edited and passed, and everything goes on at once: what the call added, and
    /// what had been added before, count as leaving first.
    pub(crate) fn passes_on_edited(&mut self)
    where
        H: Head,
    {
        let grown_bytes = self.grown_bytes();
        self.desk.account_growth(self.station, grown_bytes);
        self.desk.leaves(self.station, self.body.len());
        if let (Some(edited), Some(meter)) = (self.edited, self.desk.meter_mut())
            && edited.station == self.station
        {
            meter.passed_edited(self.station, edited.body_bytes, self.body.len());
        }
        // What the edits left is all new to the next filter of the wave.
        self.edits = 0;
        self.new_at = 0;
    }

    /// How many bytes the view had when the call began.
    pub(crate) fn arrived_bytes(&self) -> usize {
        match self.edited {
            Some(edited) if edited.station == self.station => edited.body_bytes,
            Some(_) | None => self.body.len(),
        }
    }

    #[inline]
    pub(crate) fn body_is_empty(&self) -> bool {
        self.body.is_empty()
    }
}
