//! What keeps jobs from the node, tried as the node tries it.

use ci_config::node::{IsolationChoice, NodeConfig};
use ci_domain::may_run::Isolation;

use super::Finding;
use crate::isolation::{self, Ground, Offer};

/// Tries what the configuration asks for.
pub(super) async fn isolation(config: &NodeConfig) -> Finding {
    let asks = config.runner.isolation != IsolationChoice::None;
    if asks && !config.data_dir.exists() {
        // Trying takes a folder there, and to look must not make it.
        let words = format!("not tried: there is no {} yet", config.data_dir.display());
        return Finding::warn("isolation", words, "make the folder, owned by the node's user");
    }
    let path = std::env::var("PATH").unwrap_or_default();
    let ground = Ground::of(config, &path, &[]);
    found(&isolation::offer(config.runner.isolation, ground).await)
}

fn found(offer: &Offer) -> Finding {
    let subject = "isolation";
    match offer.level {
        Isolation::None => Finding::warn(
            subject,
            "none: every job can do what the node's user can do",
            "install bubblewrap and remove isolation from [runner]",
        ),
        Isolation::Namespaces => {
            Finding::ok(subject, format!("namespaces, with bubblewrap ({})", offer.trouble))
        }
        Isolation::Container => Finding::ok(subject, format!("containers, {}", offer.trouble)),
        Isolation::Unavailable => Finding::fail(
            subject,
            format!("none works, so no job starts: {}", offer.trouble),
            "see \"Isolation\" in docs/operating.md",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    #[test]
    fn what_is_missing_fails_and_what_was_chosen_does_not() {
        let trouble = "no bwrap".to_owned();
        let offer =
            |level| Offer { level, trouble: trouble.clone(), namespaces: None, container: None };
        let level = |level| found(&offer(level)).level;
        assert_eq!(level(Isolation::None), Level::Warn);
        assert_eq!(level(Isolation::Namespaces), Level::Ok);
        assert_eq!(level(Isolation::Unavailable), Level::Fail);
        assert!(found(&offer(Isolation::Unavailable)).words.ends_with(": no bwrap"));
    }
}
