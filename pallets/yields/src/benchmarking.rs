//! Measures the claim, and a page of each step of a close: what nodes claim, and grants to stakes with a full history.

use super::*;
use frame_benchmarking::v2::*;
use frame_system::RawOrigin;
use pallet_edge_traits::{BenchmarkNodes, NodeWalk};
use selvedge_primitives_types::{DeviceId, Score};

fn closing(step: Step, n: u32) -> Closing {
    let pools = Pools {
        validators: 0,
        base: n.into(),
        activity: n.into(),
    };
    let books = EraBooks {
        era: Era(1),
        emission: pools,
        claims: pools,
        granted: Default::default(),
        nodes: 0,
    };
    Closing {
        period: 0,
        from: Epoch(0),
        to: Epoch(0),
        step,
        books,
    }
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn claim() {
        let caller: AccountId32 = whitelisted_caller();
        let amount = T::Currency::minimum_balance().saturating_mul(10);
        let pool = Pallet::<T>::pool_account();
        T::Currency::mint_into(&pool, amount.saturating_mul(2)).expect("the pool can be funded");
        Pallet::<T>::grant(&caller, amount);
        #[extrinsic_call]
        _(RawOrigin::Signed(caller.clone()));
        assert_eq!(Payouts::<T>::get(&caller).claimed, amount);
    }

    #[benchmark]
    fn grants(n: Linear<1, 32>) {
        let basis = Basis {
            device: DeviceId([1; 32]),
            role: Role::Gateway,
            stake: 1,
            millis: 1,
            apr: Ppm(1),
            beta: Ppm(1),
            quality: Score::ONE,
            service: Score::ONE,
            tenure_days: 1,
            boost: Ppm(1),
            brought: Brought {
                amount: 1,
                returnable: 1,
            },
            base: 1,
            allowed: 1,
        };
        for id in 0..n {
            let owner = AccountId32::new([id as u8; 32]);
            let stake = StakeId(id.into());
            Claims::<T>::insert(stake, Claim { owner, basis });
            let earning = EraEarning {
                era: Era(1),
                base: 1,
                activity: 1,
                basis,
                base_scale: Ppm::ONE,
                activity_scale: Ppm::ONE,
            };
            History::<T>::insert(stake, close::slot(Era(1)), earning);
        }
        let mut closing = closing(Step::Grant, n);
        #[block]
        {
            Pallet::<T>::advance(&mut closing, n);
        }
        assert_eq!(closing.books.nodes, n);
    }

    #[benchmark]
    fn claims(n: Linear<1, 32>) {
        // No device has a key of zeros.
        for id in 1..=n {
            let (device, owner) = (DeviceId([id as u8; 32]), AccountId32::new([id as u8; 32]));
            T::BenchmarkHelper::add_node(device, Role::Cache, &owner, [0; 32]);
            let (stake, _) = T::Stakes::stake_of(&device).expect("it was added");
            let brought = Brought {
                amount: 1,
                returnable: 1,
            };
            Matured::<T>::insert(0, stake, brought);
        }
        let mut closing = closing(Step::Claim(NodeWalk::starting_at(Role::Cache)), n);
        #[block]
        {
            Pallet::<T>::advance(&mut closing, n);
        }
        assert_eq!(Claims::<T>::iter().count(), n as usize);
    }

    impl_benchmark_test_suite!(
        Pallet,
        crate::mock::externalities(crate::mock::POOL),
        crate::mock::Test
    );
}
