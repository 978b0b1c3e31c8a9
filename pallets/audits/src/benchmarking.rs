//! Measures reports whose paths are as long as paths can be, of a commitment that has not been
//! charged yet: it ends at once, which costs most.

use crate::{deep, *};
use alloc::boxed::Box;
use frame_benchmarking::v2::*;
use frame_system::RawOrigin;
use pallet_edge_traits::BenchmarkNodes;
use selvedge_primitives_math::fraud::{Context, Defect, FraudProof};
use selvedge_primitives_types::{DeviceId, Epoch, Leaf, Planck, Role, ServiceId, UsageCommitment};
use sp_runtime::AccountId32;

/// Sets up what other pallets answer in a benchmark.
pub trait BenchmarkHelper: BenchmarkNodes<AccountId32> {
    /// Keeps a commitment as if it had just been made, whatever it says.
    fn commit(commitment: UsageCommitment);
    /// Adds an active service that pins price list 1, in force from epoch 0 on.
    fn add_service(owner: &AccountId32, cap: Planck) -> ServiceId;
}

const GATEWAY: DeviceId = DeviceId([7; 32]);
const EPOCH: Epoch = Epoch(0);

fn account(number: u8) -> AccountId32 {
    AccountId32::new([number; 32])
}

/// Keeps the commitment of an active gateway, and returns the proof against it.
fn committed<T: Config>((commitment, proof): (UsageCommitment, FraudProof)) -> Box<FraudProof> {
    T::BenchmarkHelper::add_node(GATEWAY, Role::Gateway, &account(8), [0; 32]);
    T::BenchmarkHelper::commit(commitment);
    proof.into()
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn report_disagreement() {
        let proof = committed::<T>(deep::disagreement(GATEWAY, EPOCH));
        #[extrinsic_call]
        report_fraud(RawOrigin::Signed(account(9)), GATEWAY, EPOCH, proof);
        let fraud = Frauds::<T>::get(EPOCH, GATEWAY).expect("it was proven");
        assert_eq!(fraud.defect, Defect::TreesDisagree);
        assert!(fraud.taken > 0);
    }

    #[benchmark]
    fn report_leaf() {
        let service = T::BenchmarkHelper::add_service(&account(10), 1_000);
        let proof = committed::<T>(deep::one_leaf(GATEWAY, EPOCH, |leaf| {
            leaf.body.service = service;
            leaf.body.price_version = 1;
            leaf.body.amount = 1;
        }));
        #[extrinsic_call]
        report_fraud(RawOrigin::Signed(account(9)), GATEWAY, EPOCH, proof);
        let fraud = Frauds::<T>::get(EPOCH, GATEWAY).expect("it was proven");
        assert_eq!(fraud.defect, Defect::WrongPrice);
        assert!(fraud.taken > 0);
    }

    #[benchmark]
    fn verify_signature() {
        let mut leaf = Leaf::default();
        leaf.cache_signature.0[0] = 1;
        let known = Pallet::<T>::known(EPOCH).expect("the chain is young");
        let is_signed;
        #[block]
        {
            is_signed = known.is_signed(&leaf);
        }
        assert!(!is_signed);
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::externalities(), crate::mock::Test);
}
