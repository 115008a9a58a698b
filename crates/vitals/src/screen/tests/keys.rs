//! What keys do.

use heights_vitals::wire::{ControlOutcome, Kind};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::fixture::{calm, drawn, model, press, sick, sick_model};
use crate::dress::Dress;
use crate::screen::model::{Effect, Model, Order, View};

fn paths(model: &Model) -> Vec<&str> {
    let actors = &model.picture.tree.actors;
    model.listing.rows().iter().map(|row| actors[*row].path.as_str()).collect()
}

#[test]
fn folding_hides_what_is_below_and_a_filter_what_is_not_meant() {
    let mut model = model(calm());
    press(&mut model, "↓↓ ");
    assert_eq!(paths(&model), ["ci", "ci/store", "ci/pulls"]);
    press(&mut model, "e/7\n");
    assert_eq!(paths(&model), ["ci/pulls/pull-7"]);
    assert!(drawn(&model, 80, 24).contains("> ci/pulls/pull-7"), "with what is above it");
    press(&mut model, "\u{1b}/!pulls\n");
    assert_eq!(paths(&model), ["ci", "ci/store"]);
    press(&mut model, "\u{1b}c");
    assert_eq!(paths(&model), ["ci", "ci/store", "ci/pulls"]);
    press(&mut model, "/nobody");
    assert!(drawn(&model, 80, 24).contains("nothing with \"nobody\"; Esc shows all"));
}

#[test]
fn the_busiest_are_sorted_by_what_one_likes() {
    let mut model = sick_model();
    press(&mut model, "2");
    assert_eq!(paths(&model)[0], "ci/queue", "by mailbox");
    press(&mut model, "s");
    assert_eq!((model.order, &paths(&model)[..2]), (Order::Busy, &["ci/store", "ci/queue"][..]));
    press(&mut model, "s");
    assert_eq!((model.order, paths(&model)[0]), (Order::Rate, "ci/pulls/pull-7"));
    press(&mut model, "r");
    assert_eq!(paths(&model).last(), Some(&"ci/pulls/pull-7"));
    press(&mut model, "rs");
    assert_eq!((model.order, paths(&model)[0]), (Order::Wait, "ci/queue"));
    press(&mut model, "ss");
    assert_eq!(model.order, Order::Mailbox);
}

#[test]
fn a_command_turns_sorts_opens_and_acts() {
    let mut model = sick_model();
    press(&mut model, ":top\n");
    assert_eq!(model.view, View::Top);
    press(&mut model, ":sort rate\n");
    assert_eq!(model.order, Order::Rate);
    assert_eq!(press(&mut model, ":why queue\n"), Effect::State { path: "ci/queue".to_owned() });
    let traced = press(&mut model, ":trace pull-7\n");
    assert_eq!(traced, Effect::Trace { path: "ci/pulls/pull-7".to_owned() });
    let foreseen = press(&mut model, ":restart store\n");
    assert_eq!(foreseen, Effect::Foresee { action: "restart", reference: "store".to_owned() });
    press(&mut model, ":why nobody\n");
    assert!(model.message.as_ref().is_some_and(|said| said.contains("nobody")), "{model:?}");
    press(&mut model, ":dance\n");
    assert!(drawn(&model, 80, 24).contains("there is no command \"dance\""));
    assert_eq!(press(&mut model, ":q\n"), Effect::Quit);
}

fn outcome(path: &str, kind: Kind) -> ControlOutcome {
    ControlOutcome {
        action: "kill".to_owned(),
        dry_run: true,
        pid: "0.2".to_owned(),
        path: path.to_owned(),
        kind,
        ends: vec![path.to_owned()],
        messages_lost: Some(0),
        along: 0,
        siblings: Vec::new(),
        restarts: vec![path.to_owned()],
        escalates: Vec::new(),
        ends_all: false,
        restarts_left: Some(3),
        cautions: Vec::new(),
        ended: None,
    }
}

