//! Prepaid accounts: what is on deposit, what of it is reserved, and in which epochs an account was
//! funded.
//!
//! The reserve is `highest allowances in the window × epochs that may be unsettled at once`. An
//! account is funded in an epoch only if its balance covered the reserve before the epoch began,
//! charges for an epoch never exceed its allowances, and nothing else lowers a balance below the
//! reserve: so a charge within the window always finds its money.

use crate::{types::*, Accounts, Config, Error, Event, HoldReason, Pallet, RunningTotals};
use frame_support::{
    ensure,
    storage::with_storage_layer,
    traits::{
        fungible::{Mutate, MutateHold},
        tokens::{Fortitude, Precision, Preservation, Restriction},
        Get,
    },
};
use pallet_edge_traits::{EpochClock, PrepaidInspect, ServiceInspect};
use selvedge_primitives_types::{Epoch, Millis, Planck};
use sp_runtime::{traits::AccountIdConversion, DispatchError, DispatchResult};

impl<T: Config> Pallet<T> {
    /// The account that escrow and unclaimed payouts lie in.
    pub fn pot() -> T::AccountId {
        T::PalletId::get().into_account_truncating()
    }

    /// Epochs that may be unsettled at once, counted from the one in use.
    pub fn unsettled_epochs() -> u64 {
        T::UnsettledEpochs::get().clamp(u64::from(Self::max_late()) + 3, MAX_UNSETTLED)
    }

    /// What a wallet shows of a prepaid account; `None` for one that was never opened.
    pub fn account_summary(who: &T::AccountId) -> Option<AccountSummary> {
        let account = Accounts::<T>::get(who)?;
        let per_epoch = Self::allowances(who);
        let reserved = Self::reserve(per_epoch);
        Some(AccountSummary {
            state: account.state,
            balance: account.balance,
            reserved,
            charged: account.charged.saturating_sub(account.refunded),
            lasts: Self::lasts(account.balance.saturating_sub(reserved), per_epoch),
        })
    }

    /// The most that the account's services may use per epoch, in any epoch that may still be
    /// charged or is next.
    fn allowances(who: &T::AccountId) -> Planck {
        let now = T::Clock::current();
        T::Services::caps_of(who, now.minus(Self::unsettled_epochs() - 1), now.next())
    }

    fn reserve(per_epoch: Planck) -> Planck {
        per_epoch.saturating_mul(Self::unsettled_epochs().into())
    }

    /// How long `spendable` lasts at `per_epoch`; forever when nothing is allowed.
    fn lasts(spendable: Planck, per_epoch: Planck) -> Millis {
        let Some(epochs) = spendable.checked_div(per_epoch) else {
            return Millis(u64::MAX);
        };
        let length = T::Clock::length().0;
        Millis(
            u64::try_from(epochs)
                .unwrap_or(u64::MAX)
                .saturating_mul(length),
        )
    }

    pub(crate) fn do_deposit(
        who: &T::AccountId,
        amount: Planck,
        referrer: Option<T::AccountId>,
    ) -> DispatchResult {
        ensure!(
            amount >= T::MinDeposit::get().max(1),
            Error::<T>::DepositTooSmall
        );
        if let Some(referrer) = referrer {
            Self::name_referrer(who, referrer)?;
        }
        let known = Accounts::<T>::get(who);
        let is_new = known.is_none();
        let mut account = known.unwrap_or_else(Account::opened);
        T::Currency::hold(&HoldReason::Prepaid.into(), who, amount)?;
        account.balance = account
            .balance
            .checked_add(amount)
            .ok_or(Error::<T>::BooksUnbalanced)?;
        Self::add_prepaid(amount)?;

        Self::deposit_event(Event::Deposited {
            account: who.clone(),
            amount,
            balance: account.balance,
        });
        let before = (!is_new).then_some(account.state);
        if account.state == AccountState::Closed {
            account.state = AccountState::Active;
        }
        if is_new {
            // Nothing could be used before, so that the current epoch is as safe as the next one.
            account.funded.set(T::Clock::current(), true);
        }
        Self::evaluate_from(who, &mut account, before);
        Accounts::<T>::insert(who, account);
        Ok(())
    }

