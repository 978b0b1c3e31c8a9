//! Every number that a referendum may change, with its arithmetic, in one place.
//!
//! A value is read from storage where one was set and is the default below otherwise. Setting goes
//! through `EdgeGovernance::set_parameter`, which asks [`Ranges`](super::ranges::Ranges): each value
//! has a range of its own, and some are only safe together.

use frame_support::{
    dynamic_params::{dynamic_pallet_params, dynamic_params},
    traits::Get,
};
use pallet_edge_chain_params::{CheckCostOf, FirstHoldBackOf};
use pallet_edge_traits::EpochClock;
use selvedge_primitives_math::{draw::AUDITORS, fraud::DefectClass};
use selvedge_primitives_types::{Planck, Ppm, Role};
use sp_runtime::traits::Convert;

use crate::{
    constants::currency::{MILLI, SEL},
    Runtime, UsageClock,
};

/// A day in milliseconds.
pub const DAY_MILLIS: u64 = 24 * 60 * 60 * 1_000;

/// The governed numbers, by area.
#[dynamic_params(RuntimeParameters, pallet_parameters::Parameters::<Runtime>)]
pub mod dynamic_params {
    use super::*;

    /// Stakes and devices.
    #[dynamic_pallet_params]
    #[codec(index = 0)]
    pub mod stakes {
        /// What a validator stakes. At an emission that pays at most 12 % a year, 50,000 SEL earn
        /// at most 50,000 × 0.12 / 365.25 = 16.4 SEL a day.
        #[codec(index = 0)]
        pub static ValidatorStake: Planck = 50_000 * SEL;

        /// What a stargate stakes: ten gateways' worth, since it speaks for a region.
        #[codec(index = 1)]
        pub static StargateStake: Planck = 250_000 * SEL;

        /// What a gateway stakes. Escrow that matures stays below it.
        #[codec(index = 2)]
        pub static GatewayStake: Planck = 25_000 * SEL;

        /// What a cache stakes: little, so that anybody can run one.
        #[codec(index = 3)]
        pub static CacheStake: Planck = 100 * SEL;

        /// Most validators of a session. GRANDPA's votes grow with the square of it.
        #[codec(index = 4)]
        pub static MaxValidators: u32 = 100;

        /// How long an unlocked chunk waits, in milliseconds: 90 × 86,400,000.
        #[codec(index = 5)]
        pub static UnlockPeriod: u64 = 90 * DAY_MILLIS;

        /// Fee of an express release: a quarter.
        #[codec(index = 6)]
        pub static ExpressFee: Ppm = Ppm::percent(25);

        /// How long a stake answers for offences after its last epoch, in milliseconds: 7 × 86,400,000.
        #[codec(index = 7)]
        pub static OffenceWindow: u64 = 7 * DAY_MILLIS;

        /// A reporter's share of a slash. Small, and capped below, so that reporting oneself does
        /// not pay.
        #[codec(index = 8)]
        pub static ReporterShare: Ppm = Ppm::percent(5);

        /// The most that a reporter gets.
        #[codec(index = 9)]
        pub static ReporterMax: Planck = 500 * SEL;

        /// What is held per registered device. An entry takes at most about 700 bytes, so it costs
        /// ten times its storage: listing devices that serve nothing is not worth while.
        #[codec(index = 10)]
        pub static DeviceDeposit: Planck = 2 * SEL;

        /// Epochs that a drain is granted for, besides the rest of the one in which it is asked for: a sixth of an era, so 4
        /// live and 1 on a devnet. Nothing that is seen of a node in them counts.
        #[codec(index = 11)]
        pub static DrainEpochs: u64 = (<UsageClock as EpochClock>::epochs_per_era() / 6).max(1);

        /// Eras after the end of a grant in which the same stake gets none. With 7 days a stake may be away for at most 5 of
        /// 173 epochs.
        #[codec(index = 12)]
        pub static DrainRest: u64 = 7;
    }

