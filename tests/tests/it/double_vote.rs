//! A validator that votes for two blocks in one round of finality: it loses stake and seat, and nobody else does.

use crate::{state, wallet::Wallet};
use anyhow::Context;
use finality_grandpa::{Equivocation, Message, Prevote};
use pallet_edge_traits::StakeInspect;
use selvedge_devnet::{client::rpc, plan::Validator, Network};
use selvedge_primitives_types::{DeviceId, Planck, StakeId};
use selvedge_runtime::{
    constants::currency::SEL, AccountId, BlockNumber, Hash, NodeStaking, Runtime, RuntimeCall,
    RuntimeEvent, UncheckedExtrinsic,
};
use serde_json::json;
use sp_consensus_grandpa::{
    localized_payload, AuthorityId, EquivocationProof, OpaqueKeyOwnershipProof, RoundNumber, SetId,
};
use sp_core::{ed25519, Pair};
use sp_runtime::Perbill;
use sp_session::MembershipProof;
use std::collections::BTreeMap;

type Error = pallet_grandpa::Error<Runtime>;
type Vote = Prevote<Hash, BlockNumber>;
type Proof = EquivocationProof<Hash, BlockNumber>;

/// What the reporter gets: a twentieth of the slash would be more than the most there is for it.
const REWARD: Planck = 500 * SEL;

/// Has the offender vote twice, reports it, and checks what it costs whom. The reporter has an account and no stake.
pub async fn commit(network: &Network, offender: &Validator) -> anyhow::Result<()> {
    let wallet = Wallet::new(network);
    let reporter = &network.plan.customer;
    let votes = Votes::cast(network, &wallet, offender).await?;
    let report = |proof: Proof| {
        let call = pallet_grandpa::Call::<Runtime>::report_equivocation {
            equivocation_proof: Box::new(proof),
            key_owner_proof: votes.owner.clone(),
        };
        wallet.send(reporter, call)
    };
    let device = DeviceId(offender.device.ed25519());
    let stake = stake_of(network, device).await?;
    let before = stakes(network).await?;

    // Votes that it did not cast prove nothing, and a stranger cannot report without a name.
    let altered = report(votes.altered()).await?;
    altered.refused(Error::InvalidEquivocationProof)?;
    let same = report(votes.same()).await?;
    same.refused(Error::InvalidEquivocationProof)?;
    let nameless = pallet_grandpa::Call::<Runtime>::report_equivocation_unsigned {
        equivocation_proof: Box::new(votes.proof()),
        key_owner_proof: votes.owner.clone(),
    };
    let nameless = UncheckedExtrinsic::new_bare(RuntimeCall::Grandpa(nameless));
    let error = wallet.submit(&nameless).await.err();
    let error = error.context("a report without a name was taken")?;
    anyhow::ensure!(
        format!("{error:#}").contains("Invalid Transaction"),
        "{error:#}"
    );
    anyhow::ensure!(stakes(network).await? == before, "nobody was slashed yet");

    let events = report(votes.proof()).await?.succeeded()?;
    // Of n validators k equivocate: min((3k / n)^2, 1) of the stake.
    let share = Perbill::from_rational(3, votes.validators).square();
    let mut after = before;
    let amount = after.get_mut(&stake).context("the stake is there")?;
    let expected = share.mul_ceil(*amount);
    *amount -= expected;
    check_events(&events, stake, expected, network)?;
    anyhow::ensure!(stakes(network).await? == after, "only the offender pays");

    let again = report(votes.proof()).await?;
    again.refused(Error::DuplicateOffenceReport)?;
    anyhow::ensure!(stakes(network).await? == after, "once is enough");
    Ok(())
}

/// One offence, one slash, one seat lost; the reporter has its part of the slash.
fn check_events(
    events: &[RuntimeEvent],
    offender: StakeId,
    expected: Planck,
    network: &Network,
) -> anyhow::Result<()> {
    let is_offence = |event: &&RuntimeEvent| {
        let kind = *b"grandpa:equivoca";
        matches!(event, RuntimeEvent::Offences(pallet_offences::Event::Offence { kind: found, .. })
            if *found == kind)
    };
    anyhow::ensure!(events.iter().filter(is_offence).count() == 1, "{events:?}");
    let mut slashes = Vec::new();
    let mut chilled = Vec::new();
    for event in events {
        match event {
            RuntimeEvent::NodeStaking(pallet_edge_staking::Event::Slashed {
                stake,
                amount,
                reward,
                ..
            }) => slashes.push((*stake, *amount, *reward)),
            RuntimeEvent::NodeStaking(pallet_edge_staking::Event::ValidatorChilled {
                stake,
                ..
            }) => chilled.push(*stake),
            _ => {}
        }
    }
    anyhow::ensure!(
        slashes == [(offender, expected, REWARD)],
        "{slashes:?}, not {expected} of {offender:?}"
    );
    anyhow::ensure!(chilled == [offender], "{chilled:?}");
    let reporter = AccountId::from(network.plan.customer.account());
    let rewarded = events.iter().any(|event| {
        matches!(event, RuntimeEvent::Balances(pallet_balances::Event::Deposit { who, amount })
            if *amount == REWARD && *who == reporter)
    });
    anyhow::ensure!(rewarded, "the reporter has its part: {events:?}");
    Ok(())
}

