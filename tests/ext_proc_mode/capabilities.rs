//! What filters can do in a mode, and which cannot run in it.

use tidegate::exchange::Direction;
use tidegate::ext_proc::mode::{
    BodyMode, DirectionMode, FilterConfig, Need, ProcessingMode, Promise, SendMode, Terms,
};
use tidegate::filter::{Capabilities, Capability, Declaration, Interest};

use crate::modes::every_direction_mode;

const SKIP: SendMode = SendMode::Skip;

/// The letters of the table in the documentation of `Terms`.
fn letters(capabilities: Capabilities) -> String {
    let names = [
        ('A', Capability::AddTrailers),
        ('H', Capability::HoldHead),
        ('K', Capability::KeepToEnd),
        ('E', Capability::EditBytes),
        ('L', Capability::ChangeLength),
        ('S', Capability::SeeEnd),
        ('T', Capability::SeeTrailers),
    ];
    names.iter().filter(|(_, each)| capabilities.has(*each)).map(|(name, _)| *name).collect()
}

fn without_trailers(body: BodyMode) -> DirectionMode {
    DirectionMode::new(body).with_trailers(SKIP).expect("not full duplex")
}

#[test]
fn a_mode_offers_what_its_row_of_the_table_says() {
    // Mode, with trailers sent, with trailers skipped, and both with the promise that none come.
    let table = [
        (BodyMode::None, "T", Some(""), "T", Some("")),
        (BodyMode::Streamed, "ELST", Some("EL"), "KELST", Some("KELS")),
        (BodyMode::Buffered, "HKELST", Some("KELS"), "HKELST", Some("HKELS")),
        (BodyMode::BufferedPartial, "HELT", Some("EL"), "HELT", Some("HEL")),
        (BodyMode::FullDuplexStreamed, "HKELST", None, "HKELST", None),
    ];
    for (body, sent, skipped, promised, both) in table {
        let mode = DirectionMode::new(body);
        assert_eq!(letters(mode.capabilities(Promise::Nothing)), sent, "{body}");
        assert_eq!(letters(mode.capabilities(Promise::NoTrailers)), promised, "{body}");
        let Some((skipped, both)) = skipped.zip(both) else { continue };
        let mode = without_trailers(body);
        assert_eq!(letters(mode.capabilities(Promise::Nothing)), skipped, "{body}");
        assert_eq!(letters(mode.capabilities(Promise::NoTrailers)), both, "{body}");
    }
}

#[test]
fn a_head_that_is_not_sent_cannot_be_held() {
    for mode in every_direction_mode() {
        for promise in [Promise::Nothing, Promise::NoTrailers] {
            let skipped = mode.with_headers(SKIP).capabilities(promise);
            let sent = mode.with_headers(SendMode::Send).capabilities(promise);
            assert_eq!(skipped, sent.without(Capability::HoldHead), "{mode:?}");
        }
    }
}

/// Section 3.7: answers are ignored, and of bodies only STREAMED ones are sent.
#[test]
fn an_observer_changes_nothing_and_holds_no_head() {
    for mode in every_direction_mode() {
        let observed = letters(Terms::new(mode).observing().capabilities());
        let sends_trailers = mode.trailers() == SendMode::Send;
        let expected = match (mode.body(), sends_trailers) {
            (BodyMode::Streamed, true) => "KST",
            (_, true) => "T",
            (_, false) => "",
        };
        assert_eq!(observed, expected, "{mode:?}");
    }
}

/// P12.
#[test]
fn a_kept_length_is_changed_only_where_the_answer_declares_it_anew() {
    for body in BodyMode::ALL {
        let mut config = FilterConfig::new(ProcessingMode::both(DirectionMode::new(body)));
        let free = config.terms(Direction::Request, Promise::Nothing).capabilities();
        config.allow_content_length_header = true;
        let kept = config.terms(Direction::Request, Promise::Nothing).capabilities();
        let expected =
            if body == BodyMode::Buffered { free } else { free.without(Capability::ChangeLength) };
        assert_eq!(kept, expected, "{body}");
    }
}

/// What a configuration says besides its mode bears on what filters can do.
#[test]
fn the_terms_of_a_configuration_are_those_of_its_mode_promise_and_role() {
    let mode = DirectionMode::streamed();
    let mut config = FilterConfig::new(ProcessingMode::both(mode));
    let promise = Promise::NoTrailers;
    let expected = Terms::new(mode).promise(promise);
    assert_eq!(config.terms(Direction::Response, promise), expected);
    config.observability_mode = true;
    assert_eq!(config.terms(Direction::Response, promise), expected.observing());
    assert!(expected.has_no_trailers());
    assert!(!config.terms(Direction::Response, Promise::Nothing).has_no_trailers());
}

