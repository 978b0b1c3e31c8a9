//! A runtime with two parameters, the stock parameters pallet and governance.

use crate as pallet_edge_governance;
use crate::{
    EnsureParameters, EnsureRangeChecked, Origin, ParameterDescription, ParameterRanges,
    ParameterStore, RangeViolation,
};
use frame_support::{
    derive_impl,
    dynamic_params::{dynamic_pallet_params, dynamic_params},
    traits::{AsEnsureOriginWithArg, Get},
};
use sp_runtime::{BuildStorage, DispatchResult};

#[frame_support::runtime]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(
        RuntimeCall,
        RuntimeEvent,
        RuntimeError,
        RuntimeOrigin,
        RuntimeTask,
        RuntimeViewFunction
    )]
    pub struct Test;

    #[runtime::pallet_index(0)]
    pub type System = frame_system;
    #[runtime::pallet_index(1)]
    pub type Parameters = pallet_parameters;
    #[runtime::pallet_index(2)]
    pub type EdgeGovernance = pallet_edge_governance;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlock<Test>;
}

#[dynamic_params(RuntimeParameters, pallet_parameters::Parameters::<Test>)]
pub mod params {
    use super::*;

    #[dynamic_pallet_params]
    #[codec(index = 0)]
    pub mod shares {
        /// From 10 to 30.
        #[codec(index = 0)]
        pub static Take: u32 = 15;
        /// At most 10, and at least 3 below the take.
        #[codec(index = 1)]
        pub static Referral: u32 = 10;
    }
}

impl Default for RuntimeParameters {
    fn default() -> Self {
        Self::Shares(params::shares::Parameters::Take(
            params::shares::Take,
            Some(20),
        ))
    }
}

#[derive_impl(pallet_parameters::config_preludes::TestDefaultConfig)]
impl pallet_parameters::Config for Test {
    type RuntimeParameters = RuntimeParameters;
    type AdminOrigin = EnsureRangeChecked;
}

/// The ranges of the two parameters.
pub struct Ranges;

impl ParameterRanges<RuntimeParameters> for Ranges {
    fn check(parameter: &RuntimeParameters) -> Result<(), RangeViolation> {
        use params::shares;
        let (mut take, mut referral) = (shares::Take::get(), shares::Referral::get());
        match parameter {
            RuntimeParameters::Shares(shares::Parameters::Take(_, Some(value))) => take = *value,
            RuntimeParameters::Shares(shares::Parameters::Referral(_, Some(value))) => {
                referral = *value
            }
            RuntimeParameters::Shares(_) => {}
        }
        if !(10..=30).contains(&take) || referral > 10 {
            return Err(RangeViolation::Value);
        }
        if take < referral + 3 {
            return Err(RangeViolation::Joint);
        }
        Ok(())
    }

    fn describe() -> Vec<ParameterDescription> {
        use params::shares;
        let one = |name: &str, min, max, default, current: u32| ParameterDescription {
            area: b"Shares".to_vec(),
            name: name.into(),
            unit: b"percent".to_vec(),
            min,
            max,
            default,
            current: current.into(),
            track: b"parameters".to_vec(),
        };
        vec![
            one("Take", 10, 30, 15, shares::Take::get()),
            one("Referral", 0, 10, 10, shares::Referral::get()),
        ]
    }
}

/// Stores with the pallet's own origin.
pub struct Store;

impl ParameterStore<RuntimeParameters> for Store {
    fn store(parameter: RuntimeParameters) -> DispatchResult {
        Parameters::set_parameter(Origin::RangeChecked.into(), parameter)
    }
}

impl crate::Config for Test {
    type RuntimeParameters = RuntimeParameters;
    type ParameterOrigin = AsEnsureOriginWithArg<EnsureParameters>;
    type Ranges = Ranges;
    type Store = Store;
    type WeightInfo = ();
}

pub(crate) fn execute(test: impl FnOnce()) {
    let mut externalities: sp_io::TestExternalities = RuntimeGenesisConfig::default()
        .build_storage()
        .unwrap()
        .into();
    externalities.execute_with(|| {
        System::set_block_number(1);
        test();
        // Invariant 1, whatever the test did.
        EdgeGovernance::do_try_state().unwrap();
    });
}
