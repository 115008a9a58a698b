//! Section D, continued: nothing of the old life is left when the next one starts.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use heights_supervisor::{
    ChildRef, ChildSpec, Context, Fault, Flow, Process, Server, Supervisor, SupervisorRef,
};

use crate::support::{SECOND, start};

/// Holds what only one may hold, and takes its time to let go.
struct Holder(Arc<AtomicBool>);

impl Server for Holder {
    type Args = (Arc<AtomicBool>, Arc<AtomicUsize>);
    type Msg = ();

    async fn init(args: Self::Args, _cx: &mut Context<()>) -> Result<Self, Fault> {
        let (lock, lives) = args;
        if lock.swap(true, Ordering::SeqCst) {
            return Err("the lock is held".into());
        }
        lives.fetch_add(1, Ordering::SeqCst);
        Ok(Self(lock))
    }

    async fn handle(&mut self, (): (), _cx: &mut Context<()>) -> Result<Flow, Fault> {
        Err("broken".into())
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        // Others run meanwhile, if there are any that could see this too early.
        let busy = std::time::Instant::now();
        while busy.elapsed() < std::time::Duration::from_millis(2) {
            std::thread::yield_now();
        }
        self.0.store(false, Ordering::SeqCst);
    }
}

/// Waits, but not for ever, while the clock runs: others keep their threads busy here.
async fn soon<T>(what: &str, waiting: impl Future<Output = T>) -> T {
    let waited = tokio::time::timeout(SECOND * 60, waiting).await;
    waited.unwrap_or_else(|_elapsed| panic!("waited in vain for {what}"))
}

/// Waits until a supervisor is up.
async fn running(supervisor: &SupervisorRef) -> Process {
    loop {
        match supervisor.process() {
            Some(process) => return process,
            None => tokio::task::yield_now().await,
        }
    }
}

/// Ends a child in turn by a fault and by killing it; tells which starts failed.
async fn restart_often<M: Send + 'static>(
    root: &SupervisorRef,
    child: &ChildRef<M>,
    fault: impl Fn() -> M,
) -> Vec<String> {
    let mut reports = root.reports();
    for round in 0..60 {
        let life = soon("the next life", child.running()).await;
        if round % 2 == 0 {
            life.cast(fault()).unwrap();
        } else {
            life.process().kill();
        }
        soon("the end", life.process().gone()).await;
    }
    soon("the last life", child.running()).await;
    let reports = std::iter::from_fn(|| reports.try_recv().ok());
    reports.map(|report| report.to_string()).filter(|text| text.contains("start error")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn d41_the_old_state_is_gone_before_the_next_life() {
    let (lock, lives) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let args = (lock, Arc::clone(&lives));
    let (spec, holder) = ChildSpec::server::<Holder>("holder", move || args.clone());
    let root = start(Supervisor::builder("root").intensity(1000, SECOND).child(spec)).await;
    assert_eq!(restart_often(&root, &holder, || ()).await, Vec::<String>::new());
    assert_eq!(lives.load(Ordering::SeqCst), 61);
    root.stop().await;
}

/// Holds a lock on a file and listens at a port, as a database and a web server do.
struct Landlord {
    _file: File,
    _listener: TcpListener,
}

impl Server for Landlord {
    type Args = (PathBuf, SocketAddrV4);
    type Msg = ();

    async fn init((path, address): Self::Args, _cx: &mut Context<()>) -> Result<Self, Fault> {
        let file = File::create(path)?;
        file.try_lock()?;
        Ok(Self { _file: file, _listener: TcpListener::bind(address)? })
    }

    async fn handle(&mut self, (): (), _cx: &mut Context<()>) -> Result<Flow, Fault> {
        Err("broken".into())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn d41b_a_locked_file_and_a_port_are_free_for_the_next_life() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    // An address of its own on the loopback, so that no other test can take the port.
    let [.., high, low] = std::process::id().to_be_bytes();
    let address = SocketAddrV4::new(Ipv4Addr::new(127, 41, high, low), 4141);
    let args = (path, address);
    let (spec, landlord) = ChildSpec::server::<Landlord>("landlord", move || args.clone());
    let root = start(Supervisor::builder("root").intensity(1000, SECOND).child(spec)).await;
    // It does hold them.
    TcpListener::bind(address).unwrap_err();
    assert_eq!(restart_often(&root, &landlord, || ()).await, Vec::<String>::new());
    root.stop().await;
    TcpListener::bind(address).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn d42_descendants_are_gone_before_a_middle_supervisor_is_restarted() {
    let (lock, lives) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let args = (lock, Arc::clone(&lives));
    let (leaf, holder) = ChildSpec::server::<Holder>("leaf", move || args.clone());
    let (middle, middle_ref) = Supervisor::builder("middle").child(leaf).child_spec();
    let root = start(Supervisor::builder("root").intensity(1000, SECOND).child(middle)).await;
    let mut reports = root.reports();
    for _ in 0..60 {
        let process = soon("the middle", running(&middle_ref)).await;
        process.kill();
        soon("the end", process.gone()).await;
    }
    soon("the last middle", running(&middle_ref)).await;
    assert!(holder.is_alive());
    assert_eq!(lives.load(Ordering::SeqCst), 61);
    let reports = std::iter::from_fn(|| reports.try_recv().ok());
    let failed = reports.map(|report| report.to_string()).find(|text| text.contains("start error"));
    assert_eq!(failed, None);
    root.stop().await;
}
