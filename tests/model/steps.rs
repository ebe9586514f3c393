//! One operation, on the engine and on the reference.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use tidegate::buf::BodyBuf;
use tidegate::{Error, ErrorKind, Marks, Origin, Timeout};

use super::case::Op;
use super::engine::{given, taken};
use super::filter::{locked, resume_one};
use super::harness::{Harness, same};
use super::log::{Given, Taken};
use super::parts::{TestHead, bytes_of, field_name, fields_of, reply};

impl<H: TestHead> Harness<'_, H> {
    pub(super) fn apply(&mut self, op: Op) -> Result<(), String> {
        match op {
            Op::Inform { status, times } => (0..times).try_for_each(|_| self.inform(status)),
            Op::Head { end } => self.give_head(end),
            Op::Flood if self.chain().wants_input() => self.give_data(usize::MAX, false),
            Op::Flood => Ok(()),
            Op::Data { n, end, force } => {
                if force || self.chain().wants_input() {
                    return self.give_data(usize::from(n), end);
                }
                Ok(())
            }
            Op::EmptyData => self.give_bytes(&[], false),
            Op::Trailers(n) => self.give_tail(Some(n)),
            Op::End => self.give_tail(None),
            Op::Resume(k) => self.resume(usize::from(k)),
            Op::DropHandle(k) => {
                let k = usize::from(k);
                let handle = locked(&self.world.handles).get_mut(k).and_then(Vec::pop);
                same("handle to drop", &handle.is_some(), &self.model.drop_handle(k))
            }
            Op::AskDirectly(k) => {
                // One more than there are: nobody is there.
                let k = usize::from(k) % (self.case.filters.len() + 1);
                self.chain().handle_resume(k);
                self.model.handle_resume(k);
                Ok(())
            }
            Op::Turn => {
                self.turn();
                Ok(())
            }
            Op::Take(n) => self.take(usize::from(n)).map(|_| ()),
            Op::PollData => {
                let data = self.chain().poll_data().map(|data| data.to_vec());
                let most = data.as_ref().map_or(1, Vec::len);
                self.took(data.unwrap_or_default(), most)
            }
            Op::TakeBytes(n) => {
                let mut into = BodyBuf::new();
                self.chain().take_output(&mut into, usize::from(n));
                self.took(bytes_of(&into), usize::from(n))
            }
            Op::Marks { station, low, high } => {
                let station = usize::from(station) % (self.case.filters.len() + 1);
                self.set_marks(station, u64::from(low), u64::from(high));
                Ok(())
            }
            Op::Reply { status, body } => {
                self.chain().handle_reply(reply(status, body));
                self.model.handle_reply(status, body);
                Ok(())
            }
            Op::Reset => {
                self.chain().handle_reset(Error::new(ErrorKind::Reset, Origin::Upstream));
                self.model.handle_reset();
                Ok(())
            }
            Op::Timeout => {
                self.chain().handle_timeout(Timeout::Hold);
                self.model.handle_timeout(Timeout::Hold);
                Ok(())
            }
            Op::Abort => {
                self.chain().abort(Error::new(ErrorKind::Reset, Origin::Upstream));
                self.model.abort();
                Ok(())
            }
            Op::Cancel => {
                self.chain().cancel();
                self.model.cancel();
                Ok(())
            }
        }
    }

    fn inform(&mut self, status: u16) -> Result<(), String> {
        let Some(result) = H::inform(self.chain(), status) else { return Ok(()) };
        same("handle_informational", &taken(result), &self.model.handle_informational(status))
    }

    pub(super) fn give_head(&mut self, end: bool) -> Result<(), String> {
        let end = end && self.case.body_bytes == 0;
        self.head_sent = true;
        let lengths = self.case.length_fields();
        let mut head = H::make(self.case.head.status);
        for field in &lengths {
            let value = HeaderValue::try_from(field).expect("lengths are printable");
            head.headers_mut().append(header::CONTENT_LENGTH, value);
        }
        let engine = taken(self.chain().handle_head(head, end));
        let status = if self.case.request { 0 } else { self.case.head.status };
        let model = self.model.handle_head(status, &lengths, end);
        same("handle_head", &engine, &model)
    }

    /// The next bytes of the source: position-coded, so that loss, doubling and reordering show.
    pub(super) fn give_data(&mut self, n: usize, end: bool) -> Result<(), String> {
        let n = n.min(self.case.body_bytes - self.sent);
        if n == 0 {
            return Ok(());
        }
        let bytes: Vec<u8> = (self.sent..self.sent + n).map(|i| (i % 251) as u8).collect();
        let end = end && self.sent + n == self.case.body_bytes;
        self.give_bytes(&bytes, end)
    }

    fn give_bytes(&mut self, bytes: &[u8], end: bool) -> Result<(), String> {
        let engine = taken(self.chain().handle_data(Bytes::copy_from_slice(bytes), end));
        let model = self.model.handle_data(bytes, end);
        if engine == Taken::Yes {
            self.sent += bytes.len();
        }
        same("handle_data", &engine, &model)
    }

    /// The trailers, or a plain end. The source keeps what it declared: it ends where it must.
    pub(super) fn give_tail(&mut self, fields: Option<u8>) -> Result<(), String> {
        let Some(n) = fields else {
            let engine = taken(self.chain().handle_end());
            return same("handle_end", &engine, &self.model.handle_tail(None));
        };
        let mut trailers = HeaderMap::new();
        for i in 0..usize::from(n) {
            trailers.insert(field_name(100 + i), HeaderValue::from(i));
        }
        let fields = fields_of(&trailers);
        let engine = taken(self.chain().handle_trailers(trailers));
        same("handle_trailers", &engine, &self.model.handle_tail(Some(fields)))
    }

    pub(super) fn resume(&mut self, k: usize) -> Result<(), String> {
        let engine = resume_one(&self.world, k);
        let model = self.model.resume_through_handle(k);
        same("resume", &engine, &model)?;
        let due = self.model.has_pending_resumes() && self.model.levels().outcome.is_none();
        if due && !self.woken.0.load(Ordering::Relaxed) {
            return Err("I8: a resume was queued and the registered waker was not woken".to_owned());
        }
        Ok(())
    }

    /// The sink takes up to `n` outputs. Answers how many there were.
    pub(super) fn take(&mut self, n: usize) -> Result<usize, String> {
        for taken in 0..n {
            let engine = self.chain().poll_output().map(given);
            let data_bytes = match &engine {
                Some(Given::Data(data)) if data.is_empty() => {
                    return Err("an empty piece of body was given out".to_owned());
                }
                Some(Given::Data(data)) => data.len(),
                _ => usize::MAX,
            };
            let model = self.model.poll_output(data_bytes);
            self.tell(|| format!("  given {engine:?}"));
            self.compare_logs()?;
            same("poll_output", &engine, &model)?;
            if let (Some(Given::Head { .. }), Some(fields)) = (&engine, &self.case.announced) {
                let names = fields.iter().map(|&name| HeaderName::from_static(name)).collect();
                self.chain().send_only_trailers(names);
                self.model.send_only_trailers(fields.iter().map(|&name| name.to_owned()).collect());
            }
            match engine {
                Some(output) => self.given.push(output),
                None => return Ok(taken),
            }
        }
        Ok(n)
    }

    /// The sink took `data`, of at most `most` bytes, without a poll.
    fn took(&mut self, data: Vec<u8>, most: usize) -> Result<(), String> {
        same("data taken", &data, &self.model.take_data(most))?;
        if !data.is_empty() {
            self.given.push(Given::Data(data));
        }
        Ok(())
    }

    fn set_marks(&mut self, station: usize, low: u64, high: u64) {
        let marks = Marks::new(low, high).expect("low is at most high");
        self.chain().set_marks(station, marks);
        self.model.set_marks(station, low, high);
        // The bound is that of the marks in force: twice what was added to them.
        let before = match self.case.filters.get(station) {
            Some(script) => script.high,
            None => self.case.output_marks.1,
        };
        self.bound_bytes += 2 * high.saturating_sub(before);
    }
}
