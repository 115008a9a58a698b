//! The demo: a sample monorepo with pull requests on a built-in forge, built for real.

mod sample;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use ci_build::{JobStatus, NodeHandle, PullView};
use ci_config::node::NodeConfig;
use ci_domain::forge::StatusState;
use ci_domain::ids::RepoName;
use ci_domain::may_run::Isolation;
use heights::{App, ChildSpec, Restart};
use tokio::sync::Notify;

use crate::compose::{Composed, Folders, compose};
use crate::demo::sample::SamplePull;
use crate::isolation::{self, Ground, Offer};
use crate::output::{Output, note};
use crate::serve::{inspector, web};

/// The repository's name on the built-in forge.
const REPO: &str = "demo/shop";
/// The port of the dashboard where none was asked for and it is free.
const PORT: u16 = 8080;
/// How long every verdict may take; it is a matter of seconds.
const LIMIT: Duration = Duration::from_secs(180);
/// How often the node is asked how far it is.
const LOOK: Duration = Duration::from_millis(200);

/// Runs the demo; with `once` it ends when each pull request has its verdict.
///
/// # Errors
/// Something could not be set up.
pub(crate) async fn run(port: Option<u16>, once: bool) -> Result<ExitCode> {
    let folder = Folder::make()?;
    let bare = folder.0.join("shop.git");
    let pulls = sample::make(&folder.0, &bare).await?;
    let listener = listen(port, once)?;
    let config = config(&folder.0, &bare, listener.local_addr()?)?;
    let path = std::env::var("PATH").unwrap_or_default();
    let offer = isolation(&config, &path).await;
    let Composed { tree, node, .. } = compose(&config, path, offer, None).await?;
    note(&format!(
        "A sample monorepo with {} pull requests, built in {}",
        pulls.len(),
        folder.0.display()
    ));
    note(&format!("Dashboard: {}/{REPO}", config.public_url));
    let socket = Folders::of(&config).admin_socket();
    // As it was called: `cargo run` puts nothing on the path.
    let me = std::env::args().next().unwrap_or_else(|| "ci-node".to_owned());
    note(&format!("Ask it:    {me} pr why 2 --socket {}\n", socket.display()));
    let done = Arc::new(Notify::new());
    let watch = Watch { node: node.clone(), pulls: Arc::new(pulls), once, done: done.clone() };
    let verdict = Arc::new(std::sync::OnceLock::new());
    let spec = watch_spec(watch, verdict.clone());
    let (_secret, no_webhooks) = tokio::sync::watch::channel(None);
    let (_gate, no_way_in) = tokio::sync::watch::channel(None);
    let web = web(&config, node, listener, (no_webhooks, no_way_in));
    let end = App::builder("ci-node")
        .version(env!("CARGO_PKG_VERSION"))
        .supervisor(tree.child(web).child(spec))
        .vitals(move |builder| inspector(builder, &config))
        .stop_when(async move { done.notified().await })
        .run()
        .await;
    let is_right = !once || verdict.get() == Some(&true);
    Ok(if is_right { ExitCode::from(end.code()) } else { ExitCode::FAILURE })
}

/// The best isolation that works here; else none, which will do for commands that are our own.
async fn isolation(config: &NodeConfig, path: &str) -> Offer {
    let offer = isolation::offer(config.runner.isolation, Ground::of(config, path, &[])).await;
    match offer.level {
        Isolation::Unavailable => {
            note(&format!("Jobs run without isolation, since there is none: {}", offer.trouble));
            Offer::none()
        }
        Isolation::None => offer,
        Isolation::Namespaces | Isolation::Container => {
            note("Jobs run in sandboxes");
            offer
        }
    }
}

fn listen(port: Option<u16>, once: bool) -> Result<TcpListener> {
    let at = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let listener = match port {
        Some(port) => TcpListener::bind(at(port)),
        None if once => TcpListener::bind(at(0)),
        None => TcpListener::bind(at(PORT)).or_else(|_| TcpListener::bind(at(0))),
    };
    listener.with_context(|| format!("failed to listen on {}", at(port.unwrap_or(PORT))))
}

