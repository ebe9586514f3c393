//! A recording, as moments.

use crate::moment::{Moment, Seen, is_compared};
use crate::trace::wire::{Event, Fields};
use crate::trace::{Direction, Entry, Trace, Wire};

/// What had been seen after each step, the close of the client included.
pub(crate) fn observe(trace: &Trace) -> Vec<Moment> {
    let mut now = Moment::default();
    let mut moments = Vec::with_capacity(trace.steps.len());
    for record in &trace.steps {
        for direction in Direction::BOTH {
            for wire in record.wire(direction) {
                receive(now.sink_mut(direction), wire);
            }
        }
        // Behind the end it only says that the client need not send on.
        now.client.reset &= !now.client.end;
        record.filters.iter().for_each(|entry| show(&mut now, entry));
        moments.push(now.clone());
    }
    moments
}

fn receive(sink: &mut Seen, wire: &Wire) {
    match wire {
        Wire::Headers(headers) => {
            // A second stream has nothing to do with this exchange; that there was one is seen by
            // the first being reset.
            if headers.stream.is_none() {
                sink.head = Some(compared(&headers.headers));
                sink.end |= headers.end;
            }
        }
        Wire::Data(data) => {
            sink.body.0.extend_from_slice(&data.data.0);
            sink.end |= data.end;
        }
        Wire::Trailers(trailers) => {
            sink.trailers = Some(trailers.trailers.clone());
            sink.end |= trailers.end;
        }
        Wire::Event(Event::Reset(_) | Event::Closed(_) | Event::ProtocolError(_)) => {
            sink.reset = true;
        }
        // Bytes behind a message are none of it.
        Wire::Event(Event::SendFailed(_) | Event::StrayBytesAfterMessage(_)) => {}
    }
}

fn show(now: &mut Moment, entry: &Entry) {
    let Entry::Enter(enter) = entry else { return };
    let Some(direction) = enter.cb.direction() else { return };
    let seen = now.filters.entry((direction, enter.f.clone())).or_default();
    let ended = enter.end == Some(true);
    match (&enter.recv, &enter.map) {
        (Some(bytes), _) => seen.body.0.extend_from_slice(&bytes.0),
        // Trailers have no flag: they are the end.
        (None, Some(map)) if enter.end.is_none() => {
            seen.trailers = Some(map.clone());
            seen.end = true;
        }
        (None, map) => seen.head = Some(map.as_ref().map(compared).unwrap_or_default()),
    }
    seen.end |= ended;
}

fn compared(fields: &Fields) -> Fields {
    fields
        .iter()
        .filter(|(name, _)| is_compared(name))
        .map(|(n, v)| (n.clone(), v.clone()))
        .collect()
}
