//! `vitals snapshot`: keeps everything that can be seen in a file.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use heights_vitals::Client;
use heights_vitals::wire::{Actor, Missing, Picture, StateView};

use crate::command::{SnapshotArgs, Vitals};
use crate::failure::Failure;
use crate::kept::Kept;
use crate::output::{Output, marked};

pub async fn run(vitals: &Vitals, args: &SnapshotArgs, output: Output) -> Result<(), Failure> {
    let client = vitals.client().await?;
    let picture = client.picture().await?;
    let (registries, groups) = (client.registry(None).await?, client.groups(None).await?);
    let states = if args.states { Some(states(&client, &picture).await?) } else { None };
    let actors = picture.tree.actors.len();
    let kept = Kept { picture, registries: Some(registries), groups: Some(groups), states };
    let text = marked("vitals.picture/1", &kept)?.to_string();
    write(&args.file, text.as_bytes())
        .map_err(|error| Failure::Snapshot { file: args.file.clone(), why: error.to_string() })?;
    let file = args.file.display();
    output.note(&format!("{actors} actors in {file}; look into it with --from {file}\n"))
}

/// Asks every server for its state, one after the other: what they show may be much.
async fn states(client: &Client, picture: &Picture) -> Result<Vec<StateView>, Failure> {
    let mut states = Vec::new();
    let servers = picture.tree.actors.iter().filter(|actor| actor.mailbox.is_some());
    for pid in servers.filter_map(|Actor { pid, .. }| pid.as_deref()) {
        match client.state(pid, None).await {
            Ok(state) if state.missing == Some(Missing::Unsupported) => {}
            Ok(state) => states.push(state),
            // It has ended since the picture was taken.
            Err(error) if error.is_gone() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(states)
}

/// Writes a new file: an older picture is never lost to a slip.
fn write(file: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(file)?;
    file.write_all(text)?;
    file.sync_all()
}