/// The configuration of the demo's node: loopback only, everything readable.
fn config(folder: &Path, bare: &Path, address: SocketAddr) -> Result<NodeConfig> {
    let text = format!(
        "name = \"ci-node\"\ndata_dir = {data:?}\npublic_url = \"http://{address}\"\n\
         [http]\nlisten = \"{address}\"\nread = \"public\"\n\
         [runner]\nisolation = \"auto\"\nmin_free = \"1MiB\"\n\
         [queues]\njobs = {{ concurrency = 4 }}\n\"github.write\" = {{ rate = \"100/s\", burst = 100 }}\n\
         [vitals]\ntier = \"control\"\n\
         [[repos]]\nname = \"{REPO}\"\nlocal = {bare:?}\n",
        data = folder.join("data"),
    );
    let source = ci_config::source::System::beside(folder);
    ci_config::parse_node("demo.toml", &text, &source).map_err(|findings| {
        let all: Vec<String> = findings.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("the demo's own configuration is wrong:\n{}", all.join("\n"))
    })
}

/// What watches the node and tells the terminal.
#[derive(Clone)]
struct Watch {
    node: NodeHandle,
    pulls: Arc<Vec<SamplePull>>,
    once: bool,
    done: Arc<Notify>,
}

fn watch_spec(watch: Watch, verdict: Arc<std::sync::OnceLock<bool>>) -> ChildSpec {
    let spec = ChildSpec::task("demo", move |cx| {
        let (watch, verdict) = (watch.clone(), verdict.clone());
        async move {
            let is_right = tokio::select! {
                () = cx.shutdown() => return Ok(()),
                is_right = tokio::time::timeout(LIMIT, watch.until_settled()) => is_right.unwrap_or(false),
            };
            // Told once: a restarted watch finds the same.
            let _same = verdict.set(is_right);
            watch.print_outcome(is_right).await?;
            if watch.once {
                watch.done.notify_one();
            }
            Ok(())
        }
    });
    spec.restart(Restart::Transient)
}

impl Watch {
    /// Tells what happens until every pull request has the verdict that it should have.
    async fn until_settled(&self) -> bool {
        let mut told: Vec<String> = vec![String::new(); self.pulls.len()];
        loop {
            let mut are_settled = true;
            for (index, pull) in self.pulls.iter().enumerate() {
                let Some(view) = self.view(pull).await else {
                    are_settled = false;
                    continue;
                };
                let line = format!("#{} {}", pull.number, view.verdict.description);
                if told[index] != line {
                    note(&line);
                    told[index] = line;
                }
                are_settled &= is_settled(&view) && view.verdict.description == pull.expected;
            }
            if are_settled {
                return true;
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn print_outcome(&self, is_right: bool) -> Result<()> {
        let mut output = Output::new();
        output.line("")?;
        for pull in self.pulls.iter() {
            let view = self.view(pull).await;
            let (mark, words) = match &view {
                Some(view) => (mark(view.verdict.state), view.verdict.description.as_str()),
                None => ("?", "not known"),
            };
            output.line(&format!("{mark} #{} {:<26} {words}", pull.number, pull.title))?;
            if words != pull.expected {
                output.line(&format!("      expected: {}", pull.expected))?;
            }
        }
        let words = if is_right {
            "Every pull request has the verdict it should have."
        } else {
            "Not every pull request has the verdict it should have."
        };
        output.line(&format!("\n{words}"))?;
        if !self.once {
            note("Serving until Ctrl-C.");
        }
        Ok(())
    }

    async fn view(&self, pull: &SamplePull) -> Option<PullView> {
        let repo = RepoName::new(REPO).ok()?;
        self.node.pull(&repo, pull.number).await.ok()
    }
}

fn is_settled(view: &PullView) -> bool {
    let is_under_way =
        |status: &JobStatus| matches!(status, JobStatus::UnderWay(..) | JobStatus::Pending);
    !view.jobs.iter().any(|job| is_under_way(&job.status))
}

fn mark(state: StatusState) -> &'static str {
    match state {
        StatusState::Success => "✓",
        StatusState::Failure | StatusState::Error => "✗",
        StatusState::Pending => "…",
    }
}

/// A folder of the demo's own, removed when the demo ends.
struct Folder(PathBuf);

impl Folder {
    fn make() -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("ci-node-demo-{}", std::process::id()));
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("failed to make {}", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            note(&format!("failed to remove {}: {error}", self.0.display()));
        }
    }
}
