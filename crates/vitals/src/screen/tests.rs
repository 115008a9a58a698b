//! The screen, drawn into memory.

mod fixture;
mod keys;
mod line;
mod matrix;

use std::time::Duration;

use heights_vitals::wire::{
    Missing, StateView, TraceBooks, TraceEnd, TraceEvent, TracedMessage, Working,
};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::{Color, Modifier};

use super::model::{Effect, Model, View};
use crate::dress::Dress;
use fixture::{calm, drawn, model, picture, press, sick, sick_model, terminal};

fn view(path: &str) -> StateView {
    StateView {
        taken_ms: 90_000,
        pid: "0.2".to_owned(),
        path: path.to_owned(),
        view: Some(serde_json::json!({"open": 1, "token": "‹secret›"})),
        missing: None,
        age_ms: Some(41_000),
        stale: true,
        cut: false,
        working: Some(Working { label: "Put".to_owned(), since_ms: 41_000, ..Working::default() }),
    }
}

#[test]
fn the_page_of_an_actor_tells_why_and_shows_figures_and_state() {
    let mut model = sick_model();
    let asked = press(&mut model, "2↓\n");
    assert_eq!(asked, Effect::State { path: "ci/store".to_owned() });
    insta::assert_snapshot!("actor_asked", drawn(&model, 80, 24));
    model.show_state("ci/other", Err("not meant".to_owned()));
    model.show_state("ci/store", Ok(view("ci/store")));
    insta::assert_snapshot!("actor", drawn(&model, 100, 40));
    press(&mut model, "↓↓");
    assert!(!drawn(&model, 80, 24).contains("WHY"), "it scrolls");
    model.press(KeyEvent::new(KeyCode::End, KeyModifiers::NONE));
    assert!(drawn(&model, 80, 24).contains("‹secret›"), "to the end and not beyond");
    press(&mut model, "\u{1b}");
    assert_eq!(model.page, None);
    model.show_state("ci/store", Err("too late".to_owned()));
}

#[test]
fn a_page_says_why_there_is_no_state() {
    let mut model = sick_model();
    press(&mut model, "\n");
    let missing = |why| StateView { view: None, missing: Some(why), ..view("ci") };
    model.show_state("ci", Ok(missing(Missing::Unsupported)));
    assert!(drawn(&model, 100, 40).contains("ci shows nothing of its state"));
    model.show_state("ci", Err("the inspector does not answer".to_owned()));
    assert!(drawn(&model, 100, 40).contains("the inspector does not answer"));
}

#[test]
fn the_page_of_a_crash_shows_all_that_is_known_of_it() {
    let mut model = sick_model();
    assert_eq!(press(&mut model, "4\n"), Effect::None);
    insta::assert_snapshot!("crash", drawn(&model, 80, 24));
    let mut later = sick();
    later.crashes.clear();
    model.see(later);
    assert!(drawn(&model, 80, 24).contains("not remembered any more"));
}

fn traced(at_ms: u64, well: bool) -> TraceEvent {
    TraceEvent::Message(TracedMessage {
        at_ms: 1_795_448_053_949 + at_ms,
        pid: "0.57".to_owned(),
        path: "ci/queue".to_owned(),
        from: Some("0.61".to_owned()),
        from_path: Some("ci/runners/linux-1".to_owned()),
        label: "Claim".to_owned(),
        waited_us: Some(38_000),
        took_us: 1_200,
        well,
        text: None,
    })
}

#[test]
fn a_trace_is_begun_followed_and_ended() {
    let mut model = sick_model();
    press(&mut model, "5");
    assert!(drawn(&model, 80, 24).contains("nothing is traced: select an actor and press t"));
    let asked = press(&mut model, "2t");
    assert_eq!((asked, model.view), (Effect::Trace { path: "ci/queue".to_owned() }, View::Trace));
    let hear = |model: &mut Model, event| {
        model.tracing.as_mut().unwrap().hear(event);
        model.follow();
    };
    for at in 0..30 {
        hear(&mut model, traced(at, at != 28));
    }
    let books = TraceBooks { handled: 90, shown: 30, suppressed: 60, dropped: 0, lasted_ms: 2_000 };
    hear(&mut model, TraceEvent::Books(books));
    insta::assert_snapshot!("trace", drawn(&model, 120, 12));
    assert_eq!(press(&mut model, "t"), Effect::EndTrace);
    hear(&mut model, TraceEvent::Ended { reason: TraceEnd::Time, books });
    assert!(drawn(&model, 120, 12).contains("ended: by key; 30 shown + 60 suppressed"));
    assert_eq!(press(&mut model, "t"), Effect::Trace { path: "ci/queue".to_owned() });
    assert!(drawn(&model, 80, 24).contains("no message has been handled yet"));
}

