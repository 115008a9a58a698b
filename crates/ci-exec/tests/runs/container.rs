//! Jobs in a container: the same tree, the same facts, and nothing left of it, ever.

use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use ci_domain::ids::AttemptId;
use ci_domain::secret::Secret;
use ci_exec::{
    Build, Container, Engine, EngineKind, Fact, Image, ImageSource, Isolation, Limits, Network,
    Outcome, Secrets, cancel, interactive_shell, remove_left, sweep, try_out_container,
};

use crate::engine::{
    IMAGE, ask, bounding_podman, container, container_of, containers, in_container, podman,
    write_program,
};
use crate::support::{
    Place, Run, command, command_with, env, kill, launcher, parallel, processes_in, until,
    until_lost, within, written,
};

/// What the run has left: processes, or something that the engine knows of.
fn assert_nothing_is_left(place: &mut Place) {
    place.assert_nothing_is_left();
    assert_eq!(containers(&container_of(place).engine), "", "containers left behind");
}

#[tokio::test]
async fn commands_run_in_it() {
    let script = "echo hello; pwd; echo up > up; ls /bin/busybox; ls /usr 2>&1; exit 3";
    let Some(mut place) = in_container(Place::with_command(script)) else { return };
    let run = place.run().await;
    assert_eq!(run.exits_in_order(), "0-1=3", "{:?}", run.outcome);
    let log = run.log_text("0-1");
    let workspace = place.spec.workspace.display();
    assert!(log.starts_with(&format!("hello\n{workspace}\n/bin/busybox\nls: /usr")), "{log}");
    let own = rustix::process::getuid().as_raw();
    assert_eq!(fs::metadata(place.file("up")).unwrap().uid(), own);
    assert_nothing_is_left(&mut place);
}

#[tokio::test]
async fn every_end_of_a_command_is_told_exactly() {
    let Some(mut place) = in_container(Place::new(vec![
        command_with("exit 137", |command| command.allow_failure = true),
        command_with("kill -TERM $$", |command| command.allow_failure = true),
        command_with("(kill -KILL -1); echo never", |command| command.allow_failure = true),
        command("printf 'a\\0b\\377c\\r\\n'; printf d >&2"),
        command("kill -KILL 1; echo here"),
        command_with("sleep 600", |command| command.timeout = Some(Duration::from_millis(100))),
    ])) else {
        return;
    };
    let run = place.run().await;
    let exits = "0-1=137 1-1=signal 15 2-1=signal 9 3-1=0 4-1=0 5-1=timeout";
    assert_eq!(run.exits_in_order(), exits, "{:?}", run.outcome);
    assert_eq!(run.log("3-1"), b"a\0b\xffc\r\nd");
    assert_nothing_is_left(&mut place);
}

#[tokio::test]
async fn commands_run_at_once_and_leave_things_to_each_other() {
    let Some(mut place) = in_container(Place::new(vec![
        parallel(vec![
            command("until [ -e /tmp/one ]; do sleep 0.01; done; cat /tmp/one"),
            command("echo hello > /tmp/one"),
        ]),
        command(
            "setsid sh -c 'echo $$ > far; exec sleep 601' > /dev/null 2>&1 & until [ -s far ]; do sleep 0.01; done",
        ),
        command("kill -0 $(cat far) && cat /tmp/one"),
    ])) else {
        return;
    };
    let run = place.run().await;
    assert_eq!(run.outcome, Outcome::Passed);
    assert_eq!((run.log_text("0.0-1"), run.log_text("2-1")), ("hello\n".into(), "hello\n".into()));
    assert_eq!(run.dir.exit_record().unwrap().unwrap().leftovers.strays, 1);
    assert_nothing_is_left(&mut place);
}

#[tokio::test]
async fn the_environment_is_the_images_and_the_jobs_and_nothing_else() {
    let Some(mut place) = in_container(Place::with_command("env | sort")) else { return };
    let engine = container_of(&mut place).engine.clone();
    let archive = place.root().join("image.tar").display().to_string();
    let name = "localhost/with-env:1";
    let changes = [
        "ENV PATH=/bin",
        "ENV TOOL=/opt/tool",
        "ENV LANG=image",
        "ENV CI=image",
        "ENTRYPOINT [\"/none\"]",
        "USER nobody",
    ];
    let mut words = vec!["import"];
    words.extend(changes.iter().flat_map(|change| ["--change", change]));
    words.extend([archive.as_str(), name]);
    assert!(ask(&engine, &words).status.success());
    container_of(&mut place).image.name = name.to_owned();
    place.spec.env = env(&[("LANG", "C.UTF-8"), ("MIX_ENV", "test")]);
    let run = place.run().await;
    assert_eq!(run.outcome, Outcome::Passed);
    let (workspace, attempt) = (place.spec.workspace.display(), &place.spec.attempt);
    let expected = format!(
        "CI_ATTEMPT={attempt}\nLANG=C.UTF-8\nMIX_ENV=test\nPATH=/bin\nPWD={workspace}\nTOOL=/opt/tool\n"
    );
    let log = run.log_text("0-1");
    let shown: String = log
        .lines()
        .filter(|line| !line.starts_with("SHLVL="))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_eq!(shown, expected);
}

