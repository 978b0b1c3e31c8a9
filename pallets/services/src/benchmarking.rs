//! Costs of the calls, at the largest state each of them can meet.

use crate::{types::*, *};
use alloc::{format, vec, vec::Vec};
use codec::Encode;
use frame_benchmarking::v2::*;
use frame_support::traits::{Authorize, EnsureOrigin, Get};
use frame_system::RawOrigin;
use pallet_edge_traits::EpochClock;
use selvedge_primitives_types::{
    agent::HostCheckVerdict, ContentKind, ContentRef, DeviceId, Domain, Epoch, Pin, Prices,
    ServiceId, Signature64,
};
use sp_core::crypto::KeyTypeId;
use sp_runtime::{transaction_validity::TransactionSource, AccountId32};

const KEY: KeyTypeId = KeyTypeId(*b"bnch");
const CAP: u128 = 1_000;

fn owner<T: Config>() -> AccountId32 {
    let who = AccountId32::new([7; 32]);
    T::BenchmarkHelper::fund(&who, CAP * u128::from(MAX_SERVICES_PER_OWNER) * 4);
    who
}

fn hosts(count: u32) -> Vec<Vec<u8>> {
    let label = "a".repeat(60);
    (0..count)
        .map(|n| format!("{label}.{label}.{label}.h{n}.example.org").into_bytes())
        .collect()
}

fn origin_url() -> Vec<u8> {
    let mut url = b"https://origin.example.org/".to_vec();
    url.resize(MAX_ORIGIN_LEN as usize, b'a');
    url
}

/// Creates services of one owner; the last one has as many host names as asked for.
fn create<T: Config>(
    services: u32,
    names: u32,
) -> Result<(AccountId32, ServiceId), BenchmarkError> {
    let who = owner::<T>();
    for n in 1..=services {
        let names = if n == services { hosts(names) } else { vec![] };
        let signed = RawOrigin::Signed(who.clone()).into();
        Pallet::<T>::create_service(signed, names, origin_url(), CAP, 1)?;
    }
    Ok((who, ServiceId(NextId::<T>::get().0 - 1)))
}

fn pin(n: u32, kind: ContentKind) -> Pin {
    Pin {
        content: ContentRef {
            root: sp_io::hashing::blake2_256(&n.encode()),
            length: 1_000,
            kind,
        },
        bytes: 1_000,
        factor: 3,
    }
}

/// A service with this many pins of a kind, whose pointers moved and whose pins changed as often as
/// is remembered.
fn create_pinned<T: Config>(
    pins: u32,
    kind: ContentKind,
) -> Result<(AccountId32, ServiceId), BenchmarkError> {
    let (who, service) = create::<T>(1, MAX_HOSTS)?;
    for n in 0..pins {
        let signed = RawOrigin::Signed(who.clone()).into();
        Pallet::<T>::pin(signed, service, pin(n, kind))?;
    }
    let moves: Vec<_> = (1..=MAX_MOVES)
        .map(|version| Move {
            version,
            root: (version % 2 == 0).then_some([7; 32]),
            epoch: Epoch(0),
            block: Default::default(),
        })
        .collect();
    Contents::<T>::mutate(service, |content| {
        content.site = Moves::truncate_from(moves.clone());
        content.rules = Moves::truncate_from(moves);
    });
    KeptBytes::<T>::mutate(service, |history| {
        let last = history.last().map(|latest| latest.last).unwrap_or_default();
        // Of later epochs, so that none is forgotten.
        let later = (1..MAX_KEPT).map(|n| Kept {
            from: T::Clock::current().plus(n.into()),
            most: last,
            last,
        });
        *history = KeptHistory::truncate_from(later.collect());
    });
    Ok((who, service))
}