/// What every stake holds, in planck.
async fn stakes(network: &Network) -> anyhow::Result<BTreeMap<StakeId, Planck>> {
    let mut state = state::externalities(network.rpc_port()).await?;
    Ok(state.execute_with(|| {
        pallet_edge_staking::Stakes::<Runtime>::iter()
            .map(|(stake, entry)| (stake, entry.held()))
            .collect()
    }))
}

async fn stake_of(network: &Network, device: DeviceId) -> anyhow::Result<StakeId> {
    let mut state = state::externalities(network.rpc_port()).await?;
    let found = state.execute_with(|| NodeStaking::stake_of(&device));
    let (stake, _) = found.context("the device has a stake")?;
    Ok(stake)
}

/// Two votes of one validator in one round, and who it is.
struct Votes {
    key: ed25519::Pair,
    set: SetId,
    round: RoundNumber,
    first: Vote,
    second: Vote,
    owner: MembershipProof,
    validators: u32,
}

impl Votes {
    /// Votes with the offender's key for the newest final block and for its parent, in the round that goes on.
    async fn cast(
        network: &Network,
        wallet: &Wallet,
        offender: &Validator,
    ) -> anyhow::Result<Self> {
        let port = network.rpc_port();
        let key = ed25519::Pair::from_string(&offender.session.suri(), None)
            .map_err(|error| anyhow::anyhow!("{error:?}"))?;
        let voter = rpc(port, "grandpa_roundState", json!([])).await?;
        let round = voter["best"]["round"].as_u64();
        let set: SetId = wallet.view("GrandpaApi_current_set_id", &()).await?;
        let id = AuthorityId::from(key.public());
        let owner: Option<OpaqueKeyOwnershipProof> = wallet
            .view("GrandpaApi_generate_key_ownership_proof", &(set, id))
            .await?;
        let owner: MembershipProof = owner
            .context("the key is a validator's")?
            .decode()
            .context("the proof can be read")?;
        let head = state::finalised_head(port).await?;
        let header = rpc(port, "chain_getHeader", json!([head])).await?;
        let number = header["number"].as_str().context("a header has a number")?;
        let number = BlockNumber::from_str_radix(number.trim_start_matches("0x"), 16)?;
        let vote = |hash: &[u8], number| Vote {
            target_hash: Hash::from_slice(hash),
            target_number: number,
        };
        let parent = state::bytes(&header["parentHash"])?;
        Ok(Self {
            key,
            set,
            round: round.context("a round goes on")?,
            first: vote(&state::bytes(&head.into())?, number),
            second: vote(&parent, number - 1),
            validators: owner.validator_count,
            owner,
        })
    }

    fn sign(&self, vote: &Vote) -> ed25519::Signature {
        let message = Message::Prevote(vote.clone());
        self.key
            .sign(&localized_payload(self.round, self.set, &message))
    }

    fn with(&self, first: Vote, second: Vote) -> Proof {
        // The second is what the validator signed, whatever is shown of it.
        let signatures = (self.sign(&first).into(), self.sign(&self.second).into());
        let equivocation = Equivocation {
            round_number: self.round,
            identity: AuthorityId::from(self.key.public()),
            first: (first, signatures.0),
            second: (second, signatures.1),
        };
        EquivocationProof::new(self.set, equivocation.into())
    }

    /// The proof of what it did.
    fn proof(&self) -> Proof {
        self.with(self.first.clone(), self.second.clone())
    }

    /// The same with another block in one of the votes.
    fn altered(&self) -> Proof {
        let mut second = self.second.clone();
        second.target_hash.0[0] ^= 1;
        self.with(self.first.clone(), second)
    }

    /// The same vote twice.
    fn same(&self) -> Proof {
        self.with(self.second.clone(), self.second.clone())
    }
}
