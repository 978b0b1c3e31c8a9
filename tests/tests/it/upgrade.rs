//! The runtime is replaced while the network runs, as those who hold and stake decide: an old program, a new runtime.
//!
//! The new one is that of `runtime/src/rehearsal.rs`: one session key more, and a storage migration.

use crate::{env_path, state, wallet::Wallet};
use anyhow::Context;
use codec::{Decode, Encode};
use frame_support::traits::{schedule::DispatchTime, Bounded};
use frame_system::RawOrigin;
use futures::future::try_join_all;
use pallet_conviction_voting::{AccountVote, Conviction, Vote};
use selvedge_devnet::{
    client::{finalised, rpc},
    job,
    process::wait_for,
    Network,
};
use selvedge_runtime::{
    constants::currency::SEL, governance::tracks::id, AccountId, OriginCaller, Runtime,
    RuntimeCall, RuntimeEvent, Session, SessionKeys, System,
};
use serde_json::{json, Value};
use sp_core::H256;
use sp_io::hashing::{blake2_256, twox_128};
use std::{fs, time::Duration};

/// How long a referendum, or a session of the new runtime, may take.
const LIMIT: Duration = Duration::from_secs(600);

/// What everybody votes with, of a million: more than a validator has beside its stake, so that the stake votes too.
const VOTE: u128 = 990_000 * SEL;

/// A key that the new runtime adds is the last of four of 32 bytes.
type CarriedKeys = ([u8; 32], [u8; 32], [u8; 32], [u8; 32]);

/// An upgrade that is voted on.
pub struct Upgrade {
    referendum: u32,
    code: Vec<u8>,
}

impl Upgrade {
    /// Proposes the rehearsal's runtime, pays the deposits, and has everybody vote: all for it but the customer.
    pub async fn propose(network: &Network) -> anyhow::Result<Self> {
        let wallet = Wallet::new(network);
        let blob = env_path("SELVEDGE_RUNTIME_WASM")
            .with_file_name("upgrade_rehearsal.compact.compressed.wasm");
        let code = fs::read(&blob).with_context(|| {
            format!(
                "{}: run `cargo build --release -p selvedge-runtime-rehearsal`",
                blob.display()
            )
        })?;
        let proposer = &network.plan.validators[0].owner;
        let code_hash = H256(blake2_256(&code));
        let proposal = RuntimeCall::System(frame_system::Call::authorize_upgrade { code_hash });
        let bytes = proposal.encode();
        let lookup = Bounded::Lookup {
            hash: H256(blake2_256(&bytes)),
            len: bytes.len() as u32,
        };
        let note = pallet_preimage::Call::<Runtime>::note_preimage { bytes };
        wallet.send(proposer, note).await?.succeeded()?;
        let submit = pallet_referenda::Call::<Runtime>::submit {
            proposal_origin: Box::new(OriginCaller::system(RawOrigin::Root)),
            proposal: lookup,
            enactment_moment: DispatchTime::After(0),
        };
        let events = wallet.send(proposer, submit).await?.succeeded()?;
        let referendum = events.iter().find_map(|event| match event {
            RuntimeEvent::Referenda(pallet_referenda::Event::Submitted {
                index, track, ..
            }) => (*track == id::UPGRADE).then_some(*index),
            _ => None,
        });
        let index = referendum.context("the referendum is on the upgrade track")?;
        let deposit = pallet_referenda::Call::<Runtime>::place_decision_deposit { index };
        wallet.send(proposer, deposit).await?.succeeded()?;
        let upgrade = Self {
            referendum: index,
            code,
        };
        upgrade.vote(network, &wallet).await?;
        Ok(upgrade)
    }

    async fn vote(&self, network: &Network, wallet: &Wallet) -> anyhow::Result<()> {
        let stakers = network.plan.validators.iter().map(|one| &one.owner);
        let operators = network.plan.daemons.iter().map(|one| &one.operator);
        let ayes = stakers.chain(operators).map(|person| (person, true));
        let votes = ayes.chain([(&network.plan.customer, false)]);
        try_join_all(votes.map(|(person, aye)| async move {
            let conviction = match aye {
                true => Conviction::Locked1x,
                false => Conviction::None,
            };
            let vote = AccountVote::Standard {
                vote: Vote { aye, conviction },
                balance: if aye { VOTE } else { SEL },
            };
            let call = pallet_conviction_voting::Call::<Runtime>::vote {
                poll_index: self.referendum,
                vote,
            };
            wallet.send(person, call).await?.succeeded()
        }))
        .await?;
        Ok(())
    }

    /// Waits until the referendum has passed and its delay is over: the new code may be applied then, and no other.
    pub async fn wait_authorised(&self, network: &Network) -> anyhow::Result<()> {
        let port = network.rpc_port();
        wait_for("the upgrade's enactment", LIMIT, || async move {
            state::value(port, "System", "AuthorizedUpgrade").await
        })
        .await?;
        let mut state = state::externalities(port).await?;
        let info = state
            .execute_with(|| pallet_referenda::ReferendumInfoFor::<Runtime>::get(self.referendum));
        anyhow::ensure!(
            matches!(info, Some(pallet_referenda::ReferendumInfo::Approved(..))),
            "{info:?}"
        );
        Ok(())
    }

