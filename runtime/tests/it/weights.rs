//! One epoch costs the chain the same, whatever was served in it.

use crate::cost::{run, Outcome, Size};
use codec::Encode;
use frame_support::{dispatch::GetDispatchInfo, weights::Weight};
use pallet_edge_billing::{types::Page, Call};
use pallet_edge_traits::HostKeccak;
use selvedge_primitives_math::{price::charge, RangeProof, TreeKind, UsageTrees};
use selvedge_primitives_types::{
    Account, DeviceId, EntryKey, Epoch, Leaf, LeafBody, ServiceId, Signature64, Slice, Usage,
    UsageClass,
};
use selvedge_runtime::{presets::PRICES, Runtime, RuntimeCall};

const GATEWAY: DeviceId = DeviceId([1; 32]);
const EPOCH: Epoch = Epoch(3);

/// What a gateway served in an epoch: `requests` requests of 20 customers through 10 caches.
fn served(requests: u64) -> UsageTrees {
    let leaves = 20 * 10;
    let leaf = |index: u64| {
        let paid = Usage::ZERO
            .with(UsageClass::Requests, requests / leaves)
            .with(UsageClass::EgressBytes, requests / leaves * 10_000);
        let body = LeafBody {
            gateway: GATEWAY,
            epoch: EPOCH,
            customer: Account([index as u8 % 20 + 1; 32]),
            service: ServiceId(index % 20),
            cache: DeviceId([index as u8 / 20 + 100; 32]),
            slice: Slice(index as u16 % 60),
            price_version: 1,
            paid,
            amount: charge(&paid, &PRICES).expect("it fits"),
            ..Default::default()
        };
        Leaf {
            body,
            cache_signature: Signature64::default(),
        }
    };
    UsageTrees::build::<HostKeccak>((0..leaves).map(leaf).collect()).expect("honest leaves")
}

fn page(trees: &UsageTrees, kind: TreeKind) -> (Page, RangeProof<EntryKey>) {
    let entries = trees.entries(kind).to_vec();
    let proof = trees.prove_entries::<HostKeccak>(kind, 0, entries.len() as u32);
    (entries.try_into().expect("they fit one page"), proof)
}

fn calls(trees: &UsageTrees) -> [(&'static str, RuntimeCall); 3] {
    let agent_signature = Some(Signature64::default());
    let (gateway, epoch) = (GATEWAY, EPOCH);
    let (customers, customers_proof) = page(trees, TreeKind::Customers);
    let (caches, caches_proof) = page(trees, TreeKind::Caches);
    let commit = Call::commit_usage {
        commitment: trees.commitment(gateway, epoch).into(),
        agent_signature: Signature64::default(),
    };
    let settle = Call::settle {
        gateway,
        epoch,
        entries: customers,
        proof: customers_proof,
        agent_signature,
    };
    let credit = Call::credit {
        gateway,
        epoch,
        entries: caches,
        proof: caches_proof,
        agent_signature,
    };
    [("commit", commit), ("settle", settle), ("credit", credit)]
        .map(|(name, call): (_, Call<Runtime>)| (name, RuntimeCall::from(call)))
}

/// Weight, with the check before it is let in, and length.
fn cost(call: &RuntimeCall) -> (Weight, usize) {
    use frame_support::traits::Authorize;
    let info = call.get_dispatch_info();
    (
        info.total_weight()
            .saturating_add(call.weight_of_authorize()),
        call.encoded_size(),
    )
}

#[test]
fn an_epoch_costs_the_same_for_a_thousand_and_a_billion_requests() {
    sp_io::TestExternalities::default().execute_with(|| {
        let small = calls(&served(1_000)).map(|(name, call)| (name, cost(&call)));
        for requests in [1_000_000, 1_000_000_000] {
            let more = calls(&served(requests)).map(|(name, call)| (name, cost(&call)));
            assert_eq!(more, small, "{requests} requests");
        }
        for (name, (weight, length)) in small {
            println!(
                "{name}: {} ps, {} bytes of proof, {length} bytes",
                weight.ref_time(),
                weight.proof_size()
            );
        }
    });
}

/// The same with everything that a network sends in real blocks: nothing but what is charged depends on requests, not even how
/// much the state grows.
#[test]
fn a_network_of_blocks_costs_the_same_for_ten_and_a_million_requests() {
    let outcome = |requests| {
        run(Size {
            requests,
            ..Size::SMALL
        })
    };
    let (few, many) = (outcome(10), outcome(1_000_000));
    assert!(few.states == many.states);
    let costs = |outcome: &Outcome| -> Vec<_> {
        let costs = outcome.phases.iter();
        costs.map(|(name, cost)| (*name, cost.fixed())).collect()
    };
    assert_eq!(costs(&few), costs(&many));
}

/// Twenty customers and ten caches of a gateway fit a fraction of a block.
#[test]
fn a_full_page_fits_a_block() {
    sp_io::TestExternalities::default().execute_with(|| {
        let max = selvedge_runtime::configs::system::RuntimeBlockWeights::get().max_block;
        for (name, call) in calls(&served(1_000)) {
            let (weight, _) = cost(&call);
            assert!(weight.ref_time() < max.ref_time() / 4, "{name}: {weight:?}");
        }
    });
}
