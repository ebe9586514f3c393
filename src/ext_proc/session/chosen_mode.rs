use crate::ext_proc::mode::OverrideRefusal;

/// What became of the mode that was chosen for an exchange
/// ([`SessionSettings::choose_mode`](super::SessionSettings::choose_mode)).
///
/// A data plane does not say whether it takes a `mode_override` (P17): what comes behind it tells,
/// or does not.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChosenMode {
    /// It was not asked for, as the data plane would not have taken it. The filters ran in the
    /// announced mode, if they could.
    Refused(OverrideRefusal),
    /// It was not asked for, as the request's head was not answered, with which it goes: a reply or
    /// a failure came before that, or the stream ended.
    Unasked,
    /// It was asked for, and nothing came that only that mode shows. Where it was to show a body,
    /// and there was one, it was ignored: the body passed by unseen.
    Unconfirmed,
    /// It was asked for, and something came that only that mode shows.
    Confirmed,
}
