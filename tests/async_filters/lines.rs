//! The redactor of the front page: lines are cut anywhere, and the last may have no end.

use http::request;
use tidegate::async_filter::async_filter;

use crate::kit::*;
use crate::redact::{plan, redact};
use crate::stage::editor;

fn redacts_whatever_the_cut<H: Dir>() {
    let make = || async_filter(editor(), redact);
    let cuts = Cuts { all_up_to: 8, random: 300 };
    assert_any_cut_gives_the_same::<H, _>(cuts, b"password=a\n\npassword=", make());
    assert_any_cut_gives_the_same::<H, _>(cuts, b"x\npassword=hunter2\ny=password=1 2", make());

    let mut run = Stage::<H>::new([]).raw("redact", make()).run();
    run.head(false).data("a=1\npassword=hun").sink(r#"H(0) D("a=1\n")"#);
    run.data("ter2\nb=2").sink(r#"D("password=***\n")"#);
    run.data_end("\npassword=x").sink(r#"D("b=2\npassword=***") end"#);
    run.finish("complete");
}

fn refuses_lines_without_end<H: Dir>() {
    let line = bytes::Bytes::from(vec![b'x'; 4096]);
    for end in [false, true] {
        let mut run = Stage::<H>::new([]).raw("redact", async_filter(editor(), redact)).run();
        run.head(false).frame(line.clone(), false).sink("H(0)").frame(line.clone(), end);
        run.sink("reset(redact filter)");
        run.finish("failed redact filter");
    }
}

both!(redacts_whatever_the_cut, refuses_lines_without_end);

#[test]
fn the_plan_of_the_example() {
    let plan = plan().expect("a plan");
    let names: Vec<_> = plan.filters().map(|(name, _)| name.to_owned()).collect();
    assert_eq!(names, ["redact"]);
    let _: tidegate::Plan<request::Parts> = plan;
}
