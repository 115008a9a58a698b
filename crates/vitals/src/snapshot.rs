//! `vitals snapshot`: keeps everything that can be seen in a file.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use heights_vitals::wire::Picture;
use serde::Serialize;

use crate::command::{SnapshotArgs, Vitals};
use crate::failure::Failure;
use crate::output::Output;

/// What is in the file.
#[derive(Serialize)]
struct Kept<'a> {
    schema: &'static str,
    #[serde(flatten)]
    picture: &'a Picture,
}

pub async fn run(vitals: &Vitals, args: &SnapshotArgs, output: Output) -> Result<(), Failure> {
    let picture = vitals.source().await?.picture().await?;
    let kept = Kept { schema: "vitals.picture/1", picture: &picture };
    let text = serde_json::to_vec(&kept)?;
    write(&args.file, &text)
        .map_err(|error| Failure::Snapshot { file: args.file.clone(), why: error.to_string() })?;
    let (actors, file) = (picture.tree.actors.len(), args.file.display());
    output.note(&format!("{actors} actors in {file}; look into it with --from {file}\n"))
}

/// Writes a new file: an older picture is never lost to a slip.
fn write(file: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(file)?;
    file.write_all(text)?;
    file.sync_all()
}
