//! Processes in several states, and the means to look at them.

use heights_vitals::wire::{
    Actor, Blocked, Cost, Crash, Hello, Kind, PROTOCOL, Picture, Restart, Runtime, State,
    Supervision, Tier, Tree, Working,
};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::super::draw::{draw, list_height};
use super::super::model::{Effect, Model};
use crate::dress::Dress;

pub fn picture(actors: Vec<Actor>, crashes: Vec<Crash>) -> Picture {
    let hello = Hello {
        protocol: PROTOCOL,
        name: "ci-node".to_owned(),
        version: "0.1.0".to_owned(),
        os_pid: 41207,
        started_ms: 0,
        tier: Tier::Control,
        capabilities: Vec::new(),
    };
    let cost =
        Cost { cpu_ppm: 400, budget_ppm: 10_000, clients: 1, clients_max: 32, ..Cost::default() };
    let runtime = Runtime {
        workers: 2,
        tasks: 31,
        silent_ms: 12,
        inspector_cpu_us: Some(4_200),
        cost: Some(cost),
        ..Runtime::default()
    };
    let tree = Tree { taken_ms: 90_000, total: actors.len(), actors };
    Picture { hello, tree, crashes, runtime: Some(runtime) }
}

pub fn worker(pid: u64, path: &str, mailbox: u64) -> Actor {
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

pub fn supervisor(pid: u64, path: &str, strategy: &str) -> Actor {
    let supervision = Supervision {
        strategy: Some(strategy.to_owned()),
        max_restarts: 5,
        period_ms: 60_000,
        restarts_left: Some(3),
        auto_shutdown: None,
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

/// Nothing but what has to be.
pub fn calm() -> Picture {
    let actors = vec![
        supervisor(1, "ci", "rest_for_one"),
        worker(2, "ci/store", 0),
        supervisor(3, "ci/pulls", "one_for_one"),
        worker(4, "ci/pulls/pull-7", 0),
    ];
    picture(actors, Vec::new())
}

/// The store blocks a thread, the queue waits for it, and a pull crashes again and again.
pub fn sick() -> Picture {
    let mut sick = calm();
    let working =
        |label: &str| Working { label: label.to_owned(), since_ms: 41_000, ..Working::default() };
    let blocks = Working { blocks_ms: Some(41_000), ..working("Put") };
    let store = &mut sick.tree.actors[1];
    (store.working, store.state, store.busy_ms) = (Some(blocks), State::Busy, Some(42_000));
    let queue = Actor {
        state: State::Waiting,
        working: Some(working("Claim")),
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
    if let Some(runtime) = &mut sick.runtime {
        runtime.blocked = vec![Blocked {
            thread: "tokio-rt-worker-1".to_owned(),
            path: Some("ci/store".to_owned()),
            pid: "0.2".to_owned(),
            label: Some("Put".to_owned()),
            since_ms: 41_000,
        }];
    }
    sick
}

/// So many actors that nobody reads them all.
pub fn crowd() -> Picture {
    let mut actors = vec![supervisor(1, "ci", "one_for_one")];
    actors.extend((0..100_000).map(|at| worker(at + 2, &format!("ci/w{at}"), at % 9)));
    picture(actors, Vec::new())
}

pub fn model(picture: Picture) -> Model {
    Model::new(picture, true, Dress::FULL)
}

/// A sick process that was looked at two seconds before, too.
pub fn sick_model() -> Model {
    let mut before = sick();
    before.tree.taken_ms -= 2_000;
    for actor in &mut before.tree.actors {
        actor.mailbox = actor.mailbox.map(|waiting| waiting.saturating_sub(500));
        actor.busy_ms = actor.busy_ms.map(|busy| busy - 2_000);
    }
    before.tree.actors[4].handled = Some(76);
    before.tree.actors[4].busy_ms = Some(1_760);
    let mut model = model(before);
    model.see(sick());
    model
}

pub fn terminal(model: &Model, width: u16, height: u16) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, model)).unwrap();
    terminal
}

/// Returns what is to be seen; a run of empty rows is one that counts them.
pub fn drawn(model: &Model, width: u16, height: u16) -> String {
    let terminal = terminal(model, width, height);
    let buffer = terminal.backend().buffer();
    let rows = buffer.content().chunks(usize::from(width)).map(|cells| {
        let row: String = cells.iter().map(|cell| cell.symbol()).collect();
        row.trim_end().to_owned()
    });
    let mut text = String::new();
    let mut empty = 0;
    for row in rows {
        if row.is_empty() {
            empty += 1;
            continue;
        }
        if empty > 0 {
            text.push_str(&format!("({empty} empty)\n"));
            empty = 0;
        }
        text.push_str(&row);
        text.push('\n');
    }
    text
}

/// Presses keys, on a screen of 24 rows.
pub fn press(model: &mut Model, keys: &str) -> Effect {
    model.height = list_height(24);
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