    /// Prepaid accounts, and how a commitment becomes money.
    #[dynamic_pallet_params]
    #[codec(index = 1)]
    pub mod billing {
        /// The least that may be deposited at once.
        #[codec(index = 0)]
        pub static MinDeposit: Planck = SEL;

        /// Epochs that may be unsettled at once, counted from the one in use: served in e, committed
        /// in e + 1, voted on in e + 2 and again in e + 3, leaves shown in e + 4, settled by e + 6, so
        /// e to e + 6 make 7; and three more for what is committed late.
        #[codec(index = 1)]
        pub static UnsettledEpochs: u64 = 10;

        /// A warning is given when the money lasts less than this many epochs: two days of hours.
        #[codec(index = 2)]
        pub static WarnEpochs: u64 = 48;

        /// Epochs between full settlement and payment: an era, so 24 live and 4 on a devnet.
        #[codec(index = 3)]
        pub static HoldBackEpochs: u64 = <UsageClock as EpochClock>::epochs_per_era();

        /// Epochs for which finished commitments and invoice lines are kept: 30 days × 24.
        #[codec(index = 4)]
        pub static HistoryEpochs: u64 = 720;

        /// Epochs that a commitment may be late by before it is forfeited.
        #[codec(index = 5)]
        pub static MaxLate: u8 = 3;

        /// What each of them costs of the gateway's share.
        #[codec(index = 6)]
        pub static LatePenalty: Ppm = Ppm::percent(5);

        /// How long after its stake was assigned a new node's earnings are kept back, in milliseconds: 14 days
        /// on a live network, what its genesis says on another.
        #[codec(index = 7)]
        pub static FirstHoldBack: u64 = FirstHoldBackOf::<Runtime>::get();

        /// The least quality of a node that is fair: below it, its first earnings are kept back twice as long.
        #[codec(index = 8)]
        pub static FairScore: Ppm = Ppm::percent(50);

        /// Epochs after the last hold-back can be over in which vouchers are redeemed: an era.
        #[codec(index = 9)]
        pub static RedeemEpochs: u64 = <UsageClock as EpochClock>::epochs_per_era();

        /// What a dispute of a line puts at stake. Four times the samples of an audit cost its auditors some
        /// 176 checks of leaves.
        #[codec(index = 10)]
        pub static DisputeBond: Planck = 5 * SEL;

        /// Epochs before it may be paid in which a line cannot be disputed any more, because there is no time to look:
        /// a sixth of an era, so 4 live and 1 on a devnet.
        #[codec(index = 11)]
        pub static DisputeEpochs: u64 = (<UsageClock as EpochClock>::epochs_per_era() / 6).max(1);

        /// Octets that a customer may have served in a month without being charged: 5 GiB, so 7.35 MB an hour.
        #[codec(index = 12)]
        pub static FreeEgress: u64 = 5 << 30;

        /// Requests that a customer may have answered in a month without being charged: 27 an hour.
        #[codec(index = 13)]
        pub static FreeRequests: u64 = 20_000;
    }

    /// How a charge is divided.
    #[dynamic_pallet_params]
    #[codec(index = 2)]
    pub mod shares {
        /// `t`: the network's part of a charge.
        #[codec(index = 0)]
        pub static Take: Ppm = Ppm::percent(15);

        /// The stargates' part of what the take leaves: of a charge, 0.85 × 0.10 = 8.5 %.
        #[codec(index = 1)]
        pub static StargateShare: Ppm = Ppm::percent(10);

        /// The caches' part of what the take leaves: of a charge, 0.85 × 0.60 = 51 %. The gateway
        /// has the residue, 0.85 × 0.30 = 25.5 %.
        #[codec(index = 2)]
        pub static CacheShare: Ppm = Ppm::percent(60);

        /// `a`: the auditors' part of a charge, out of the take.
        #[codec(index = 3)]
        pub static AuditFee: Ppm = Ppm::percent(1);

