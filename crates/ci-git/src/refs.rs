//! The branches and pull heads that a mirror has.

use std::collections::BTreeMap;

use ci_domain::ids::{BranchName, CommitSha, PullNumber};

use crate::command::CommandError;
use crate::repository::Repository;

/// `HEAD` is marked by a star; the name comes last because it may contain anything but a space.
const FORMAT: &str = "--format=%(HEAD) %(objectname) %(refname)";

/// What a mirror knew of its remote after the last fetch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refs {
    /// The tip of each branch.
    pub heads: BTreeMap<BranchName, CommitSha>,
    /// The head of each pull request, closed ones included.
    pub pulls: BTreeMap<PullNumber, CommitSha>,
    /// The branch that the remote's `HEAD` names, once that has been fetched.
    pub default_branch: Option<BranchName>,
}

impl Repository {
    pub(crate) async fn refs(&self) -> Result<Refs, CommandError> {
        let args = [FORMAT, "--", "refs/heads/", "refs/pull/"];
        let listing = self.command("for-each-ref").args(args).run().await?;
        Ok(parse(&listing.stdout))
    }
}

/// Reads one reference per line and skips those that are neither a branch nor a pull head: a remote
/// may have any.
fn parse(listing: &[u8]) -> Refs {
    let mut refs = Refs::default();
    for line in listing.split(|byte| *byte == b'\n').filter_map(|line| str::from_utf8(line).ok()) {
        let Some((is_head, sha, name)) = parse_line(line) else { continue };
        if let Some(branch) = branch(name) {
            if is_head {
                refs.default_branch = Some(branch.clone());
            }
            refs.heads.insert(branch, sha);
        } else if let Some(pull) = pull(name) {
            refs.pulls.insert(pull, sha);
        }
    }
    refs
}

fn parse_line(line: &str) -> Option<(bool, CommitSha, &str)> {
    let (mark, rest) = line.split_at_checked(2)?;
    let (sha, name) = rest.split_once(' ')?;
    Some((mark == "* ", CommitSha::new(sha).ok()?, name))
}

/// The branch that `name` is the full reference of.
pub(crate) fn branch(name: &str) -> Option<BranchName> {
    BranchName::new(name.strip_prefix("refs/heads/")?).ok()
}

fn pull(name: &str) -> Option<PullNumber> {
    let number = name.strip_prefix("refs/pull/")?.strip_suffix("/head")?;
    number.parse().ok().map(PullNumber)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA: &str = "ce013625030ba8dba906f756967f9e9ca394464a";

    #[test]
    fn odd_references_are_skipped() {
        let listing = [
            format!("* {SHA} refs/heads/main"),
            format!("  {SHA} refs/heads/--upload-pack=x"),
            format!("  {SHA} refs/heads/🚀/a'b\"c"),
            format!("  {SHA} refs/pull/12/head"),
            format!("  {SHA} refs/pull/12/merge"),
            format!("  {SHA} refs/pull/x/head"),
            "  abc refs/heads/short".to_owned(),
            "é".to_owned(),
            String::new(),
        ];
        let refs = parse(listing.join("\n").as_bytes());
        let heads: Vec<_> = refs.heads.keys().map(BranchName::as_str).collect();
        assert_eq!(heads, ["--upload-pack=x", "main", "🚀/a'b\"c"]);
        assert_eq!(refs.pulls.keys().collect::<Vec<_>>(), [&PullNumber(12)]);
        assert_eq!(refs.default_branch.unwrap().as_str(), "main");
    }
}
