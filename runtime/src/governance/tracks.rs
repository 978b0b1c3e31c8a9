//! The tracks: what a referendum on each costs, how long it runs and what it needs.
//!
//! | Track | Decision deposit | Prepare | Decide | Confirm | Enact after |
//! |---|---|---|---|---|---|
//! | 0 upgrade | 2,500 SEL | 1 day | 21 days | 3 days | 7 days |
//! | 1 parameters | 250 SEL | 6 hours | 21 days | 1 day | 1 day |
//! | 2 prices | 250 SEL | 6 hours | 21 days | 1 day | 1 day |
//! | 3 treasury | 250 SEL | 6 hours | 21 days | 1 day | 1 day |
//! | 4 roles | 250 SEL | 6 hours | 21 days | 1 day | 1 day |
//! | 5 brake | 1,000 SEL | 10 minutes | 21 days | 30 minutes | at once |
//!
//! Every track asks for half of the votes and, at the end of its 21 days, for 5 % of all tokens;
//! the sooner a referendum is to pass, the more it needs. Numbers of tracks are fixed for good.
//!
//! A day is `ChainParams::ReferendumDay` blocks: 24 hours of three-second slots unless genesis says
//! otherwise, as the presets for one machine do. All periods shrink with it, none below a block.

use alloc::borrow::Cow;
use frame_support::traits::Get;
use frame_system::RawOrigin;
use pallet_edge_chain_params::ReferendumDayOf;
use pallet_edge_governance::Origin;
use pallet_referenda::{Curve, Track, TrackInfo, TracksInfo};
use sp_runtime::{str_array, FixedI64};

use crate::{
    constants::{
        currency::SEL,
        time::{DAYS, HOURS, MINUTES},
    },
    Balance, BlockNumber, OriginCaller, Runtime,
};

const fn percent(percent: u128) -> FixedI64 {
    FixedI64::from_rational(percent, 100)
}

/// How long a referendum may be decided on.
const DECISION: BlockNumber = 21 * DAYS;
/// Ayes among votes: from all of them at the start to one half after 21 days.
const APPROVAL: Curve = Curve::make_linear(21, 21, percent(50), percent(100));
/// Ayes among all tokens: from one half at the start to 5 % after 21 days.
const SUPPORT: Curve = Curve::make_linear(21, 21, percent(5), percent(50));
/// For the brake: three quarters of the votes after an hour, one half in the end.
const BRAKE_APPROVAL: Curve =
    Curve::make_reciprocal(1, 21 * 24, percent(75), percent(50), percent(100));
/// For the brake: a fifth of all tokens after an hour, 5 % in the end.
const BRAKE_SUPPORT: Curve =
    Curve::make_reciprocal(1, 21 * 24, percent(20), percent(5), percent(50));

/// Numbers of the tracks.
pub mod id {
    /// The only one that carries Root.
    pub const UPGRADE: u16 = 0;
    /// Parameters of the economy.
    pub const PARAMETERS: u16 = 1;
    /// Price lists.
    pub const PRICES: u16 = 2;
    /// Spends from the treasury.
    pub const TREASURY: u16 = 3;
    /// Stakes and appointments.
    pub const ROLES: u16 = 4;
    /// The emergency brake.
    pub const BRAKE: u16 = 5;
}

/// A track of everyday decisions.
const fn everyday(id: u16, name: &str) -> Track<u16, Balance, BlockNumber> {
    Track {
        id,
        info: TrackInfo {
            name: str_array(name),
            max_deciding: 10,
            decision_deposit: 250 * SEL,
            prepare_period: 6 * HOURS,
            decision_period: DECISION,
            confirm_period: DAYS,
            min_enactment_period: DAYS,
            min_approval: APPROVAL,
            min_support: SUPPORT,
        },
    }
}

const TRACKS: [Track<u16, Balance, BlockNumber>; 6] = [
    Track {
        id: id::UPGRADE,
        info: TrackInfo {
            name: str_array("upgrade"),
            max_deciding: 1,
            decision_deposit: 2_500 * SEL,
            prepare_period: DAYS,
            decision_period: DECISION,
            confirm_period: 3 * DAYS,
            min_enactment_period: 7 * DAYS,
            min_approval: APPROVAL,
            min_support: SUPPORT,
        },
    },
    everyday(id::PARAMETERS, "parameters"),
    everyday(id::PRICES, "prices"),
    everyday(id::TREASURY, "treasury"),
    everyday(id::ROLES, "roles"),
    Track {
        id: id::BRAKE,
        info: TrackInfo {
            name: str_array("brake"),
            max_deciding: 10,
            decision_deposit: 1_000 * SEL,
            prepare_period: 10 * MINUTES,
            decision_period: DECISION,
            confirm_period: 30 * MINUTES,
            min_enactment_period: 0,
            min_approval: BRAKE_APPROVAL,
            min_support: BRAKE_SUPPORT,
        },
    },
];

/// A period in blocks of this network, out of one in blocks of a network whose day is 24 hours.
fn scaled(period: BlockNumber, day: BlockNumber) -> BlockNumber {
    let blocks = (u64::from(period) * u64::from(day)).div_ceil(u64::from(DAYS));
    blocks.try_into().unwrap_or(BlockNumber::MAX)
}

/// `N` days of this network, in blocks.
pub struct Days<const N: BlockNumber>;

impl<const N: BlockNumber> Get<BlockNumber> for Days<N> {
    fn get() -> BlockNumber {
        scaled(N * DAYS, ReferendumDayOf::<Runtime>::get())
    }
}

/// The name of a track, as the metadata has it.
pub fn name(id: u16) -> &'static str {
    let track = TRACKS.iter().find(|track| track.id == id);
    let name = track.and_then(|track| core::str::from_utf8(&track.info.name).ok());
    name.unwrap_or_default().trim_end_matches('\0')
}

/// The tracks of Selvedge.
pub struct Tracks;

impl TracksInfo<Balance, BlockNumber> for Tracks {
    type Id = u16;
    type RuntimeOrigin = OriginCaller;

    fn tracks() -> impl Iterator<Item = Cow<'static, Track<u16, Balance, BlockNumber>>> {
        let day = ReferendumDayOf::<Runtime>::get();
        TRACKS.iter().map(move |track| {
            let mut track = track.clone();
            let info = &mut track.info;
            for period in [
                &mut info.prepare_period,
                &mut info.decision_period,
                &mut info.confirm_period,
                &mut info.min_enactment_period,
            ] {
                *period = scaled(*period, day);
            }
            Cow::Owned(track)
        })
    }

    fn track_for(origin: &OriginCaller) -> Result<u16, ()> {
        match origin {
            OriginCaller::system(RawOrigin::Root) => Ok(id::UPGRADE),
            OriginCaller::EdgeGovernance(origin) => match origin {
                Origin::Parameters => Ok(id::PARAMETERS),
                Origin::Prices => Ok(id::PRICES),
                Origin::TreasurySpend => Ok(id::TREASURY),
                Origin::Roles => Ok(id::ROLES),
                Origin::Brake => Ok(id::BRAKE),
                _ => Err(()),
            },
            _ => Err(()),
        }
    }
}
