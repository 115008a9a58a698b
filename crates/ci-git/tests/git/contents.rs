//! Trees and the contents of files.

use ci_git::{Blob, EntryKind};

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
async fn contents_come_in_the_order_asked_for() {
    let scene = Scene::new().await;
    scene.origin.write("empty", "");
    scene.origin.write("large", vec![b'x'; 10 * 1024 * 1024]);
    scene.origin.write("binary", [0, 10, 255, 10]);
    let submodule = format!("160000,{},sub", "0123456789".repeat(4));
    scene.origin.git(["update-index", "--add", "--cacheinfo", &submodule]);
    scene.origin.git(["add", "empty", "large", "binary"]);
    scene.origin.git(["commit", "-q", "-m", "contents"]);
    let mirror = scene.mirror().await;
    let tree = scene.main_tree(&mirror).await;
    let objects = ["top", "large", "sub", "binary", "empty", "top"]
        .map(|path| tree.get(path).unwrap().object.clone());
    let blobs = mirror.read_blobs(&objects, 1024).await.unwrap();
    let content = |bytes: &[u8]| Blob::Content(bytes.to_owned());
    assert_eq!(
        blobs,
        [
            content(b"top\n"),
            Blob::TooLarge { size: 10 * 1024 * 1024 },
            Blob::Missing,
            content(&[0, 10, 255, 10]),
            content(b""),
            content(b"top\n"),
        ]
    );
    assert_eq!(mirror.read_blobs(&[], 1024).await.unwrap(), []);
    let all = mirror.read_blobs(&objects[1..2], u64::MAX).await.unwrap();
    assert_eq!(all, [Blob::Content(vec![b'x'; 10 * 1024 * 1024])]);
}

#[tokio::test]
async fn many_contents_fit_through_the_pipes() {
    let scene = Scene::new().await;
    for number in 0..300 {
        scene.origin.write(&format!("many/{number}"), format!("{number}\n").repeat(2000));
    }
    scene.origin.commit("many");
    let mirror = scene.mirror().await;
    let tree = scene.main_tree(&mirror).await;
    let objects: Vec<_> = tree.entries().iter().map(|entry| entry.object.clone()).collect();
    let objects = vec![objects; 20].concat();
    let blobs = mirror.read_blobs(&objects, u64::MAX).await.unwrap();
    assert_eq!(blobs.len(), objects.len());
    assert!(blobs.iter().all(|blob| matches!(blob, Blob::Content(_))));
}
