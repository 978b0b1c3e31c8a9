//! Divides the escrow of a settled commitment by its cache entries, and pays out what was earned.
//!
//! Nobody holds the office of a stargate yet: the treasury takes its part, and the books show zero for
//! it.

use crate::{types::*, Config, Error, Event, Maturing, Pallet, Payouts, RunningTotals};
use frame_support::{
    ensure,
    storage::with_storage_layer,
    traits::{fungible::Mutate, tokens::Preservation, Get},
};
use pallet_edge_traits::{CommitmentAudit, Disputed, EpochClock, OnMatured, StakeInspect};
use selvedge_primitives_math::{
    ratio::{apply, mul_div},
    share::{Split, TakeSplit},
    yields::{returnable, YieldTerms},
    RangeProof, TreeKind,
};
use selvedge_primitives_types::{
    DeviceId, Entry, EntryKey, Epoch, Planck, Ppm, Role, UsageCommitment,
};
use sp_runtime::{traits::Convert, DispatchError, DispatchResult};

/// The governed shares, as they are when a page is paid.
struct Terms {
    split: Split,
    take: TakeSplit,
    /// Part of the gateway's share that is lost by lateness.
    penalty: Ppm,
    /// What activity may return of a charge, to gateways and to caches.
    returns: [YieldTerms; 2],
}

/// What one cache entry pays to whom.
struct Parts {
    /// Where it goes, but for the auditors' part.
    shares: Shares,
    audit: Planck,
    cache: Planck,
    gateway: Planck,
}

impl Terms {
    /// Divides a charge; `referred` says what of its referral part belongs to referrers.
    fn divide(
        &self,
        amount: Planck,
        has_cache: bool,
        referred: impl FnOnce(Planck) -> Planck,
    ) -> Parts {
        let division = self.split.divide(amount, has_cache);
        let take = self.take.divide(amount, division.take);
        let referral = referred(take.referral).min(take.referral);
        let lost = apply(self.penalty, division.gateway).min(division.gateway);
        let unclaimed = [
            take.treasury,
            take.referral - referral,
            division.stargate,
            lost,
        ];
        let gateway = division.gateway - lost;
        Parts {
            shares: Shares {
                caches: division.cache,
                gateways: gateway,
                // All are parts of `amount`, so that their sum fits.
                treasury: unclaimed.into_iter().sum(),
                burn: take.burn,
                referral,
                ..Default::default()
            },
            audit: take.audit,
            cache: division.cache,
            gateway,
        }
    }
}

impl<T: Config> Pallet<T> {
    /// The first epoch in which a commitment that is charged in full now may be paid.
    pub(crate) fn maturity(hold_backs: u8) -> Epoch {
        let wait = T::HoldBackEpochs::get().saturating_mul(hold_backs.into());
        T::Clock::current().plus(wait)
    }

    /// Whether a settled commitment may be paid now, once all of its caches were shown.
    fn is_mature(record: &CommitmentRecord, matures: Epoch) -> bool {
        let UsageCommitment { gateway, epoch, .. } = &record.commitment;
        T::Clock::current() >= matures && !T::Audits::is_challenged(gateway, *epoch)
    }

    /// Where the next page of cache entries has to begin, whether it is shown or paid.
    pub(crate) fn credit_cursor(record: &CommitmentRecord) -> Result<u32, DispatchError> {
        match record.status {
            Status::HeldBack { matures, checked } => {
                if checked < record.commitment.caches.entries {
                    Ok(checked)
                } else if Self::is_mature(record, matures) {
                    Ok(0)
                } else {
                    Err(Error::<T>::StillHeldBack.into())
                }
            }
            Status::Crediting(cursor) => Ok(cursor),
            _ => Err(Error::<T>::NotCreditable.into()),
        }
    }

    /// Whether the next page is paid and not only shown.
    pub(crate) fn is_paying(record: &CommitmentRecord) -> bool {
        match record.status {
            Status::HeldBack { checked, .. } => checked == record.commitment.caches.entries,
            Status::Crediting(_) => true,
            _ => false,
        }
    }