/// A drawn gateway's answer that proves the name, in a round as large as it can be.
fn last_answer<T: Config>() -> Result<(AccountId32, HostCheckVerdict, Signature64), BenchmarkError>
{
    let (who, service) = create::<T>(1, 1)?;
    let host = hosts(1).remove(0);
    let key = sp_io::crypto::ed25519_generate(KEY, None);
    let device = DeviceId(key.0);
    let epoch = T::Clock::current();
    let others = T::MaxCheckers::get() - 1;
    let mut gateways: Vec<_> = (0..others)
        .map(|n| DeviceId(sp_io::hashing::blake2_256(&n.encode())))
        .collect();
    gateways.push(device);
    for seed in 0..=u8::MAX {
        Pallet::<T>::begin_round(epoch, [seed; 32], gateways.clone());
        let round = Round::<T>::get().ok_or("no round")?;
        if round.drawn(service, &host).contains(&device) {
            break;
        }
        // The device is the last of the list; a rotation gives every position its turn.
        gateways.rotate_left(1);
    }
    let verdict = HostCheckVerdict {
        device,
        service,
        host,
        epoch,
        found: true,
    };
    let message = Domain::HostCheck.message(&pallet_edge_traits::genesis_hash::<T>(), &verdict);
    let signature = sp_io::crypto::ed25519_sign(KEY, &key, &message).ok_or("no signature")?;
    Ok((who, verdict, Signature64(signature.0)))
}

