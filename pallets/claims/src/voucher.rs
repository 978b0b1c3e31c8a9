//! Redeems vouchers: what a gateway signed that it owes a cache, and did not commit to or lost with its commitment.

use crate::{types::*, Config, Debts, Error, Event, Pallet, Redemptions};
use frame_support::{ensure, traits::Get};
use pallet_edge_traits::{
    genesis_hash, is_signed_by_device, CommitmentFate, EpochClock, Fate, HostKeccak, Redeemed,
    StakeInspect, StakeRedeem, StakeRetire,
};
use selvedge_primitives_math::{
    proof::verify_entries,
    ratio::{apply, mul_div},
    TreeKind,
};
use selvedge_primitives_types::{
    CacheEntryKey, DeviceId, Domain, EntryKey, Epoch, Planck, Ppm, Role, SignedVoucher,
    UsageCommitment, Voucher,
};
use sp_runtime::{AccountId32, DispatchError, DispatchResult};

/// Who owes whom, with what was paid before.
struct Claim {
    epoch: Epoch,
    gateway: DeviceId,
    /// Owner of the cache.
    to: AccountId32,
    debt: Debt,
    /// What the new voucher is worth beyond what is done with, in planck.
    due: Planck,
}

/// What one voucher moved.
#[derive(Default)]
struct Moved {
    from_share: Planck,
    stake: Redeemed,
    /// What of the voucher's value is done with by that.
    value: Planck,
}

impl<T: Config> Pallet<T> {
    pub(crate) fn do_redeem(signed: &SignedVoucher, shown: Option<&Shown>) -> DispatchResult {
        let Voucher {
            epoch,
            gateway,
            cache,
            seq,
            amount,
            ..
        } = signed.voucher;
        ensure!(Self::is_redeemable(epoch), Error::<T>::TooLate);
        let mut redemption = Redemptions::<T>::get((epoch, gateway, cache));
        ensure!(seq > redemption.seq, Error::<T>::Superseded);
        ensure!(
            T::Stakes::is_active(&gateway, Role::Gateway, epoch)
                && T::Stakes::is_active(&cache, Role::Cache, epoch),
            Error::<T>::NotActive
        );
        let to = T::Stakes::owner_at(&cache, epoch).ok_or(Error::<T>::NotActive)?;
        let fate = T::Commitments::fate(&gateway, epoch);
        ensure!(fate != Fate::Open, Error::<T>::NotDecided);
        ensure!(Self::is_signed(signed), Error::<T>::SignatureInvalid);

        // The part that the cache would have had of the charge.
        let owed = match &fate {
            Fate::Paid { commitment, .. } => {
                let shown = shown.ok_or(Error::<T>::EntryNotShown)?;
                amount.saturating_sub(Self::committed_to(&cache, commitment, shown)?)
            }
            _ => amount,
        };
        let value = T::Commitments::cache_part(owed)?;
        let due = value.saturating_sub(redemption.value);
        ensure!(due > 0, Error::<T>::NothingDue);

        let debt =
            Debts::<T>::get(epoch, gateway).unwrap_or_else(|| Self::new_debt(&gateway, epoch));
        let mut claim = Claim {
            epoch,
            gateway,
            to,
            debt,
            due,
        };
        let moved = match fate {
            Fate::Paid { gateway_share, .. } => Self::make_up(&mut claim, gateway_share)?,
            _ => Self::replace(&mut claim)?,
        };
        ensure!(
            moved.from_share > 0 || moved.stake.paid > 0,
            Error::<T>::NothingLeft
        );

        redemption.seq = seq;
        redemption.value += moved.value;
        redemption.from_share += moved.from_share;
        redemption.from_stake += moved.stake.paid;
        redemption.burnt += moved.stake.burnt;
        Redemptions::<T>::insert((epoch, gateway, cache), redemption);
        claim.debt.from_share += moved.from_share;
        claim.debt.from_stake += moved.stake.paid;
        Debts::<T>::insert(epoch, gateway, claim.debt);
        Self::deposit_event(Event::VoucherRedeemed {
            epoch,
            gateway,
            cache,
            seq,
            to: claim.to,
            from_share: moved.from_share,
            from_stake: moved.stake.paid,
            burnt: moved.stake.burnt,
        });
        Ok(())
    }

    /// Whether vouchers of the epoch still count.
    pub(crate) fn is_redeemable(epoch: Epoch) -> bool {
        T::Clock::current().since(epoch) <= T::RedeemUntil::get()
    }

