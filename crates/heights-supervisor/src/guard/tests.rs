//! What an idle process has no room for.

use ractor::SupervisionEvent;

use super::*;

/// Keeps a lot while it waits.
struct Bulky;

async fn waste() {
    let bulk = [0_u8; 1 << 16];
    std::future::pending::<()>().await;
    std::hint::black_box(&bulk);
}

impl Behavior for Bulky {
    type Msg = ();
    type State = ();
    type Args = ();

    async fn start(&self, _: ActorRef<()>, (): (), _: &Arc<Keeper>) -> Result<(), Fault> {
        Ok(())
    }

    async fn handle(&self, _: ActorRef<()>, (): (), (): &mut ()) -> Result<Flow, Fault> {
        waste().await;
        Ok(Flow::Continue)
    }

    async fn supervise(
        &self,
        _: ActorRef<()>,
        _: SupervisionEvent,
        (): &mut (),
    ) -> Result<(), Fault> {
        waste().await;
        Ok(())
    }

    async fn terminate(&self, _: ActorRef<()>, (): &mut (), _: &Exit) -> Result<(), Fault> {
        waste().await;
        Ok(())
    }
}

fn room_for<'a, Input, Output>(
    _handler: impl FnOnce(&'a Guarded<Bulky>, ActorRef<()>, Input, &'a mut Box<Life<Bulky>>) -> Output,
) -> usize {
    size_of::<Output>()
}

#[test]
fn an_idle_process_keeps_no_room_for_its_handlers() {
    assert!(size_of_val(&waste()) > 1 << 16);
    assert_eq!(room_for(Guarded::<Bulky>::handle), size_of::<usize>());
    assert_eq!(room_for(Guarded::<Bulky>::handle_supervisor_evt), size_of::<usize>());
}