#[tokio::test]
async fn secrets_are_nowhere_but_in_commands() {
    let script =
        "echo \"<$HORSE>\"; echo ${#HORSE}; echo up > up; until [ -e go ]; do sleep 0.01; done";
    let Some(mut place) = in_container(Place::with_command(script)) else { return };
    let dir = place.create();
    let secret = "correct horse";
    let secrets: Secrets = [("HORSE".to_owned(), Secret::new(secret))].into_iter().collect();
    launcher().start_with(&dir, &secrets).await.unwrap();
    written(&place.file("up")).await;
    let engine = container_of(&mut place).engine.clone();
    let id = containers(&engine);
    let shown = ask(&engine, &["inspect", id.trim()]);
    assert!(shown.status.success() && !String::from_utf8_lossy(&shown.stdout).contains(secret));
    for process in fs::read_dir("/proc").unwrap() {
        let arguments = fs::read(process.unwrap().path().join("cmdline")).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&arguments).contains(secret));
    }
    fs::write(place.file("go"), "").unwrap();
    let run = Run::follow(&dir).await;
    assert_eq!(run.log_text("0-1"), "<***>\n13\n");
    assert_nothing_is_left(&mut place);
}

#[tokio::test]
async fn what_is_asked_to_end_may_and_what_does_not_is_killed() {
    let polite = "trap 'echo bye; exit 0' TERM; echo up > up; while :; do sleep 0.01; done";
    let stubborn = "trap '' TERM; setsid sh -c 'trap \"\" TERM; sleep 600; :' & \
        echo up > up; while :; do sleep 600; done";
    for (script, last) in [(polite, "bye\n"), (stubborn, "")] {
        let Some(mut place) = in_container(Place::with_command(script)) else { return };
        if script == polite {
            // It may take its time, on a busy machine too.
            place.spec.grace = Duration::from_secs(50);
        }
        let dir = place.start().await;
        written(&place.file("up")).await;
        within("the cancel", cancel(&dir)).await.unwrap();
        assert_nothing_is_left(&mut place);
        let run = Run::follow(&dir).await;
        assert_eq!(run.outcome, Outcome::Cancelled);
        assert!(run.log_text("0-1").ends_with(last), "{run:?}");
    }
}

#[tokio::test]
async fn with_its_runner_everything_in_it_dies_and_the_sweep_takes_the_rest() {
    let stubborn = "readlink /proc/self/ns/pid > namespace; trap '' TERM; \
        setsid sh -c 'trap \"\" TERM; echo up > up; sleep 600; :' & sleep 600; :";
    let Some(mut place) = in_container(Place::with_command(stubborn)) else { return };
    let dir = place.start().await;
    written(&place.file("up")).await;
    let namespace = written(&place.file("namespace")).await;
    until("init, two shells, two sleeps", || processes_in(&namespace).len() == 5).await;
    kill(dir.identity().unwrap().unwrap().pid);
    until("the namespace to be empty", || processes_in(&namespace).is_empty()).await;
    within("the sweep", sweep(&dir)).await.unwrap();
    assert_nothing_is_left(&mut place);
}

#[tokio::test]
async fn a_runner_can_be_killed_at_any_moment() {
    let Some(place) = in_container(Place::with_command("setsid sleep 600 & sleep 600")) else {
        return;
    };
    for moment in 0..8_u32 {
        let mut place = place.clone();
        let attempt = format!("{}-{moment}", place.spec.attempt);
        place.spec.attempt = AttemptId::new(attempt).unwrap();
        let dir = place.create_at(&format!("run-{moment}"));
        launcher().start(&dir).await.unwrap();
        let moment = Instant::now() + Duration::from_millis(60) * moment;
        until("the moment to come", || Instant::now() >= moment).await;
        kill(dir.identity().unwrap().unwrap().pid);
        until_lost(&dir).await;
        within("the sweep", sweep(&dir)).await.unwrap();
        assert_nothing_is_left(&mut place);
    }
}

