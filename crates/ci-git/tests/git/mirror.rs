//! Opening, fetching and reading references.

use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;

use ci_domain::ids::PullNumber;
use ci_git::{Mirror, MirrorConfig, OpenError, Opened, Wanted};

use crate::fixture::{Scene, branch, command, exists, explain, merged, run, write};

#[tokio::test]
async fn a_mirror_is_created_once() {
    let scene = Scene::new().await;
    assert_eq!(scene.open().await.1, Opened::Created);
    assert_eq!(scene.open().await.1, Opened::Existing);
}

#[tokio::test]
async fn a_new_mirror_knows_nothing() {
    let scene = Scene::new().await;
    let (mirror, _) = scene.open().await;
    assert_eq!(mirror.refs().await.unwrap(), ci_git::Refs::default());
}

#[tokio::test]
async fn a_broken_mirror_is_moved_aside_and_replaced() {
    let scene = Scene::new().await;
    let dir = scene.path("mirror.git");
    let tip = scene.origin.tip("main");
    let breakages: [(&str, &dyn Fn()); 6] = [
        ("HEAD", &|| fs::remove_file(dir.join("HEAD")).unwrap()),
        ("config", &|| fs::write(dir.join("config"), "[core").unwrap()),
        ("objects", &|| fs::rename(dir.join("objects"), dir.join("lost")).unwrap()),
        ("reference", &|| fs::write(dir.join("refs/heads/main"), "").unwrap()),
        ("pack", &|| fs::remove_dir_all(dir.join("objects/pack")).unwrap()),
        ("folder", &|| {
            fs::remove_dir_all(&dir).unwrap();
            fs::write(&dir, "a file").unwrap();
        }),
    ];
    for (number, (what, break_it)) in (1..).zip(breakages) {
        let mirror = scene.mirror().await;
        break_it();
        drop(mirror);
        let (mirror, opened) = scene.open().await;
        let Opened::Replaced { moved_to, reason } = opened else { panic!("{what}: {opened:?}") };
        assert_eq!(
            moved_to,
            scene.path(&format!("mirror.git.broken-{number}")),
            "{what}: {reason}"
        );
        assert!(exists(&moved_to), "{what}");
        mirror.fetch().await.unwrap();
        assert_eq!(mirror.refs().await.unwrap().heads[&branch("main")], tip, "{what}");
    }
}

#[tokio::test]
async fn locks_of_a_killed_git_are_removed() {
    let scene = Scene::new().await;
    let mirror = scene.mirror().await;
    let locks = ["HEAD.lock", "packed-refs.lock", "refs/heads/main.lock", "refs/pull/1/head.lock"];
    for lock in locks {
        write(&mirror.dir().join(lock), "");
    }
    scene.origin.write("top", "new\n");
    scene.origin.commit("second");
    assert!(mirror.fetch().await.is_err(), "a lock stops a fetch");
    assert_eq!(scene.open().await.1, Opened::Existing);
    mirror.fetch().await.unwrap();
    assert!(locks.iter().all(|lock| !exists(mirror.dir().join(lock))));
}

#[tokio::test]
async fn opening_waits_for_what_an_earlier_life_has_left_running() {
    let scene = Scene::new().await;
    scene.open().await;
    let lock = File::open(scene.path("mirror.git.lock")).unwrap();
    lock.lock_shared().unwrap();
    let impatient = MirrorConfig { timeout: Duration::from_millis(50), ..scene.config() };
    let error = Mirror::open(impatient).await.unwrap_err();
    assert!(explain(&error).contains("another git command has used it"), "{error}");
    let (opened, ()) = tokio::join!(Mirror::open(scene.config()), async { drop(lock) });
    assert_eq!(opened.unwrap().1, Opened::Existing);
}

#[tokio::test]
async fn a_fetch_brings_heads_pulls_tags_and_the_default_branch() {
    let scene = Scene::new().await;
    let head = scene.origin.pull(7, |origin| origin.write("top", "7\n"));
    scene.origin.git(["tag", "v1", "main"]);
    scene.origin.git(["update-ref", "refs/odd/ref", "main"]);
    scene.origin.branch("develop");
    let mirror = scene.mirror().await;
    let refs = mirror.refs().await.unwrap();
    let heads: Vec<_> = refs.heads.keys().map(|name| name.as_str()).collect();
    assert_eq!(heads, ["develop", "main", "topic-7"]);
    assert_eq!(refs.pulls, [(PullNumber(7), head)].into());
    assert_eq!(refs.default_branch, Some(branch("develop")));
    assert!(mirror.tree(&scene.origin.tip("v1")).await.is_ok());
}

