//! How much memory an idle process takes.
//!
//! Each kind is measured in a program of its own, so that none uses what another gave back.

use std::process::Command;

use heights_supervisor::{ChildSpec, DynamicSupervisor, Supervisor};

use crate::workers::{self, Worker};

const PROCESSES: u32 = 20_000;

pub fn run() {
    let bare = measure("bare");
    for (what, which) in [("a dynamic child", "dynamic"), ("a static child", "static")] {
        let ours = measure(which);
        let ratio = ours as f64 / bare as f64;
        println!("  {what:<34} {ours:>8} B   bare ractor {bare:>8} B   ratio {ratio:.2}");
    }
}

fn measure(which: &str) -> u64 {
    let program = std::env::current_exe().unwrap();
    let output = Command::new(program).arg(format!("--hold={which}")).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

/// Starts idle processes and prints by how many bytes each made this program grow.
pub fn hold(which: &str) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let before = resident();
    runtime.block_on(async {
        let grown = || (resident() - before) / u64::from(PROCESSES);
        match which {
            "bare" => {
                let mut held = Vec::new();
                for _ in 0..PROCESSES {
                    held.push(workers::bare().await);
                }
                println!("{}", grown());
            }
            "dynamic" => {
                let root = DynamicSupervisor::builder("root").start().await.unwrap();
                for _ in 0..PROCESSES {
                    let (spec, _worker) = ChildSpec::server::<Worker>("worker", || ());
                    root.start_child(spec).await.unwrap();
                }
                println!("{}", grown());
            }
            _ => {
                let mut builder = Supervisor::builder("root");
                for number in 0..PROCESSES {
                    let (spec, _worker) = ChildSpec::server::<Worker>(format!("w{number}"), || ());
                    builder = builder.child(spec);
                }
                let _root = builder.start().await.unwrap();
                println!("{}", grown());
            }
        }
    });
}

/// The resident memory of this program, in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}
