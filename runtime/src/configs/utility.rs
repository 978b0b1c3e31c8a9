//! What wallets expect of every chain: batches, proxies, multisig accounts, identities; and the
//! development key.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{
    parameter_types,
    traits::{ConstU32, InstanceFilter},
};
use pallet_edge_billing::Call as BillingCall;
use pallet_edge_reputation::Call as ReputationCall;
use pallet_edge_staking::Call as StakingCall;
use pallet_identity::legacy::IdentityInfo;
use scale_info::TypeInfo;
use sp_runtime::traits::{BlakeTwo256, Verify};

use crate::{
    constants::{
        currency::{deposit, SEL},
        time::DAYS,
    },
    governance::origins::RootOrRoles,
    Balance, Balances, OriginCaller, Runtime, RuntimeCall, RuntimeEvent, Signature, System,
    Treasury,
};

impl pallet_utility::Config for Runtime {
    type PalletsOrigin = OriginCaller;
    type RuntimeCall = RuntimeCall;
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = pallet_utility::weights::SubstrateWeight<Runtime>;
}

parameter_types! {
    /// An item of 8 bytes under an account.
    pub const ProxyDepositBase: Balance = deposit(1, 8);
    /// An account, a proxy type and a delay: 33 bytes.
    pub const ProxyDepositFactor: Balance = deposit(0, 33);
    pub const AnnouncementDepositBase: Balance = deposit(1, 8);
    /// An account, a hash and a height: 66 bytes.
    pub const AnnouncementDepositFactor: Balance = deposit(0, 66);

    /// An item of 88 bytes: who, when, how many.
    pub const MultisigDepositBase: Balance = deposit(1, 88);
    /// An approval: 32 bytes.
    pub const MultisigDepositFactor: Balance = deposit(0, 32);

    /// An identity without fields: an item of 258 bytes.
    pub const IdentityDeposit: Balance = deposit(1, 258);
    pub const IdentityByteDeposit: Balance = deposit(0, 1);
    pub const UsernameDeposit: Balance = SEL;
    /// A sub-account: an item of 53 bytes.
    pub const SubAccountDeposit: Balance = deposit(1, 53);
}

/// What a proxy may do for the account it stands for.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum ProxyType {
    /// Everything.
    #[default]
    #[codec(index = 0)]
    Any,
    /// Everything that moves no tokens to somebody else.
    #[codec(index = 1)]
    NonTransfer,
    /// Votes, referenda and the treasury.
    #[codec(index = 2)]
    Governance,
    /// Identity judgements.
    #[codec(index = 3)]
    IdentityJudgement,
    /// Rejecting announcements of other proxies.
    #[codec(index = 4)]
    CancelProxy,
    /// What an operator does every day: devices, assignments, session keys, claims.
    #[codec(index = 5)]
    Nodes,
    /// What a customer does every day: services and deposits.
    #[codec(index = 6)]
    Customer,
}

impl InstanceFilter<RuntimeCall> for ProxyType {
    fn filter(&self, call: &RuntimeCall) -> bool {
        match self {
            Self::Any => true,
            Self::NonTransfer => !matches!(
                call,
                RuntimeCall::Balances(_)
                    | RuntimeCall::Sudo(_)
                    | RuntimeCall::Treasury(_)
                    | RuntimeCall::NodeStaking(StakingCall::release_express { .. })
            ),
            Self::Governance => matches!(
                call,
                RuntimeCall::ConvictionVoting(_)
                    | RuntimeCall::Referenda(_)
                    | RuntimeCall::Preimage(_)
                    | RuntimeCall::Treasury(_)
                    | RuntimeCall::Utility(_)
            ),
            Self::IdentityJudgement => matches!(
                call,
                RuntimeCall::Identity(pallet_identity::Call::provide_judgement { .. })
                    | RuntimeCall::Utility(_)
            ),
            Self::Nodes => matches!(
                call,
                RuntimeCall::NodeRegistry(_)
                    | RuntimeCall::NodeStaking(
                        StakingCall::assign { .. } | StakingCall::unassign { .. }
                    )
                    | RuntimeCall::NodeYields(_)
                    | RuntimeCall::Reputation(ReputationCall::rejoin { .. })
                    | RuntimeCall::Session(_)
                    | RuntimeCall::Billing(
                        BillingCall::claim { .. } | BillingCall::claim_for { .. }
                    )
                    | RuntimeCall::Utility(_)
            ),
            Self::Customer => matches!(
                call,
                RuntimeCall::Services(_)
                    | RuntimeCall::Billing(
                        BillingCall::deposit { .. }
                            | BillingCall::withdraw { .. }
                            | BillingCall::poke { .. }
                    )
                    | RuntimeCall::Utility(_)
            ),
            Self::CancelProxy => {
                matches!(
                    call,
                    RuntimeCall::Proxy(pallet_proxy::Call::reject_announcement { .. })
                )
            }
        }
    }

    fn is_superset(&self, other: &Self) -> bool {
        match (self, other) {
            (one, two) if one == two => true,
            (Self::Any, _) => true,
            (_, Self::Any) => false,
            // Governance may spend the treasury.
            (Self::NonTransfer, other) => *other != Self::Governance,
            _ => false,
        }
    }
}

impl pallet_proxy::Config for Runtime {
    type AnnouncementDepositBase = AnnouncementDepositBase;
    type AnnouncementDepositFactor = AnnouncementDepositFactor;
    type BlockNumberProvider = System;
    type CallHasher = BlakeTwo256;
    type Currency = Balances;
    type MaxPending = ConstU32<32>;
    type MaxProxies = ConstU32<32>;
    type ProxyDepositBase = ProxyDepositBase;
    type ProxyDepositFactor = ProxyDepositFactor;
    type ProxyType = ProxyType;
    type RuntimeCall = RuntimeCall;
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = pallet_proxy::weights::SubstrateWeight<Runtime>;
}

impl pallet_multisig::Config for Runtime {
    type BlockNumberProvider = System;
    type Currency = Balances;
    type DepositBase = MultisigDepositBase;
    type DepositFactor = MultisigDepositFactor;
    type MaxSignatories = ConstU32<100>;
    type RuntimeCall = RuntimeCall;
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = pallet_multisig::weights::SubstrateWeight<Runtime>;
}

impl pallet_identity::Config for Runtime {
    type BasicDeposit = IdentityDeposit;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = ();
    type ByteDeposit = IdentityByteDeposit;
    type Currency = Balances;
    type ForceOrigin = RootOrRoles;
    type IdentityInformation = IdentityInfo<ConstU32<100>>;
    type MaxRegistrars = ConstU32<20>;
    type MaxSubAccounts = ConstU32<100>;
    type MaxSuffixLength = ConstU32<7>;
    type MaxUsernameLength = ConstU32<32>;
    type OffchainSignature = Signature;
    type PendingUsernameExpiration = ConstU32<{ 7 * DAYS }>;
    type RegistrarOrigin = RootOrRoles;
    type RuntimeEvent = RuntimeEvent;
    type SigningPublicKey = <Signature as Verify>::Signer;
    type Slashed = Treasury;
    type SubAccountDeposit = SubAccountDeposit;
    type UsernameAuthorityOrigin = RootOrRoles;
    type UsernameDeposit = UsernameDeposit;
    type UsernameGracePeriod = ConstU32<{ 30 * DAYS }>;
    type WeightInfo = pallet_identity::weights::SubstrateWeight<Runtime>;
}

impl pallet_sudo::Config for Runtime {
    type RuntimeCall = RuntimeCall;
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = pallet_sudo::weights::SubstrateWeight<Runtime>;
}
