//! What people do to their pull requests, and what of it the model must know: which files are in a commit.

use std::collections::{BTreeMap, BTreeSet};

use ci_domain::forge::{Head, PullState, ReviewState};
use ci_domain::ids::{CommitSha, PullNumber};
use ci_github::fake::NewPull;

use crate::chance::Chance;
use crate::chaos::model::{Model, Tree};
use crate::repository::Change;
use crate::world::{World, branch, login};

const COMPONENTS: u64 = 3;
/// Those who may write, and one who may not.
const WRITERS: [&str; 2] = ["grace", "linus"];
const OUTSIDER: &str = "eve";
/// Every so many pull requests one is from her fork.
const FORKS: u64 = 3;

const PIPELINE: &str = "
jobs:
  compile: ['sleep 0.2', '! grep -qs ^broken p*']
  test: ['! grep -qs ^bad p*']
";
const COMPLIANCE: &str = "  compliance: {when: approved, needs: test, steps: ['true']}\n";

/// Everybody, and what they have pushed.
pub struct People {
    pulls: u64,
    /// What each state of the default branch holds, the oldest first; the other base stays at the oldest.
    main: Vec<Tree>,
    /// What the head of each pull request holds, and the state of main it is based on.
    heads: BTreeMap<CommitSha, (Tree, usize)>,
    /// The heads that were there before the node first looked.
    older: BTreeSet<CommitSha>,
    /// Commands that must be answered, by the id of their comments.
    commands: Vec<(PullNumber, u64)>,
    /// The heads whose jobs somebody has cancelled, if any ran.
    cancelled: BTreeSet<CommitSha>,
    acts: u64,
}

/// The files that there are at first.
pub fn files() -> Vec<(String, String)> {
    let mut files = vec![
        ("ci-policy.yaml".to_owned(), "ignore: ['docs/**']\n".to_owned()),
        ("docs/page".to_owned(), "words\n".to_owned()),
    ];
    for number in 0..COMPONENTS {
        let depends = if number == 2 { "depends_on: [c1]" } else { "" };
        let more = if number == 0 { COMPLIANCE } else { "" };
        files.push((format!("c{number}/ci.yaml"), format!("{depends}{PIPELINE}{more}")));
        files.push((format!("c{number}/line"), "first\n".to_owned()));
    }
    files
}

impl People {
    /// Lets everybody open a pull request, some from a fork where those can be built.
    pub fn of(world: &World, pulls: u64, has_forks: bool) -> Self {
        world.repo.grant(&login("grace"));
        world.git.set("refs/heads/release", &world.tip());
        world.repo.push(&branch("release"), &world.tip());
        let main = vec![files().into_iter().collect()];
        let (heads, commands) = (BTreeMap::new(), Vec::new());
        let (older, cancelled) = (BTreeSet::new(), BTreeSet::new());
        let mut people = Self { pulls, main, heads, older, commands, cancelled, acts: 0 };
        for number in 1..=pulls {
            let changes = people.change(number, "good", None);
            let from = format!("change-{number}");
            let sha = world.commit(&from, &as_changes(&changes));
            let fork = (has_forks && number % FORKS == 0).then(|| "eve/shop".parse().unwrap());
            let repo = fork.unwrap_or_else(|| world.repo.name().clone());
            let head = Head { sha, branch: branch(&from), repo: Some(repo) };
            let (title, author) = (format!("Change {number}"), login("ada"));
            let pull = NewPull { title, author, head, base: branch("main"), draft: false };
            assert_eq!(world.repo.open_pull(pull), PullNumber(number));
            people.point(world, PullNumber(number));
            people.note(world.head(PullNumber(number)), changes, None);
            people.older.insert(world.head(PullNumber(number)));
        }
        people
    }

    pub fn all(&self) -> impl Iterator<Item = PullNumber> {
        (1..=self.pulls).map(PullNumber)
    }

    /// The pull requests that are open in the end.
    pub fn open(&self, world: &World) -> Vec<PullNumber> {
        let is_open = |pull: &PullNumber| world.repo.pull(*pull).state == PullState::Open;
        self.all().filter(is_open).collect()
    }

    /// One of them does something.
    pub fn act(&mut self, world: &World, chance: &mut Chance) {
        self.acts += 1;
        let pull = PullNumber(1 + chance.below(self.pulls));
        let is_open = world.repo.pull(pull).state == PullState::Open;
        let writer = login(pick(chance, &WRITERS));
        match chance.below(16) {
            _ if !is_open => world.repo.reopen(pull),
            0..=2 => self.push(world, pull, chance),
            3 => self.force_push(world, pull, chance),
            4 => self.push_main(world, chance),
            5 => {
                world.repo.close(pull);
                // Nobody answers there.
                self.commands.retain(|(of, _)| *of != pull);
            }
            6 => {
                let base = if chance.below(2) == 0 { "main" } else { "release" };
                world.repo.retarget(pull, branch(base));
            }
            7 => world.repo.set_draft(pull, chance.below(2) == 0),
            8 => world.repo.retitle(pull, &format!("Title {}", self.acts)),
            9 | 10 => drop(world.repo.review(pull, &writer, ReviewState::Approved)),
            11 => drop(world.repo.review(pull, &writer, ReviewState::ChangesRequested)),
            12 => drop(world.repo.review(pull, &login(OUTSIDER), ReviewState::Approved)),
            13 => self.dismiss(world, pull),
            14 => self.command(world, pull, chance),
            _ => drop(world.repo.comment(pull, &login(OUTSIDER), "/ci force all")),
        }
    }

