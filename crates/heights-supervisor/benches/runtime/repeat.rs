//! One thing over and over on one thread, for a profiler: `-- --repeat=call` and what else is
//! listed below, and `bare-call` and so on for the yardstick.
//!
//! Counts of instructions and allocations do not depend on what else the machine does. The
//! difference between `--times=1000` and `--times=2000` is free of what is done once.

use heights_supervisor::{ChildSpec, DynamicSupervisor, Supervisor};

use crate::workers::{self, Worker};
use crate::{crowd, life, message};

pub async fn run(what: &str, times: u32) {
    match what {
        "call" | "cast" => {
            let (spec, worker) = ChildSpec::server::<Worker>("worker", || ());
            let root = Supervisor::builder("root").child(spec).start().await.unwrap();
            let worker = worker.running().await;
            match what {
                "call" => drop(message::our_calls(&worker, times).await),
                _ => drop(message::our_casts(&worker, times).await),
            }
            root.stop().await;
        }
        "life" | "task-life" => {
            let root = DynamicSupervisor::builder("root").start().await.unwrap();
            match what {
                "life" => life::our_lives(&root, times).await,
                _ => life::our_lives_by_a_task(&root, times).await,
            };
            root.stop().await;
        }
        "crash" => {
            let (root, worker) = life::restarting().await;
            life::our_crashes(&worker, times).await;
            root.stop().await;
        }
        // One crowd of so many: divided by that, whether each costs the same among more.
        "dynamic-crowd" => drop(crowd::dynamic(times).await),
        "static-crowd" => drop(crowd::fixed(times).await),
        "bare-crowd" => drop(crowd::bare(times).await),
        "bare-crash" => drop(life::their_crashes(times).await),
        _ => {
            let (actor, task) = workers::bare().await;
            match what {
                "bare-call" => drop(message::their_calls(&actor, times).await),
                "bare-cast" => drop(message::their_casts(&actor, times).await),
                "bare-life" => drop(life::their_lives(&actor, times).await),
                "bare-task-life" => drop(life::their_lives_by_a_task(&actor, times).await),
                unknown => panic!("there is no {unknown}"),
            }
            actor.stop(None);
            task.await.unwrap();
        }
    }
}