    pub(crate) fn do_withdraw(who: &T::AccountId, amount: Planck) -> DispatchResult {
        let mut account = Self::open_account(who)?;
        ensure!(amount > 0, Error::<T>::AmountZero);
        Self::remember_overdue();
        let free = account
            .balance
            .saturating_sub(Self::reserve(Self::allowances(who)));
        ensure!(amount <= free, Error::<T>::AboveWithdrawable);

        Self::release(who, amount)?;
        account.balance -= amount;
        Self::deposit_event(Event::Withdrawn {
            account: who.clone(),
            amount,
            balance: account.balance,
        });
        Self::evaluate(who, &mut account);
        Accounts::<T>::insert(who, account);
        Ok(())
    }

    pub(crate) fn do_close(who: &T::AccountId) -> DispatchResult {
        let mut account = Self::open_account(who)?;
        Self::remember_overdue();
        ensure!(Self::allowances(who) == 0, Error::<T>::StillReserved);

        let released = core::mem::take(&mut account.balance);
        Self::release(who, released)?;
        account.reserved = 0;
        account.state = AccountState::Closed;
        account.funded.set(T::Clock::current().next(), false);
        account.deposited.set(T::Clock::current().next(), false);
        Accounts::<T>::insert(who, account);
        Self::deposit_event(Event::AccountClosed {
            account: who.clone(),
            released,
        });
        Ok(())
    }

    pub(crate) fn do_poke(who: &T::AccountId) -> DispatchResult {
        let mut account = Self::open_account(who)?;
        Self::evaluate(who, &mut account);
        Accounts::<T>::insert(who, account);
        Ok(())
    }

    /// Takes a charge from the deposit into the pot, without evaluating the account.
    pub(crate) fn take_prepaid(
        account: &mut Account,
        who: &T::AccountId,
        amount: Planck,
    ) -> DispatchResult {
        account.balance = account
            .balance
            .checked_sub(amount)
            .ok_or(Error::<T>::BalanceExhausted)?;
        account.charged = account
            .charged
            .checked_add(amount)
            .ok_or(Error::<T>::BooksUnbalanced)?;
        // By force: a freeze, such as a vote's, spans held tokens too and must not keep the
        // customer from paying.
        T::Currency::transfer_on_hold(
            &HoldReason::Prepaid.into(),
            who,
            &Self::pot(),
            amount,
            Precision::Exact,
            Restriction::Free,
            Fortitude::Force,
        )?;
        Self::sub_prepaid(amount)
    }

    /// Gives a refund back on deposit; to a closed or dead account as a payout that it may claim.
    pub(crate) fn give_back(who: &T::AccountId, amount: Planck) -> DispatchResult {
        let mut account = Accounts::<T>::get(who).ok_or(Error::<T>::NoAccount)?;
        account.refunded = account
            .refunded
            .checked_add(amount)
            .ok_or(Error::<T>::BooksUnbalanced)?;
        let on_deposit = account.state != AccountState::Closed
            && with_storage_layer(|| {
                T::Currency::transfer_and_hold(
                    &HoldReason::Prepaid.into(),
                    &Self::pot(),
                    who,
                    amount,
                    Precision::Exact,
                    Preservation::Preserve,
                    Fortitude::Polite,
                )
            })
            .is_ok();
        if on_deposit {
            account.balance = account
                .balance
                .checked_add(amount)
                .ok_or(Error::<T>::BooksUnbalanced)?;
            Self::add_prepaid(amount)?;
            Self::evaluate(who, &mut account);
        } else {
            Self::add_payable(who, amount)?;
            RunningTotals::<T>::try_mutate(|totals| {
                totals.returned = totals
                    .returned
                    .checked_add(amount)
                    .ok_or(Error::<T>::BooksUnbalanced)?;
                Ok::<_, DispatchError>(())
            })?;
        }
        Accounts::<T>::insert(who, account);
        Ok(())
    }

    /// Sets the account's state, and from the next epoch on whether it is funded, by what it holds
    /// now.
    pub(crate) fn evaluate(who: &T::AccountId, account: &mut Account) {
        Self::evaluate_from(who, account, Some(account.state));
    }