    /// What there is to say about a pull request.
    pub fn model(&self, world: &World, pull: PullNumber) -> Model {
        let facts = world.repo.pull(pull);
        let (head, fork) = &self.heads[&facts.head.sha];
        let is_main = facts.base.as_str() == "main";
        let newest = self.main.len() - 1;
        let (fork, base) = if is_main { (*fork, newest) } else { (0, 0) };
        Model {
            is_older: self.older.contains(&facts.head.sha),
            is_fork: facts.from_fork(world.repo.name()),
            writers: WRITERS.map(login).into(),
            fork: self.main[fork].clone(),
            head: head.clone(),
            base: self.main[base].clone(),
            facts,
        }
    }

    /// Commands that nobody has answered, by a reaction or by words.
    pub fn unanswered(&self, world: &World, pull: PullNumber) -> Vec<String> {
        let comments = world.comments(pull);
        let asked = self.commands.iter().filter(|(of, _)| *of == pull);
        let open = asked.filter_map(|(_, id)| {
            let comment = comments.iter().find(|comment| comment.id.0 == *id)?;
            let is_answer = |body: &str| body.contains(&format!(":answer:{id} -->"));
            let is_answered = !comment.reactions.is_empty()
                || comments.iter().any(|other| is_answer(&other.body));
            (!is_answered).then(|| comment.body.clone())
        });
        open.collect()
    }

    fn push(&mut self, world: &World, pull: PullNumber, chance: &mut Chance) {
        let line = (chance.below(4) == 0).then(|| chance.below(COMPONENTS));
        let changes = self.change(pull.0, word(chance), line);
        let before = world.head(pull);
        let sha = world.push_pull(pull, &as_changes(&changes));
        self.note(sha, changes, Some(before));
    }

    fn force_push(&mut self, world: &World, pull: PullNumber, chance: &mut Chance) {
        let changes = self.change(pull.0, word(chance), None);
        let sha = world.commit(&format!("change-{pull}"), &as_changes(&changes));
        world.repo.push_pull(pull, &sha);
        self.point(world, pull);
        self.note(sha, changes, None);
    }

    /// Somebody changes main, where others may have changed it, too.
    fn push_main(&mut self, world: &World, chance: &mut Chance) {
        let text = format!("main {}\n", self.acts);
        let path = match chance.below(2) {
            0 => "docs/page".to_owned(),
            _ => format!("c{}/line", chance.below(COMPONENTS)),
        };
        world.push_main(&[Change::file(path.clone(), text.clone())]);
        let mut tree = self.main[self.main.len() - 1].clone();
        tree.insert(path, text);
        self.main.push(tree);
    }

    fn dismiss(&self, world: &World, pull: PullNumber) {
        let reviews = world.repo.pull(pull).reviews;
        if let Some(review) = reviews.iter().rfind(|review| review.author.as_str() != OUTSIDER) {
            world.repo.dismiss(pull, review.id);
        }
    }

    fn command(&mut self, world: &World, pull: PullNumber, chance: &mut Chance) {
        let command = pick(chance, &["/ci retry", "/ci force all", "/ci why", "/ci cancel"]);
        if command == "/ci cancel" {
            self.cancelled.insert(world.head(pull));
        }
        self.say(world, pull, command);
    }

    /// Has run again what somebody cancelled, once nobody waits for an answer: whatever was cancelled, and
    /// when, is not for a model to know.
    pub fn make_up_for_cancelling(&mut self, world: &World) {
        for pull in self.open(world) {
            let was_cancelled = self.cancelled.contains(&world.head(pull));
            if was_cancelled
                && world.umbrella(pull).contains("cancelled")
                && self.unanswered(world, pull).is_empty()
            {
                self.say(world, pull, "/ci retry");
            }
        }
    }

    fn say(&mut self, world: &World, pull: PullNumber, command: &str) {
        let id = world.repo.comment(pull, &login(WRITERS[0]), command);
        self.commands.push((pull, id.0));
    }

    /// A file that no other pull request has, and now and then a line that others change, too.
    fn change(&self, pull: u64, word: &str, line: Option<u64>) -> Tree {
        let component = pull % COMPONENTS;
        let mut tree = Tree::new();
        tree.insert(format!("c{component}/p{pull}"), format!("{word} {}\n", self.acts));
        if let Some(line) = line {
            tree.insert(format!("c{line}/line"), format!("{pull} {}\n", self.acts));
        }
        tree
    }

    /// Notes what is in a new head: these changes, on what was before, else on main.
    fn note(&mut self, sha: CommitSha, changes: Tree, before: Option<CommitSha>) {
        let newest = self.main.len() - 1;
        let on_main = || (self.main[newest].clone(), newest);
        let (mut tree, fork) = before.map_or_else(on_main, |sha| self.heads[&sha].clone());
        tree.extend(changes);
        self.heads.insert(sha, (tree, fork));
    }

    fn point(&self, world: &World, pull: PullNumber) {
        world.git.set(&format!("refs/pull/{pull}/head"), &world.head(pull));
    }
}

fn word(chance: &mut Chance) -> &'static str {
    pick(chance, &["good", "good", "good", "bad", "broken"])
}

fn pick(chance: &mut Chance, all: &[&'static str]) -> &'static str {
    all[usize::try_from(chance.below(all.len() as u64)).unwrap()]
}

fn as_changes(tree: &Tree) -> Vec<Change> {
    tree.iter().map(|(path, text)| Change::file(path.clone(), text.clone())).collect()
}
