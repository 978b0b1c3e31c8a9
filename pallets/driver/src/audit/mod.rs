//! The auditor: looks at what gateways committed, votes, reveals and proves, for the devices whose
//! agent key this node holds. It needs no daemon.
//!
//! ```text
//! drawn ─▶ look at one gateway after the other, over as many blocks as it takes
//!       ─▶ first half of the epoch: all looked at, or three quarters of the half over ─▶ vote
//!       ─▶ second half: reveal the very same
//! ```
//!
//! What was found lies in the node's off-chain storage ([`memory`]), so a restart loses nothing.

mod address;
mod gateway;
mod look;
mod memory;
mod speak;

use crate::{Config, ConfigView, LOG_TARGET};
use alloc::vec::Vec;
use frame_support::traits::Get;
use gateway::Remote;
use look::{look, Found, Miss};
use memory::{Item, Rounds, Shown, State};
use pallet_edge_traits::{AuditDuties, AuditRules, DeviceInspect};
use selvedge_primitives_math::duty::AuditDuty;
use selvedge_primitives_types::{
    agent::{ClockConfig, AGENT_KEY_TYPE},
    DeviceId, Verdict,
};
use sp_core::{
    crypto::KeyTypeId,
    offchain::{Duration, Timestamp},
};
use sp_runtime::offchain::storage_lock::{StorageLock, Time};

const LOCK: &[u8] = b"selvedge::lock::audits";

/// How long a lock outlives a node that stopped. A look at a gateway's every leaf may go on for
/// seconds after the time for fetching them is up.
const LOCK_LIFE: Duration = Duration::from_millis(10_000);

/// Audits for every device of this node that speaks for an auditor.
pub(crate) fn run<T: Config>(block: u32, deadline: Timestamp) {
    let auditors = own::<T>();
    if auditors.is_empty() {
        return;
    }
    let mut lock = StorageLock::<Time>::with_deadline(LOCK, LOCK_LIFE);
    let Ok(_held) = lock.try_lock() else {
        log::debug!(target: LOG_TARGET, "audits: an earlier block's worker is at it");
        return;
    };
    let clock = T::View::clock();
    for (device, key) in auditors {
        Auditor {
            device,
            key,
            block,
            deadline,
            clock,
        }
        .run::<T>();
    }
}

/// The auditors' devices whose agent key the keystore holds.
fn own<T: Config>() -> Vec<(DeviceId, [u8; 32])> {
    let keys = sp_io::crypto::sr25519_public_keys(KeyTypeId(AGENT_KEY_TYPE));
    if keys.is_empty() {
        return Vec::new();
    }
    T::Audits::auditors()
        .into_iter()
        .filter_map(|device| Some((device, T::Devices::device(&device)?.agent_key)))
        .filter(|(_, key)| keys.iter().any(|own| own.0 == *key))
        .collect()
}

/// One auditor in one block.
struct Auditor {
    device: DeviceId,
    key: [u8; 32],
    block: u32,
    /// For everything that is fetched.
    deadline: Timestamp,
    clock: ClockConfig,
}

impl Auditor {
    fn run<T: Config>(&self) {
        let duties = T::Audits::audits(&self.device);
        let mut rounds = Rounds::read(&self.device, self.clock.epoch);
        self.look_at_all::<T>(&duties, &mut rounds);
        let same = |a: &AuditDuty, b: &AuditDuty| (a.window, a.round) == (b.window, b.round);
        for of_round in duties.chunk_by(same) {
            self.speak::<T>(of_round, &mut rounds);
        }
        self.post_leaves::<T>();
    }

    /// Looks at what is open, those first that cost the least attempts so far, and of these at
    /// another one first in every block: so none that is slow starves the others.
    fn look_at_all<T: Config>(&self, duties: &[AuditDuty], rounds: &mut Rounds) {
        let first = self.block as usize % duties.len().max(1);
        let in_turn = duties.iter().cycle().skip(first).take(duties.len());
        let mut open: Vec<_> = in_turn
            .filter_map(|duty| {
                let item = rounds.item(duty);
                item.is_open().then_some((item.attempts, duty))
            })
            .collect();
        open.sort_by_key(|(attempts, _)| *attempts);
        for (_, duty) in open {
            if sp_io::offchain::timestamp() >= self.deadline {
                return;
            }
            self.look_at::<T>(duty, rounds.item(duty));
            // At once: should the worker be cut off, the next one must know of it.
            rounds.write();
        }
    }

    fn look_at<T: Config>(&self, duty: &AuditDuty, item: &mut Item) {
        let (gateway, epoch) = (duty.gateway, duty.epoch);
        let Some(known) = T::Audits::known(epoch) else {
            log::warn!(target: LOG_TARGET, "audit of {gateway} in {epoch}: its terms are forgotten");
            return;
        };
        let began = sp_io::offchain::timestamp();
        let base = address::base(&duty.public_url, T::AllowPrivate::get());
        let found = base.map_err(Miss::Address).and_then(|url| {
            let mut remote = Remote::new(url, self.deadline);
            let mut shown = Shown::read_for(&self.device, duty);
            let before = shown.leaves.len();
            let state = &mut item.state;
            let found = look(
                &mut remote,
                duty,
                &known,
                &self.device,
                state,
                &mut shown.leaves,
            );
            if shown.leaves.len() > before {
                shown.write();
            }
            item.octets += remote.octets;
            item.leaves += remote.leaves;
            found
        });
        let took = sp_io::offchain::timestamp().diff(&began).millis();
        item.attempts = item.attempts.saturating_add(1);
        item.millis = item.millis.saturating_add(took);
        let what = match found {
            Ok(Found::Sound(held)) => {
                item.state = State::Looked(Verdict::Ok { held });
                "ok"
            }
            Ok(Found::Defective(proof)) => {
                item.state = State::Proven(proof, None);
                "bad"
            }
            Ok(Found::Part) => {
                log::debug!(target: LOG_TARGET, "audit of {gateway} in {epoch}: in part");
                return;
            }
            Err(miss) => {
                log::debug!(target: LOG_TARGET, "audit of {gateway} in {epoch}: {miss}");
                return;
            }
        };
        self.log(duty, item, what);
    }

    /// One line per verdict.
    fn log(&self, duty: &AuditDuty, item: &Item, what: &str) {
        let Item {
            leaves,
            octets,
            millis,
            attempts,
            ..
        } = item;
        let (gateway, epoch) = (duty.gateway, duty.epoch);
        log::info!(
            target: LOG_TARGET,
            "audit of {gateway} in {epoch}: {what}; {leaves} leaves, {octets} octets, {millis} ms, \
             {attempts} attempts",
        );
    }
}
