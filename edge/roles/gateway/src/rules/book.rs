//! Which rules are in force for which service.
//!
//! ```text
//! state/rules/<service>.toml    the document that was last in force
//! ```
//!
//! A crash between two writes leaves the one before: the file is replaced whole.

use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use rand::RngCore;
use selvedge_edge_core_rules::{Limiter, Rate, RateMeter, Rules};
use selvedge_edge_drivers_agent::clock;
use selvedge_primitives_types::{ContentRef, Hash, Millis, ServiceId};

use crate::world::World;

/// Clients that are counted at a time, over all services; a place takes 16 bytes.
const CLIENTS: usize = 65_536;
/// Parts of the table that are locked apart.
const SHARDS: usize = 8;

/// What is in force for one service.
#[derive(Clone, Debug)]
pub(crate) enum InForce {
    /// Nothing yet: it had no rules when this gateway last heard of it.
    None,
    /// Unknown: it has rules, and none of them has ever been here.
    Missing,
    /// This document.
    Rules(Hash, Arc<Rules>),
}

#[derive(Debug)]
struct State {
    wanted: ContentRef,
    in_force: InForce,
    /// Why the wanted document is not in force, and whether another try may help.
    fault: Option<(String, bool)>,
}

/// The rules of every service that names some.
pub(crate) struct Book {
    folder: PathBuf,
    services: RwLock<HashMap<ServiceId, State>>,
    limiters: Vec<Mutex<Limiter>>,
    may_be_private: bool,
}

impl Book {
    /// Keeps documents in a folder.
    pub fn new(folder: PathBuf, may_be_private: bool) -> Self {
        let limiter = || {
            let mut seed = [0; 32];
            rand::thread_rng().fill_bytes(&mut seed);
            Mutex::new(Limiter::new(CLIENTS / SHARDS, seed))
        };
        Self {
            folder,
            services: RwLock::default(),
            limiters: (0..SHARDS).map(|_| limiter()).collect(),
            may_be_private,
        }
    }

    /// Whether origins may have addresses that only some can reach.
    pub fn may_be_private(&self) -> bool {
        self.may_be_private
    }

    /// Takes note of what the chain says now. Whoever had rules and has none any more is forgotten.
    pub fn renew(&self, before: Option<&World>, next: &World) {
        let mut services = self.services.write();
        let mut gone: Vec<ServiceId> = services.keys().copied().collect();
        for service in next.services() {
            let Some(wanted) = service.rules else {
                continue;
            };
            gone.retain(|id| *id != service.id);
            if let Some(state) = services.get_mut(&service.id) {
                if state.wanted != wanted {
                    state.wanted = wanted;
                    state.fault = None;
                }
                continue;
            }
            let had_none = before
                .and_then(|world| world.service_of(service.id))
                .is_some_and(|before| before.rules.is_none());
            let in_force = match self.kept(service.id) {
                Some((root, rules)) => InForce::Rules(root, rules),
                None if had_none => InForce::None,
                None => InForce::Missing,
            };
            let state = State {
                wanted,
                in_force,
                fault: None,
            };
            services.insert(service.id, state);
        }
        for id in gone {
            services.remove(&id);
            // What is not there need not be removed.
            let _ = std::fs::remove_file(self.file(id));
        }
    }

    /// What is in force for a service that names rules.
    pub fn of(&self, service: ServiceId) -> InForce {
        let services = self.services.read();
        let state = services.get(&service);
        state.map_or(InForce::Missing, |state| state.in_force.clone())
    }

    /// Whether a service's rules leave its hits as they are.
    pub fn spare_hits(&self, service: ServiceId) -> bool {
        let services = self.services.read();
        match services.get(&service).map(|state| &state.in_force) {
            Some(InForce::Rules(_, rules)) => rules.spare_hits(),
            Some(InForce::None) => true,
            Some(InForce::Missing) | None => false,
        }
    }

