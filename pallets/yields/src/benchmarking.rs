//! Measures the claim, and a page of a close at its worst step: grants to devices with a full history.

use super::*;
use alloc::vec;
use frame_benchmarking::v2::*;
use frame_system::RawOrigin;

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
    fn page(n: Linear<1, 32>) {
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
        let (from, to) = (Epoch(0), Epoch(0));
        let mut closing = Closing {
            period: 0,
            from,
            to,
            step: Step::Grant,
            books,
        };
        #[block]
        {
            Pallet::<T>::advance(&mut closing, n);
        }
        assert_eq!(closing.books.nodes, n);
    }

    impl_benchmark_test_suite!(
        Pallet,
        crate::mock::externalities(crate::mock::POOL),
        crate::mock::Test
    );
}
