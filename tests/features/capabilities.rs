//! What filters need, what edges can do: told before the first byte, by name.

use tidegate::chain::MessageTraits;
use tidegate::{Capabilities, Capability, Declaration, Interest};

use crate::kit::*;

#[test]
fn capabilities_are_a_set() {
    let (a, b) = (Capability::EditBytes, Capability::SeeEnd);
    let both = Capabilities::from(a) | Capabilities::from(b);
    assert_eq!(both | Capabilities::from(b), both, "what is in both is in the union");
    for each in Capability::ALL {
        assert_eq!(both.has(each), each == a || each == b);
        assert!(Capabilities::from(each).has(each));
    }
    assert_eq!(both.without(b).without(b), Capabilities::NONE.with(a));
    assert_eq!(both.with(a), both, "what is there stays there");
    assert_eq!(both.and(Capabilities::from(b)), Capabilities::from(b));
}

#[test]
fn interests_are_a_set() {
    let both = Interest::HEAD | Interest::DATA;
    assert_eq!(both | Interest::DATA, both);
    assert!(both.contains(Interest::HEAD) && !both.contains(Interest::TRAILERS));
    assert!(!Interest::HEAD.contains(both), "all of it, or it is not contained");
    assert_eq!(both.without(Interest::DATA), Interest::HEAD);
}

#[test]
fn a_plan_tells_what_its_filters_declared() {
    struct Declares;
    impl<H: tidegate::Head> tidegate::Filter<H> for Declares {
        fn declare(&self) -> Declaration {
            Declaration::new().prefer(Capability::AddTrailers).trailer(http::header::ETAG)
        }
    }
    let plan = tidegate::Plan::<http::request::Parts>::builder().filter("one", || Declares);
    let plan = plan.build().expect("a plan");
    let declared: Vec<_> = plan.filters().map(|(_, declaration)| declaration.clone()).collect();
    let [declared] = &declared[..] else { panic!("one filter") };
    assert_eq!(declared.trailers, [http::header::ETAG]);
    assert_eq!(declared.preferred, Capabilities::from(Capability::AddTrailers));
    assert_eq!((declared.required, declared.interest), (Capabilities::NONE, Interest::ALL));
}

/// A required need that the edge cannot meet is an error of binding, naming filter and need.
fn required_and_missing_at_the_edge<H: Dir>() {
    for capability in Capability::ALL {
        let needy = script::<H>("needy").requires(capability);
        let plan = Stage::new([script("easy"), needy]).plan();
        assert!(plan.bind(Capabilities::ALL).is_ok());
        let unmet = plan.bind(Capabilities::ALL.without(capability)).expect_err("it is required");
        assert_eq!((unmet.filter(), unmet.capability()), ("needy", capability));
        assert_eq!(
            unmet.to_string(),
            format!("filter `needy` requires `{capability}`, which this edge cannot do")
        );
    }
}

/// What is known only of one message is an error of that message.
fn required_and_missing_for_one_message<H: Dir>() {
    for capability in Capability::ALL {
        let plan = Stage::new([script::<H>("easy"), script("needy").requires(capability)]).plan();
        let bound = plan.bind(Capabilities::ALL).expect("the edge can do it");
        assert!(bound.chain(MessageTraits::new()).is_ok());
        let message = MessageTraits::new().without(capability);
        let unmet = bound.chain(message).expect_err("this message cannot do it");
        assert_eq!((unmet.filter(), unmet.capability()), ("needy", capability));
    }
    let plan = Stage::new([script::<H>("needy").requires(Capability::AddTrailers)]).plan();
    let bound = plan.bind(Capabilities::ALL).expect("the edge can do it");
    let unmet = bound.chain(MessageTraits::new().without_trailers()).expect_err("none are sent");
    assert_eq!(unmet.capability(), Capability::AddTrailers);
}

/// A preferred need is shown as absent, whoever lacks it; one that was not declared is absent too.
fn preferred_and_missing_is_shown_as_absent<H: Dir>() {
    for capability in Capability::ALL {
        let asks = move |declared: bool, expected: bool| {
            let a = script::<H>("A").without_needs();
            let a = if declared { a.prefers(capability) } else { a };
            a.head_with(move |view| {
                assert_eq!(view.granted(capability), expected);
                PASS
            })
        };
        let less = Capabilities::ALL.without(capability);
        let stages = [
            Stage::new([asks(true, true)]),
            Stage::new([asks(false, false)]),
            Stage::new([asks(true, false)]).edge(less),
            Stage::new([asks(true, false)]).traits(MessageTraits::new().without(capability)),
        ];
        for stage in stages {
            let mut run = stage.run();
            run.head(false).expect("A.H(0)", "H(0)");
            run.cancel();
            run.finish("cancelled");
        }
    }
}

/// An adder is asked for trailers only where it was granted.
fn the_grant_decides_who_is_asked<H: Dir>() {
    let message = MessageTraits::new().without(Capability::AddTrailers);
    let mut run = Stage::<H>::new([script("A").adds_trailers()]).traits(message).run();
    run.head(false).data_end("1").expect(r#"A.H(0) A.D("1",1)"#, r#"H(0) D("1") end"#);
    run.finish("complete");
}

both!(
    required_and_missing_at_the_edge,
    required_and_missing_for_one_message,
    preferred_and_missing_is_shown_as_absent,
    the_grant_decides_who_is_asked,
);