#[test]
fn whoever_looks_back_in_a_trace_is_left_there() {
    let mut model = sick_model();
    press(&mut model, "2t");
    for at in 0..1_500 {
        model.tracing.as_mut().unwrap().hear(traced(at, true));
        model.follow();
    }
    assert_eq!((model.listing.rows().len(), model.listing.at()), (1_000, 999), "the oldest go");
    model.press(KeyEvent::new(KeyCode::Home, KeyModifiers::NONE));
    model.tracing.as_mut().unwrap().hear(traced(0, true));
    model.follow();
    assert_eq!(model.listing.at(), 0);
}

#[test]
fn what_is_selected_stays_selected_wherever_it_moves() {
    let mut model = sick_model();
    press(&mut model, "2↓");
    let selected = model.selected_path();
    assert_ne!(selected, None);
    let mut later = sick();
    later.tree.actors.reverse();
    model.see(later);
    assert_eq!(model.selected_path(), selected);
    let mut without = sick();
    without.tree.actors.retain(|actor| Some(&actor.path) != selected.as_ref());
    model.see(without);
    assert_ne!(model.selected_path(), None, "what took its place is selected");
}

#[test]
fn the_last_picture_stays_when_the_process_is_gone() {
    let mut model = sick_model();
    model.lose("keep the connection to the inspector", Duration::from_secs(12));
    insta::assert_snapshot!("lost", drawn(&model, 80, 10));
    let terminal = terminal(&model, 80, 10);
    let head = &terminal.backend().buffer().content()[..80];
    assert!(head.iter().all(|cell| cell.modifier.contains(Modifier::DIM)), "it is greyed");
    model.see(calm());
    assert!(!drawn(&model, 80, 10).contains("LOST"));
}

#[test]
fn the_selection_is_seen_without_color_and_color_is_never_alone() {
    let plain = Dress { color: false, ..Dress::FULL };
    let mut models = [sick_model(), Model::new(sick(), true, plain)];
    for model in &mut models {
        press(model, "↓↓↓↓↓");
    }
    let [colored, plain] = models;
    assert_eq!(
        drawn(&colored, 60, 24).lines().skip(1).collect::<Vec<_>>(),
        drawn(&plain, 60, 24).lines().skip(1).collect::<Vec<_>>()
    );
    let terminal = terminal(&plain, 80, 24);
    let cells = terminal.backend().buffer().content().iter();
    assert!(cells.clone().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset));
    assert!(cells.clone().any(|cell| cell.modifier.contains(Modifier::REVERSED)));
    let marked = |line: &str| line.contains("> ") && line.contains("pull-8");
    assert!(drawn(&plain, 80, 24).lines().any(marked));
    let yellow = fixture::terminal(&colored, 80, 24);
    let yellow = yellow.backend().buffer().content().iter().any(|cell| cell.fg == Color::Yellow);
    assert!(yellow, "and where there is color it is used");
}

#[test]
fn without_other_letters_the_screen_is_ascii() {
    let ascii = Dress { color: false, unicode: false };
    let mut model = Model::new(sick(), true, ascii);
    for keys in ["1", "2", "3", "4", "5", "6", "1?", "x", "\u{1b}", "1\n", "/a"] {
        press(&mut model, keys);
        let shown = drawn(&model, 120, 40);
        let odd: Vec<char> = shown.chars().filter(|sign| !sign.is_ascii()).collect();
        assert!(odd.iter().all(|sign| !"●○◐✖⏸◌├└│─▾▸█┌┐–…→◄".contains(*sign)), "{keys}: {odd:?}");
    }
}

#[test]
fn a_wide_list_shows_all_columns_and_moves_sideways() {
    let mut model = sick_model();
    press(&mut model, "2w");
    assert!(!drawn(&model, 80, 12).contains("HANDLING"));
    for _ in 0..4 {
        model.press(KeyEvent::new(KeyCode::Right, KeyModifiers::NONE));
    }
    assert!(drawn(&model, 80, 12).contains("HANDLING"), "{}", drawn(&model, 80, 12));
    press(&mut model, "w");
    assert!(drawn(&model, 80, 12).contains("MBOX"));
}

#[test]
fn a_picture_without_anything_is_no_trouble() {
    let mut model = model(picture(Vec::new(), Vec::new()));
    for keys in ["1", "2", "3", "4", "5", "6", "\n", "x", "t", "y", " ", "c", "e", "s", "r"] {
        press(&mut model, keys);
        drawn(&model, 80, 24);
    }
}
