//! What can be seen of the reporter from outside.

use heights::{Inspect, View};

use super::Reporter;

impl Inspect for Reporter {
    fn inspect(&self, view: View<'_>) {
        let repos: Vec<String> = self.books.keys().map(ToString::to_string).collect();
        view.record(|shown| {
            shown
                .field("repos", &repos)
                .field("lanes_busy", &self.busy.len())
                .field("words_remembered", &self.words_written.len())
        });
    }
}
