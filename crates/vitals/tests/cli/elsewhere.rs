//! Other machines, shells and manuals.

use std::fs;
use std::path::Path;
use std::process::Command;

use heights_vitals::Tier;

use crate::app::{App, finish};

/// Runs here what should be run there.
const SSH: &str = r#"#!/bin/sh
echo "$@" >> "$SSH_LOG"
while [ "$1" != -- ]; do shift; done
shift 2
eval "exec $*"
"#;

/// Puts a stand-in for ssh into the path.
fn with_ssh(app: &App, args: &[&str]) -> Command {
    let folder = app.folder().join("bin");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("ssh.text"), SSH).unwrap();
    // By another process: what a thread of ours has open for writing cannot be run meanwhile.
    let mut install = Command::new("install");
    install.args(["-m", "755"]).arg(folder.join("ssh.text")).arg(folder.join("ssh"));
    assert!(install.status().unwrap().success());
    let vitals = Path::new(env!("CARGO_BIN_EXE_vitals")).parent().unwrap();
    let path = format!("{}:{}:/usr/bin:/bin", folder.display(), vitals.display());
    let mut command = app.vitals(args);
    command.env("PATH", path).env("SSH_LOG", app.path("ssh.log"));
    command
}

#[tokio::test]
async fn a_process_on_another_machine_is_asked_over_ssh() {
    let app = App::start(Tier::Control).await;
    let pid = std::process::id().to_string();
    let host = ["--host", "ssh://ci@example.com:2222", "-p", &pid];
    let ran = finish(with_ssh(&app, &[&["tree"], &host[..]].concat())).await;
    assert_eq!(ran.code(), 0, "{}", ran.stderr());
    assert!(ran.stdout().contains("pull-7"), "{}", ran.stdout());
    let ran = finish(with_ssh(&app, &[&["kill", "pull-7", "--yes"], &host[..]].concat())).await;
    assert!(ran.stdout().starts_with("killed "), "{}", ran.stderr());
    let ran = finish(with_ssh(&app, &["ls", "--host", "ssh://example.com"])).await;
    assert!(ran.stdout().contains("demo"), "{}", ran.stderr());
    let log = fs::read_to_string(app.path("ssh.log")).unwrap();
    let first = format!("-C -p 2222 -- ci@example.com vitals proxy --process {pid}");
    assert_eq!(log.lines().next(), Some(first.as_str()));
    app.root.stop().await;
}

#[tokio::test]
async fn nothing_that_is_given_is_taken_for_an_option_or_a_command() {
    let app = App::start(Tier::Read).await;
    for host in ["ssh://-oProxyCommand=true", "ssh://", "example.com", "ssh://a b", "ssh://a:port"]
    {
        let ran = finish(with_ssh(&app, &["tree", "--host", host])).await;
        assert_eq!(ran.code(), 2, "{host}");
    }
    assert!(!fs::exists(app.path("ssh.log")).unwrap());
    let touched = app.path("touched");
    let odd = format!("a'; touch {touched}; '");
    let ran = finish(with_ssh(&app, &["tree", "--host", "ssh://example.com", "-p", &odd])).await;
    assert_ne!(ran.code(), 0);
    assert!(fs::exists(app.path("ssh.log")).unwrap() && !fs::exists(touched).unwrap());
    app.root.stop().await;
}

#[tokio::test]
async fn a_shell_completes_the_names_of_living_actors() {
    let app = App::start(Tier::Read).await;
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = app.run(&["completions", shell]).await;
        assert!(script.stdout().contains("VITALS_COMPLETE"), "{shell}: {}", script.stderr());
    }
    let mut asked = Command::new(env!("CARGO_BIN_EXE_vitals"));
    asked.args(["--", "vitals", "why", "demo/pu"]).env("XDG_RUNTIME_DIR", app.folder());
    let completed = finish({
        asked.env("VITALS_COMPLETE", "fish");
        asked
    });
    let completed = completed.await.stdout();
    let names: Vec<&str> = completed.lines().filter_map(|line| line.split('\t').next()).collect();
    assert_eq!(names, ["demo/pulls", "demo/pulls/pull-7"], "{completed}");
    app.root.stop().await;
}

#[tokio::test]
async fn there_is_a_manual_page_of_every_command() {
    let app = App::start(Tier::Read).await;
    assert!(app.run(&["man"]).await.stdout().contains(".TH vitals"));
    let page = app.run(&["man", "why"]).await.stdout();
    assert!(page.contains("Follows what an actor waits for to the cause"), "{page}");
    assert_eq!(app.run(&["man", "proxy"]).await.code(), 2);
    app.root.stop().await;
}
