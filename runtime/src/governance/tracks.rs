//! The tracks: what a referendum on each costs, how long it runs and what it needs.

use alloc::borrow::Cow;
use frame_system::RawOrigin;
use pallet_referenda::{Curve, Track, TrackInfo, TracksInfo};
use sp_runtime::{str_array, FixedI64};

use crate::{
    constants::{currency::SEL, time::DAYS},
    Balance, BlockNumber, OriginCaller,
};

const fn percent(percent: u128) -> FixedI64 {
    FixedI64::from_rational(percent, 100)
}

/// Ayes among votes: from all of them at the start to one half after 21 days.
const APPROVAL: Curve = Curve::make_linear(21, 21, percent(50), percent(100));
/// Ayes among all tokens: from one half at the start to 5 % after 21 days.
const SUPPORT: Curve = Curve::make_linear(21, 21, percent(5), percent(50));

/// Number of the upgrade track.
pub const UPGRADE: u16 = 0;

const TRACKS: [Track<u16, Balance, BlockNumber>; 1] = [Track {
    id: UPGRADE,
    info: TrackInfo {
        name: str_array("upgrade"),
        max_deciding: 1,
        decision_deposit: 2_500 * SEL,
        prepare_period: DAYS,
        decision_period: 21 * DAYS,
        confirm_period: 3 * DAYS,
        min_enactment_period: 7 * DAYS,
        min_approval: APPROVAL,
        min_support: SUPPORT,
    },
}];

/// The tracks of Selvedge.
pub struct Tracks;

impl TracksInfo<Balance, BlockNumber> for Tracks {
    type Id = u16;
    type RuntimeOrigin = OriginCaller;

    fn tracks() -> impl Iterator<Item = Cow<'static, Track<u16, Balance, BlockNumber>>> {
        TRACKS.iter().map(Cow::Borrowed)
    }

    fn track_for(origin: &OriginCaller) -> Result<u16, ()> {
        match origin {
            OriginCaller::system(RawOrigin::Root) => Ok(UPGRADE),
            _ => Err(()),
        }
    }
}