    /// Applies it, and checks that the old program runs the new runtime and that nothing of the old one is lost.
    pub async fn apply(self, network: &mut Network, billed: u64) -> anyhow::Result<()> {
        let wallet = Wallet::new(network);
        let port = network.rpc_port();
        let anybody = &network.plan.customer;
        let program = rpc(port, "system_version", json!([])).await?;
        anyhow::ensure!(spec_version(port).await? == 1);
        let before = Before::read(network, billed).await?;

        let old = frame_system::Call::<Runtime>::apply_authorized_upgrade {
            code: fs::read(env_path("SELVEDGE_RUNTIME_WASM"))?,
        };
        let old = wallet.send(anybody, old).await?;
        old.refused(frame_system::Error::<Runtime>::Unauthorized)?;
        let code = self.code;
        let new = frame_system::Call::<Runtime>::apply_authorized_upgrade { code };
        wallet.send(anybody, new).await?.succeeded()?;
        wait_for("the new runtime", LIMIT, || async move {
            Ok((spec_version(port).await? == 2).then_some(()))
        })
        .await?;

        // Signed and made for the new runtime.
        let remark = frame_system::Call::<Runtime>::remark { remark: vec![] };
        wallet.send(anybody, remark).await?.succeeded()?;
        let session = before.check_migrated(network).await?;
        let head = finalised(port).await?;
        network.wait_finalised(head + 3, LIMIT).await?;
        wait_session(port, session + 1).await?;
        check_witnesses(port).await?;
        let head = finalised(port).await?;
        network.wait_finalised(head + 3, LIMIT).await?;
        let bill = bill(network, billed).await?;
        anyhow::ensure!(bill == before.bill, "{bill}, not {}", before.bill);
        anyhow::ensure!(rpc(port, "system_version", json!([])).await? == program);
        network.ensure_running()
    }
}

async fn spec_version(port: u16) -> anyhow::Result<u64> {
    let version = rpc(port, "state_getRuntimeVersion", json!([])).await?;
    version["specVersion"]
        .as_u64()
        .context("a runtime has a version")
}

/// What a bill says of charges; how far they are from being final is another matter.
async fn bill(network: &Network, epoch: u64) -> anyhow::Result<Value> {
    let mut bill = job::bill(network, epoch).await?;
    let lines = bill["lines"].as_array_mut().context("a bill has lines")?;
    anyhow::ensure!(!lines.is_empty(), "the bill has lines");
    for line in lines {
        line["status"].take();
    }
    Ok(bill)
}

/// What the old runtime had.
struct Before {
    bill: Value,
    validators: Vec<AccountId>,
    keys: Vec<(AccountId, SessionKeys)>,
    services: usize,
}

impl Before {
    async fn read(network: &Network, billed: u64) -> anyhow::Result<Self> {
        let bill = bill(network, billed).await?;
        let mut state = state::externalities(network.rpc_port()).await?;
        Ok(state.execute_with(|| Self {
            bill,
            validators: Session::validators(),
            keys: pallet_session::NextKeys::<Runtime>::iter().collect(),
            services: pallet_edge_services::Services::<Runtime>::iter_keys().count(),
        }))
    }

    /// Everybody's keys are carried over with one more, and the migration has counted every service. Returns the session.
    async fn check_migrated(&self, network: &Network) -> anyhow::Result<u32> {
        anyhow::ensure!(self.services > 0, "there is something to migrate");
        anyhow::ensure!(self.keys.len() >= self.validators.len());
        let head = state::finalised_head(network.rpc_port()).await?;
        let all = state::all(network.rpc_port(), &head).await?;
        let version = all
            .get(&[twox_128(b"Services"), twox_128(b":__STORAGE_VERSION__:")].concat())
            .context("the pallet has a storage version")?;
        anyhow::ensure!(*version == 2u16.encode(), "{version:?}");
        let prefix = [twox_128(b"Rehearsal"), twox_128(b"OriginUse")].concat();
        let counted: u32 = all
            .range(prefix.clone()..)
            .take_while(|(key, _)| key.starts_with(&prefix))
            .map(|(_, count)| u32::decode(&mut &count[..]))
            .sum::<Result<_, _>>()?;
        anyhow::ensure!(counted as usize == self.services, "{counted} services");
        for (holder, old) in &self.keys {
            let key = pallet_session::NextKeys::<Runtime>::hashed_key_for(holder);
            let new = all.get(&key).context("a validator lost its keys")?;
            let new = CarriedKeys::decode(&mut &new[..])?;
            anyhow::ensure!((new.0, new.1, new.2).encode() == old.encode());
            anyhow::ensure!(new.3 == *AsRef::<[u8; 32]>::as_ref(holder));
        }
        let mut state = state::externalities(network.rpc_port()).await?;
        state.execute_with(|| {
            anyhow::ensure!(System::last_runtime_upgrade_spec_version() == 2);
            anyhow::ensure!(Session::validators() == self.validators);
            Ok(Session::current_index())
        })
    }
}

/// Waits until a session has begun.
async fn wait_session(port: u16, session: u32) -> anyhow::Result<()> {
    wait_for("the next session", LIMIT, || async move {
        let index = state::value(port, "Session", "CurrentIndex").await?;
        let index = u32::decode(&mut &index.context("sessions are counted")?[..])?;
        Ok((index >= session).then_some(()))
    })
    .await
}

/// The validators of a session that began under the new runtime are known by their new keys, which were queued before it.
async fn check_witnesses(port: u16) -> anyhow::Result<()> {
    let head = state::finalised_head(port).await?;
    let keys = state::value_at(port, "Rehearsal", "WitnessKeys", &head).await?;
    let validators = state::value_at(port, "Session", "Validators", &head).await?;
    anyhow::ensure!(keys.is_some() && keys == validators, "{keys:?}");
    Ok(())
}
