//! The sample monorepo of the demo and its pull requests, made with git like any other.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use ci_domain::ids::{BranchName, CommitSha, Login, PullNumber};
use ci_github::{LocalForge, NewLocalPull};
use tokio::process::Command;

/// The files of the default branch.
const FILES: [(&str, &str); 13] = [
    ("README.md", include_str!("../../demo/shop/README.md")),
    ("ci-policy.yaml", include_str!("../../demo/shop/ci-policy.yaml")),
    ("pricing/ci.yaml", include_str!("../../demo/shop/pricing/component.yaml")),
    ("pricing/round.sh", include_str!("../../demo/shop/pricing/round.sh")),
    ("pricing/round_test.sh", include_str!("../../demo/shop/pricing/round_test.sh")),
    ("pricing/total.sh", include_str!("../../demo/shop/pricing/total.sh")),
    ("pricing/total_test.sh", include_str!("../../demo/shop/pricing/total_test.sh")),
    ("cart/ci.yaml", include_str!("../../demo/shop/cart/component.yaml")),
    ("cart/cart.sh", include_str!("../../demo/shop/cart/cart.sh")),
    ("cart/cart_test.sh", include_str!("../../demo/shop/cart/cart_test.sh")),
    ("website/ci.yaml", include_str!("../../demo/shop/website/component.yaml")),
    ("website/build.sh", include_str!("../../demo/shop/website/build.sh")),
    ("VERSION", "1.0.0\n"),
];

/// A pull request of the sample, and the verdict that it should have in the end.
pub(super) struct SamplePull {
    pub(super) number: PullNumber,
    pub(super) title: &'static str,
    pub(super) expected: &'static str,
}

/// What a pull request changes.
struct Proposal {
    title: &'static str,
    author: &'static str,
    branch: &'static str,
    file: &'static str,
    find: &'static str,
    replace: &'static str,
    is_approved: bool,
    expected: &'static str,
}

const PROPOSALS: [Proposal; 4] = [
    Proposal {
        title: "Greet the customer",
        author: "ada",
        branch: "greeting",
        file: "website/build.sh",
        find: "<h1>Your cart</h1>",
        replace: "<h1>Welcome back! Your cart</h1>",
        is_approved: true,
        expected: "pull request can be merged",
    },
    Proposal {
        title: "Round prices down",
        author: "grace",
        branch: "round-down",
        file: "pricing/round.sh",
        find: "($1 + 5) / 10",
        replace: "$1 / 10",
        is_approved: true,
        expected: "pricing:test failed",
    },
    Proposal {
        title: "Release 2.0.0",
        author: "barbara",
        branch: "release-2",
        file: "VERSION",
        find: "1.0.0",
        replace: "2.0.0",
        is_approved: false,
        expected: "there are merge conflicts",
    },
    Proposal {
        title: "Write the bill in euros",
        author: "alan",
        branch: "euros",
        file: "cart/cart.sh",
        find: "Prints the bill",
        replace: "Prints the bill in euros",
        is_approved: false,
        expected: "awaiting approval",
    },
];

/// Makes the repository at `bare`, working in `folder`, and opens its pull requests.
///
/// # Errors
/// Git failed, or a file cannot be written.
pub(super) async fn make(folder: &Path, bare: &Path) -> Result<Vec<SamplePull>> {
    let work = folder.join("author");
    let git = Author { work: work.clone() };
    for (path, content) in FILES {
        write(&work.join(path), content)?;
    }
    git.run(&["init", "--quiet", "--initial-branch=main"]).await?;
    git.commit("Sell things").await?;
    for proposal in &PROPOSALS {
        git.run(&["switch", "--quiet", "--create", proposal.branch, "main"]).await?;
        let path = work.join(proposal.file);
        let text = std::fs::read_to_string(&path)?;
        write(&path, &text.replace(proposal.find, proposal.replace))?;
        git.commit(proposal.title).await?;
    }
    // The default branch goes on, so that one of them conflicts.
    git.run(&["switch", "--quiet", "main"]).await?;
    write(&work.join("VERSION"), "1.1.0\n")?;
    git.commit("Release 1.1.0").await?;
    let bare_text = bare.to_str().context("the temporary folder is not UTF-8")?;
    git.run(&["clone", "--quiet", "--bare", ".", bare_text]).await?;
    open_pulls(&git, bare).await
}

async fn open_pulls(git: &Author, bare: &Path) -> Result<Vec<SamplePull>> {
    let forge = LocalForge::open(bare.to_owned())?;
    let reviewer = Login::new("linus")?;
    forge.grant(reviewer.clone()).await?;
    let mut pulls = Vec::new();
    for proposal in &PROPOSALS {
        let head = git.run(&["rev-parse", &format!("refs/heads/{}", proposal.branch)]).await?;
        let number = forge
            .open_pull(NewLocalPull {
                title: proposal.title.to_owned(),
                author: Login::new(proposal.author)?,
                base: BranchName::new("main")?,
                head: CommitSha::new(head.trim())?,
                head_branch: BranchName::new(proposal.branch)?,
                draft: false,
                fork: None,
            })
            .await?;
        if proposal.is_approved {
            forge.approve(number, reviewer.clone()).await?;
        }
        let (title, expected) = (proposal.title, proposal.expected);
        pulls.push(SamplePull { number, title, expected });
    }
    Ok(pulls)
}

fn write(path: &Path, content: &str) -> Result<()> {
    let folder = path.parent().context("every sample file is in a folder")?;
    std::fs::create_dir_all(folder)?;
    std::fs::write(path, content).with_context(|| format!("failed to write {}", path.display()))
}

/// The author's working copy.
struct Author {
    work: PathBuf,
}

impl Author {
    async fn commit(&self, message: &str) -> Result<()> {
        self.run(&["add", "--all"]).await?;
        self.run(&["commit", "--quiet", "--message", message]).await.map(|_| ())
    }

    async fn run(&self, arguments: &[&str]) -> Result<String> {
        let output = Command::new("git")
            .args(["-c", "user.name=Demo", "-c", "user.email=demo@localhost"])
            .args(["-c", "commit.gpgSign=false", "-c", "core.hooksPath=/dev/null"])
            .args(arguments)
            .current_dir(&self.work)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .output()
            .await
            .context("failed to run git")?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("failed to run git {}: {}", arguments.join(" "), said.trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}
