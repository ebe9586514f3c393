use super::{super::testing::*, *};
use http::request;
use tidegate::{Filter, MessageTraits, Plan};

fn replacing(old: &str, new: &str, marks: Marks) -> Plan<request::Parts> {
    let rule = Arc::new(Rule::new(Bytes::copy_from_slice(old.as_bytes()), new.to_owned().into()));
    only("replace", move || Replace::new(Arc::clone(&rule), marks))
}

/// What the text becomes: from the front, without overlap, as the standard library does it.
fn expected(text: &str, old: &str, new: &str) -> Vec<u8> {
    text.replace(old, new).into_bytes()
}

#[test]
fn the_output_does_not_depend_on_the_cut_or_the_marks() {
    let cases = [
        ("xxabxabx", "ab", "-"),
        ("xxabxabx", "ab", ""),
        ("abababab", "abab", "long one"),
        ("aaaaaaaa", "aaa", "b"),
        ("aaaaaaaa", "aa", "aaa"),
        ("abcabcab", "abcabd", "no"),
        ("aabaabaa", "aab", "a"),
        ("abbbbbbb", "ab", "a"),
        ("xxxxxxxx", "x", "yz"),
        ("MyOldTxt", "MyOldTxt", "New"),
        ("MyOldTxt", "MyOldTxts", "New"),
        ("", "a", "b"),
    ];
    for high in [0, 1, 3, 64 << 10] {
        for (text, old, new) in cases {
            let plan = replacing(old, new, Marks::from_high(high));
            for_each_cut(text.as_bytes(), |pieces| {
                let sent = run(&plan, pieces);
                assert_eq!(sent.body(), expected(text, old, new), "{old} {high} {pieces:?}");
                assert!(!sent.head().headers.contains_key("content-length"));
            });
        }
    }
}

#[test]
fn random_texts_cuts_and_marks_give_what_the_standard_library_gives() {
    let mut random = Random::new(7);
    for _ in 0..400 {
        let letters = random.below(3) + 1;
        let word = |random: &mut Random, len| -> String {
            (0..len).map(|_| char::from(b'a' + random.below(letters) as u8)).collect()
        };
        let len = random.below(3000);
        let text = word(&mut random, len);
        let len = random.below(6) + 1;
        let old = word(&mut random, len);
        let len = random.below(12);
        let new = word(&mut random, len);
        let marks = Marks::from_high(random.below(4096) as u64);
        let longest = [1, 7, 100, 3000][random.below(4)];
        let pieces = random.cut(text.as_bytes(), longest);
        let sent = run(&replacing(&old, &new, marks), &pieces);
        assert_eq!(sent.body(), expected(&text, &old, &new), "{old} {new} {marks:?}");
    }
}

#[test]
fn only_what_may_begin_an_occurrence_is_held() {
    let mut chain = chain(&replacing("abcd", "-", Marks::DEFAULT), MessageTraits::new());
    chain.handle_head(head(None), false).unwrap();
    let mut held = |piece: &'static str| {
        chain.handle_data(piece.into(), false).unwrap();
        while chain.poll_output().is_some() {}
        chain.held_bytes()
    };
    assert_eq!(held("....abc"), 3);
    assert_eq!(held("d...."), 0);
    assert_eq!(held("....ababc"), 3);
    assert_eq!(held("a"), 1);
    assert_eq!(held("."), 0);
}

#[test]
fn nothing_is_copied() {
    let mut chain = chain(&replacing("OLD", "NEW!", Marks::DEFAULT), MessageTraits::new());
    chain.handle_head(head(None), false).unwrap();
    drain(&mut chain);
    let mut text = vec![b'.'; 8192];
    text[3000..3003].copy_from_slice(b"OLD");
    let text = Bytes::from(text);
    chain.handle_data(text.clone(), true).unwrap();
    let mut pieces = Vec::new();
    while let Some(output) = chain.poll_output() {
        if let tidegate::Output::Data(data) = output {
            pieces.push(data);
        }
    }
    let at = |offset: usize| text[offset..].as_ptr();
    assert_eq!(pieces[0].as_ptr(), at(0));
    assert_eq!(pieces[1], "NEW!");
    assert_eq!(pieces[2].as_ptr(), at(3003));
    assert_eq!(chain.stats().packed_bytes, 0);
}

#[test]
fn dense_growth_goes_on_as_room_comes() {
    for frame in [1 << 10, 64 << 10, 150 << 10] {
        let text = vec![b'a'; frame];
        let sent = run(&replacing("a", "bbbb", Marks::DEFAULT), &[&text, &text]);
        assert!(sent.body().iter().all(|&byte| byte == b'b'));
        assert_eq!(sent.body().len(), frame * 8);
    }
}

#[test]
fn a_replacement_longer_than_the_marks_raises_them() {
    let replace = Replace::new(
        Arc::new(Rule::new("a".into(), vec![b'n'; 5000].into())),
        Marks::from_high(10),
    );
    let declared = Filter::<request::Parts>::declare(&replace).marks;
    assert_eq!((declared.low(), declared.high()), (5, 5000));
}
