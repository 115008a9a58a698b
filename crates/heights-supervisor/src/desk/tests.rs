//! What a supervisor does with messages that are not for it.

use ractor::{Actor, ActorProcessingErr, ActorRef};

use crate::{DynamicSupervisor, Process, Supervisor};

/// A plain actor that ends with its first message.
struct Stranger;

impl Actor for Stranger {
    type Msg = ();
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle(&self, _: ActorRef<()>, (): (), (): &mut ()) -> Result<(), ActorProcessingErr> {
        Err("the end".into())
    }
}

/// Links a stranger to the supervisor and lets it die there; sends a message of a wrong type too.
async fn bother(supervisor: &Process) {
    let cell = supervisor.cell().unwrap().clone();
    assert!(cell.send_message("not for you").is_err());
    #[expect(clippy::disallowed_methods, reason = "this is what must do no harm")]
    let (stranger, task) = Actor::spawn_linked(None, Stranger, (), cell).await.unwrap();
    stranger.send_message(()).unwrap();
    task.await.unwrap();
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn i89_unknown_messages_and_events_are_ignored() {
    let root = Supervisor::builder("root").start().await.unwrap();
    bother(&root.process().unwrap()).await;
    assert_eq!(root.which_children().await.len(), 0);
    assert!(root.process().unwrap().is_alive());

    let root = DynamicSupervisor::builder("root").start().await.unwrap();
    bother(&root.process().unwrap()).await;
    assert_eq!(root.which_children().await.len(), 0);
    assert!(root.process().unwrap().is_alive());
}
