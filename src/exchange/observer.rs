use super::Direction;
use crate::chain::Stats;
use crate::frame::Outcome;
use crate::sync::ConstArc as Arc;

/// Is told how a message ended, and what it took: once a message, where it ended or was dropped.
///
/// It runs on the path of the message, so it should be short. A panic in it is contained.
pub type Observer = Arc<dyn Fn(Direction, &Outcome, &Stats) + Send + Sync>;
