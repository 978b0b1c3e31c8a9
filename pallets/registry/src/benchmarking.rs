//! Measures each call at its worst: the longest addresses, a valid signature.

use super::*;
use alloc::vec;
use frame_benchmarking::v2::*;
use frame_support::traits::fungible::Mutate;
use frame_system::RawOrigin;
use pallet_edge_traits::BenchmarkNodes;
use selvedge_primitives_types::{signing::RegisterDevicePayload, Account, Domain};
use sp_core::{crypto::KeyTypeId, ed25519};

const KEY_TYPE: KeyTypeId = KeyTypeId(*b"bnch");
const AGENT: [u8; 32] = [9; 32];

fn longest_endpoint() -> Address {
    let mut text = vec![b'a'; 63];
    for _ in 0..2 {
        text.push(b'.');
        text.extend_from_slice(&[b'a'; 63]);
    }
    text.extend_from_slice(b":65535");
    Address::truncate_from(text)
}

fn longest_url() -> Address {
    let mut text = b"https://a/".to_vec();
    text.resize(MAX_ADDRESS as usize, b'p');
    Address::truncate_from(text)
}

fn registered<T: Config>() -> (AccountId32, DeviceId)
where
    T::Currency: Mutate<T::AccountId>,
{
    let (operator, device, until, signature) = agreed::<T>();
    Pallet::<T>::register_device(
        RawOrigin::Signed(operator.clone()).into(),
        device,
        Role::Gateway,
        Region(*b"eu-west\0"),
        longest_endpoint(),
        longest_url(),
        1,
        AGENT,
        until,
        signature,
    )
    .expect("the registration is valid");
    (operator, device)
}

/// A device that carries a stake.
fn staked<T: Config>() -> (AccountId32, DeviceId) {
    let (operator, device) = (whitelisted_caller(), DeviceId([5; 32]));
    T::BenchmarkHelper::add_node(device, Role::Gateway, &operator, AGENT);
    (operator, device)
}

fn agreed<T: Config>() -> (AccountId32, DeviceId, Epoch, Signature64)
where
    T::Currency: Mutate<T::AccountId>,
{
    let operator: AccountId32 = whitelisted_caller();
    let funds = T::DeviceDeposit::get().saturating_mul(2) + T::Currency::minimum_balance();
    T::Currency::mint_into(&operator, funds).expect("the caller can be funded");
    let key: ed25519::Public = sp_io::crypto::ed25519_generate(KEY_TYPE, None);
    let device = DeviceId(key.0);
    let until = T::Clock::current().next();
    let payload = RegisterDevicePayload {
        operator: Account(operator.clone().into()),
        device,
        agent_key: AGENT,
        until,
    };
    let genesis = pallet_edge_traits::genesis_hash::<T>();
    let message = Domain::RegisterDevice.message(&genesis, &payload);
    let signature = sp_io::crypto::ed25519_sign(KEY_TYPE, &key, &message).expect("the key exists");
    (operator, device, until, Signature64(signature.0))
}

#[benchmarks(where T::Currency: Mutate<T::AccountId>)]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn register_device() {
        let (operator, device, until, signature) = agreed::<T>();
        #[extrinsic_call]
        _(
            RawOrigin::Signed(operator),
            device,
            Role::Gateway,
            Region(*b"eu-west\0"),
            longest_endpoint(),
            longest_url(),
            1,
            AGENT,
            until,
            signature,
        );
        assert!(Devices::<T>::contains_key(device));
    }

    #[benchmark]
    fn update_device() {
        let (operator, device) = registered::<T>();
        #[extrinsic_call]
        _(
            RawOrigin::Signed(operator),
            device,
            longest_endpoint(),
            longest_url(),
            2,
        );
        assert_eq!(
            Devices::<T>::get(device).map(|entry| entry.capacity),
            Some(2)
        );
    }

    #[benchmark]
    fn set_agent_key() {
        let (operator, device) = registered::<T>();
        #[extrinsic_call]
        _(RawOrigin::Signed(operator), device, [3; 32]);
        assert_eq!(
            Devices::<T>::get(device).map(|entry| entry.agent_key),
            Some([3; 32])
        );
    }

    #[benchmark]
    fn retire_device() {
        let (operator, device) = registered::<T>();
        Devices::<T>::mutate(device, |entry| {
            entry.as_mut().expect("it is registered").free_from = Epoch(0)
        });
        #[extrinsic_call]
        _(RawOrigin::Signed(operator), device);
        assert!(!Devices::<T>::contains_key(device));
    }

    #[benchmark]
    fn request_drain() {
        let (operator, device) = staked::<T>();
        #[extrinsic_call]
        _(RawOrigin::Signed(operator), device);
        let (drain, _) = Pallet::<T>::drain_of(&device);
        assert!(drain.is_some_and(|drain| !drain.ended));
    }

    #[benchmark]
    fn end_drain() {
        let (operator, device) = staked::<T>();
        Pallet::<T>::request_drain(RawOrigin::Signed(operator.clone()).into(), device)
            .expect("the device does not drain yet");
        #[extrinsic_call]
        _(RawOrigin::Signed(operator), device);
        let (drain, _) = Pallet::<T>::drain_of(&device);
        assert!(drain.is_some_and(|drain| drain.ended));
    }

    impl_benchmark_test_suite!(
        Pallet,
        crate::mock::externalities(Default::default()),
        crate::mock::Test
    );
}
