//! An auditor that does not look: it passes everything in the first round, and is silent in the second.

use crate::{agent, state};
use anyhow::Context;
use codec::{Decode, Encode};
use pallet_edge_audits::{
    agent::{reveal_payload, seal, vote_payload},
    types::Verdicts,
    Call,
};
use selvedge_devnet::{client::rpc, plan::Validator, Network};
use selvedge_primitives_math::duty::{AuditDuty, AuditPhase};
use selvedge_primitives_types::{AuditVerdict, DeviceId, Epoch, Hash, Verdict};
use selvedge_runtime::{Runtime, RuntimeCall};
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    sync::{
        atomic::{AtomicUsize, Ordering},
        Arc,
    },
    time::Duration,
};
use tokio::task::JoinHandle;

/// How often it asks what is due.
const PERIOD: Duration = Duration::from_secs(1);

/// The salt of all its votes: it has nothing to hide.
const SALT: Hash = [7; 32];

/// An auditor at work until it is dropped.
pub struct LazyAuditor {
    passed: Arc<AtomicUsize>,
    working: JoinHandle<()>,
}

impl LazyAuditor {
    /// Takes the key that audits from a validator's node and votes with it itself.
    pub fn take_over(network: &Network, validator: &Validator) -> anyhow::Result<Self> {
        let keystore = network
            .folder
            .of(&validator.name)?
            .join("chains/selvedge_devnet/keystore");
        let name = format!(
            "{}{}",
            hex::encode("edge"),
            hex::encode(validator.session.sr25519())
        );
        fs::remove_file(keystore.join(&name)).context(name)?;
        let passed = Arc::<AtomicUsize>::default();
        let mut auditor = Auditor {
            port: network.rpc_port(),
            validator: validator.clone(),
            device: DeviceId(validator.device.ed25519()),
            voted: BTreeMap::new(),
            passed: passed.clone(),
        };
        let working = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(PERIOD);
            loop {
                ticks.tick().await;
                // What fails is due again a second later.
                let _ = auditor.work().await;
            }
        });
        Ok(Self { passed, working })
    }

    /// How many verdicts it revealed.
    pub fn passed(&self) -> usize {
        self.passed.load(Ordering::Acquire)
    }
}

impl Drop for LazyAuditor {
    fn drop(&mut self) {
        self.working.abort();
    }
}

struct Auditor {
    port: u16,
    validator: Validator,
    device: DeviceId,
    /// What it voted in a window, until it is revealed.
    voted: BTreeMap<Epoch, Verdicts>,
    passed: Arc<AtomicUsize>,
}

impl Auditor {
    async fn work(&mut self) -> anyhow::Result<()> {
        let arguments = format!("0x{}", hex::encode(self.device.encode()));
        let answer = rpc(
            self.port,
            "state_call",
            json!(["AuditsApi_audit_duties", arguments]),
        )
        .await?;
        let duties = Vec::<AuditDuty>::decode(&mut &state::bytes(&answer)?[..])?;
        let first_round = || duties.iter().filter(|duty| duty.round == 0);
        let windows: BTreeSet<_> = first_round().map(|duty| duty.window).collect();
        for window in windows {
            let of_window: Vec<_> = first_round().filter(|duty| duty.window == window).collect();
            match of_window[0].phase {
                AuditPhase::Vote if !self.voted.contains_key(&window) => {
                    self.vote(window, &of_window).await?;
                }
                AuditPhase::Reveal => self.reveal(window).await?,
                _ => {}
            }
        }
        Ok(())
    }

    async fn vote(&mut self, window: Epoch, duties: &[&AuditDuty]) -> anyhow::Result<()> {
        let mut verdicts: Vec<_> = duties
            .iter()
            .map(|duty| AuditVerdict {
                gateway: duty.gateway,
                epoch: duty.epoch,
                verdict: Verdict::Ok { held: [0; 32] },
            })
            .collect();
        verdicts.sort_by_key(AuditVerdict::position);
        let (auditor, seal) = (self.device, seal(&verdicts, &SALT));
        let payload = vote_payload(auditor, window, 0, seal);
        let call = |agent_signature| {
            RuntimeCall::Audits(Call::<Runtime>::vote {
                auditor,
                window,
                round: 0,
                seal,
                agent_signature,
            })
        };
        agent::send(self.port, &self.validator.session, &payload, call).await?;
        let verdicts = Verdicts::try_from(verdicts).map_err(|_| anyhow::anyhow!("too many"))?;
        self.voted.insert(window, verdicts);
        Ok(())
    }

    async fn reveal(&mut self, window: Epoch) -> anyhow::Result<()> {
        let Some(verdicts) = self.voted.get(&window).cloned() else {
            return Ok(());
        };
        let (auditor, count) = (self.device, verdicts.len());
        let payload = reveal_payload(auditor, window, 0, seal(&verdicts, &SALT));
        let call = |agent_signature| {
            RuntimeCall::Audits(Call::<Runtime>::reveal {
                auditor,
                window,
                round: 0,
                verdicts,
                salt: SALT,
                agent_signature,
            })
        };
        agent::send(self.port, &self.validator.session, &payload, call).await?;
        self.voted.remove(&window);
        self.passed.fetch_add(count, Ordering::AcqRel);
        Ok(())
    }
}
