//! Several filters in a chain.

use super::{testing::*, *};
use http::{request, response};
use sha2::Digest;
use tidegate::{MessageTraits, Outcome, Plan};

fn specs(texts: &[&str]) -> Vec<FilterSpec> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn plan<H: Head>(specs: &[FilterSpec], marks: (u64, u64)) -> Plan<H> {
    add_all(Plan::builder(), specs, marks).unwrap().build().unwrap()
}

const SHIPPED: [&str; 5] = ["log", "hold=5", "limit=1000000", "replace=aba:xy", "sha256"];

#[test]
fn the_whole_chain_does_not_depend_on_the_cut() {
    for marks in [(0, 0), (1, 2), (32 << 10, 64 << 10)] {
        let plan = plan::<response::Parts>(&specs(&SHIPPED), marks);
        for_each_cut(b"..ababab..", |pieces| {
            let sent = run(&plan, pieces);
            assert_eq!(sent.body(), b"..xybab..", "{pieces:?}");
            let digest = sha2::Sha256::digest(b"..xybab..");
            assert_eq!(sent.trailers[CONTENT_DIGEST], digest_field(&digest));
        });
    }
}

#[test]
fn random_bodies_do_not_depend_on_the_cut() {
    let mut random = Random::new(11);
    for _ in 0..100 {
        let text: String = (0..random.below(6_000)).map(|_| ['a', 'b'][random.below(2)]).collect();
        let high = [10, 1000, 64 << 10][random.below(3)];
        let plan = plan::<request::Parts>(&specs(&SHIPPED), (high / 2, high));
        let longest = [3, 500, 6_000][random.below(3)];
        let sent = run_open(&plan, &random.cut(text.as_bytes(), longest));
        let expected = text.replace("aba", "xy");
        assert_eq!(sent.body(), expected.as_bytes());
        let digest = sha2::Sha256::digest(&expected);
        assert_eq!(sent.trailers[CONTENT_DIGEST], digest_field(&digest));
    }
}

#[test]
fn replacements_follow_each_other() {
    let specs = specs(&["replace=a:bb", "replace=b:ccc"]);
    let plan = plan::<request::Parts>(&specs, (32 << 10, 64 << 10));
    let names: Vec<_> = plan.filters().map(|(name, _)| name.to_owned()).collect();
    assert_eq!(names, ["replace", "replace#2"]);
    for_each_cut(b"a.b.ab", |pieces| {
        assert_eq!(run(&plan, pieces).body(), b"cccccc.ccc.ccccccccc");
    });
    let text = vec![b'a'; 70_000];
    assert_eq!(run(&plan, &[&text, &text]).body(), vec![b'c'; 840_000]);
}

#[test]
fn a_message_without_body_is_only_a_head() {
    let plan = plan::<request::Parts>(&specs(&SHIPPED), (0, 0));
    let without = MessageTraits::new().without(tidegate::Capability::AddTrailers);
    let mut chain = chain(&plan, without);
    chain.handle_head(head(None), true).unwrap();
    let sent = drain(&mut chain);
    assert!(sent.ended && sent.bytes.is_empty() && sent.trailers.is_empty());
    assert!(matches!(sent.outcome, Outcome::Complete { discarded_bytes: 0, .. }));
}

#[test]
fn marks_that_contradict_each_other_are_an_error() {
    assert!(add_all(Plan::<request::Parts>::builder(), &[], (2, 1)).is_err());
}
