//! Who answers to which name, and actors that are none of ours.

use heights_registry::{Owner, Registry};
use heights_supervisor::{ChildSpec, Hub, Supervisor};
use heights_vitals::wire::{Keys, Kind, Sort};
use heights_vitals::{Client, Inspector};
use ractor::{Actor, ActorProcessingErr, ActorRef};

use crate::support::{CANARY, Msg, private_directory, start_with};

#[tokio::test]
async fn a_registry_shows_whose_its_keys_are_and_only_such_values_as_it_should() {
    let (names, groups) = (Registry::unique(), Registry::duplicate());
    let (shown, counted) = (names.clone(), groups.clone());
    let tree = start_with(|inspector| {
        let inspector = inspector.registry("names", &shown);
        inspector.registry_with_values("groups", &counted, |value: &u64| Some(value.to_string()))
    })
    .await;
    let store = tree.store.running().await;
    names.register("store".to_owned(), CANARY, store.process().owner()).unwrap();
    let (nobody, _lives) = Owner::new();
    groups.register("b", 2_u64, &nobody).unwrap();
    groups.register("a", 1_u64, &nobody).unwrap();
    groups.register("a", 3_u64, store.process().owner()).unwrap();
    let told = tree.client.registry(None).await.unwrap().registries;
    let [names, groups] = &told[..] else { panic!("{told:?}") };
    assert_eq!((names.name.as_str(), names.keys, names.total), ("names", Keys::Unique, 1));
    let entry = &names.entries[0];
    assert_eq!((entry.key.as_str(), entry.value.as_ref()), ("store", None));
    assert_eq!(entry.path.as_deref(), Some("app/store"));
    let entries: Vec<_> = groups
        .entries
        .iter()
        .map(|entry| (entry.key.as_str(), entry.value.as_deref().unwrap(), entry.pid.is_some()))
        .collect();
    assert_eq!((groups.keys, entries[2]), (Keys::Duplicate, ("b", "2", false)));
    assert!(entries.contains(&("a", "3", true)), "{entries:?}");
    let cut = tree.client.registry(Some(1)).await.unwrap().registries;
    assert_eq!((cut[1].entries.len(), cut[1].total), (1, 3));
    tree.store.call(Msg::Ping).await.unwrap();
    tree.root.stop().await;
}

/// A plain actor of ractor's, which starts another one below itself if it is told to.
pub struct Plain;

impl Actor for Plain {
    type Msg = ();
    type State = ();
    type Arguments = Option<&'static str>;

    async fn pre_start(
        &self,
        myself: ActorRef<()>,
        below: Option<&'static str>,
    ) -> Result<(), ActorProcessingErr> {
        if let Some(name) = below {
            #[expect(clippy::disallowed_methods, reason = "it knows nothing of supervisors")]
            let below =
                Actor::spawn_linked(Some(name.to_owned()), Self, None, myself.get_cell()).await?;
            ractor::pg::join("waiting-room".to_owned(), vec![below.0.get_cell()]);
        }
        Ok(())
    }
}

#[tokio::test]
async fn actors_that_are_none_of_ours_are_shown_without_numbers() {
    let hub = Hub::new();
    let (spec, _plain) = ChildSpec::actor("plain", || (Plain, Some("below")));
    let root = Supervisor::builder("app").hub(hub.clone()).child(spec).start().await.unwrap();
    let directory = private_directory();
    let inspector = Inspector::builder("app", &hub).directory(directory.path()).start().unwrap();
    let client = Client::new(inspector.socket());
    let tree = client.tree().await.unwrap();
    let foreign = tree.actors.iter().find(|actor| actor.id == "below").expect("it is shown");
    assert_eq!((foreign.kind, foreign.path.as_str()), (Some(Kind::Foreign), "ractor:below"));
    assert_eq!((foreign.mailbox, foreign.handled, foreign.restarts), (None, None, None));
    assert_eq!(foreign.parent, tree.actors[1].pid, "it is linked below the plain one");
    assert_eq!(tree.actors[1].mailbox, None);
    let top = |filter| client.top(Sort::Mailbox, 10, Some(filter));
    let (below, nobody) = (top("below").await.unwrap(), top("nobody").await.unwrap());
    assert_eq!((&below.actors, below.total), (&vec![foreign.clone()], tree.total));
    assert_eq!((nobody.actors.len(), nobody.total), (0, tree.total));
    let groups = client.groups(None).await.unwrap().groups;
    let group = groups.iter().find(|group| group.name == "waiting-room").unwrap();
    assert_eq!((group.total, group.members[0].name.as_deref()), (1, Some("below")));
    assert_eq!(group.members[0].path, None);
    root.stop().await;
}