    /// Which document is in force and which is wanted, and why it is not the same if it is not.
    pub fn explain(&self, service: ServiceId) -> serde_json::Value {
        let services = self.services.read();
        let Some(state) = services.get(&service) else {
            return serde_json::Value::Null;
        };
        let in_force = match &state.in_force {
            InForce::Rules(root, _) => Some(hex(root)),
            InForce::None | InForce::Missing => None,
        };
        serde_json::json!({
            "in_force": in_force,
            "wanted": hex(&state.wanted.root),
            "fault": state.fault.as_ref().map(|(fault, _)| fault),
        })
    }

    /// Documents to get.
    pub fn open(&self) -> Vec<(ServiceId, ContentRef)> {
        let services = self.services.read();
        let is_open = |state: &State| {
            let is_there =
                matches!(state.in_force, InForce::Rules(root, _) if root == state.wanted.root);
            let may_help = state.fault.as_ref().is_none_or(|(_, may_help)| *may_help);
            !is_there && may_help
        };
        let open = services.iter().filter(|(_, state)| is_open(state));
        open.map(|(service, state)| (*service, state.wanted))
            .collect()
    }

    /// Puts a document in force, if it is still the one that is wanted.
    pub fn put(&self, service: ServiceId, content: ContentRef, rules: Arc<Rules>, text: &str) {
        let mut services = self.services.write();
        let Some(state) = services
            .get_mut(&service)
            .filter(|state| state.wanted == content)
        else {
            return;
        };
        state.in_force = InForce::Rules(content.root, rules);
        state.fault = None;
        if let Err(error) = self.keep(service, text) {
            tracing::error!(%service, %error, "rules are not kept: they are fetched again after a restart");
        }
    }

    /// Notes why a document is not in force. Says whether it was not known.
    pub fn note(
        &self,
        service: ServiceId,
        content: ContentRef,
        fault: &str,
        may_help: bool,
    ) -> bool {
        let mut services = self.services.write();
        let Some(state) = services
            .get_mut(&service)
            .filter(|state| state.wanted == content)
        else {
            return false;
        };
        let fault = Some((fault.to_owned(), may_help));
        let is_news = state.fault != fault;
        state.fault = fault;
        is_news
    }

    /// Who counts the clients of a service.
    pub fn meter(&self, service: ServiceId) -> impl RateMeter + '_ {
        Clients {
            book: self,
            service,
        }
    }

    fn file(&self, service: ServiceId) -> PathBuf {
        self.folder.join(format!("{}.toml", service.0))
    }

    fn kept(&self, service: ServiceId) -> Option<(Hash, Arc<Rules>)> {
        let text = std::fs::read_to_string(self.file(service)).ok()?;
        match Rules::parse(&text, self.may_be_private) {
            Ok(rules) => Some((*blake3::hash(text.as_bytes()).as_bytes(), Arc::new(rules))),
            Err(error) => {
                tracing::error!(%service, %error, "the rules that were kept cannot be read");
                None
            }
        }
    }

    fn keep(&self, service: ServiceId, text: &str) -> std::io::Result<()> {
        std::fs::create_dir_all(&self.folder)?;
        let path = self.file(service);
        replace(&path, text.as_bytes())
    }
}

/// A root as the command line writes it.
pub(super) fn hex(root: &Hash) -> String {
    root.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let new = path.with_extension("new");
    let mut file = std::fs::File::create(&new)?;
    file.write_all(bytes)?;
    file.sync_data()?;
    std::fs::rename(&new, path)
}

/// Clients of one service.
struct Clients<'a> {
    book: &'a Book,
    service: ServiceId,
}

impl RateMeter for Clients<'_> {
    fn take(&mut self, rule: usize, client: std::net::IpAddr, rate: Rate) -> Result<(), Millis> {
        let name = format!("{} {rule} {client}", self.service.0);
        let shard = name.bytes().fold(0usize, |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(byte.into())
        });
        let limiter = &self.book.limiters[shard % SHARDS];
        limiter.lock().take(name.as_bytes(), rate, clock::now())
    }
}
