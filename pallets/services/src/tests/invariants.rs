//! Every invariant of the README can fail: each test breaks one in storage and expects it to be
//! named.

use super::*;
use crate::{
    types::*, History, NextId, Owned, PriceLists, ProvenHosts, Services as Stored, Unproven,
};
use frame_support::traits::{fungible::MutateHold, tokens::Precision};

fn broken_by(number: u8, damage: impl FnOnce(ServiceId)) {
    ext().execute_with(|| {
        let id = create(&["a.test", "b.org"]);
        assert_ok!(Services::do_try_state());
        damage(id);
        let error = Services::do_try_state().unwrap_err();
        let text: &'static str = error.into();
        assert!(text.starts_with(&format!("invariant {number}:")), "{text}");
    });
}

fn name(text: &str) -> HostName {
    text.as_bytes().to_vec().try_into().unwrap()
}

#[test]
fn invariant_1_owners() {
    broken_by(1, |_| NextId::<Test>::put(ServiceId(0)));
    broken_by(1, |_| Owned::<Test>::remove(ALICE));
    broken_by(1, |_| Owned::<Test>::try_append(BOB, ServiceId(7)).unwrap());
    broken_by(1, |id| Owned::<Test>::try_append(ALICE, id).unwrap());
}

#[test]
fn invariant_2_deposits() {
    broken_by(2, |_| {
        let reason = crate::HoldReason::Deposit.into();
        Balances::release(&reason, &ALICE, 1, Precision::Exact).unwrap();
    });
    broken_by(2, |id| {
        Stored::<Test>::mutate(id, |service| service.as_mut().unwrap().deposit += 1)
    });
}

#[test]
fn invariant_3_hosts() {
    broken_by(3, |_| ProvenHosts::<Test>::remove(name("a.test")));
    broken_by(3, |id| ProvenHosts::<Test>::insert(name("b.org"), id));
    broken_by(3, |id| ProvenHosts::<Test>::insert(name("c.org"), id));
    broken_by(3, |id| Unproven::<Test>::remove(id, name("b.org")));
    broken_by(3, |id| {
        let claim = Unproven::<Test>::get(id, name("b.org")).unwrap();
        Unproven::<Test>::insert(ServiceId(7), name("b.org"), claim);
    });
}

#[test]
fn invariant_4_terms() {
    let change = |id, change: &dyn Fn(&mut Terms)| {
        History::<Test>::mutate(id, |history| {
            let mut terms = *history.last().unwrap();
            change(&mut terms);
            history.try_push(terms).unwrap();
        });
    };
    broken_by(4, History::<Test>::remove);
    broken_by(4, |id| change(id, &|terms| terms.cap = 5));
    broken_by(4, |id| change(id, &|terms| terms.from = Epoch(11)));
    broken_by(4, |id| {
        change(id, &|terms| (terms.from, terms.cap) = (Epoch(12), 5))
    });
    broken_by(4, |id| {
        change(id, &|terms| (terms.from, terms.cap) = (Epoch(11), 0))
    });
    broken_by(4, |id| {
        change(id, &|terms| {
            (terms.from, terms.price_version) = (Epoch(11), 9)
        })
    });
    broken_by(4, |id| {
        History::<Test>::insert(ServiceId(7), History::<Test>::get(id))
    });
}

#[test]
fn invariant_5_price_lists() {
    broken_by(5, |_| crate::LatestPrices::<Test>::put(2));
    broken_by(5, |_| {
        let list = PriceLists::<Test>::get(1).unwrap();
        PriceLists::<Test>::insert(3, list);
    });
}
