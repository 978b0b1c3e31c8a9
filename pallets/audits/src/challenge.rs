//! Forces leaves on chain: who challenges one puts up a bond, which is the gateway's when it shows the leaf.

use crate::{
    types::{Challenge, Stage, MAX_CHALLENGES_OF},
    Audits, Challenges, ChallengesOf, Config, Error, Event, HoldReason, Pallet,
};
use alloc::vec::Vec;
use frame_support::{
    defensive, ensure,
    traits::{
        fungible::{hold::Balanced as _, Balanced, MutateHold},
        tokens::Precision,
        Get, OnUnbalanced,
    },
};
use pallet_edge_traits::{CommitmentVoid, EpochClock, StakeInspect};
use selvedge_primitives_math::draw::{Draw, Place};
use selvedge_primitives_types::{DeviceId, Epoch};
use sp_runtime::{AccountId32, DispatchResult};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_challenge(
        challenger: AccountId32,
        gateway: DeviceId,
        epoch: Epoch,
        draw: Draw,
    ) -> DispatchResult {
        let commitment = Self::commitment(&gateway, epoch)?;
        ensure!(
            T::Commitments::is_challengeable(&gateway, epoch),
            Error::<T>::NotChallengeable
        );
        ensure!(Self::known(epoch).is_some(), Error::<T>::TooOld);
        let total = commitment.customers.sum;
        let is_there = match draw.at {
            Place::Amount(planck) => planck < total.amount,
            Place::Index(leaf) => leaf < total.leaves,
            Place::Entry { entry, .. } => entry < Self::committed(&commitment, draw.tree).entries,
        };
        ensure!(is_there, Error::<T>::NoSuchLeaf);
        let challenges = Challenges::<T>::get(epoch, gateway);
        let is_known = challenges.iter().any(|challenge| challenge.draw == draw);
        ensure!(!is_known, Error::<T>::AlreadyChallenged);
        let open = ChallengesOf::<T>::get(&challenger);
        ensure!(open < MAX_CHALLENGES_OF, Error::<T>::TooManyChallenges);

        let challenge = Challenge {
            challenger,
            draw,
            bond: T::ChallengeBond::get(),
            until: T::Clock::current().next(),
        };
        Challenges::<T>::try_append(epoch, gateway, challenge.clone())
            .map_err(|()| Error::<T>::TooManyChallenges)?;
        let Challenge {
            challenger,
            bond,
            until,
            ..
        } = challenge;
        T::Currency::hold(&HoldReason::LeafChallenge.into(), &challenger, bond)?;
        ChallengesOf::<T>::insert(&challenger, open + 1);
        Self::queue(until, &gateway, epoch);
        Self::deposit_event(Event::LeafChallenged {
            gateway,
            epoch,
            challenger,
            draw,
            bond,
            until,
        });
        Ok(())
    }

    /// Pays the bond of a challenge that was answered to whoever did the work.
    pub(crate) fn answer_challenge(gateway: &DeviceId, epoch: Epoch, draw: &Draw) {
        let answered = Self::take_challenges(gateway, epoch, |challenge| challenge.draw == *draw);
        for Challenge {
            challenger, bond, ..
        } in answered
        {
            let (credit, missing) =
                T::Currency::slash(&HoldReason::LeafChallenge.into(), &challenger, bond);
            if missing > 0 {
                defensive!("a bond is on hold");
            }
            let unpaid = match T::Stakes::owner_at(gateway, epoch) {
                Some(operator) => T::Currency::resolve(&operator, credit).err(),
                None => Some(credit),
            };
            if let Some(credit) = unpaid {
                T::BondDestination::on_unbalanced(credit);
            }
            Self::deposit_event(Event::ChallengeAnswered {
                gateway: *gateway,
                epoch,
                challenger,
                bond,
            });
        }
    }

    /// Ends the challenges of a commitment that ran out of time: the gateway is punished if anything is at stake yet, and
    /// every challenger has its bond back.
    pub(crate) fn end_challenges(ended: Epoch, gateway: &DeviceId, epoch: Epoch) {
        let challenges = Challenges::<T>::get(epoch, gateway);
        let is_over = |challenge: &Challenge| challenge.until <= ended;
        if let Some(first) = challenges.iter().find(|one| is_over(one)) {
            Self::punish(gateway, epoch, Some(&first.challenger));
            Self::close_audit(gateway, epoch);
            Self::release_challenges(gateway, epoch, is_over);
        }
    }

    /// Ends challenges that were no mistake: their bonds are free again.
    pub(crate) fn release_challenges(
        gateway: &DeviceId,
        epoch: Epoch,
        is_over: impl Fn(&Challenge) -> bool,
    ) {
        for Challenge {
            challenger, bond, ..
        } in Self::take_challenges(gateway, epoch, is_over)
        {
            let reason = HoldReason::LeafChallenge.into();
            if T::Currency::release(&reason, &challenger, bond, Precision::BestEffort).is_err() {
                defensive!("a bond can be released");
            }
            Self::deposit_event(Event::BondReleased {
                gateway: *gateway,
                epoch,
                challenger,
                bond,
            });
        }
    }

    /// Notes that a commitment is void, whatever its audit had come to.
    pub(crate) fn close_audit(gateway: &DeviceId, epoch: Epoch) {
        Audits::<T>::mutate(epoch, gateway, |audit| {
            if let Some(audit) = audit {
                audit.stage = Stage::Void;
            }
        });
    }

    /// Takes those challenges of a commitment off the list.
    fn take_challenges(
        gateway: &DeviceId,
        epoch: Epoch,
        is_taken: impl Fn(&Challenge) -> bool,
    ) -> Vec<Challenge> {
        let mut all = Challenges::<T>::get(epoch, gateway);
        let taken: Vec<_> = all.iter().filter(|one| is_taken(one)).cloned().collect();
        if taken.is_empty() {
            return taken;
        }
        all.retain(|one| !is_taken(one));
        match all.is_empty() {
            true => Challenges::<T>::remove(epoch, gateway),
            false => Challenges::<T>::insert(epoch, gateway, all),
        }
        for challenge in &taken {
            ChallengesOf::<T>::mutate_exists(&challenge.challenger, |open| {
                *open = open
                    .map(|open| open.saturating_sub(1))
                    .filter(|open| *open > 0);
            });
        }
        taken
    }
}