    /// The most of its stake that a gateway pays for vouchers of an epoch: what may mature of its escrow in one.
    fn new_debt(gateway: &DeviceId, epoch: Epoch) -> Debt {
        let epochs = Planck::from(T::Clock::epochs_per_era().max(1));
        Debt {
            cap: T::Stakes::held_at(gateway, epoch) / epochs,
            ..Default::default()
        }
    }

    /// Pays what the commitment left out: of what the gateway earned with it, then of its stake; and burns as much.
    fn make_up(claim: &mut Claim, gateway_share: Planck) -> Result<Moved, DispatchError> {
        let Claim {
            epoch,
            gateway,
            to,
            debt,
            due,
        } = claim;
        let from = T::Stakes::owner_at(gateway, *epoch).ok_or(Error::<T>::NotActive)?;
        let share = gateway_share.saturating_sub(debt.from_share).min(*due);
        let from_share = T::Commitments::garnish(&from, to, share)?;
        let pay = (*due - from_share).min(debt.cap.saturating_sub(debt.from_stake));
        let burn = from_share.saturating_add(pay);
        let stake = T::Redeem::redeem(gateway, *epoch, to, pay, burn)?;
        Ok(Moved {
            from_share,
            stake,
            value: from_share.saturating_add(stake.paid),
        })
    }

    /// Pays in place of a commitment that is void or missing, out of the stake alone, and retires the gateway.
    ///
    /// What an early end of the stake would cost is burnt, so that no gateway leaves by its own vouchers (ADR 017, 6).
    fn replace(claim: &mut Claim) -> Result<Moved, DispatchError> {
        let Claim {
            epoch,
            gateway,
            to,
            debt,
            due,
        } = claim;
        let part = Self::redeemed_part();
        let (whole, left) = (apply(part, *due), debt.cap.saturating_sub(debt.from_stake));
        let pay = whole.min(left);
        let value = if pay == whole {
            *due
        } else {
            // Rounded up, against the stake.
            let value = mul_div(pay, Ppm::ONE.0.into(), part.0.into()).unwrap_or(*due);
            value.saturating_add(1).min(*due)
        };
        let stake = T::Redeem::redeem(gateway, *epoch, to, pay, value.saturating_sub(pay))?;
        if !debt.retired {
            debt.retired = true;
            T::Redeem::retire(gateway, *epoch);
            Self::deposit_event(Event::GatewayRetired {
                gateway: *gateway,
                epoch: *epoch,
            });
        }
        Ok(Moved {
            from_share: 0,
            stake,
            value,
        })
    }

    /// What a voucher of a void or missing commitment is worth: what a stake that is released at once is.
    pub(crate) fn redeemed_part() -> Ppm {
        let rest = Ppm::ONE.0.saturating_sub(T::ExpressFee::get().0);
        Ppm(rest).min(MAX_REDEEMED)
    }

    /// What a commitment says that the cache supplied, in planck; nothing when it has no entry there.
    fn committed_to(
        cache: &DeviceId,
        commitment: &UsageCommitment,
        Shown { entries, proof }: &Shown,
    ) -> Result<Planck, Error<T>> {
        let tree = &commitment.caches;
        verify_entries::<HostKeccak>(TreeKind::Caches, tree, entries, proof)
            .map_err(|_| Error::<T>::ProofInvalid)?;
        let key = EntryKey::from(CacheEntryKey(*cache));
        if let Some(entry) = entries.iter().find(|entry| entry.key == key) {
            return Ok(entry.sum.amount);
        }
        // The entries of a tree are strictly sorted: between two neighbours, and beyond the ends, there is none.
        let is_absent = match &entries[..] {
            [below, above] => below.key < key && key < above.key,
            [only] => {
                let is_last = proof.start == tree.entries.saturating_sub(1);
                proof.start == 0 && key < only.key || is_last && only.key < key
            }
            _ => false,
        };
        is_absent.then_some(0).ok_or(Error::<T>::EntryNotShown)
    }

    /// Whether the gateway signed the voucher on this chain.
    fn is_signed(signed: &SignedVoucher) -> bool {
        let SignedVoucher { voucher, signature } = signed;
        let genesis = genesis_hash::<T>();
        is_signed_by_device(
            &genesis,
            &voucher.gateway,
            Domain::Voucher,
            voucher,
            signature,
        )
    }
}