        /// `r`: a referrer's part of a charge, out of the take.
        #[codec(index = 4)]
        pub static Referral: Ppm = Ppm::percent(10);

        /// Part of a charge that is burnt, out of the take. Of 15 %, audits 1 and referral 10 leave
        /// 4: half of it is burnt and half goes to the treasury.
        #[codec(index = 5)]
        pub static Burn: Ppm = Ppm::percent(2);
    }

    /// What stakes yield.
    #[dynamic_pallet_params]
    #[codec(index = 3)]
    pub mod yields {
        /// `β`: part of a yield that does not depend on use.
        #[codec(index = 0)]
        pub static Beta: Ppm = Ppm::percent(50);

        /// `κ`: part of the net take that activity may return. A coalition that pays itself 1 gets
        /// back at most 0.10 + 0.01 + 0.5 × 0.04 = 0.13 of the 0.15 that leave it.
        #[codec(index = 1)]
        pub static Kappa: Ppm = Ppm::percent(50);

        /// `λ` of gateways.
        #[codec(index = 2)]
        pub static LambdaGateway: Ppm = Ppm::percent(35);

        /// `λ` of caches.
        #[codec(index = 3)]
        pub static LambdaCache: Ppm = Ppm::percent(55);

        /// `λ` of stargates.
        #[codec(index = 4)]
        pub static LambdaStargate: Ppm = Ppm::percent(10);

        /// Ceiling of a validator's yield per year.
        #[codec(index = 5)]
        pub static AprValidator: Ppm = Ppm::percent(12);

        /// Ceiling of a stargate's yield per year.
        #[codec(index = 6)]
        pub static AprStargate: Ppm = Ppm::percent(20);

        /// Ceiling of a gateway's yield per year.
        #[codec(index = 7)]
        pub static AprGateway: Ppm = Ppm::percent(15);

        /// Ceiling of a cache's yield per year.
        #[codec(index = 8)]
        pub static AprCache: Ppm = Ppm::percent(10);

        /// Part of what remains in the emission pool that it gives per year: of 10 M SEL, 1 M in
        /// the first.
        #[codec(index = 9)]
        pub static EmissionRate: Ppm = Ppm::percent(10);

        /// Part of an emission for validators.
        #[codec(index = 10)]
        pub static PoolValidators: Ppm = Ppm::percent(50);

        /// Part of an emission for base yields.
        #[codec(index = 11)]
        pub static PoolBase: Ppm = Ppm::percent(35);

        /// Part of an emission for activity yields.
        #[codec(index = 12)]
        pub static PoolActivity: Ppm = Ppm::percent(15);
    }

    /// Services, host names and prices.
    #[dynamic_pallet_params]
    #[codec(index = 4)]
    pub mod services {
        /// What is held for a service: an item of about 1,200 bytes with its history costs
        /// 0.1 + 0.12 SEL, and as much again for its place in every gateway's config.
        #[codec(index = 0)]
        pub static ServiceDeposit: Planck = 500 * MILLI;

        /// What is held for a host name: an item of about 300 bytes, 0.1 + 0.03 SEL.
        #[codec(index = 1)]
        pub static HostDeposit: Planck = 150 * MILLI;

        /// Whole epochs between the publication of a price list and the first one it may be pinned
        /// for: seven days × 24, time enough to read it.
        #[codec(index = 2)]
        pub static PriceNotice: u64 = 168;

        /// Epochs in which a claimed host name may be proven: two days × 24, since DNS records
        /// spread slowly.
        #[codec(index = 3)]
        pub static ProofPeriod: u64 = 48;

        /// What is held for a pin. It takes 80 bytes of state, 0.01 SEL, and a part of the 0.8 MiB that every node is told
        /// of: whoever takes up all of them holds 16,384 SEL.
        #[codec(index = 4)]
        pub static PinDeposit: Planck = SEL;
    }

