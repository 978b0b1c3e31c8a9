//! Measures a block's step at its worst: after a stop of the chain, when some of the time counts and some does not.

use super::*;
use frame_benchmarking::v2::*;

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn tick() {
        let step = T::MaxStep::get();
        Genesis::<T>::put(Millis(1));
        Seen::<T>::put(Millis(1));
        Stood::<T>::put(Millis(0));
        Current::<T>::put(Epoch(0));
        // What an epoch's end costs is weighed by those who are told of it.
        Length::<T>::put(Millis(step.saturating_mul(4)));
        #[block]
        {
            Pallet::<T>::on_timestamp_set(1 + step * 2);
        }
        assert_eq!(Stood::<T>::get(), Millis(step));
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::build(60_000, 4), crate::mock::Test);
}
