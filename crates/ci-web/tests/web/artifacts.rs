//! Files that jobs have left, as people and programs get them.

use ci_web::ReadAccess;
use ci_web::wire::{Artifacts, JobState, Role};
use hyper::StatusCode;

use crate::support::http::{Answer, get};
use crate::support::node::Node;

const PAGE: &str = "<script>alert(1)</script>";

struct Scene {
    node: Node,
    token: String,
    attempt: String,
}

impl Scene {
    async fn start() -> Self {
        let node = Node::start(ReadAccess::Token).await;
        let steps = format!(
            "  bad:\n    - run: mkdir out; echo '{PAGE}' > 'out/a &\"b.html'; printf 0123456789 > out/d; \
             ln -s /etc/passwd out/link; exit 1\n      artifacts: [out/, none/*]\n"
        );
        let number = node.open_pull("red", &steps);
        let is_failed = |job: &ci_web::wire::Job| job.state == JobState::Failed;
        let attempt = node.job(number, is_failed).await.attempt.unwrap();
        let token = node.token(Role::Read).await;
        Self { node, token, attempt }
    }

    async fn get(&self, path: &str) -> Answer {
        get(path).bearer(&self.token).of(self.node.address).await
    }

    async fn list(&self) -> Artifacts {
        let answer = self.get(&format!("/api/v1/jobs/{}/artifacts", self.attempt)).await;
        serde_json::from_value(answer.json()).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_listed_and_sent_to_be_saved() {
    let scene = Scene::start().await;
    let list = scene.list().await;
    let paths: Vec<_> = list.artifacts.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["app/out/a &\"b.html", "app/out/d"]);
    let notes: Vec<_> =
        list.notes.iter().map(|note| format!("{} {}", note.what, note.why)).collect();
    assert_eq!(
        notes,
        ["app/out/link was not kept: it is a symbolic link", "none/* matches no file"]
    );
    let page = scene.get(&list.artifacts[0].url).await;
    assert_eq!((page.status, page.text()), (StatusCode::OK, format!("{PAGE}\n")));
    assert_eq!(page.header("content-type"), "application/octet-stream");
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert_eq!(
        page.header("content-disposition"),
        "attachment; filename=\"a___b.html\"; filename*=UTF-8''a%20%26%22b.html"
    );
    assert!(page.header("content-security-policy").contains("sandbox"));
    scene.node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_is_sent_and_nothing_twice() {
    let scene = Scene::start().await;
    let url = scene.list().await.artifacts[1].url.clone();
    let whole = scene.get(&url).await;
    assert_eq!((whole.header("content-length"), whole.text()), ("10", "0123456789".to_owned()));
    let etag = whole.header("etag").to_owned();
    let ask = async |name: &'static str, value: &str| {
        get(&url).bearer(&scene.token).header(name, value).of(scene.node.address).await
    };
    let part = ask("range", "bytes=3-5").await;
    assert_eq!((part.status, part.text()), (StatusCode::PARTIAL_CONTENT, "345".to_owned()));
    assert_eq!(part.header("content-range"), "bytes 3-5/10");
    let beyond = ask("range", "bytes=10-").await;
    assert_eq!(beyond.status, StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(beyond.header("content-range"), "bytes */10");
    assert_eq!(ask("if-none-match", &etag).await.status, StatusCode::NOT_MODIFIED);
    scene.node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_read_gets_no_file_and_no_name_leads_elsewhere() {
    let scene = Scene::start().await;
    let url = scene.list().await.artifacts[1].url.clone();
    assert_eq!(get(&url).of(scene.node.address).await.status, StatusCode::UNAUTHORIZED);
    let command = format!("/api/v1/commands/{}.0-1/artifacts", scene.attempt);
    for path in
        ["..%2Fspec.json", "%2Fetc%2Fpasswd", "app%2Fout%2Flink", "app%2Fout%2F..%2Fout%2Fd", "app"]
    {
        let answer = scene.get(&format!("{command}/{path}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
    let other = format!("/api/v1/commands/{}.7-1/artifacts/app%2Fout%2Fd", scene.attempt);
    assert_eq!(scene.get(&other).await.status, StatusCode::NOT_FOUND);
    scene.node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_a_job_names_what_it_has_left() {
    let scene = Scene::start().await;
    let cookie = scene.node.log_in(&scene.token).await;
    let page = format!("/acme/shop/pull/1/jobs/{}", scene.attempt);
    let page = get(&page).header("cookie", &cookie).of(scene.node.address).await;
    let text = page.text();
    for expected in [
        "app/out/a &amp;&quot;b.html</a>",
        "app%2Fout%2Fd\" download>app/out/d</a></td><td>10 B</td>",
        "<code>none/*</code> matches no file",
    ] {
        assert!(text.contains(expected), "{expected} in {text}");
    }
    assert!(!text.contains(PAGE));
    scene.node.stop().await;
}
