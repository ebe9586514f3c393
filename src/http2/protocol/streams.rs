use super::stream::Stream;

/// The streams of a connection, by slot and by number.
#[derive(Debug, Default)]
pub(super) struct Streams {
    /// Those that are not closed, with their slots, in the order of their numbers: each is higher
    /// than all before. Where one goes, those behind it are moved, 16 bytes each: of the 256 that
    /// there are unless `ServeSettings::max_streams` says more, soon.
    live: Vec<(u32, usize)>,
    places: Vec<Place>,
    free: Vec<usize>,
    /// The highest number that there has been.
    last: u32,
}

#[derive(Debug)]
enum Place {
    Free,
    Live(Stream),
    /// Its slot is still somebody's.
    Closed,
}

impl Streams {
    /// How many are not closed.
    pub(super) fn live(&self) -> usize {
        self.live.len()
    }

    pub(super) const fn last(&self) -> u32 {
        self.last
    }

    /// A number has been used, whether or not there is a stream of it.
    pub(super) fn use_up(&mut self, id: u32) {
        self.last = self.last.max(id);
    }

    /// A new stream, in a slot of its own. Its number is above all that there have been.
    pub(super) fn open(&mut self, stream: Stream) -> usize {
        let id = stream.id;
        let slot = match self.free.pop() {
            Some(slot) => {
                self.places[slot] = Place::Live(stream);
                slot
            }
            None => {
                self.places.push(Place::Live(stream));
                self.places.len() - 1
            }
        };
        debug_assert!(self.live.last().is_none_or(|&(last, _)| last < id), "{id} is not new");
        self.live.push((id, slot));
        slot
    }

    /// The slot of a stream that is not closed.
    pub(super) fn slot(&self, id: u32) -> Option<usize> {
        self.live.get(self.position(id)?).map(|&(_, slot)| slot)
    }

    fn position(&self, id: u32) -> Option<usize> {
        self.live.binary_search_by_key(&id, |&(id, _)| id).ok()
    }

    pub(super) fn get(&self, slot: usize) -> Option<&Stream> {
        match self.places.get(slot) {
            Some(Place::Live(stream)) => Some(stream),
            Some(Place::Free | Place::Closed) | None => None,
        }
    }

    pub(super) fn get_mut(&mut self, slot: usize) -> Option<&mut Stream> {
        match self.places.get_mut(slot) {
            Some(Place::Live(stream)) => Some(stream),
            Some(Place::Free | Place::Closed) | None => None,
        }
    }

    /// All that are not closed.
    pub(super) fn all_mut(&mut self) -> impl Iterator<Item = &mut Stream> {
        self.places.iter_mut().filter_map(|place| match place {
            Place::Live(stream) => Some(stream),
            Place::Free | Place::Closed => None,
        })
    }

    /// The stream is closed; its slot is not free yet.
    pub(super) fn close(&mut self, slot: usize) -> Option<Stream> {
        let place = self.places.get_mut(slot)?;
        if !matches!(place, Place::Live(_)) {
            return None;
        }
        let Place::Live(stream) = core::mem::replace(place, Place::Closed) else { return None };
        if let Some(at) = self.position(stream.id) {
            self.live.remove(at);
        }
        Some(stream)
    }

    /// The slot of a closed stream is free.
    pub(super) fn free(&mut self, slot: usize) {
        if let Some(place @ Place::Closed) = self.places.get_mut(slot) {
            *place = Place::Free;
            self.free.push(slot);
        }
    }
}
