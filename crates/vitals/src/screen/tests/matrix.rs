//! Every view, of a process in every state, at every size.

use super::fixture::{calm, crowd, drawn, model, picture, press, sick_model};
use crate::screen::model::{Model, View};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (40, 10)];

fn every_view_of(name: &str, mut model: Model) {
    for (key, (_, view)) in ["1", "2", "3", "4", "5", "6"].into_iter().zip(View::ALL) {
        press(&mut model, key);
        let sizes = SIZES
            .map(|(width, height)| format!("{width}×{height}\n{}", drawn(&model, width, height)));
        insta::assert_snapshot!(format!("{name}_{view}"), sizes.join("\n"));
    }
}

#[test]
fn empty() {
    every_view_of("empty", model(picture(Vec::new(), Vec::new())));
}

#[test]
fn at_rest() {
    every_view_of("calm", model(calm()));
}

#[test]
fn ill() {
    every_view_of("sick", sick_model());
}

#[test]
fn a_hundred_thousand_actors() {
    every_view_of("crowd", model(crowd()));
}

#[test]
fn windows_fit_on_the_smallest_terminal_that_is_promised() {
    let mut model = sick_model();
    press(&mut model, "?");
    insta::assert_snapshot!("keys", drawn(&model, 80, 24));
    press(&mut model, "\u{1b}x");
    insta::assert_snapshot!("actions", drawn(&model, 80, 24));
}

#[test]
fn no_size_is_too_small_for_any_view_or_window() {
    for keys in ["", "?", "\n", "x", "/a", ":top", "2", "3", "4", "5", "6", "4\n", "2w"] {
        let mut model = sick_model();
        press(&mut model, keys);
        for (width, height) in [(1, 1), (3, 5), (10, 2), (200, 3), (2, 60)] {
            drawn(&model, width, height);
        }
    }
}
