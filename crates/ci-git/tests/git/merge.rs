//! Merges, pins, and what merges change.

use ci_domain::ids::CommitSha;
use ci_git::{ChangeKind, Merge, MergeError, MergeRequest, Mirror, MirrorConfig, Subject};

use crate::fixture::{Repo, Scene, branch, command, merged, pull, run};

/// What a pull request does to its files.
type Edit = fn(&Repo);

fn show(mirror: &Mirror, commit: &CommitSha, format: &str) -> String {
    let format = format!("--format={format}");
    run(command(mirror.dir()).args(["show", "-s", &format, commit.as_str()]))
}

/// The paths in conflict when the two are merged.
async fn conflict(mirror: &Mirror, base: &CommitSha, head: &CommitSha) -> Vec<String> {
    match mirror.merge(MergeRequest { base, head, pin: &pull(1) }).await.unwrap() {
        Merge::Conflict { paths } => paths.iter().map(ToString::to_string).collect(),
        clean @ Merge::Clean(_) => panic!("{clean:?}"),
    }
}

#[tokio::test]
async fn the_same_parents_give_the_same_commit_everywhere() {
    let scene = Scene::new().await;
    let head = scene.origin.pull(1, |origin| origin.write("lib/a", "pull\n"));
    scene.origin.write("top", "base\n");
    let base = scene.origin.commit("base");
    let mirror = scene.mirror().await;
    let merge = merged(&mirror, &base, &head).await;
    assert_eq!(merge, merged(&mirror, &base, &head).await);

    let elsewhere = MirrorConfig { dir: scene.path("other.git"), ..scene.config() };
    let (other, _) = Mirror::open(elsewhere).await.unwrap();
    other.fetch().await.unwrap();
    assert_eq!(merge, merged(&other, &base, &head).await);

    let shown = show(&mirror, &merge.commit, "%an <%ae> %cn <%ce> %at %ct %cI %P %T");
    let (base, head, tree) = (base.as_str(), head.as_str(), merge.tree.as_str());
    let author = "ci-node <ci-node@localhost> ci-node <ci-node@localhost>";
    let date = "1700000003 1700000003 2023-11-14T22:13:23Z";
    assert_eq!(shown.replace("+00:00", "Z"), format!("{author} {date} {base} {head} {tree}"));
}

#[tokio::test]
async fn a_parent_that_contains_the_other_still_gives_a_merge() {
    let scene = Scene::new().await;
    let old = scene.origin.tip("main");
    scene.origin.write("top", "new\n");
    let new = scene.origin.commit("new");
    let mirror = scene.mirror().await;
    let tree = scene.origin.git(["rev-parse", "main^{tree}"]);
    for (base, head) in [(&old, &new), (&new, &old)] {
        let merge = merged(&mirror, base, head).await;
        assert_eq!(merge.tree.as_str(), tree);
        assert_eq!(show(&mirror, &merge.commit, "%P"), format!("{base} {head}"));
    }
    let merge = merged(&mirror, &new, &new).await;
    assert_eq!(show(&mirror, &merge.commit, "%P %T"), format!("{new} {tree}"));
}

#[tokio::test]
async fn a_conflict_names_its_paths() {
    let scene = Scene::new().await;
    let head = scene.origin.pull(1, |origin| {
        origin.write("top", "pull\n");
        origin.write("new\nline é", "pull\n");
        origin.remove("lib/a");
    });
    scene.origin.write("top", "base\n");
    scene.origin.write("new\nline é", "base\n");
    scene.origin.write("lib/a", "base\n");
    let base = scene.origin.commit("base");
    let mirror = scene.mirror().await;
    assert_eq!(conflict(&mirror, &base, &head).await, ["lib/a", "new\nline é", "top"]);
    assert_eq!(mirror.pinned(&pull(1)).await.unwrap(), []);
}

#[tokio::test]
async fn histories_without_a_common_ancestor_conflict() {
    let scene = Scene::new().await;
    let base = scene.origin.tip("main");
    scene.origin.git(["checkout", "-q", "--orphan", "stranger"]);
    let head = scene.origin.commit("stranger");
    let mirror = scene.mirror().await;
    assert_eq!(conflict(&mirror, &base, &head).await, [""; 0]);
}