#[tokio::test]
async fn a_fetch_forgets_what_is_gone_but_keeps_what_is_pinned() {
    let scene = Scene::new().await;
    let base = scene.origin.tip("main");
    let head = scene.origin.pull(7, |origin| origin.write("top", "7\n"));
    let mirror = scene.mirror().await;
    let merge = merged(&mirror, &base, &head).await;
    for gone in ["refs/pull/7/head", "refs/heads/topic-7"] {
        scene.origin.git(["update-ref", "-d", gone]);
    }
    scene.origin.git(["update-ref", "refs/heads/topic-7/b", "main"]);
    mirror.fetch().await.unwrap();
    let refs = mirror.refs().await.unwrap();
    assert_eq!(refs.pulls, [].into());
    assert!(refs.heads.contains_key(&branch("topic-7/b")));
    assert_eq!(mirror.pinned(&crate::fixture::pull(1)).await.unwrap(), [merge.commit]);
}

#[tokio::test]
async fn a_forced_push_is_followed() {
    let scene = Scene::new().await;
    let mirror = scene.mirror().await;
    scene.origin.git(["commit", "-q", "--amend", "-m", "other"]);
    for everything in [false, true] {
        let wanted = [Wanted::Branch(branch("main"))];
        match everything {
            true => mirror.fetch().await.unwrap(),
            false => assert_eq!(mirror.fetch_some(&wanted).await.unwrap(), []),
        }
        assert_eq!(mirror.refs().await.unwrap().heads[&branch("main")], scene.origin.tip("main"));
    }
}

#[tokio::test]
async fn a_few_references_are_fetched_alone() {
    let scene = Scene::new().await;
    let head = scene.origin.pull(7, |origin| origin.write("top", "7\n"));
    scene.origin.git(["tag", "v1", "main"]);
    let (mirror, _) = scene.open().await;
    mirror.fetch_some(&[]).await.unwrap();
    mirror.fetch_some(&[Wanted::Pull(PullNumber(7))]).await.unwrap();
    mirror.fetch_some(&[Wanted::Branch(branch("main"))]).await.unwrap();
    let refs = mirror.refs().await.unwrap();
    assert_eq!(refs.heads.keys().collect::<Vec<_>>(), [&branch("main")]);
    assert_eq!(refs.pulls, [(PullNumber(7), head)].into());
}

#[tokio::test]
async fn what_is_gone_keeps_nothing_else_away() {
    let scene = Scene::new().await;
    let head = scene.origin.pull(7, |origin| origin.write("top", "7\n"));
    let (mirror, _) = scene.open().await;
    let gone = [Wanted::Pull(PullNumber(8)), Wanted::Branch(branch("a"))];
    let there = [Wanted::Branch(branch("main")), Wanted::Pull(PullNumber(7))];
    let wanted = [gone.as_slice(), there.as_slice()].concat();
    let mut missed = mirror.fetch_some(&wanted).await.unwrap();
    missed.sort();
    let mut gone = gone.to_vec();
    gone.sort();
    assert_eq!(missed, gone);
    let refs = mirror.refs().await.unwrap();
    assert_eq!(refs.pulls, [(PullNumber(7), head)].into());
    assert_eq!(refs.heads.keys().collect::<Vec<_>>(), [&branch("main")]);
}

#[tokio::test]
async fn many_references_are_put_into_one_file() {
    let scene = Scene::new().await;
    let tip = scene.origin.tip("main");
    let references = (0..300).map(|number| format!("create refs/heads/many-{number} {tip}\n"));
    write(&scene.path("references"), references.collect::<String>());
    let mut update = command(&scene.origin.path);
    let references = File::open(scene.path("references")).unwrap();
    run(update.args(["update-ref", "--stdin"]).stdin(references));
    let (mirror, _) = scene.open().await;
    let wanted: Vec<_> =
        (0..300).map(|number| Wanted::Branch(branch(&format!("many-{number}")))).collect();
    mirror.fetch_some(&wanted).await.unwrap();
    assert!(!exists(mirror.dir().join("refs/heads/many-0")));
    assert_eq!(mirror.refs().await.unwrap().heads.len(), 300);
}

