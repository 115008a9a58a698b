//! What a command cannot do from inside a sandbox.
//!
//! Each attempt must succeed without one: else it proves nothing. It is made as the user of the tests
//! and, where that is root, as an ordinary user too.

use std::fs;
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::chown;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use ci_exec::{Launcher, Network, Outcome, RunDir, cancel};

use crate::support::{Place, Run, command, launcher, sequence, within, written};

/// An ordinary user; nobody needs to know it.
const ORDINARY: u32 = 42_421;

/// Somebody whose commands are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum User {
    /// Who runs the tests.
    Own,
    Ordinary,
}

/// What a node has beside a job's workspace, and what it must not lose.
struct Node {
    place: Place,
    user: User,
    /// A process of the node, with a secret in its environment.
    process: Child,
    _socket: UnixListener,
    abstract_socket: UnixListener,
    loopback: TcpListener,
}

impl Node {
    fn new(user: User, script: &str) -> Self {
        let place = Place::with_command("false");
        let root = place.root().to_owned();
        fs::create_dir(root.join("node")).unwrap();
        fs::write(root.join("node/token"), "the token\n").unwrap();
        let socket = UnixListener::bind(root.join("node/admin.sock")).unwrap();
        let name = SocketAddr::from_abstract_name(place.spec.attempt.as_str()).unwrap();
        let abstract_socket = UnixListener::bind_addr(&name).unwrap();
        let mut process = Command::new("/bin/sleep");
        process.arg("600").env("ITS_SECRET", place.spec.attempt.as_str()).stdin(Stdio::null());
        if user == User::Ordinary {
            process.uid(ORDINARY).gid(ORDINARY);
        }
        let loopback = TcpListener::bind("127.0.0.1:0").unwrap();
        let process = process.spawn().unwrap();
        let mut node = Self { place, user, process, _socket: socket, abstract_socket, loopback };
        node.place.spec.steps = sequence(vec![command(&node.filled_in(script))]);
        node
    }

    fn filled_in(&self, script: &str) -> String {
        let port = self.loopback.local_addr().unwrap().port();
        script
            .replace("NODE", &self.place.root().join("node").display().to_string())
            .replace("PID", &self.process.id().to_string())
            .replace("ABSTRACT", self.place.spec.attempt.as_str())
            .replace("PORT", &port.to_string())
    }

    /// Whether the script does what it is after.
    async fn succeeds(&self) -> bool {
        let run = Run::follow(&self.start().await).await;
        assert!(!matches!(run.outcome, Outcome::Crashed { .. }), "{:?}", run.outcome);
        run.outcome == Outcome::Passed
    }

    async fn start(&self) -> RunDir {
        let dir = self.place.create();
        let launcher = match self.user {
            User::Own => launcher(),
            User::Ordinary => self.launcher_as_ordinary(),
        };
        launcher.start(&dir).await.unwrap();
        dir
    }

