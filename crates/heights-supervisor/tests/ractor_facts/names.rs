//! P6, P17: ractor's names.

use std::sync::Arc;

use ractor::registry::where_is;
use ractor::{Actor, ActorStatus, SpawnErr};
use tokio::sync::Semaphore;

use super::support::{Subject, settle, still, within};

#[tokio::test(start_paused = true)]
async fn p06_a_name_is_free_before_post_stop_has_run() {
    const NAME: &str = "p06";
    let stop = Arc::new(Semaphore::new(0));
    let subject = Subject { stop: Some(Arc::clone(&stop)), ..Subject::default() };
    let (first, first_task) = Actor::spawn(Some(NAME.to_owned()), subject, ()).await.unwrap();
    settle().await;
    first.stop(None);
    settle().await;
    let second = Actor::spawn(Some(NAME.to_owned()), Subject::default(), ()).await;
    let two = second.is_ok() && first.get_status() != ActorStatus::Stopped;
    still(two, "names last as long as their actors: heights-registry could stand on them");
    let (second, second_task) = second.unwrap();
    stop.add_permits(1);
    second.stop(None);
    within("the first", first_task).await.unwrap();
    within("the second", second_task).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn p17_there_is_one_space_of_names_in_the_whole_program() {
    const NAME: &str = "p17";
    let (actor, task) = Actor::spawn(Some(NAME.to_owned()), Subject::default(), ()).await.unwrap();
    // Another runtime, another thread, the same names.
    let elsewhere = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let again = runtime.block_on(Actor::spawn(Some(NAME.to_owned()), Subject::default(), ()));
        let taken = matches!(again, Err(SpawnErr::ActorAlreadyRegistered(_)));
        taken && where_is(NAME).is_some()
    });
    still(
        elsewhere.join().unwrap(),
        "names can be local: `Registry` values are no longer the only way",
    );
    actor.stop(None);
    within("the end", task).await.unwrap();
    still(where_is(NAME).is_none(), "names outlive their actors");
}
