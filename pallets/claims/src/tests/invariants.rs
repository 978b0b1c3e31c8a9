//! Each invariant can fail.

use super::*;

fn broken(number: char, spoil: impl FnOnce()) {
    externalities().execute_with(|| {
        line(1_000);
        assert_ok!(dispute(4, 500));
        set_fate(device(1), EPOCH, Fate::Void);
        assert_ok!(redeem(voucher(2, 1, 400), None));
        assert_eq!(Claims::check_invariants(), Ok(()));
        spoil();
        let violation = Claims::check_invariants().expect_err("it is violated");
        assert!(violation.starts_with(number), "{violation}");
    });
}

fn spoil_debt(spoil: impl FnOnce(&mut Debt)) {
    Debts::<Test>::mutate(EPOCH, device(1), |debt| spoil(debt.as_mut().unwrap()));
}

fn spoil_redemption(spoil: impl FnOnce(&mut Redemption)) {
    Redemptions::<Test>::mutate((EPOCH, device(1), device(2)), spoil);
}

#[test]
fn a_debt_that_nobody_was_paid_is_noticed() {
    broken('1', || spoil_debt(|debt| debt.from_share += 1));
    broken('1', || spoil_debt(|debt| debt.cap = debt.from_stake - 1));
    broken('1', || {
        spoil_redemption(|redemption| redemption.from_stake += 1)
    });
    broken('1', || spoil_redemption(|redemption| redemption.value = 1));
    broken('1', || Debts::<Test>::remove(EPOCH, device(1)));
}

#[test]
fn a_bond_that_is_not_on_hold_is_noticed() {
    broken('2', || {
        Disputes::<Test>::mutate((EPOCH, device(1), account(4), SERVICE), |dispute| {
            dispute.as_mut().unwrap().bond += 1;
        });
    });
}

#[test]
fn a_burn_that_nobody_wants_is_noticed() {
    broken('3', || ToBurn::<Test>::insert(EPOCH, device(1), 501));
    broken('3', || ToBurn::<Test>::remove(EPOCH, device(1)));
    broken('3', || ToBurn::<Test>::insert(EPOCH, device(2), 1));
}