fn grant(
    terms: Terms,
    filters: &[(&str, Declaration)],
) -> Result<Capabilities, (String, Need, String)> {
    let filters = filters.iter().map(|(name, declaration)| (*name, declaration));
    let unmet = |error: tidegate::ext_proc::mode::ModeUnmet| {
        (error.filter().to_owned(), error.need(), error.to_string())
    };
    terms.grant(Direction::Request, filters).map_err(unmet)
}

fn data() -> Declaration {
    Declaration::new().interest(Interest::DATA)
}

/// P6: every other capability is refused in some mode, this one in all.
#[test]
fn no_mode_lets_a_filter_add_trailers() {
    let filters = [("signer", Declaration::new().require(Capability::AddTrailers))];
    for mode in every_direction_mode() {
        for terms in [Terms::new(mode), Terms::new(mode).promise(Promise::NoTrailers)] {
            let (filter, need, _) = grant(terms, &filters).expect_err("refused");
            let expected = ("signer", Need::Capability(Capability::AddTrailers));
            assert_eq!((filter.as_str(), need), expected, "{mode:?}");
        }
    }
}

#[test]
fn a_filter_that_keeps_bytes_to_the_end_needs_a_promise_in_streamed() {
    let filters = [("pass", data()), ("hash", data().require(Capability::KeepToEnd))];
    let terms = Terms::new(DirectionMode::streamed());
    let (filter, need, text) = grant(terms, &filters).expect_err("trailers may come");
    assert_eq!((filter.as_str(), need), ("hash", Need::Capability(Capability::KeepToEnd)));
    let expected = "filter `hash` of the request requires `keep bytes to the end`, which a \
                    processor cannot have with headers SEND, body STREAMED, trailers SEND";
    assert_eq!(text, expected);
    assert!(grant(terms.promise(Promise::NoTrailers), &filters).is_ok());
}

#[test]
fn a_filter_that_wants_what_is_not_shown_is_refused() {
    let body = [("scan", data())];
    let head = [("auth", Declaration::new().interest(Interest::HEAD))];
    let trailers = [("status", Declaration::new().interest(Interest::TRAILERS))];
    let heads_only = Terms::new(DirectionMode::heads_only());
    let (_, need, _) = grant(heads_only, &body).expect_err("NONE shows no body");
    assert_eq!(need, Need::Body);
    assert!(grant(heads_only, &head).is_ok() && grant(heads_only, &trailers).is_ok());

    let no_head = Terms::new(DirectionMode::streamed().with_headers(SKIP));
    let (_, need, _) = grant(no_head, &head).expect_err("SKIP shows no head");
    assert_eq!(need, Need::Head);
    assert!(grant(no_head, &body).is_ok() && grant(no_head, &trailers).is_ok());

    let observed = Terms::new(DirectionMode::buffered()).observing();
    let (_, need, _) = grant(observed, &body).expect_err("an observer gets no such body");
    assert_eq!(need, Need::Body);
}

/// In BUFFERED the answer to the body is due before the trailers are shown.
#[test]
fn in_buffered_keeping_to_the_end_and_seeing_trailers_exclude_each_other() {
    let keeps = ("keeps", data().require(Capability::KeepToEnd));
    let may_keep = ("may keep", data().prefer(Capability::KeepToEnd));
    let sees = ("sees", data().require(Capability::SeeTrailers));
    let terms = Terms::new(DirectionMode::buffered());
    let granted = |filters: &[(&str, Declaration)]| letters(grant(terms, filters).expect("met"));
    assert_eq!(granted(&[]), "HKELST");
    assert_eq!(granted(&[keeps.clone(), may_keep.clone()]), "HKELS");
    assert_eq!(granted(&[("pass", data()), may_keep.clone()]), "HKELS");
    assert_eq!(granted(&[may_keep, sees.clone()]), "HELST");
    let (filter, need, _) = grant(terms, &[sees.clone(), keeps.clone()]).expect_err("not both");
    assert_eq!((filter.as_str(), need), ("sees", Need::Capability(Capability::SeeTrailers)));
    let promised = terms.promise(Promise::NoTrailers);
    assert_eq!(grant(promised, &[sees, keeps]).map(letters).expect("none can come"), "HKELST");
}