#[tokio::test]
async fn a_missing_commit_is_told_by_name() {
    let scene = Scene::new().await;
    let there = scene.origin.tip("main");
    let mirror = scene.mirror().await;
    let tree = CommitSha::new(scene.origin.git(["rev-parse", "main^{tree}"])).unwrap();
    for gone in [CommitSha::new("0123456789".repeat(4)).unwrap(), tree] {
        for (base, head) in [(&there, &gone), (&gone, &there), (&gone, &gone)] {
            match mirror.merge(MergeRequest { base, head, pin: &pull(1) }).await {
                Err(MergeError::MissingCommit { commit }) => assert_eq!(commit, gone),
                other => panic!("{other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn pins_last_until_they_are_released() {
    let scene = Scene::new().await;
    let base = scene.origin.tip("main");
    let mirror = scene.mirror().await;
    let release = Subject::Branch(branch("release/--x 🚀'".replace(' ', "+").as_str()));
    let subjects = [pull(1), pull(11), release];
    for subject in &subjects {
        mirror.pin(subject, &base).await.unwrap();
    }
    let merge = merged(&mirror, &base, &base).await.commit;
    assert_eq!(mirror.pinned(&pull(1)).await.unwrap().len(), 2);
    mirror.unpin(&pull(1), &base).await.unwrap();
    mirror.unpin(&pull(1), &base).await.unwrap();
    assert_eq!(mirror.pinned(&pull(1)).await.unwrap(), [merge]);
    mirror.release(&pull(1)).await.unwrap();
    let pinned = async || {
        let mut counts = Vec::new();
        for subject in &subjects {
            counts.push(mirror.pinned(subject).await.unwrap().len());
        }
        counts
    };
    assert_eq!(pinned().await, [0, 1, 1]);
    mirror.release_others(&subjects[2..]).await.unwrap();
    assert_eq!(pinned().await, [0, 0, 1]);
}

#[tokio::test]
async fn a_merge_changes_what_the_pull_request_changes() {
    let scene = Scene::new().await;
    scene.origin.write("old", "a file that is long enough to be found again\n");
    scene.origin.write("odd", "odd\n");
    scene.origin.commit("more");
    let head = scene.origin.pull(1, |origin| {
        origin.git(["mv", "old", "new name\n"]);
        origin.write("--x", "");
        origin.remove("odd");
        std::os::unix::fs::symlink("top", origin.path.join("odd")).unwrap();
        let latin1 = std::os::unix::ffi::OsStrExt::from_bytes(b"caf\xe9");
        std::fs::write(origin.path.join::<&std::ffi::OsStr>(latin1), "").unwrap();
    });
    scene.origin.write("top", "base\n");
    let base = scene.origin.commit("base");
    let mirror = scene.mirror().await;
    let merge = merged(&mirror, &base, &head).await;
    let changes = merge.files.changes_from(&mirror.tree(&base).await.unwrap());
    // One that was opened later has not listed it when it was made.
    assert_eq!(merge.files, scene.open().await.0.tree(&merge.commit).await.unwrap());
    let changes: Vec<_> = changes
        .iter()
        .map(|change| (change.path.as_str(), change.path.is_lossy(), change.kind))
        .collect();
    assert_eq!(
        changes,
        [
            ("--x", false, ChangeKind::Added),
            ("caf\u{fffd}", true, ChangeKind::Added),
            ("new name\n", false, ChangeKind::Added),
            ("odd", false, ChangeKind::Modified),
            ("old", false, ChangeKind::Deleted),
        ]
    );
}

#[tokio::test]
async fn a_merge_is_listed_like_any_commit() {
    let scene = Scene::new().await;
    for path in ["deep/a/b/c/file", "deep/a/other", "folder/x", "folder/y", "file", "same/z"] {
        scene.origin.write(path, format!("{path}\n"));
    }
    let base = scene.origin.commit("base");
    let changes: [(&str, Edit); 8] = [
        ("nothing", |_| ()),
        ("content, deep", |origin| origin.write("deep/a/b/c/file", "new\n")),
        ("permission", |origin| {
            let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            std::fs::set_permissions(origin.path.join("file"), executable).unwrap();
        }),
        ("a folder in place of a file", |origin| {
            origin.remove("file");
            origin.write("file/in/it", "new\n");
        }),
        ("a file in place of a folder", |origin| {
            origin.git(["rm", "-r", "-q", "folder"]);
            origin.write("folder", "new\n");
        }),
        ("a folder goes", |origin| drop(origin.git(["rm", "-r", "-q", "deep"]))),
        ("a folder comes, and sorts between others", |origin| {
            origin.write("folder.d/new", "new\n");
            origin.write("folder-d/new", "new\n");
        }),
        ("a link, a submodule and a name that is no text", |origin| {
            std::os::unix::fs::symlink("file", origin.path.join("same/link")).unwrap();
            let latin1 = std::os::unix::ffi::OsStrExt::from_bytes(b"same/caf\xe9");
            std::fs::write(origin.path.join::<&std::ffi::OsStr>(latin1), "").unwrap();
            Repo::new(origin.path.join("same/sub")).commit("of another repository");
        }),
    ];
    for (number, (what, change)) in (1..).zip(changes) {
        let head = scene.origin.pull(number, change);
        let mirror = scene.mirror().await;
        let merge = merged(&mirror, &base, &head).await;
        // One that was opened later lists it all.
        let listed = scene.open().await.0.tree(&merge.commit).await.unwrap();
        assert_eq!(merge.files, listed, "{what}");
    }
}
