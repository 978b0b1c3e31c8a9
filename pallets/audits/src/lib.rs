#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

extern crate alloc;

mod acceptance;
pub mod agent;
mod ballot;
#[cfg(feature = "runtime-benchmarks")]
pub mod benchmarking;
pub mod canary;
mod challenge;
mod decide;
#[cfg(any(test, feature = "runtime-benchmarks"))]
mod deep;
mod duties;
mod invariants;
mod leaves;
mod look;
#[cfg(test)]
mod mock;
mod report;
mod rules;
mod standing;
mod suspicion;
#[cfg(test)]
mod tests;
pub mod types;
pub mod weights;
mod window;

pub use pallet::*;
pub use report::Known;
pub use weights::WeightInfo;

#[frame_support::pallet]
pub mod pallet {
    use super::{suspicion::Reporter, types::*, WeightInfo};
    use alloc::boxed::Box;
    use frame_support::{
        pallet_prelude::*,
        traits::{
            fungible::{hold, Balanced, Credit, Inspect, InspectHold, MutateHold},
            OnUnbalanced,
        },
        weights::WeightMeter,
    };
    use frame_system::pallet_prelude::*;
    use pallet_edge_traits::{
        AuditSeed, CommitmentVoid, DeviceInspect, EpochClock, Forfeit, ServiceInspect,
        StakeInspect, StakeSlash, TakeInspect,
    };
    use selvedge_primitives_math::{
        draw::{Draw, Place},
        fraud::{Defect, DefectClass, FraudProof, OpenedLeaf},
        TreeKind,
    };
    use selvedge_primitives_types::{DeviceId, Epoch, Hash, Planck, Ppm, Signature64};
    use sp_runtime::{traits::Convert, AccountId32};

    /// What is taken of a bond.
    pub type CreditOf<T> = Credit<AccountId32, <T as Config>::Currency>;

    #[pallet::config]
    pub trait Config:
        frame_system::Config<AccountId = AccountId32, RuntimeEvent: From<Event<Self>>>
    {
        /// The runtime's reason of a hold.
        type RuntimeHoldReason: From<HoldReason>;
        /// The token.
        type Currency: Inspect<AccountId32, Balance = Planck>
            + InspectHold<AccountId32, Reason = Self::RuntimeHoldReason>
            + MutateHold<AccountId32>
            + Balanced<AccountId32>
            + hold::Balanced<AccountId32>;
        /// The usage clock.
        type Clock: EpochClock;
        /// Randomness that nobody could foresee.
        type Seed: AuditSeed;
        /// Registered devices, for their agent keys.
        type Devices: DeviceInspect<Self::AccountId>;
        /// Commitments, and their end.
        type Commitments: CommitmentVoid;
        /// Terms of services.
        type Services: ServiceInspect<Self::AccountId>;
        /// Who was active when.
        type Stakes: StakeInspect<Self::AccountId>;
        /// Takes of stakes.
        type Slash: StakeSlash<Self::AccountId>;
        /// The part of a stake that a defect of a class costs.
        type SlashOf: Convert<DefectClass, Ppm>;
        /// The part of a stake that leaves cost which were due on chain and did not come; at least the commitment's amount
        /// is taken.
        type WithheldSlash: Get<Ppm>;
        /// The least amount of a commitment that is audited, in planck: the fee of less does not pay for looking.
        type LeastAmount: Get<Planck>;
        /// What is on hold for a challenge, in planck.
        type ChallengeBond: Get<Planck>;
        /// How long after its stake was assigned a gateway is young, in milliseconds: twice as many leaves of it are drawn.
        type YoungFor: Get<u64>;
        /// Where a bond goes that nobody else can take.
        type BondDestination: OnUnbalanced<CreditOf<Self>>;
        /// Who names canaries.
        type CanaryOrigin: EnsureOrigin<Self::RuntimeOrigin>;
        /// The part of the take that canaries may charge, at most a twentieth.
        type CanaryShare: Get<Ppm>;
        /// What was taken of all charges so far.
        type Take: TakeInspect;
        /// Most operators among whom the auditors of a window are drawn: 64 bytes of storage each. With more, the seed
        /// chooses where in the storage's order they begin.
        #[pallet::constant]
        type MaxPanel: Get<u32>;
        /// Epochs for which services and stakes are known: no commitment of an older one is judged.
        #[pallet::constant]
        type HistoryDepth: Get<u64>;
        /// Weights of the calls.
        type WeightInfo: WeightInfo;
        /// Sets up what other pallets answer.
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkHelper: crate::benchmarking::BenchmarkHelper;
    }

