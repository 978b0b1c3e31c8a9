//! Benchmarks of the calls.

use super::*;
use frame_benchmarking::v2::*;
use frame_support::traits::{dynamic_params::AggregatedKeyValue, EnsureOriginWithArg};

#[benchmarks(where T::RuntimeParameters: Default)]
mod benches {
    use super::*;

    #[benchmark]
    fn set_parameter() -> Result<(), BenchmarkError> {
        let parameter = T::RuntimeParameters::default();
        let (key, _) = parameter.clone().into_parts();
        let origin = T::ParameterOrigin::try_successful_origin(&key)
            .map_err(|_| BenchmarkError::Weightless)?;

        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, parameter);

        Ok(())
    }
}
