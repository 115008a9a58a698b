//! Processes that are found by name: rooms of a chat, of which one crashes and comes back.
//!
//! `cargo run --example typed_names`

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use heights::prelude::*;
use heights::registry::{Change, Via};

/// The key is the name of a room; whoever has a room's address can only send what rooms understand.
type Rooms = Registry<String, Ref<Msg>>;

struct Room {
    name: String,
    heard: Vec<String>,
}

enum Msg {
    Say(String),
    Heard(Reply<Vec<String>>),
}

impl Server for Room {
    type Args = (Rooms, String);
    type Msg = Msg;

    async fn init((rooms, name): Self::Args, cx: &mut Context<Msg>) -> Result<Self, Fault> {
        // Never fails because of the life before: its name was freed when it was gone.
        rooms.register(name.clone(), cx.myself(), cx.owner())?;
        Ok(Self { name, heard: Vec::new() })
    }

    async fn handle(&mut self, msg: Msg, _cx: &mut Context<Msg>) -> Result<Flow, Fault> {
        match msg {
            Msg::Say(text) if text == "fire!" => return Err(format!("{} burns", self.name).into()),
            Msg::Say(text) => self.heard.push(text),
            Msg::Heard(reply) => reply.send(self.heard.clone()),
        }
        Ok(Flow::Continue)
    }
}

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let (changed, mut changes) = tokio::sync::mpsc::unbounded_channel();
    let rooms: Rooms = Registry::builder()
        .listener(move |change| {
            let news = match change {
                Change::Registered(name, _) => format!("{name} opens"),
                Change::Unregistered(name, _) => format!("{name} closes"),
            };
            // Nobody listens any more once `main` has ended.
            let _closing = changed.send(news);
        })
        .build();
    let (spec, house) = DynamicSupervisor::builder("house").child_spec();
    let root = Supervisor::builder("chat").child(spec).start().await?;
    for name in ["owls", "cats"] {
        let args = (rooms.clone(), name.to_owned());
        let (room, _) = ChildSpec::server::<Room>(name, move || args.clone());
        house.start_child(room).await?;
        println!("{}", changes.recv().await.unwrap_or_default());
    }

    // An address is looked up whenever something is sent to it.
    let (owls, cats) = (Via::name(&rooms, "owls".into()), Via::name(&rooms, "cats".into()));
    cats.cast(Msg::Say("meow".into()))?;
    owls.cast(Msg::Say("fire!".into()))?;
    for _ in 0..2 {
        println!("{}", changes.recv().await.unwrap_or_default());
    }
    owls.cast(Msg::Say("hoot".into()))?;
    println!("owls heard {:?}", owls.call(Msg::Heard).await?);
    println!("cats heard {:?}", cats.call(Msg::Heard).await?);

    root.stop().await;
    println!("{} rooms are left", rooms.count());
    Ok(())
}