    pub(crate) fn do_credit(
        gateway: DeviceId,
        epoch: Epoch,
        entries: &[Entry],
        proof: &RangeProof<EntryKey>,
    ) -> DispatchResult {
        let mut record = Self::known_commitment(&gateway, epoch)?;
        let cursor = Self::credit_cursor(&record)?;
        if Self::has_lapsed(&record) {
            return Self::make_void(record, VoidReason::Overdue);
        }
        let tree = record.commitment.caches;
        Self::ensure_page(TreeKind::Caches, &tree, cursor, entries, proof)?;

        let Status::HeldBack { matures, checked } = record.status else {
            return Self::pay_page(record, cursor, entries);
        };
        if checked == tree.entries {
            return Self::pay_page(record, 0, entries);
        }
        if let Some(reason) = entries
            .iter()
            .find_map(|entry| Self::cache_defect(entry, epoch))
        {
            return Self::make_void(record, reason);
        }
        let checked = checked + entries.len() as u32;
        record.status = Status::HeldBack { matures, checked };
        Self::deposit_event(Event::CachesChecked {
            gateway,
            epoch,
            cursor: checked,
        });
        let is_payable =
            cursor == 0 && checked == tree.entries && Self::is_mature(&record, matures);
        if is_payable && Self::paced(&record, tree.sum.amount).is_ok() {
            return Self::pay_page(record, 0, entries);
        }
        Self::store(record);
        Ok(())
    }

    /// What is wrong with an entry of the tree by cache, if anything.
    fn cache_defect(entry: &Entry, epoch: Epoch) -> Option<VoidReason> {
        let Some(cache) = entry.key.as_cache() else {
            return Some(VoidReason::MalformedCache);
        };
        let is_known = cache.0.is_none() || T::Stakes::is_active(&cache.0, Role::Cache, epoch);
        (!is_known).then_some(VoidReason::UnknownCache)
    }

    /// Divides a page whose entries were all found good.
    fn pay_page(mut record: CommitmentRecord, cursor: u32, entries: &[Entry]) -> DispatchResult {
        let UsageCommitment {
            gateway,
            epoch,
            caches,
            ..
        } = record.commitment;
        let terms = Self::terms(record.late)?;
        let pace = Self::paced(&record, page_amount(entries))?;
        Maturing::<T>::insert(gateway, pace);
        let to_burn = T::Disputes::to_burn(&gateway, epoch);
        let mut divided = record.books.shares.total().unwrap_or_default();
        let mut shares = Shares::default();
        let mut to_gateway: Planck = 0;
        let mut to_auditors: Planck = 0;
        let mut matured: Planck = 0;
        for entry in entries {
            let cache = entry
                .key
                .as_cache()
                .map(|key| key.0)
                .filter(|cache| !cache.is_none());
            // What is disputed is burnt of all entries alike, to the unit: no entry says whose charge it is.
            let burnt = |charged| mul_div(to_burn, charged, caches.sum.amount).unwrap_or(0);
            let before = burnt(divided);
            divided += entry.sum.amount;
            let disputed = burnt(divided) - before;
            let amount = entry.sum.amount.saturating_sub(disputed);
            let mut parts = terms.divide(amount, cache.is_some(), |part| {
                Self::referred_part(&record, part)
            });
            parts.shares.burn += disputed;
            if let Some(cache) = cache {
                match T::Stakes::owner_at(&cache, epoch) {
                    Some(owner) => Self::earn(&cache, epoch, &owner, parts.cache)?,
                    // The history of owners is gone, so nobody can be paid any more.
                    None => {
                        parts.shares.treasury += core::mem::take(&mut parts.shares.caches);
                    }
                }
                if amount > 0 {
                    let returnable = returnable(&terms.returns[1], amount);
                    T::OnMatured::on_matured(&cache, epoch, amount, returnable);
                }
            }
            to_gateway += parts.gateway;
            to_auditors += parts.audit;
            matured += amount;
            shares = shares
                .checked_add(&parts.shares)
                .ok_or(Error::<T>::BooksUnbalanced)?;
        }
        match T::Stakes::owner_at(&gateway, epoch) {
            Some(owner) => Self::earn(&gateway, epoch, &owner, to_gateway)?,
            None => shares.treasury += core::mem::take(&mut shares.gateways),
        }
        shares.auditors = Self::pay_auditors(&gateway, epoch, to_auditors)?;
        shares.treasury += to_auditors - shares.auditors;
        if matured > 0 {
            let returnable = returnable(&terms.returns[0], matured);
            T::OnMatured::on_matured(&gateway, epoch, matured, returnable);
        }
        if shares.burn > 0 {
            Self::burn(shares.burn)?;
        }
        let treasury = T::Treasury::get();
        Self::add_payable(&treasury, shares.treasury)?;
        Self::fill_referral_pool(&mut record, shares.referral)?;
        Self::post(&mut record, Posting::Divide(shares))?;

        let cursor = cursor + entries.len() as u32;
        Self::deposit_event(Event::Credited {
            gateway,
            epoch,
            shares,
            cursor,
        });
        if cursor < caches.entries {
            record.status = Status::Crediting(cursor);
            Self::store(record);
        } else {
            ensure!(record.books.escrow == 0, Error::<T>::BooksUnbalanced);
            let shares = record.books.shares;
            Self::finish(record, Status::Credited);
            Self::deposit_event(Event::CreditCompleted {
                gateway,
                epoch,
                shares,
            });
        }
        // The treasury should not have to ask. Where its account cannot take so little yet, it
        // stays payable.
        let _ = with_storage_layer(|| Self::do_claim(&treasury));
        Ok(())
    }

