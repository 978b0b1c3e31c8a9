//! What became of every commitment, and what owners of gateways and caches must have been credited for it, recomputed from
//! the leaves that the gateways show.

use crate::state;
use anyhow::Context;
use codec::DecodeAll;
use frame_support::traits::Get;
use pallet_edge_billing::{
    types::{CommitmentRecord, Status},
    Commitments, FirstEarnings, Payouts,
};
use selvedge_devnet::{client, job::Received, Network};
use selvedge_edge_core_metering::Closed;
use selvedge_primitives_math::{ratio::apply, share::Split, TreeKind};
use selvedge_primitives_types::{DeviceId, Epoch, Leaf, Planck, Ppm, Sum, UsageClass};
use selvedge_runtime::{
    configs::params::dynamic_params::{billing, shares},
    AccountId, Runtime,
};
use std::collections::BTreeMap;

/// Every commitment that the newest finalised block knows, by gateway and epoch.
pub type Commitment = BTreeMap<(DeviceId, Epoch), CommitmentRecord>;

/// Reads them.
pub async fn commitments(port: u16) -> anyhow::Result<Commitment> {
    let mut state = state::externalities(port).await?;
    let all = state.execute_with(|| Commitments::<Runtime>::iter_values().collect::<Vec<_>>());
    let key = |record: &CommitmentRecord| (record.commitment.gateway, record.commitment.epoch);
    Ok(all
        .into_iter()
        .map(|record| (key(&record), record))
        .collect())
}

/// What a commitment names, charged or free.
pub fn used(sum: &Sum) -> Received {
    let units = |class| sum.paid.of(class) + sum.free.of(class);
    Received {
        requests: units(UsageClass::Requests),
        bytes: units(UsageClass::EgressBytes),
    }
}

/// Every owner of a gateway or cache was credited, to the unit, its part of the commitments that were paid, and nothing
/// else; what is kept back of a new node's first earnings is its owner's too. `public` says where gateways themselves show leaves.
pub async fn check_payouts(
    network: &Network,
    public: &BTreeMap<DeviceId, u16>,
) -> anyhow::Result<()> {
    let mut state = state::externalities(network.rpc_port()).await?;
    let (paid, split, penalty) = state.execute_with(|| {
        let credited = |record: &CommitmentRecord| record.status == Status::Credited;
        let paid: Vec<_> = Commitments::<Runtime>::iter_values()
            .filter(credited)
            .collect();
        let (take, stargate) = (shares::Take::get(), shares::StargateShare::get());
        let split = Split::new(take, stargate, shares::CacheShare::get());
        (paid, split, billing::LatePenalty::get())
    });
    let split = split.map_err(|error| anyhow::anyhow!("{error}"))?;
    let owners: BTreeMap<_, _> = network
        .plan
        .daemons
        .iter()
        .map(|one| (DeviceId(one.device.ed25519()), one.operator.account()))
        .collect();
    let mut expected: BTreeMap<[u8; 32], Planck> =
        owners.values().map(|owner| (*owner, 0)).collect();
    let mut credit = |device: &DeviceId, amount: Planck| -> anyhow::Result<()> {
        let owner = owners.get(device).context("the plan has every node")?;
        *expected.entry(*owner).or_default() += amount;
        Ok(())
    };
    anyhow::ensure!(!paid.is_empty(), "nothing was paid");
    for record in paid {
        let (gateway, epoch) = (record.commitment.gateway, record.commitment.epoch);
        let port = public.get(&gateway).context("the gateway shows leaves")?;
        let closed = Closed::build(gateway, epoch, leaves(*port, epoch).await?)?;
        anyhow::ensure!(
            closed.commitment() == record.commitment,
            "{gateway} in {epoch}"
        );
        let late = Ppm(penalty.0 * u32::from(record.late));
        for entry in closed.trees().entries(TreeKind::Caches) {
            let cache = entry.key.as_cache().context("a device")?.0;
            let parts = split.divide(entry.sum.amount, !cache.is_none());
            credit(&gateway, parts.gateway - apply(late, parts.gateway))?;
            if !cache.is_none() {
                credit(&cache, parts.cache)?;
            }
        }
    }
    state.execute_with(|| {
        for (owner, amount) in expected {
            let account = AccountId::from(owner);
            let payable = Payouts::<Runtime>::get(&account).payable;
            let of_owner = owners.iter().filter(|(_, its)| **its == owner);
            let kept =
                of_owner.filter_map(|(device, _)| FirstEarnings::<Runtime>::get(device, &account));
            let kept: Planck = kept.map(|kept| kept.amount).sum();
            anyhow::ensure!(
                payable + kept == amount,
                "{payable} and {kept}, not {amount}"
            );
        }
        Ok(())
    })
}

/// Every leaf of an epoch, from a gateway's public endpoint.
pub async fn leaves(port: u16, epoch: Epoch) -> anyhow::Result<Vec<Leaf>> {
    let answer = client::get(port, "localhost", &format!("/audit/v1/{epoch}/leaves")).await?;
    let answer: serde_json::Value = serde_json::from_slice(answer.body())?;
    let leaves = answer["leaves"].as_array().context("leaves")?;
    anyhow::ensure!(answer["total"] == leaves.len(), "{}", answer["total"]);
    leaves
        .iter()
        .map(|leaf| Ok(Leaf::decode_all(&mut &state::bytes(leaf)?[..])?))
        .collect()
}
