//! What nobody can claim any more is forgotten, and disputes end by themselves.

use super::*;
use crate::ClearFrom;

const END: u64 = EPOCH.0 + REDEEM_UNTIL + 1;

#[test]
fn vouchers_are_forgotten_when_they_count_no_longer() {
    run(|| {
        set_fate(device(1), EPOCH, Fate::Void);
        assert_ok!(redeem(voucher(2, 1, 400), None));
        begin(END - 1);
        assert_eq!(Redemptions::<Test>::iter().count(), 1);
        begin(END);
        assert_eq!(Redemptions::<Test>::iter().count(), 0);
        assert_eq!(Debts::<Test>::iter().count(), 0);
        assert_eq!(ClearFrom::<Test>::get(), EPOCH.next());
    });
}

#[test]
fn many_items_take_several_epochs() {
    run(|| {
        for number in 0..100 {
            let redemption = Redemption {
                seq: 1,
                value: 1,
                from_stake: 1,
                ..Default::default()
            };
            Redemptions::<Test>::insert((EPOCH, device(1), DeviceId([number; 32])), redemption);
        }
        let debt = Debt {
            cap: 1_000,
            from_stake: 100,
            ..Default::default()
        };
        Debts::<Test>::insert(EPOCH, device(1), debt);
        let mut left = vec![];
        for epoch in END..END + 4 {
            begin(epoch);
            left.push(Redemptions::<Test>::iter().count());
            assert_eq!(crate::Pallet::<Test>::check_invariants(), Ok(()));
        }
        assert_eq!(left, [68, 36, 4, 0]);
        assert_eq!(Debts::<Test>::iter().count(), 0);
    });
}

#[test]
fn a_dispute_ends_by_itself_once_its_commitment_has() {
    run(|| {
        line(1_000);
        assert_ok!(dispute(4, 500));
        paid(&trees(&[(device(2), 1_000)]), 0);
        begin(END);
        assert_eq!((balance(4), held(4)), (9_500, 0));
        assert_eq!(Disputes::<Test>::iter().count(), 0);
    });
}

#[test]
fn a_dispute_of_what_has_not_ended_is_left_to_be_closed() {
    run(|| {
        line(1_000);
        assert_ok!(dispute(4, 500));
        begin(END + 1);
        assert_eq!(ClearFrom::<Test>::get(), EPOCH.plus(2));
        assert_eq!(held(4), 500);
        set_fate(device(1), EPOCH, Fate::Void);
        assert_ok!(close());
        assert_eq!(balance(4), 10_000);
    });
}
