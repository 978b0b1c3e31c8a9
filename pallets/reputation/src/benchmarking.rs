//! Measures the calls, and a page of every step of a turn and a close, at the largest state each of them can meet.

use super::*;
use crate::types::{Closing, Dispute, Exclusion, Group, Observation, Probes, Step, Turn, TurnStep};
use alloc::{vec, vec::Vec};
use frame_benchmarking::v2::*;
use frame_support::traits::{tokens::Precision, Authorize, UnfilteredDispatchable};
use frame_system::RawOrigin;
use pallet_edge_traits::{BenchmarkNodes, NodeWalk};
use selvedge_primitives_math::probe::{Observed, Probed};
use selvedge_primitives_types::{
    Account, Domain, FetchVerdict, Probe, ProbeAnswer, ProbeAnswerPayload, ProbeFetch, ProbeReport,
    Sighting,
};
use sp_core::crypto::KeyTypeId;
use sp_runtime::transaction_validity::TransactionSource;

/// What benchmarks need of the other pallets.
pub trait BenchmarkHelper: BenchmarkNodes<AccountId32> {
    /// Sets the clock to a quarter of an epoch.
    fn set_clock(epoch: Epoch, quarters: u64);
}

const KEY: KeyTypeId = KeyTypeId(*b"bnch");

fn who() -> AccountId32 {
    AccountId32::new([200; 32])
}

fn sighting(region: Region, operator: u8) -> Sighting {
    Sighting {
        region,
        operator: Account([operator; 32]),
        weight: 1,
        answered: true,
        right: Some(true),
        pace: Some(1_000),
        round_trip: Some(1_000_000),
    }
}

/// Caches 1 to `n`, which `who` operates.
fn caches<T: Config>(n: u32) -> Vec<DeviceId> {
    (1..=n)
        .map(|id| {
            let device = DeviceId([id as u8; 32]);
            T::BenchmarkHelper::add_node(device, Role::Cache, &who(), [0; 32]);
            device
        })
        .collect()
}

fn stake_of<T: Config>(device: &DeviceId) -> Result<StakeId, BenchmarkError> {
    let (stake, _) = T::Stakes::stake_of(device).ok_or("it was added")?;
    Ok(stake)
}

/// Bonds a dispute of every node, as old as an era needs to decide it.
fn dispute<T: Config>(nodes: &[DeviceId]) -> Result<(), BenchmarkError> {
    let bond = T::DisputeBond::get();
    let funds = bond.saturating_mul(2 * nodes.len() as u128);
    drop(T::Currency::deposit(&who(), funds, Precision::Exact)?);
    for device in nodes {
        T::Currency::hold(&HoldReason::RegionDispute.into(), &who(), bond)?;
        let dispute = Dispute {
            by: who(),
            bond,
            since: Epoch(0),
        };
        Disputes::<T>::insert(device, dispute);
    }
    Ok(())
}

