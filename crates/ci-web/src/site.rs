//! What every handler shares: handles and values that never change.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ci_build::NodeHandle;
use ci_github::Secret;
use heights::Hub;
use tokio::sync::watch;

use crate::access::{Person, Standings};
use crate::audit::AuditLog;
use crate::body::Room;
use crate::gate::Gate;
use crate::log::Shelf;
use crate::page::Drawings;
use crate::seen::{Glance, Seen};
use crate::server::{ReadAccess, WebArgs};
use crate::sessions::Sessions;
use crate::stopping::Stopping;
use crate::throttle::Throttle;
use crate::tokens::Tokens;
use crate::webhook::DeliveryCounts;

/// One life of the web server, for its handlers.
#[derive(Clone)]
pub(crate) struct Site(Arc<Inner>, Option<Arc<Glance>>);

struct Inner {
    node: NodeHandle,
    tokens: Tokens,
    sessions: Sessions,
    standings: Standings,
    webhook_secret: watch::Receiver<Option<Secret>>,
    deliveries: Arc<DeliveryCounts>,
    room: Room,
    read: ReadAccess,
    gate: watch::Receiver<Option<Gate>>,
    proxies: Vec<IpAddr>,
    throttle: Throttle,
    audit: AuditLog,
    version: String,
    started: SystemTime,
    hub: Hub,
    stopping: Stopping,
    drawings: Drawings,
    logs: Arc<Shelf>,
    seen: Seen,
    patience: Duration,
}

impl Site {
    pub(crate) fn new(
        args: &WebArgs,
        deliveries: Arc<DeliveryCounts>,
        hub: Hub,
        stopping: Stopping,
    ) -> Self {
        let inner = Inner {
            node: args.node.clone(),
            tokens: Tokens::new(args.node.ledger().store().clone()),
            sessions: Sessions::new(args.node.ledger().store().clone()),
            standings: Standings::default(),
            webhook_secret: args.webhook_secret.clone(),
            deliveries,
            room: Room::new(),
            read: args.read,
            gate: args.gate.clone(),
            proxies: args.proxies.clone(),
            throttle: Throttle::new(args.limits),
            audit: AuditLog::new(args.node.ledger().store().clone()),
            version: args.version.clone(),
            started: SystemTime::now(),
            hub,
            stopping,
            drawings: Drawings::default(),
            logs: Arc::default(),
            seen: Seen::default(),
            patience: args.patience,
        };
        Self(Arc::new(inner), None)
    }

    /// The same for who waits for nobody.
    pub(crate) fn glancing(&self) -> Self {
        Self(self.0.clone(), Some(Arc::new(Glance::new(self.0.patience))))
    }

    /// How long who does not wait for long has waited, and what was not answered.
    pub(crate) fn glance(&self) -> Option<&Glance> {
        self.1.as_deref()
    }

    /// What actors said last.
    pub(crate) fn seen(&self) -> &Seen {
        &self.0.seen
    }

    /// The node.
    pub(crate) fn node(&self) -> &NodeHandle {
        &self.0.node
    }

    /// Who may do what.
    pub(crate) fn tokens(&self) -> &Tokens {
        &self.0.tokens
    }

    /// Who is logged in.
    pub(crate) fn sessions(&self) -> &Sessions {
        &self.0.sessions
    }

    /// What people may do, as the forge said lately.
    pub(crate) fn standings(&self) -> &Standings {
        &self.0.standings
    }

    /// Whether the node's configuration lets somebody do everything.
    pub(crate) fn is_administrator(&self, person: &Person) -> bool {
        self.gate().is_some_and(|gate| gate.is_administrator(person))
    }

    /// How often everybody may still do what.
    pub(crate) fn throttle(&self) -> &Throttle {
        &self.0.throttle
    }

    /// What was done, and by whom.
    pub(crate) fn audit(&self) -> &AuditLog {
        &self.0.audit
    }

    /// Whose word counts on where a request comes from.
    pub(crate) fn proxies(&self) -> &[IpAddr] {
        &self.0.proxies
    }

    /// How people come in by their account at the forge, if they do.
    pub(crate) fn gate(&self) -> Option<Gate> {
        self.0.gate.borrow().clone()
    }

    /// What deliveries are signed with now.
    pub(crate) fn webhook_secret(&self) -> Option<Secret> {
        self.0.webhook_secret.borrow().clone()
    }

    /// What became of deliveries.
    pub(crate) fn deliveries(&self) -> &DeliveryCounts {
        &self.0.deliveries
    }

    /// Where bodies of deliveries are read.
    pub(crate) fn room(&self) -> &Room {
        &self.0.room
    }

    /// Whether everyone may look.
    pub(crate) fn is_public(&self) -> bool {
        self.0.read == ReadAccess::Public
    }

    /// Whether people come over TLS, so that cookies must not travel without.
    pub(crate) fn is_secure(&self) -> bool {
        self.0.node.voice().public_url.starts_with("https://")
    }

    /// The version of the program.
    pub(crate) fn version(&self) -> &str {
        &self.0.version
    }

    /// When this life began.
    pub(crate) fn started(&self) -> SystemTime {
        self.0.started
    }

    /// The tree that the server is part of.
    pub(crate) fn hub(&self) -> &Hub {
        &self.0.hub
    }

    /// The pages that somebody looks at.
    pub(crate) fn drawings(&self) -> &Drawings {
        &self.0.drawings
    }

    /// The logs that somebody looks at.
    pub(crate) fn logs(&self) -> &Arc<Shelf> {
        &self.0.logs
    }

    /// Tells when streams should end.
    pub(crate) fn stopping(&self) -> Stopping {
        self.0.stopping.clone()
    }

    /// Whether the server is about to end.
    pub(crate) fn is_stopping(&self) -> bool {
        self.0.stopping.is_told()
    }
}
