//! A small stage for chains: filters that play a script, a run that feeds them and takes what comes
//! out, and logs to compare with what the rules require.
//!
//! Everything is generic over the direction, so that each script is played on a request chain and
//! on a response chain with the same order of filters.
// Every test binary has its own copy of the kit and uses a part of it.
#![allow(dead_code, unused_imports, unused_macros)]

pub(crate) mod cuts;
pub(crate) mod dir;
pub(crate) mod executor;
pub(crate) mod render;
pub(crate) mod rng;
pub(crate) mod run;
pub(crate) mod script;

pub(crate) use cuts::{Cuts, assert_any_cut_gives_the_same};
pub(crate) use dir::Dir;
pub(crate) use rng::Rng;
pub(crate) use run::{Run, Stage};
pub(crate) use script::{Script, add_trailer, push_then, script, take_then};

pub(crate) use tidegate::Verdict;

/// All of the view goes on.
pub(crate) const PASS: Verdict = Verdict::PASS;
/// All of the view stays: Envoy's `StopIterationAndWatermark`.
pub(crate) const HOLD: Verdict = Verdict::HOLD;
/// Envoy's `StopIterationAndBuffer`.
pub(crate) const BUF: Verdict = Verdict::HOLD.or_reject();
/// Envoy's `StopAllIterationAndBuffer`.
pub(crate) const SAB: Verdict = Verdict::HOLD.or_reject().quiet();
/// Envoy's `StopAllIterationAndWatermark`.
pub(crate) const SAW: Verdict = Verdict::HOLD.quiet();
/// Envoy's `ContinueAndDontEndStream`.
pub(crate) const CDE: Verdict = Verdict::pass_first(0);
/// The message ends here.
pub(crate) const END: Verdict = Verdict::END;

/// Makes a module of two tests from a function that is generic over the direction:
/// `name::request` and `name::response`.
macro_rules! both {
    ($($name:ident),+ $(,)?) => {$(
        mod $name {
            #[test]
            fn request() {
                super::$name::<http::request::Parts>();
            }

            #[test]
            fn response() {
                super::$name::<http::response::Parts>();
            }
        }
    )+};
}
pub(crate) use both;
