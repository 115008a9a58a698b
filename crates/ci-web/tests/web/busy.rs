//! Pages of a node that is busy: what it said last, or that it has said nothing yet, and never a wait.

use ci_domain::ids::PullNumber;
use ci_web::wire::JobState;
use hyper::StatusCode;

use crate::support::http::{Answer, get};
use crate::support::node::{Node, repo_name};
use crate::support::until;

/// How a page begins that is not of now.
const MARK: &str = "<p class=\"busy\" role=\"status\">";
const PULL: &str = "/acme/shop/pull/1";

impl Node {
    async fn page(&self, path: &str) -> Answer {
        get(path).of(self.address).await
    }

    /// Waits until a page is as it should be.
    async fn page_that(
        &self,
        what: &str,
        path: &str,
        is_meant: impl Fn(&Answer) -> bool,
    ) -> String {
        until(what, async || Some(self.page(path).await).filter(&is_meant)).await.text()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_shows_what_was_known_while_an_actor_is_busy() {
    let node = Node::start_hasty().await;
    let number = node.open_pull("quick", "  quick:\n    - echo fine\n");
    node.job(number, |job| job.state == JobState::Passed).await;
    let is_of_now = |page: &Answer| {
        page.status == StatusCode::OK
            && page.text().contains("quick")
            && !page.text().contains(MARK)
    };
    for path in [PULL, "/acme/shop"] {
        node.page_that("a page of now", path, is_of_now).await;
    }
    // Whoever has to decide something waits until it is on record.
    node.ledger.hold();
    let client = node.client().await;
    let repo = repo_name();
    let forced = client.force(&repo, PullNumber(1), None, false);
    let looked = async {
        let is_of_then = |page: &Answer| page.text().contains(MARK);
        let page = node.page_that("a page of then", PULL, is_of_then).await;
        assert!(page.contains("app:quick") && page.contains("As of "), "{page}");
        assert!(page.contains(" UTC: the node is busy."), "{page}");
        let list = node.page_that("a list of then", "/acme/shop", is_of_then).await;
        assert!(list.contains("/acme/shop/pull/1") && list.contains("quick"), "{list}");
        // A server that has begun anew has heard nothing yet.
        let web = node.process.hub().find("ci-node/web").unwrap();
        web.kill();
        web.gone().await;
        let is_refused = |page: &Answer| page.status == StatusCode::SERVICE_UNAVAILABLE;
        let page = node.page_that("a page that says so", PULL, is_refused).await;
        assert!(page.contains("the node is busy") && page.contains("http-equiv=\"refresh\""));
        assert_eq!(node.page(PULL).await.header("retry-after"), "2");
        let list = node.page_that("a list of what answers", "/acme/shop", is_of_then).await;
        assert!(list.contains("it is busy, and has not said this before"), "{list}");
        node.ledger.release();
        for path in [PULL, "/acme/shop"] {
            node.page_that("a page of now again", path, is_of_now).await;
        }
    };
    // Who forced it was cut off with the server.
    let (_lost, ()) = tokio::join!(forced, looked);
    node.stop().await;
}
