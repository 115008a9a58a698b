//! The screen, drawn into memory: each view, in each state of a process, at each size.

use heights_vitals::wire::{
    Actor, Crash, Hello, Kind, PROTOCOL, Restart, Runtime, State, Supervision, Tier, Tree, Working,
};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::{Color, Modifier};

use super::*;
use crate::screen::model::{Over, View};
use heights_vitals::wire::Picture;

fn picture(actors: Vec<Actor>, crashes: Vec<Crash>) -> Picture {
    let hello = Hello {
        protocol: PROTOCOL,
        name: "ci-node".to_owned(),
        version: "0.1.0".to_owned(),
        os_pid: 41207,
        started_ms: 0,
        tier: Tier::Control,
        capabilities: Vec::new(),
    };
    let runtime =
        Runtime { workers: 2, tasks: 31, silent_ms: 12, inspector_cpu_us: Some(4_200), ..Runtime::default() };
    let tree = Tree { taken_ms: 90_000, total: actors.len(), actors };
    Picture { hello, tree, crashes, runtime: Some(runtime) }
}

fn worker(pid: u64, path: &str, mailbox: u64) -> Actor {
    Actor {
        pid: Some(format!("0.{pid}")),
        kind: Some(Kind::Worker),
        state: State::Idle,
        restart: Some(Restart::Permanent),
        incarnation: Some(1),
        restarts: Some(0),
        mailbox: Some(mailbox),
        mailbox_peak: Some(mailbox + 7),
        handled: Some(100),
        busy_ms: Some(2_000),
        ..Actor::at(path)
    }
}

fn supervisor(pid: u64, path: &str, strategy: &str) -> Actor {
    let supervision = Supervision {
        strategy: Some(strategy.to_owned()),
        max_restarts: 5,
        period_ms: 60_000,
        restarts_left: Some(3),
    };
    Actor {
        kind: Some(Kind::Supervisor),
        mailbox: None,
        mailbox_peak: None,
        busy_ms: None,
        supervision: Some(supervision),
        ..worker(pid, path, 0)
    }
}

fn calm() -> Picture {
    let actors = vec![
        supervisor(1, "ci", "rest_for_one"),
        worker(2, "ci/store", 0),
        supervisor(3, "ci/pulls", "one_for_one"),
        worker(4, "ci/pulls/pull-7", 0),
    ];
    picture(actors, Vec::new())
}

fn sick() -> Picture {
    let mut sick = calm();
    let working =
        |label: &str, since_ms| Some(Working { label: label.to_owned(), since_ms, ..Working::default() });
    sick.tree.actors[1].working = working("Put", 41_000);
    sick.tree.actors[1].state = State::Busy;
    sick.tree.actors[1].busy_ms = Some(42_000);
    let queue = Actor {
        state: State::Waiting,
        working: working("Claim", 41_000),
        waiting_for: Some("0.2".to_owned()),
        oldest_ms: Some(41_000),
        busy_ms: Some(43_000),
        restarts: Some(2),
        ..worker(57, "ci/queue", 10_412)
    };
    let down = Actor {
        state: State::Restarting,
        restart_in_ms: Some(4_000),
        ..Actor::at("ci/pulls/pull-8")
    };
    sick.tree.actors.insert(2, queue);
    sick.tree.actors.push(down);
    sick.tree.total = sick.tree.actors.len();
    let hostile = "panic: \u{1b}[31mred\u{7} at src/step.rs:88:13\nand more";
    sick.crashes = vec![Crash {
        at_ms: 78_000,
        fingerprint: "9f3c21".to_owned(),
        message: Some("Step".to_owned()),
        ..Crash::at("ci/pulls/pull-8", "0.80", hostile)
    }];
    sick
}

fn terminal(model: &Model, width: u16, height: u16) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw::draw(frame, model)).unwrap();
    terminal
}

fn drawn(model: &Model, width: u16, height: u16) -> String {
    terminal(model, width, height).backend().to_string()
}

fn press(model: &mut Model, keys: &str) -> Effect {
    let mut effect = Effect::None;
    for letter in keys.chars() {
        let code = match letter {
            '\n' => KeyCode::Enter,
            '\u{1b}' => KeyCode::Esc,
            '↓' => KeyCode::Down,
            letter => KeyCode::Char(letter),
        };
        effect = model.press(KeyEvent::new(code, KeyModifiers::NONE));
    }
    effect
}

fn model(picture: Picture) -> Model {
    Model::new(picture, true, true)
}

#[test]
fn every_view_of_a_sick_process_at_80_by_24() {
    let mut model = model(sick());
    for (key, (_, name)) in ["1", "2", "3", "4", "5"].into_iter().zip(View::ALL) {
        press(&mut model, key);
        insta::assert_snapshot!(format!("sick_{name}"), drawn(&model, 80, 24));
    }
}

#[test]
fn a_calm_and_an_empty_process() {
    insta::assert_snapshot!("calm_tree", drawn(&model(calm()), 80, 24));
    let mut empty = model(picture(Vec::new(), Vec::new()));
    insta::assert_snapshot!("empty_tree", drawn(&empty, 80, 24));
    press(&mut empty, "3");
    assert!(drawn(&empty, 80, 24).contains("nothing"));
}

