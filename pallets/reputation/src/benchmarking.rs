//! Measures a page of a close at its worst step: the first of a region, which takes the median.

use super::*;
use alloc::vec;
use frame_benchmarking::v2::*;
use pallet_edge_traits::NodeWalk;
use selvedge_primitives_types::Account;

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn page(n: Linear<1, 32>) {
        let region = Region(*b"eu-west\0");
        let sample = Sample {
            operator: Account([1; 32]),
            value: 1,
            weight: 1,
        };
        let samples = vec![sample; types::MAX_SAMPLES as usize];
        Samples::<T>::insert((Role::Gateway, region), BoundedVec::truncate_from(samples));
        let step = Step::Score(NodeWalk::default());
        let (from, to) = (Epoch(0), Epoch(0));
        let mut closing = Closing {
            era: Era(0),
            period: 0,
            from,
            to,
            scored: 0,
            step,
        };
        for id in 0..n {
            Matured::<T>::insert(0, DeviceId([id as u8; 32]), 1);
        }
        #[block]
        {
            while !Pallet::<T>::advance(&mut closing, n) {}
        }
        assert_eq!(Matured::<T>::iter_prefix(0).count(), 0);
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::externalities(), crate::mock::Test);
}