    /// Pays the auditors of a commitment, each alike; returns what they got in all. What cannot be divided is left.
    fn pay_auditors(
        gateway: &DeviceId,
        epoch: Epoch,
        amount: Planck,
    ) -> Result<Planck, DispatchError> {
        let payees = T::Audits::payees(gateway, epoch);
        let count = payees.len() as Planck;
        let each = amount.checked_div(count).unwrap_or_default();
        for payee in &payees {
            Self::add_payable(payee, each)?;
        }
        Ok(each * count)
    }

    fn terms(late: u8) -> Result<Terms, DispatchError> {
        let split = Split::new(
            T::Take::get(),
            T::StargateShare::get(),
            T::CacheShare::get(),
        )
        .map_err(|_| Error::<T>::SharesInvalid)?;
        let take = TakeSplit::new(T::AuditFee::get(), T::Referral::get(), T::Burn::get())
            .map_err(|_| Error::<T>::SharesInvalid)?;
        let penalty = Ppm(T::LatePenalty::get()
            .0
            .saturating_mul(late.into())
            .min(Ppm::ONE.0));
        Ok(Terms {
            split,
            take,
            penalty,
            returns: [Role::Gateway, Role::Cache].map(T::YieldTerms::convert),
        })
    }

    /// Credits an account; it may claim the amount from now on.
    pub(crate) fn add_payable(who: &T::AccountId, amount: Planck) -> DispatchResult {
        if amount == 0 {
            return Ok(());
        }
        Payouts::<T>::try_mutate(who, |payout| {
            payout.payable = payout
                .payable
                .checked_add(amount)
                .ok_or(Error::<T>::BooksUnbalanced)?;
            Ok::<_, DispatchError>(())
        })?;
        RunningTotals::<T>::try_mutate(|totals| {
            totals.payable = totals
                .payable
                .checked_add(amount)
                .ok_or(Error::<T>::BooksUnbalanced)?;
            Ok(())
        })
    }

    pub(crate) fn do_claim(who: &T::AccountId) -> DispatchResult {
        let mut payout = Payouts::<T>::get(who);
        let amount = payout
            .payable
            .checked_sub(payout.claimed)
            .filter(|amount| *amount > 0)
            .ok_or(Error::<T>::NothingToClaim)?;
        T::Currency::transfer(&Self::pot(), who, amount, Preservation::Preserve)?;
        payout.claimed = payout.payable;
        Payouts::<T>::insert(who, payout);
        RunningTotals::<T>::try_mutate(|totals| {
            totals.claimed = totals
                .claimed
                .checked_add(amount)
                .ok_or(Error::<T>::BooksUnbalanced)?;
            Ok::<_, DispatchError>(())
        })?;
        Self::deposit_event(Event::Claimed {
            account: who.clone(),
            amount,
        });
        Ok(())
    }
}

/// What the entries of a page charged; they are parts of a sum that fits.
pub(crate) fn page_amount(entries: &[Entry]) -> Planck {
    entries.iter().map(|entry| entry.sum.amount).sum()
}
