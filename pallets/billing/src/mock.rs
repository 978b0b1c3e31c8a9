//! A runtime of balances and billing, with foreign answers that a test sets.

mod world;

pub(crate) use world::{world, World, LENGTH, STAKE};

use crate as pallet_edge_billing;
use frame_support::{derive_impl, parameter_types, traits::ConstU32, PalletId};
use frame_system::EnsureRoot;
use selvedge_primitives_types::{DeviceId, Planck, Ppm, Score, Usage};
use sp_core::{crypto::Pair as _, sr25519::Pair};
use sp_keystore::{testing::MemoryKeystore, KeystoreExt};
use sp_runtime::{traits::IdentityLookup, AccountId32, BuildStorage};

pub(crate) type AccountId = AccountId32;

frame_support::construct_runtime!(
    pub enum Test {
        System: frame_system,
        Balances: pallet_balances,
        Billing: pallet_edge_billing,
    }
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlock<Test>;
    type AccountId = AccountId;
    type Lookup = IdentityLookup<AccountId>;
    type AccountData = pallet_balances::AccountData<Planck>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type Balance = Planck;
    type AccountStore = System;
    type ExistentialDeposit = ExistentialDeposit;
    type RuntimeFreezeReason = ();
    type FreezeIdentifier = [u8; 1];
    type MaxFreezes = ConstU32<1>;
}

parameter_types! {
    pub const BillingPalletId: PalletId = PalletId(*b"sel/bill");
    pub const ExistentialDeposit: Planck = 10;
    pub const MinDeposit: Planck = 50;
    pub static UnsettledEpochs: u64 = 7;
    pub static HoldBackEpochs: u64 = 2;
    pub static HistoryEpochs: u64 = 20;
    pub const WarnEpochs: u64 = 4;
    pub const MaxLate: u8 = 3;
    pub const LatePenalty: Ppm = Ppm::percent(5);
    pub static Take: Ppm = Ppm::percent(15);
    pub const StargateShare: Ppm = Ppm::percent(10);
    pub const CacheShare: Ppm = Ppm::percent(60);
    pub const AuditFee: Ppm = Ppm::percent(1);
    pub const Referral: Ppm = Ppm::percent(10);
    pub static Burn: Ppm = Ppm::percent(2);
    pub static FreeBuffer: Usage = Usage([0; 6]);
    pub const FairScore: Score = Score(500_000);
    pub const FirstHoldBack: u64 = 10 * LENGTH;
    pub TreasuryAccount: AccountId = account(200);
}

impl pallet_edge_billing::Config for Test {
    type Currency = Balances;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Clock = World;
    type Devices = World;
    type Stakes = World;
    type Services = World;
    type Scores = World;
    type Disputes = World;
    type OnMatured = World;
    type YieldTerms = World;
    type Audits = World;
    type VoidOrigin = EnsureRoot<AccountId>;
    type PalletId = BillingPalletId;
    type Treasury = TreasuryAccount;
    type MaxOpen = ConstU32<64>;
    type MinDeposit = MinDeposit;
    type UnsettledEpochs = UnsettledEpochs;
    type WarnEpochs = WarnEpochs;
    type HoldBackEpochs = HoldBackEpochs;
    type FreeBuffer = FreeBuffer;
    type FirstHoldBack = FirstHoldBack;
    type FairScore = FairScore;
    type HistoryEpochs = HistoryEpochs;
    type MaxLate = MaxLate;
    type LatePenalty = LatePenalty;
    type Take = Take;
    type StargateShare = StargateShare;
    type CacheShare = CacheShare;
    type AuditFee = AuditFee;
    type Referral = Referral;
    type Burn = Burn;
    type WeightInfo = ();
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = World;
}

pub(crate) fn account(number: u8) -> AccountId {
    AccountId32::new([number; 32])
}

pub(crate) fn agent(device: &DeviceId) -> Pair {
    Pair::from_seed(&device.0)
}

/// Storage in epoch 10 with accounts 1 to 5 endowed.
pub(crate) fn bare() -> sp_io::TestExternalities {
    world(|world| {
        *world = World {
            epoch: 10,
            stake: STAKE,
            quality: Score::ONE,
            ..Default::default()
        }
    });
    // A thread may run several tests.
    UnsettledEpochs::set(7);
    HoldBackEpochs::set(2);
    HistoryEpochs::set(20);
    Take::set(Ppm::percent(15));
    Burn::set(Ppm::percent(2));
    FreeBuffer::set(Usage::ZERO);
    let balances = (1..=5).map(|number| (account(number), 1_000_000)).collect();
    let genesis = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig {
            balances,
            ..Default::default()
        },
        ..Default::default()
    };
    let mut ext = sp_io::TestExternalities::new(genesis.build_storage().unwrap());
    ext.register_extension(KeystoreExt::new(MemoryKeystore::new()));
    ext.execute_with(|| {
        System::set_block_number(1);
        frame_system::BlockHash::<Test>::insert(0, sp_core::H256([7; 32]));
    });
    ext
}

/// Runs a test, then checks that the books balance to the unit.
pub(crate) fn run(test: impl FnOnce()) {
    bare().execute_with(|| {
        test();
        assert_eq!(Billing::check_invariants(), Ok(()));
        assert_eq!(Billing::pot_surplus(), Some(0), "nobody donated to the pot");
    });
}
