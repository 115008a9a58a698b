//! Trees and the contents of files.

use ci_git::{Content, EntryKind, Mirror, Tree};

use crate::fixture::Scene;

#[tokio::test]
async fn a_tree_lists_every_file_with_its_kind() {
    let scene = Scene::new().await;
    scene.origin.write("a b/ci.yaml", "jobs: {}\n");
    scene.origin.write("ci.yaml", "jobs: {}\n");
    scene.origin.write("a b-c", "sorts before its neighbour's files\n");
    std::os::unix::fs::symlink("/etc/passwd", scene.origin.path.join("lib/ci.yaml")).unwrap();
    scene.origin.git(["add", "-A"]);
    scene.origin.git(["update-index", "--chmod=+x", "top"]);
    let submodule = format!("160000,{},sub", scene.origin.tip("main"));
    scene.origin.git(["update-index", "--add", "--cacheinfo", &submodule]);
    scene.origin.git(["commit", "-q", "-m", "kinds"]);
    let mirror = scene.mirror().await;
    let tree = scene.main_tree(&mirror).await;
    assert_eq!(tree.commit(), &scene.origin.tip("main"));
    let pipelines: Vec<_> =
        tree.named("ci.yaml").map(|entry| (entry.path.as_str(), entry.kind)).collect();
    assert_eq!(
        pipelines,
        [
            ("a b/ci.yaml", EntryKind::Regular),
            ("ci.yaml", EntryKind::Regular),
            ("lib/ci.yaml", EntryKind::Symlink)
        ]
    );
    assert_eq!(tree.get("top").unwrap().kind, EntryKind::Executable);
    assert_eq!(tree.get("sub").unwrap().kind, EntryKind::Submodule);
    assert_eq!(tree.get("lib"), None);
    assert_eq!(tree.get("ci.yaml").unwrap().object, tree.get("a b/ci.yaml").unwrap().object);
    assert!(tree.entries().is_sorted_by_key(|entry| entry.path.as_str()));
}

#[tokio::test]
async fn contents_come_in_the_order_of_their_paths() {
    let scene = Scene::new().await;
    scene.origin.write("empty", "");
    scene.origin.write("large", vec![b'x'; 10 * 1024 * 1024]);
    scene.origin.write("binary", [0, 10, 255, 10]);
    let submodule = format!("160000,{},sub", "0123456789".repeat(4));
    scene.origin.git(["update-index", "--add", "--cacheinfo", &submodule]);
    std::os::unix::fs::symlink("top", scene.origin.path.join("link")).unwrap();
    scene.origin.git(["add", "empty", "large", "binary", "link"]);
    scene.origin.git(["commit", "-q", "-m", "contents"]);
    let mirror = scene.mirror().await;
    let tree = scene.main_tree(&mirror).await;
    let content = |bytes: &[u8]| Content::Bytes(bytes.to_owned());
    assert_eq!(
        read(&mirror, &tree, |_| true, 1024).await,
        [
            (".gitignore", content(b"build/\n*.o\n")),
            ("binary", content(&[0, 10, 255, 10])),
            ("empty", content(b"")),
            ("large", Content::TooLarge { size: 10 * 1024 * 1024 }),
            ("lib/a", content(b"a\n")),
            ("link", Content::Symlink),
            ("sub", Content::Submodule),
            ("top", content(b"top\n")),
        ]
        .map(|(path, content)| (path.to_owned(), content))
    );
    assert_eq!(read(&mirror, &tree, |_| false, 1024).await, []);
    let all = read(&mirror, &tree, |path| path == "large", u64::MAX).await;
    assert_eq!(all, [("large".to_owned(), Content::Bytes(vec![b'x'; 10 * 1024 * 1024]))]);
}

#[tokio::test]
async fn what_git_has_lost_is_no_empty_file() {
    let scene = Scene::new().await;
    let mirror = scene.mirror().await;
    let tree = scene.main_tree(&mirror).await;
    std::fs::remove_dir_all(mirror.dir().join("objects/pack")).unwrap();
    let error = mirror.read_files(&tree, |path| path == "top", 1024).await.unwrap_err();
    let said = error.to_string();
    assert!(said.contains(&format!("{} missing", tree.get("top").unwrap().object)), "{said}");
}

#[tokio::test]
async fn many_contents_fit_through_the_pipes() {
    let scene = Scene::new().await;
    for number in 0..6000 {
        scene.origin.write(&format!("many/{number}"), format!("{}\n", number % 300).repeat(2000));
    }
    scene.origin.commit("many");
    let mirror = scene.mirror().await;
    let tree = scene.main_tree(&mirror).await;
    let files = mirror.read_files(&tree, |_| true, u64::MAX).await.unwrap();
    assert_eq!(files.len(), tree.entries().len());
    assert!(files.iter().all(|(_, content)| matches!(content, Content::Bytes(_))));
}

async fn read(
    mirror: &Mirror,
    tree: &Tree,
    wanted: impl Fn(&str) -> bool,
    most: u64,
) -> Vec<(String, Content)> {
    let files = mirror.read_files(tree, wanted, most).await.unwrap().into_iter();
    files.map(|(path, content)| (path.as_str().to_owned(), content)).collect()
}
