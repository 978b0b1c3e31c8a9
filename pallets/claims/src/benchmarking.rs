//! Measures vouchers whose paths are as long as paths can be, and disputes.

use crate::{
    deep::{commitment, CACHE},
    *,
};
use frame_benchmarking::v2::*;
use frame_support::traits::{
    fungible::{Inspect, InspectHold, Unbalanced},
    tokens::Precision,
    Get,
};
use frame_system::RawOrigin;
use pallet_edge_traits::BenchmarkNodes;
use selvedge_primitives_types::{
    DeviceId, Domain, Epoch, Planck, Role, ServiceId, Signature64, SignedVoucher, UsageCommitment,
    Voucher,
};
use sp_core::{crypto::KeyTypeId, ed25519};
use sp_runtime::AccountId32;

/// Sets up what other pallets answer in a benchmark.
pub trait BenchmarkHelper: BenchmarkNodes<AccountId32> {
    /// Moves the usage clock to the begin of an epoch.
    fn set_epoch(epoch: Epoch);
    /// Keeps a commitment that was paid, of which the gateway earned so much and claimed nothing.
    fn paid(commitment: UsageCommitment, gateway_share: Planck);
    /// Keeps a commitment in hold-back until an epoch, with one line of a customer.
    fn held(
        commitment: UsageCommitment,
        customer: &AccountId32,
        service: ServiceId,
        amount: Planck,
        matures: Epoch,
    );
    /// Ends the commitment as void.
    fn void(gateway: DeviceId, epoch: Epoch);
}

const KEY: KeyTypeId = KeyTypeId(*b"benc");
const EPOCH: Epoch = Epoch(10);
const SERVICE: ServiceId = ServiceId(0);
const LINE: Planck = 1_000;

fn account(number: u8) -> AccountId32 {
    AccountId32::new([number; 32])
}

/// A voucher of an active gateway for a cache, whose owner has an account.
fn voucher<T: Config>(amount: Planck) -> SignedVoucher {
    T::BenchmarkHelper::set_epoch(EPOCH);
    let key = sp_io::crypto::ed25519_generate(KEY, None);
    let gateway = DeviceId(key.0);
    T::BenchmarkHelper::add_node(gateway, Role::Gateway, &account(4), [0; 32]);
    T::BenchmarkHelper::add_node(CACHE, Role::Cache, &account(5), [0; 32]);
    let voucher = Voucher {
        epoch: EPOCH,
        gateway,
        cache: CACHE,
        seq: 1,
        amount,
        ..Default::default()
    };
    let genesis = pallet_edge_traits::genesis_hash::<T>();
    let message = Domain::Voucher.message(&genesis, &voucher);
    let signature: ed25519::Signature =
        sp_io::crypto::ed25519_sign(KEY, &key, &message).expect("the key was generated here");
    SignedVoucher {
        voucher,
        signature: Signature64(signature.0),
    }
}

/// A gateway with a line of a customer in hold-back; the customer has the bond.
fn held<T: Config>() -> (DeviceId, AccountId32) {
    T::BenchmarkHelper::set_epoch(EPOCH);
    let (gateway, customer) = (DeviceId([7; 32]), account(6));
    T::BenchmarkHelper::add_node(gateway, Role::Gateway, &account(4), [0; 32]);
    let funds = 2 * (T::DisputeBond::get() + T::Currency::minimum_balance());
    T::Currency::increase_balance(&customer, funds, Precision::Exact).expect("issuance has room");
    let matures = EPOCH.plus(2 + T::DisputeEpochs::get());
    let (_, commitment) = commitment(gateway, EPOCH);
    T::BenchmarkHelper::held(commitment, &customer, SERVICE, LINE, matures);
    (gateway, customer)
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn redeem_paid() {
        // Little of the gateway's earnings is left, so that its stake answers too.
        let signed = voucher::<T>(10_000);
        let gateway = signed.voucher.gateway;
        let (shown, commitment) = commitment(gateway, EPOCH);
        T::BenchmarkHelper::paid(commitment, 1_000);
        #[extrinsic_call]
        redeem_voucher(
            RawOrigin::Signed(account(9)),
            signed.into(),
            Some(shown.into()),
        );
        let redemption = Redemptions::<T>::get((EPOCH, gateway, CACHE));
        assert_eq!(redemption.from_share, 1_000);
        assert!(redemption.from_stake > 0);
    }

    #[benchmark]
    fn redeem_missing() {
        let signed = voucher::<T>(10_000);
        let gateway = signed.voucher.gateway;
        T::BenchmarkHelper::void(gateway, EPOCH);
        #[extrinsic_call]
        redeem_voucher(RawOrigin::Signed(account(9)), signed.into(), None);
        assert!(Debts::<T>::get(EPOCH, gateway).is_some_and(|debt| debt.retired));
    }

    #[benchmark]
    fn dispute_line() {
        let (gateway, customer) = held::<T>();
        #[extrinsic_call]
        _(
            RawOrigin::Signed(customer.clone()),
            gateway,
            EPOCH,
            SERVICE,
            LINE / 2,
        );
        assert_eq!(ToBurn::<T>::get(EPOCH, gateway), LINE / 2);
    }

    #[benchmark]
    fn close_dispute() {
        let (gateway, customer) = held::<T>();
        Pallet::<T>::do_dispute(customer.clone(), gateway, EPOCH, SERVICE, LINE / 2)
            .expect("it is in hold-back");
        let (_, commitment) = commitment(gateway, EPOCH);
        T::BenchmarkHelper::paid(commitment, 0);
        #[extrinsic_call]
        _(
            RawOrigin::Signed(account(9)),
            gateway,
            EPOCH,
            customer.clone(),
            SERVICE,
        );
        let held = T::Currency::total_balance_on_hold(&customer);
        assert_eq!(held, 0);
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::externalities(), crate::mock::Test);
}