#[tokio::test]
async fn at_a_start_only_what_nobody_is_at_is_removed() {
    let Some(mut place) = in_container(Place::with_command("echo up > up; sleep 600")) else {
        return;
    };
    let engine = container_of(&mut place).engine.clone();
    let dir = place.start().await;
    written(&place.file("up")).await;
    let left = |folder: &str| {
        let label = format!("ci-node.run={}", place.root().join(folder).display());
        let made =
            ask(&engine, &["create", "--cgroups=disabled", "--label", &label, IMAGE, "sleep"]);
        assert!(made.status.success(), "{made:?}");
    };
    left("gone/run");
    left("elsewhere/run");
    assert_eq!(containers(&engine).lines().count(), 3);
    let removed = remove_left(&engine, &place.root().join("gone")).await.unwrap();
    assert_eq!((removed, containers(&engine).lines().count()), (1, 2));
    assert_eq!(remove_left(&engine, place.root()).await.unwrap(), 1);
    within("the cancel", cancel(&dir)).await.unwrap();
    assert_nothing_is_left(&mut place);
}

/// A place whose image is built from this Dockerfile.
fn with_dockerfile(text: &str, script: &str) -> Option<Place> {
    let mut place = in_container(Place::with_command(script))?;
    let context = place.root().join("context");
    fs::create_dir(&context).unwrap();
    fs::write(context.join("Dockerfile"), text).unwrap();
    fs::write(context.join("file"), "from the context\n").unwrap();
    let caches = place.root().join("caches");
    fs::create_dir(&caches).unwrap();
    let build = Build { file: context.join("Dockerfile"), context, caches };
    let name = "localhost/built:1".to_owned();
    let container = container_of(&mut place);
    container.image = Image { name, source: ImageSource::Built(build) };
    // Without control groups of its own, podman builds with the machine's network only.
    container.network = Network::Shared;
    Some(place)
}

#[tokio::test]
async fn an_image_is_built_by_a_step_with_a_log_and_only_once() {
    let text = format!("FROM {IMAGE}\nENV MADE=here\nCOPY file /file\n");
    let Some(mut place) = with_dockerfile(&text, "cat /file; echo $MADE") else { return };
    let first = place.run().await;
    assert_eq!(first.outcome, Outcome::Passed, "{:?}", first.facts);
    assert_eq!(first.exits_in_order(), "0-1=0 1-1=0");
    assert!(first.log_text("1-1").contains("COPY file"), "{}", first.log_text("1-1"));
    assert_eq!(first.log_text("0-1"), "from the context\nhere\n");
    let begun = first.facts.iter().find_map(|fact| match fact {
        Fact::CommandStarted { title, .. } => Some(title.clone()),
        _ => None,
    });
    assert_eq!(begun.as_deref(), Some("image"));
    let again = place.create_at("again");
    launcher().start(&again).await.unwrap();
    assert_eq!(Run::follow(&again).await.exits_in_order(), "0-1=0");
    assert_nothing_is_left(&mut place);
}

#[tokio::test]
async fn an_image_that_cannot_be_built_fails_its_job_by_name() {
    let text = format!("FROM {IMAGE}\nCOPY missing /file\n");
    let Some(mut place) = with_dockerfile(&text, "echo never") else { return };
    let run = place.run().await;
    assert_eq!(run.failed(), ["1-1"]);
    assert!(run.log_text("1-1").contains("missing"), "{}", run.log_text("1-1"));
    assert_nothing_is_left(&mut place);
}

#[tokio::test]
async fn an_image_that_nobody_has_fails_its_job_by_name() {
    let Some(mut place) = in_container(Place::with_command("echo never")) else { return };
    "localhost/none:1".clone_into(&mut container_of(&mut place).image.name);
    let run = place.run().await;
    assert_eq!(run.failed(), ["1-2"]);
    assert!(run.log_text("1-1").contains("localhost/none"), "{}", run.log_text("1-1"));
}

#[tokio::test]
async fn a_build_can_be_cancelled() {
    let text = format!("FROM {IMAGE}\nRUN echo building && sleep 600\n");
    let Some(mut place) = with_dockerfile(&text, "echo never") else { return };
    let dir = place.start().await;
    let log = dir.path().join("logs/1-1.log");
    until("the build", || fs::read_to_string(&log).is_ok_and(|text| text.contains("\nbuilding")))
        .await;
    within("the cancel", cancel(&dir)).await.unwrap();
    assert_eq!(Run::follow(&dir).await.outcome, Outcome::Cancelled);
    assert_nothing_is_left(&mut place);
}

