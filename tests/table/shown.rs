//! What is shown of tables' parts in logs and errors: keys, counts and marks, never a plan or spec.

use std::time::Duration;

use tidegate::limits::MAX_SUBSCRIBED_KEYS;
use tidegate::table::delta::{Applied, Replica, Scope, Session};
use tidegate::table::{
    BuildError, Built, Changes, Controller, Entry, ExemptKey, Extensions, Table,
};

/// A plan and a spec that nobody can print, as they may hold what is not to be seen.
#[derive(PartialEq)]
struct Secret;

#[test]
fn a_controller_shows_keys_and_extensions_and_no_specs() {
    let build = |_: &&'static str, _: &Secret, _: &Extensions| Ok(Built::new(Secret));
    let mut controller = Controller::new(Table::new(1), build);
    controller.set("a", Secret).unwrap();
    _ = controller.publish(Duration::ZERO);
    controller.set("b", Secret).unwrap();
    controller.set_exempt("ready", Secret);
    controller.extension_down("auth", "gone");
    assert_eq!(
        format!("{controller:?}"),
        "Controller { keys: [\"a\"], exempt: {\"ready\"}, edits: [\"b\", \"ready\"], \
         extensions: Extensions { known: {\"auth\": Told { error: \"gone\" }} }, .. }"
    );
}

#[test]
fn a_session_and_its_copy_show_where_they_are_and_no_plans() {
    let table = Table::new(10);
    let mut changes = Changes::new();
    changes.set("a", Entry::ready(Secret));
    table.publish(&changes).unwrap();
    let mut replica = Replica::new(3, Scope::Subscribed);
    replica.subscribe("a");
    replica.subscribe("b");
    let mut session = Session::open(&table, replica.hello()).unwrap();
    let delta = session.next_delta().unwrap();
    let receipt = delta.receipt;
    assert_eq!(replica.apply(delta), Applied::Applied);
    replica.subscribe("c");
    assert!(session.ack(receipt));
    let id = "SessionId { instance: 3, number: 1 }";
    let at = "at: Some(Epoch { nonce: 10, number: 1 })";
    assert_eq!(
        format!("{session:?}"),
        format!("Session {{ id: {id}, scope: Subscribed, {at}, sent: 1, keys: 2, .. }}")
    );
    let keys = "[(\"a\", Some(Entered(1))), (\"b\", Some(Absent)), (\"c\", None)]";
    assert_eq!(
        format!("{replica:?}"),
        format!("Replica {{ session: {id}, scope: Subscribed, {at}, keys: {keys}, .. }}")
    );
}

#[test]
fn errors_say_what_was_refused() {
    let mut controller =
        Controller::new(Table::new(1), |_: &u8, spec: &u8, _: &Extensions| Ok(Built::new(*spec)));
    controller.set_exempt(0, 0);
    let exempt: ExemptKey = controller.set(0, 1).unwrap_err();
    assert_eq!(exempt.to_string(), "the key is exempt: its plan is given, not built");
    assert_eq!(BuildError::spec("line 3").to_string(), "line 3");
    let down = BuildError::extension("auth", "gone");
    assert_eq!(down.to_string(), "extension auth is down: gone");
    let table: Table<usize, u8> = Table::new(1);
    let mut replica: Replica<usize, u8> = Replica::new(1, Scope::Subscribed);
    let mut hello = replica.hello();
    hello.keys = (0..=MAX_SUBSCRIBED_KEYS).map(|key| (key, None)).collect();
    let refused = Session::open(&table, hello).unwrap_err().to_string();
    assert_eq!(refused, format!("more than {MAX_SUBSCRIBED_KEYS} keys in one session"));
}