#[tokio::test]
async fn any_branch_name_of_git_is_only_a_name() {
    let scene = Scene::new().await;
    let names =
        ["--upload-pack=touch hacked", "a'b\"c", "🚀", "$(id)", "x;id", "-", "refs/heads/x"];
    let names = names.map(|name| name.replace(' ', "+"));
    for name in &names {
        scene.origin.git(["update-ref", &format!("refs/heads/{name}"), "main"]);
    }
    let (mirror, _) = scene.open().await;
    for name in &names {
        mirror.fetch_some(&[Wanted::Branch(branch(name))]).await.unwrap();
    }
    let heads = mirror.refs().await.unwrap().heads;
    assert!(names.iter().all(|name| heads.contains_key(&branch(name))), "{heads:?}");
}

#[tokio::test]
async fn what_cannot_be_reached_is_said_in_gits_words() {
    let scene = Scene::new().await;
    let nowhere = scene.path("nowhere").to_str().unwrap().to_owned();
    for (url, words) in [
        (nowhere.as_str(), "does not appear to be a git repository"),
        ("http://127.0.0.1:1/a/b.git", "unable to access 'http://127.0.0.1:1/a/b.git/'"),
    ] {
        let config = MirrorConfig { url: url.to_owned(), ..scene.config() };
        let (mirror, _) = Mirror::open(config).await.unwrap();
        let error = explain(&mirror.fetch().await.unwrap_err());
        assert!(error.contains(words), "{error}");
    }
}

#[tokio::test]
async fn an_address_that_runs_programs_is_refused() {
    let scene = Scene::new().await;
    for url in ["ext::sh -c id", "--upload-pack=id", "git://host/x", "https://u:pw@host/x"] {
        let config = MirrorConfig { url: url.to_owned(), ..scene.config() };
        let error = Mirror::open(config).await.unwrap_err();
        assert!(matches!(error, OpenError::Url(_)), "{url}: {error:?}");
        assert!(!explain(&error).contains("pw"), "{error}");
    }
}

#[tokio::test]
async fn an_empty_remote_is_no_error() {
    let scene = Scene::new().await;
    let empty = crate::fixture::Repo::new(scene.path("empty"));
    let url = empty.path.to_str().unwrap().to_owned();
    let (mirror, _) = Mirror::open(MirrorConfig { url, ..scene.config() }).await.unwrap();
    mirror.fetch().await.unwrap();
    assert_eq!(mirror.refs().await.unwrap(), ci_git::Refs::default());
}

#[tokio::test]
async fn maintenance_keeps_everything_that_is_referred_to() {
    let scene = Scene::new().await;
    let mirror = scene.mirror().await;
    mirror.maintain().await.unwrap();
    assert_eq!(mirror.refs().await.unwrap().heads[&branch("main")], scene.origin.tip("main"));
}

#[tokio::test]
async fn damage_deep_in_the_history_is_found_by_whoever_reads_everything() {
    let scene = Scene::new().await;
    let old = scene.origin.git(["rev-parse", "main^{tree}"]);
    scene.origin.write("top", "second\n");
    // What a fetch lets in is no damage.
    scene.origin.git(["-c", "user.email=", "commit", "-q", "--allow-empty", "-m", "odd"]);
    scene.origin.commit("second");
    let dir = scene.mirror().await.dir().to_owned();
    assert_eq!(Mirror::examine(scene.config()).await.unwrap().1, Opened::Existing);
    unpack(&dir);
    fs::remove_file(dir.join("objects").join(&old[..2]).join(&old[2..])).unwrap();
    assert_eq!(scene.open().await.1, Opened::Existing, "the tips are sound");
    let (mirror, opened) = Mirror::examine(scene.config()).await.unwrap();
    let Opened::Replaced { reason, .. } = opened else { panic!("{opened:?}") };
    assert!(reason.contains(&old), "{reason}");
    mirror.fetch().await.unwrap();
    assert_eq!(Mirror::examine(scene.config()).await.unwrap().1, Opened::Existing);
}

/// Has each object be a file of its own.
fn unpack(mirror: &Path) {
    let packs = mirror.with_extension("packs");
    fs::rename(mirror.join("objects/pack"), &packs).unwrap();
    for entry in fs::read_dir(packs).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "pack") {
            let pack = File::open(path).unwrap();
            run(command(mirror).args(["unpack-objects", "-q"]).stdin(pack));
        }
    }
}