    /// What a proven defect of a commitment costs its gateway, as a part of what is left of its stake.
    #[dynamic_pallet_params]
    #[codec(index = 5)]
    pub mod audits {
        /// A charge that the chain's terms did not allow, which a gateway may have learnt too late: of
        /// 25,000 SEL, 1,250. Its whole claim of the epoch is forfeited besides.
        #[codec(index = 0)]
        pub static TermsSlash: Ppm = Ppm::percent(5);

        /// A leaf that its own content refutes: of 25,000 SEL, 6,250.
        #[codec(index = 1)]
        pub static LeafSlash: Ppm = Ppm::percent(25);

        /// Trees or signatures that no program makes by mistake: all of it.
        #[codec(index = 2)]
        pub static ForgerySlash: Ppm = Ppm::ONE;

        /// Leaves that were due on chain and did not come: of 25,000 SEL, 1,250, or the amount of the
        /// commitment if that is more.
        #[codec(index = 3)]
        pub static WithheldSlash: Ppm = Ppm::percent(5);

        /// What a check of a commitment costs an auditor: MILLI / 8 on a live network, since 44 leaves with two
        /// paths of 1.5 KiB each are 132 KiB, an eighth of a thousandth of a gibibyte, which the first price list
        /// has at 1 SEL; what its genesis says on another.
        #[codec(index = 4)]
        pub static CheckCost: Planck = CheckCostOf::<Runtime>::get();

        /// What a challenge puts at stake: many times what showing a leaf costs its gateway.
        #[codec(index = 5)]
        pub static ChallengeBond: Planck = 5 * SEL;

        /// The part of the take that commitments of canaries may charge: of a take of 15 %, 0.75 % of all charges.
        #[codec(index = 6)]
        pub static CanaryShare: Ppm = Ppm::percent(5);
    }
}

#[cfg(feature = "runtime-benchmarks")]
impl Default for RuntimeParameters {
    fn default() -> Self {
        Self::Stakes(dynamic_params::stakes::Parameters::MaxValidators(
            dynamic_params::stakes::MaxValidators,
            Some(100),
        ))
    }
}

/// What a stake of a role takes.
pub struct RoleAmount;

impl Convert<Role, Planck> for RoleAmount {
    fn convert(role: Role) -> Planck {
        use dynamic_params::stakes::*;
        match role {
            Role::Validator => ValidatorStake::get(),
            Role::Stargate => StargateStake::get(),
            Role::Gateway => GatewayStake::get(),
            Role::Cache => CacheStake::get(),
        }
    }
}

/// What a defect of a class costs.
pub struct FraudSlash;

impl Convert<DefectClass, Ppm> for FraudSlash {
    fn convert(class: DefectClass) -> Ppm {
        use dynamic_params::audits::*;
        match class {
            DefectClass::Terms => TermsSlash::get(),
            DefectClass::Leaf => LeafSlash::get(),
            DefectClass::Forgery => ForgerySlash::get(),
        }
    }
}

/// The least amount of a commitment that is audited: its audit fee pays for five checks.
pub struct LeastAudited;

impl Get<Planck> for LeastAudited {
    fn get() -> Planck {
        let checks = dynamic_params::audits::CheckCost::get().saturating_mul(AUDITORS.into());
        // The range of the fee does not reach down to zero.
        checks.saturating_mul(Ppm::ONE.0.into())
            / Planck::from(dynamic_params::shares::AuditFee::get().0.max(1))
    }
}

/// Epochs after its last active one in which a stake answers for usage: until the last commitment
/// is settled and paid, and its vouchers are redeemed.
pub struct StakeLiability;

impl Get<u64> for StakeLiability {
    fn get() -> u64 {
        use dynamic_params::billing::*;
        UnsettledEpochs::get()
            .saturating_add(HoldBackEpochs::get().saturating_mul(2))
            .saturating_add(RedeemEpochs::get())
    }
}
