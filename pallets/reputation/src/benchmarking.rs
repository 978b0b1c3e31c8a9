//! Measures a page of a close at its worst step: the first of a region, which takes the median.

use super::*;
use crate::types::{Closing, Step};
use alloc::vec;
use frame_benchmarking::v2::*;
use pallet_edge_traits::{BenchmarkNodes, NodeWalk};
use selvedge_primitives_types::Account;

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn page(n: Linear<1, 32>) {
        // No device has a key of zeros.
        for id in 1..=n {
            let (device, owner) = (DeviceId([id as u8; 32]), AccountId32::new([id as u8; 32]));
            T::BenchmarkHelper::add_node(device, Role::Cache, &owner, [0; 32]);
            Matured::<T>::insert(0, device, 1);
        }
        let device = T::Devices::device(&DeviceId([1; 32])).expect("it was added");
        let sample = Sample {
            operator: Account([1; 32]),
            value: 1,
            weight: 1,
        };
        let samples = vec![sample; types::MAX_SAMPLES as usize];
        let place = (Role::Cache, device.region);
        Samples::<T>::insert(place, BoundedVec::truncate_from(samples));
        let step = Step::Score(NodeWalk::starting_at(Role::Cache));
        let (from, to) = (Epoch(0), Epoch(0));
        let mut closing = Closing {
            era: Era(0),
            period: 0,
            from,
            to,
            scored: 0,
            step,
        };
        #[block]
        {
            Pallet::<T>::advance(&mut closing, n);
        }
        assert_eq!(closing.scored, n);
        assert!(Medians::<T>::contains_key(place));
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::externalities(), crate::mock::Test);
}
