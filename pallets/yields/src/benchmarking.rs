//! Measures the claim, and a page of each step of a close: what nodes claim, and grants to devices with a full history.

use super::*;
use alloc::vec;
use frame_benchmarking::v2::*;
use frame_system::RawOrigin;
use pallet_edge_traits::{BenchmarkNodes, NodeWalk};

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
        let earning = EraEarning {
            era: Era(0),
            matured: 1,
            base: 1,
            activity: 1,
        };
        for id in 0..n {
            let device = DeviceId([id as u8; 32]);
            let owner = AccountId32::new([id as u8; 32]);
            let noted = Claim {
                owner,
                role: Role::Gateway,
                matured: 1,
                base: 1,
                activity: 1,
            };
            Claims::<T>::insert(device, noted);
            let eras = vec![earning; types::MAX_ERAS as usize];
            History::<T>::insert(device, BoundedVec::truncate_from(eras));
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
            Matured::<T>::insert(0, device, 1);
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