    #[pallet::pallet]
    pub struct Pallet<T>(_);

    /// Defects that were proven.
    ///
    /// Keys: the epoch served in, the gateway. Written by reports. One per commitment at most; goes
    /// when `HistoryDepth` epochs have passed.
    #[pallet::storage]
    pub type Frauds<T: Config> = StorageDoubleMap<
        _,
        Twox64Concat,
        Epoch,
        Blake2_128Concat,
        DeviceId,
        Fraud<T::AccountId>,
        OptionQuery,
    >;

    /// The oldest epoch of which proofs and audits may be kept. Written when epochs are cleared.
    #[pallet::storage]
    pub type ClearFrom<T: Config> = StorageValue<_, Epoch, ValueQuery>;

    /// Why this pallet holds tokens.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// The bond of a challenge.
        #[codec(index = 0)]
        LeafChallenge,
    }

    /// The window that is worked on. Written when a step of it is done; one value.
    #[pallet::storage]
    pub type WindowTurn<T: Config> = StorageValue<_, Turn, ValueQuery, FirstTurn>;

    /// The first epoch's window is open.
    #[pallet::type_value]
    pub fn FirstTurn() -> Turn {
        Turn {
            window: Epoch(0),
            step: TurnStep::Open,
        }
    }

    /// The panel of the window that is worked on, as far as it is enrolled. Goes when the panel is complete.
    #[pallet::storage]
    pub type Enrolled<T: Config> = StorageValue<_, BoundedVec<Auditor, T::MaxPanel>, ValueQuery>;

    /// What auditors and leaves of a window's commitments are drawn from; nothing where no randomness came in time.
    ///
    /// Key: the epoch in whose first quarter the commitments are made. Written once, when the panel is complete; goes eight
    /// windows later.
    #[pallet::storage]
    pub type Windows<T: Config> =
        StorageMap<_, Twox64Concat, Epoch, Window<T::MaxPanel>, OptionQuery>;

    /// Audits of commitments.
    ///
    /// Keys: the epoch served in, the gateway. Written when committed, by reveals and when a stage ends. One per
    /// commitment; goes when `HistoryDepth` epochs have passed.
    #[pallet::storage]
    pub type Audits<T: Config> =
        StorageDoubleMap<_, Twox64Concat, Epoch, Blake2_128Concat, DeviceId, Audit, OptionQuery>;

    /// Commitments about which something is decided when an epoch is over.
    ///
    /// Keys: that epoch; the epoch served in with the gateway. Written when a stage or a challenge begins; goes when it
    /// ends.
    #[pallet::storage]
    pub type Queue<T: Config> = StorageDoubleMap<
        _,
        Twox64Concat,
        Epoch,
        Blake2_128Concat,
        (Epoch, DeviceId),
        (),
        OptionQuery,
    >;

    /// The first epoch at whose end something may have been left undecided. Written when all of one is decided.
    #[pallet::storage]
    pub type QueueFrom<T: Config> = StorageValue<_, Epoch, ValueQuery>;

    /// Votes that were not revealed yet.
    ///
    /// Keys: the epoch they are taken in; window, round and the auditor's device. Written by `vote`, taken by `reveal`; at
    /// most one per member of a panel and round that is under way; what is left goes when the epoch is over.
    #[pallet::storage]
    pub type Votes<T: Config> = StorageDoubleMap<
        _,
        Twox64Concat,
        Epoch,
        Blake2_128Concat,
        (Epoch, u8, DeviceId),
        Hash,
        OptionQuery,
    >;

    /// Audits of which an operator gets no fee any more because it did not show that it looked.
    ///
    /// Key: the owner of the stake. Written when it is fined and at each audit it passes; goes at zero.
    #[pallet::storage]
    pub type Fines<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, u32, OptionQuery>;

    /// Leaves that were challenged and not shown yet.
    ///
    /// Keys: the epoch served in, the gateway. Written by challenges and answers; at most `MAX_CHALLENGES`; each goes when
    /// it is answered or its epoch is over.
    #[pallet::storage]
    pub type Challenges<T: Config> = StorageDoubleMap<
        _,
        Twox64Concat,
        Epoch,
        Blake2_128Concat,
        DeviceId,
        BoundedVec<Challenge, ConstU32<MAX_CHALLENGES>>,
        ValueQuery,
    >;

    /// How many challenges an account has open.
    ///
    /// Key: the challenger, who has a bond on hold for each; at most `MAX_CHALLENGES_OF`; goes at zero.
    #[pallet::storage]
    pub type ChallengesOf<T: Config> =
        StorageMap<_, Blake2_128Concat, T::AccountId, u32, ValueQuery>;

    /// Operators whose gateways were at fault: twice as many leaves of their commitments are drawn.
    ///
    /// Key: the owner of the gateway's stake. The last epoch served in of which a defect was proven or leaves were withheld.
    /// Goes with the audit of that epoch.
    #[pallet::storage]
    pub type Faults<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, Epoch, OptionQuery>;

    /// Disputed lines that auditors look at.
    ///
    /// Keys: the epoch served in with the gateway, the window whose auditors look. Written by disputes, each with a bond, and
    /// by reveals; goes when the epoch after the window is over.
    #[pallet::storage]
    pub type Looks<T: Config> = StorageDoubleMap<
        _,
        Blake2_128Concat,
        (Epoch, DeviceId),
        Twox64Concat,
        Epoch,
        Look,
        OptionQuery,
    >;

    /// Defects that were shown while auditors voted: convictions wait, for the gateway may be a canary.
    ///
    /// Keys: the epoch served in, the gateway. Written by reports; at most one per audit under way; goes when its stage ends.
    #[pallet::storage]
    pub type Suspicions<T: Config> = StorageDoubleMap<
        _,
        Twox64Concat,
        Epoch,
        Blake2_128Concat,
        DeviceId,
        Suspicion,
        OptionQuery,
    >;

    /// Canaries that were named and not opened.
    ///
    /// Key: [`name_seal`](crate::canary::name_seal). Written by governance and by pledges; at most `MAX_CANARIES`; each goes
    /// when it is opened, since everybody knows it then, or forgotten.
    #[pallet::storage]
    pub type Canaries<T: Config> = CountedStorageMap<_, Identity, Hash, Canary, OptionQuery>;

    /// Leaves of opened canaries, which prove nothing any more: `blake2_256` of each.
    ///
    /// Keys: the epoch served in, the gateway. Written when a canary is opened; goes with the audit.
    #[pallet::storage]
    pub type Excused<T: Config> = StorageDoubleMap<
        _,
        Twox64Concat,
        Epoch,
        Blake2_128Concat,
        DeviceId,
        BoundedVec<Hash, ConstU32<MAX_PLEDGED>>,
        ValueQuery,
    >;

    /// What commitments of opened canaries charge together, in planck. Written when one is opened.
    #[pallet::storage]
    pub type CanarySpent<T: Config> = StorageValue<_, Planck, ValueQuery>;

    /// What was proven.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A commitment was proven defective.
        #[codec(index = 0)]
        FraudProven {
            /// The gateway that committed.
            gateway: DeviceId,
            /// The epoch served in.
            epoch: Epoch,
            /// What is wrong.
            defect: Defect,
            /// What became of the commitment's money.
            forfeit: Forfeit,
            /// Who proved it.
            reporter: T::AccountId,
            /// Taken from the gateway's stake, in planck.
            taken: Planck,
            /// The reporter's part of it, in planck.
            reward: Planck,
        },
        /// It is known among whom the auditors of a window's commitments are drawn.
        #[codec(index = 1)]
        AuditorsDrawn {
            /// The epoch in whose first quarter the commitments were made.
            window: Epoch,
            /// Operators who may be drawn.
            panel: u32,
        },
        /// An auditor sealed its verdicts.
        #[codec(index = 2)]
        Voted {
            /// The auditor.
            auditor: DeviceId,
            /// The window of the commitments.
            window: Epoch,
            /// 0 for the first draw, 1 for the redraw.
            round: u8,
        },
        /// An auditor revealed its verdicts.
        #[codec(index = 3)]
        Revealed {
            /// The auditor.
            auditor: DeviceId,
            /// The window of the commitments.
            window: Epoch,
            /// 0 for the first draw, 1 for the redraw.
            round: u8,
            /// Commitments it said something about.
            verdicts: u32,
            /// Thereof those it passed and that are still under audit.
            passed: u32,
        },
        /// Too few auditors passed a commitment, so more were drawn.
        #[codec(index = 4)]
        AuditorsRedrawn {
            /// The gateway that committed.
            gateway: DeviceId,
            /// The epoch served in.
            epoch: Epoch,
            /// The epoch in which they vote.
            until: Epoch,
        },
        /// Too few auditors passed a commitment again: its gateway owes leaves on chain.
        #[codec(index = 5)]
        LeavesDemanded {
            /// The gateway that committed.
            gateway: DeviceId,
            /// The epoch served in.
            epoch: Epoch,
            /// The last epoch in which they can be shown.
            until: Epoch,
        },
        /// A gateway showed a leaf that was due, and nothing is wrong with it.
        #[codec(index = 6)]
        LeafShown {
            /// The gateway that committed.
            gateway: DeviceId,
            /// The epoch served in.
            epoch: Epoch,
            /// Which leaf.
            draw: Draw,
        },
        /// A commitment may be charged.
        #[codec(index = 7)]
        CommitmentAccepted {
            /// The gateway that committed.
            gateway: DeviceId,
            /// The epoch served in.
            epoch: Epoch,
            /// Auditors who passed it in the round that decided.
            auditors: u32,
            /// Hold-backs that its money waits for.
            hold_backs: u8,
        },
        /// Leaves that were due did not come: the commitment is void and the gateway retired.
        #[codec(index = 8)]
        LeavesWithheld {
            /// The gateway that committed.
            gateway: DeviceId,
            /// The epoch served in.
            epoch: Epoch,
            /// Who had challenged one; nobody when auditors had fallen short.
            challenger: Option<T::AccountId>,
            /// Taken from the gateway's stake, in planck.
            taken: Planck,
            /// The challenger's part of it, in planck.
            reward: Planck,
        },
        /// Somebody forces a leaf on chain.
        #[codec(index = 9)]
        LeafChallenged {
            /// The gateway that committed.
            gateway: DeviceId,
            /// The epoch served in.
            epoch: Epoch,
            /// Who.
            challenger: T::AccountId,
            /// Which leaf.
            draw: Draw,
            /// What is on hold for it, in planck.
            bond: Planck,
            /// The last epoch in which it can be shown.
            until: Epoch,
        },
        /// A challenged leaf was shown: the bond is the gateway's operator's.
        #[codec(index = 10)]
        ChallengeAnswered {
            /// The gateway that committed.
            gateway: DeviceId,
            /// The epoch served in.
            epoch: Epoch,
            /// Who had challenged it.
            challenger: T::AccountId,
            /// The bond, in planck.
            bond: Planck,
        },
        /// A challenge ended without the leaf: the bond is free again.
        #[codec(index = 11)]
        BondReleased {
            /// The gateway that committed.
            gateway: DeviceId,
            /// The epoch served in.
            epoch: Epoch,
            /// Who had challenged it.
            challenger: T::AccountId,
            /// The bond, in planck.
            bond: Planck,
        },
        /// An auditor posted a leaf that it was asked for.
        #[codec(index = 12)]
        LeafPosted {
            /// The auditor.
            auditor: DeviceId,
            /// The gateway that committed.
            gateway: DeviceId,
            /// The epoch served in.
            epoch: Epoch,
        },
        /// An auditor did not post the leaf that it was asked for, and gets no fee of its next audits.
        #[codec(index = 13)]
        AuditorFined {
            /// The auditor.
            auditor: DeviceId,
            /// Who gets no fee.
            owner: T::AccountId,
            /// The gateway that committed.
            gateway: DeviceId,
            /// The epoch served in.
            epoch: Epoch,
        },
        /// More leaves of a disputed line are looked at, by auditors of the window before `until`.
        #[codec(index = 14)]
        LineSampled {
            /// The gateway that committed.
            gateway: DeviceId,
            /// The epoch served in.
            epoch: Epoch,
            /// Index of the line's entry in the tree by customer.
            entry: u32,
            /// Leaves that are drawn of it.
            draws: u32,
            /// The epoch in which the auditors vote.
            until: Epoch,
        },
        /// The time for looking at disputed lines is over. A defect that was found was proven before.
        #[codec(index = 15)]
        LinesLookedAt {
            /// The gateway that committed.
            gateway: DeviceId,
            /// The epoch served in.
            epoch: Epoch,
            /// How many lines.
            lines: u32,
            /// Auditors who were drawn; none where too few were eligible or no randomness came.
            auditors: u32,
            /// Thereof those who looked and found nothing.
            passed: u32,
        },
        /// A defect of a commitment was shown whose auditors may have passed a canary: its gateway is convicted when the next
        /// epoch is over, unless it turns out to be one.
        #[codec(index = 16)]
        DefectShown {
            /// The gateway that committed.
            gateway: DeviceId,
            /// The epoch served in.
            epoch: Epoch,
            /// What is wrong.
            defect: Defect,
        },
        /// Governance named a canary.
        #[codec(index = 17)]
        CanaryNamed {
            /// What hides which gateway it is.
            seal: Hash,
            /// Who pledges for it.
            operator: T::AccountId,
        },
        /// Governance took the name of a canary back.
        #[codec(index = 18)]
        CanaryForgotten {
            /// What hides which gateway it was.
            seal: Hash,
        },
        /// A canary's operator pledged false leaves, or what may be some.
        #[codec(index = 19)]
        CanaryPledged {
            /// The canary.
            canary: Hash,
            /// What hides the leaves.
            seal: Hash,
        },
        /// A commitment turned out to be a canary's: it is accepted, and who passed it is fined.
        #[codec(index = 20)]
        CanaryOpened {
            /// The gateway that committed.
            gateway: DeviceId,
            /// The epoch served in.
            epoch: Epoch,
            /// What is wrong with the leaf that was shown.
            defect: Defect,
            /// Auditors who had passed it.
            fined: u32,
            /// What it charges, in planck.
            amount: Planck,
        },
    }

    /// Why a report was refused. Nothing changed then but the fee.
    #[pallet::error]
    pub enum Error<T> {
        /// There is no such commitment.
        #[codec(index = 0)]
        UnknownCommitment,
        /// The terms of the epoch are not known any more.
        #[codec(index = 1)]
        TooOld,
        /// A defect at least as grave was proven of this commitment.
        #[codec(index = 2)]
        AlreadyReported,
        /// What the proof shows is not what was committed.
        #[codec(index = 3)]
        ProofInvalid,
        /// Nothing is wrong with what the proof shows.
        #[codec(index = 4)]
        NothingWrong,
        /// No audit of it is under way.
        #[codec(index = 5)]
        NotUnderAudit,
        /// The auditor was not drawn for it.
        #[codec(index = 6)]
        NotDrawn,
        /// Its time has not come.
        #[codec(index = 7)]
        TooEarly,
        /// Its time has passed.
        #[codec(index = 8)]
        TooLate,
        /// The auditor has voted. A vote never changes.
        #[codec(index = 9)]
        AlreadyVoted,
        /// The auditor has not voted, or has revealed its vote.
        #[codec(index = 10)]
        NotVoted,
        /// The auditor voted otherwise.
        #[codec(index = 11)]
        OtherVote,
        /// The verdicts are not strictly sorted by gateway and epoch.
        #[codec(index = 12)]
        Malformed,
        /// Nobody waits for this leaf.
        #[codec(index = 13)]
        NotDue,
        /// The leaf stands somewhere else than the one that is due.
        #[codec(index = 14)]
        WrongLeaf,
        /// The commitment has no leaf there.
        #[codec(index = 15)]
        NoSuchLeaf,
        /// The commitment is void or paid, or its hold-back is over.
        #[codec(index = 16)]
        NotChallengeable,
        /// The leaf is challenged already.
        #[codec(index = 17)]
        AlreadyChallenged,
        /// The commitment or the account has as many challenges open as there may be.
        #[codec(index = 18)]
        TooManyChallenges,
        /// The auditors of the next window look at as many lines of the commitment as they may.
        #[codec(index = 19)]
        TooManyLines,
        /// No canary was named so, or it is another gateway.
        #[codec(index = 20)]
        UnknownCanary,
        /// Another account pledges for this canary.
        #[codec(index = 21)]
        NotItsOperator,
        /// A canary was named so already.
        #[codec(index = 22)]
        AlreadyNamed,
        /// As many canaries are named as there may be.
        #[codec(index = 23)]
        TooManyCanaries,
        /// Nothing like it was pledged before the commitment was made, or too many pledges came after it.
        #[codec(index = 24)]
        UnknownPledge,
        /// What was proven or is shown was not pledged, is worse than a false leaf, or charges somebody who is no customer of
        /// the canary.
        #[codec(index = 25)]
        NotPledged,
        /// Canaries would charge more than their part of the take.
        #[codec(index = 26)]
        AboveCanaryShare,
        /// The leaf was pledged by a canary: it proves nothing.
        #[codec(index = 27)]
        LeafPledged,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_poll(_: BlockNumberFor<T>, meter: &mut WeightMeter) {
            Self::turn(meter);
            Self::end_stages(meter);
            Self::sweep(meter);
        }

        fn integrity_test() {
            assert!(
                T::MaxPanel::get() > MAX_AUDITORS,
                "a redraw has as many auditors, and the gateway's operator may be on the panel"
            );
            assert!(
                T::HistoryDepth::get() > 0,
                "a commitment is younger than that when it is made"
            );
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_now: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::check_invariants().map_err(Into::into)
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Proves that a gateway's commitment for an epoch is defective.
        ///
        /// Anyone may call it. The commitment becomes void unless payment has begun, and what it
        /// charged can be refunded; a part of the gateway's stake goes to where slashes go, a capped
        /// share of it to the caller, who pays no fee. A proof that proves nothing costs its fee.
        ///
        /// While auditors vote on the commitment it is heard once the votes are sealed, in the second half of the epoch, and
        /// all this happens when the next epoch is over and no canary was opened.
        ///
        /// Emits `FraudProven`, or `DefectShown` first. Fails with `UnknownCommitment`, `TooEarly`, `TooOld`,
        /// `AlreadyReported`, `ProofInvalid`, `NothingWrong`, `LeafPledged`.
        #[pallet::call_index(0)]
        #[pallet::weight(Pallet::<T>::worst())]
        pub fn report_fraud(
            origin: OriginFor<T>,
            gateway: DeviceId,
            epoch: Epoch,
            proof: Box<FraudProof>,
        ) -> DispatchResultWithPostInfo {
            let account = ensure_signed(origin)?;
            Self::ensure_votes_are_sealed(&gateway, epoch)?;
            let reporter = Reporter {
                account,
                auditor: None,
            };
            Self::do_report(Some(reporter), gateway, epoch, &proof)?;
            Ok(Pays::No.into())
        }

        /// Seals the verdicts of an auditor on the commitments of a window that it was drawn for in a round.
        ///
        /// An unsigned general transaction with the signature of the auditor's agent key over
        /// [`agent::vote_payload`](crate::agent::vote_payload); `seal` is [`agent::seal`](crate::agent::seal) of what will be
        /// revealed. In the first half of the epoch after the window's, or of the one that a redraw votes in. Free; moves
        /// nothing.
        ///
        /// Emits `Voted`. Fails with `TooEarly`, `TooLate`, `AlreadyVoted`, `NotUnderAudit`, `NotDrawn`.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::vote())]
        #[pallet::authorize(|_source, auditor, window, round, seal, signature| {
            Self::authorize_vote(auditor, *window, *round, seal, signature)
        })]
        #[pallet::weight_of_authorize(T::WeightInfo::authorize_vote())]
        pub fn vote(
            origin: OriginFor<T>,
            auditor: DeviceId,
            window: Epoch,
            round: u8,
            seal: Hash,
            _agent_signature: Signature64,
        ) -> DispatchResult {
            ensure_authorized(origin)?;
            Ok(Self::do_vote(auditor, window, round, seal)?)
        }

        /// Reveals the verdicts that an auditor sealed.
        ///
        /// An unsigned general transaction with the signature of the auditor's agent key over
        /// [`agent::reveal_payload`](crate::agent::reveal_payload). In the second half of the epoch of the vote. What is said
        /// of a commitment whose audit has ended meanwhile counts for nothing. Free; moves nothing.
        ///
        /// Emits `Revealed`. Fails with `TooEarly`, `TooLate`, `NotVoted`, `OtherVote`, `Malformed`, `NotUnderAudit`,
        /// `NotDrawn`.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::reveal(verdicts.len() as u32))]
        #[pallet::authorize(|_source, auditor, window, round, verdicts, salt, signature| {
            Self::authorize_reveal(auditor, *window, *round, verdicts, salt, signature)
        })]
        #[pallet::weight_of_authorize(T::WeightInfo::authorize_reveal(verdicts.len() as u32))]
        pub fn reveal(
            origin: OriginFor<T>,
            auditor: DeviceId,
            window: Epoch,
            round: u8,
            verdicts: Verdicts,
            salt: Hash,
            _agent_signature: Signature64,
        ) -> DispatchResult {
            ensure_authorized(origin)?;
            Ok(Self::do_reveal(auditor, window, round, verdicts, &salt)?)
        }

        /// Proves that a commitment is defective, for an auditor who was drawn for it, while its audit is under way.
        ///
        /// As `report_fraud`, but an unsigned general transaction with the signature of the auditor's agent key over
        /// [`agent::prove_payload`](crate::agent::prove_payload), and free; the reporter's share goes to the owner of the
        /// auditor's stake.
        ///
        /// Emits `FraudProven`, or `DefectShown` first. Fails with `UnknownCommitment`, `NotUnderAudit`, `NotDrawn`,
        /// `TooEarly`, `TooOld`, `AlreadyReported`, `ProofInvalid`, `NothingWrong`, `LeafPledged`.
        #[pallet::call_index(3)]
        #[pallet::weight(Pallet::<T>::worst())]
        #[pallet::authorize(|_source, auditor, gateway, epoch, proof, signature| {
            Self::authorize_prove(auditor, gateway, *epoch, proof, signature)
        })]
        #[pallet::weight_of_authorize(Pallet::<T>::worst().saturating_add(T::WeightInfo::authorize_vote()))]
        pub fn prove(
            origin: OriginFor<T>,
            auditor: DeviceId,
            gateway: DeviceId,
            epoch: Epoch,
            proof: Box<FraudProof>,
            _agent_signature: Signature64,
        ) -> DispatchResult {
            ensure_authorized(origin)?;
            let member = Self::drawn_auditor(&auditor, &gateway, epoch)?;
            Self::ensure_votes_are_sealed(&gateway, epoch)?;
            let reporter = Reporter {
                account: member.owner.clone(),
                auditor: Some(member),
            };
            Self::do_report(Some(reporter), gateway, epoch, &proof)
        }

        /// Shows a leaf that is due on chain, because the auditors fell short twice or because it was challenged.
        ///
        /// An unsigned general transaction with the signature of the gateway's agent key over
        /// [`agent::answer_payload`](crate::agent::answer_payload). Free. When nothing is wrong with the leaf, the bond of its
        /// challenge goes to the gateway's operator, and with the last of eight leaves the commitment is accepted, to be
        /// held back for twice as long. When something is, it is as if somebody had proven it, and a challenger has its bond
        /// back.
        ///
        /// Emits `LeafShown`, `ChallengeAnswered`, `CommitmentAccepted`, or `DefectShown`, `FraudProven`, `BondReleased`. Fails
        /// with `UnknownCommitment`, `NotDue`, `TooOld`, `ProofInvalid`, `WrongLeaf`.
        #[pallet::call_index(4)]
        #[pallet::weight((T::WeightInfo::answer(), DispatchClass::Operational))]
        #[pallet::authorize(|_source, gateway, epoch, draw, leaf, signature| {
            Self::authorize_answer(gateway, *epoch, draw, leaf, signature)
        })]
        #[pallet::weight_of_authorize(T::WeightInfo::authorize_answer())]
        pub fn answer(
            origin: OriginFor<T>,
            gateway: DeviceId,
            epoch: Epoch,
            draw: Draw,
            leaf: Box<OpenedLeaf>,
            _agent_signature: Signature64,
        ) -> DispatchResult {
            ensure_authorized(origin)?;
            Self::do_answer(gateway, epoch, draw, &leaf)
        }

        /// Forces a leaf of a commitment on chain within the next epoch.
        ///
        /// Anyone may call it, until the hold-back ends; nothing is paid while a challenge is open. Holds `ChallengeBond`,
        /// which goes to the gateway's operator when it shows the leaf and nothing is wrong with it. When it does not, the
        /// commitment is void, the gateway slashed and retired, and the caller has its bond back and a capped share.
        ///
        /// Emits `LeafChallenged`; later `ChallengeAnswered`, or `LeavesWithheld` and `BondReleased`. Fails with
        /// `UnknownCommitment`, `NotChallengeable`, `TooOld`, `NoSuchLeaf`, `AlreadyChallenged`, `TooManyChallenges`, or when
        /// the bond is not there.
        #[pallet::call_index(5)]
        #[pallet::weight(T::WeightInfo::challenge_leaf())]
        pub fn challenge_leaf(
            origin: OriginFor<T>,
            gateway: DeviceId,
            epoch: Epoch,
            tree: TreeKind,
            at: Place,
        ) -> DispatchResult {
            let challenger = ensure_signed(origin)?;
            Self::do_challenge(challenger, gateway, epoch, Draw { tree, at })
        }

        /// Shows that an auditor looked: posts the leaf of its sample that a later seed names, for one audit in fifty.
        ///
        /// An unsigned general transaction with the signature of the auditor's agent key over
        /// [`agent::post_payload`](crate::agent::post_payload), until the end of the epoch after the decision. Free; moves
        /// nothing. Who does not loses its part of the fee of its next fifty audits. Should something be wrong with the leaf,
        /// it is as if somebody had proven it, without a reward.
        ///
        /// Emits `LeafPosted` or `FraudProven`. Fails with `UnknownCommitment`, `NotDue`, `NotDrawn`, `TooOld`,
        /// `ProofInvalid`, `WrongLeaf`.
        #[pallet::call_index(6)]
        #[pallet::weight(T::WeightInfo::answer())]
        #[pallet::authorize(|_source, auditor, gateway, epoch, leaf, signature| {
            Self::authorize_post(auditor, gateway, *epoch, leaf, signature)
        })]
        #[pallet::weight_of_authorize(T::WeightInfo::authorize_answer())]
        pub fn post_leaf(
            origin: OriginFor<T>,
            auditor: DeviceId,
            gateway: DeviceId,
            epoch: Epoch,
            leaf: Box<OpenedLeaf>,
            _agent_signature: Signature64,
        ) -> DispatchResult {
            ensure_authorized(origin)?;
            Self::do_post(auditor, gateway, epoch, &leaf)
        }

        /// Names a canary: a gateway that commits to false leaves so that auditors who do not look are found out.
        ///
        /// The origin is `CanaryOrigin`. `seal` is [`name_seal`](crate::canary::name_seal) of the gateway and of the customers
        /// whom the false leaves may charge; `operator` pledges for it, and nothing should connect it with the gateway. A name
        /// is good for one opening. Moves nothing.
        ///
        /// Emits `CanaryNamed`. Fails with `AlreadyNamed`, `TooManyCanaries`.
        #[pallet::call_index(7)]
        #[pallet::weight(T::WeightInfo::name_canary())]
        pub fn name_canary(
            origin: OriginFor<T>,
            seal: Hash,
            operator: T::AccountId,
        ) -> DispatchResult {
            T::CanaryOrigin::ensure_origin(origin)?;
            Self::do_name_canary(seal, operator)
        }

        /// Takes the name of a canary back: what it pledged is excused no longer.
        ///
        /// The origin is `CanaryOrigin`. Emits `CanaryForgotten`. Fails with `UnknownCanary`.
        #[pallet::call_index(8)]
        #[pallet::weight(T::WeightInfo::name_canary())]
        pub fn forget_canary(origin: OriginFor<T>, seal: Hash) -> DispatchResult {
            T::CanaryOrigin::ensure_origin(origin)?;
            Self::do_forget_canary(seal)
        }

        /// Pledges that a canary will commit to false leaves, before it does.
        ///
        /// The canary's operator calls it; `seal` is [`pledge_seal`](crate::canary::pledge_seal) of gateway, epoch and leaves.
        /// The latest sixteen are kept. Whoever pledges in every epoch, most of them nothing, gives no sign. Moves nothing.
        ///
        /// Emits `CanaryPledged`. Fails with `UnknownCanary`, `NotItsOperator`.
        #[pallet::call_index(9)]
        #[pallet::weight(T::WeightInfo::pledge())]
        pub fn pledge(origin: OriginFor<T>, canary: Hash, seal: Hash) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_pledge(who, canary, seal)
        }

        /// Shows that the false leaves of a commitment are a canary's, after its auditors have revealed their votes.
        ///
        /// Anyone who knows the salts may call it, and pays no fee. The commitment is accepted: its customers, who are the
        /// canary's own as far as false leaves go, pay for it, within `CanaryShare` of the take. Auditors who passed it though
        /// the leaf that is shown was one they had to look at lose its fee and that of their next fifty audits; the fee is the
        /// auditor's who proved what was pledged. In the epoch after the votes; when leaves are due, before they are shown.
        ///
        /// Emits `CanaryOpened`, `AuditorFined`, `CommitmentAccepted`. Fails with `UnknownCanary`, `UnknownCommitment`,
        /// `TooEarly`, `TooLate`, `UnknownPledge`, `NotPledged`, `TooOld`, `ProofInvalid`, `NothingWrong`, `AboveCanaryShare`.
        #[pallet::call_index(10)]
        #[pallet::weight(T::WeightInfo::open_canary())]
        pub fn open_canary(
            origin: OriginFor<T>,
            opening: Box<Opening>,
        ) -> DispatchResultWithPostInfo {
            ensure_signed(origin)?;
            Self::do_open_canary(*opening)?;
            Ok(Pays::No.into())
        }
    }

    impl<T: Config> Pallet<T> {
        /// The weight of the proof that costs most to check, whatever the one at hand costs: two
        /// leaves against each other, or one with its signature and its price.
        pub(crate) fn worst() -> Weight {
            T::WeightInfo::report_disagreement()
                .max(T::WeightInfo::report_leaf().saturating_add(T::WeightInfo::verify_signature()))
        }
    }
}