/// A report about `n` caches by a gateway that was drawn for each, in a full panel, in the second half of an epoch.
fn full_report<T: Config>(n: u32) -> Result<crate::Call<T>, BenchmarkError> {
    T::BenchmarkHelper::set_clock(Epoch(1), 2);
    let agent = sp_io::crypto::sr25519_generate(KEY, None);
    let prober = DeviceId([250; 32]);
    T::BenchmarkHelper::add_node(prober, Role::Gateway, &AccountId32::new([250; 32]), agent.0);
    let region = T::Devices::device(&prober).ok_or("it was added")?.region;
    let own = Prober {
        region,
        operator: Account([250; 32]),
        device: prober,
        weight: 1,
    };
    let other = Prober {
        operator: Account(who().into()),
        ..own
    };
    let epoch = T::Clock::current();
    let genesis = pallet_edge_traits::genesis_hash::<T>();
    let mut probes = Vec::new();
    while probes.len() < n as usize {
        let key = sp_io::crypto::ed25519_generate(KEY, None);
        let probed = DeviceId(key.0);
        T::BenchmarkHelper::add_node(probed, Role::Cache, &who(), [0; 32]);
        let payload = ProbeAnswerPayload {
            prober,
            probed,
            epoch,
            nonce: [1; 16],
        };
        let message = Domain::ProbeAnswer.message(&genesis, &payload);
        let signature =
            sp_io::crypto::ed25519_sign(KEY, &key, &message).ok_or("the key is there")?;
        probes.push(Probe {
            probed,
            answer: Some(ProbeAnswer {
                nonce: [1; 16],
                signature: Signature64(signature.0),
                round_trip: 1_000,
            }),
            fetch: Some(ProbeFetch {
                object: [2; 32],
                bytes: 65_536,
                time: 5_000,
                verdict: FetchVerdict::Right,
            }),
        });
    }
    probes.sort_unstable_by_key(|probe| probe.probed);
    // Every draw finds the prober, and tries its most for the other places.
    let mut panel = vec![own; T::MaxProbers::get() as usize];
    panel.iter_mut().step_by(2).for_each(|one| *one = other);
    panel.sort_unstable();
    let round = types::ProbeRound {
        epoch,
        seed: [0; 32],
        panel: BoundedVec::truncate_from(panel),
    };
    for probe in &probes {
        let node = Probed {
            device: probe.probed,
            operator: Account(who().into()),
            region,
        };
        if !round.drawn(&node).contains(&own) {
            return Err("a draw of half of the panel missed it".into());
        }
    }
    Round::<T>::put(round);
    let report = ProbeReport {
        prober,
        epoch,
        probes,
    };
    let message = Domain::ProbeReport.message(&genesis, &report);
    let signature = sp_io::crypto::sr25519_sign(KEY, &agent, &message).ok_or("the key is there")?;
    Ok(crate::Call::report_probes {
        prober,
        epoch,
        probes: Probes::truncate_from(report.probes),
        signature: Signature64(signature.0),
    })
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn page(n: Linear<1, 32>) -> Result<(), BenchmarkError> {
        let nodes = caches::<T>(n);
        dispute::<T>(&nodes)?;
        let region = T::Devices::device(&nodes[0]).ok_or("it was added")?.region;
        // What costs most: eight regions that are nearer and yet not it, a bond that moves, and a node that is put out.
        let observed = Observed {
            sampled: 24,
            timed: 24,
            round_trip_sum: 24 * 10_000_000,
            ..Default::default()
        };
        let mut away = Vec::new();
        for other in 0..8u8 {
            let elsewhere = Region([b'a' + other; 8]);
            Medians::<T>::insert(Group::RoundTrip(elsewhere), 1_000);
            away.extend((0..3).map(|operator| sighting(elsewhere, operator)));
        }
        let observation = Observation {
            observed,
            absent: 0,
            absent_until: Epoch(1),
            away: BoundedVec::truncate_from(away),
        };
        Medians::<T>::insert(Group::RoundTrip(region), 10_000_000);
        for device in &nodes {
            let stake = stake_of::<T>(device)?;
            Matured::<T>::insert(0, stake, 1);
            Observations::<T>::insert(0, stake, &observation);
        }
        let step = Step::Score(NodeWalk::starting_at(Role::Cache));
        let mut closing = Closing {
            era: Era(0),
            period: 0,
            from: Epoch(1),
            to: Epoch(1),
            scored: 0,
            step,
        };
        #[block]
        {
            Pallet::<T>::advance(&mut closing, n);
        }
        assert_eq!(closing.scored, n);
        assert!(Disputes::<T>::iter().next().is_none());
        assert_eq!(Out::<T>::iter().count() as u32, n);
        Ok(())
    }

    #[benchmark]
    fn gather(n: Linear<1, 32>) -> Result<(), BenchmarkError> {
        let nodes = caches::<T>(n);
        let elsewhere = Region([b'a'; 8]);
        for device in &nodes {
            let seen: Vec<_> = (0..5)
                .map(|operator| sighting(elsewhere, operator))
                .collect();
            Seen::<T>::insert(device, BoundedVec::truncate_from(seen));
            let observation = Observation {
                away: BoundedVec::truncate_from(vec![
                    sighting(elsewhere, 1);
                    types::MAX_AWAY as usize
                ]),
                ..Default::default()
            };
            Observations::<T>::insert(0, stake_of::<T>(device)?, observation);
        }
        let mut turn = Turn {
            epoch: Epoch(1),
            seen: Epoch(0),
            period: 0,
            step: TurnStep::Gather,
        };
        #[block]
        {
            Pallet::<T>::advance_turn(&mut turn, n);
        }
        assert!(Seen::<T>::iter().next().is_none());
        Ok(())
    }

    #[benchmark]
    fn enrol(n: Linear<1, 32>) {
        for id in 1..=n {
            let (device, owner) = (DeviceId([id as u8; 32]), AccountId32::new([id as u8; 32]));
            T::BenchmarkHelper::add_node(device, Role::Gateway, &owner, [0; 32]);
        }
        let other = Prober {
            region: Region([b'a'; 8]),
            operator: Account([0; 32]),
            device: DeviceId([0; 32]),
            weight: 1,
        };
        let known = vec![other; (T::MaxProbers::get() - n) as usize];
        Enrolled::<T>::put(BoundedVec::truncate_from(known));
        let mut turn = Turn {
            epoch: Epoch(1),
            seen: Epoch(0),
            period: 0,
            step: TurnStep::EnrolRest(None),
        };
        #[block]
        {
            assert!(Pallet::<T>::advance_turn(&mut turn, n));
        }
        assert_eq!(
            Round::<T>::get().map(|round| round.panel.len() as u32),
            Some(T::MaxProbers::get())
        );
    }

    #[benchmark]
    fn report_probes(n: Linear<1, 64>) -> Result<(), BenchmarkError> {
        let call = full_report::<T>(n)?;
        #[block]
        {
            call.dispatch_bypass_filter(RawOrigin::Authorized.into())
                .map_err(|_| "refused")?;
        }
        assert_eq!(Seen::<T>::iter().count() as u32, n);
        Ok(())
    }

    #[benchmark]
    fn authorize_report_probes(n: Linear<1, 64>) -> Result<(), BenchmarkError> {
        let call = full_report::<T>(n)?;
        #[block]
        {
            call.authorize(TransactionSource::InBlock)
                .expect("the call may be authorised")
                .map_err(|_| "refused")?;
        }
        Ok(())
    }

    #[benchmark]
    fn rejoin() -> Result<(), BenchmarkError> {
        let device = caches::<T>(1)[0];
        let out = Exclusion {
            since: Epoch(0),
            device,
            reason: Reason::Unavailable,
        };
        Out::<T>::insert(stake_of::<T>(&device)?, out);
        T::BenchmarkHelper::set_clock(Epoch(1), 0);
        #[extrinsic_call]
        _(RawOrigin::Signed(who()), device);
        assert!(Out::<T>::iter().next().is_none());
        Ok(())
    }

    #[benchmark]
    fn dispute_region() -> Result<(), BenchmarkError> {
        let device = caches::<T>(1)[0];
        let funds = T::DisputeBond::get() * 2;
        drop(T::Currency::deposit(&who(), funds, Precision::Exact)?);
        #[extrinsic_call]
        _(RawOrigin::Signed(who()), device);
        assert!(Disputes::<T>::contains_key(device));
        Ok(())
    }

    #[benchmark]
    fn withdraw_dispute() -> Result<(), BenchmarkError> {
        let device = caches::<T>(1)[0];
        dispute::<T>(&[device])?;
        T::BenchmarkHelper::set_clock(Epoch(T::Clock::epochs_per_era() * 2 + 1), 0);
        #[extrinsic_call]
        _(RawOrigin::Signed(who()), device);
        assert!(!Disputes::<T>::contains_key(device));
        Ok(())
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::externalities(), crate::mock::Test);
}