#[test]
fn an_action_is_foreseen_and_has_to_be_confirmed() {
    let mut model = model(calm());
    let effect = press(&mut model, "↓xk");
    assert_eq!(effect, Effect::Foresee { action: "kill", reference: "ci/store".to_owned() });
    model.propose(outcome("ci/store", Kind::Worker));
    insta::assert_snapshot!("proposal", drawn(&model, 80, 14));
    let act = Effect::Act { action: "kill".to_owned(), reference: "0.2".to_owned() };
    assert_eq!(press(&mut model, "y\n"), act);
    // A supervisor has to be named.
    model.propose(outcome("ci/pulls", Kind::Supervisor));
    assert_eq!(press(&mut model, "y\n"), Effect::None);
    assert_eq!(model.message.as_deref(), Some("nothing was done"));
    model.propose(outcome("ci/pulls", Kind::Supervisor));
    assert_eq!(press(&mut model, "pulls\n"), act);
    // So has one that takes many along.
    model.propose(ControlOutcome { along: 30, ..outcome("ci/store", Kind::Worker) });
    assert_eq!(press(&mut model, "y\n"), Effect::None);
}

#[test]
fn every_action_has_a_key() {
    for (key, action) in [
        ("s", "stop"),
        ("d", "drain"),
        ("r", "restart"),
        ("k", "kill"),
        ("p", "suspend"),
        ("u", "resume"),
    ] {
        let mut model = model(calm());
        let expected = Effect::Foresee { action, reference: "ci".to_owned() };
        assert_eq!(press(&mut model, &format!("x{key}")), expected);
    }
    assert_eq!(press(&mut model(calm()), "xq"), Effect::None, "any other does nothing");
}

#[test]
fn a_snapshot_cannot_be_acted_on_nor_traced() {
    let mut model = Model::new(calm(), false, Dress::FULL);
    assert_eq!(press(&mut model, "↓xk"), Effect::None);
    assert_eq!(model.message.as_deref(), Some("a snapshot cannot be acted on"));
    assert_eq!(press(&mut model, "t"), Effect::None);
    assert_eq!(model.message.as_deref(), Some("a snapshot holds no messages"));
    assert_eq!(press(&mut model, "\n"), Effect::None);
    assert!(drawn(&model, 80, 40).contains("vitals state --from FILE"));
}

#[test]
fn keys_leave_pause_and_set_the_pace() {
    let mut model = model(calm());
    assert_eq!(press(&mut model, "q"), Effect::Quit);
    let break_key = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    press(&mut model, "?");
    assert_eq!(model.press(break_key), Effect::Quit);
    press(&mut model, "\u{1b}p");
    assert!(model.is_paused() && drawn(&model, 80, 5).contains("paused"));
    press(&mut model, "p--");
    assert!(drawn(&model, 80, 5).contains("every 500ms"));
    press(&mut model, "-----");
    assert!(drawn(&model, 80, 5).contains("every 250ms"), "there is a limit");
    assert_eq!(press(&mut model, "g"), Effect::Refresh);
    assert_eq!(press(&mut model, "↓y"), Effect::Copy("ci/store".to_owned()));
}

#[test]
fn a_page_turns_as_far_as_the_screen_shows() {
    let mut model = model(super::fixture::crowd());
    press(&mut model, "1");
    model.press(KeyEvent::new(KeyCode::PageDown, KeyModifiers::NONE));
    assert_eq!(model.listing.at(), 20);
    model.press(KeyEvent::new(KeyCode::End, KeyModifiers::NONE));
    assert_eq!(model.selected_path().as_deref(), Some("ci/w99999"));
    assert!(drawn(&model, 80, 24).contains("w99999"));
}

#[test]
fn turning_away_closes_a_page_and_keeps_what_is_selected() {
    let mut model = super::fixture::model(sick());
    press(&mut model, "1↓↓\n2");
    assert_eq!((&model.page, model.selected_path().as_deref()), (&None, Some("ci/queue")));
    press(&mut model, "1");
    assert_eq!(model.selected_path().as_deref(), Some("ci/queue"));
}
