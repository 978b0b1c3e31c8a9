//! Measures each call at its worst: a full history of the device, a valid signature.

use super::*;
use alloc::vec;
use frame_benchmarking::v2::*;
use frame_support::traits::fungible::Mutate;
use frame_system::RawOrigin;
use pallet_edge_traits::DeviceInfo;
use selvedge_primitives_types::{signing::AssignStakePayload, Account, Domain, Region};
use sp_core::{crypto::KeyTypeId, ed25519};

const KEY_TYPE: KeyTypeId = KeyTypeId(*b"bnch");

fn created<T: Config>() -> (AccountId32, StakeId)
where
    T::Currency: Mutate<AccountId32>,
{
    let owner: AccountId32 = whitelisted_caller();
    let amount = T::RoleAmount::convert(Role::Gateway);
    let funds = amount.saturating_mul(2) + T::Currency::minimum_balance();
    T::Currency::mint_into(&owner, funds).expect("the caller can be funded");
    let stake = Pallet::<T>::do_create(owner.clone(), Role::Gateway, amount)
        .expect("the caller has the amount");
    (owner, stake)
}

/// A registered device with its signature for the stake's next assignment.
fn agreed<T: Config>(owner: &AccountId32, stake: StakeId) -> (DeviceId, Signature64) {
    let key: ed25519::Public = sp_io::crypto::ed25519_generate(KEY_TYPE, None);
    let device = DeviceId(key.0);
    T::Devices::set_device(
        device,
        DeviceInfo {
            operator: owner.clone(),
            role: Role::Gateway,
            region: Region(*b"eu-west\0"),
            endpoint: b"a:1".to_vec(),
            public_url: b"http://a".to_vec(),
            capacity: 1,
            agent_key: [1; 32],
            draining: false,
        },
    );
    let payload = AssignStakePayload {
        stake,
        owner: Account(owner.clone().into()),
        device,
        nonce: 0,
    };
    let genesis = pallet_edge_traits::genesis_hash::<T>();
    let message = Domain::AssignStake.message(&genesis, &payload);
    let signature = sp_io::crypto::ed25519_sign(KEY_TYPE, &key, &message).expect("the key exists");
    (device, Signature64(signature.0))
}

fn full_history<T: Config>(owner: &AccountId32, device: DeviceId) {
    let span = Span {
        stake: StakeId(0),
        owner: owner.clone(),
        role: Role::Gateway,
        from: Epoch(0),
        until: Some(Epoch(0)),
        since: Millis(0),
    };
    let spans = vec![span; types::MAX_SPANS as usize - 1];
    Assignments::<T>::insert(device, BoundedVec::truncate_from(spans));
}

#[benchmarks(where T::Currency: Mutate<AccountId32>)]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn create_stake() {
        let (owner, _) = created::<T>();
        let before = NextStake::<T>::get();
        #[extrinsic_call]
        _(RawOrigin::Signed(owner), Role::Gateway);
        assert_eq!(NextStake::<T>::get().0, before.0 + 1);
    }

    #[benchmark]
    fn assign() {
        let (owner, stake) = created::<T>();
        let (device, signature) = agreed::<T>(&owner, stake);
        full_history::<T>(&owner, device);
        #[extrinsic_call]
        _(RawOrigin::Signed(owner), stake, device, signature);
        assert_eq!(
            Stakes::<T>::get(stake).and_then(|entry| entry.device),
            Some(device)
        );
    }

    #[benchmark]
    fn unassign() {
        let (owner, stake) = created::<T>();
        let (device, signature) = agreed::<T>(&owner, stake);
        let origin = RawOrigin::Signed(owner.clone());
        Pallet::<T>::assign(origin.into(), stake, device, signature)
            .expect("the assignment is valid");
        Assignments::<T>::mutate(device, |spans| spans[0].from = Epoch(0));
        #[extrinsic_call]
        _(RawOrigin::Signed(owner), stake);
        assert_eq!(Stakes::<T>::get(stake).and_then(|entry| entry.device), None);
    }

    #[benchmark]
    fn request_unlock() {
        let (owner, stake) = created::<T>();
        #[extrinsic_call]
        _(RawOrigin::Signed(owner), stake, 1);
        assert_eq!(
            Stakes::<T>::get(stake).map(|entry| entry.chunks.len()),
            Some(1)
        );
    }

    #[benchmark]
    fn withdraw_unlocked() {
        let (owner, stake) = created::<T>();
        let amount = T::RoleAmount::convert(Role::Gateway);
        Stakes::<T>::mutate(stake, |entry| {
            if let Some(entry) = entry {
                entry.amount = 0;
                entry.chunks.force_push(Chunk {
                    id: 0,
                    amount,
                    due: Millis(0),
                });
            }
        });
        #[extrinsic_call]
        _(RawOrigin::Signed(owner), stake, 0);
        assert!(!Stakes::<T>::contains_key(stake));
    }

    #[benchmark]
    fn release_express() {
        let (owner, stake) = created::<T>();
        #[extrinsic_call]
        _(RawOrigin::Signed(owner), stake);
        assert!(!Stakes::<T>::contains_key(stake));
    }

    #[benchmark]
    fn commit_lock() {
        let (owner, stake) = created::<T>();
        #[extrinsic_call]
        _(RawOrigin::Signed(owner), stake, 1_460);
        assert!(Stakes::<T>::get(stake).is_some_and(|entry| entry.locked_until > Millis(0)));
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::externalities(&[]), crate::mock::Test);
}
