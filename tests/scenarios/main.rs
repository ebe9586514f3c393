//! The conformance scenarios, by number, in both directions.
//!
//! Each is the script of one numbered scenario of Envoy's filter manager, with what tidegate
//! requires. The doc line of each test says where that comes from: "E" is what Envoy does too, "R"
//! where tidegate requires something else, "D" where the design or a ruling of
//! `docs/architecture.md` decides.
//!
//! Envoy's statuses become verdicts: `Continue` is PASS, `StopIterationAndBuffer` HOLD that rejects
//! (BUF), `StopIterationAndWatermark` HOLD, `StopIterationNoBuffer` taking the bytes and HOLD,
//! `StopAllIteration…` a quiet HOLD (SAB, SAW), `ContinueAndDontEndStream` `pass_first(0)` (CDE).
//! "Continue" from outside is a resume whose callback passes.

#[path = "../kit/mod.rs"]
mod kit;
#[path = "../exchange/stage.rs"]
mod stage;

mod adding_body;
mod basics;
mod exchange;
mod inject;
mod limits;
mod ownership;
mod replies;
mod stop_all;
mod trailers;