#[benchmarks(where <T as frame_system::Config>::RuntimeCall: From<Call<T>>)]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn create_service(n: Linear<0, { MAX_HOSTS }>) -> Result<(), BenchmarkError> {
        let (who, _) = create::<T>(MAX_SERVICES_PER_OWNER - 1, 0)?;
        #[extrinsic_call]
        _(RawOrigin::Signed(who), hosts(n), origin_url(), CAP, 1);
        Ok(())
    }

    #[benchmark]
    fn add_host() -> Result<(), BenchmarkError> {
        let (who, service) = create::<T>(1, MAX_HOSTS - 1)?;
        #[extrinsic_call]
        _(
            RawOrigin::Signed(who),
            service,
            b"another.example.org".to_vec(),
        );
        Ok(())
    }

    #[benchmark]
    fn remove_host() -> Result<(), BenchmarkError> {
        let (who, service) = create::<T>(1, MAX_HOSTS)?;
        let host = hosts(MAX_HOSTS).remove(0);
        #[extrinsic_call]
        _(RawOrigin::Signed(who), service, host);
        Ok(())
    }

    #[benchmark]
    fn set_origin() -> Result<(), BenchmarkError> {
        let (who, service) = create::<T>(1, MAX_HOSTS)?;
        #[extrinsic_call]
        _(
            RawOrigin::Signed(who),
            service,
            b"https://other.example.org".to_vec(),
        );
        Ok(())
    }

    #[benchmark]
    fn set_cap() -> Result<(), BenchmarkError> {
        let (who, service) = create::<T>(MAX_SERVICES_PER_OWNER, MAX_HOSTS)?;
        #[extrinsic_call]
        _(RawOrigin::Signed(who), service, CAP + 1);
        Ok(())
    }

    #[benchmark]
    fn set_price_version() -> Result<(), BenchmarkError> {
        let (who, service) = create::<T>(1, MAX_HOSTS)?;
        PriceLists::<T>::insert(
            2,
            PublishedPrices {
                prices: Prices::default(),
                effective: Epoch(0),
            },
        );
        #[extrinsic_call]
        _(RawOrigin::Signed(who), service, 2);
        Ok(())
    }

    #[benchmark]
    fn pause() -> Result<(), BenchmarkError> {
        let (who, service) = create::<T>(1, MAX_HOSTS)?;
        #[extrinsic_call]
        _(RawOrigin::Signed(who), service);
        Ok(())
    }

    #[benchmark]
    fn resume() -> Result<(), BenchmarkError> {
        let (who, service) = create::<T>(MAX_SERVICES_PER_OWNER, MAX_HOSTS)?;
        Pallet::<T>::pause(RawOrigin::Signed(who.clone()).into(), service)?;
        #[extrinsic_call]
        _(RawOrigin::Signed(who), service);
        Ok(())
    }

    #[benchmark]
    fn remove_service() -> Result<(), BenchmarkError> {
        create::<T>(MAX_SERVICES_PER_OWNER - 1, 0)?;
        let (who, service) = create_pinned::<T>(MAX_PINS, ContentKind::File)?;
        Pallet::<T>::pause(RawOrigin::Signed(who.clone()).into(), service)?;
        // The clock cannot be moved from here, so the wait after the pause is left out.
        #[block]
        {
            let record = Pallet::<T>::owned_by(service, &who).map_err(|_| "not the owner")?;
            Pallet::<T>::erase(who, service, record)?;
        }
        assert!(!Services::<T>::contains_key(service));
        Ok(())
    }

    #[benchmark]
    fn attest_host() -> Result<(), BenchmarkError> {
        let (who, verdict, signature) = last_answer::<T>()?;
        let HostCheckVerdict {
            device,
            service,
            host,
            epoch,
            found,
        } = verdict;
        #[extrinsic_call]
        _(
            RawOrigin::Signed(who),
            service,
            host,
            device,
            epoch,
            found,
            signature,
        );
        Ok(())
    }

    #[benchmark]
    fn authorize_attest_host() -> Result<(), BenchmarkError> {
        let (_, verdict, signature) = last_answer::<T>()?;
        let HostCheckVerdict {
            device,
            service,
            host,
            epoch,
            found,
        } = verdict;
        let call: <T as frame_system::Config>::RuntimeCall = Call::attest_host {
            service,
            host,
            device,
            epoch,
            found,
            signature,
        }
        .into();
        #[block]
        {
            call.authorize(TransactionSource::InBlock)
                .expect("the call may be authorised")
                .map_err(|_| "refused")?;
        }
        Ok(())
    }

    #[benchmark]
    fn publish_prices() -> Result<(), BenchmarkError> {
        let origin =
            T::PriceOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, Prices::default());
        Ok(())
    }

    #[benchmark]
    fn pin() -> Result<(), BenchmarkError> {
        let (who, service) = create_pinned::<T>(MAX_PINS - 1, ContentKind::File)?;
        let wanted = super::pin(MAX_PINS, ContentKind::File);
        #[extrinsic_call]
        _(RawOrigin::Signed(who), service, wanted);
        Ok(())
    }

    #[benchmark]
    fn unpin() -> Result<(), BenchmarkError> {
        let (who, service) = create_pinned::<T>(MAX_PINS, ContentKind::File)?;
        let root = super::pin(0, ContentKind::File).content.root;
        #[extrinsic_call]
        _(RawOrigin::Signed(who), service, root);
        Ok(())
    }

    #[benchmark]
    fn set_site() -> Result<(), BenchmarkError> {
        let (who, service) = create_pinned::<T>(MAX_PINS, ContentKind::Directory)?;
        let root = super::pin(0, ContentKind::Directory).content.root;
        #[extrinsic_call]
        _(RawOrigin::Signed(who), service, Some(root));
        Ok(())
    }

    #[benchmark]
    fn set_rules() -> Result<(), BenchmarkError> {
        let (who, service) = create_pinned::<T>(MAX_PINS, ContentKind::File)?;
        let root = super::pin(0, ContentKind::File).content.root;
        #[extrinsic_call]
        _(RawOrigin::Signed(who), service, Some(root));
        Ok(())
    }

    #[benchmark]
    fn begin_round(n: Linear<0, { T::MaxCheckers::get() }>) {
        let gateways: Vec<_> = (0..n)
            .map(|n| DeviceId(sp_io::hashing::blake2_256(&n.encode())))
            .collect();
        #[block]
        {
            Pallet::<T>::begin_round(Epoch(1), [0; 32], gateways);
        }
        assert!(Round::<T>::exists());
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::ext(), crate::mock::Test);
}
