//! Plans and chains: the sans-I/O engine.
#![allow(missing_docs, clippy::todo, unused_variables, dead_code)]
mod input;
mod output;
mod plan;
mod stats;
mod traits;

pub use input::InputError;
pub use output::Output;
pub use plan::{BoundPlan, Plan, PlanBuilder, PlanError, Unmet};
pub use stats::Stats;
pub use traits::MessageTraits;

use bytes::Bytes;
use http::HeaderMap;

use crate::error::{Error, Timeout};
use crate::filter::{Capabilities, Head, LocalReply};
use crate::frame::Outcome;
use crate::resume::ResumeSet;
use crate::sync::Arc;
use crate::watermark::Marks;

/// The stations of one direction of one message, in order.
pub struct Chain<H: Head> {
    _h: core::marker::PhantomData<H>,
}

impl<H: Head> Chain<H> {
    pub(super) fn new(plan: Arc<plan::Inner<H>>, granted: Capabilities, bodiless: bool) -> Self {
        todo!()
    }
    // Inputs.
    pub fn handle_head(&mut self, head: H, end_of_stream: bool) -> Result<(), InputError> {
        todo!()
    }
    pub fn handle_data(&mut self, data: Bytes, end_of_stream: bool) -> Result<(), InputError> {
        todo!()
    }
    pub fn handle_trailers(&mut self, trailers: HeaderMap) -> Result<(), InputError> {
        todo!()
    }
    pub fn handle_end(&mut self) -> Result<(), InputError> {
        todo!()
    }
    /// Asks station `station` again, as its handle would.
    pub fn handle_resume(&mut self, station: usize) {
        todo!()
    }
    /// Takes the pending resumes of the set and asks those stations. What edges call.
    pub fn handle_resumes(&mut self) {
        todo!()
    }
    /// A local reply from outside (architecture.md, section 4). Request chains give it back as
    /// `Output::Reply`.
    pub fn handle_reply(&mut self, reply: LocalReply) {
        todo!()
    }
    /// The source failed. Ignored after the end of the input.
    pub fn handle_reset(&mut self, error: Error) {
        todo!()
    }
    /// A clock of the edge ran out; with a reply if one can still be sent.
    pub fn handle_timeout(&mut self, timeout: Timeout) {
        todo!()
    }
    /// The consumer went away.
    pub fn cancel(&mut self) {
        todo!()
    }
    /// Changes the watermarks of a station (or of the output queue: `station == len()`).
    pub fn set_marks(&mut self, station: usize, marks: Marks) {
        todo!()
    }
    // Outputs and levels.
    pub fn poll_output(&mut self) -> Option<Output<H>> {
        todo!()
    }
    pub fn wants_input(&self) -> bool {
        todo!()
    }
    pub fn has_work(&self) -> bool {
        todo!()
    }
    /// Declared end, reply or outcome: nothing more will be taken from the source.
    pub fn input_stopped(&self) -> bool {
        todo!()
    }
    /// A station keeps something by a hold.
    pub fn is_holding(&self) -> bool {
        todo!()
    }
    /// Everything has been given out but the end itself, and no trailers come.
    pub fn is_end_stream(&self) -> bool {
        todo!()
    }
    /// What remains of the length the leaving head declared; None if it declared none.
    pub fn remaining_bytes(&self) -> Option<u64> {
        todo!()
    }
    pub fn resume_set(&self) -> Option<&ResumeSet> {
        todo!()
    }
    pub fn held_bytes(&self) -> u64 {
        todo!()
    }
    pub fn stats(&self) -> Stats {
        todo!()
    }
    pub fn outcome(&self) -> Option<&Outcome> {
        todo!()
    }
    pub fn len(&self) -> usize {
        todo!()
    }
}
