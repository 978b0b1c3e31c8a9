//! What a stake earned, era by era, and what it is made of.

use selvedge_primitives_runtime_api as api;
use selvedge_primitives_types::StakeId;
use serde::Serialize;

/// The last eras of a stake, newest first.
#[derive(Serialize)]
pub struct StakeEarnings {
    pub stake: u64,
    pub eras: Vec<Era>,
}

/// An era; amounts in planck, rates, scores and factors in millionths. `base_scale` and `activity_scale` are what the pools
/// could pay of all claims on them.
#[derive(Serialize)]
pub struct Era {
    pub era: u64,
    pub base: String,
    pub activity: String,
    pub device: String,
    pub role: String,
    pub stake_amount: String,
    pub millis: u64,
    pub apr: u32,
    pub beta: u32,
    pub quality: u32,
    pub service: u32,
    pub tenure_days: u32,
    pub boost: u32,
    pub matured: String,
    pub returnable: String,
    pub base_claimed: String,
    pub allowed: String,
    /// `stake` or `charges`: which limit activity met.
    pub bound: &'static str,
    pub base_scale: u32,
    pub activity_scale: u32,
}

impl StakeEarnings {
    /// Of this stake.
    pub fn new(stake: StakeId, eras: &[api::EraEarningsExplanation]) -> Self {
        Self {
            stake: stake.0,
            eras: eras.iter().map(Into::into).collect(),
        }
    }
}

impl From<&api::EraEarningsExplanation> for Era {
    fn from(view: &api::EraEarningsExplanation) -> Self {
        Self {
            era: view.era.0,
            base: view.base.to_string(),
            activity: view.activity.to_string(),
            device: view.device.to_string(),
            role: view.role.to_string(),
            stake_amount: view.stake.to_string(),
            millis: view.millis.0,
            apr: view.apr.0,
            beta: view.beta.0,
            quality: view.quality.0,
            service: view.service.0,
            tenure_days: view.tenure_days,
            boost: view.boost.0,
            matured: view.matured.to_string(),
            returnable: view.returnable.to_string(),
            base_claimed: view.base_claimed.to_string(),
            allowed: view.allowed.to_string(),
            bound: match view.bound {
                api::BoundView::Stake => "stake",
                api::BoundView::Charges => "charges",
            },
            base_scale: view.base_scale.0,
            activity_scale: view.activity_scale.0,
        }
    }
}
