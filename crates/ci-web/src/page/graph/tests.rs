//! What the drawing says, and that no name is markup in it.

use super::*;

fn job(name: &str, state: JobState) -> Job {
    Job {
        job: name.to_owned(),
        state,
        required: true,
        attempt: None,
        queue: None,
        since_ms: None,
        duration_ms: None,
        reason: None,
    }
}

#[test]
fn the_drawing_says_in_words_how_far_everything_is() {
    let affected = ["app".to_owned(), "cart".to_owned()];
    let on = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let depends = BTreeMap::from([
        ("app".to_owned(), on(&["cart", "base"])),
        ("cart".to_owned(), on(&["base"])),
    ]);
    let jobs = [
        job("app:compile", JobState::Passed),
        job("app:test", JobState::Running),
        job("cart:test", JobState::Failed),
    ];
    let graph = Graph::new(&affected, &depends, &jobs);
    assert_eq!(
        description(&graph),
        "app: running, 1/2 jobs, depends on cart, base. base: not affected. \
         cart: failed, 1/1 jobs, depends on base."
    );
    let drawn = section(&graph).into_string();
    assert_eq!(drawn.matches("class=\"edge\"").count(), 2 * 3, "{drawn}");
    assert!(
        drawn.contains("<g class=\"bad\"") && drawn.contains("<g class=\"outside\""),
        "{drawn}"
    );
}

#[test]
fn names_are_no_markup() {
    let affected = ["</title><script>".to_owned()];
    let depends = BTreeMap::new();
    let drawn = section(&Graph::new(&affected, &depends, &[])).into_string();
    assert!(!drawn.contains("<script"), "{drawn}");
}

#[test]
fn a_long_name_shows_its_end() {
    assert_eq!(shortened("short"), "short");
    assert_eq!(shortened("services/payments/worker"), "…s/payments/worker");
}

#[test]
fn many_components_are_a_list() {
    let affected: Vec<String> = (0..100).map(|number| format!("c{number}")).collect();
    let depends = BTreeMap::new();
    let drawn = section(&Graph::new(&affected, &depends, &[])).into_string();
    assert!(!drawn.contains("<svg") && drawn.contains("<code>c99</code>"), "{drawn}");
    assert_eq!(section(&Graph::new(&[], &depends, &[])), Html::default());
}