    /// As [`Self::evaluate`], telling the change from the state `before`; `None` for an account
    /// that is new.
    fn evaluate_from(who: &T::AccountId, account: &mut Account, before: Option<AccountState>) {
        if account.state == AccountState::Closed {
            return;
        }
        Self::remember_overdue();
        let now = T::Clock::current();
        let per_epoch = Self::allowances(who);
        account.reserved = Self::reserve(per_epoch);
        let spendable = account.balance.checked_sub(account.reserved);
        account.state = match spendable {
            None if account.balance == 0 => AccountState::Suspended(SuspensionReason::Empty),
            None => AccountState::Suspended(SuspensionReason::ReserveUncovered),
            Some(left) if left < per_epoch.saturating_mul(T::WarnEpochs::get().into()) => {
                AccountState::Warned
            }
            Some(_) => AccountState::Active,
        };
        // The epoch in use is never taken back: gateways serve by what they were told when it
        // began.
        account.funded.forget(now.minus(Self::unsettled_epochs()));
        account.funded.set(now.next(), spendable.is_some());
        account
            .deposited
            .forget(now.minus(Self::unsettled_epochs()));
        let is_least = account.balance >= T::MinDeposit::get().max(1);
        account.deposited.set(now.next(), is_least);

        if before == Some(account.state) {
            return;
        }
        let from = if account.funded.at(now) {
            now
        } else {
            now.next()
        };
        let lasts = Self::lasts(spendable.unwrap_or(0), per_epoch);
        let was_served = matches!(before, Some(AccountState::Active | AccountState::Warned));
        match account.state {
            AccountState::Suspended(reason) => {
                if before == Some(AccountState::Active) {
                    // A suspension is never the first that the owner hears.
                    Self::deposit_event(Event::AccountWarned {
                        account: who.clone(),
                        lasts,
                    });
                }
                Self::deposit_event(Event::AccountSuspended {
                    account: who.clone(),
                    reason,
                    from: now.next(),
                });
            }
            AccountState::Warned => {
                if !was_served {
                    Self::deposit_event(Event::AccountActivated {
                        account: who.clone(),
                        from,
                    });
                }
                Self::deposit_event(Event::AccountWarned {
                    account: who.clone(),
                    lasts,
                });
            }
            _ => Self::deposit_event(Event::AccountActivated {
                account: who.clone(),
                from,
            }),
        }
    }

    fn open_account(who: &T::AccountId) -> Result<Account, DispatchError> {
        let account = Accounts::<T>::get(who).ok_or(Error::<T>::NoAccount)?;
        ensure!(
            account.state != AccountState::Closed,
            Error::<T>::AccountClosed
        );
        Ok(account)
    }

    fn release(who: &T::AccountId, amount: Planck) -> DispatchResult {
        T::Currency::release(&HoldReason::Prepaid.into(), who, amount, Precision::Exact)?;
        Self::sub_prepaid(amount)
    }

    fn add_prepaid(amount: Planck) -> DispatchResult {
        RunningTotals::<T>::try_mutate(|totals| {
            totals.prepaid = totals
                .prepaid
                .checked_add(amount)
                .ok_or(Error::<T>::BooksUnbalanced)?;
            Ok(())
        })
    }

    fn sub_prepaid(amount: Planck) -> DispatchResult {
        RunningTotals::<T>::try_mutate(|totals| {
            totals.prepaid = totals
                .prepaid
                .checked_sub(amount)
                .ok_or(Error::<T>::BooksUnbalanced)?;
            Ok(())
        })
    }

    /// Burns from the pot.
    pub(crate) fn burn(amount: Planck) -> DispatchResult {
        T::Currency::burn_from(
            &Self::pot(),
            amount,
            Preservation::Preserve,
            Precision::Exact,
            Fortitude::Polite,
        )?;
        Ok(())
    }
}

impl<T: Config> PrepaidInspect<T::AccountId> for Pallet<T> {
    fn is_funded_at(owner: &T::AccountId, epoch: Epoch) -> bool {
        Accounts::<T>::get(owner).is_some_and(|account| account.funded.at(epoch))
    }

    fn ensure_covers(owner: &T::AccountId, caps: Planck) -> DispatchResult {
        if caps == 0 {
            return Ok(());
        }
        let account = Self::open_account(owner)?;
        Self::remember_overdue();
        // By the measure of the next evaluation, which also counts what was allowed in epochs that
        // may still be charged: a refusal now is better than a suspension then.
        let caps = caps.max(Self::allowances(owner));
        ensure!(
            account.balance >= Self::reserve(caps),
            Error::<T>::AllowanceNotCovered
        );
        Ok(())
    }
}