#[test]
fn a_wide_screen_shows_more_columns_and_a_narrow_one_those_that_matter() {
    let mut model = model(sick());
    insta::assert_snapshot!("wide_tree", drawn(&model, 120, 12));
    insta::assert_snapshot!("narrow_tree", drawn(&model, 40, 10));
    press(&mut model, "2");
    insta::assert_snapshot!("wide_top", drawn(&model, 120, 12));
    insta::assert_snapshot!("narrow_top", drawn(&model, 40, 10));
}

#[test]
fn no_size_is_too_small_for_any_window() {
    for keys in ["", "?", "\n", "x", "/a", "2", "3", "4", "5"] {
        let mut model = model(sick());
        press(&mut model, keys);
        for (width, height) in [(1, 1), (3, 5), (10, 2), (200, 3), (2, 60)] {
            drawn(&model, width, height);
        }
    }
}

#[test]
fn one_actor_is_shown_with_the_reason_for_what_it_does() {
    let mut model = model(sick());
    press(&mut model, "2\n");
    insta::assert_snapshot!("actor", drawn(&model, 100, 34));
    press(&mut model, "\u{1b}");
    assert_eq!(model.over, Over::Nothing);
}

#[test]
fn what_is_selected_stays_selected_wherever_it_moves() {
    let mut model = model(sick());
    press(&mut model, "2↓");
    let selected = model.selected.clone();
    assert_ne!(selected, None);
    let mut later = sick();
    later.tree.actors.reverse();
    model.see(later);
    let (rows, at) = model.rows();
    assert_eq!(Some(rows[at].key.clone()), selected);
}

#[test]
fn folding_hides_what_is_below_and_a_filter_what_is_not_meant() {
    let mut model = model(calm());
    press(&mut model, "↓↓ ");
    let paths =
        |model: &Model| model.rows().0.into_iter().filter_map(|row| row.path).collect::<Vec<_>>();
    assert_eq!(paths(&model), ["ci", "ci/store", "ci/pulls"]);
    press(&mut model, "e/7\n");
    assert_eq!(paths(&model), ["ci/pulls/pull-7"]);
    press(&mut model, "\u{1b}c");
    assert_eq!(paths(&model), ["ci", "ci/store", "ci/pulls"]);
}

#[test]
fn an_action_is_foreseen_and_has_to_be_confirmed() {
    let mut model = model(calm());
    let effect = press(&mut model, "↓xk");
    assert_eq!(effect, Effect::Foresee { action: "kill", reference: "ci/store".to_owned() });
    let outcome = |path: &str, kind| ControlOutcome {
        action: "kill".to_owned(),
        dry_run: true,
        pid: "0.2".to_owned(),
        path: path.to_owned(),
        kind,
        ends: vec![path.to_owned()],
        messages_lost: Some(0),
        siblings: Vec::new(),
        restarts: vec![path.to_owned()],
        escalates: Vec::new(),
        ends_all: false,
        restarts_left: Some(3),
        cautions: Vec::new(),
        ended: None,
    };
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
}

#[test]
fn a_snapshot_cannot_be_acted_on() {
    let mut model = Model::new(calm(), false, true);
    assert_eq!(press(&mut model, "↓xk"), Effect::None);
    assert_eq!(model.message.as_deref(), Some("a snapshot cannot be acted on"));
}

#[test]
fn the_last_picture_stays_when_the_process_is_gone() {
    let mut model = model(calm());
    model.lose("the process has ended");
    let lost = drawn(&model, 80, 10);
    assert!(lost.contains("LOST: the process has ended") && lost.contains("pull-7"), "{lost}");
    model.see(calm());
    assert!(!drawn(&model, 80, 10).contains("LOST"));
}

#[test]
fn the_selection_is_seen_without_colour_and_colour_is_never_alone() {
    let mut coloured = model(sick());
    coloured.selected = Some("ci/pulls/pull-8".to_owned());
    let mut plain = Model::new(sick(), true, false);
    plain.selected = coloured.selected.clone();
    assert_eq!(drawn(&coloured, 80, 24), drawn(&plain, 80, 24));
    let terminal = terminal(&plain, 80, 24);
    let buffer = terminal.backend().buffer();
    let cells = buffer.content().iter();
    assert!(cells.clone().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset));
    assert!(cells.clone().any(|cell| cell.modifier.contains(Modifier::REVERSED)));
    assert!(
        drawn(&plain, 80, 24).lines().any(|line| line.contains("> ") && line.contains("pull-8"))
    );
}

#[test]
fn a_hundred_thousand_actors_are_drawn() {
    let mut actors = vec![supervisor(1, "ci", "one_for_one")];
    actors.extend((0..100_000).map(|at| worker(at, &format!("ci/w{at}"), at % 9)));
    let mut model = model(picture(actors, Vec::new()));
    for keys in ["1", "2", "3", "\u{1b}"] {
        press(&mut model, keys);
        assert!(drawn(&model, 80, 24).contains("100001 actors"));
    }
    model.press(KeyEvent::new(KeyCode::End, KeyModifiers::NONE));
    assert!(model.selected.is_some());
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
    assert_eq!(press(&mut model, "g"), Effect::Refresh);
}
