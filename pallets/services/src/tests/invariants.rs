//! Every invariant of the README can fail: each test breaks one in storage and expects it to be
//! named.

use super::*;
use crate::{
    types::*, Contents, History, KeptBytes, NextId, Owned, PinCount, PriceLists, ProvenHosts,
    Services as Stored, Unproven,
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
    pins_broken_by(2, |_, content| content.pins[0].deposit += 1);
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

/// Breaks the content of a service with a site, rules and a pin that is in no use.
fn pins_broken_by(number: u8, damage: impl FnOnce(ServiceId, &mut Content<u64>)) {
    broken_by(number, |id| {
        for (n, kind) in [
            (1, ContentKind::Directory),
            (2, ContentKind::File),
            (3, ContentKind::File),
        ] {
            assert_ok!(Services::pin(by(ALICE), id, pin_of(n, kind)));
        }
        assert_ok!(Services::set_site(by(ALICE), id, Some([1; 32])));
        assert_ok!(Services::set_rules(by(ALICE), id, Some([2; 32])));
        assert_ok!(Services::do_try_state());
        Contents::<Test>::mutate(id, |content| damage(id, content));
    });
}

#[test]
fn invariant_6_pins() {
    pins_broken_by(6, |_, content| content.pins[2].pin.content.root = [0; 32]);
    pins_broken_by(6, |_, content| content.pins[1].pin.content.root = [3; 32]);
    pins_broken_by(6, |_, content| content.pins[2].pin.factor = 0);
    pins_broken_by(6, |_, _| PinCount::<Test>::put(2));
    broken_by(6, |_| {
        Contents::<Test>::insert(ServiceId(7), Content::default())
    });
}

#[test]
fn invariant_7_pointers() {
    let root = |moves: &mut Moves<u64>, root| moves.iter_mut().for_each(|one| one.root = root);
    pins_broken_by(7, |_, content| root(&mut content.site, Some([9; 32])));
    pins_broken_by(7, |_, content| root(&mut content.site, Some([2; 32])));
    pins_broken_by(7, |_, content| root(&mut content.rules, Some([1; 32])));
    pins_broken_by(7, |_, content| {
        let mut again = content.site[0];
        again.root = None;
        content.site.try_push(again).unwrap();
    });
    pins_broken_by(7, |_, content| {
        let mut again = content.rules[0];
        again.version += 1;
        content.rules.try_push(again).unwrap();
    });
}

#[test]
fn invariant_8_kept() {
    let change = |id, change: &dyn Fn(&mut Kept)| {
        KeptBytes::<Test>::mutate(id, |history| change(history.last_mut().unwrap()));
    };
    pins_broken_by(8, |id, _| KeptBytes::<Test>::remove(id));
    pins_broken_by(8, |id, _| change(id, &|kept| kept.last -= 1));
    pins_broken_by(8, |id, _| change(id, &|kept| kept.most = 1));
    pins_broken_by(8, |id, _| change(id, &|kept| kept.from = Epoch(11)));
    pins_broken_by(8, |id, _| {
        KeptBytes::<Test>::mutate(id, |history| {
            history.try_push(*history.last().unwrap()).unwrap()
        });
    });
    pins_broken_by(8, |id, _| {
        KeptBytes::<Test>::insert(ServiceId(7), KeptBytes::<Test>::get(id))
    });
}