#[tokio::test]
async fn an_engine_that_does_not_work_is_said() {
    let place = Place::with_command("true");
    let Some(engine) = podman(&place) else { return };
    let mut broken = Container { network: Network::Shared, ..container(engine, &place) };
    try_out_container(&launcher(), &place.root().join("trial"), &broken).await.unwrap();
    assert!(!place.root().join("trial").exists());
    broken.engine.program = Path::new("/bin/false").to_owned();
    let error = try_out_container(&launcher(), &place.root().join("trial"), &broken).await;
    error.unwrap_err();
}

#[tokio::test]
async fn a_person_has_a_shell_in_the_same_container() {
    let Some(mut place) = in_container(Place::with_command("true")) else { return };
    place.spec.env = env(&[("HOME", "/tmp"), ("WORD", "it's here")]);
    let shell = interactive_shell(&place.spec.isolation, &place.spec.workspace, &place.spec.env);
    let words: Vec<String> =
        shell.unwrap().iter().map(|word| word.to_str().unwrap().into()).collect();
    let quoted: Vec<String> =
        words.iter().map(|word| format!("'{}'", word.replace('\'', "'\\''"))).collect();
    let mut script = std::process::Command::new("script");
    script.args(["--quiet", "--return", "--command", &quoted.join(" "), "/dev/null"]);
    let mut script = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let typed = "echo \"$WORD\" > said; tty > terminal; exit 3\n";
    script.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
    let done = script.wait_with_output().unwrap();
    assert_eq!(done.status.code(), Some(3), "{}", String::from_utf8_lossy(&done.stdout));
    assert_eq!(fs::read_to_string(place.file("said")).unwrap(), "it's here\n");
    assert!(fs::read_to_string(place.file("terminal")).unwrap().starts_with("/dev/"));
    assert_eq!(containers(&container_of(&mut place).engine), "");
}

#[tokio::test]
async fn memory_beyond_the_engines_bound_ends_the_command_by_name() {
    let mut place = Place::new(vec![
        command_with("exit 137", |command| command.allow_failure = true),
        command("head -c 200000000 /dev/zero | tail -c 190000000 > /dev/null"),
    ]);
    let Some(engine) = bounding_podman(&place) else { return };
    let limits = Some(Limits { memory: 64 << 20, pids: 100, milli_cpus: Some(1500) });
    let container = Container { limits, ..container(engine, &place) };
    place.spec.env = env(&[]);
    place.spec.isolation = Isolation::Container(Box::new(container));
    let run = place.run().await;
    assert_eq!(run.exits_in_order(), "0-1=137 1-1=memory", "{:?}", run.outcome);
    assert_nothing_is_left(&mut place);
}

/// Docker as far as its command line goes: it has the image, lists nothing, and makes no container.
const FAKE_DOCKER: &str = "#!/bin/sh
echo \"$*\" >> FOLDER/calls
case $1 in
  image) echo '[\"PATH=/bin\"]' ;;
  run) echo 'Cannot connect to the Docker daemon' >&2; exit 125 ;;
esac
";

#[tokio::test]
async fn docker_is_told_in_its_own_words() {
    let mut place = Place::with_command("true");
    let folder = place.root().display().to_string();
    let program = place.root().join("docker");
    write_program(&program, &FAKE_DOCKER.replace("FOLDER", &folder));
    let env = env(&[("PATH", "/usr/bin:/bin"), ("DOCKER_HOST", "unix:///nowhere")]);
    let engine = Engine { kind: EngineKind::Docker, program: program.clone(), env };
    let limits = Some(Limits { memory: 1 << 30, pids: 99, milli_cpus: Some(500) });
    let container = Container { limits, ..container(engine, &place) };
    place.spec.isolation = Isolation::Container(Box::new(container));
    let run = place.run().await;
    let said = "make a container: Cannot connect to the Docker daemon".to_owned();
    assert_eq!(run.outcome, Outcome::Crashed { reason: said });
    let calls = fs::read_to_string(place.root().join("calls")).unwrap();
    let calls: Vec<&str> = calls.lines().collect();
    assert_eq!(calls[0], format!("image inspect --format {{{{json .Config.Env}}}} {IMAGE}"));
    for words in [
        "run --rm --pull=never",
        "--memory=1073741824 ",
        "--cpus=0.500",
        "--network=none",
        "@contained",
    ] {
        assert!(calls[1].contains(words), "{words} in {}", calls[1]);
    }
    for words in ["--userns", "--cgroups", "--systemd"] {
        assert!(!calls[1].contains(words), "{words} in {}", calls[1]);
    }
    let label = format!("label=ci-node.run={}", run.dir.path().display());
    assert_eq!(calls[2..], [format!("ps --all --quiet --no-trunc --filter {label}")]);
}