    /// Gives everything to the ordinary user, the program included.
    fn launcher_as_ordinary(&self) -> Launcher {
        let runner = self.place.root().join("runner");
        // By another process: a program that some thread of ours still holds open for writing, in a
        // child that it is about to start, cannot be run.
        let mut copy = Command::new("/bin/cp");
        copy.arg(env!("CARGO_BIN_EXE_ci-exec-runner")).arg(&runner);
        assert!(copy.status().unwrap().success());
        give_away(self.place.root());
        let user = [format!("--reuid={ORDINARY}"), format!("--regid={ORDINARY}")];
        let [id, group] = user;
        Launcher::new("/usr/bin/setpriv", [id, group, "--clear-groups".into(), text(&runner)])
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

fn give_away(path: &Path) {
    chown(path, Some(ORDINARY), Some(ORDINARY)).unwrap();
    if path.is_dir() {
        fs::read_dir(path).unwrap().for_each(|entry| give_away(&entry.unwrap().path()));
    }
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Who can be had here.
fn users() -> Vec<User> {
    if is_root() {
        return vec![User::Own, User::Ordinary];
    }
    vec![User::Own]
}

/// Makes an attempt in a sandbox, and says whether it succeeds; `None` where there is no sandbox.
async fn succeeds_inside(user: User, script: &str) -> Option<bool> {
    let mut node = Node::new(user, script);
    node.place = node.place.clone().in_sandbox()?;
    Some(node.succeeds().await)
}

/// An attempt that everybody can make without a sandbox and nobody in one.
async fn check_escape(script: &str) {
    for user in users() {
        let outside = Node::new(user, script);
        assert!(outside.succeeds().await, "{script} proves nothing as {user:?}");
        let Some(inside) = succeeds_inside(user, script).await else { return };
        assert!(!inside, "{script} as {user:?}");
    }
}

/// What must fail in a sandbox and would do harm outside, or needs rights that a user may not have.
async fn check_fails(script: &str) {
    for user in users() {
        let Some(inside) = succeeds_inside(user, script).await else { return };
        assert!(!inside, "{script} as {user:?}");
    }
}

/// What must hold in a sandbox.
async fn check_holds(script: &str) {
    for user in users() {
        let Some(inside) = succeeds_inside(user, script).await else { return };
        assert!(inside, "{script} as {user:?}");
    }
}

#[tokio::test]
async fn the_files_of_the_node_are_not_there() {
    check_escape("cat NODE/token").await;
    check_escape("cat ../node/token").await;
    check_escape("ls NODE").await;
    check_escape("ln -s NODE/token link && cat link").await;
    check_escape("ln NODE/token hard").await;
    check_escape("cp -r NODE/. copy").await;
}

#[tokio::test]
async fn nothing_outside_the_workspace_is_written() {
    check_escape("echo x > NODE/new").await;
    check_escape("mv ../work ../gone").await;
    check_fails("echo x > /etc/ci-sandbox-test").await;
    check_fails("echo x > /usr/ci-sandbox-test").await;
    check_fails("echo x > /ci-sandbox-test").await;
    check_fails("rm -rf /usr/bin/ci-none && touch /usr/bin/ci-none").await;
    check_holds("echo x > file && mkdir folder && mv file folder/ && cat folder/file").await;
    check_holds("[ -w /tmp ] && echo x > /tmp/file && [ $(ls /tmp | grep -c file) = 1 ]").await;
}

#[tokio::test]
async fn the_machine_is_not_changed_by_way_of_proc_or_sys() {
    // Each writes what is there already. Only root can do that outside.
    let same = "f=/proc/sys/kernel/core_pattern; cat $f > value && cat value > $f";
    if is_root() {
        assert!(Node::new(User::Own, same).succeeds().await, "root can do it");
    }
    check_fails(same).await;
    check_fails("f=/proc/sys/vm/swappiness; cat $f > value && cat value > $f").await;
    check_fails("echo h > /proc/sysrq-trigger").await;
    check_fails("f=/proc/irq/default_smp_affinity; cat $f > value && cat value > $f").await;
    check_fails("touch /sys/devices/system/x").await;
    check_fails("find /sys -writable -type f 2> /dev/null | grep . && f=$(find /sys -writable -type f | head -1) && cat $f > $f").await;
}

#[tokio::test]
async fn processes_of_the_node_are_neither_seen_nor_signalled() {
    check_escape("kill -0 PID").await;
    check_escape("[ -d /proc/PID ]").await;
    check_escape("grep -azq ITS_SECRET=ABSTRACT /proc/[0-9]*/environ").await;
    check_holds("[ $(ps -e -o pid= | sort -n | head -1) = 1 ] && [ $(ps -e | wc -l) -lt 12 ]")
        .await;
}

#[tokio::test]
async fn init_cannot_be_looked_into_or_ended() {
    check_fails("cat /proc/1/environ").await;
    check_fails("readlink /proc/1/fd/* | grep .").await;
    check_fails("cat /proc/1/maps").await;
    check_fails("head -c 1 /proc/1/mem").await;
    check_holds("kill -KILL 1; kill -STOP 1; kill -TERM 1; :").await;
}

#[tokio::test]
async fn the_admin_socket_is_not_there() {
    check_escape(
        "perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Peer => \"NODE/admin.sock\") or exit 1'",
    )
    .await;
}

/// With the machine's network come its loopback services and its abstract sockets; both go with it.
#[tokio::test]
async fn what_the_shared_network_implies_and_an_own_one_does_not() {
    let loopback =
        "perl -MIO::Socket::INET -e 'IO::Socket::INET->new(\"127.0.0.1:PORT\") or exit 1'";
    let by_name = "perl -MSocket -e 'socket(S, AF_UNIX, SOCK_STREAM, 0); connect(S, pack_sockaddr_un(\"\\0ABSTRACT\")) or exit 1'";
    for (script, user) in [loopback, by_name]
        .iter()
        .flat_map(|script| users().into_iter().map(move |user| (script, user)))
    {
        let mut node = Node::new(user, script);
        let Some(place) = node.place.clone().in_sandbox() else { return };
        node.place = place;
        assert!(node.succeeds().await, "the shared network reaches {script}");
        let mut node = Node::new(user, script);
        node.place = node.place.clone().in_sandbox().unwrap();
        node.place.sandbox().network = Network::Own;
        assert!(!node.succeeds().await, "a network of its own does not reach {script}");
        assert!(node.abstract_socket.local_addr().unwrap().as_abstract_name().is_some());
    }
}

#[tokio::test]
async fn a_network_of_its_own_has_a_loopback() {
    let script = "perl -MIO::Socket::INET -e '$l = IO::Socket::INET->new(Listen => 1, LocalAddr => \"127.0.0.1\") or exit 1; IO::Socket::INET->new(\"127.0.0.1:\" . $l->sockport) or exit 2'";
    for user in users() {
        let mut node = Node::new(user, script);
        let Some(place) = node.place.clone().in_sandbox() else { return };
        node.place = place;
        node.place.sandbox().network = Network::Own;
        assert!(node.succeeds().await);
    }
}

#[tokio::test]
async fn there_are_no_rights_and_no_way_to_get_some() {
    check_holds("grep -q 'NoNewPrivs:.1' /proc/self/status").await;
    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        check_holds(&format!("grep -q '{set}:.0000000000000000' /proc/self/status")).await;
    }
    check_fails("mkdir m && mount -t tmpfs none m").await;
    check_fails("umount /proc").await;
    check_fails("mount -o remount,rw /usr").await;
    check_fails("unshare --user true").await;
    check_fails("unshare --user --map-root-user --mount true").await;
    check_fails("unshare --mount true").await;
    check_fails("mknod d b 7 0").await;
    check_fails("mknod d c 1 3").await;
    check_fails("chroot / true").await;
}

#[tokio::test]
async fn there_is_no_terminal_and_no_device() {
    check_fails("exec 3<> /dev/tty").await;
    check_holds("for d in /dev/*; do [ ! -b $d ] || exit 1; done").await;
    check_fails("ls /dev/mem /dev/kmsg /dev/kvm /dev/fuse /dev/vda /dev/sda 2> /dev/null | grep .")
        .await;
}

#[tokio::test]
async fn passwords_and_keys_of_the_machine_are_not_read() {
    let shadow = "grep -q : /etc/shadow";
    if is_root() {
        assert!(Node::new(User::Own, shadow).succeeds().await, "root can do it");
    }
    check_fails(shadow).await;
    check_holds("! ls /root/* /home/* /var/lib/* /run/* /srv /mnt /boot 2> /dev/null | grep .")
        .await;
}

#[tokio::test]
async fn what_may_only_be_read_is_not_written_by_any_trick() {
    for user in users() {
        let script = "cat NODE/token && { echo x >> NODE/token || ln NODE/token hard && echo x >> hard || chmod 777 NODE/token || mv NODE/token NODE/other || ln -s NODE/token soft && echo x >> soft; }";
        let mut node = Node::new(user, script);
        let readable = node.place.root().join("node");
        let Some(place) = node.place.clone().in_sandbox() else { return };
        node.place = place;
        node.place.sandbox().readable.push(readable.clone());
        assert!(!node.succeeds().await, "as {user:?}");
        assert_eq!(fs::read_to_string(readable.join("token")).unwrap(), "the token\n");
    }
}

#[tokio::test]
async fn what_is_hidden_stays_so_within_what_is_visible() {
    for (user, script, is_so) in users().into_iter().flat_map(|user| {
        [
            (user, "[ -e NODE/admin.sock ]", true),
            (user, "cat NODE/token", false),
            (user, "[ -d NODE/private ] && [ -z \"$(ls -A NODE/private)\" ]", true),
            (user, "cat NODE/private/mine/file", false),
        ]
    }) {
        let mut node = Node::new(user, script);
        let folder = node.place.root().join("node");
        fs::create_dir_all(folder.join("private/mine")).unwrap();
        fs::write(folder.join("private/mine/file"), "x").unwrap();
        let Some(place) = node.place.clone().in_sandbox() else { return };
        node.place = place;
        let sandbox = node.place.sandbox();
        sandbox.visible.push(folder.clone());
        sandbox.hidden.extend(["token", "private", "absent"].map(|name| folder.join(name)));
        assert_eq!(node.succeeds().await, is_so, "{script} as {user:?}");
    }
}

#[tokio::test]
async fn its_own_part_of_what_is_hidden_is_there() {
    let script = "echo x > NODE/data/mine/file && [ \"$(ls NODE/data)\" = mine ]";
    for user in users() {
        let mut node = Node::new(user, script);
        let folder = node.place.root().join("node");
        for name in ["data/mine", "data/others"] {
            fs::create_dir_all(folder.join(name)).unwrap();
        }
        let Some(place) = node.place.clone().in_sandbox() else { return };
        node.place = place;
        let sandbox = node.place.sandbox();
        sandbox.visible.push(folder.clone());
        sandbox.hidden.push(folder.join("data"));
        sandbox.writable.push(folder.join("data/mine"));
        assert!(node.succeeds().await, "as {user:?}");
        assert!(folder.join("data/mine/file").exists());
    }
}

/// From outside, an ordinary user sees and signals what is in a user namespace of theirs.
#[tokio::test]
async fn commands_of_every_user_are_asked_to_end_and_then_killed() {
    let polite = "trap 'echo bye; exit 0' TERM; echo up > up; while :; do sleep 0.01; done";
    let stubborn = "trap '' TERM; setsid sh -c 'trap \"\" TERM; sleep 600; :' & \
        echo up > up; while :; do sleep 600; done";
    for user in users() {
        for (script, last) in [(polite, "bye\n"), (stubborn, "")] {
            let mut node = Node::new(user, script);
            let Some(place) = node.place.clone().in_sandbox() else { return };
            node.place = place;
            if script == polite {
                // It may take its time, on a busy machine too.
                node.place.spec.grace = Duration::from_secs(50);
            }
            let dir = node.start().await;
            written(&node.place.file("up")).await;
            within("the cancel", cancel(&dir)).await.unwrap();
            node.place.assert_nothing_is_left();
            let run = Run::follow(&dir).await;
            assert_eq!(run.outcome, Outcome::Cancelled);
            assert!(run.log_text("0-1").ends_with(last), "as {user:?}: {run:?}");
        }
    }
}

/// The kernel does not count root's processes, so only an ordinary user is held to the limit.
#[tokio::test]
async fn a_fork_bomb_is_bounded() {
    let user = if is_root() { User::Ordinary } else { User::Own };
    let script = "i=0; while [ $i -lt 200 ]; do sleep 600 & i=$((i+1)); done";
    assert!(Node::new(user, script).succeeds().await, "without a limit it goes on");
    let mut node = Node::new(user, script);
    let Some(place) = node.place.clone().in_sandbox() else { return };
    node.place = place;
    node.place.sandbox().pids = 50;
    assert!(!node.succeeds().await);
}
