//! What can be said with the commands that act on an actor.

use clap::Args;

use crate::shell::living_actors;

#[derive(Debug, Args)]
pub struct ActArgs {
    /// The actor.
    #[arg(value_name = "REF", add = living_actors())]
    pub reference: String,

    /// Only tell what would happen.
    #[arg(long)]
    pub dry_run: bool,

    /// Return when it has happened, or after --timeout, 30s unless given.
    #[arg(long, conflicts_with = "dry_run")]
    pub wait: bool,

    /// Why; the process writes it to its log.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,

    /// Do not ask, unless a name would have to be typed.
    #[arg(short, long)]
    pub yes: bool,

    /// Do not ask: this is the name that would have to be typed where much would end.
    #[arg(long, value_name = "NAME")]
    pub confirm: Option<String>,
}
