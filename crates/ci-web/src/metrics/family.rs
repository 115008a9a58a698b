//! OpenMetrics text, written by hand: families with their samples below them.

use std::fmt::{Display, Write as _};

/// What a family measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Info,
}

/// A page of figures.
#[derive(Debug, Default)]
pub(super) struct Exposition {
    text: String,
    family: &'static str,
}

impl Exposition {
    /// Begins a family; the samples that follow are its.
    pub(super) fn family(&mut self, name: &'static str, kind: Kind, help: &'static str) {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Info => "info",
        };
        self.family = name;
        self.write(format_args!("# TYPE {name} {kind}\n# HELP {name} {help}\n"));
    }

    /// Adds a sample; `suffix` is what its kind demands after the name.
    pub(super) fn sample(
        &mut self,
        suffix: &'static str,
        labels: &[(&str, &str)],
        value: impl Display,
    ) {
        let family = self.family;
        self.write(format_args!("{family}{suffix}"));
        for (index, (name, text)) in labels.iter().enumerate() {
            let mark = if index == 0 { '{' } else { ',' };
            self.write(format_args!("{mark}{name}=\"{}\"", escape(text)));
        }
        let end = if labels.is_empty() { "" } else { "}" };
        self.write(format_args!("{end} {value}\n"));
    }

    /// The whole text.
    pub(super) fn end(mut self) -> String {
        self.text.push_str("# EOF\n");
        self.text
    }

    fn write(&mut self, text: std::fmt::Arguments<'_>) {
        self.text.write_fmt(text).expect("writing to a string does not fail");
    }
}

fn escape(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_and_samples_are_open_metrics() {
        let mut page = Exposition::default();
        page.family("a", Kind::Counter, "Some.");
        page.sample("_total", &[("x", "1\"\\\n"), ("y", "2")], 3);
        page.family("b", Kind::Gauge, "Others.");
        page.sample("", &[], 0.5);
        let expected = "# TYPE a counter\n# HELP a Some.\na_total{x=\"1\\\"\\\\\\n\",y=\"2\"} 3\n\
                        # TYPE b gauge\n# HELP b Others.\nb 0.5\n# EOF\n";
        assert_eq!(page.end(), expected);
    }
}
